namespace Verified.Spec.Operators

open Verified.Spec

/// cross_entropy, composed as PyTorch composes it (aten/src/ATen/native/LossNLL.cpp): of log_softmax and nll_loss for class indices, of
/// log_softmax and products for class probabilities.
module CrossEntropy =
    open LossReduction

    let private sum (t: Term) = Shaping.unary "sum" t

    let private over (n: float) (t: Term) = Derive.apply "div" [ t ] [ "other", Attr.Float n ]

    /// One factor for each class, broadcasting against what has the logits' shape.
    let private perClass (shape: int[]) dim (weight: Term) =
        if shape.Length > 1 then
            let size = shape |> Array.mapi (fun k _ -> if k = dim then weight.Shape[0] else 1)
            Derive.apply "view" [ weight ] [ "size", Derive.sizeAttr size ]
        else
            weight

    let private readSmoothing attrs =
        result {
            let! smoothing = Read.numberOr 0.0 attrs "label_smoothing"

            do!
                Complain.unlessValue (smoothing >= 0.0 && smoothing <= 1.0) (fun () ->
                    $"label_smoothing must be between 0.0 and 1.0. Got: {smoothing}")

            return smoothing
        }

    let private checkWeight classes (weight: Term option) =
        match weight with
        | Some w when w.Shape <> [| classes |] ->
            Complain.shape
                $"cross_entropy: weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of shape: {Shape.show w.Shape}"
        | _ -> Ok()

    let private ofProbabilities attrs reduction (x: Term) (target: Term) weight =
        result {
            do!
                Complain.unlessDType target.DType.IsFloat (fun () ->
                    $"Expected floating point type for target with class probabilities, got {Promotion.messageName target.DType}")

            let! ignored = Read.integerOr -100 attrs "ignore_index"
            do! Complain.unlessValue (ignored < 0) (fun () -> "ignore_index is not supported for floating point target")
            do! Complain.unlessIndex (x.Shape.Length > 0) (fun () -> "Dimension specified as 1 but tensor has no dimensions")
            let dim = ClassIndices.classDim x.Shape
            let classes = x.Shape[dim]
            do! checkWeight classes weight
            let logs = Derive.apply "log_softmax" [ x ] [ "dim", Derive.integerAttr dim ]
            let! smoothing = readSmoothing attrs

            let target =
                if smoothing > 0.0 then
                    target * (1.0 - smoothing) + smoothing / float classes
                else
                    target

            let losses = logs * target |> timesOptional (weight |> Option.map (perClass x.Shape dim))
            let count = Shape.count x.Shape

            return
                match reduction with
                | Elementwise -> -(Shaping.sumOver [ dim ] false losses)
                | Sum -> -(sum losses)
                | Mean when count = 0 -> -(Derive.apply "fill_" [ sum losses ] [ "value", Attr.Float nan ])
                | Mean -> over (float (count / classes)) -(sum losses)
        }

    /// What the smoothing spreads over all classes, averaged as nll_loss averages.
    let private spread reduction ignored dim (logs: Term) (target: Term) weight =
        let weighted = logs |> timesOptional (weight |> Option.map (perClass logs.Shape dim))
        let ignoring = [ "other", Attr.Integer(int64 ignored) ]
        let mask = Derive.apply "eq" [ target ] ignoring
        let without (t: Term) = Derive.apply "masked_fill" [ t; mask ] [ "value", Attr.Float 0.0 ]
        let losses = without -(Shaping.sumOver [ dim ] false weighted)

        match reduction with
        | Elementwise -> losses
        | Sum -> sum losses
        | Mean ->
            let weights =
                match weight with
                | None -> Derive.apply "ne" [ target ] ignoring
                | Some weight ->
                    // An ignored target names no class; any will do, since it counts for nothing.
                    let classes = Derive.apply "masked_fill" [ target; mask ] [ "value", Attr.Integer 0L ]
                    let flat = Shaping.reshape [| Shape.count target.Shape |] classes

                    Derive.apply "gather" [ weight; flat ] [ "dim", Derive.integerAttr 0 ]
                    |> Shaping.reshape target.Shape
                    |> without

            sum losses / sum weights

    let private ofClasses attrs reduction (x: Term) (target: Term) weight =
        result {
            let! smoothing = readSmoothing attrs
            let! ignored = Read.integerOr -100 attrs "ignore_index"
            let dim = ClassIndices.classDim x.Shape
            let logs = Derive.apply "log_softmax" [ x ] [ "dim", Derive.integerAttr dim ]

            let loss =
                Derive.applyTo "nll_loss" [ Some logs; Some target; weight ] (attrs |> Map.remove "label_smoothing" |> Map.toList)

            do!
                match weight with
                | Some w when smoothing > 0.0 && w.Shape.Length = 0 ->
                    Complain.index "Dimension specified as 0 but tensor has no dimensions"
                | _ -> Ok()

            return
                if smoothing > 0.0 then
                    loss * (1.0 - smoothing)
                    + spread reduction ignored dim logs target weight * (smoothing / float logs.Shape[dim])
                else
                    loss
        }

    let crossEntropy =
        { Define.composes
              "cross_entropy"
              "y = -sum over c of target[c] weight[c] log_softmax(x)[c], averaged (by weight, for class indices)"
              [ ArgKind.Float; ArgKind.Classes; ArgKind.Optional ArgKind.Float ]
              [ reductionAttr
                Define.attr "ignore_index" (AttrKind.Integer [ -100L; 0L; 1L ])
                Define.attr "label_smoothing" (AttrKind.Number [ 0.0; 0.1; 0.5 ]) ]
              (fun attrs terms ->
                  result {
                      match terms with
                      | Some x :: Some target :: rest ->
                          let! reduction = readReduction attrs
                          let weight = List.tryHead rest |> Option.flatten
                          let loss = if target.Shape = x.Shape then ofProbabilities else ofClasses
                          let! y = loss attrs reduction x target weight
                          return [ y ]
                      | _ -> return! Complain.value "cross_entropy wants an input and a target"
                  }) with
            Spelling = Define.functional |> Define.byKeyword [ ""; "weight" ]
            // The weight of class probabilities is differentiated.
            Refuses =
                fun dtypes ->
                    match dtypes with
                    | [| _; Some target; _ |] when target.IsFloat -> []
                    | _ -> [ 2, "weight" ]
            Shapes =
                [ [ [| 2; 3 |]; [| 2 |] ]
                  [ [| 3; 3 |]; [| 3 |]; [| 3 |] ]
                  [ [| 3 |]; [||] ]
                  [ [| 2; 3; 2 |]; [| 2; 2 |] ]
                  [ [| 2; 3; 2; 2 |]; [| 2; 2; 2 |]; [| 3 |] ]
                  [ [| 1; 1 |]; [| 1 |] ] ]
            Kinks = Some "all targets ignored: the mean is 0/0 = NaN and the gradient 0 (measured)" }

    let all = [ crossEntropy ]
