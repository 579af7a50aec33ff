namespace Verified.Spec

/// What a backward or a grad may write to before it raises: how far it comes is nobody's promise.
[<RequireQualifiedAccess>]
module Reach =
    let private tensor (s: State<'S>) name = Map.tryFind name s.Names |> Option.flatten

    // Looking for a history may make it anew, and what the tensor retains moves there.
    let private edge (s: State<'S>) id =
        match History.edge s id with
        | Ok(after, edge) -> edge, after
        | Error _ -> None, s

    let private rootsOf (step: Step) =
        step.In
        |> List.choose (function
            | Arg.Name name -> Some name
            | _ -> None)

    /// Whether the gradients that a backward or a grad starts with fit its roots, and what their nodes know of them: where one does not, the step is
    /// refused before its pass begins.
    let seedsFit (s: State<'S>) (step: Step) : bool =
        let fits (i, root) =
            match tensor s root with
            | None -> true
            | Some id ->
                let shape = s.Tensors[id].Shape
                let given = step.Gradients |> Option.bind (List.tryItem i) |> Option.flatten |> Option.bind (tensor s)

                let seed =
                    match given with
                    | Some gradient -> s.Tensors[gradient].Shape
                    | None -> shape

                match edge s id with
                | Some edge, _ ->
                    let struct (known, _) = edge.Node.Results[edge.Output]
                    seed = shape && Broadcast.reaches known seed
                | None, _ -> seed = shape

        rootsOf step |> List.indexed |> List.forall fits

    /// Which of the observed names a backward or a grad may change: the gradients of the leaves that it adds to, those that intermediates retain,
    /// and whatever shares their memory.
    let ofStep (s: State<'S>) (step: Step) (observed: Observed list) : Set<string> =
        let accumulates = step.Op = "backward"
        let roots, s = rootsOf step |> List.choose (tensor s) |> List.mapFold edge s

        let want s id =
            let edge, s = edge s id
            edge, (if accumulates then History.retain id s else s)

        let wanted, s =
            match step.Wrt with
            | None
            | Some [] -> None, s
            | Some names ->
                let edges, s = names |> List.choose (tensor s) |> List.mapFold want s
                Some edges, s

        let slots = Order.plan s accumulates (List.choose id roots) wanted

        let leaves =
            [ for slot in slots.Values do
                  match slot.Node.Kind with
                  | Accumulate leaf when slot.Runs -> yield leaf
                  | _ -> () ]

        let retaining =
            [ for KeyValue(struct (node, _), tensor) in s.Retained do
                  match slots.TryGetValue node with
                  | true, slot when slot.Delivers -> yield tensor
                  | _ -> () ]

        let targets = set (leaves @ retaining)

        // What leaves have is added to in place, but under create_graph; what is retained is not.
        let writtenTo =
            match Map.tryFind "create_graph" step.Attrs with
            | Some(Attr.Flag true) -> []
            | _ -> leaves

        let memory =
            writtenTo
            |> List.choose (fun id -> s.Tensors[id].Grad)
            |> List.map (fun grad -> s.Tensors[grad].Storage)
            |> set

        let shares id = memory.Contains s.Tensors[id].Storage

        let isReached o =
            match o with
            | Observed.Value name -> tensor s name |> Option.exists shares
            | Observed.Gradient name ->
                tensor s name |> Option.exists (fun id -> targets.Contains id || Option.exists shares s.Tensors[id].Grad)

        observed |> List.filter isReached |> List.map _.Text |> set
