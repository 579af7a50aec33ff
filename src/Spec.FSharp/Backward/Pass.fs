namespace Verified.Spec

open System.Collections.Generic
open Complaints

/// One run over the tape. Its state changes inside; nothing of it is seen outside but the state at the end.
[<Sealed>]
type internal Pass<'S when 'S :> IScalar<'S>>(registry: Map<string, Operator>, start: State<'S>, demand: Demand, caller: bool option) =
    // Views of what the user gave may be seen in what `grad` returns, or, without the rule, in what a leaf keeps.
    let shows =
        not demand.Accumulates
        || not (start.Holds Rules.Gradients.viewsAreNotShared)
        || not (start.Holds Rules.Gradients.firstHasTheLeafsShape)

    let c = Calculus<'S>(registry, start, demand.Creates, shows)

    // What is made under create_graph, or of something so made, is of second order.
    let second = demand.Creates || demand.Roots |> List.exists (fun (id, _) -> State.secondOrder start start.Tensors[id])

    let delivery = Delivery<'S>(c, second)
    let holds rule = c.State.Holds rule

    let edgeOf id =
        let s, edge = History.edge c.State id |> orFail
        c.State <- s
        edge

    // A pass within this one, for the derivative of a fused gradient.
    let within (state: State<'S>) demand =
        let pass = Pass<'S>(registry, state, demand, None)
        let found = pass.Run()
        pass.Calculus, found

    let isZero (value: Value<'S>) =
        match value.Elements with
        | Elements.Floats x -> x |> Array.forall (fun v -> 'S.Value v = 0.0)
        | Elements.Ints(x, _) -> x |> Array.forall (fun v -> v = 0L)

    /// What the pass calculates with, and the state at the end.
    member _.Calculus = c

    /// Marks a tensor that a user will see as of second order where it is.
    member _.Mark id = delivery.Mark id

    /// The roots that have a history, each with its edge and the gradient it starts from.
    member private _.Roots() =
        demand.Roots
        |> List.truncate (if holds Rules.Gradients.rootsAdd then demand.Roots.Length else 1)
        |> List.indexed
        |> List.choose (fun (i, (id, gradient)) ->
            match edgeOf id with
            | Some edge -> Some(edge, id, gradient)
            | None when holds Rules.Gradients.aRootHasAHistory ->
                let i = if holds Rules.Errors.rootsAreNumbered then i else 0

                fail
                    { Kind = NoGradFn
                      Message = $"element {i} of tensors does not require grad and does not have a grad_fn" }
            | None -> None)

    /// The edge to a tensor whose gradient is wanted.
    member private _.Wanted id =
        let rule =
            if demand.Accumulates then
                Rules.Gradients.onlyWhatRequiresIsRetained
            else
                Rules.Gradients.differentiatedRequires

        if holds rule && not (History.requiresGrad c.State c.State.Tensors[id]) then
            fail (
                if demand.Accumulates then
                    { Kind = RetainGradWithoutGrad
                      Message = "can't retain_grad on Tensor that has requires_grad=False" }
                else
                    { Kind = InputWithoutGrad
                      Message = "One of the differentiated Tensors does not require grad" }
            )

        let edge = edgeOf id

        if demand.Accumulates && holds Rules.Gradients.wantedMayBeComputed then
            c.State <- History.retain id c.State

        edge

    /// The gradient that the pass starts from at root i.
    member private _.Seed(i, edge: Edge<'S>, id, gradient) : Term =
        let t = c.State.Tensors[id]

        let seed =
            match gradient with
            | Some g ->
                let given = c.Tracked g

                if given.DType <> t.DType && not (holds Rules.Gradients.givenIsCast) then
                    fail
                        { Kind = DTypeError
                          Message = "a gradient has another dtype than its root" }

                if given.Shape <> t.Shape then
                    c.Call("expand", [| Some given |], [ "size", Derive.sizeAttr t.Shape ])
                else
                    given
            | None -> c.Plain(Value.full t.DType t.Shape 1.0)

        // A root that was given another shape in place, unrecorded, still has the shape that its node knows.
        let struct (shape, dtype) = edge.Node.Results[edge.Output]

        if not (Broadcast.reaches shape seed.Shape) then
            fail
                { Kind = ShapeError
                  Message =
                    $"invalid gradient at index {i} - got {Shape.show seed.Shape} but expected shape compatible with {Shape.show shape}" }

        c.FitGiven(seed, struct (shape, dtype), caller)

    /// A gradient of a node's input as that of the result it belongs to, elsewhere.
    member private _.Fitted(node: Node<'S>, i, g: Term) : Term =
        // A tensor that was given another shape in place, unrecorded, still has the shape that its node knows.
        let edge = node.Edges[i].Value
        let struct (shape, dtype) = edge.Node.Results[edge.Output]

        if not (Broadcast.reaches shape g.Shape) && holds Rules.Gradients.broadcastIsSummed then
            fail
                { Kind = GradientShape
                  Message =
                    $"Function {node.Name} returned an invalid gradient at index {i} - got {Shape.show g.Shape} but expected shape compatible with {Shape.show shape}" }

        c.Fit(g, struct (shape, dtype))

    /// Frees what a node kept.
    member private _.Free(node: Node<'S>) =
        let keeps =
            match node.Kind with
            | Rule(_, _, kept) -> kept |> Array.exists (fun saved -> saved.Tensor >= 0 || holds Rules.Graph.numbersAreKept)
            | Fused gradient -> gradient.Kept.Length > 0
            | WriteThrough _ -> true
            | View _
            | Remade _
            | Accumulate _ -> false

        let kept = keeps || not (holds Rules.Graph.onlyWhatKeptIsFreed) && not node.Kind.IsAccumulate

        if kept && not demand.Retains then
            c.State <-
                { c.State with
                    Freed = c.State.Freed.Add node.Sequence }

    /// The gradients of a node's inputs: those that are wanted, or lead to what is.
    member private p.Differentiate(slots: Dictionary<int, Slot<'S>>, node: Node<'S>, gradients) : Term option[] =
        let needs i =
            match Array.tryItem i node.Edges with
            | Some(Some edge) ->
                let next = slots[edge.Node.Sequence]
                next.Runs || not next.Captures.IsEmpty
            | _ -> false

        let results = NodeGradients.differentiate within c node gradients needs

        p.Free node

        results
        |> Array.mapi (fun i result ->
            match result with
            | Some g when not (holds Rules.Gradients.zeroIsNotNull) && isZero (c.Value g) -> None
            | Some g when i < node.Inputs.Length && needs i -> Some(p.Fitted(node, i, g))
            | _ -> None)

    /// A node's turn: what has arrived is captured, hooked, kept, accumulated or differentiated.
    member private p.Visit(slots: Dictionary<int, Slot<'S>>, slot: Slot<'S>, captured: Term option[]) : Term option[] =
        let node = slot.Node

        // A hook on a leaf sees the sum of what arrives there.
        let accumulated =
            match node.Kind with
            | Accumulate leaf when slot.Runs -> Map.tryFind (OfLeaf leaf) c.State.Hooks |> Option.forall List.isEmpty
            | _ -> false

        let gradients = if accumulated then [| None |] else Array.map c.Sum slot.Arrived

        let capture () =
            for i, k in slot.Captures do
                captured[i] <- gradients[k]

        // What is returned of a node that runs as well has not seen its hooks, as PyTorch has it.
        let runs = slot.Runs && holds Rules.Hooks.passedIsCapturedBefore

        if runs then capture ()

        if slot.Delivers then
            if not (holds Rules.Hooks.beforeRetained) then
                delivery.Keep(node, gradients)

            delivery.Hook(node, gradients)

            if holds Rules.Hooks.beforeRetained then
                delivery.Keep(node, gradients)

        if not runs then capture ()

        match node.Kind with
        | _ when not slot.Runs -> [||]
        | Accumulate id ->
            let isHeld (term: Term) =
                let id = c.Tensor term

                slots.Values
                |> Seq.exists (fun other ->
                    not (obj.ReferenceEquals(other, slot))
                    && other.Arrived |> Array.exists (List.exists (fun t -> c.Tensor t = id)))

            delivery.Accumulate(id, (if accumulated then slot.Arrived[0] else Option.toList gradients[0]), isHeld)
            [||]
        | _ -> p.Differentiate(slots, node, gradients)

    /// Runs the pass: the gradients of what was wanted, where they are not accumulated.
    member p.Run() : Term option list =
        let roots = p.Roots()
        let wanted = demand.Wanted |> Option.map (List.map p.Wanted)
        let slots = Order.plan c.State demand.Accumulates (roots |> List.map (fun (edge, _, _) -> edge)) wanted
        let captured = Array.create (wanted |> Option.map List.length |> Option.defaultValue 0) None
        let ready = PriorityQueue<Slot<'S>, int>()

        let give (edge: Edge<'S>) (gradient: Term option) =
            let arrived = slots[edge.Node.Sequence].Arrived

            let together g =
                match arrived[edge.Output] with
                | [] -> [ g ]
                | _ when not (holds Rules.Gradients.pathsAdd) -> [ g ]
                // What is read where it is used is added up where it arrives.
                | before when not (holds Rules.Gradients.givenIsAsItWas) -> [ (c.Sum(g :: before)).Value ]
                | before -> g :: before

            gradient |> Option.iter (fun g -> arrived[edge.Output] <- together g)

        let enqueue (slot: Slot<'S>) =
            match slot.Node.Kind with
            | Accumulate _ -> ready.Enqueue(slot, System.Int32.MinValue)
            | _ -> ready.Enqueue(slot, -slot.Node.Sequence)

        for i, (edge, id, gradient) in List.indexed roots do
            give edge (Some(p.Seed(i, edge, id, gradient)))

        for slot in slots.Values do
            if slot.Pending = 0 then enqueue slot

        while ready.Count > 0 do
            let slot = ready.Dequeue()
            let edges = slot.Node.Edges
            let results = p.Visit(slots, slot, captured)
            // What has run holds its gradients no longer.
            Array.fill slot.Arrived 0 slot.Arrived.Length []

            for i in 0 .. edges.Length - 1 do
                match edges[i] with
                | Some edge ->
                    if i < results.Length then give edge results[i]

                    let next = slots[edge.Node.Sequence]
                    next.Pending <- next.Pending - 1

                    if next.Pending = 0 then enqueue next
                | None -> ()

        if not (holds Rules.Graph.onlyWhatWasPassedIsFreed) then
            for slot in slots.Values do
                p.Free slot.Node

        List.ofArray captured
