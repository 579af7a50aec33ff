namespace Verified.Spec

/// Where gradients end: hooks run on them, `.grad` keeps or accumulates them. What is of second order is marked as such.
[<Sealed>]
type internal Delivery<'S when 'S :> IScalar<'S>>(c: Calculus<'S>, second: bool) =
    /// Marks a tensor that a user will see as of second order where it is.
    member _.Mark(id: int) =
        let storage = c.State.Tensors[id].Storage

        if second && not c.State.Storages[storage].SecondOrder then
            c.State <-
                { c.State with
                    Storages =
                        c.State.Storages.Set(
                            storage,
                            { c.State.Storages[storage] with
                                SecondOrder = true }
                        ) }

    member private d.SetGrad(id, grad) =
        d.Mark grad

        c.State <-
            State.setTensor
                id
                { c.State.Tensors[id] with
                    Grad = Some grad }
                c.State

    /// Runs the hooks of a node's results on their gradients, in place.
    member _.Hook(node: Node<'S>, gradients: Term option[]) =
        for k in 0 .. gradients.Length - 1 do
            match gradients[k] with
            | Some _ when c.State.Hooks.IsEmpty -> ()
            | Some g ->
                match Map.tryFind (History.hookKey { Node = node; Output = k }) c.State.Hooks with
                | Some hooks when c.State.Holds Rules.Hooks.replaceTheGradient ->
                    let run (g: Term) (hook: Hook) =
                        // A hook's number is a program's.
                        c.State <- { c.State with Deriving = false }
                        let replaced = g.Apply("mul", [], [ "other", hook.Scale ])
                        c.State <- { c.State with Deriving = true }

                        if c.State.Holds Rules.Hooks.areDifferentiated then
                            replaced
                        else
                            c.Plain(c.Value replaced)

                    let hooks = if c.State.Holds Rules.Hooks.allAreRun then hooks else List.truncate 1 hooks
                    gradients[k] <- Some(List.fold run g hooks)
                | _ -> ()
            | None -> ()

    /// Keeps the gradients of those results that were asked to retain theirs.
    member d.Keep(node: Node<'S>, gradients: Term option[]) =
        if not c.State.Retained.IsEmpty then
            for k in 0 .. gradients.Length - 1 do
                match gradients[k], Map.tryFind (struct (node.Sequence, k)) c.State.Retained with
                | Some g, Some id ->
                    let grad =
                        match c.State.Tensors[id].Grad with
                        | None -> c.Copy g
                        // Of a tensor that was given another shape since, it may not fit.
                        | Some before when c.State.Holds Rules.Gradients.retainedAccumulates ->
                            c.Tensor(c.Call("add", [| Some(c.Tracked before); Some g |], []))
                        | Some _ -> c.Copy g

                    d.SetGrad(id, grad)
                | _ -> ()

    /// A gradient is written where the leaf, or the gradient that it has, lies: these may have been given another shape since the graph was made.
    member private _.Fits(target: int, gradient: Term) =
        let target = c.State.Tensors[target].Shape
        Broadcast.shapes target gradient.Shape |> Result.bind (Complain.unlessFits target) |> Complaints.orFail

    /// A gradient that was kept as it came may be given again, laid out otherwise by then: PyTorch adds to no memory that it reads in another order.
    member private _.LiesApart(target: int, gradient: Term) =
        if not (c.State.Holds Rules.Gradients.viewsAreNotShared) then
            let overlap =
                { Within = Refused
                  Reads = fun _ -> InStep }

            let id = c.Tensor gradient
            WriteChecks.checkOverlap c.State overlap [| Some target; Some id |] |> Complaints.orFail

    /// PyTorch's conditions for keeping a leaf's first gradient without a look at it: nothing is recorded, nobody else holds it, and it lies as the leaf does.
    member private _.MayBeKept(leaf: Tensor<'S>, gradient: Term, isHeld) =
        let isLeftAsItIs =
            if gradient.Shape = leaf.Shape then
                not (c.State.Holds Rules.Gradients.viewsAreNotShared)
            else
                not (c.State.Holds Rules.Gradients.firstHasTheLeafsShape)

        let liesAlike () =
            // It may have to become a tensor, which changes the state.
            let id = c.Tensor gradient
            let g = c.State.Tensors[id].Geometry

            if Strides.isDense leaf.Geometry && not (Strides.overlapsItself leaf.Geometry) then
                Array.zip g.Shape g.Strides
                |> Array.indexed
                |> Array.forall (fun (d, (size, stride)) ->
                    if size = 1 then
                        stride <> 0
                    // Beyond the dimensions that the leaf has by now PyTorch reads the strides that it had before.
                    else
                        d >= leaf.Shape.Length || stride = leaf.Geometry.Strides[d])
            else
                Layout.isContiguous g

        isLeftAsItIs && not c.Creates && liesAlike () && c.IsMadeHere gradient && not (isHeld gradient)

    /// Adds what has arrived at a leaf to its gradient: one after another, or their sum at once. `isHeld`: by what has yet to run.
    member d.Accumulate(id: int, arrived: Term list, isHeld: Term -> bool) =
        let t = c.State.Tensors[id]

        let inPlace =
            if c.Creates then
                not (c.State.Holds Rules.Gradients.createGraphAddsOutOfPlace)
            else
                c.State.Holds Rules.Gradients.addsInPlace

        if not arrived.IsEmpty && c.State.Holds Rules.Leaves.writtenIntoTheGraph then
            match History.gradFn c.State id with
            | Ok(_, None) -> ()
            | Ok(_, Some _) ->
                Complaints.fail
                    { Kind = OtherError
                      Message = "leaf variable has been moved into the graph interior" }
            | Error complaint -> Complaints.fail complaint

        if
            not arrived.IsEmpty
            && (History.requiresGrad c.State t || not (c.State.Holds Rules.Leaves.switchedOffAccumulatesNothing))
        then
            match t.Grad with
            | Some before when c.State.Holds Rules.Gradients.backwardsAccumulate ->
                let tracked = c.Tracked before

                if inPlace then
                    WriteChecks.checkMode c.State before |> Complaints.orFail
                    d.Fits(before, arrived.Head)

                    if arrived.Tail.IsEmpty then
                        d.LiesApart(before, arrived.Head)

                let total =
                    if tracked.Shape = arrived.Head.Shape then
                        c.Sum(tracked :: arrived).Value
                    else
                        c.Call("add", [| Some tracked; c.Sum arrived |], [])

                if inPlace then
                    let after = Storing.store before (c.Value total) second c.State

                    c.State <-
                        if c.State.Holds Rules.Versions.accumulationCounts then
                            after
                        else
                            { after with
                                Versions = c.State.Versions }
                else
                    d.SetGrad(id, c.Tensor total)
            | _ ->
                let gradient = c.Sum(arrived).Value

                let kept =
                    if d.MayBeKept(t, gradient, isHeld) then
                        c.Detached gradient
                    else
                        d.Fits(id, gradient)

                        if not (c.State.Holds Rules.Gradients.neverShared) then
                            c.Tensor gradient
                        // As the leaf does, where that is dense (torch/csrc/autograd/utils/grad_layout_contract.h).
                        elif Strides.isDense t.Geometry && not (Strides.overlapsItself t.Geometry) then
                            c.Copy(gradient, t.Geometry)
                        else
                            c.Copy gradient

                d.SetGrad(id, kept)
