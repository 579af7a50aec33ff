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
    let private complain kind message = Error { Kind = kind; Message = message }

    let private flag name fallback (attrs: Attrs) =
        match Map.tryFind name attrs with
        | Some(Attr.Flag value) -> Ok value
        | None
        | Some Attr.Null -> Ok fallback
        | Some _ -> complain ValueError $"the attribute '{name}' is true or false"

    /// The tensor of a name; a name bound to null is an error here.
    let private lookup (s: State<'S>) name : Result<int, Complaint> =
        match Map.tryFind name s.Names with
        | Some(Some id) -> Ok id
        | Some None -> complain UnusedInput $"'{name}' is null and cannot be used"
        | None -> complain OtherError $"no tensor is named '{name}'"

    let private traverse f items =
        let rec go found items =
            match items with
            | [] -> Ok(List.rev found)
            | item :: rest -> f item |> Result.bind (fun x -> go (x :: found) rest)

        go [] items

    /// The names of a step's tensors, lists spliced in.
    let private names (step: Step) =
        step.In
        |> List.collect (function
            | Arg.Name name -> [ name ]
            | Arg.Names names -> List.choose id names
            | Arg.Missing -> [])

    let private one (s: State<'S>) (step: Step) : Result<int, Complaint> =
        match names step with
        | [ name ] -> lookup s name
        | found -> complain OtherError $"{step.Op} takes one tensor, got {found.Length}"

    let private allowed (step: Step) attributes =
        match step.Attrs |> Seq.tryFind (fun a -> not (List.contains a.Key attributes)) with
        | Some a -> complain ValueError $"{step.Op} has no attribute '{a.Key}'"
        | None -> Ok()

    let private bindOut (step: Step) (results: int option list) (s: State<'S>) : Result<State<'S>, Complaint> =
        match step.Out, results with
        | Out.Nothing, _ -> Ok s
        | Out.Name name, [ id ] -> Ok(State.bind name id s)
        | Out.Name _, _ -> complain OtherError $"{step.Op} has {results.Length} results, 'out' names one"
        | Out.Names names, _ when names.Length = results.Length ->
            List.fold2
                (fun s name id ->
                    match name with
                    | Some name -> State.bind name id s
                    | None -> s)
                s
                names
                results
            |> Ok
        | Out.Names names, _ -> complain OtherError $"{step.Op} has {results.Length} results, 'out' names {names.Length}"

    // --- backward and grad -------------------------------------------------------------------------------------------------

    let private shown shape = $"torch.Size({Shape.show shape})"

    /// Checks the roots with their gradients as PyTorch's torch.autograd does before it enters the engine (_make_grads).
    let private roots (s: State<'S>) (step: Step) : Result<(int * int option) list, Complaint> =
        traverse (lookup s) (names step)
        |> Result.bind (fun tensors ->
            match step.Gradients with
            | Some gradients when gradients.Length < tensors.Length && s.Holds Rules.Gradients.everyRootIsMatched ->
                complain OtherError $"got {tensors.Length} tensors and {gradients.Length} gradients"
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
                                complain
                                    GradientShape
                                    $"Mismatch in shape: grad_output[{i}] has a shape of {shown shape} and output[{i}] has a shape of {shown t.Shape}."
                            else
                                Ok(id, Some g))
                    | None when History.requiresGrad s t && Shape.count t.Shape <> 1 && s.Holds Rules.Gradients.onlyOneElementIsImplicit ->
                        complain NonScalarBackward "grad can be implicitly created only for scalar outputs"
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
        allowed step [ "retain_graph"; "create_graph" ]
        |> Result.bind (fun () ->
            match step.Wrt with
            | Some [] when s.Holds Rules.Gradients.somethingIsWanted ->
                complain ValueError "`inputs` argument to `backward()` cannot be empty."
            | Some(_ :: _ as wanted) -> traverse (lookup s) wanted |> Result.map Some
            | _ -> Ok None)
        |> Result.bind (demand s step true)
        |> Result.bind (Backward.run registry s)
        |> Result.map fst

    let private grad registry (s: State<'S>) (step: Step) : Result<State<'S>, Complaint> =
        allowed step [ "retain_graph"; "create_graph"; "allow_unused"; "materialize_grads" ]
        |> Result.bind (fun () ->
            match step.Wrt with
            | Some(_ :: _ as wanted) -> traverse (lookup s) wanted
            | _ when not (s.Holds Rules.Gradients.somethingIsWanted) -> Ok []
            | _ -> complain ValueError "grad requires non-empty inputs.")
        |> Result.bind (fun wanted ->
            flag "allow_unused" false step.Attrs
            |> Result.bind (fun allowUnused ->
                demand s step false (Some wanted)
                |> Result.bind (Backward.run registry s)
                |> Result.bind (fun (s, gradients) ->
                    if not allowUnused && List.exists Option.isNone gradients && s.Holds Rules.Gradients.unusedIsAnError then
                        complain
                            UnusedInput
                            "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior."
                    else
                        bindOut step gradients s)))

    // --- the tensor's own --------------------------------------------------------------------------------------------------

    let private fresh (t: Tensor<'S>) : Tensor<'S> =
        { t with
            RequiresGrad = false
            GradFn = None
            View = None
            Accumulator = None
            Grad = None
            RetainsGrad = false }

    /// The same storage under a version counter of its own, without a history.
    let private data (s: State<'S>) id : State<'S> * int =
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
    let private detach (s: State<'S>) id : State<'S> * int =
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

    let private detachInPlace (s: State<'S>) id : Result<State<'S>, Complaint> =
        let t = s.Tensors[id]

        // Inference mode knows no histories, and so leaves them alone.
        if s.Inference && s.Holds Rules.Modes.inferenceLeavesHistoriesAlone then
            Ok s
        elif t.View.IsSome && s.Holds Rules.Leaves.viewsAreNotDetachedInPlace then
            complain
                DetachView
                "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution."
        elif not (s.Holds Rules.Leaves.detachedInPlaceEndsThere) then
            Ok s
        else
            Ok(
                State.setTensor
                    id
                    { t with
                        RequiresGrad = false
                        GradFn = None
                        View = None
                        RetainsGrad = false }
                    s
            )

    let private requireGrad (s: State<'S>) (step: Step) id : Result<State<'S>, Complaint> =
        flag "requires_grad" true step.Attrs
        |> Result.bind (fun wanted ->
            let t = s.Tensors[id]

            if not (s.Records || s.Holds Rules.Leaves.theFlagIgnoresTheMode) then
                Ok s
            elif t.GradFn.IsSome && not wanted && not (s.Holds Rules.Leaves.aComputedTensorStaysRequired) then
                Ok s
            elif t.GradFn.IsSome && not wanted then
                complain
                    NonleafRequiresGrad
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            elif wanted && not t.DType.IsFloat && s.Holds Rules.Leaves.onlyFloatsMayRequire then
                complain RequiresGradDType "only Tensors of floating point dtype can require gradients"
            elif wanted && t.Inference && not s.Inference && s.Holds Rules.Modes.inferenceNeverRequires then
                complain OtherError "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
            else
                Ok(State.requireGrad wanted id s))

    let private retainGrad (s: State<'S>) id : Result<State<'S>, Complaint> =
        if not (History.requiresGrad s s.Tensors[id] || not (s.Holds Rules.Gradients.onlyWhatRequiresIsRetained)) then
            complain RetainGradWithoutGrad "can't retain_grad on Tensor that has requires_grad=False"
        else
            History.gradFn s id |> Result.map (fun (s, _) -> History.retain id s)

    let private zeroGrad (s: State<'S>) (step: Step) id : Result<State<'S>, Complaint> =
        flag "set_to_none" true step.Attrs
        |> Result.map (fun setToNone ->
            let t = s.Tensors[id]

            match t.Grad with
            | None -> s
            | Some _ when setToNone && s.Holds Rules.Gradients.zeroGradForgets -> State.setTensor id { t with Grad = None } s
            | Some grad when not (s.Holds Rules.Gradients.zeroedInPlaceStays) ->
                let g = s.Tensors[grad]
                let s, zeros = State.addValue (Layout.dense g.Shape) false (Value.full g.DType g.Shape 0.0) s
                State.setTensor id { t with Grad = Some zeros } s
            | Some grad ->
                let g = s.Tensors[grad]

                State.setTensor
                    grad
                    (if s.Holds Rules.Gradients.zeroedInPlaceIsDetached then
                         { g with
                             RequiresGrad = false
                             GradFn = None }
                     else
                         g)
                    s
                |> Calls.store grad (Value.full g.DType g.Shape 0.0) false)

    let private registerHook (s: State<'S>) (step: Step) id : Result<State<'S>, Complaint> =
        match Map.tryFind "scale" step.Attrs with
        | Some(Attr.Integer _ | Attr.Float _ as scale) ->
            if not (History.requiresGrad s s.Tensors[id] || not (s.Holds Rules.Hooks.onlyWhatRequiresIsHooked)) then
                complain OtherError "cannot register a hook on a tensor that doesn't require gradient"
            else
                History.edge s id
                |> Result.map (fun (s, edge) ->
                    let hook = { Id = s.Next; Scale = scale }
                    let s = { s with Next = s.Next + 1 }

                    let s =
                        match step.Out with
                        | Out.Name name ->
                            { s with
                                HookNames = Map.add name hook.Id s.HookNames }
                        | _ -> s

                    match edge with
                    | None -> s
                    | Some edge ->
                        let key = struct (edge.Node.Sequence, edge.Output)
                        let hooks = Map.tryFind key s.Hooks |> Option.defaultValue []

                        { s with
                            Hooks = Map.add key (hooks @ [ hook ]) s.Hooks })
        | _ -> complain ValueError "register_hook needs the attribute 'scale', a number"

    let private removeHook (s: State<'S>) (step: Step) : Result<State<'S>, Complaint> =
        match names step with
        | [ name ] ->
            match Map.tryFind name s.HookNames with
            | Some _ when not (s.Holds Rules.Hooks.removedAreNotRun) -> Ok s
            | Some hook ->
                Ok
                    { s with
                        Hooks = s.Hooks |> Map.map (fun _ hooks -> hooks |> List.filter (fun h -> h.Id <> hook)) }
            | None -> complain OtherError $"no hook is named '{name}'"
        | found -> complain OtherError $"remove_hook takes one hook, got {found.Length}"

    // --- setitem_ ----------------------------------------------------------------------------------------------------------

    let private operator (registry: Map<string, Operator>) name =
        match Map.tryFind name registry with
        | Some op -> Ok op
        | None -> complain Unsupported $"there is no operator '{name}'"

    /// Whether an index consists of slices that write out a whole dimension, `0:n`. PyTorch's slice then gives the tensor itself,
    /// where `:` gives a view (aten/src/ATen/TensorIndexing.h, applySlice).
    let private writesOutTheWhole (shape: int[]) (attrs: Attrs) =
        match Map.tryFind "index" attrs with
        | Some(Attr.Items items) ->
            List.indexed items
            |> List.forall (fun (d, item) ->
                match item with
                | Attr.Items [ Attr.Null | Attr.Integer 0L; Attr.Integer stop; Attr.Null | Attr.Integer 1L ] -> stop = int64 shape[d]
                | _ -> false)
        | _ -> false

    /// `x[index] = v`: a view of x, unless the index is all of it, and a copy into it; a zero-dimensional v fills it.
    let private setitem registry (s: State<'S>) (step: Step) : Result<State<'S>, Complaint> =
        match names step with
        | [ target; source ] ->
            lookup s target
            |> Result.bind (fun target ->
                lookup s source
                |> Result.bind (fun source ->
                    operator registry "getitem"
                    |> Result.bind (fun getitem ->
                        Operators.Views.indexed s.Tensors[target].Geometry step.Attrs
                        |> Result.bind (fun _ ->
                            if
                                writesOutTheWhole s.Tensors[target].Shape step.Attrs
                                && s.Holds Rules.Writes.wholeItemsAreTheTensorItself
                            then
                                Ok(s, target)
                            else
                                Calls.apply s getitem [| Some target |] step.Attrs |> Result.map (fun (s, views) -> s, views.Head))
                        |> Result.bind (fun (s, view) ->
                            let value = s.Tensors[source]
                            let shape = s.Tensors[view].Shape

                            if value.Shape.Length = 0 && shape.Length > 0 then
                                operator registry "fill"
                                |> Result.bind (fun fill -> Calls.write s fill [| Some view; Some source |] Map.empty)
                            else
                                // Of a value of another shape all leading dimensions of size one are dropped.
                                let ones = value.Shape |> Array.takeWhile (fun n -> n = 1) |> Array.length
                                let rest = if value.Shape = shape then value.Shape else value.Shape[ones..]
                                let size = Map.ofList [ "size", Derive.sizeAttr rest ]
                                let target = Map.ofList [ "size", Derive.sizeAttr shape ]

                                let shown name attrs (s: State<'S>, source) =
                                    operator registry name
                                    |> Result.bind (fun op -> Calls.apply s op [| Some source |] attrs)
                                    |> Result.map (fun (s, ids) -> s, ids.Head)

                                let narrowed =
                                    (if rest = value.Shape then Ok(s, source) else shown "view" size (s, source))
                                    |> Result.bind (fun found -> if rest = shape then Ok found else shown "expand" target found)

                                narrowed
                                |> Result.bind (fun (s, source) ->
                                    operator registry "copy"
                                    |> Result.bind (fun copy -> Calls.write s copy [| Some view; Some source |] Map.empty)))
                        |> Result.bind (fun (s, _) -> bindOut step [ Some target ] s))))
        | found -> complain OtherError $"setitem_ takes two tensors, got {found.Length}"

    // --- every other step --------------------------------------------------------------------------------------------------

    /// A tensor function, by PyTorch's name; with a trailing underscore, in place.
    let private call (registry: Map<string, Operator>) (s: State<'S>) (step: Step) : Result<State<'S>, Complaint> =
        let inPlace = step.Op.EndsWith '_'
        let name = if inPlace then step.Op.Substring(0, step.Op.Length - 1) else step.Op

        match Map.tryFind name registry with
        | Some op when not op.Internal && (if inPlace then op.InPlace || op.OnlyInPlace else not op.OnlyInPlace) ->
            Calls.resolve (lookup s) op step.In step.Attrs
            |> Result.bind (fun inputs ->
                if inPlace then
                    Calls.write s op inputs step.Attrs
                else
                    Compositions.apply registry s op inputs step.Attrs)
            |> Result.bind (fun (s, results) ->
                let visible =
                    match op.Behaviour with
                    | Computes _ -> op.Results step.Attrs
                    | Composes _
                    | Aliases _ -> results.Length

                bindOut step (List.truncate visible results |> List.map Some) s)
        | _ -> complain Unsupported $"there is no operator '{step.Op}'"

    let private single registry (s: State<'S>) (step: Step) : Result<State<'S>, Complaint> =
        let onOne f = one s step |> Result.bind f

        match step.Op with
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
        | "zero_grad" -> allowed step [ "set_to_none" ] |> Result.bind (fun () -> onOne (zeroGrad s step))
        | "detach" ->
            onOne (fun id ->
                let s, alias = detach s id
                bindOut step [ Some alias ] s)
        | "data" ->
            onOne (fun id ->
                let s, alias = data s id
                bindOut step [ Some alias ] s)
        | "detach_" -> onOne (fun id -> detachInPlace s id |> Result.bind (bindOut step [ Some id ]))
        | "requires_grad_" ->
            allowed step [ "requires_grad" ]
            |> Result.bind (fun () -> onOne (fun id -> requireGrad s step id |> Result.bind (bindOut step [ Some id ])))
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
                        // PyTorch notices only after the write that it was to a tensor of inference mode.
                        let s =
                            if
                                complaint.Message.StartsWith "Inplace update to inference tensor"
                                && s.Holds Rules.Modes.inferenceErrorsComeLate
                            then
                                match single registry { s with Inference = true } step with
                                | Ok after -> { after with Inference = s.Inference }
                                | Error _ -> s
                            else
                                s

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
