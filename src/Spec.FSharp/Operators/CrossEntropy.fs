namespace Verified.Spec.Operators

open Verified.Spec

/// cross_entropy, of class indices and of class probabilities.
module CrossEntropy =
    open LossReduction
    open ClassIndices

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
                    Likelihood.mixed (1.0 - settings.Smoothing) share t
                else
                    t

            if weighted then Loss.times t weights[c] else t

        let counts = Array.init targets.Length (fun o -> Array.init weights.Length (count o))

        match settings.Reduction with
        | Elementwise -> Value.floats dtype groups.Result (Array.map2 (Likelihood.minusDot dtype) counts logs)
        | reduction ->
            let sum = Likelihood.minusDot dtype (Array.concat counts) (Array.concat logs)
            Value.floats dtype [||] [| if reduction = Mean then Reduce.over (float targets.Length) sum else sum |]

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
                        let mixed = Array.map (Likelihood.mixed (1.0 - settings.Smoothing) (settings.Smoothing / float classes))
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
            Spelling = Define.functional |> Define.byKeyword [ ""; "weight" ]
            Node = Define.node "NllLoss"
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

    let all = [ crossEntropy ]
