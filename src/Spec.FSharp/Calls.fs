namespace Verified.Spec

/// Calls of operators: arguments and attributes checked, the result computed or shown as a view, the node recorded.
[<RequireQualifiedAccess>]
module Calls =
    let private complain kind message = Error { Kind = kind; Message = message }

    let private takesList kind =
        match kind with
        | ArgKind.List _
        | ArgKind.Optional(ArgKind.List _) -> true
        | _ -> false

    let private mayMiss kind =
        match kind with
        | ArgKind.Optional _ -> true
        | _ -> false

    let private checkAttributes (op: Operator) (attrs: Attrs) : Result<unit, Complaint> =
        if attrs.IsEmpty && not (List.exists (fun (a: AttrSpec) -> a.Required) op.Attrs) then
            Ok()
        else
            let unknown = attrs |> Seq.tryFind (fun a -> not (List.exists (fun (s: AttrSpec) -> s.Name = a.Key) op.Attrs))

            match unknown, op.Attrs |> List.tryFind (fun a -> a.Required && not (Map.containsKey a.Name attrs)) with
            | Some a, _ -> complain ValueError $"{op.Name} has no attribute '{a.Key}'"
            | None, Some a -> complain ValueError $"{op.Name} needs the attribute '{a.Name}'"
            | None, None -> Ok()

    /// Checks a step's arguments against the operator's record, looks the names up and splices the lists in. Missing arguments at
    /// the end are dropped.
    let resolve
        (lookup: string -> Result<int, Complaint>)
        (op: Operator)
        (args: Arg list)
        (attrs: Attrs)
        : Result<int option[], Complaint> =
        let found = ResizeArray<int option>()

        let add name = lookup name |> Result.map (fun id -> found.Add(Some id))

        let rec go kinds (args: Arg list) position =
            match kinds, args with
            | _, [] ->
                match List.tryFindIndex (mayMiss >> not) kinds with
                | Some i -> complain ValueError $"{op.Name} needs a tensor argument {position + i}, got {position} in all"
                | None -> Ok()
            | [], _ -> complain ValueError $"{op.Name} takes {op.Args.Length} tensor arguments, got {position + args.Length}"
            | kind :: kinds, Arg.Missing :: rest ->
                if mayMiss kind then
                    found.Add None
                    go kinds rest (position + 1)
                else
                    complain ValueError $"{op.Name} needs its tensor argument {position}, got null"
            | kind :: _, Arg.Name _ :: _ when takesList kind ->
                complain ValueError $"{op.Name} takes a list of tensors as argument {position}, got a name"
            | _ :: kinds, Arg.Name name :: rest -> add name |> Result.bind (fun () -> go kinds rest (position + 1))
            | kind :: kinds, Arg.Names names :: rest when takesList kind ->
                names
                |> List.fold
                    (fun state name ->
                        state
                        |> Result.bind (fun () ->
                            match name with
                            | Some name -> add name
                            | None -> Ok(found.Add None)))
                    (Ok())
                |> Result.bind (fun () -> go kinds rest (position + 1))
            | _, Arg.Names _ :: _ -> complain ValueError $"{op.Name} takes a tensor as argument {position}, got a list"

        go op.Args args 0
        |> Result.bind (fun () -> checkAttributes op attrs)
        |> Result.map (fun () ->
            while found.Count > 0 && found[found.Count - 1].IsNone do
                found.RemoveAt(found.Count - 1)

            found.ToArray())

    /// The values of a call's arguments.
    let values (s: State<'S>) (inputs: int option[]) : Value<'S> option[] =
        inputs |> Array.map (Option.map (fun id -> State.read s s.Tensors[id]))

    /// Whether any argument requires a gradient.
    let anyRequires (s: State<'S>) (inputs: int option[]) =
        let requires (input: int option) =
            match input with
            | Some id -> History.requiresGrad s s.Tensors[id]
            | None -> false

        Array.exists requires inputs && (s.Holds Rules.Leaves.oneArgumentIsEnough || Array.forall requires inputs)

    /// The edges of a call's arguments: None for those that need no gradient.
    let edges (s: State<'S>) (inputs: int option[]) : Result<State<'S> * Edge<'S> option[], Complaint> =
        let edges = Array.zeroCreate inputs.Length

        let rec go s i =
            if i = inputs.Length then
                Ok(s, edges)
            else
                match inputs[i] with
                | Some id when s.Tensors[id].DType.IsFloat ->
                    History.edge s id
                    |> Result.bind (fun (s, edge) ->
                        edges[i] <- edge
                        go s (i + 1))
                | _ -> go s (i + 1)

        go s 0

    let private signature (s: State<'S>) (inputs: int option[]) =
        inputs
        |> Array.map (function
            | Some id ->
                let t = s.Tensors[id]
                struct (t.Shape, t.DType)
            | None -> struct ([||], DType.Float32))

    /// A tensor kept for a derivative.
    let private keep (s: State<'S>) place id twin : Result<Saved, Complaint> =
        let t = s.Tensors[id]

        if t.Inference && s.Holds Rules.Modes.inferenceIsNotKept then
            complain
                OtherError
                "Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal tensor and use it in autograd."
        else
            Ok
                { Place = place
                  Tensor = id
                  Version = State.version s t
                  HadHistory = t.GradFn.IsSome
                  Twin = twin }

    /// What an operator keeps of its inputs; a kept number (`mul` by an attribute) is an input that is not there.
    let private keepInputs (s: State<'S>) (places: Saving list) (inputs: int option[]) =
        let rec go kept places =
            match places with
            | [] -> Ok(List.rev kept)
            | (Input i as place) :: rest when i < inputs.Length ->
                match inputs[i] with
                | Some id -> keep s place id false |> Result.bind (fun saved -> go (saved :: kept) rest)
                | None -> go kept rest
            | Input _ :: rest when s.Deriving -> go kept rest
            | (Input _ as place) :: rest ->
                go
                    ({ Place = place
                       Tensor = -1
                       Version = 0
                       HadHistory = false
                       Twin = false }
                     :: kept)
                    rest
            | Output _ :: rest -> go kept rest
            | Indices :: rest ->
                let indices =
                    [ for i in 0 .. inputs.Length - 1 do
                          match inputs[i] with
                          | Some id when not s.Tensors[id].DType.IsFloat -> Input i
                          | _ -> () ]

                go kept (indices @ rest)

        go [] places

    /// A twin of a tensor for keeping: same storage and version counter, no history of its own.
    let private twin (s: State<'S>) id =
        let t = s.Tensors[id]

        State.addTensor
            { t with
                GradFn = None
                View = None
                RequiresGrad = false
                Accumulator = None
                Grad = None
                RetainsGrad = false }
            s

    /// What an operator keeps of its results. A view that was written to keeps its own history, which leads to its base.
    let private keepOutputs (s: State<'S>) (places: Saving list) (results: int[]) writtenView =
        let rec go s kept places =
            match places with
            | [] -> Ok(s, List.rev kept)
            | (Output k as place) :: rest ->
                let s, id = if writtenView then s, results[k] else twin s results[k]
                keep s place id (not writtenView) |> Result.bind (fun saved -> go s (saved :: kept) rest)
            | Input _ :: rest
            | Indices :: rest -> go s kept rest

        go s [] places

    /// Which inputs and outputs a call keeps.
    let private saves (s: State<'S>) (op: Operator) (edges: Edge<'S> option[]) attrs : Saving list =
        let needs i = i < edges.Length && (edges[i].IsSome || not (s.Holds Rules.Versions.keptOnlyWhereNeeded))

        if s.Holds Rules.Versions.onlyWhatIsKeptIsChecked then
            op.Saves needs attrs
        else
            List.distinct (op.Saves needs attrs @ List.init edges.Length Input @ [ Output 0 ])

    /// The node of a computed result: kept inputs first, then kept outputs.
    let private node (s: State<'S>) (op: Operator) attrs edges signature (results: int[]) (kept: Saved list) =
        keepOutputs s (saves s op edges attrs) results false
        |> Result.map (fun (s, outputs) ->
            let node: Node<'S> =
                { Sequence = s.Next
                  Name = Nodes.name op edges.Length attrs false
                  Kind = Rule(op, attrs, Array.ofList (kept @ outputs))
                  Edges = edges
                  Inputs = signature
                  Results = results |> Array.map (fun id -> struct (s.Tensors[id].Shape, s.Tensors[id].DType)) }

            { s with Next = s.Next + 1 }, node)

    let private second (s: State<'S>) (inputs: int option[]) =
        inputs
        |> Array.exists (function
            | Some id -> State.secondOrder s s.Tensors[id]
            | None -> false)

    /// Gives results their history.
    let private attach (node: Node<'S>) (results: int[]) (s: State<'S>) =
        let mutable s = s

        for k in 0 .. results.Length - 1 do
            let t = s.Tensors[results[k]]

            if t.DType.IsFloat || not (s.Holds Rules.Leaves.integersNeverRequire) then
                s <-
                    State.setTensor
                        results[k]
                        { t with
                            GradFn = Some { Node = node; Output = k } }
                        s

                if not (s.Holds Rules.Leaves.onlyLeavesKeepGradients) then
                    s <- History.retain results[k] s

        s

    /// Counts a write.
    let bump counter (s: State<'S>) =
        let counts = s.Holds Rules.Versions.writesCount && (s.Records || s.Holds Rules.Versions.writesCountInEveryMode)

        if counts then
            { s with
                Versions = s.Versions.Set(counter, s.Versions[counter] + 1) }
        else
            s

    /// Puts a dense value, already of the tensor's shape and dtype, where a tensor lies.
    let private put id (value: Value<'S>) second (s: State<'S>) : State<'S> =
        let t = s.Tensors[id]
        let storage = s.Storages[t.Storage]

        { s with
            Storages =
                s.Storages.Set(
                    t.Storage,
                    { Elements = Elements.replace t.Geometry value.Elements storage.Elements
                      SecondOrder = storage.SecondOrder || second }
                ) }

    /// The same, counted as a write.
    let store id (value: Value<'S>) second (s: State<'S>) : State<'S> = put id value second s |> bump s.Tensors[id].Counter

    /// Writes to the arguments that a call changes unseen. What comes of it where one shares elements with another argument is open.
    let private update
        (op: Operator)
        (inputs: int option[])
        (results: Value<'S> list)
        second
        (s: State<'S>)
        : Result<State<'S>, Complaint> =
        let written =
            op.Updates
            |> List.choose (fun (argument, result) ->
                match Array.tryItem argument inputs |> Option.flatten, List.tryItem result results with
                | Some id, Some value -> Some(argument, id, value)
                | _ -> None)

        let places id = Positions.ofGeometry s.Tensors[id].Geometry

        let shares (argument, id, _) =
            inputs
            |> Array.indexed
            |> Array.exists (fun (i, other) ->
                match other with
                | Some other when i <> argument && s.Tensors[other].Storage = s.Tensors[id].Storage ->
                    not (Set.intersect (set (places id)) (set (places other))).IsEmpty
                | _ -> false)

        if List.exists shares written then
            complain Unsupported $"{op.Name} that changes an argument which shares elements with another one"
        else
            let move = if s.Holds Rules.Versions.runningStatisticsMoveUnseen then put else store
            Ok(written |> List.fold (fun s (_, id, value) -> move id value second s) s)

    let private compute
        (s: State<'S>)
        (op: Operator)
        (forward: Forward)
        (inputs: int option[])
        attrs
        : Result<State<'S> * int list, Complaint> =
        let refused =
            op.Refuses(inputs |> Array.map (Option.map (fun id -> s.Tensors[id].DType)))
            |> List.tryFind (fun (i, _) ->
                s.Records
                && s.Holds Rules.Errors.refusedArguments
                && i < inputs.Length
                && inputs[i] |> Option.exists (fun id -> History.requiresGrad s s.Tensors[id]))

        // PyTorch keeps the inputs, and so complains, before it computes.
        let recorded =
            if refused.IsSome then
                complain
                    Unsupported
                    $"The function '{op.Name}' is not differentiable with respect to argument '{snd refused.Value}'. This input cannot have requires_grad True."
            elif s.Records && op.Derivative.IsSome && anyRequires s inputs then
                edges s inputs
                |> Result.bind (fun (s, edges) ->
                    keepInputs s (saves s op edges attrs) inputs |> Result.map (fun kept -> s, Some(edges, kept)))
            else
                Ok(s, None)

        recorded
        |> Result.bind (fun (s, recorded) ->
            forward.Of { In = values s inputs; Attrs = attrs }
            |> Result.bind (fun results -> update op inputs results (second s inputs) s |> Result.map (fun s -> s, results))
            |> Result.bind (fun (s, results) ->
                let second = second s inputs
                let mutable after = s
                let ids = Array.zeroCreate results.Length

                let arguments = inputs |> Array.choose (Option.map (fun id -> s.Tensors[id].Geometry)) |> List.ofArray

                let version =
                    if s.Holds Rules.Versions.vectorTimesMatrixStartsAtOne then
                        Layouts.version op arguments
                    else
                        0

                results
                |> List.iteri (fun k value ->
                    let next, id = State.addValue (Layouts.ofResult op arguments value.Shape) second value after
                    let next = List.fold (fun (s: State<_>) _ -> bump s.Tensors[id].Counter s) next [ 1..version ]
                    after <- next
                    ids[k] <- id)

                match recorded with
                | Some(edges, kept) when
                    results |> List.exists (fun r -> r.DType.IsFloat) || not (s.Holds Rules.Leaves.integersNeverRequire)
                    ->
                    node after op attrs edges (signature s inputs) ids kept
                    |> Result.map (fun (s, node) -> attach node ids s, List.ofArray ids)
                | _ -> Ok(after, List.ofArray ids)))

    let private views
        (s: State<'S>)
        (op: Operator)
        attrs
        source
        (toInput: Edge<'S> option)
        (overInput: Geometry list)
        (geometries: Geometry list)
        records
        =
        let t = s.Tensors[source]
        let several = (List.length geometries <> 1)

        let creation =
            if s.Inference then
                InInference
            elif not s.GradMode then
                WithoutGrad
            elif several || op.Name = "split" || op.Name = "chunk" || op.Name = "unbind" then
                OneOfSeveral
            else
                Ordinary

        let ofBase, creation =
            match t.View with
            | Some view ->
                (if s.Holds Rules.Views.chainsHaveOneBase then view.Base else source),
                (if creation = Ordinary && s.Holds Rules.Views.readOnlyIsInherited then
                     view.Creation
                 else
                     creation)
            | None -> source, creation

        let node: Node<'S> =
            { Sequence = s.Next
              Name = Nodes.name op 1 attrs false
              Kind =
                if op.Derivative.IsSome then
                    Rule(op, attrs, [||])
                else
                    View(Layout.dense t.Shape, Array.ofList overInput)
              Edges = [| toInput |]
              Inputs = [| struct (t.Shape, t.DType) |]
              Results = [| for g in geometries -> struct (g.Shape, t.DType) |] }

        let view =
            if t.Inference then
                None
            else
                Some
                    { Base = ofBase
                      Creation = creation
                      At = State.version s t }

        let mutable s = { s with Next = s.Next + 1 }

        let ids =
            geometries
            |> List.mapi (fun k g ->
                let shown =
                    { t with
                        Geometry = g
                        RequiresGrad = false
                        GradFn = if records then Some { Node = node; Output = k } else None
                        View = view
                        Accumulator = None
                        Grad = None
                        RetainsGrad = false }

                let next, id =
                    if s.Holds Rules.Views.shareMemory then
                        let ownCounter = not (s.Holds Rules.Versions.viewsShareTheCounter)

                        State.addTensor
                            (if ownCounter then
                                 { shown with
                                     Counter = s.Versions.Count }
                             else
                                 shown)
                            (if ownCounter then { s with Versions = s.Versions.Add 0 } else s)
                    else
                        let next, id = State.addValue (Layout.dense g.Shape) (State.secondOrder s t) (State.read s shown) s

                        State.setTensor
                            id
                            { next.Tensors[id] with
                                GradFn = shown.GradFn }
                            next,
                        id

                let next =
                    if s.Holds Rules.Leaves.onlyLeavesKeepGradients then
                        next
                    else
                        History.retain id next

                s <- next
                id)

        s, ids

    let private alias (s: State<'S>) (op: Operator) aliases (inputs: int option[]) attrs : Result<State<'S> * int list, Complaint> =
        let source = inputs[0].Value
        let t = s.Tensors[source]
        let dense = Layout.dense t.Shape

        let over () : Result<Geometry list, Complaint> =
            aliases dense attrs
            |> Result.map (function
                | Views geometries -> geometries
                | Itself -> [ dense ]
                | Copied shape -> [ Layout.dense shape ])

        aliases t.Geometry attrs
        |> Result.bind (fun aliasing ->
            let records =
                (s.Records || not (s.Holds Rules.Views.madeInNoGradHasNoHistory))
                && t.DType.IsFloat
                && History.requiresGrad s t

            let copied (shape: int[]) toInput s =
                let value = { State.read s t with Shape = shape }

                let g = Layout.dense shape
                let s, id = State.addValue g (State.secondOrder s t) value s

                if records then
                    let node: Node<'S> =
                        { Sequence = s.Next
                          Name = Nodes.name op 1 attrs false
                          Kind = View(dense, [| g |])
                          Edges = [| toInput |]
                          Inputs = [| struct (t.Shape, t.DType) |]
                          Results = [| struct (shape, t.DType) |] }

                    attach node [| id |] { s with Next = s.Next + 1 }, [ id ]
                else
                    s, [ id ]

            let toInput = if records then History.edge s source else Ok(s, None)

            match aliasing with
            | Itself when s.Holds Rules.Views.nothingToDoIsTheTensorItself -> Ok(s, [ source ])
            | Itself -> toInput |> Result.map (fun (s, toInput) -> copied t.Shape toInput s)
            | Views geometries ->
                toInput
                |> Result.bind (fun (s, toInput) ->
                    over () |> Result.map (fun over -> views s op attrs source toInput over geometries records))
            | Copied shape when s.Holds Rules.Views.reshapeCopies -> toInput |> Result.map (fun (s, toInput) -> copied shape toInput s)
            | Copied _ -> complain ShapeError "view size is not compatible with input tensor's size and stride")

    let private convertsToItself (s: State<'S>) (op: Operator) (inputs: int option[]) (attrs: Attrs) =
        op.Name = "to"
        && (match Map.tryFind "dtype" attrs with
            | Some(Attr.Text name) -> s.Tensors[inputs[0].Value].DType.Name = name
            | _ -> true)

    /// The values of a fused gradient, and where it is recorded its node; `gradient` still lacks what it keeps.
    let fuse
        (s: State<'S>)
        (fusion: Fusion)
        (gradient: FusedGradient)
        (inputs: int option[])
        (values: Value<'S> list)
        : Result<State<'S> * int list, Complaint> =
        let isConstant j = List.contains gradient.Places[j - 1] fusion.Constants

        let kept =
            [ if fusion.Constants.IsEmpty then Input 0
              for j in 1 .. inputs.Length - 1 do
                  if inputs[j].IsSome && not (isConstant j || List.contains gradient.Places[j - 1] fusion.Unread) then
                      Input j ]

        let differentiable =
            inputs
            |> Array.mapi (fun j input -> if fusion.Constants.IsEmpty || j = 0 || isConstant j then input else None)

        let recorded =
            if s.Records && anyRequires s differentiable then
                edges s differentiable
                |> Result.bind (fun (s, edges) -> keepInputs s kept inputs |> Result.map (fun kept -> s, Some(edges, Array.ofList kept)))
            else
                Ok(s, None)

        recorded
        |> Result.map (fun (s, recorded) ->
            let arguments = inputs |> Array.choose (Option.map (fun id -> s.Tensors[id].Geometry)) |> List.ofArray
            let second = second s inputs

            let add (value: Value<'S>) s =
                let s, id = State.addValue (Layouts.ofResult gradient.Operator arguments value.Shape) second value s
                id, s

            let ids, after = List.mapFold (fun s value -> add value s) s values

            match recorded with
            | None -> after, ids
            | Some(edges, kept) ->
                let node: Node<'S> =
                    { Sequence = after.Next
                      Name = fusion.Node + "Backward0"
                      Kind = Fused { gradient with Kept = kept }
                      Edges = edges
                      Inputs = signature s inputs
                      Results = [| for value in values -> struct (value.Shape, value.DType) |] }

                attach node (Array.ofList ids) { after with Next = after.Next + 1 }, ids)

    /// Applies an operator to tensors: the state after it, and the results.
    let apply (s: State<'S>) (op: Operator) (inputs: int option[]) attrs : Result<State<'S> * int list, Complaint> =
        match op.Behaviour with
        | Computes _ when s.Holds Rules.Views.nothingToDoIsTheTensorItself && convertsToItself s op inputs attrs ->
            Ok(s, [ inputs[0].Value ])
        | Computes forward -> compute s op forward inputs attrs
        | Aliases aliases -> alias s op aliases inputs attrs
        | Composes _ -> invalidOp $"{op.Name} is applied by its parts"

    /// Checks whether a tensor may be written to (torch/csrc/autograd/VariableTypeUtils.h, check_inplace).
    let private checkWritable (s: State<'S>) id recorded : Result<unit, Complaint> =
        let t = s.Tensors[id]

        if t.Inference && not s.Inference && s.Holds Rules.Modes.inferenceIsReadOnlyOutside then
            complain
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
                        complain ViewOfLeafInPlace "a view of a leaf Variable that requires grad is being used in an in-place operation."
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
                    complain LeafInPlace "a leaf Variable that requires grad is being used in an in-place operation."
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

    let private checkOverlap (s: State<'S>) (op: Operator) (inputs: int option[]) attrs : Result<unit, Complaint> =
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
            complain
                OverlappingWrite
                "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor before performing the operation."
        else
            Ok()

    let private fits (s: State<'S>) (t: Tensor<'S>) (value: Value<'S>) : Result<unit, Complaint> =
        if value.Shape <> t.Shape then
            complain ShapeError $"output with shape {Shape.show t.Shape} doesn't match the broadcast shape {Shape.show value.Shape}"
        elif not (Promotion.canCast value.DType t.DType) && s.Holds Rules.Writes.integersTakeNoFloats then
            complain
                DTypeError
                $"result type {Promotion.messageName value.DType} can't be cast to the desired output type {Promotion.messageName t.DType}"
        else
            Ok()

    /// Gives a written tensor its new history; behind a view it is the base that gets one, and the view's own is made anew
    /// (rebase_history).
    let private rebase id (node: Node<'S>) (s: State<'S>) : Result<State<'S>, Complaint> =
        let t = s.Tensors[id]

        match t.View with
        | _ when not (s.Holds Rules.Writes.aWriteIsHistory) -> Ok s
        | Some view when s.Holds Rules.Views.aWriteRewritesTheBase ->
            History.edge s view.Base
            |> Result.bind (fun (s, toBase) ->
                let whole = s.Tensors[view.Base]

                let through: Node<'S> =
                    { Sequence = s.Next
                      Name = "torch::autograd::CopySlices"
                      Kind = WriteThrough(whole.Geometry, t.Geometry, node)
                      Edges = Array.append [| toBase |] node.Edges[1..]
                      Inputs = Array.append [| struct (whole.Shape, whole.DType) |] node.Inputs[1..]
                      Results = [| struct (whole.Shape, whole.DType) |] }

                { s with Next = s.Next + 1 }
                |> History.replace view.Base { Node = through; Output = 0 }
                |> fun s -> History.gradFn s id
                |> Result.map fst)
        | _ -> Ok(History.replace id { Node = node; Output = 0 } s)

    /// What a write keeps of its inputs. Of the written tensor it keeps a copy, with the history that it has so far.
    let private keepBefore (s: State<'S>) (places: Saving list) (inputs: int option[]) edges =
        if not (List.contains (Input 0) places && s.Holds Rules.Versions.aWriteKeepsWhatWasThere) then
            keepInputs s places inputs |> Result.map (fun kept -> s, kept)
        else
            let id = inputs[0].Value
            let t = s.Tensors[id]
            let s, copy = State.addValue (Layout.dense t.Shape) (State.secondOrder s t) (State.read s t) s

            let s =
                State.setTensor
                    copy
                    { s.Tensors[copy] with
                        GradFn = Array.head (edges: Edge<'S> option[]) }
                    s

            keepInputs s (List.filter (fun p -> p <> Input 0) places) inputs
            |> Result.bind (fun kept -> keep s (Input 0) copy false |> Result.map (fun self -> s, self :: kept))

    /// Where several elements share a place, `masked_fill_` writes it if the mask holds for any of them.
    let private storeMasked id (mask: Value<'S>) (value: Value<'S>) second (s: State<'S>) : State<'S> =
        let t = s.Tensors[id]
        let filled = Value.expand t.Shape mask |> Value.asInts DType.Bool |> fst
        let places = Positions.ofGeometry t.Geometry
        let written = Array.zeroCreate (Array.fold max -1 places + 1)
        Array.iteri (fun i place -> if filled[i] <> 0L then written[place] <- i + 1) places
        let source = Array.mapi (fun i place -> if written[place] > 0 then written[place] - 1 else i) places
        store id (Value.pick t.Shape source value) second s

    /// PyTorch reads the arguments before it looks at what is written to: a call that no signature takes is refused as that.
    let private argumentsFirst (s: State<'S>) (forward: Forward) inputs attrs (allowed: Result<unit, Complaint>) =
        match allowed with
        | Error _ ->
            match forward.Of { In = values s inputs; Attrs = attrs } with
            | Error complaint when complaint.Kind = ValueError -> Error complaint
            | _ -> allowed
        | Ok() -> allowed

    let private writeComputed (s: State<'S>) (op: Operator) (forward: Forward) (inputs: int option[]) attrs records =
        let id = inputs[0].Value
        let before = signature s inputs

        let recorded =
            if records then
                edges s inputs
                |> Result.bind (fun (s, edges) ->
                    let places = saves s op edges attrs
                    keepBefore s places inputs edges |> Result.map (fun (s, kept) -> s, Some(edges, kept)))
            else
                Ok(s, None)

        recorded
        |> Result.bind (fun (s, recorded) ->
            op.Admits.Of { In = values s inputs; Attrs = attrs }
            |> Result.bind (fun () -> checkOverlap s op inputs attrs)
            |> argumentsFirst s forward inputs attrs
            |> Result.bind (fun () -> forward.Of { In = values s inputs; Attrs = attrs })
            |> Result.bind (fun results ->
                let t = s.Tensors[id]
                let value = List.head results

                fits s t value
                |> Result.bind (fun () ->
                    let write =
                        if op.Name = "masked_fill" && Strides.overlapsItself t.Geometry then
                            storeMasked id (State.read s s.Tensors[inputs[1].Value])
                        else
                            store id

                    let s = write (Value.cast t.DType value) (second s inputs) s

                    match recorded with
                    | None when s.Holds Rules.Writes.unrecordedChangesNoHistory -> Ok s
                    | None ->
                        Ok(
                            State.setTensor
                                id
                                { s.Tensors[id] with
                                    GradFn = None
                                    RequiresGrad = false }
                                s
                        )
                    | Some(edges, kept) ->
                        let empty: Node<'S> =
                            { Sequence = s.Next
                              Name = Nodes.name op inputs.Length attrs true
                              Kind = Rule(op, attrs, Array.ofList kept)
                              Edges = edges
                              Inputs = before
                              Results = [| struct (t.Shape, t.DType) |] }

                        let places = saves s op edges attrs |> List.filter (fun p -> p.IsOutput)

                        if places.IsEmpty then
                            rebase id empty { s with Next = s.Next + 1 }
                        else
                            keepOutputs s places [| id |] t.View.IsSome
                            |> Result.bind (fun (s, outputs) ->
                                let outputs =
                                    if s.Holds Rules.Versions.aWriteKeepsItsResult then
                                        outputs
                                    else
                                        outputs |> List.map (fun kept -> { kept with Version = kept.Version - 1 })

                                rebase
                                    id
                                    { empty with
                                        Kind = Rule(op, attrs, Array.ofList (kept @ outputs)) }
                                    { s with Next = s.Next + 1 }))))

    /// A view operator in place (`t_`): the tensor itself gets another geometry.
    let private writeGeometry (s: State<'S>) (op: Operator) aliases (inputs: int option[]) attrs records =
        let id = inputs[0].Value
        let t = s.Tensors[id]
        let dense = Layout.dense t.Shape

        aliases t.Geometry attrs
        |> Result.bind (fun aliasing ->
            match aliasing with
            | Views [ g ] ->
                let s = State.setTensor id { t with Geometry = g } s

                let s = if s.Holds Rules.Versions.geometryInPlaceCounts then bump t.Counter s else s

                match aliases dense attrs with
                | _ when not (records && s.Holds Rules.Views.viewsInPlaceKeepTheirBase) -> Ok s
                // A view's history is always that of what it shows.
                // What was hooked of it still runs: a geometry is no new value.
                | _ when t.View.IsSome ->
                    History.gradFn s id
                    |> Result.map (fun (s, after) -> Option.fold (fun s after -> History.carryHooks t.GradFn after s) s after)
                | Ok(Views [ over ]) ->
                    History.edge s id
                    |> Result.map (fun (s, toInput) ->
                        let node: Node<'S> =
                            { Sequence = s.Next
                              Name = Nodes.name op 1 attrs true
                              Kind = View(dense, [| over |])
                              Edges = [| toInput |]
                              Inputs = [| struct (t.Shape, t.DType) |]
                              Results = [| struct (g.Shape, t.DType) |] }

                        History.replace id { Node = node; Output = 0 } { s with Next = s.Next + 1 })
                | _ -> complain OtherError $"{op.Name}_ does not return a single view"
            | _ -> complain OtherError $"{op.Name}_ does not return a single view")

    /// Applies an operator in place: its result, computed as if out of place, is written into its first argument.
    let write (s: State<'S>) (op: Operator) (inputs: int option[]) attrs : Result<State<'S> * int list, Complaint> =
        let id = inputs[0].Value
        let t = s.Tensors[id]

        // What may be written to is asked of any dtype, what is recorded are floats.
        let requires = s.Records && (op.Derivative.IsSome || op.Behaviour.IsAliases) && anyRequires s inputs
        let records = requires && t.DType.IsFloat

        match op.Behaviour with
        | Computes forward -> checkWritable s id requires |> argumentsFirst s forward inputs attrs
        | Composes _
        | Aliases _ -> checkWritable s id requires
        |> Result.bind (fun () ->
            match op.Behaviour with
            | Computes forward -> writeComputed s op forward inputs attrs records
            | Aliases aliases -> writeGeometry s op aliases inputs attrs records
            | Composes _ -> invalidOp $"{op.Name} has no twin in place")
        |> Result.map (fun s ->
            if s.Holds Rules.Writes.returnsItself then
                s, [ id ]
            else
                let s, copy = State.addValue (Layout.dense t.Shape) (State.secondOrder s t) (State.read s s.Tensors[id]) s

                State.setTensor
                    copy
                    { s.Tensors[copy] with
                        GradFn = s.Tensors[id].GradFn }
                    s,
                [ copy ])
