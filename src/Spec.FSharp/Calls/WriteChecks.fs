namespace Verified.Spec

/// Whether a tensor may be written to, and with what.
module internal WriteChecks =
    open CallArguments

    /// Checks whether a tensor may be written to (torch/csrc/autograd/VariableTypeUtils.h, check_inplace).
    let checkWritable (s: State<'S>) id recorded : Result<unit, Complaint> =
        let t = s.Tensors[id]

        if t.Inference && not s.Inference && s.Holds Rules.Modes.inferenceIsReadOnlyOutside then
            Complain.because
                OtherError
                "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details."
        elif not recorded && s.Holds Rules.Writes.theModeForgives then
            Ok()
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

    /// index_put with a mask and one value is masked_fill (canDispatchToMaskedFill); otherwise it writes while it reads, so that
    /// what it reads may not even be the very elements that it writes (assert_no_overlap, aten/src/ATen/native/TensorAdvancedIndexing.cpp).
    let private readsWhileItWrites (s: State<'S>) (op: Operator) (inputs: int option[]) attrs =
        let isFilledByMask =
            match inputs[1 .. inputs.Length - 2] |> Array.choose id with
            | [| mask |] ->
                s.Tensors[mask].DType = Bool
                && Shape.count s.Tensors[(Array.last inputs).Value].Shape = 1
                && Read.flagOr false attrs "accumulate" = Ok false
            | _ -> false

        op.Name = "index_put" && not isFilledByMask

    let checkOverlap (s: State<'S>) (op: Operator) (inputs: int option[]) attrs : Result<unit, Complaint> =
        let id = inputs[0].Value
        let t = s.Tensors[id]
        let readsWhileItWrites = readsWhileItWrites s op inputs attrs

        // Writing one number everywhere may write it twice.
        if (op.Name = "zero" || op.Name = "fill") && inputs.Length = 1 && s.Holds Rules.Writes.oneValueMayBeWrittenTwice then
            Ok()
        elif op.Name = "copy" && inputs[1] = inputs[0] then
            Ok()
        elif op.Name <> "masked_fill" && Strides.overlapsItself t.Geometry && s.Holds Rules.Writes.noPlaceTwice then
            Error overlapsItself
        elif
            s.Holds Rules.Writes.sourceAndTargetDoNotOverlap
            && inputs
               |> Array.indexed
               |> Array.exists (fun (place, input) ->
                   match input with
                   | Some other when other = id -> readsWhileItWrites && place > 0
                   | Some other ->
                       let o = s.Tensors[other]

                       // A number that is part of what is filled with it is read before.
                       let isRead =
                           (op.Name = "fill" || op.Name = "masked_fill") && o.Shape.Length = 0
                           || op.Name = "index_put" && not readsWhileItWrites && place = inputs.Length - 1

                       o.Storage = t.Storage
                       && not isRead
                       && (Strides.overlapsPartly t.Geometry o.Geometry
                           || readsWhileItWrites && Strides.overlaps t.Geometry o.Geometry
                           || not (s.Holds Rules.Writes.theVerySameElementsMayBeRead))
                   | None -> false)
        then
            Complain.because
                OverlappingWrite
                "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor before performing the operation."
        else
            Ok()

    let fits (s: State<'S>) (t: Tensor<'S>) (value: Value<'S>) : Result<unit, Complaint> =
        if value.Shape <> t.Shape then
            Complain.because ShapeError $"output with shape {Shape.show t.Shape} doesn't match the broadcast shape {Shape.show value.Shape}"
        elif not (Promotion.canCast value.DType t.DType) && s.Holds Rules.Writes.integersTakeNoFloats then
            Complain.because
                DTypeError
                $"result type {Promotion.messageName value.DType} can't be cast to the desired output type {Promotion.messageName t.DType}"
        else
            Ok()

    /// PyTorch reads the arguments before it looks at what is written to: a call that no signature takes is refused as that.
    let argumentsFirst (s: State<'S>) (forward: Forward) inputs attrs (allowed: Result<unit, Complaint>) =
        match allowed with
        | Error _ ->
            match forward.Of { In = values s inputs; Attrs = attrs } with
            | Error complaint when complaint.Kind = ValueError -> Error complaint
            | _ -> allowed
        | Ok() -> allowed
