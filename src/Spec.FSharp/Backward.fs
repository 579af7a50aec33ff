namespace Verified.Spec

open System.Collections.Generic

/// What one `backward` or `grad` is asked for.
type Demand =
    {
        /// The tensors to differentiate, each with the gradient it starts from; None: one.
        Roots: (int * int option) list
        /// The only tensors whose gradients are wanted; None: all leaves.
        Wanted: int list option
        /// Gradients are added to `.grad`; else they are returned.
        Accumulates: bool
        Retains: bool
        Creates: bool
    }

/// The backward pass. Derivative rules are compositions of registered operators: a pass applies them to plain values, or, under
/// create_graph, to tensors of the state, where they are recorded as anything else is.
module private Passes =
    open Complaints

    /// What a term stands for.
    [<RequireQualifiedAccess>]
    type Operand<'S> =
        | Plain of Value<'S>
        /// A tensor that is not recorded from, with its value: what a rule returns unchanged is that very tensor, as in PyTorch.
        | Given of int * Value<'S>
        /// Under create_graph.
        | Tracked of int

    /// A node on its way to be run.
    [<AllowNullLiteral>]
    type Slot<'S>(node: Node<'S>) =
        member _.Node = node
        /// What has arrived for each result, the latest first: engines add these up in any order.
        member val Arrived: Term list[] = Array.create node.Results.Length []
        /// How many nodes still have to run before this one may.
        member val Pending = 0 with get, set
        /// Whether a wanted gradient lies on the way through it.
        member val Runs = true with get, set
        /// The places among the wanted gradients that its results' gradients are.
        member val Captures: (int * int) list = [] with get, set

    /// Applies a view operator or a computing one to plain values.
    let evaluate (op: Operator) (inputs: Value<'S> option[]) attrs : Value<'S> list =
        match op.Behaviour with
        | Computes forward -> forward.Of { In = inputs; Attrs = attrs } |> orFail
        | Aliases aliases ->
            let x = inputs[0].Value

            let show (g: Geometry) =
                { x with
                    Shape = g.Shape
                    Elements = Elements.gather g x.Elements }

            match aliases (Layout.dense x.Shape) attrs |> orFail with
            | Views geometries -> List.map show geometries
            | Itself -> [ x ]
            | Copied shape -> [ { x with Shape = shape } ]
        | Composes _ -> invalidOp $"{op.Name} is applied by its parts"

    /// A geometry as the attributes of the internal operators over rows of elements.
    let geometryAttributes (g: Geometry) =
        [ "size", Derive.sizeAttr g.Shape
          "stride", Derive.sizeAttr g.Strides
          "storage_offset", Attr.Integer(int64 g.Offset) ]


    /// Operators in place that leave nothing of what was there.
    let overwriting = set [ "zero"; "fill"; "copy" ]

    let isZero<'S when 'S :> IScalar<'S>> (value: Value<'S>) =
        match value.Elements with
        | Elements.Floats x -> x |> Array.forall (fun v -> 'S.Value v = 0.0)
        | Elements.Ints(x, _) -> x |> Array.forall (fun v -> v = 0L)

open Complaints
open Passes

/// One run over the tape. Its state changes inside; nothing of it is seen outside but the state at the end.
[<Sealed>]
type private Pass<'S when 'S :> IScalar<'S>>(registry: Map<string, Operator>, start: State<'S>, demand: Demand) =
    let mutable state = start
    let operands = ResizeArray<Operand<'S>>()
    let creates = demand.Creates

    // What is made under create_graph, or of something so made, is of second order.
    let second = creates || demand.Roots |> List.exists (fun (id, _) -> State.secondOrder start start.Tensors[id])

    let operator name =
        match Map.tryFind name registry with
        | Some op -> op
        | None -> invalidOp $"a derivative rule applies '{name}', which is not registered"

    member _.State
        with get () = state
        and set value = state <- value

    member private p.Term(operand: Operand<'S>, dtype, shape) : Term =
        operands.Add operand

        { Calculus = p
          Id = operands.Count - 1
          DType = dtype
          Shape = shape }

    member private _.Add(value: Value<'S>) : int =
        let s, id = State.addValue (Layout.dense value.Shape) false value state
        state <- s
        id

    /// A plain value as a term.
    member p.Plain(value: Value<'S>) =
        if creates then
            p.Tracked(p.Add value)
        else
            p.Term(Operand.Plain value, value.DType, value.Shape)

    /// A plain value as a leaf that requires a gradient.
    member p.Leaf(value: Value<'S>) : Term =
        let id = p.Add value
        state <- State.requireGrad true id state
        p.Tracked id

    member p.Tracked id =
        let t = state.Tensors[id]

        let operand = if creates then Operand.Tracked id else Operand.Given(id, State.read state t)

        p.Term(operand, t.DType, t.Shape)

    /// Whether a tensor of the state requires a gradient.
    member p.Requires(term: Term) = History.requiresGrad state state.Tensors[p.Tensor term]

    member _.Value(term: Term) : Value<'S> =
        match operands[term.Id] with
        | Operand.Plain value
        | Operand.Given(_, value) -> value
        | Operand.Tracked id -> State.read state state.Tensors[id]

    /// The tensor that a term is: what a user may see of it.
    member p.Tensor(term: Term) : int =
        match operands[term.Id] with
        | Operand.Plain value ->
            let id = p.Add value
            operands[term.Id] <- Operand.Given(id, value)
            id
        | Operand.Given(id, _)
        | Operand.Tracked id -> id

    /// A copy of a term, as a tensor of its own.
    member p.Copy(term: Term) : int =
        if creates then
            p.Tensor(p.Strided("strided", term, Layout.dense term.Shape))
        else
            p.Add(p.Value term)

    member p.Apply(op: Operator, args: Term option[], attrs: Attrs) : Term list =
        match op.Behaviour with
        | Composes parts -> parts attrs (List.ofArray args) |> orFail
        | _ when creates ->
            let inputs =
                args
                |> Array.map (
                    Option.map (fun t ->
                        match operands[t.Id] with
                        | Operand.Tracked id -> id
                        | Operand.Given _
                        | Operand.Plain _ -> invalidOp "under create_graph every term is a tensor")
                )

            let s, ids = Calls.apply state op inputs attrs |> orFail
            state <- s
            List.map p.Tracked ids
        | _ -> evaluate op (args |> Array.map (Option.map p.Value)) attrs |> List.map p.Plain

    member p.Strided(name, term: Term, g: Geometry) : Term =
        p.Apply(operator name, [| Some term |], Map.ofList (geometryAttributes g)) |> List.head

    interface ICalculus with
        member p.Apply(name, args, attrs) =
            let args = Array.ofList args
            let mutable n = args.Length

            while n > 0 && args[n - 1].IsNone do
                n <- n - 1

            match name with
            | "sum_to" when not (state.Holds Rules.Gradients.broadcastIsSummed) -> List.choose id (List.ofArray args)
            | "to" when not (state.Holds Rules.Gradients.ownDtype) -> List.choose id (List.ofArray args)
            | _ -> p.Apply(operator name, (if n < args.Length then Array.sub args 0 n else args), Map.ofList attrs)

        member p.Strides term =
            match operands[term.Id] with
            | Operand.Tracked id
            | Operand.Given(id, _) -> state.Tensors[id].Geometry.Strides
            | Operand.Plain _ -> (Layout.dense term.Shape).Strides

        member p.RequiresGrad term =
            match operands[term.Id] with
            | Operand.Tracked id -> History.requiresGrad state state.Tensors[id]
            | Operand.Given _
            | Operand.Plain _ -> false

    /// The sum of gradients of one shape and dtype, in any order.
    member p.Sum(terms: Term list) : Term option =
        match terms with
        | [] -> None
        | [ only ] -> Some only
        | _ -> p.Apply(operator "total", terms |> List.map Some |> Array.ofList, Map.empty) |> List.tryHead

    /// The transpose of a view's map, both geometries over one row of elements.
    member p.Transpose(term: Term, input: Geometry, output: Geometry) : Term =
        let scatter shape g =
            p.Apply(
                operator "strided_backward",
                [| Some term |],
                Map.ofList (("input_size", Derive.sizeAttr shape) :: geometryAttributes g)
            )
            |> List.head

        if Layout.isContiguous input then
            let over =
                { output with
                    Offset = output.Offset - input.Offset }

            if not creates && Strides.isWhole (Strides.count input) over then
                p.Plain
                    { p.Value term with
                        Shape = input.Shape }
            else
                scatter input.Shape over
        else
            p.Strided("strided", scatter [| Pass<'S>.Extent(input, output) |] output, input)

    /// The length of a row of elements that holds two geometries.
    static member private Extent(a: Geometry, b: Geometry) =
        let last (g: Geometry) =
            if Strides.count g = 0 then
                0
            else
                g.Offset + 1 + Array.sum (Array.map2 (fun size stride -> (size - 1) * stride) g.Shape g.Strides)

        max (last a) (last b)

    /// Brings a gradient to the shape and the dtype of the tensor that it belongs to.
    member p.Fit(term: Term, struct (shape: int[], dtype: DType)) : Term =
        let term =
            if term.Shape = shape || not (state.Holds Rules.Gradients.broadcastIsSummed) then
                term
            else
                p.Apply(operator "sum_to", [| Some term |], Map.ofList [ "size", Derive.sizeAttr shape ]) |> List.head

        if term.DType = dtype || not (state.Holds Rules.Gradients.ownDtype) then
            term
        else
            p.Apply(operator "to", [| Some term |], Map.ofList [ "dtype", Attr.Text dtype.Name ]) |> List.head

    /// A kept tensor, if it is still what it was.
    member private p.Unpack(node: Node<'S>, saved: Saved) : Term =
        let t = state.Tensors[saved.Tensor]

        let history =
            if saved.Twin then
                Some
                    { Node = node
                      Output =
                        match saved.Place with
                        | Output k -> k
                        | Input _
                        | Indices -> 0 }
            else
                let s, edge = History.gradFn state saved.Tensor |> orFail
                state <- s
                edge

        if saved.HadHistory && history.IsNone && state.Holds Rules.Versions.keptIsNotDetached then
            fail
                { Kind = OtherError
                  Message =
                    "Trying to use a saved tensor that has been detached in-place, i.e. with .detach_().This is not supported, please use out-of-place `.detach()` instead" }

        let version = State.version state t

        if version <> saved.Version && state.Holds Rules.Versions.keptIsChecked then
            let origin =
                match history with
                | Some edge -> $", which is output {edge.Output} of {edge.Node.Name},"
                | None -> ""

            let which =
                if state.Holds Rules.Errors.modifiedNamesTheTensor then
                    $": [{History.describe t}]{origin} is at version {version}; expected version {saved.Version} instead"
                else
                    ""

            fail
                { Kind = ModifiedInPlace
                  Message =
                    $"one of the variables needed for gradient computation has been modified by an inplace operation{which}. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True)." }

        if creates && saved.Twin && t.DType.IsFloat then
            let s, id = State.addTensor { t with GradFn = history } state
            state <- s
            p.Tracked id
        else
            p.Tracked saved.Tensor

    member private _.FailFreed() =
        fail
            { Kind = FreedGraph
              Message =
                "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward." }

    /// The gradients of an operator's inputs by its rule, from those of its results and from what it kept.
    member p.Derive(op: Operator, attrs, inputs: (struct (int[] * DType))[], gradients: Term option[], kept, needs) : Term option[] =
        let results = p.Derivation(op, attrs, inputs, gradients, kept, needs) |> op.Derivative.Value |> Array.ofList

        if results.Length < inputs.Length then
            invalidOp $"the derivative of {op.Name} has {results.Length} gradients for {inputs.Length} inputs"

        if overwriting.Contains op.Name && not (state.Holds Rules.Writes.overwritingCuts) then
            results[0] <- gradients[0]

        results

    /// What a derivative rule is given.
    member private p.Derivation(op: Operator, attrs, inputs: (struct (int[] * DType))[], gradients: Term option[], kept, needs) =
        let find place =
            match kept |> Array.tryPick (fun struct (at, term: Term option) -> if at = place then term else None) with
            | Some term -> term
            | None -> invalidOp $"the derivative of {op.Name} reads {place}, which its record does not keep"

        { new IDerivation with
            member _.Gradient k = gradients[k]
            member _.Input i = find (Input i)
            member _.Output k = find (Output k)

            member _.HasZero i =
                match (p.Value(find (Input i))).Elements with
                | Elements.Floats x -> x |> Array.exists (fun x -> 'S.Value x = 0.0)
                | Elements.Ints _ -> false

            member _.Needs i = needs i
            member _.Has i = kept |> Array.exists (fun struct (place, term) -> place = Input i && term.IsSome)

            member _.ShapeOf i =
                let struct (shape, _) = inputs[i]
                shape

            member _.DTypeOf i =
                let struct (_, dtype) = inputs[i]
                dtype

            member _.Attrs = attrs
            member _.Inputs = inputs.Length }

    /// The gradients of an operator's inputs, recorded as PyTorch has it: as one node, or by the parts of the rule.
    member private p.Gradient
        (op: Operator, attrs, inputs: (struct (int[] * DType))[], gradients: Term option[], kept: (struct (Saving * Term option))[], needs)
        =
        match op.Fused with
        | _ when Array.forall Option.isNone gradients -> Array.create inputs.Length None
        | Some fusion when creates ->
            let gradient =
                { Operator = op
                  Attrs = attrs
                  Of = inputs
                  Places = kept |> Array.map (fun struct (place, _) -> place)
                  To = [||]
                  Kept = [||] }

            p.Fuse(fusion, gradient, gradients[0].Value, kept, needs)
        | _ -> p.Derive(op, attrs, inputs, gradients, kept, needs)

    /// The gradients of an operator's inputs as the results of one node.
    member private p.Fuse(fusion, gradient: FusedGradient, g: Term, kept: (struct (Saving * Term option))[], needs) : Term option[] =
        let unrecorded = Pass<'S>(registry, state, { demand with Creates = false })
        let plain (t: Term) = unrecorded.Plain(p.Value t)
        let values = kept |> Array.map (fun struct (place, term) -> struct (place, Option.map plain term))

        let results =
            unrecorded.Derive(gradient.Operator, gradient.Attrs, gradient.Of, [| Some(plain g) |], values, needs)
            |> Array.mapi (fun i result -> if needs i then Option.map unrecorded.Value result else None)

        let reached =
            [ for i in 0 .. results.Length - 1 do
                  if results[i].IsSome then i ]

        let inputs =
            Array.append [| Some g |] (kept |> Array.map (fun struct (_, term) -> term))
            |> Array.map (Option.map p.Tensor)

        let record (places: int list) =
            let s, ids =
                Calls.fuse
                    state
                    fusion
                    { gradient with
                        To = Array.ofList places }
                    inputs
                    (places |> List.map (fun i -> results[i].Value))
                |> orFail

            state <- s
            List.zip places (List.map p.Tracked ids)

        let found = (if fusion.Apart then List.map List.singleton reached else [ reached ]) |> List.collect record |> Map.ofList
        results |> Array.mapi (fun i _ -> Map.tryFind i found)

    /// The derivative of a fused gradient.
    member private p.Unfuse(node: Node<'S>, gradient: FusedGradient, upstream: Term option[], needs) : Term option[] =
        let kept = gradient.Kept |> Array.map (fun saved -> struct (saved.Place, p.Unpack(node, saved)))

        match gradient.Operator.Fused.Value.Derivative with
        | Some derivative -> p.Again(derivative, node, gradient, upstream, kept, needs)
        | None -> p.Recompose(node, gradient, upstream, kept, needs)

    /// The derivative of a fused gradient, as its record composes it.
    member private p.Again(derivative, node: Node<'S>, gradient: FusedGradient, upstream: Term option[], kept, needs) : Term option[] =
        let keptAt j = kept |> Array.tryPick (fun struct (place, term) -> if place = Input j then Some term else None)
        let places = gradient.Places |> Array.mapi (fun i place -> struct (place, keptAt (i + 1)))
        let towards = gradient.To[0]

        let again (g: Term) =
            p.Gradient(gradient.Operator, gradient.Attrs, gradient.Of, [| Some g |], places, (=) towards)
            |> Array.item towards

        let gradients =
            derivative
                { First = p.Derivation(gradient.Operator, gradient.Attrs, gradient.Of, [| keptAt 0 |], places, needs)
                  Towards = towards
                  Arriving = upstream[0].Value
                  Of = again >> Option.get }

        let by i = gradients |> List.tryItem i |> Option.flatten |> Option.map (fun gradient -> gradient ())

        Array.init node.Inputs.Length (fun j -> if needs j then by j else None)

    /// The derivative of a fused gradient whose record has none: the rule is applied again, recorded, and a pass goes back through that.
    member private p.Recompose(node: Node<'S>, gradient: FusedGradient, upstream: Term option[], kept, needs) : Term option[] =
        let recording =
            Pass<'S>(
                registry,
                { state with
                    GradMode = true
                    Off = Set.empty },
                { demand with Creates = true }
            )

        let keptAt j = kept |> Array.tryPick (fun struct (place, term) -> if place = Input j then Some term else None)

        // Its inputs, cut off from their own histories where nothing is recorded, and else with histories that begin here.
        let start j : Term option =
            let struct (shape, dtype) = node.Inputs[j]

            match keptAt j with
            | Some term when creates && needs j ->
                Some(recording.Tracked(p.Tensor term).Apply("view", [], [ "size", Derive.sizeAttr shape ]))
            // Not differentiated by now, but what is made of it still depends on it.
            | Some term when creates -> Some(recording.Tracked(p.Tensor term))
            | Some term when needs j -> Some(recording.Leaf(p.Value term))
            | Some term -> Some(recording.Plain(p.Value term))
            // What arrives and is not kept comes in linearly.
            | None when j = 0 -> Some(recording.Leaf(Value.full dtype shape 0.0))
            | None -> None

        let inputs = Array.init node.Inputs.Length start
        let places = gradient.Places |> Array.mapi (fun i place -> struct (place, inputs[i + 1]))
        let reached i = Array.exists2 (fun target arrived -> target = i && Option.isSome arrived) gradient.To upstream
        let results = recording.Derive(gradient.Operator, gradient.Attrs, gradient.Of, [| inputs[0] |], places, reached)

        let roots =
            [ for k in 0 .. gradient.To.Length - 1 do
                  match upstream[k], results[gradient.To[k]] with
                  | Some arrived, Some result when recording.Requires result ->
                      recording.Tensor result,
                      Some(
                          recording.Tensor(
                              if creates then
                                  recording.Tracked(p.Tensor arrived)
                              else
                                  recording.Plain(p.Value arrived)
                          )
                      )
                  | _ -> () ]

        let fusion = gradient.Operator.Fused.Value

        let wanted =
            [ for j in 0 .. inputs.Length - 1 do
                  if needs j && inputs[j].IsSome then j ]

        let back =
            Pass<'S>(
                registry,
                { recording.State with
                    GradMode = creates },
                { Roots = roots
                  Wanted = Some [ for j in wanted -> recording.Tensor inputs[j].Value ]
                  Accumulates = false
                  Retains = true
                  Creates = creates }
            )

        let found = if roots.IsEmpty then List.map (fun _ -> None) wanted else back.Run()

        if creates then
            state <-
                { back.State with
                    GradMode = state.GradMode
                    Off = state.Off }

        let take (term: Term) = if creates then p.Tracked(back.Tensor term) else p.Plain(back.Value term)

        Array.init node.Inputs.Length (fun j ->
            match List.tryFindIndex ((=) j) wanted with
            | Some k -> found[k] |> Option.map take
            | None when needs j && List.contains gradient.Places[j - 1] fusion.Constants ->
                let struct (shape, dtype) = node.Inputs[j]
                Some(p.Plain(Value.full dtype shape 0.0))
            | None -> None)

    /// The gradients of a node's inputs. `needs`: which of them are wanted.
    member private p.Differentiate(node: Node<'S>, gradients: Term option[], needs: int -> bool) : Term option[] =
        if state.Freed.Contains node.Sequence && state.Holds Rules.Graph.freedAfterUse then
            p.FailFreed()

        match node.Kind with
        | Accumulate _ -> [||]
        | View(input, [| output |]) -> [| gradients[0] |> Option.map (fun g -> p.Transpose(g, input, output)) |]
        | View(input, outputs) ->
            let add (total: Term option) (gradient: Term option, output: Geometry) =
                match total, gradient with
                | None, Some g -> Some(p.Transpose(g, input, output))
                | Some total, Some _ ->
                    p.Apply(operator "strided_write", [| Some total; gradient |], Map.ofList (geometryAttributes output))
                    |> List.tryHead
                | total, None -> total

            [| Array.zip gradients outputs |> Array.fold add None |]
        | Rule(op, attrs, kept) ->
            let kept =
                kept
                |> Array.map (fun saved -> struct (saved.Place, (if saved.Tensor < 0 then None else Some(p.Unpack(node, saved)))))

            p.Gradient(op, attrs, node.Inputs, gradients, kept, needs)
        | Fused _ when Array.forall Option.isNone gradients -> Array.create node.Inputs.Length None
        | Fused gradient -> p.Unfuse(node, gradient, gradients, needs)
        | WriteThrough(whole, view, inner) ->
            match gradients[0] with
            | None -> Array.create node.Inputs.Length None
            | Some g ->
                let contiguous = Layout.isContiguous whole

                let flat, over =
                    if contiguous then
                        g,
                        { view with
                            Offset = view.Offset - whole.Offset }
                    else
                        p.Transpose(g, Layout.dense [| Pass<'S>.Extent(whole, view) |], whole), view

                let slice = p.Strided("strided", flat, over)
                let results = p.Differentiate(inner, [| Some slice |], needs)

                if needs 0 then
                    // The gradient is written through the same view, and refused as any write there is.
                    if results[0].IsSome && Strides.overlapsItself view then
                        fail Calls.overlapsItself

                    let inside = results[0] |> Option.map (fun r -> p.Fit(r, struct (slice.Shape, slice.DType)))

                    let args = Array.append [| Some flat |] (if inside.IsSome then [| inside |] else [||])

                    let written = p.Apply(operator "strided_write", args, Map.ofList (geometryAttributes over)) |> List.head

                    results[0] <- Some(if contiguous then written else p.Strided("strided", written, whole))

                results

    member private p.Hooked(node: Node<'S>, gradients: Term option[]) =
        for k in 0 .. gradients.Length - 1 do
            match gradients[k] with
            | Some _ when state.Hooks.IsEmpty -> ()
            | Some g ->
                match Map.tryFind (struct (node.Sequence, k)) state.Hooks with
                | Some hooks when state.Holds Rules.Hooks.replaceTheGradient ->
                    let run (g: Term) (hook: Hook) =
                        // A hook's number is a program's.
                        state <- { state with Deriving = false }
                        let replaced = g.Apply("mul", [], [ "other", hook.Scale ])
                        state <- { state with Deriving = true }

                        if state.Holds Rules.Hooks.areDifferentiated then
                            replaced
                        else
                            p.Plain(p.Value replaced)

                    let hooks = if state.Holds Rules.Hooks.allAreRun then hooks else List.truncate 1 hooks
                    gradients[k] <- Some(List.fold run g hooks)
                | _ -> ()
            | None -> ()

    member private p.KeepGradients(node: Node<'S>, gradients: Term option[]) =
        if not state.Retained.IsEmpty then
            for k in 0 .. gradients.Length - 1 do
                match gradients[k], Map.tryFind (struct (node.Sequence, k)) state.Retained with
                | Some g, Some id ->
                    let grad =
                        match state.Tensors[id].Grad with
                        | None -> p.Copy g
                        // Of a tensor that was given another shape since, it may not fit.
                        | Some before when state.Holds Rules.Gradients.retainedAccumulates ->
                            p.Tensor(p.Apply(operator "add", [| Some(p.Tracked before); Some g |], Map.empty) |> List.head)
                        | Some _ -> p.Copy g

                    p.SetGrad(id, grad)
                | _ -> ()

    /// Marks a tensor that a user will see as of second order where it is.
    member _.Mark(id: int) =
        let storage = state.Tensors[id].Storage

        if second && not state.Storages[storage].SecondOrder then
            state <-
                { state with
                    Storages =
                        state.Storages.Set(
                            storage,
                            { state.Storages[storage] with
                                SecondOrder = true }
                        ) }

    member private p.SetGrad(id, grad) =
        p.Mark grad

        state <-
            State.setTensor
                id
                { state.Tensors[id] with
                    Grad = Some grad }
                state

    /// Adds what has arrived at a leaf to its gradient: one after another, or their sum at once.
    member private p.AccumulateInto(id: int, arrived: Term list) =
        let t = state.Tensors[id]

        let inPlace =
            if creates then
                not (state.Holds Rules.Gradients.createGraphAddsOutOfPlace)
            else
                state.Holds Rules.Gradients.addsInPlace

        if not arrived.IsEmpty && state.Holds Rules.Leaves.writtenIntoTheGraph then
            match History.gradFn state id with
            | Ok(_, None) -> ()
            | Ok(_, Some _) ->
                fail
                    { Kind = OtherError
                      Message = "leaf variable has been moved into the graph interior" }
            | Error complaint -> fail complaint

        if not arrived.IsEmpty && (t.RequiresGrad || not (state.Holds Rules.Leaves.switchedOffAccumulatesNothing)) then
            let gradient () = p.Sum(arrived).Value

            match t.Grad with
            | Some _ when not (state.Holds Rules.Gradients.backwardsAccumulate) -> p.SetGrad(id, p.Copy(gradient ()))
            | None when state.Holds Rules.Gradients.neverShared -> p.SetGrad(id, p.Copy(gradient ()))
            | None -> p.SetGrad(id, p.Tensor(gradient ()))
            | Some before ->
                let total = p.Sum(p.Tracked before :: arrived).Value

                if inPlace then
                    let after = Calls.store before (p.Value total) second state

                    state <-
                        if state.Holds Rules.Versions.accumulationCounts then
                            after
                        else
                            { after with Versions = state.Versions }
                else
                    p.SetGrad(id, p.Tensor total)

    /// The slots of all nodes that can be reached, each knowing how many others lead to it.
    member private _.Collect(roots: Edge<'S> list) : Dictionary<int, Slot<'S>> =
        let slots = Dictionary<int, Slot<'S>>()
        let open' = Stack<Node<'S>>()

        let visit (node: Node<'S>) =
            match slots.TryGetValue node.Sequence with
            | true, slot -> slot
            | _ ->
                let slot = Slot node
                slots[node.Sequence] <- slot
                open'.Push node
                slot

        for root in roots do
            visit root.Node |> ignore

        while open'.Count > 0 do
            for edge in open'.Pop().Edges do
                match edge with
                | Some edge ->
                    let slot = visit edge.Node
                    slot.Pending <- slot.Pending + 1
                | None -> ()

        slots

    /// Marks the slots that lie on the way to a wanted gradient.
    member private _.Restrict(slots: Dictionary<int, Slot<'S>>, wanted: Edge<'S> option list) =
        for slot in slots.Values do
            slot.Runs <- false

        wanted
        |> List.iteri (fun i edge ->
            match edge with
            | Some edge ->
                match slots.TryGetValue edge.Node.Sequence with
                | true, slot ->
                    if demand.Accumulates then
                        slot.Runs <- true
                    else
                        slot.Captures <- (i, edge.Output) :: slot.Captures
                | _ -> ()
            | None -> ())

        // A node's inputs come from nodes created before it, leaves' nodes excepted, which lead nowhere.
        for slot in slots.Values |> Seq.sortBy (fun slot -> slot.Node.Sequence) do
            if not slot.Runs then
                slot.Runs <-
                    slot.Node.Edges
                    |> Array.exists (function
                        | Some edge ->
                            let next = slots[edge.Node.Sequence]
                            next.Runs || not next.Captures.IsEmpty
                        | None -> false)

    /// Frees what a node kept.
    member private _.Free(node: Node<'S>) =
        let keeps =
            match node.Kind with
            | Rule(_, _, kept) -> kept |> Array.exists (fun saved -> saved.Tensor >= 0 || state.Holds Rules.Graph.numbersAreKept)
            | Fused gradient -> gradient.Kept.Length > 0
            | WriteThrough _ -> true
            | View _
            | Accumulate _ -> false

        let kept = keeps || not (state.Holds Rules.Graph.onlyWhatKeptIsFreed) && not node.Kind.IsAccumulate

        if kept && not demand.Retains then
            state <-
                { state with
                    Freed = state.Freed.Add node.Sequence }

    /// Runs the pass: the gradients of what was wanted, where they are not accumulated.
    member p.Run() : Term option list =
        let edgeOf id =
            let s, edge = History.edge state id |> orFail
            state <- s
            edge

        let roots =
            demand.Roots
            |> List.truncate (if state.Holds Rules.Gradients.rootsAdd then demand.Roots.Length else 1)
            |> List.indexed
            |> List.choose (fun (i, (id, gradient)) ->
                match edgeOf id with
                | Some edge -> Some(edge, id, gradient)
                | None when state.Holds Rules.Gradients.aRootHasAHistory ->
                    let i = if state.Holds Rules.Errors.rootsAreNumbered then i else 0

                    fail
                        { Kind = NoGradFn
                          Message = $"element {i} of tensors does not require grad and does not have a grad_fn" }
                | None -> None)

        let wanted =
            demand.Wanted
            |> Option.map (
                List.map (fun id ->
                    let rule =
                        if demand.Accumulates then
                            Rules.Gradients.onlyWhatRequiresIsRetained
                        else
                            Rules.Gradients.differentiatedRequires

                    if state.Holds rule && not (History.requiresGrad state state.Tensors[id]) then
                        fail (
                            if demand.Accumulates then
                                { Kind = RetainGradWithoutGrad
                                  Message = "can't retain_grad on Tensor that has requires_grad=False" }
                            else
                                { Kind = InputWithoutGrad
                                  Message = "One of the differentiated Tensors does not require grad" }
                        )

                    let edge = edgeOf id

                    if demand.Accumulates && state.Holds Rules.Gradients.wantedMayBeComputed then
                        state <- History.retain id state

                    edge)
            )

        let slots = p.Collect(roots |> List.map (fun (edge, _, _) -> edge))

        if not demand.Accumulates || state.Holds Rules.Gradients.onlyWhatIsWanted then
            wanted |> Option.iter (fun wanted -> p.Restrict(slots, wanted))

        if not demand.Accumulates && not (state.Holds Rules.Gradients.gradLeavesLeavesAlone) then
            for slot in slots.Values do
                slot.Runs <- true

        let single =
            match roots with
            | [ edge, _, _ ] -> Some edge.Node.Sequence
            | _ -> None

        let captured = Array.create (wanted |> Option.map List.length |> Option.defaultValue 0) None
        let ready = PriorityQueue<Slot<'S>, int>()

        let give (edge: Edge<'S>) (gradient: Term option) =
            let arrived = slots[edge.Node.Sequence].Arrived

            gradient
            |> Option.iter (fun g ->
                arrived[edge.Output] <-
                    if state.Holds Rules.Gradients.pathsAdd then
                        g :: arrived[edge.Output]
                    else
                        [ g ])

        let enqueue (slot: Slot<'S>) =
            match slot.Node.Kind with
            | Accumulate _ -> ready.Enqueue(slot, System.Int32.MinValue)
            | _ -> ready.Enqueue(slot, -slot.Node.Sequence)

        for i, (edge, id, gradient) in List.indexed roots do
            let t = state.Tensors[id]

            let seed =
                match gradient with
                | Some g ->
                    let given = p.Tracked g

                    if given.DType <> t.DType && not (state.Holds Rules.Gradients.givenIsCast) then
                        fail
                            { Kind = DTypeError
                              Message = "a gradient has another dtype than its root" }

                    if given.Shape <> t.Shape then
                        p.Apply(operator "expand", [| Some given |], Map.ofList [ "size", Derive.sizeAttr t.Shape ]) |> List.head
                    else
                        given
                | None -> p.Plain(Value.full t.DType t.Shape 1.0)

            // A root that was given another shape in place, unrecorded, still has the shape that its node knows.
            let struct (shape, dtype) = edge.Node.Results[edge.Output]

            if not (Broadcast.reaches shape seed.Shape) then
                fail
                    { Kind = ShapeError
                      Message =
                        $"invalid gradient at index {i} - got {Shape.show seed.Shape} but expected shape compatible with {Shape.show shape}" }

            let seed = p.Fit(seed, struct (shape, dtype))

            give edge (Some seed)

        for slot in slots.Values do
            if slot.Pending = 0 then enqueue slot

        while ready.Count > 0 do
            let slot = ready.Dequeue()
            let node = slot.Node


            // A hook on a leaf sees the sum of what arrives there.
            let accumulated =
                match node.Kind with
                | Accumulate _ when slot.Runs -> Map.containsKey (struct (node.Sequence, 0)) state.Hooks |> not
                | _ -> false

            let gradients = if accumulated then [| None |] else Array.map p.Sum slot.Arrived

            let capture () =
                for i, k in slot.Captures do
                    captured[i] <- gradients[k]

            // What is returned of a node that runs as well has not seen its hooks, as PyTorch has it.
            let runs = slot.Runs && state.Holds Rules.Hooks.passedIsCapturedBefore

            if runs then capture ()

            // PyTorch enters a single root whether or not its gradient leads anywhere.
            if
                slot.Runs
                || not slot.Captures.IsEmpty && state.Holds Rules.Hooks.runInGrad
                || single = Some node.Sequence && state.Holds Rules.Hooks.aSingleRootIsEntered
            then
                if not (state.Holds Rules.Hooks.beforeRetained) then
                    p.KeepGradients(node, gradients)

                p.Hooked(node, gradients)

                if state.Holds Rules.Hooks.beforeRetained then
                    p.KeepGradients(node, gradients)

            if not runs then capture ()

            let results =
                if not slot.Runs then
                    [||]
                else
                    match node.Kind with
                    | Accumulate id ->
                        p.AccumulateInto(id, (if accumulated then slot.Arrived[0] else Option.toList gradients[0]))
                        [||]
                    | _ ->
                        let needs i =
                            match Array.tryItem i node.Edges with
                            | Some(Some edge) ->
                                let next = slots[edge.Node.Sequence]
                                next.Runs || not next.Captures.IsEmpty
                            | _ -> false

                        let results = p.Differentiate(node, gradients, needs)

                        p.Free node

                        results
                        |> Array.mapi (fun i result ->
                            match result with
                            | Some g when not (state.Holds Rules.Gradients.zeroIsNotNull) && isZero (p.Value g) -> None
                            | Some g when i < node.Inputs.Length && needs i ->
                                // A tensor that was given another shape in place, unrecorded, still has the shape that its node knows.
                                let edge = node.Edges[i].Value
                                let struct (shape, dtype) = edge.Node.Results[edge.Output]

                                if not (Broadcast.reaches shape g.Shape) && state.Holds Rules.Gradients.broadcastIsSummed then
                                    fail
                                        { Kind = GradientShape
                                          Message =
                                            $"Function {node.Name} returned an invalid gradient at index {i} - got {Shape.show g.Shape} but expected shape compatible with {Shape.show shape}" }

                                Some(p.Fit(g, struct (shape, dtype)))
                            | _ -> None)

            for i in 0 .. node.Edges.Length - 1 do
                match node.Edges[i] with
                | Some edge ->
                    if i < results.Length then give edge results[i]

                    let next = slots[edge.Node.Sequence]
                    next.Pending <- next.Pending - 1

                    if next.Pending = 0 then enqueue next
                | None -> ()

        if not (state.Holds Rules.Graph.onlyWhatWasPassedIsFreed) then
            for slot in slots.Values do
                p.Free slot.Node

        List.ofArray captured

[<RequireQualifiedAccess>]
module Backward =
    /// Runs backward: the state after it and, where gradients are not accumulated, a tensor for each that was wanted (None where
    /// no path leads).
    let run<'S when 'S :> IScalar<'S>>
        (registry: Map<string, Operator>)
        (s: State<'S>)
        (demand: Demand)
        : Result<State<'S> * int option list, Complaint> =
        let creates = demand.Creates && s.Holds Rules.Graph.createGraphRecords || not (s.Holds Rules.Graph.gradientsAreConstants)

        let demand = { demand with Creates = creates }

        let inside =
            { s with
                GradMode = creates && (s.GradMode || s.Holds Rules.Modes.backwardHasItsOwnMode)
                Inference = false
                Deriving = true
                Second = s.Second || demand.Roots |> List.exists (fun (id, _) -> State.secondOrder s s.Tensors[id]) }

        let pass = Pass<'S>(registry, inside, demand)

        try
            let captured =
                pass.Run()
                |> List.map (
                    Option.map (fun term ->
                        let id = pass.Tensor term
                        pass.Mark id
                        id)
                )

            Ok(
                { pass.State with
                    GradMode = s.GradMode
                    Inference = s.Inference
                    Deriving = s.Deriving },
                captured
            )
        with Complained complaint ->
            Error complaint
