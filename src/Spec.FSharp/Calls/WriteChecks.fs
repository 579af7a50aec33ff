namespace Verified.Spec

/// Whether a tensor may be written to, and with what.
module internal WriteChecks =
    open CallArguments

    /// What was made in inference mode may be written to there alone.
    let checkMode (s: State<'S>) id : Result<unit, Complaint> =
        if s.Tensors[id].Inference && not s.Inference && s.Holds Rules.Modes.inferenceIsReadOnlyOutside then
            Complain.because
                OtherError
                "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details."
        else
            Ok()

    /// Checks whether a tensor may be written to (torch/csrc/autograd/VariableTypeUtils.h, check_inplace).
    let checkWritable (s: State<'S>) id recorded : Result<unit, Complaint> =
        let t = s.Tensors[id]
        let mode = checkMode s id

        if mode.IsError || not recorded && s.Holds Rules.Writes.theModeForgives then
            mode
        else
            match t.View with
            | Some view ->
                History.forbidden s t view false
                |> Result.bind (fun () ->
                    if s.Tensors[view.Base].GradFn.IsNone && History.requiresGrad s t && s.Holds Rules.Views.ofALeafIsReadOnly then
                        Complain.because
                            ViewOfLeafInPlace
                            "a view of a leaf Variable that requires grad is being used in an in-place operation."
                    else
                        Ok())
            | None -> Ok()
            |> Result.bind (fun () ->
                let readOnly =
                    if t.View.IsSome then
                        s.Holds Rules.Views.ofALeafIsReadOnly
                    else
                        s.Holds Rules.Writes.leavesAreReadOnly

                if t.GradFn.IsNone && History.requiresGrad s t && readOnly then
                    Complain.because LeafInPlace "a leaf Variable that requires grad is being used in an in-place operation."
                else
                    Ok())

    /// What is said of a write to a tensor of which several elements share a place.
    let overlapsItself: Complaint =
        { Kind = OverlappingWrite
          Message =
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation." }

    /// What is said of a write that reads the memory which it writes to.
    let private sharesElements: Complaint =
        { Kind = OverlappingWrite
          Message =
            "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor before performing the operation." }

    /// A call in place as an operator's record sees it.
    let asWrite (s: State<'S>) (inputs: int option[]) attrs : IWrite =
        { new IWrite with
            member _.Inputs = inputs.Length
            member _.Has i = inputs[i].IsSome

            member _.IsWhereTheTargetIs i =
                let target, input = s.Tensors[inputs[0].Value], s.Tensors[inputs[i].Value]
                input.Storage = target.Storage && input.Geometry = target.Geometry && input.DType = target.DType

            member _.ShapeOf i = s.Tensors[inputs[i].Value].Shape
            member _.DTypeOf i = s.Tensors[inputs[i].Value].DType
            member _.Attrs = attrs }

    /// Whether what is written and what is read overlap in a way that the operator does not allow.
    let checkOverlap (s: State<'S>) (overlap: Overlap) (inputs: int option[]) : Result<unit, Complaint> =
        let id = inputs[0].Value
        let t = s.Tensors[id]

        let writesTwice =
            match overlap.Within with
            | Refused -> false
            | SameForAll -> s.Holds Rules.Writes.oneValueMayBeWrittenTwice
            | SameWhere _ -> true

        let isOverwritten place (argument: Tensor<'S>) =
            match overlap.Reads place with
            | Before -> false
            | InStep -> Strides.overlapsPartly t.Geometry argument.Geometry || not (s.Holds Rules.Writes.theVerySameElementsMayBeRead)
            | Meanwhile ->
                Strides.overlapsPartly t.Geometry argument.Geometry
                || Strides.overlaps t.Geometry argument.Geometry
                || not (s.Holds Rules.Writes.theVerySameElementsMayBeRead)

        let readsWhatItWrites whileWriting =
            s.Holds Rules.Writes.sourceAndTargetDoNotOverlap
            && inputs
               |> Array.indexed
               |> Array.exists (fun (place, input) ->
                   match input with
                   | Some other when (overlap.Reads place = Meanwhile) = whileWriting ->
                       if other = id then
                           place > 0 && whileWriting
                       else
                           s.Tensors[other].Storage = t.Storage && isOverwritten place s.Tensors[other]
                   | _ -> false)

        // What reads while it writes looks at what it reads first.
        if readsWhatItWrites true then
            Error sharesElements
        elif not writesTwice && Strides.overlapsItself t.Geometry && s.Holds Rules.Writes.noPlaceTwice then
            Error overlapsItself
        elif readsWhatItWrites false then
            Error sharesElements
        else
            Ok()

    let fits (s: State<'S>) (t: Tensor<'S>) (value: Value<'S>) : Result<unit, Complaint> =
        result {
            do! Complain.unlessFits t.Shape value.Shape

            do!
                Complain.unlessDType (Promotion.canCast value.DType t.DType || not (s.Holds Rules.Writes.integersTakeNoFloats)) (fun () ->
                    $"result type {Promotion.messageName value.DType} can't be cast to the desired output type {Promotion.messageName t.DType}")
        }

    /// PyTorch reads the arguments before it looks at what is written to: a call that no signature takes is refused as that.
    let argumentsFirst (s: State<'S>) (forward: Forward) inputs attrs (allowed: Result<unit, Complaint>) =
        match allowed with
        | Error _ ->
            match forward.Of { In = values s inputs; Attrs = attrs } with
            | Error complaint when complaint.Kind = ValueError -> Error complaint
            | _ -> allowed
        | Ok() -> allowed
