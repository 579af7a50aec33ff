namespace Verified.Spec.Operators

open Verified.Spec

/// How a loss is made one number.
type internal Reducing =
    | Mean
    | Sum
    | Elementwise

/// The formulas of the losses, over any number system.
module internal Loss =
    open Scalar

    let squaredDistance<'S when 'S :> IScalar<'S>> (a: 'S) (b: 'S) : 'S =
        let d = a - b
        d * d

    let distance<'S when 'S :> IScalar<'S>> (a: 'S) (b: 'S) : 'S = a - b

    /// Half the square up to a distance of `knee`, a straight line beyond, all over `scale`. Both agree at the knee.
    let rounded<'S when 'S :> IScalar<'S>> (knee: float) (scale: float) (d: 'S) : 'S =
        let size = abs d
        let over (y: 'S) = if scale = 1.0 then y else y / num scale

        // In three honest orders.
        let square () = 'S.Permitted [| over (num 0.5 * d * d); over (num 0.5 * (d * d)); num 0.5 * over (d * d) |]

        let line () =
            if scale = knee then
                size - num 0.5 * num knee
            else
                num knee * (size - num 0.5 * num knee)

        match 'S.Compare(size, num knee) with
        | Less
        | Unordered -> square ()
        | Equal
        | Greater -> line ()
        | Undecided -> 'S.Permitted [| square (); line () |]

    // min(x, 0): (x - |x|) / 2, without the roundings where the sign is known.
    let private belowZero<'S when 'S :> IScalar<'S>> (x: 'S) : 'S =
        match 'S.Compare(x, num 0.0) with
        | Greater -> num 0.0
        | Less -> x
        | _ -> (x - abs x) * num 0.5

    /// log(1 / (1 + exp(-x))), without overflow.
    let logSigmoid<'S when 'S :> IScalar<'S>> (x: 'S) : 'S = belowZero x - apply Elementary.Log1p (exp (neg (abs x)))

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

    let times<'S when 'S :> IScalar<'S>> (a: 'S) (b: 'S) : 'S = a * b

    /// minus the sum of the products.
    let minusDot<'S when 'S :> IScalar<'S>> dtype (a: 'S[]) (b: 'S[]) : 'S = if a.Length = 0 then Value.exact dtype 0.0 else neg (dot a b)

    let ratio<'S when 'S :> IScalar<'S>> (a: 'S) (b: 'S) : 'S = 'S.Permitted [| a / b; a * (num 1.0 / b) |]

    /// What a class counts for: (1 - smoothing) w at the target, and everywhere its share of smoothing.
    let smoothed<'S when 'S :> IScalar<'S>> (kept: float) (share: float) (isTarget: bool) (weight: 'S) : 'S =
        let spread = num share * weight
        if isTarget then num kept * weight + spread else spread

    /// A target probability, mixed with its share of smoothing.
    let mixed<'S when 'S :> IScalar<'S>> (kept: float) (share: float) (t: 'S) : 'S = t * num kept + num share

/// mse_loss, l1_loss, binary_cross_entropy_with_logits, cross_entropy, nll_loss.
module Losses =
    let private readReduction attrs =
        match Read.textOr "mean" attrs "reduction" with
        | Ok "mean" -> Ok Mean
        | Ok "sum" -> Ok Sum
        | Ok "none" -> Ok Elementwise
        | Ok other -> Complain.value $"{other} is not a valid value for reduction"
        | Error complaint -> Error complaint

    let private ofRule reading =
        match reading with
        | Ok value -> value
        | Error(complaint: Complaint) -> invalidOp complaint.Message

    let private reductionAttr = Define.attr "reduction" (AttrKind.Choice [ "mean"; "sum"; "none" ])

    /// Elementwise losses of this shape, reduced.
    let private reduced<'S when 'S :> IScalar<'S>> dtype shape reduction (losses: 'S[]) =
        match reduction with
        | Elementwise -> Value.floats dtype shape losses
        | Sum -> Value.floats dtype [||] [| Reduce.total dtype losses |]
        | Mean -> Value.floats dtype [||] [| Reduce.over (float losses.Length) (Reduce.total dtype losses) |]

    /// What each elementwise loss of this shape counts for.
    let private share attrs (shape: int[]) (t: Term) =
        match ofRule (readReduction attrs) with
        | Mean -> Reductions.overCount (Shape.count shape) t
        | _ -> t

    let private dtypeOf (values: Value<'S> list) = values |> List.map Value.operand |> Promotion.result

    // ---- losses of the distance ----

    let private shapesOfDistance =
        [ [ [| 3 |]; [| 3 |] ]
          [ [| 2; 3 |]; [| 2; 3 |] ]
          [ [||]; [||] ]
          [ [| 2; 3 |]; [| 3 |] ]
          [ [| 0 |]; [| 0 |] ] ]

    /// Input and target, each expanded to what both broadcast to, as torch.nn.functional does first, whatever their shapes.
    let private expanded (terms: Term option list) =
        result {
            let a, b = terms[0].Value, terms[1].Value
            let! shape = Broadcast.shapes a.Shape b.Shape
            let expand (t: Term) = Derive.apply "expand" [ t ] [ "size", Derive.sizeAttr shape ]
            return expand a, expand b
        }

    /// A loss of input and target of one shape, which programs name without "_of_alike". Its `slope`, of the distance, is that of an element
    /// for g of 1; `second` is the slope's, for what arrives.
    let private ofAlike name node kernel formula attrs check (loss: Attrs -> Binary) slope second opposite =
        let attrs = reductionAttr :: attrs

        { Define.computes
              (name + "_of_alike")
              formula
              [ ArgKind.Float; ArgKind.Float ]
              attrs
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! a = Argument.tensor call 0
                          let! b = Argument.tensor call 1
                          let! reduction = readReduction call.Attrs
                          do! check call.Attrs
                          let dtype = dtypeOf [ a; b ]

                          do!
                              Complain.unlessDType dtype.IsFloat (fun () ->
                                  $"\"{kernel}\" not implemented for '{Promotion.messageName dtype}'")

                          let loss = loss call.Attrs

                          let losses = Array.map2 (fun (x: 'S) (y: 'S) -> loss.Of(x, y)) (Value.asFloats dtype a) (Value.asFloats dtype b)

                          return [ reduced dtype a.Shape reduction losses ]
                      } } with
            Internal = true
            Node = node
            Shapes = shapesOfDistance |> List.filter (fun shapes -> shapes[0] = shapes[1])
            Saves = fun _ _ -> [ Input 0; Input 1 ]
            Fused =
                Define.fusedApart (node + "Backward") (fun a ->
                    let attrs, shape = a.First.Attrs, a.First.ShapeOf 0
                    let g = a.First.Gradient(0).Value

                    let curve () = a.Arriving * g |> second attrs (fun () -> a.First.Input 0 - a.First.Input 1) |> share attrs shape

                    let by input = Some(fun () -> if a.Towards = input then curve () else -(curve ()))
                    [ Some(fun () -> opposite a); by 0; by 1 ])
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        let slope () =
                            slope d.Attrs (d.Input 0 - d.Input 1) * Shaping.expand (d.ShapeOf 0) (share d.Attrs (d.ShapeOf 0) g)

                        [ Some slope; Some(fun () -> -(slope ())) ])
                ) }

    /// The loss of its name, by that of input and target of one shape.
    let private ofDistance name (alike: Operator) kinks =
        { Define.composes name alike.Formula alike.Args alike.Attrs (fun attrs terms ->
              expanded terms |> Result.map (fun (a, b) -> [ Derive.apply alike.Name [ a; b ] (Map.toList attrs) ])) with
            Shapes = shapesOfDistance
            Kinks = kinks }

    let private sameOf (a: Again) = a.Of a.Arriving

    // ---- mse_loss ----

    let mseLossOfAlike =
        ofAlike
            "mse_loss"
            "MseLoss"
            "mse_cpu"
            "y = mean (or sum) of (input - target)^2"
            []
            (fun _ -> Ok())
            (fun _ ->
                { new Binary with
                    member _.Of(x, y) = Loss.squaredDistance x y })
            (fun _ distance -> distance * 2.0)
            (fun _ _ t -> 2.0 * t)
            sameOf

    let mseLoss = ofDistance "mse_loss" mseLossOfAlike None

    // ---- l1_loss ----

    let private meanDistance attrs (terms: Term option list) =
        result {
            let! reduction = readReduction attrs
            let! a, b = expanded terms
            let distances = a - b |> Shaping.unary "abs"

            return
                match reduction with
                | Mean -> [ Shaping.unary "mean" distances ]
                | Sum -> [ Shaping.unary "sum" distances ]
                | Elementwise -> [ distances ]
        }

    let l1Loss =
        { Define.composes "l1_loss" "y = mean (or sum) of |input - target|" [ ArgKind.Float; ArgKind.Float ] [ reductionAttr ] meanDistance with
            Shapes = shapesOfDistance
            Kinks = Some "input = target: 0, as abs (measured)" }

    // ---- smooth_l1_loss, huber_loss ----

    /// A loss that is a square up to a knee and a line beyond; `knee` and `scale` are read from the attributes.
    let private rounded name node kernel attr formula (shape: Attrs -> Result<float * float, Complaint>) opposite =
        let shapeOf attrs = ofRule (shape attrs)

        ofAlike
            name
            node
            kernel
            formula
            [ attr ]
            (shape >> Result.map ignore)
            (fun attrs ->
                let knee, scale = shapeOf attrs

                { new Binary with
                    member _.Of(x, y) = Loss.distance x y |> Loss.rounded knee scale })
            (fun attrs distance ->
                let knee, scale = shapeOf attrs
                let beyond = Shaping.compareWith "ge" knee (Shaping.unary "abs" distance)
                let sign = Shaping.unary "sign" distance
                let line = if scale = knee then sign else sign * knee

                let curve =
                    if scale = 1.0 then
                        distance
                    else
                        Derive.apply "div" [ distance ] [ "other", Attr.Float scale ]

                Derive.apply "where" [ beyond; line; curve ] [])
            (fun attrs distance t ->
                let knee, scale = shapeOf attrs
                let curved = Shaping.compareWith "lt" knee (Shaping.unary "abs" (distance ()))
                let t = Derive.whereElseZero curved t

                if scale = 1.0 then
                    t
                else
                    Derive.apply "div" [ t ] [ "other", Attr.Float scale ])
            opposite

    let private atTheKnee = Some "at the knee the slope is the line's, and its derivative 0 (measured)"

    let private beta = Define.attr "beta" (AttrKind.Number [ 1.0; 0.5; 2.0; 0.0 ])

    let smoothL1LossOfAlike =
        rounded
            "smooth_l1_loss"
            "SmoothL1Loss"
            "smooth_l1_cpu"
            beta
            "y = mean (or sum) of d^2 / (2 beta) where |d| < beta, else |d| - beta / 2, with d = input - target"
            (fun attrs ->
                result {
                    let! beta = Read.numberOr 1.0 attrs "beta"

                    do! Complain.unlessValue (beta >= 0.0) (fun () -> "smooth_l1_loss does not support negative values for beta.")

                    return beta, beta
                })
            sameOf

    let smoothL1Loss =
        let rounded = ofDistance "smooth_l1_loss" smoothL1LossOfAlike atTheKnee

        { rounded with
            Behaviour =
                // Without a knee it is l1_loss.
                Composes(fun attrs terms ->
                    match Read.numberOr 1.0 attrs "beta", rounded.Behaviour with
                    | Ok beta, Composes parts when beta <> 0.0 -> parts attrs terms
                    | Error complaint, _ -> Error complaint
                    | _ -> meanDistance attrs terms) }

    let huberLossOfAlike =
        rounded
            "huber_loss"
            "HuberLoss"
            "huber_cpu"
            (Define.attr "delta" (AttrKind.Number [ 1.0; 0.5; 2.0 ]))
            "y = mean (or sum) of d^2 / 2 where |d| < delta, else delta (|d| - delta / 2), with d = input - target"
            (fun attrs ->
                result {
                    let! delta = Read.numberOr 1.0 attrs "delta"

                    do! Complain.unlessValue (delta > 0.0) (fun () -> "huber_loss does not support non-positive values for delta.")

                    return delta, 1.0
                })
            (fun a ->
                match ofRule (readReduction a.First.Attrs) with
                | Elementwise -> sameOf a
                | _ ->
                    let one = Derive.apply "zeros_like" [ a.First.Gradient(0).Value ] [] + 1.0
                    a.Of one * a.Arriving |> Shaping.unary "sum")

    let huberLoss = ofDistance "huber_loss" huberLossOfAlike atTheKnee

    // ---- binary_cross_entropy_with_logits ----

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

                          return [ Value.asFloats x.DType x |> Array.map Loss.logSigmoid |> Value.floats x.DType x.Shape ]
                      } } with
            Node = "LogSigmoid"
            Fused =
                Define.fusedSymmetric "LogSigmoidBackward" (fun a ->
                    // Not s (s - 1), which is zero where s rounds to 1.
                    let s (x: Term) = Shaping.unary "sigmoid" x
                    let x = a.First.Input 0
                    a.Arriving * a.First.Gradient(0).Value * -(s -x) * s x)
            Saves = fun _ _ -> [ Input 0 ]
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> g * Shaping.unary "sigmoid" (-(d.Input 0))) ])) }

    let private optionalInput (d: IDerivation) i = if d.Has i then Some(d.Input i) else None

    let private timesOptional (factor: Term option) (t: Term) =
        match factor with
        | Some factor -> t * factor
        | None -> t

    let binaryCrossEntropyWithLogits =
        { Define.computes
              "binary_cross_entropy_with_logits"
              "y = mean (or sum) of -weight (pos_weight t log(sigmoid(x)) + (1 - t) log(1 - sigmoid(x)))"
              [ ArgKind.Float; ArgKind.Float; ArgKind.Optional ArgKind.Float; ArgKind.Optional ArgKind.Float ]
              [ reductionAttr ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! t = Argument.tensor call 1
                          let weight, positive = Argument.tryTensor call 2, Argument.tryTensor call 3
                          let! reduction = readReduction call.Attrs

                          do!
                              Complain.unlessShape (x.Shape = t.Shape) (fun () ->
                                  $"Target size (torch.Size({Shape.show t.Shape})) must be the same as input size (torch.Size({Shape.show x.Shape}))")

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

                          do!
                              Complain.unlessShape (shape = x.Shape) (fun () ->
                                  $"output with shape {Shape.show x.Shape} doesn't match the broadcast shape {Shape.show shape}")

                          let read v = Value.expand shape v |> Value.asFloats dtype
                          let xs, ts, ps = read x, read t, Option.map read positive

                          let losses =
                              Array.init xs.Length (fun i -> Loss.binaryCrossEntropy xs[i] ts[i] (ps |> Option.map (fun p -> p[i])))

                          let losses =
                              match weight with
                              | Some w -> Array.map2 Loss.times losses (read w)
                              | None -> losses

                          return [ reduced dtype shape reduction losses ]
                      } } with
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

    // ---- cross_entropy ----

    /// The dimension of the classes: the second, or the only one.
    let private classDim (shape: int[]) = if shape.Length = 1 then 0 else 1

    type private Settings =
        { Reduction: Reducing
          Ignored: int64
          Smoothing: float }

    let private readSettings (attrs: Attrs) =
        result {
            let! reduction = readReduction attrs
            let! ignored = Read.integerOr -100 attrs "ignore_index"
            let! smoothing = Read.numberOr 0.0 attrs "label_smoothing"

            do!
                Complain.unlessValue (smoothing >= 0.0 && smoothing <= 1.0) (fun () ->
                    $"label_smoothing must be between 0.0 and 1.0. Got: {smoothing}")

            return
                { Reduction = reduction
                  Ignored = int64 ignored
                  Smoothing = smoothing }
        }

    /// The shape of a class index target, from that of the logits.
    let private checkClasses (x: int[]) (target: int[]) (groups: Groups) =
        if target.Length <> groups.Result.Length then
            Complain.shape
                $"Expected a target of shape {Shape.show groups.Result} for an input of shape {Shape.show x}, got {Shape.show target}"
        elif x.Length = 2 && target <> groups.Result then
            Complain.shape $"Expected input batch_size ({x[0]}) to match target batch_size ({target[0]})."
        elif target <> groups.Result then
            Complain.shape $"Expected target size {Shape.show groups.Result}, got {Shape.show target}"
        else
            Ok()

    let private checkWeight classes (weight: Value<'S> option) =
        match weight with
        | Some w when w.Shape <> [| classes |] ->
            Complain.shape
                $"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of shape: {Shape.show w.Shape}"
        | _ -> Ok()

    let private checkIndices (x: Value<'S>) (target: Value<'S>) (weight: Value<'S> option) =
        if target.DType <> Int64 then
            Complain.dtype $"expected scalar type Long but found {Promotion.messageName target.DType}"
        else
            Complain.unlessDType (weight |> Option.forall (fun w -> w.DType = x.DType)) (fun () ->
                $"expected scalar type {Promotion.messageName x.DType} but found {Promotion.messageName weight.Value.DType}")

    /// The classes that a target names, and whether they are decided; where they are not, some class.
    let private indicesOf classes settings (target: Value<'S>) =
        let targets, decided = Value.asInts Int64 target
        let outside t = t <> settings.Ignored && (t < 0L || t >= int64 classes)

        match Array.tryFind outside targets with
        | Some t when decided -> Complain.index $"Target {t} is out of bounds."
        | _ -> Ok(targets |> Array.map (fun t -> if t = settings.Ignored then t else max 0L (min t (int64 classes - 1L))), decided)

    let private weightsOf<'S when 'S :> IScalar<'S>> (x: Value<'S>) classes (weight: Value<'S> option) : 'S[] =
        match weight with
        | Some w -> Value.asFloats x.DType w
        | None -> Array.create classes (Value.exact x.DType 1.0)

    /// Numbers for each class of each group, laid out as the logits are.
    let private layOut (groups: Groups) count (perGroup: 'a[][]) =
        let found = Array.zeroCreate count

        for o in 0 .. groups.Outer.Length - 1 do
            for c in 0 .. groups.Inner.Length - 1 do
                found[groups.Outer[o] + groups.Inner[c]] <- perGroup[o][c]

        found

    /// How much each class of each group counts for class indices: nothing where the target is ignored.
    let private countsOfClasses<'S when 'S :> IScalar<'S>> dtype settings (weights: 'S[]) (targets: int64[]) =
        let classes = weights.Length
        let zero: 'S = Value.exact dtype 0.0

        targets
        |> Array.map (fun t ->
            if t = settings.Ignored then
                Array.create classes zero
            else
                Array.init classes (fun c ->
                    if settings.Smoothing > 0.0 then
                        Loss.smoothed (1.0 - settings.Smoothing) (settings.Smoothing / float classes) (int64 c = t) weights[c]
                    elif int64 c = t then
                        weights[c]
                    else
                        zero))

    /// The loss of class indices: the loss, and how much each log-probability counts in it.
    let private ofClasses<'S when 'S :> IScalar<'S>>
        dtype
        settings
        (groups: Groups)
        (logs: 'S[][])
        (weights: 'S[])
        weighted
        (targets: int64[])
        =
        let counts = countsOfClasses dtype settings weights targets

        // Classes that count for nothing are left out, whatever their log-probability.
        let used (counts: 'S[][]) o =
            [| for c in 0 .. weights.Length - 1 do
                   if targets[o] <> settings.Ignored && (settings.Smoothing > 0.0 || int64 c = targets[o]) then
                       struct (counts[o][c], logs[o][c]) |]

        let loss (terms: struct ('S * 'S)[]) =
            Loss.minusDot dtype (terms |> Array.map (fun struct (count, _) -> count)) (terms |> Array.map (fun struct (_, log) -> log))

        let together counts = [| 0 .. targets.Length - 1 |] |> Array.collect (used counts) |> loss

        match settings.Reduction with
        | Elementwise -> Value.floats dtype groups.Result (Array.init targets.Length (used counts >> loss)), counts
        | Sum -> Value.floats dtype [||] [| together counts |], counts
        | Mean ->
            let kept = targets |> Array.filter (fun t -> t <> settings.Ignored)

            let total =
                if weighted then
                    kept |> Array.map (fun t -> weights[int t]) |> Reduce.total dtype
                else
                    Value.exact dtype (float kept.Length)

            let share o =
                if targets[o] = settings.Ignored then
                    counts[o]
                else
                    counts[o] |> Array.map (fun q -> Loss.ratio q total)

            // The target's part and what smoothing spreads are divided apart: where no class that is there weighs anything, the first is 0 / 0.
            let mean =
                if settings.Smoothing > 0.0 && 'S.Compare(total, Value.exact dtype 0.0) = Equal then
                    Value.exact dtype nan
                else
                    let mean = Loss.ratio (together counts) total

                    // Who divides first does not overflow.
                    if System.Double.IsFinite('S.Value mean) then
                        mean
                    else
                        'S.Permitted [| mean; together (Array.init targets.Length share) |]

            Value.floats dtype [||] [| mean |], Array.init targets.Length share

    /// The loss of class probabilities.
    let private ofProbabilities<'S when 'S :> IScalar<'S>>
        dtype
        settings
        (groups: Groups)
        (logs: 'S[][])
        (weights: 'S[])
        weighted
        (targets: 'S[][])
        =
        let share = settings.Smoothing / float weights.Length

        let count o c =
            let t = targets[o][c]

            let t =
                if settings.Smoothing > 0.0 then
                    Loss.mixed (1.0 - settings.Smoothing) share t
                else
                    t

            if weighted then Loss.times t weights[c] else t

        let counts = Array.init targets.Length (fun o -> Array.init weights.Length (count o))

        match settings.Reduction with
        | Elementwise -> Value.floats dtype groups.Result (Array.map2 (Loss.minusDot dtype) counts logs)
        | reduction ->
            let sum = Loss.minusDot dtype (Array.concat counts) (Array.concat logs)
            Value.floats dtype [||] [| if reduction = Mean then Reduce.over (float targets.Length) sum else sum |]

    let private unknown<'S when 'S :> IScalar<'S>> decided (v: Value<'S>) =
        if decided then
            v
        else
            Value.floats v.DType v.Shape (Value.asFloats v.DType v |> Array.map 'S.Unknown)

    // Whether a sum of negated terms begins at zero decides the sign of a loss that is zero.
    let private signless (loss: Value<'S>) =
        Value.asFloats loss.DType loss |> Array.map Elementwise.eitherZero |> Value.floats loss.DType loss.Shape

    /// The loss, the log-probabilities, and how much each of these counts in the loss (for probabilities: before weights and averaging).
    /// Only the loss is visible; the others are what PyTorch keeps in the nodes that cross_entropy is made of.
    let private crossEntropyForward =
        { new Forward with
            member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                result {
                    let! x = Argument.tensor call 0
                    let! target = Argument.tensor call 1
                    let weight = Argument.tryTensor call 2
                    let! settings = readSettings call.Attrs

                    do! Complain.unlessShape (x.Shape.Length > 0) (fun () -> "cross_entropy: the input needs a dimension of classes")

                    do!
                        Complain.unlessDType x.DType.IsFloat (fun () ->
                            $"\"log_softmax_lastdim_kernel_impl\" not implemented for '{Promotion.messageName x.DType}'")

                    let groups = Groups.over x.Shape [ classDim x.Shape ] false
                    let classes = groups.Size
                    do! checkWeight classes weight
                    let logs = groups.Of(Value.asFloats x.DType x) |> Array.map (Normalise.logSoftmax x.DType)
                    let logProbabilities = layOut groups (Value.count x) logs |> Value.floats x.DType x.Shape

                    let weights = weightsOf x classes weight

                    if target.Shape = x.Shape then
                        do!
                            Complain.unlessDType target.DType.IsFloat (fun () ->
                                $"Expected floating point type for target with class probabilities, got {Promotion.messageName target.DType}")

                        do!
                            Complain.unlessValue (settings.Ignored < 0L) (fun () ->
                                "ignore_index is not supported for floating point target")

                        let targets = groups.Of(Value.asFloats x.DType target)
                        let loss = ofProbabilities x.DType settings groups logs weights weight.IsSome targets
                        let mixed = Array.map (Loss.mixed (1.0 - settings.Smoothing) (settings.Smoothing / float classes))
                        let smoothed = Value.floats x.DType x.Shape (mixed (Value.asFloats x.DType target))
                        return [ signless loss; logProbabilities; smoothed ]
                    else
                        do! checkClasses x.Shape target.Shape groups

                        do! checkIndices x target weight
                        let! targets, decided = indicesOf classes settings target
                        let loss, counts = ofClasses x.DType settings groups logs weights weight.IsSome targets
                        let counts = layOut groups (Value.count x) counts |> Value.floats x.DType x.Shape
                        return [ unknown decided (signless loss); logProbabilities; unknown decided counts ]
                } }

    /// The gradient reaches the logits through the log-probabilities l: of the loss it is -g times how much each counts, and under
    /// create_graph l has gradients of its own.
    let private crossEntropyRule: Rule =
        fun d ->
            let shape = d.ShapeOf 0
            let dim = classDim shape
            let settings = ofRule (readSettings d.Attrs)
            let probabilities = d.ShapeOf 1 = shape
            let logs () = d.Output 1
            let perClass = shape |> Array.mapi (fun k size -> if k = dim then size else 1)
            let perGroup = shape |> Array.mapi (fun k size -> if k = dim then 1 else size)
            let weight () = if d.Has 2 then Some(d.Input 2 |> Shaping.reshape perClass) else None
            let kept = 1.0 - settings.Smoothing

            // The gradient of each group's loss, to be multiplied with the classes' counts.
            let each (g: Term) =
                match settings.Reduction with
                | Elementwise -> Shaping.reshape perGroup g
                | Mean when probabilities -> Reductions.overCount (Shape.count perGroup) g
                | _ -> g

            let smoothing = settings.Smoothing > 0.0
            let smoothedTarget () = if smoothing then d.Output 2 else d.Input 1

            let plus (a: Term option) (b: Term option) =
                match a, b with
                | Some a, Some b -> Some(a + b)
                | a, None -> a
                | None, b -> b

            let ofLoss () =
                d.Gradient 0
                |> Option.map (fun g ->
                    if probabilities then
                        -(each g * (smoothedTarget () |> timesOptional (weight ())))
                    elif smoothing then
                        -(each g * d.Output 2)
                    else
                        // Where a class does not count nothing flows, whatever arrives.
                        -(Derive.zeroWhere (Derive.compared "eq" (d.Output 2) 0.0) (each g * d.Output 2)))

            let toLogits () =
                plus (ofLoss ()) (d.Gradient 1)
                |> Option.map (fun g -> Derive.apply "log_softmax_backward" [ g; logs () ] [ "dim", Derive.integerAttr dim ])

            let toTarget () =
                let slope = d.Gradient 0 |> Option.map (fun g -> -(each g * logs ()) |> timesOptional (weight ()))

                if smoothing then
                    plus slope (d.Gradient 2) |> Option.map (fun g -> g * kept)
                else
                    slope

            let toWeight () =
                d.Gradient 0
                |> Option.map (fun g -> -(each g * logs ()) * smoothedTarget () |> Derive.sumTo perClass |> Shaping.reshape (d.ShapeOf 2))

            [ for i in 0 .. d.Inputs - 1 ->
                  if not (d.Needs i) then None
                  elif i = 0 then toLogits () |> Option.map (Derive.fit d 0)
                  elif not probabilities then None
                  elif i = 1 then toTarget () |> Option.map (Derive.fit d 1)
                  else toWeight () |> Option.map (Derive.fit d 2) ]

    let crossEntropy =
        { Define.computes
              "cross_entropy"
              "y = -sum over c of target[c] weight[c] log_softmax(x)[c], averaged (by weight, for class indices)"
              [ ArgKind.Float; ArgKind.Classes; ArgKind.Optional ArgKind.Float ]
              [ reductionAttr
                Define.attr "ignore_index" (AttrKind.Integer [ -100L; 0L; 1L ])
                Define.attr "label_smoothing" (AttrKind.Number [ 0.0; 0.1; 0.5 ]) ]
              crossEntropyForward with
            Node = "NllLoss"
            // The weight of class probabilities is differentiated.
            Refuses =
                fun dtypes ->
                    match dtypes with
                    | [| _; Some target; _ |]
                    | [| _; Some target |] when target.IsFloat -> []
                    | _ -> [ 2, "weight" ]
            Shapes =
                [ [ [| 2; 3 |]; [| 2 |] ]
                  [ [| 3; 3 |]; [| 3 |]; [| 3 |] ]
                  [ [| 3 |]; [||] ]
                  [ [| 2; 3; 2 |]; [| 2; 2 |] ]
                  [ [| 2; 3; 2; 2 |]; [| 2; 2; 2 |]; [| 3 |] ]
                  [ [| 1; 1 |]; [| 1 |] ] ]
            // Probabilities are mixed with their share of smoothing first, and the mixture is kept instead.
            Saves =
                fun _ attrs ->
                    match readSettings attrs with
                    | Ok settings when settings.Smoothing > 0.0 -> [ Indices; Input 2; Output 1; Output 2 ]
                    | _ -> [ Input 1; Input 2; Output 1; Output 2 ]
            Kinks = Some "all targets ignored: the mean is 0/0 = NaN and the gradient 0 (measured)"
            Derivative = Some crossEntropyRule }

    // ---- nll_loss ----

    /// The shape of the classes' indices, from that of the log-probabilities, with PyTorch's texts, which depend on the rank.
    let private checkTarget (x: int[]) (target: int[]) (groups: Groups) =
        if x.Length = 0 then
            Complain.shape "Expected 1 or more dimensions (got 0)"
        elif x.Length = 1 && target.Length > 0 then
            Complain.shape $"size mismatch (got input: {Shape.show x}, target: {Shape.show target})"
        elif x.Length > 1 && target.Length > 0 && target[0] <> x[0] then
            Complain.shape $"Expected input batch_size ({x[0]}) to match target batch_size ({target[0]})."
        elif target.Length <> groups.Result.Length then
            Complain.shape $"only batches of spatial targets supported (3D tensors) but got targets of dimension: {target.Length}"
        elif target <> groups.Result && x.Length = 4 then
            Complain.shape $"size mismatch (got input: {Shape.show x} , target: {Shape.show target}"
        elif target <> groups.Result then
            Complain.shape $"Expected target size {Shape.show groups.Result}, got {Shape.show target}"
        else
            Ok()

    let nllLoss =
        { Define.computes
              "nll_loss"
              "y = -weight[target] x[target], averaged by weight"
              [ ArgKind.Float; ArgKind.Index; ArgKind.Optional ArgKind.Float ]
              [ reductionAttr; Define.attr "ignore_index" (AttrKind.Integer [ -100L; 0L; 1L ]) ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! target = Argument.tensor call 1
                          let weight = Argument.tryTensor call 2
                          let! settings = readSettings call.Attrs
                          let groups = Groups.over x.Shape [ classDim x.Shape ] false
                          do! checkTarget x.Shape target.Shape groups
                          do! checkWeight groups.Size weight

                          do!
                              Complain.unlessDType x.DType.IsFloat (fun () ->
                                  $"\"nll_loss_out_frame\" not implemented for '{Promotion.messageName x.DType}'")

                          do! checkIndices x target weight
                          let! targets, decided = indicesOf groups.Size settings target
                          let weights = weightsOf x groups.Size weight
                          let logs = groups.Of(Value.asFloats x.DType x)
                          let loss, counts = ofClasses x.DType settings groups logs weights weight.IsSome targets
                          let counts = layOut groups (Value.count x) counts |> Value.floats x.DType x.Shape
                          return [ unknown decided (signless loss); unknown decided counts ]
                      } } with
            Refuses = fun _ -> [ 2, "weight" ]
            Shapes =
                [ [ [| 2; 3 |]; [| 2 |] ]
                  [ [| 3; 3 |]; [| 3 |]; [| 3 |] ]
                  [ [| 3 |]; [||] ]
                  [ [| 2; 3; 2 |]; [| 2; 2 |] ]
                  [ [| 2; 3; 2; 2 |]; [| 2; 2; 2 |]; [| 3 |] ]
                  [ [| 1; 1 |]; [| 1 |] ] ]
            Fused =
                Define.fusedLinearBy "NllLossBackward" (fun a ->
                    Derive.applyTo
                        "nll_loss"
                        [ Some a.Arriving; Some(a.First.Input 1); optionalInput a.First 2 ]
                        (Map.toList a.First.Attrs))
            Saves = fun _ _ -> [ Input 0; Input 1; Input 2; Output 1 ]
            Kinks = Some "all targets ignored: the mean is 0/0 = NaN and the gradient 0 (measured)"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        let shape = d.ShapeOf 0
                        let dim = classDim shape

                        let each =
                            match (ofRule (readSettings d.Attrs)).Reduction with
                            | Elementwise -> g |> Shaping.reshape (shape |> Array.mapi (fun k size -> if k = dim then 1 else size))
                            | _ -> g

                        [ Some(fun () -> -(each * d.Output 1)) ])
                ) }

    let all =
        [ mseLossOfAlike
          mseLoss
          l1Loss
          smoothL1LossOfAlike
          smoothL1Loss
          huberLossOfAlike
          huberLoss
          logSigmoid
          binaryCrossEntropyWithLogits
          crossEntropy
          nllLoss ]
