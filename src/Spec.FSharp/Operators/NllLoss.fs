namespace Verified.Spec.Operators

open Verified.Spec

/// The formulas, over any number system.
module internal Likelihood =
    open Scalar

    /// minus the sum of the products.
    let minusDot<'S when 'S :> IScalar<'S>> dtype (a: 'S[]) (b: 'S[]) : 'S = if a.Length = 0 then Value.exact dtype 0.0 else neg (dot a b)

    let ratio<'S when 'S :> IScalar<'S>> (a: 'S) (b: 'S) : 'S = 'S.Permitted [| a / b; a * (num 1.0 / b) |]

/// The loss of class indices: its attributes, the checks of targets and weights, and its formula.
module internal ClassIndices =
    open LossReduction

    /// The dimension of the classes: the second, or the only one.
    let classDim (shape: int[]) = if shape.Length = 1 then 0 else 1

    type Settings = { Reduction: Reducing; Ignored: int64 }

    let readSettings (attrs: Attrs) =
        result {
            let! reduction = readReduction attrs
            let! ignored = Read.integerOr -100 attrs "ignore_index"

            return
                { Reduction = reduction
                  Ignored = int64 ignored }
        }

    /// Of pictures PyTorch counts the weights, whatever their shape.
    let checkWeight rank classes (weight: Value<'S> option) =
        match weight with
        | Some w when rank > 2 ->
            Complain.unlessValue (Value.count w = classes) (fun () -> "weight tensor should be defined either for all or no classes")
        | Some w when w.Shape <> [| classes |] ->
            Complain.shape
                $"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of shape: {Shape.show w.Shape}"
        | _ -> Ok()

    let checkIndices (x: Value<'S>) (target: Value<'S>) (weight: Value<'S> option) =
        if target.DType <> Int64 then
            Complain.dtype $"expected scalar type Long but found {Promotion.messageName target.DType}"
        else
            Complain.unlessDType (weight |> Option.forall (fun w -> w.DType = x.DType)) (fun () ->
                $"expected scalar type {Promotion.messageName x.DType} but found {Promotion.messageName weight.Value.DType}")

    /// The classes that a target names, and whether they are decided; where they are not, some class.
    let indicesOf classes settings (target: Value<'S>) =
        let targets, decided = Value.asInts Int64 target
        let outside t = t <> settings.Ignored && (t < 0L || t >= int64 classes)

        match Array.tryFind outside targets with
        | Some t when decided -> Complain.index $"Target {t} is out of bounds."
        | _ -> Ok(targets |> Array.map (fun t -> if t = settings.Ignored then t else max 0L (min t (int64 classes - 1L))), decided)

    let weightsOf<'S when 'S :> IScalar<'S>> (x: Value<'S>) classes (weight: Value<'S> option) : 'S[] =
        match weight with
        | Some w -> Value.asFloats x.DType w
        | None -> Array.create classes (Value.exact x.DType 1.0)

    let isKept settings target = target <> settings.Ignored

    /// The loss, and what a mean is divided by: the total of the weights of the classes that are named.
    let ofClasses<'S when 'S :> IScalar<'S>> dtype settings (groups: Groups) (logs: 'S[][]) (weights: 'S[]) weighted (targets: int64[]) =
        let weight o = weights[int targets[o]]

        let kept =
            [| for o in 0 .. targets.Length - 1 do
                   if isKept settings targets[o] then o |]

        let loss (counts: int -> 'S) (groups: int[]) =
            Likelihood.minusDot dtype (Array.map counts groups) (groups |> Array.map (fun o -> logs[o][int targets[o]]))

        let total =
            if weighted then
                kept |> Array.map weight |> Reduce.total dtype
            else
                Value.exact dtype (float kept.Length)

        let value =
            match settings.Reduction with
            | Elementwise ->
                let one o = loss weight (if isKept settings targets[o] then [| o |] else [||])
                Value.floats dtype groups.Result (Array.init targets.Length one)
            | Sum -> Value.floats dtype [||] [| loss weight kept |]
            | Mean ->
                let mean = Likelihood.ratio (loss weight kept) total

                // Who divides first does not overflow.
                let mean =
                    if System.Double.IsFinite('S.Value mean) then
                        mean
                    else
                        'S.Permitted [| mean; loss (fun o -> Likelihood.ratio (weight o) total) kept |]

                Value.floats dtype [||] [| mean |]

        value, total

    /// The gradient of the log-probabilities: minus the weight of each group's class, of a mean over the total, times what arrives.
    let pulled<'S when 'S :> IScalar<'S>> dtype settings (groups: Groups) count (g: 'S[]) (weights: 'S[]) (total: 'S) (targets: int64[]) =
        let found = Array.create count (Value.exact dtype 0.0)

        for o in 0 .. targets.Length - 1 do
            if isKept settings targets[o] then
                let weight = weights[int targets[o]]
                let g = if settings.Reduction = Elementwise then g[o] else g[0]

                let gradient =
                    match settings.Reduction with
                    | Mean -> 'S.Permitted [| 'S.Mul(Likelihood.ratio g total, weight); 'S.Mul(g, Likelihood.ratio weight total) |]
                    | Elementwise
                    | Sum -> 'S.Mul(g, weight)

                found[groups.Outer[o] + groups.Inner[int targets[o]]] <- 'S.Neg gradient

        found

    let unknown<'S when 'S :> IScalar<'S>> decided (v: Value<'S>) =
        if decided then
            v
        else
            Value.floats v.DType v.Shape (Value.asFloats v.DType v |> Array.map 'S.Unknown)

    // Whether a sum of negated terms begins at zero decides the sign of a loss that is zero.
    let signless (loss: Value<'S>) =
        Value.asFloats loss.DType loss |> Array.map Elementwise.eitherZero |> Value.floats loss.DType loss.Shape

/// nll_loss.
module NllLoss =
    open LossReduction
    open ClassIndices

    /// What PyTorch looks at before anything is recorded.
    let private checkBatch (x: int[]) (target: int[]) =
        if x.Length = 0 then
            Complain.shape "Expected 1 or more dimensions (got 0)"
        else
            // Of a target without dimensions PyTorch finds none.
            let batch = Array.tryHead target |> Option.defaultValue 0

            Complain.unlessShape (x.Length = 1 || batch = x[0]) (fun () ->
                $"Expected input batch_size ({x[0]}) to match target batch_size ({batch}).")

    /// The shape of the classes' indices, from that of the log-probabilities, with PyTorch's texts, which depend on the rank.
    let private checkTarget (x: int[]) (target: int[]) (groups: Groups) =
        if x = [| 1 |] && target = [| 1 |] then
            // One class of one: taken as a target without dimensions.
            Ok()
        elif x.Length = 1 && target.Length > 0 then
            Complain.shape $"size mismatch (got input: {Shape.show x}, target: {Shape.show target})"
        elif x.Length = 2 && target.Length = 0 then
            Complain.index "Dimension specified as 0 but tensor has no dimensions"
        elif target.Length <> groups.Result.Length then
            Complain.shape $"only batches of spatial targets supported (3D tensors) but got targets of dimension: {target.Length}"
        elif target <> groups.Result && x.Length = 4 then
            Complain.shape $"size mismatch (got input: {Shape.show x} , target: {Shape.show target}"
        elif target <> groups.Result then
            Complain.shape $"Expected target size {Shape.show groups.Result}, got {Shape.show target}"
        else
            Ok()

    /// As it is computed, which programs name without "_of_groups".
    let nllLossOfGroups =
        { Define.computes
              "nll_loss_of_groups"
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
                          do! checkWeight x.Shape.Length groups.Size weight

                          do!
                              Complain.unlessDType x.DType.IsFloat (fun () ->
                                  $"\"nll_loss_out_frame\" not implemented for '{Promotion.messageName x.DType}'")

                          do! checkIndices x target weight
                          let! targets, decided = indicesOf groups.Size settings target
                          let weights = weightsOf x groups.Size weight
                          let logs = groups.Of(Value.asFloats x.DType x)
                          let loss, total = ofClasses x.DType settings groups logs weights weight.IsSome targets
                          return [ unknown decided (signless loss); unknown decided (Value.floats x.DType [||] [| total |]) ]
                      } } with
            Internal = true
            Node = Define.node "NllLoss"
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
                        "nll_loss_of_groups"
                        [ Some a.Arriving; Some(a.First.Input 1); optionalInput a.First 2 ]
                        (Map.toList a.First.Attrs))
            // The second result is PyTorch's `total_weight`.
            Saves = fun _ _ -> [ Input 0; Input 1; Input 2; Output 1 ]
            Kinks = Some "all targets ignored: the mean is 0/0 = NaN and the gradient 0 (measured)"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              Derive.applyTo
                                  "nll_loss_backward"
                                  [ Some g; Some(d.Input 1); Some(d.Output 1); optionalInput d 2 ]
                                  (("input_size", Derive.sizeAttr (d.ShapeOf 0)) :: Map.toList d.Attrs)) ])
                ) }

    /// The gradient of the log-probabilities, as PyTorch's nll_loss_backward: by the target and the weight as they are now, over the total of
    /// then.
    let nllLossBackward =
        { Define.computes
              "nll_loss_backward"
              "x[target] = -g weight[target], of a mean over the total; else 0"
              [ ArgKind.Float; ArgKind.Index; ArgKind.Float; ArgKind.Optional ArgKind.Float ]
              (Define.required "input_size" AttrKind.Size :: nllLossOfGroups.Attrs)
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! g = Argument.floats call 0
                          let! target = Argument.tensor call 1
                          let! total = Argument.floats call 2
                          let! settings = readSettings call.Attrs
                          let! size = Read.integers call.Attrs "input_size"
                          let shape = Array.ofList size
                          let groups = Groups.over shape [ classDim shape ] false
                          let! targets, decided = indicesOf groups.Size settings target
                          let weights = weightsOf g groups.Size (Argument.tryTensor call 3)
                          let read = Value.asFloats g.DType
                          let found = pulled g.DType settings groups (Shape.count shape) (read g) weights (read total).[0] targets
                          return [ unknown decided (Value.floats g.DType shape found) ]
                      } } with
            Internal = true }

    /// Of planes that are not two-dimensional PyTorch makes one line each, of a copy where they do not lie in order; the losses of each are
    /// then a view of its result (aten/src/ATen/native/LossNLL.cpp, nll_loss_nd).
    let nllLoss =
        { Define.composes
              "nll_loss"
              "y = -weight[target] x[target], averaged by weight"
              nllLossOfGroups.Args
              nllLossOfGroups.Attrs
              (fun attrs terms ->
                  result {
                      let! reduction = readReduction attrs
                      let loss terms = Derive.applyTo "nll_loss_of_groups" terms (Map.toList attrs)
                      let view shape t = Derive.apply "view" [ t ] [ "size", Derive.sizeAttr shape ]

                      match terms with
                      | Some x :: Some target :: _ -> do! checkBatch x.Shape target.Shape
                      | _ -> ()

                      match terms with
                      | Some x :: Some target :: rest when not (List.contains x.Shape.Length [ 1; 2; 4 ]) ->
                          let groups = Groups.over x.Shape [ classDim x.Shape ] false

                          do! Complain.unlessValue (target.Shape.Length > 0) (fun () -> "ArrayRef: invalid slice, N = 1; size = 0")
                          do! checkTarget x.Shape target.Shape groups

                          let places (t: Term) =
                              if Shape.count t.Shape = 0 then
                                  [ 0; 0 ]
                              else
                                  [ 1; Shape.count groups.Result / max 1 x.Shape[0] ]

                          let lines (before: int list) (t: Term) =
                              t |> Shaping.unary "contiguous" |> view (Array.ofList (before @ places t))

                          let y = loss (Some(lines [ x.Shape[0]; x.Shape[1] ] x) :: Some(lines [ x.Shape[0] ] target) :: rest)
                          return [ if reduction = Elementwise then view groups.Result y else y ]
                      | _ -> return [ loss terms ]
                  }) with
            Spelling = Define.functional |> Define.byKeyword [ ""; "weight" ]
            Refuses = nllLossOfGroups.Refuses
            Shapes = nllLossOfGroups.Shapes
            Kinks = nllLossOfGroups.Kinks }

    let all = [ nllLossOfGroups; nllLossBackward; nllLoss ]
