namespace Verified.Spec

// Autograd as a transition function over immutable states.
//
// Higher orders. An adjoint is a composition of registered operators. Under create_graph these applications are recorded like
// any others, so the derivative of a derivative is found by the same rules, to any order; a tensor kept by the first rule is
// kept again by the operators that the rule applies, with its version, so a write between two backwards is seen. What is not
// PyTorch's but is needed (the transpose of a view's map, the sum over broadcast dimensions) is an operator with a record of its
// own, marked `Internal`, which programs cannot name. There is no second table of `sigmoid_backward` and its like.

/// The steps of programs.
[<RequireQualifiedAccess>]
module Autograd =
    open StepArguments
    open Handles
    open SetItem

    let private shown shape = $"torch.Size({Shape.show shape})"

    /// Checks the roots with their gradients as PyTorch's torch.autograd does before it enters the engine (_make_grads).
    let private roots (s: State<'S>) (step: Step) : Result<(int * int option) list, Complaint> =
        traverse (lookup s) (names step)
        |> Result.bind (fun tensors ->
            match step.Gradients with
            | Some gradients when gradients.Length < tensors.Length && s.Holds Rules.Gradients.everyRootIsMatched ->
                Complain.because OtherError $"got {tensors.Length} tensors and {gradients.Length} gradients"
            | gradients ->
                let gradients =
                    match gradients with
                    | Some gradients -> tensors |> List.mapi (fun i _ -> List.tryItem i gradients |> Option.flatten)
                    | None -> List.map (fun _ -> None) tensors

                List.zip tensors gradients
                |> List.indexed
                |> traverse (fun (i, (id, gradient)) ->
                    let t = s.Tensors[id]

                    match gradient with
                    | Some name ->
                        lookup s name
                        |> Result.bind (fun g ->
                            let shape = s.Tensors[g].Shape
                            let i = if s.Holds Rules.Errors.rootsAreNumbered then i else 0

                            if shape <> t.Shape && s.Holds Rules.Gradients.givenHasTheShape then
                                Complain.because
                                    GradientShape
                                    $"Mismatch in shape: grad_output[{i}] has a shape of {shown shape} and output[{i}] has a shape of {shown t.Shape}."
                            else
                                Ok(id, Some g))
                    | None when History.requiresGrad s t && Shape.count t.Shape <> 1 && s.Holds Rules.Gradients.onlyOneElementIsImplicit ->
                        Complain.because NonScalarBackward "grad can be implicitly created only for scalar outputs"
                    | None -> Ok(id, None)))

    let private demand (s: State<'S>) (step: Step) accumulates wanted : Result<Demand, Complaint> =
        flag "create_graph" false step.Attrs
        |> Result.bind (fun creates ->
            let retained = creates && s.Holds Rules.Graph.createGraphRetains

            flag "retain_graph" retained step.Attrs
            |> Result.bind (fun retains ->
                let retains = retains && (s.Holds Rules.Graph.retainGraphKeeps || creates && not (step.Attrs.ContainsKey "retain_graph"))

                roots s step
                |> Result.map (fun roots ->
                    { Roots = roots
                      Wanted = wanted
                      Accumulates = accumulates
                      Retains = retains
                      Creates = creates })))

    let private backward registry (s: State<'S>) (step: Step) : Result<State<'S>, Complaint> =
        match step.Wrt with
        | Some [] when s.Holds Rules.Gradients.somethingIsWanted ->
            Complain.because ValueError "`inputs` argument to `backward()` cannot be empty."
        | Some(_ :: _ as wanted) -> traverse (lookup s) wanted |> Result.map Some
        | _ -> Ok None
        |> Result.bind (demand s step true)
        |> Result.bind (Backward.run registry s)
        |> Result.map fst

    let private grad registry (s: State<'S>) (step: Step) : Result<State<'S>, Complaint> =
        match step.Wrt with
        | Some(_ :: _ as wanted) -> traverse (lookup s) wanted
        | _ when not (s.Holds Rules.Gradients.somethingIsWanted) -> Ok []
        | _ -> Complain.because ValueError "grad requires non-empty inputs."
        |> Result.bind (fun wanted ->
            flag "allow_unused" false step.Attrs
            |> Result.bind (fun allowUnused ->
                demand s step false (Some wanted)
                |> Result.bind (Backward.run registry s)
                |> Result.bind (fun (s, gradients) ->
                    if not allowUnused && List.exists Option.isNone gradients && s.Holds Rules.Gradients.unusedIsAnError then
                        Complain.because
                            UnusedInput
                            "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior."
                    else
                        bindOut step gradients s)))

    /// A tensor function, by PyTorch's name; with a trailing underscore, in place.
    let private call (registry: Map<string, Operator>) (s: State<'S>) (step: Step) : Result<State<'S>, Complaint> =
        let inPlace = step.Op.EndsWith '_'
        let name = if inPlace then step.Op.Substring(0, step.Op.Length - 1) else step.Op

        match Map.tryFind name registry with
        | Some op when not op.Internal && (if inPlace then op.InPlace || op.OnlyInPlace else not op.OnlyInPlace) ->
            CallArguments.resolve (lookup s) op step.In step.Attrs
            |> Result.bind (fun inputs ->
                if inPlace then
                    InPlace.write s op inputs step.Attrs
                else
                    Compositions.apply registry s op inputs step.Attrs)
            |> Result.bind (fun (s, results) ->
                let visible =
                    match op.Behaviour with
                    | Computes _ -> op.Results step.Attrs
                    | Composes _
                    | Aliases _ -> results.Length

                bindOut step (List.truncate visible results |> List.map Some) s)
        | _ -> Complain.because Unsupported $"there is no operator '{step.Op}'"

    let private single registry (s: State<'S>) (step: Step) : Result<State<'S>, Complaint> =
        let onOne f = one s step |> Result.bind f

        match step.Op with
        | _ when (StepForms.ofStructural step).IsSome -> Complain.because ValueError (StepForms.ofStructural step).Value
        | "backward" -> backward registry s step
        | "grad" -> grad registry s step
        | "get_grad" ->
            onOne (fun id ->
                match s.Tensors[id].Grad with
                | Some grad when not (s.Holds Rules.Gradients.getGradIsTheGradient) ->
                    let g = s.Tensors[grad]
                    let s, copy = State.addValue (Layout.dense g.Shape) (State.secondOrder s g) (State.read s g) s
                    bindOut step [ Some copy ] s
                | grad -> bindOut step [ grad ] s)
        | "zero_grad" -> onOne (zeroGrad s step)
        | "detach" ->
            onOne (fun id ->
                let s, alias = detach s id
                bindOut step [ Some alias ] s)
        | "data" ->
            onOne (fun id ->
                let s, alias = data s id
                bindOut step [ Some alias ] s)
        | "detach_" -> onOne (fun id -> detachInPlace s id |> Result.bind (bindOut step [ Some id ]))
        | "requires_grad_" -> onOne (fun id -> requireGrad s step id |> Result.bind (bindOut step [ Some id ]))
        | "retain_grad" -> onOne (retainGrad s)
        | "register_hook" -> onOne (registerHook s step)
        | "remove_hook" -> removeHook s step
        | "setitem_" -> setitem registry s step
        | _ -> call registry s step

    /// The modes of a block, if the step is one.
    let private block (s: State<'S>) (step: Step) =
        match step.Op with
        | "no_grad" ->
            Some
                { s with
                    GradMode = s.GradMode && not (s.Holds Rules.Modes.noGradRecordsNothing) }
        | "enable_grad" ->
            Some
                { s with
                    GradMode = s.GradMode || s.Holds Rules.Modes.enableGradRecords }
        | "inference_mode" when not (s.Holds Rules.Modes.inferenceRecordsNothing) -> Some s
        | "inference_mode" ->
            Some
                { s with
                    GradMode = false
                    Inference = true }
        | _ -> None

    /// Runs steps one after another, the blocks' own steps inside: the state after the last one that succeeded, and what the
    /// next one raised. `path` leads to the block, `from` is the index of the first step.
    let rec advance<'S when 'S :> IScalar<'S>>
        (registry: Map<string, Operator>)
        (path: int list)
        (from: int)
        (s: State<'S>)
        (steps: Step list)
        : State<'S> * Raised option =
        match steps with
        | [] -> s, None
        | step :: rest ->
            let here =
                if s.Holds Rules.Errors.pathsLeadIntoBlocks || path.IsEmpty then
                    path @ [ from ]
                else
                    path

            let after, raised =
                match block s step with
                | Some inside ->
                    let after, raised = advance registry here 0 inside step.Steps

                    (if s.Holds Rules.Modes.blocksEnd then
                         { after with
                             GradMode = s.GradMode
                             Inference = s.Inference }
                     else
                         after),
                    raised
                | None ->
                    match single registry s step with
                    | Ok after -> after, None
                    | Error complaint when complaint.Kind = UnusedInput && not (s.Holds Rules.Errors.nullIsNotUsed) -> s, None
                    | Error complaint ->
                        // PyTorch notices only after the write that it was to a tensor of inference mode: what is wrong with the write itself comes first.
                        let s, complaint =
                            if
                                complaint.Message.StartsWith "Inplace update to inference tensor"
                                && s.Holds Rules.Modes.inferenceErrorsComeLate
                            then
                                let unforbidden =
                                    { s with
                                        Off = s.Off.Add Rules.Modes.inferenceIsReadOnlyOutside.Name }

                                match single registry unforbidden step with
                                | Error earlier when step.Op.EndsWith '_' -> s, earlier
                                | _ ->
                                    match single registry { s with Inference = true } step with
                                    | Ok after -> { after with Inference = s.Inference }, complaint
                                    | Error _ -> s, complaint
                            else
                                s, complaint

                        s,
                        Some
                            { Step = here
                              Kind = complaint.Kind
                              Message = complaint.Message }

            match raised with
            | Some _ -> after, raised
            | None -> advance registry path (from + 1) after rest

    /// One step of a program: the state after it, or what it raised (its path as if it were the first).
    let step<'S when 'S :> IScalar<'S>> (registry: Map<string, Operator>) (s: State<'S>) (step: Step) : Result<State<'S>, Raised> =
        match advance registry [] 0 s [ step ] with
        | after, None -> Ok after
        | _, Some raised -> Error raised
