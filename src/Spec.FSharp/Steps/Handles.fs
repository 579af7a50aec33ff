namespace Verified.Spec

/// The steps that are a tensor's own: its history, its flag, its gradient and its hooks.
module internal Handles =
    open StepArguments

    let private fresh (t: Tensor<'S>) : Tensor<'S> =
        { t with
            RequiresGrad = false
            GradFn = None
            View = None
            Accumulator = None
            Grad = None
            RetainsGrad = false
            Hooked = [] }

    /// The same storage under a version counter of its own, without a history.
    let data (s: State<'S>) id : State<'S> * int =
        State.addTensor
            { (if s.Holds Rules.Leaves.dataHasNoHistory then
                   fresh s.Tensors[id]
               else
                   s.Tensors[id]) with
                Counter =
                    if s.Holds Rules.Versions.dataHasItsOwnCounter then
                        s.Versions.Count
                    else
                        s.Tensors[id].Counter
                Inference = s.Inference && s.Tensors[id].Inference }
            { s with Versions = s.Versions.Add 0 }

    /// The same storage and version counter, without a history. A tensor of inference mode has no counter to share.
    let detach (s: State<'S>) id : State<'S> * int =
        let t = s.Tensors[id]

        let ownCounter = t.Inference && not s.Inference || not (s.Holds Rules.Versions.detachSharesTheCounter)

        let view =
            if s.Holds Rules.Views.detachedIsNoView then
                None
            else
                Some
                    { Base = t.View |> Option.map (fun view -> view.Base) |> Option.defaultValue id
                      Creation = Ordinary
                      At = State.version s t }

        if not (s.Holds Rules.Leaves.detachHasNoHistory) then State.addTensor t s
        elif ownCounter then data s id
        else State.addTensor { fresh t with View = view } s

    let detachInPlace (s: State<'S>) id : Result<State<'S>, Complaint> =
        let t = s.Tensors[id]

        // Inference mode knows no histories, and so leaves them alone.
        if s.Inference && s.Holds Rules.Modes.inferenceLeavesHistoriesAlone then
            Ok s
        elif not (State.isSeen s t) then
            Ok s
        elif t.View.IsSome && s.Holds Rules.Leaves.viewsAreNotDetachedInPlace then
            Complain.because
                DetachView
                "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution."
        elif not (s.Holds Rules.Leaves.detachedInPlaceEndsThere) then
            Ok s
        else
            let s = History.keepHooks id s

            Ok(
                State.setTensor
                    id
                    { s.Tensors[id] with
                        RequiresGrad = false
                        GradFn = None
                        View = None
                        RetainsGrad = t.RetainsGrad && not (s.Holds Rules.Gradients.detachedRetainsNothing) }
                    s
            )

    let requireGrad (s: State<'S>) (step: Step) id : Result<State<'S>, Complaint> =
        flag "requires_grad" true step.Attrs
        |> Result.bind (fun wanted ->
            let t = s.Tensors[id]

            if not (s.Records || s.Holds Rules.Leaves.theFlagIgnoresTheMode) then
                Ok s
            elif t.GradFn.IsSome && not wanted && not (s.Holds Rules.Leaves.aComputedTensorStaysRequired) then
                Ok s
            elif t.GradFn.IsSome && not wanted then
                Complain.because
                    NonleafRequiresGrad
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            elif wanted && not t.DType.IsFloat && s.Holds Rules.Leaves.onlyFloatsMayRequire then
                Complain.because RequiresGradDType "only Tensors of floating point dtype can require gradients"
            elif wanted && t.Inference && not s.Inference && s.Holds Rules.Modes.inferenceNeverRequires then
                Complain.because OtherError "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
            else
                Ok(State.requireGrad wanted id s))

    let retainGrad (s: State<'S>) id : Result<State<'S>, Complaint> =
        if not (History.requiresGrad s s.Tensors[id] || not (s.Holds Rules.Gradients.onlyWhatRequiresIsRetained)) then
            Complain.because RetainGradWithoutGrad "can't retain_grad on Tensor that has requires_grad=False"
        elif s.Tensors[id].RetainsGrad then
            Ok s
        elif s.Tensors[id].GradFn.IsNone && not (s.Holds Rules.Gradients.retainingAsksForTheHistory) then
            Ok s
        else
            match History.gradFn s id with
            // A view that must not be used any more and never had a history has no gradient to retain.
            | Error _ when s.Tensors[id].GradFn.IsNone -> Ok s
            | found -> found |> Result.map (fun (s, _) -> History.retain id s)

    let zeroGrad (s: State<'S>) (step: Step) id : Result<State<'S>, Complaint> =
        flag "set_to_none" true step.Attrs
        |> Result.bind (fun setToNone ->
            let t = s.Tensors[id]

            match t.Grad with
            | None -> Ok s
            | Some _ when setToNone && s.Holds Rules.Gradients.zeroGradForgets -> Ok(State.setTensor id { t with Grad = None } s)
            | Some grad when not (s.Holds Rules.Gradients.zeroedInPlaceStays) ->
                let g = s.Tensors[grad]
                let s, zeros = State.addValue (Layout.dense g.Shape) false (Value.full g.DType g.Shape 0.0) s
                Ok(State.setTensor id { t with Grad = Some zeros } s)
            | Some grad ->
                let g = s.Tensors[grad]

                WriteChecks.checkMode s grad
                |> Result.map (fun () ->
                    State.setTensor
                        grad
                        (if s.Holds Rules.Gradients.zeroedInPlaceIsDetached then
                             { g with
                                 RequiresGrad = false
                                 GradFn = None }
                         else
                             g)
                        s
                    |> Storing.store grad (Value.full g.DType g.Shape 0.0) false))

    let registerHook (s: State<'S>) (step: Step) id : Result<State<'S>, Complaint> =
        match Map.tryFind "scale" step.Attrs with
        | Some(Attr.Integer _ | Attr.Float _ as scale) ->
            if not (History.requiresGrad s s.Tensors[id] || not (s.Holds Rules.Hooks.onlyWhatRequiresIsHooked)) then
                Complain.because OtherError "cannot register a hook on a tensor that doesn't require gradient"
            else
                History.gradFn s id
                |> Result.map (fun (s, _) ->
                    let hook = { Id = s.Next; Scale = scale }
                    let s = { s with Next = s.Next + 1 }

                    let s =
                        match step.Out with
                        | Out.Name name ->
                            { s with
                                HookNames = Map.add name hook.Id s.HookNames }
                        | _ -> s

                    History.addHook id hook s)
        | _ -> Complain.because ValueError "register_hook needs the attribute 'scale', a number"

    let removeHook (s: State<'S>) (step: Step) : Result<State<'S>, Complaint> =
        match names step with
        | [ name ] ->
            match Map.tryFind name s.HookNames with
            | Some _ when not (s.Holds Rules.Hooks.removedAreNotRun) -> Ok s
            | Some hook ->
                Ok
                    { s with
                        Hooks = s.Hooks |> Map.map (fun _ hooks -> hooks |> List.filter (fun h -> h.Id <> hook)) }
            | None -> Complain.because OtherError $"no hook is named '{name}'"
        | found -> Complain.because OtherError $"remove_hook takes one hook, got {found.Length}"
