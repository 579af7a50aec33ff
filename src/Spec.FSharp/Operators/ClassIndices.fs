namespace Verified.Spec.Operators

open Verified.Spec

/// The formulas, over any number system.
module internal Likelihood =
    open Scalar

    /// minus the sum of the products.
    let minusDot<'S when 'S :> IScalar<'S>> dtype (a: 'S[]) (b: 'S[]) : 'S = if a.Length = 0 then Value.exact dtype 0.0 else neg (dot a b)

    let ratio<'S when 'S :> IScalar<'S>> (a: 'S) (b: 'S) : 'S = 'S.Permitted [| a / b; a * (num 1.0 / b) |]

    /// What a class counts for: (1 - smoothing) w at the target, and everywhere its share of smoothing.
    let smoothed<'S when 'S :> IScalar<'S>> (kept: float) (share: float) (isTarget: bool) (weight: 'S) : 'S =
        let spread = num share * weight
        if isTarget then num kept * weight + spread else spread

    /// A target probability, mixed with its share of smoothing.
    let mixed<'S when 'S :> IScalar<'S>> (kept: float) (share: float) (t: 'S) : 'S = t * num kept + num share

/// What the losses of classes share: their attributes, the checks of targets and weights, and the loss of class indices.
module internal ClassIndices =
    open LossReduction

    /// The dimension of the classes: the second, or the only one.
    let classDim (shape: int[]) = if shape.Length = 1 then 0 else 1

    type Settings =
        { Reduction: Reducing
          Ignored: int64
          Smoothing: float }

    let readSettings (attrs: Attrs) =
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

    let checkWeight classes (weight: Value<'S> option) =
        match weight with
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

    /// Numbers for each class of each group, laid out as the logits are.
    let layOut (groups: Groups) count (perGroup: 'a[][]) =
        let found = Array.zeroCreate count

        for o in 0 .. groups.Outer.Length - 1 do
            for c in 0 .. groups.Inner.Length - 1 do
                found[groups.Outer[o] + groups.Inner[c]] <- perGroup[o][c]

        found

    /// How much each class of each group counts for class indices: nothing where the target is ignored.
    let countsOfClasses<'S when 'S :> IScalar<'S>> dtype settings (weights: 'S[]) (targets: int64[]) =
        let classes = weights.Length
        let zero: 'S = Value.exact dtype 0.0

        targets
        |> Array.map (fun t ->
            if t = settings.Ignored then
                Array.create classes zero
            else
                Array.init classes (fun c ->
                    if settings.Smoothing > 0.0 then
                        Likelihood.smoothed (1.0 - settings.Smoothing) (settings.Smoothing / float classes) (int64 c = t) weights[c]
                    elif int64 c = t then
                        weights[c]
                    else
                        zero))

    /// The loss of class indices: the loss, and how much each log-probability counts in it.
    let ofClasses<'S when 'S :> IScalar<'S>> dtype settings (groups: Groups) (logs: 'S[][]) (weights: 'S[]) weighted (targets: int64[]) =
        let counts = countsOfClasses dtype settings weights targets

        // Classes that count for nothing are left out, whatever their log-probability.
        let used (counts: 'S[][]) o =
            [| for c in 0 .. weights.Length - 1 do
                   if targets[o] <> settings.Ignored && (settings.Smoothing > 0.0 || int64 c = targets[o]) then
                       struct (counts[o][c], logs[o][c]) |]

        let loss (terms: struct ('S * 'S)[]) =
            Likelihood.minusDot
                dtype
                (terms |> Array.map (fun struct (count, _) -> count))
                (terms |> Array.map (fun struct (_, log) -> log))

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
                    counts[o] |> Array.map (fun q -> Likelihood.ratio q total)

            // The target's part and what smoothing spreads are divided apart: where no class that is there weighs anything, the first is 0 / 0.
            let mean =
                if settings.Smoothing > 0.0 && 'S.Compare(total, Value.exact dtype 0.0) = Equal then
                    Value.exact dtype nan
                else
                    let mean = Likelihood.ratio (together counts) total

                    // Who divides first does not overflow.
                    if System.Double.IsFinite('S.Value mean) then
                        mean
                    else
                        'S.Permitted [| mean; together (Array.init targets.Length share) |]

            Value.floats dtype [||] [| mean |], Array.init targets.Length share

    let unknown<'S when 'S :> IScalar<'S>> decided (v: Value<'S>) =
        if decided then
            v
        else
            Value.floats v.DType v.Shape (Value.asFloats v.DType v |> Array.map 'S.Unknown)

    // Whether a sum of negated terms begins at zero decides the sign of a loss that is zero.
    let signless (loss: Value<'S>) =
        Value.asFloats loss.DType loss |> Array.map Elementwise.eitherZero |> Value.floats loss.DType loss.Shape
