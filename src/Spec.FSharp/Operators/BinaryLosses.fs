namespace Verified.Spec.Operators

open Verified.Spec

/// The formulas, over any number system.
module internal Logistic =
    open Scalar

    // min(x, 0): (x - |x|) / 2, without the roundings where the sign is known.
    let private belowZero<'S when 'S :> IScalar<'S>> (x: 'S) : 'S =
        match 'S.Compare(x, num 0.0) with
        | Greater -> num 0.0
        | Less -> x
        | _ -> (x - abs x) * num 0.5

    /// log(1 / (1 + exp(-x))), without overflow.
    let logSigmoid<'S when 'S :> IScalar<'S>> (x: 'S) : 'S = belowZero x - apply Elementary.Log1p (exp (neg (abs x)))

    /// Its slope, sigmoid(-x), from exp(-|x|) and the sign of x alone.
    let slope<'S when 'S :> IScalar<'S>> (x: 'S) (exponential: 'S) : 'S =
        let above () = exponential / (num 1.0 + exponential)

        let below () = 'S.Permitted [| num 1.0 - above (); num 1.0 / (num 1.0 + exponential) |]

        match 'S.Compare(x, num 0.0) with
        | Less -> below ()
        | Undecided -> 'S.Permitted [| above (); below () |]
        | Equal
        | Greater
        | Unordered -> above ()

    /// (1 - t) x - (1 + (p - 1) t) log sigmoid(x): with log sigmoid, with its two parts apart, or, where there is no p, as
    /// max(x, 0) - x t + log(1 + exp(-|x|)).
    let binaryCrossEntropy<'S when 'S :> IScalar<'S>> (x: 'S) (t: 'S) (p: 'S option) : 'S =
        let rest = (num 1.0 - t) * x
        let tail = apply Elementary.Log1p (exp (neg (abs x)))

        match p with
        | Some p ->
            let factor = (p - num 1.0) * t + num 1.0
            'S.Permitted [| rest - factor * logSigmoid x; rest + factor * (tail - belowZero x) |]
        | None -> 'S.Permitted [| rest - logSigmoid x; (x - belowZero x) - x * t + tail |]

/// logsigmoid, binary_cross_entropy_with_logits.
module BinaryLosses =
    open LossReduction

    let logSigmoid =
        { Define.computes
              "logsigmoid"
              "y = -log(1 + exp(-x))"
              [ ArgKind.Float ]
              []
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0

                          do!
                              Complain.unlessDType x.DType.IsFloat (fun () ->
                                  $"\"log_sigmoid_cpu\" not implemented for '{Promotion.messageName x.DType}'")

                          let xs = Value.asFloats x.DType x
                          let each (f: 'S -> 'S) = Array.map f xs |> Value.floats x.DType x.Shape
                          return [ each Logistic.logSigmoid; each (Scalar.abs >> Scalar.neg >> Scalar.exp) ]
                      } } with
            Spelling = Define.functional
            Node = Define.node "LogSigmoid"
            Fused =
                // It lies as what arrives.
                Define.arranged Arrangement.Copied
                <| Define.fusedSymmetric "LogSigmoidBackward" (fun a ->
                    // Not s (s - 1), which is zero where s rounds to 1.
                    let s (x: Term) = Shaping.unary "sigmoid" x
                    let x = a.First.Input 0
                    a.Arriving * a.First.Gradient(0).Value * -(s -x) * s x)
            // The second result is PyTorch's `buffer` on a CPU.
            Saves = fun _ _ -> [ Input 0; Output 1 ]
            Derivative =
                Some(Derive.rule (fun d g -> [ Some(fun () -> Derive.apply "log_sigmoid_backward" [ g; d.Input 0; d.Output 1 ] []) ])) }

    /// The gradient of logsigmoid, as PyTorch's log_sigmoid_backward: of the input it reads the sign alone.
    let logSigmoidBackward =
        { Define.computes
              "log_sigmoid_backward"
              "x = g e / (1 + e) where self is not negative, else g (1 - e / (1 + e)); e = exp(-|self|) as it was kept"
              [ ArgKind.Float; ArgKind.Float; ArgKind.Float ]
              []
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! g = Argument.floats call 0
                          let! x = Argument.floats call 1
                          let! exponential = Argument.floats call 2
                          let read = Value.asFloats x.DType
                          let pulled (g: 'S) (x: 'S) (e: 'S) = 'S.Mul(g, Logistic.slope x e)
                          return [ Array.map3 pulled (read g) (read x) (read exponential) |> Value.floats x.DType x.Shape ]
                      } } with
            Internal = true }

    /// As it is computed, which programs name without "_of_one_size".
    let private ofOneSize =
        { Define.computes
              "binary_cross_entropy_with_logits_of_one_size"
              "the loss, of operands of one size"
              [ ArgKind.Float; ArgKind.Float; ArgKind.Optional ArgKind.Float; ArgKind.Optional ArgKind.Float ]
              [ reductionAttr ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! t = Argument.tensor call 1
                          let weight, positive = Argument.tryTensor call 2, Argument.tryTensor call 3
                          let! reduction = readReduction call.Attrs

                          let given = List.choose id [ Some x; Some t; weight; positive ]
                          let dtype = dtypeOf given

                          // PyTorch writes in place on the way, so that with several dtypes the result's, and its accuracy, follow from its order.
                          do!
                              if given |> List.exists (fun v -> v.DType <> x.DType) then
                                  Error
                                      { Kind = Unsupported
                                        Message = "binary_cross_entropy_with_logits of operands of several dtypes" }
                              else
                                  Ok()

                          do!
                              Complain.unlessDType dtype.IsFloat (fun () ->
                                  $"\"log_sigmoid_cpu\" not implemented for '{Promotion.messageName dtype}'")

                          // The weights are multiplied in place.
                          let! shape = given |> List.map (fun v -> v.Shape) |> Broadcast.all

                          do! Complain.unlessFits x.Shape shape

                          let read v = Value.expand shape v |> Value.asFloats dtype
                          let xs, ts, ps = read x, read t, Option.map read positive

                          let losses =
                              Array.init xs.Length (fun i -> Logistic.binaryCrossEntropy xs[i] ts[i] (ps |> Option.map (fun p -> p[i])))

                          let losses =
                              match weight with
                              | Some w -> Array.map2 Loss.times losses (read w)
                              | None -> losses

                          return [ reduced dtype shape reduction losses ]
                      } } with
            Internal = true
            Node = Define.node "BinaryCrossEntropyWithLogits"
            Arrangement = fun _ -> Arrangement.Ordered
            Shapes =
                [ [ [| 3 |]; [| 3 |] ]
                  [ [| 2; 3 |]; [| 2; 3 |]; [| 3 |]; [| 3 |] ]
                  [ [| 2; 3 |]; [| 2; 3 |]; [| 2; 3 |] ]
                  [ [||]; [||] ]
                  [ [| 0; 2 |]; [| 0; 2 |] ] ]
            Saves = fun _ _ -> [ Input 0; Input 1; Input 2; Input 3 ]
            Refuses = fun _ -> [ 2, "weight"; 3, "pos_weight" ]
            Kinks = Some "smooth in input and target; weight and pos_weight get no gradient, and PyTorch refuses them where they want one"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        let x, t = d.Input 0, d.Input 1
                        let weight, positive = optionalInput d 2, optionalInput d 3
                        let gradient (slope: Term) = slope * g |> timesOptional weight |> share d.Attrs (d.ShapeOf 0)

                        [ Some(fun () ->
                              match positive with
                              | None -> gradient (Shaping.unary "sigmoid" x - t)
                              | Some p ->
                                  let pt = p * t
                                  gradient ((pt + 1.0 - t) * Shaping.unary "sigmoid" x - pt))
                          Some(fun () ->
                              match positive with
                              | None -> gradient -x
                              | Some p -> gradient (Shaping.unary "logsigmoid" -x - p * Shaping.unary "logsigmoid" x))
                          None
                          None ])
                ) }

    /// The reduction and the sizes are looked at in Python (torch/nn/functional.py), before anything is recorded.
    let binaryCrossEntropyWithLogits =
        { Define.composes
              "binary_cross_entropy_with_logits"
              "y = mean (or sum) of -weight (pos_weight t log(sigmoid(x)) + (1 - t) log(1 - sigmoid(x)))"
              ofOneSize.Args
              ofOneSize.Attrs
              (fun attrs terms ->
                  result {
                      let! _ = readReduction attrs

                      match terms with
                      | Some x :: Some t :: _ when x.Shape <> t.Shape ->
                          return!
                              Complain.shape
                                  $"Target size (torch.Size({Shape.show t.Shape})) must be the same as input size (torch.Size({Shape.show x.Shape}))"
                      | _ -> return [ Derive.applyTo ofOneSize.Name terms (Map.toList attrs) ]
                  }) with
            Spelling = Define.functional |> Define.byKeyword [ ""; "weight"; "pos_weight" ]
            Refuses = ofOneSize.Refuses
            Shapes = ofOneSize.Shapes
            Kinks = ofOneSize.Kinks }

    let all = [ logSigmoid; logSigmoidBackward; ofOneSize; binaryCrossEntropyWithLogits ]
