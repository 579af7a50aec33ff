namespace Verified.Spec

/// Which history a tensor has. That of a view is made anew after a write to its storage, as PyTorch does
/// (torch/csrc/autograd/variable.cpp, "View + Inplace detection").
[<RequireQualifiedAccess>]
module History =
    /// Whether a tensor requires a gradient: by its own flag, by its history, or because the tensor that it shows does.
    let rec requiresGrad (s: State<'S>) (t: Tensor<'S>) : bool =
        t.RequiresGrad
        || t.GradFn.IsSome
        || (match t.View with
            | Some view when s.Holds Rules.Views.requireWithTheirBase -> requiresGrad s s.Tensors[view.Base]
            | _ -> false)

    /// PyTorch's sentence about a write to a view that must not be written to; `indirect`: the write was to its base.
    let forbidden (s: State<'S>) (t: Tensor<'S>) (view: ViewOf) indirect : Result<unit, Complaint> =
        let saysWhy = s.Holds Rules.Errors.readOnlyViewsSayWhy

        let ``object`` =
            if indirect && saysWhy then
                "its base or another view of its base has been"
            else
                "is being"

        let modes mode =
            $"Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the {mode} block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked)."

        let start =
            match view.Creation, t.GradFn with
            | Ordinary, _ -> ""
            | OneOfSeveral, Some edge when saysWhy ->
                $"Output {edge.Output} of {edge.Node.Name} is a view and {``object``} modified inplace."
            | creation, edge ->
                let prefix =
                    match edge with
                    | Some edge when saysWhy -> $"Output {edge.Output} of {edge.Node.Name} is a view of a view which was created in"
                    | _ -> "A view was created in"

                if creation = InInference then
                    $"{prefix} inference mode and {``object``} modified inplace in normal mode."
                else
                    $"{prefix} no_grad mode and {``object``} modified inplace with grad mode enabled."

        let readOnly =
            match view.Creation with
            | Ordinary -> false
            | OneOfSeveral -> s.Holds Rules.Views.oneOfSeveralIsReadOnly && (not indirect || s.Holds Rules.Views.oneOfSeveralEndsWithAWrite)
            | WithoutGrad -> s.Holds Rules.Views.madeInNoGradIsReadOnly
            | InInference -> s.Holds Rules.Views.madeInInferenceIsReadOnly

        match view.Creation with
        | Ordinary -> Ok()
        | _ when not readOnly -> Ok()
        | OneOfSeveral ->
            Complain.because
                MultiOutputViewInPlace
                $"{start} This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace the inplace operation by an out-of-place one."
        | WithoutGrad -> Complain.because NoGradViewInPlace (start + " " + modes "no_grad")
        | InInference -> Complain.because NoGradViewInPlace (start + " " + modes "inference_mode")

    let private key (edge: Edge<'S>) : ResultKey = struct (edge.Node.Sequence, edge.Output)

    /// What the hooks on a gradient that goes to an edge are found by.
    let hookKey (edge: Edge<'S>) : HookKey =
        match edge.Node.Kind with
        | Accumulate leaf -> OfLeaf leaf
        | _ -> OfResult(key edge)

    /// Moves the wish to keep a gradient to the latest history of a tensor; hooks stay where they were registered.
    let private moveRetained id (before: Edge<'S> option) (after: Edge<'S>) (s: State<'S>) : State<'S> =
        match before with
        | Some edge when
            s.Tensors[id].RetainsGrad
            && Map.tryFind (key edge) s.Retained = Some id
            && s.Holds Rules.Gradients.retainedIsOfTheLatest
            ->
            { s with
                Retained = s.Retained |> Map.remove (key edge) |> Map.add (key after) id }
        | _ -> s

    /// Without the rule that hooks stay where they were registered: they move like retained gradients.
    let private moveHooks (before: Edge<'S> option) (after: Edge<'S>) (s: State<'S>) : State<'S> =
        match before with
        | Some edge when not (s.Holds Rules.Hooks.stayWithTheirHistory) && key edge <> key after ->
            match Map.tryFind (hookKey edge) s.Hooks with
            | Some hooks ->
                { s with
                    Hooks = s.Hooks |> Map.remove (hookKey edge) |> Map.add (hookKey after) hooks }
            | None -> s
        | _ -> s

    /// What was hooked of a leaf is forgotten where it gets its first history: it was of the tensor as it was before.
    let private forgetHooks id (before: Edge<'S> option) (s: State<'S>) : State<'S> =
        if before.IsNone && s.Holds Rules.Hooks.stayWithTheirHistory then
            { s with
                Hooks = Map.remove (OfLeaf id) s.Hooks }
        else
            s

    let private hooksAt (place: HookKey) (s: State<'S>) = Map.tryFind place s.Hooks |> Option.defaultValue []

    let private hookAt (hooks: Hook list) (s: State<'S>) (place: HookKey) =
        { s with
            Hooks = Map.add place (hooksAt place s @ hooks) s.Hooks }

    let private beganAt places id (s: State<'S>) = State.setTensor id { s.Tensors[id] with Hooked = places } s

    /// Where what is hooked of a tensor is registered.
    let private placesOfHooks id (s: State<'S>) =
        let t = s.Tensors[id]

        if t.Hooked.IsEmpty || s.Holds Rules.Hooks.belongToTheTensorAsItIs then
            // A view made without grad requires one by its base alone, and leads nowhere: its hook waits for it to become a leaf.
            [ t.GradFn |> Option.map hookKey |> Option.defaultValue (OfLeaf id) ]
        else
            t.Hooked

    /// Hooks a tensor whose history is up to date.
    let addHook id hook (s: State<'S>) : State<'S> =
        let places = placesOfHooks id s
        places |> List.fold (hookAt [ hook ]) s |> beganAt places id

    /// What was hooked of a tensor with a history is hooked of the leaf that it becomes by `detach_`.
    let keepHooks id (s: State<'S>) : State<'S> =
        if s.Tensors[id].GradFn.IsSome && s.Holds Rules.Hooks.outliveDetachInPlace then
            let places = placesOfHooks id s

            match hooksAt places.Head s with
            | [] when s.Tensors[id].Hooked.IsEmpty -> s
            | _ when List.contains (OfLeaf id) places -> s
            | kept -> hookAt kept s (OfLeaf id) |> beganAt (places @ [ OfLeaf id ]) id
        else
            s

    let private lead id edge (s: State<'S>) =
        State.setTensor
            id
            { s.Tensors[id] with
                GradFn = Some edge }
            s

    /// Gives a tensor that was written to another history.
    let replace id (edge: Edge<'S>) (s: State<'S>) : State<'S> =
        let t = s.Tensors[id]

        lead id edge s
        |> beganAt [] id
        |> moveRetained id t.GradFn edge
        |> moveHooks t.GradFn edge
        |> forgetHooks id t.GradFn

    /// Gives a tensor that was written to through a view of it another history.
    let replaceBehind id (edge: Edge<'S>) (s: State<'S>) : State<'S> =
        if requiresGrad s s.Tensors[id] || s.Holds Rules.Hooks.belongToTheTensorAsItIs then
            replace id edge s
        else
            lead id edge s

    /// Gives a tensor that has another geometry now another history.
    let replaceGeometry id (edge: Edge<'S>) (s: State<'S>) : State<'S> =
        let before = s.Tensors[id].GradFn
        let s = lead id edge s |> moveHooks before edge

        if s.Holds Rules.Gradients.retainedFollowsGeometry then
            moveRetained id before edge s
        else
            s

    /// The history of a view is that of what its storage holds now.
    let upToDate id (s: State<'S>) : State<'S> =
        let t = s.Tensors[id]

        match t.View with
        | Some view ->
            State.setTensor
                id
                { t with
                    View = Some { view with At = s.Versions[t.Counter] } }
                s
        | None -> s

    /// A tensor's grad_fn, made anew where it is a view whose storage was written to since.
    let rec gradFn (s: State<'S>) id : Result<State<'S> * Edge<'S> option, Complaint> =
        let t = s.Tensors[id]

        match t.View with
        | Some view when
            view.At <> s.Versions[t.Counter]
            && (t.GradFn.IsSome || requiresGrad s s.Tensors[view.Base])
            && s.Holds Rules.Views.historiesAreMadeAnew
            ->
            forbidden s t view true
            |> Result.bind (fun () -> edge s view.Base)
            |> Result.map (fun (s, toBase) ->
                let whole = s.Tensors[view.Base]

                let node: Node<'S> =
                    { Sequence = s.Next
                      Name = "AsStridedBackward0"
                      Kind = Remade(whole.Geometry, t.Geometry)
                      Edges = [| toBase |]
                      Inputs = [| whole.Outline |]
                      Results = [| struct (t.Shape, t.DType) |] }

                let fresh = { Node = node; Output = 0 }

                let s = { s with Next = s.Next + 1 } |> upToDate id |> replace id fresh

                s, Some fresh)
        | _ -> Ok(s, t.GradFn)

    /// Where the gradient of a tensor goes: to its grad_fn, or into the leaf; None where nowhere.
    and edge (s: State<'S>) id : Result<State<'S> * Edge<'S> option, Complaint> =
        match gradFn s id with
        | Ok(s, None) ->
            let t = s.Tensors[id]

            if t.RequiresGrad then
                let s, node = State.accumulator id s
                Ok(s, Some { Node = node; Output = 0 })
            else
                Ok(s, None)
        | found -> found

    /// Asks that the gradient of a tensor with a history be kept in its `.grad`; a leaf's is anyway.
    let retain id (s: State<'S>) : State<'S> =
        let t = s.Tensors[id]

        match t.GradFn with
        | Some edge when not t.RetainsGrad && s.Holds Rules.Gradients.retainedIsKept ->
            { State.setTensor id { t with RetainsGrad = true } s with
                Retained = Map.add (struct (edge.Node.Sequence, edge.Output)) id s.Retained }
        | _ -> s

    /// The type and shape of a tensor as PyTorch's messages name them: "torch.DoubleTensor [2, 3]".
    let describe (t: Tensor<'S>) =
        let name =
            match t.DType with
            | DType.Bool -> "CPUBoolType"
            | dtype -> $"torch.{Promotion.messageName dtype}Tensor"

        $"{name} {Shape.show t.Shape}"
