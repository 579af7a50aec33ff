namespace Verified.Spec

/// Gradients that PyTorch records as nodes of their own (`SigmoidBackward`), and the derivatives of these.
module internal FusedGradients =
    open Complaints
    open Derivations

    /// The gradients of an operator's inputs as the results of one node.
    let private fuse (c: Calculus<'S>) fusion (call: PastCall) : Term option[] =
        let unrecorded = c.From(c.State, false)
        let plain (t: Term) = unrecorded.Plain(c.Value t)

        let results =
            derive
                unrecorded
                { call with
                    Gradients = [| Option.map plain call.Gradients[0] |]
                    Kept = call.Kept |> Array.map (fun struct (place, term) -> struct (place, Option.map plain term)) }
            |> Array.mapi (fun i result -> if call.Needs i then Option.map unrecorded.Value result else None)

        let reached =
            [ for i in 0 .. results.Length - 1 do
                  if results[i].IsSome then i ]

        let inputs =
            Array.append [| call.Gradients[0] |] (call.Kept |> Array.map (fun struct (_, term) -> term))
            |> Array.map (Option.map c.Tensor)

        let record (places: int list) =
            let s, ids =
                Calls.fuse
                    c.State
                    fusion
                    { Operator = call.Operator
                      Attrs = call.Attrs
                      Of = call.Inputs
                      Places = call.Kept |> Array.map (fun struct (place, _) -> place)
                      To = Array.ofList places
                      Kept = [||] }
                    inputs
                    (places |> List.map (fun i -> results[i].Value))
                |> orFail

            c.State <- s
            List.zip places (List.map c.Tracked ids)

        let found = (if fusion.Apart then List.map List.singleton reached else [ reached ]) |> List.collect record |> Map.ofList
        results |> Array.mapi (fun i _ -> Map.tryFind i found)

    /// The gradients of an operator's inputs, recorded as PyTorch has it: as one node, or by the parts of the rule.
    let gradient (c: Calculus<'S>) (call: PastCall) : Term option[] =
        match call.Operator.Fused with
        | _ when Array.forall Option.isNone call.Gradients -> Array.create call.Inputs.Length None
        | Some fusion when c.Creates -> fuse c fusion call
        // The results of one node are no views.
        | Some _ ->
            let read = Array.append call.Gradients (call.Kept |> Array.map (fun struct (_, term) -> term))

            derive c call
            |> Array.map (Option.map (fun term -> c.Laid(Layouts.ofGradient call.Operator call.Attrs, read, c.Value term)))
        | None -> derive c call

    /// The call that a fused gradient is of, with what arrives there and what was kept.
    let private first (fused: FusedGradient) arriving kept needs : PastCall =
        { Operator = fused.Operator
          Attrs = fused.Attrs
          Inputs = fused.Of
          Gradients = [| arriving |]
          Kept = fused.Places |> Array.mapi (fun i place -> struct (place, kept (i + 1)))
          Needs = needs }

    /// The derivative of a fused gradient, as its record composes it.
    let private again
        (c: Calculus<'S>)
        derivative
        (node: Node<'S>)
        (fused: FusedGradient)
        (upstream: Term option[])
        (kept: (struct (Saving * Term))[])
        needs
        : Term option[] =
        let keptAt j = kept |> Array.tryPick (fun struct (place, term) -> if place = Input j then Some term else None)
        let towards = fused.To[0]

        let again (g: Term) = first fused (Some g) keptAt ((=) towards) |> gradient c |> Array.item towards

        let gradients =
            derivative
                { First = derivation c (first fused (keptAt 0) keptAt needs)
                  Towards = towards
                  ArrivingAt = fun input -> fused.To |> Array.tryFindIndex ((=) input) |> Option.bind (Array.get upstream)
                  Of = again >> Option.get }

        let by i = gradients |> List.tryItem i |> Option.flatten |> Option.map (fun gradient -> gradient ())

        Array.init node.Inputs.Length (fun j -> if needs j then by j else None)

    /// The derivative of a fused gradient whose record has none: the rule is applied again, recorded, and a pass goes back through that (`run`).
    let private recompose
        (run: State<'S> -> Demand -> Calculus<'S> * Term option list)
        (c: Calculus<'S>)
        (node: Node<'S>)
        (fused: FusedGradient)
        (upstream: Term option[])
        (kept: (struct (Saving * Term))[])
        needs
        : Term option[] =
        // Terms that are no tensors yet become some before the state is taken.
        if c.Shows then
            upstream |> Array.iter (Option.iter (c.Tensor >> ignore))

        let recording =
            c.From(
                { c.State with
                    GradMode = true
                    Inference = false
                    Off = Set.empty },
                true
            )

        let keptAt j = kept |> Array.tryPick (fun struct (place, term) -> if place = Input j then Some term else None)

        // Its inputs, cut off from their own histories where nothing is recorded, and else with histories that begin here.
        let start j : Term option =
            let struct (shape, dtype, _) = node.Inputs[j]

            match keptAt j with
            | Some term when c.Creates && needs j ->
                Some(recording.Tracked(c.Tensor term).Apply("view", [], [ "size", Derive.sizeAttr shape ]))
            // Not differentiated by now, but what is made of it still depends on it.
            | Some term when c.Creates -> Some(recording.Tracked(c.Tensor term))
            | Some term when needs j -> Some(recording.Leaf(c.Value term))
            | Some term -> Some(recording.Plain(c.Value term))
            // What arrives and is not kept comes in linearly.
            | None when j = 0 -> Some(recording.Leaf(Value.full dtype shape 0.0))
            | None -> None

        let inputs = Array.init node.Inputs.Length start
        let reached i = Array.exists2 (fun target arrived -> target = i && Option.isSome arrived) fused.To upstream
        let results = derive recording (first fused inputs[0] (Array.get inputs) reached)

        let roots =
            [ for k in 0 .. fused.To.Length - 1 do
                  match upstream[k], results[fused.To[k]] with
                  | Some arrived, Some result when recording.Requires result ->
                      recording.Tensor result,
                      Some(
                          recording.Tensor(
                              if c.Shows then
                                  recording.Tracked(c.Tensor arrived)
                              else
                                  recording.Plain(c.Value arrived)
                          )
                      )
                  | _ -> () ]

        let fusion = fused.Operator.Fused.Value

        let wanted =
            [ for j in 0 .. inputs.Length - 1 do
                  if needs j && inputs[j].IsSome then j ]

        let before =
            { recording.State with
                GradMode = c.Creates }

        let back, found =
            if roots.IsEmpty then
                recording.From(before, c.Creates), List.map (fun _ -> None) wanted
            else
                run
                    before
                    { Roots = roots
                      Wanted = Some [ for j in wanted -> recording.Tensor inputs[j].Value ]
                      Accumulates = false
                      Retains = true
                      Creates = c.Creates }

        if c.Shows then
            found |> List.iter (Option.iter (back.Tensor >> ignore))

            c.State <-
                { back.State with
                    GradMode = c.State.GradMode
                    Inference = c.State.Inference
                    Off = c.State.Off }

        // What is made in inference mode is of it.
        let take (term: Term) =
            if c.Shows && not c.State.Inference then
                c.Tracked(back.Tensor term)
            else
                c.Plain(back.Value term)

        Array.init node.Inputs.Length (fun j ->
            match List.tryFindIndex ((=) j) wanted with
            | Some k -> found[k] |> Option.map take
            | None when needs j && List.contains fused.Places[j - 1] fusion.Constants ->
                let struct (shape, dtype, _) = node.Inputs[j]
                Some(c.Plain(Value.full dtype shape 0.0))
            | None -> None)

    /// The derivative of a fused gradient; `run`: a pass within this one.
    let unfuse run (c: Calculus<'S>) (node: Node<'S>) (fused: FusedGradient) upstream needs : Term option[] =
        let kept = fused.Kept |> Array.map (fun saved -> struct (saved.Place, unpack c node saved))

        match fused.Operator.Fused.Value.Derivative with
        | Some derivative -> again c derivative node fused upstream kept needs
        | None -> recompose run c node fused upstream kept needs
