namespace Verified.Spec.Operators

open Verified.Spec

/// The formulas of batch normalisation, over any number system.
module internal BatchNormalise =
    open Scalar

    /// 1 / sqrt(variance + eps).
    let scale<'S when 'S :> IScalar<'S>> (eps: float) (variance: 'S) : 'S =
        let spread = variance + num eps
        'S.Permitted [| num 1.0 / sqrt spread; apply Elementary.Rsqrt spread |]

    /// The same of a batch: 0 where nothing varies and nothing is added (InvStd in aten/src/ATen/native/Normalization.cpp).
    let scaleOfBatch<'S when 'S :> IScalar<'S>> dtype (eps: float) (variance: 'S) : 'S =
        let usual () = scale eps variance

        if eps = 0.0 then
            choose variance (num 0.0) usual (fun () -> Value.exact dtype 0.0) usual usual
        else
            usual ()

    /// (x - mean) scale weight + bias: as it stands, with scale and weight multiplied first, or as a line through the origin's image.
    let affine<'S when 'S :> IScalar<'S>> (mean: 'S) (scale: 'S) (weight: 'S option) (bias: 'S option) (xs: 'S[]) : 'S[] =
        let times (y: 'S) =
            match weight with
            | Some w -> y * w
            | None -> y

        let plus (y: 'S) =
            match bias with
            | Some b -> y + b
            | None -> y

        let slope = times scale
        let intercept = plus (neg (mean * slope))

        let at (x: 'S) =
            let distance = x - mean
            'S.Permitted [| plus (times (distance * scale)); plus (distance * slope); x * slope + intercept |]

        xs |> Array.map (at >> Elementwise.eitherZero)

    /// A running statistic, moved towards that of this batch: as a weighted mean, or by a part of the distance.
    let moved<'S when 'S :> IScalar<'S>> (momentum: float) (running: 'S) (now: 'S) : 'S =
        let kept: 'S = num 1.0 - num momentum

        'S.Permitted [| now * num momentum + running * kept; running + (now - running) * num momentum |]

/// Batch normalisation: every channel (dimension 1) is normalised over all the others.
module BatchNormalisation =
    type private Settings =
        { Training: bool
          Momentum: float
          Eps: float }

    let private settings attrs =
        result {
            let! training = Read.flagOr false attrs "training"
            let! momentum = Read.numberOr 0.1 attrs "momentum"
            let! eps = Read.numberOr 1e-5 attrs "eps"

            return
                { Training = training
                  Momentum = momentum
                  Eps = eps }
        }

    let private settingsOfRule (d: IDerivation) =
        match settings d.Attrs with
        | Ok settings -> settings
        | Error complaint -> invalidOp complaint.Message

    let private isTraining attrs = (settings attrs |> Result.map _.Training) = Ok true

    let private names = [ "running_mean"; "running_var"; "weight"; "bias" ]

    let private complainOfBatch (shape: int[]) training =
        if shape.Length = 0 && training then
            Complain.index "tuple index out of range"
        else
            let values =
                if shape.Length < 2 then
                    Shape.count shape
                else
                    shape[0] * Shape.count shape[2..]

            Complain.unlessValue (not training || values <> 1) (fun () ->
                $"Expected more than 1 value per channel when training, got input size torch.Size({Shape.show shape})")

    /// One of the four vectors: of a number for each channel.
    let private complainOfVector (shape: int[]) training i (tensor: Value<'S> option) : Result<unit, Complaint> =
        let channels = if shape.Length < 2 then 0 else shape[1]

        match tensor with
        | Some v when Value.count v <> channels -> Complain.shape $"{names[i]} should contain {channels} elements not {Value.count v}"
        // PyTorch takes it, and then gives it a gradient of another shape.
        | Some v when v.Shape.Length <> 1 && i >= 2 ->
            Error
                { Kind = Unsupported
                  Message = $"batch_norm with a {names[i]} that is no vector" }
        | None when i < 2 && not training -> Complain.value $"{names[i]} must be defined in evaluation mode"
        | _ -> Ok()

    /// What the kernel says of statistics that are no vectors.
    let private noVector = "TensorAccessor expected 1 dims"

    /// What the kernel asks for: the dtype of the weight first, or of a bias alone (is_mixed_type in
    /// aten/src/ATen/native/cpu/mixed_data_type.h), and of the others what it reads first, in training the statistics
    /// (aten/src/ATen/native/Normalization.cpp, batch_norm_cpu_update_stats), else the bias (batch_norm_cpu_transform_input).
    let private complainOfKernel training (x: Value<'S>) (vectors: Value<'S> option list) =
        let complainOf i =
            match vectors[i] with
            | Some v when i < 2 && v.Shape.Length <> 1 -> Complain.shape $"{noVector} but tensor has {v.Shape.Length}"
            | Some v when v.DType <> x.DType -> Complain.dtype "mixed dtype (CPU): all inputs must share same datatype."
            | _ -> Ok()

        result {
            do! Complain.unlessDType x.DType.IsFloat (fun () -> $"\"batch_norm\" not implemented for '{Promotion.messageName x.DType}'")

            return!
                (if vectors[2].IsNone || not training then [ 2; 3; 0; 1 ] else [ 2; 0; 1; 3 ])
                |> List.fold (fun found i -> found |> Result.bind (fun () -> complainOf i)) (Ok())
        }

    /// The dimensions that are normalised over.
    let private others (shape: int[]) = 0 :: [ 2 .. shape.Length - 1 ]

    let private forward =
        { new Forward with
            member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                result {
                    let! x = Argument.tensor call 0
                    let vectors = [ for i in 1..4 -> Argument.tryTensor call i ]
                    let! settings = settings call.Attrs
                    do! complainOfBatch x.Shape settings.Training

                    do!
                        vectors
                        |> List.indexed
                        |> List.fold
                            (fun found (i, v) -> found |> Result.bind (fun () -> complainOfVector x.Shape settings.Training i v))
                            (Ok())

                    do!
                        if x.Shape.Length < 2 then
                            Complain.index "Dimension out of range (expected to be in range of [-1, 0], but got 1)"
                        else
                            Ok()

                    do! complainOfKernel settings.Training x vectors
                    let read i = vectors[i] |> Option.map (Value.asFloats x.DType)
                    let mean, variance, weight, bias = read 0, read 1, read 2, read 3
                    let channel (v: 'S[] option) c = v |> Option.map (fun v -> v[c])
                    let groups = Groups.over x.Shape (others x.Shape) false
                    let lines = groups.Of(Value.asFloats x.DType x)
                    let found = Array.zeroCreate (Value.count x)

                    let normalise c center scale =
                        BatchNormalise.affine center scale (channel weight c) (channel bias c) lines[c]
                        |> Array.iteri (fun n y -> found[groups.Outer[c] + groups.Inner[n]] <- y)

                    let y () = Value.floats x.DType x.Shape found
                    let perChannel numbers = Value.floats x.DType [| Array.length numbers |] numbers

                    if settings.Training && groups.Size > 0 then
                        let means = lines |> Array.map (fun xs -> Reduce.over (float xs.Length) (Scalar.sum xs))
                        let scales = lines |> Array.map (Reduce.variance x.DType 0.0 >> BatchNormalise.scaleOfBatch x.DType settings.Eps)
                        lines |> Array.iteri (fun c _ -> normalise c means[c] scales[c])

                        let moved (running: 'S[] option) (now: int -> 'S) =
                            match running with
                            | Some running -> running |> Array.mapi (fun c r -> BatchNormalise.moved settings.Momentum r (now c))
                            | None -> [||]
                            |> perChannel

                        return
                            [ y ()
                              perChannel means
                              perChannel scales
                              moved mean (fun c -> means[c])
                              moved variance (fun c -> Reduce.variance x.DType 1.0 lines[c]) ]
                    elif settings.Training then
                        let nothing () = Array.create x.Shape[1] (Value.exact x.DType 0.0) |> perChannel
                        return [ y (); nothing (); nothing () ]
                    else
                        if groups.Size > 0 then
                            lines
                            |> Array.iteri (fun c _ -> normalise c mean.Value[c] (BatchNormalise.scale settings.Eps variance.Value[c]))

                        return [ y () ]
                } }

    /// The gradient through the channels as lines [C, N S], along which layer_norm's operators work.
    let private rule: Rule =
        Derive.rule (fun d g ->
            let settings = settingsOfRule d
            let shape = d.ShapeOf 0
            let batch, channels, rest = shape[0], shape[1], Shape.count shape[2..]
            let n = batch * rest

            let toLines (t: Term) =
                t |> Shaping.reshape [| batch; channels; rest |] |> Shaping.transpose 0 1 |> Shaping.reshape [| channels; n |]

            let ofLines (t: Term) = t |> Shaping.reshape [| channels; batch; rest |] |> Shaping.transpose 0 1 |> Shaping.reshape shape

            let column (t: Term) = t |> Shaping.reshape [| channels; 1 |]
            // Apart, as in layer_norm, but what comes back is no view.
            let x = d.Input 0 |> Shaping.apart |> toLines
            let arriving = g
            let lines = toLines g
            let g = g |> Shaping.apart |> toLines
            let scaleOf (variance: Term) = Shaping.unary "rsqrt" (variance + settings.Eps)

            // 0 where nothing varies and nothing is added; there its derivative is 0 too.
            let scaleOfBatch (variance: Term) =
                if settings.Eps = 0.0 then
                    let isFlat = Derive.compared "eq" (column (d.Output 2)) 0.0
                    Derive.zeroWhere isFlat (scaleOf (variance + Derive.cast variance.DType isFlat))
                else
                    scaleOf variance

            let ofBatch =
                lazy
                    (if LineStatistics.isRecorded d 3 then
                         LineStatistics.ofLines scaleOfBatch x
                     else
                         LineStatistics.kept (d.Output 1) (d.Output 2) x)

            let ofRunning = lazy (scaleOf (column (d.Input 2)))
            let weighted (t: Term) = if d.Has 3 then t * (d.Input 3 |> Shaping.apart |> column) else t

            let toInput () =
                // Nothing is normalised: PyTorch then multiplies by the weight alone, and hands on what arrives where there is none.
                if n = 0 then weighted g
                elif settings.Training then LineStatistics.project n ofBatch.Value g weighted
                else g * weighted ofRunning.Value

            let toWeight () =
                if n = 0 then Shaping.sumOver [ 1 ] false g
                elif settings.Training then ofBatch.Value.Covariance g * ofBatch.Value.Scale
                else Shaping.sumOver [ 1 ] true (g * (x - column (d.Input 1))) * ofRunning.Value

            [ Some(fun () ->
                  if n = 0 && not (d.Has 3) then
                      arriving
                  else
                      toInput () |> Shaping.apart |> ofLines)
              None
              None
              Some(toWeight >> Shaping.apart >> Shaping.reshape [| channels |])
              Some(fun () -> Shaping.sumOver [ 1 ] false lines) ])

    let batchNorm =
        { Define.computes
              "batch_norm"
              "y = (x - mean) / sqrt(var + eps) weight + bias for each channel: mean and var of the batch in training, else the running ones"
              [ ArgKind.Float
                ArgKind.Optional ArgKind.Float
                ArgKind.Optional ArgKind.Float
                ArgKind.Optional ArgKind.Float
                ArgKind.Optional ArgKind.Float ]
              [ Define.attr "training" AttrKind.Flag
                Define.attr "momentum" (AttrKind.Number [ 0.1; 0.5; 0.0; 1.0 ])
                Define.attr "eps" (AttrKind.Number [ 1e-5; 0.1; 1e-3 ]) ]
              forward with
            Spelling = { Define.functional with Written = 3 }
            // The sizes are looked at in Python (torch/nn/functional.py) and by what chooses the kernel, dtypes and ranks by the kernel.
            ArgumentsFirst =
                fun complaint ->
                    complaint.Kind <> DTypeError && not (complaint.Message.StartsWith(noVector, System.StringComparison.Ordinal))
            Node = Define.node "NativeBatchNorm"
            Fused = Define.fused "NativeBatchNormBackward" []
            Shapes =
                [ [ [| 3; 2 |]; [| 2 |]; [| 2 |]; [| 2 |]; [| 2 |] ]
                  [ [| 2; 2; 2 |]; [| 2 |]; [| 2 |]; [| 2 |]; [| 2 |] ]
                  [ [| 2; 1; 2; 2 |]; [| 1 |]; [| 1 |]; [| 1 |]; [| 1 |] ]
                  [ [| 1; 3; 1; 2 |]; [| 3 |]; [| 3 |]; [| 3 |]; [| 3 |] ]
                  [ [| 4; 3 |]; [| 3 |]; [| 3 |]; [| 3 |]; [| 3 |] ] ]
            // A variance is positive.
            Domain = Positive
            // All four, whichever needs a gradient: derivatives.yaml has one formula for them.
            // Behind them, of training, the mean and 1 / deviation of each channel, which only the derivative sees.
            Saves =
                fun _ attrs ->
                    [ Input 0
                      Input 1
                      Input 2
                      Input 3
                      if isTraining attrs then
                          Output 1
                          Output 2 ]
            Refuses = fun _ -> [ 1, "running_mean"; 2, "running_var" ]
            Updates = [ 1, 3; 2, 4 ]
            Kinks =
                Some
                    "in training a channel of equal elements gives 0 and slopes of 1/sqrt(eps), with an eps of 0 slopes of 0 (PyTorch's on a CPU: InvStd in aten/src/ATen/native/Normalization.cpp). From the third derivative on PyTorch is wrong: it takes the saved mean and deviation for constants (a known divergence)"
            Derivative = Some rule }

    let all = [ batchNorm ]
