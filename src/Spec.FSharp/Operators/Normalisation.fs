namespace Verified.Spec.Operators

open Verified.Spec

/// The formulas of softmax and its kin, over any number system.
module internal Normalise =
    open Scalar

    /// The terms less their largest. What is computed of them does not depend on the shift, so it enters as an exact number: an error
    /// in the largest term is the same in all of them and cancels.
    let private shifted<'S when 'S :> IScalar<'S>> dtype (xs: 'S[]) : 'S[] =
        let shift = Reduce.largest dtype xs
        xs |> Array.map (fun x -> x - shift)

    /// exp(x) / sum of exp(x), with the largest subtracted first.
    let softmax<'S when 'S :> IScalar<'S>> dtype (xs: 'S[]) : 'S[] =
        if xs.Length = 0 then
            xs
        else
            let es = shifted dtype xs |> Array.map exp
            let total = sum es
            es |> Array.map (fun e -> 'S.Permitted [| e / total; e * (num 1.0 / total) |])

    /// x - log(sum of exp(x)), with the largest subtracted first.
    let logSoftmax<'S when 'S :> IScalar<'S>> dtype (xs: 'S[]) : 'S[] =
        if xs.Length = 0 then
            xs
        else
            let ds = shifted dtype xs
            let logTotal = log (sum (Array.map exp ds))
            ds |> Array.map (fun d -> d - logTotal)

    /// s (x - mean): distances first, or scaled first.
    let distanceFrom<'S when 'S :> IScalar<'S>> (mean: 'S) (scale: 'S) (xs: 'S[]) : 'S[] =
        let shift = scale * mean
        xs |> Array.map (fun x -> 'S.Permitted [| (x - mean) * scale; x * scale - shift |])

    /// s (x - mean of x) along a line.
    let scaledDistance<'S when 'S :> IScalar<'S>> (xs: 'S[]) (scale: 'S) : 'S[] =
        if xs.Length = 0 then xs else distanceFrom (Reduce.mean xs) scale xs

    /// The sum of a (x - mean): distances first, plain or scaled in between, or the mean's part taken off the product.
    let covarianceFrom<'S when 'S :> IScalar<'S>> dtype (mean: 'S) (a: 'S[]) (xs: 'S[]) : 'S =
        if xs.Length = 0 then
            Value.exact dtype 0.0
        else
            let distances = xs |> Array.map (fun x -> x - mean)
            // By no engine's own number, but by one that rounds as theirs do.
            let scale: 'S = num 0.3333
            let scaled = dot a (distances |> Array.map (fun d -> d * scale)) / scale
            'S.Permitted [| dot a distances; dot a xs - mean * sum a; scaled |]

    /// The sum of a (x - mean of x) along a line.
    let covariance<'S when 'S :> IScalar<'S>> dtype (a: 'S[]) (xs: 'S[]) : 'S =
        if xs.Length = 0 then
            Value.exact dtype 0.0
        else
            covarianceFrom dtype (Reduce.over (float xs.Length) (sum xs)) a xs

    /// The mean of a line, and 1 / sqrt(var x + eps).
    let statistics<'S when 'S :> IScalar<'S>> dtype (eps: float) (xs: 'S[]) : 'S * 'S =
        let spread = Reduce.variance dtype 0.0 xs + num eps
        Reduce.mean xs, 'S.Permitted [| num 1.0 / sqrt spread; apply Elementary.Rsqrt spread |]

/// Softmax and layer normalisation.
module Normalisation =
    /// The elements along dimension `dim`, transformed together: what they become is laid out as they were.
    let private along<'S when 'S :> IScalar<'S>> (transform: 'S[] -> 'S[]) dim (x: Value<'S>) =
        let groups = Groups.over x.Shape [ dim ] false
        let elements = Value.asFloats x.DType x
        let found = Array.zeroCreate elements.Length

        for o in groups.Outer do
            groups.Inner
            |> Array.map (fun i -> elements[o + i])
            |> transform
            |> Array.iteri (fun n y -> found[o + groups.Inner[n]] <- y)

        Value.floats x.DType x.Shape found

    /// Without `dim` PyTorch takes 0 for ranks 0, 1 and 3 and 1 for others (and warns).
    let private softmaxDim (attrs: Attrs) rank = Read.dimOr (if rank = 0 || rank = 1 || rank = 3 then 0 else 1) attrs "dim" rank

    let private dimOfRule (d: IDerivation) =
        match softmaxDim d.Attrs (d.ShapeOf 0).Length with
        | Ok dim -> dim
        | Error complaint -> invalidOp complaint.Message

    let private attrs =
        [ { Define.required "dim" AttrKind.Dim with
              TakesNull = true }
          Define.attr "dtype" AttrKind.DType ]

    let private shapesWorthTrying =
        [ [ [| 3 |] ]; [ [| 2; 3 |] ]; [ [||] ]; [ [| 1 |] ]; [ [| 2; 3; 2 |] ]; [ [| 2; 0 |] ]; [ [| 0; 3 |] ] ]

    let private alongDim name (transform: Transform) =
        { new Forward with
            member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                result {
                    let! x = Argument.tensor call 0
                    let! dtype = Read.tryDType call.Attrs "dtype"
                    let x = Value.cast (Option.defaultValue x.DType dtype) x
                    let! dim = softmaxDim call.Attrs x.Shape.Length

                    do!
                        Complain.unlessDType x.DType.IsFloat (fun () ->
                            $"\"{name}_lastdim_kernel_impl\" not implemented for '{Promotion.messageName x.DType}'")

                    return [ along (fun xs -> transform.Of(x.DType, xs)) dim x ]
                } }

    let softmax =
        { Define.computes
              "softmax"
              "y = exp(x) / (sum of exp(x) over dim)"
              [ ArgKind.Float ]
              attrs
              (alongDim
                  "softmax"
                  { new Transform with
                      member _.Of(dtype, xs) = Normalise.softmax dtype xs }) with
            Fused =
                Define.fusedSymmetric "SoftmaxBackwardData" (fun a ->
                    let h, g, y = a.Arriving, a.First.Gradient(0).Value, a.First.Output 0
                    let total (t: Term) = Shaping.sumOver [ dimOfRule a.First ] true t
                    g * h - total (y * g) * h - g * total (y * h))
            Saves = fun _ _ -> [ Output 0 ]
            Shapes = shapesWorthTrying
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              let y = d.Output 0
                              y * (g - Shaping.sumOver [ dimOfRule d ] true (g * y))) ])
                ) }

    let logSoftmax =
        { Define.computes
              "log_softmax"
              "y = x - log(sum of exp(x) over dim)"
              [ ArgKind.Float ]
              attrs
              (alongDim
                  "log_softmax"
                  { new Transform with
                      member _.Of(dtype, xs) = Normalise.logSoftmax dtype xs }) with
            Saves = fun _ _ -> [ Output 0 ]
            Shapes = shapesWorthTrying
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () -> Derive.apply "log_softmax_backward" [ g; d.Output 0 ] [ "dim", Derive.integerAttr (dimOfRule d) ]) ])
                ) }

    /// The gradient of log_softmax, from its result y: PyTorch's _log_softmax_backward_data, of which cross_entropy is made too.
    let logSoftmaxBackward =
        { Define.computes
              "log_softmax_backward"
              "x = g - exp(y) (sum of g over dim)"
              [ ArgKind.Float; ArgKind.Float ]
              [ { Define.required "dim" AttrKind.Dim with
                    TakesNull = true } ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! g = Argument.floats call 0
                          let! y = Argument.floats call 1
                          let! dim = softmaxDim call.Attrs y.Shape.Length
                          let groups = Groups.over y.Shape [ dim ] true
                          let totals = groups.Of(Value.asFloats y.DType g) |> Array.map (Reduce.total y.DType)
                          let spread = Value.floats y.DType groups.Kept totals |> Value.expand y.Shape |> Value.asFloats y.DType
                          let pulled (g: 'S) (y: 'S) (total: 'S) = 'S.Sub(g, 'S.Mul(Scalar.exp y, total))
                          let found = Array.map3 pulled (Value.asFloats y.DType g) (Value.asFloats y.DType y) spread
                          return [ Value.floats y.DType y.Shape found ]
                      } } with
            Internal = true
            Node = Define.node "LogSoftmaxBackwardData"
            Shapes = [ [ [| 2; 3 |]; [| 2; 3 |] ]; [ [| 4 |]; [| 4 |] ] ]
            Saves =
                fun needs _ ->
                    [ if needs 1 then Input 0
                      Input 1 ]
            Derivative =
                Some(
                    Derive.rule (fun d h ->
                        let dim = Result.defaultValue 0 (softmaxDim d.Attrs (d.ShapeOf 0).Length)
                        let exponential () = Derive.apply "exp" [ d.Input 1 ] []

                        [ Some(fun () -> h - Shaping.sumOver [ dim ] true (h * exponential ()))
                          Some(fun () -> -(Shaping.sumOver [ dim ] true (d.Input 0) * exponential () * h)) ])
                ) }

    // ---- layer_norm ----

    /// The number of elements that are normalised together: those of the last dimensions, which `normalized_shape` names.
    let private lineOf (attrs: Attrs) (shape: int[]) =
        result {
            let! normalized = Read.integers attrs "normalized_shape"
            let normalized = Array.ofList normalized

            do!
                Complain.unlessValue (normalized.Length > 0) (fun () ->
                    $"Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = []")

            let tail = shape[max 0 (shape.Length - normalized.Length) ..]

            do!
                Complain.unlessShape (tail = normalized) (fun () ->
                    let wanted = normalized |> Array.map string |> String.concat ", "
                    $"Given normalized_shape={Shape.show normalized}, expected input with shape [*, {wanted}], but got input of size{Shape.show shape}")

            return normalized
        }

    let private checkAffine name (normalized: int[]) (tensor: Value<'S> option) =
        match tensor with
        | Some t when t.Shape <> normalized ->
            Complain.shape
                $"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {Shape.show t.Shape} and normalized_shape = {Shape.show normalized}"
        | _ -> Ok()

    let private checkDTypes (x: Value<'S>) (others: Value<'S> list) =
        match others |> List.tryFind (fun t -> t.DType <> x.DType) with
        | Some other -> Complain.dtype $"expected scalar type {Promotion.messageName x.DType} but found {Promotion.messageName other.DType}"
        | None -> Ok()

    let private ofRule reading =
        match reading with
        | Ok value -> value
        | Error(complaint: Complaint) -> invalidOp complaint.Message

    let private readEps attrs = Read.numberOr 1e-5 attrs "eps"

    let layerNorm =
        { Define.computes
              "layer_norm"
              "y = (x - mean) / sqrt(var + eps) weight + bias, mean and var over the last dimensions"
              [ ArgKind.Float; ArgKind.Optional ArgKind.Float; ArgKind.Optional ArgKind.Float ]
              [ Define.required "normalized_shape" (AttrKind.Integers [ [ 3L ]; [ 2L; 3L ]; [ 1L ]; [ 4L ] ])
                Define.attr "eps" (AttrKind.Number [ 1e-5; 0.1; 1e-3 ]) ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let weight, bias = Argument.tryTensor call 1, Argument.tryTensor call 2
                          // Of another dtype than x the first of them is refused before their shapes are looked at (is_mixed_type in
                          // aten/src/ATen/native/cpu/mixed_data_type.h), the other one after.
                          let others = [ weight; bias ] |> List.choose id
                          do! List.truncate 1 others |> checkDTypes x
                          let! normalized = lineOf call.Attrs x.Shape
                          do! checkAffine "weight" normalized weight
                          do! checkAffine "bias" normalized bias
                          do! checkDTypes x others
                          let! eps = readEps call.Attrs

                          do!
                              Complain.unlessDType x.DType.IsFloat (fun () ->
                                  $"\"LayerNormKernelImpl\" not implemented for '{Promotion.messageName x.DType}'")

                          let n = Shape.count normalized
                          let elements = Value.asFloats x.DType x
                          let weights = weight |> Option.map (Value.asFloats x.DType)
                          let biases = bias |> Option.map (Value.asFloats x.DType)

                          let affine i (y: 'S) =
                              let y =
                                  match weights with
                                  | Some w -> 'S.Mul(y, w[i])
                                  | None -> y

                              match biases with
                              | Some b -> 'S.Add(y, b[i])
                              | None -> Elementwise.eitherZero y

                          let lines = if n = 0 then [||] else Array.chunkBySize n elements
                          let statistics = lines |> Array.map (Normalise.statistics x.DType eps)

                          let found =
                              Array.map2
                                  (fun (mean, scale) line -> Normalise.distanceFrom mean scale line |> Array.mapi affine)
                                  statistics
                                  lines
                              |> Array.concat

                          let perLine number = statistics |> Array.map number |> Value.floats x.DType [| lines.Length |]
                          return [ Value.floats x.DType x.Shape found; perLine fst; perLine snd ]
                      } } with
            Spelling = Define.functional |> Define.byKeyword [ "weight"; "bias" ]
            Node = Define.node "NativeLayerNorm"
            Fused = Define.fused "NativeLayerNormBackward" [ Input 2 ]
            Shapes =
                [ [ [| 2; 3 |]; [| 3 |]; [| 3 |] ]
                  [ [| 3 |]; [| 3 |]; [| 3 |] ]
                  [ [| 2; 2; 3 |]; [| 2; 3 |]; [| 2; 3 |] ]
                  [ [| 2; 4 |] ]
                  [ [| 2; 1 |]; [| 1 |]; [| 1 |] ]
                  [ [| 0; 3 |]; [| 3 |]; [| 3 |] ] ]
            // All three, whichever needs a gradient: derivatives.yaml has one formula for them.
            // Behind them the mean and 1 / deviation of each line, which only the derivative sees.
            Saves = fun _ _ -> [ Input 0; Input 1; Input 2; Output 1; Output 2 ]
            Kinks =
                Some
                    "equal elements give 0 and slopes of 1/sqrt(eps). From the third derivative on PyTorch is wrong: it takes the saved mean and deviation for constants (a known divergence)"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        let normalized = ofRule (lineOf d.Attrs (d.ShapeOf 0))
                        let n = Shape.count normalized
                        let rows = if n = 0 then 0 else Shape.count (d.ShapeOf 0) / n
                        let asRows = Shaping.seenAs [| rows; n |]
                        let asLine = Shaping.seenAs [| n |]
                        // Apart, so that nothing that a program could write to is kept for the third order, and no write is noticed there: by
                        // its formula, which is wrong there, PyTorch keeps other things.
                        let x = asRows (d.Input 0) |> Shaping.apart
                        let rows = asRows g
                        let g = Shaping.apart rows
                        let weight () = asLine (d.Input 1) |> Shaping.apart

                        let line =
                            if LineStatistics.isRecorded d 1 then
                                LineStatistics.ofLines (fun variance -> Shaping.unary "rsqrt" (variance + ofRule (readEps d.Attrs))) x
                            else
                                LineStatistics.kept (d.Output 1) (d.Output 2) x

                        [ Some(fun () ->
                              let g = if d.Has 1 then g * weight () else g

                              LineStatistics.project n line g id |> Shaping.apart |> Shaping.reshape (d.ShapeOf 0))
                          Some(fun () ->
                              g * line.Distance line.Scale |> Shaping.sumOver [ 0 ] false |> Shaping.apart |> Shaping.reshape normalized)
                          Some(fun () -> rows |> Shaping.sumOver [ 0 ] false |> Shaping.reshape normalized) ])
                ) }

    /// The lines of x along its last dimension.
    let private linesOf (x: Value<'S>) =
        let n = Array.last x.Shape
        if n = 0 then [||] else Array.chunkBySize n (Value.asFloats x.DType x)

    let private perLine (x: Value<'S>) = Array.append x.Shape[.. x.Shape.Length - 2] [| 1 |]

    let private bilinear name formula shapes forward gradients =
        { Define.computes name formula [ ArgKind.Float; ArgKind.Float ] [] forward with
            Internal = true
            Shapes = shapes
            Saves =
                fun needs _ ->
                    [ if needs 1 then Input 0
                      if needs 0 then Input 1 ]
            Derivative = Some(Derive.rule gradients) }

    let scaledDistance =
        bilinear
            "scaled_distance"
            "y[r,i] = s[r] (x[r,i] - mean of x[r])"
            [ [ [| 2; 3 |]; [| 2; 1 |] ]; [ [| 1; 4 |]; [| 1; 1 |] ] ]
            { new Forward with
                member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                    result {
                        let! x = Argument.floats call 0
                        let! scale = Argument.floats call 1
                        let scales = Value.asFloats x.DType scale
                        let found = linesOf x |> Array.mapi (fun r line -> Normalise.scaledDistance line scales[r]) |> Array.concat
                        return [ Value.floats x.DType x.Shape found ]
                    } }
            (fun d g ->
                [ Some(fun () -> Derive.apply "scaled_distance" [ g; d.Input 1 ] [])
                  Some(fun () -> Derive.apply "covariance" [ g; d.Input 0 ] []) ])

    let covariance =
        bilinear
            "covariance"
            "y[r] = sum over i of a[r,i] (x[r,i] - mean of x[r])"
            [ [ [| 2; 3 |]; [| 2; 3 |] ]; [ [| 1; 4 |]; [| 1; 4 |] ] ]
            { new Forward with
                member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                    result {
                        let! a = Argument.floats call 0
                        let! x = Argument.floats call 1

                        let found =
                            if Array.last x.Shape = 0 then
                                Array.create (Shape.count (perLine x)) (Value.exact x.DType 0.0)
                            else
                                Array.map2 (Normalise.covariance x.DType) (linesOf a) (linesOf x)

                        return [ Value.floats x.DType (perLine x) found ]
                    } }
            (fun d g ->
                [ Some(fun () -> Derive.apply "scaled_distance" [ d.Input 1; g ] [])
                  Some(fun () -> Derive.apply "scaled_distance" [ d.Input 0; g ] []) ])

    // With the mean given: of gradients that are one node, so these have no derivatives of their own.

    let private about name formula forward =
        { Define.computes name formula [ ArgKind.Float; ArgKind.Float; ArgKind.Float ] [] forward with
            Internal = true }

    let distanceFrom =
        about
            "distance_from"
            "y[r,i] = s[r] (x[r,i] - m[r])"
            { new Forward with
                member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                    result {
                        let! x = Argument.floats call 0
                        let! scale = Argument.floats call 1
                        let! mean = Argument.floats call 2
                        let scales, means = Value.asFloats x.DType scale, Value.asFloats x.DType mean
                        let found = linesOf x |> Array.mapi (fun r line -> Normalise.distanceFrom means[r] scales[r] line)
                        return [ Value.floats x.DType x.Shape (Array.concat found) ]
                    } }

    let covarianceFrom =
        about
            "covariance_from"
            "y[r] = sum over i of a[r,i] (x[r,i] - m[r])"
            { new Forward with
                member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                    result {
                        let! a = Argument.floats call 0
                        let! x = Argument.floats call 1
                        let! mean = Argument.floats call 2

                        let found =
                            if Array.last x.Shape = 0 then
                                Array.create (Shape.count (perLine x)) (Value.exact x.DType 0.0)
                            else
                                Array.map3 (Normalise.covarianceFrom x.DType) (Value.asFloats x.DType mean) (linesOf a) (linesOf x)

                        return [ Value.floats x.DType (perLine x) found ]
                    } }

    let all =
        [ softmax
          logSoftmax
          logSoftmaxBackward
          layerNorm
          scaledDistance
          covariance
          distanceFrom
          covarianceFrom ]
