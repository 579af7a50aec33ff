namespace Verified.Spec

open System.Collections.Generic

/// A node on its way to be run.
[<AllowNullLiteral>]
type internal Slot<'S>(node: Node<'S>) =
    member _.Node = node
    /// What has arrived for each result, the latest first: engines add these up in any order.
    member val Arrived: Term list[] = Array.create node.Results.Length []
    /// How many nodes still have to run before this one may.
    member val Pending = 0 with get, set
    /// Whether a wanted gradient lies on the way through it.
    member val Runs = true with get, set
    /// The places among the wanted gradients that its results' gradients are.
    member val Captures: (int * int) list = [] with get, set
    /// Whether what arrives for its results is hooked, and kept where it is to be retained.
    member val Delivers = true with get, set

/// Which nodes a pass goes through.
module internal Order =
    /// The slots of all nodes that can be reached, each knowing how many others lead to it.
    let private collect (roots: Edge<'S> list) : Dictionary<int, Slot<'S>> =
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

    /// Marks the slots that lie on the way to a wanted gradient, and those whose own it is: they run where it accumulates, else it is captured.
    let private restrict accumulates (slots: Dictionary<int, Slot<'S>>) (wanted: Edge<'S> option list) =
        for slot in slots.Values do
            slot.Runs <- false

        wanted
        |> List.iteri (fun i edge ->
            match edge with
            | Some edge ->
                match slots.TryGetValue edge.Node.Sequence with
                | true, slot ->
                    if accumulates then
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

    /// The slots of a pass from these roots: to what is wanted alone, if anything is named.
    let plan (s: State<'S>) accumulates (roots: Edge<'S> list) (wanted: Edge<'S> option list option) : Dictionary<int, Slot<'S>> =
        let slots = collect roots

        if not accumulates || s.Holds Rules.Gradients.onlyWhatIsWanted then
            wanted |> Option.iter (restrict accumulates slots)

        if not accumulates && not (s.Holds Rules.Gradients.gradLeavesLeavesAlone) then
            for slot in slots.Values do
                slot.Runs <- true

        for slot in slots.Values do
            slot.Delivers <- slot.Runs || not slot.Captures.IsEmpty && s.Holds Rules.Hooks.runInGrad

        // PyTorch enters a single root whether or not its gradient leads anywhere.
        match roots with
        | [ root ] when s.Holds Rules.Hooks.aSingleRootIsEntered -> slots[root.Node.Sequence].Delivers <- true
        | _ -> ()

        slots
