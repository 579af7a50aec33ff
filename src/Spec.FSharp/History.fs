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

    /// Moves the wish to keep a gradient to the latest history of a tensor; hooks stay where they were registered.
    let private moveRetained id (before: Edge<'S> option) (after: Edge<'S>) (s: State<'S>) : State<'S> =
        match before with
        | Some edge when s.Tensors[id].RetainsGrad && s.Holds Rules.Gradients.retainedIsOfTheLatest ->
            { s with
                Retained =
                    s.Retained
                    |> Map.remove (struct (edge.Node.Sequence, edge.Output))
                    |> Map.add (struct (after.Node.Sequence, after.Output)) id }
        | _ -> s

    /// Without the rule that hooks stay where they were registered: they move like retained gradients.
    let private moveHooks (before: Edge<'S> option) (after: Edge<'S>) (s: State<'S>) : State<'S> =
        let key (edge: Edge<'S>) = struct (edge.Node.Sequence, edge.Output)

        match before with
        | Some edge when not (s.Holds Rules.Hooks.stayWithTheirHistory) && key edge <> key after ->
            match Map.tryFind (key edge) s.Hooks with
            | Some hooks ->
                { s with
                    Hooks = s.Hooks |> Map.remove (key edge) |> Map.add (key after) hooks }
            | None -> s
        | _ -> s

    /// What was hooked of a leaf is forgotten where it gets its first history: it was of the tensor as it was before.
    let private forgetHooks (t: Tensor<'S>) (s: State<'S>) : State<'S> =
        match t.GradFn, t.Accumulator with
        | None, Some node when s.Holds Rules.Hooks.stayWithTheirHistory ->
            { s with
                Hooks = Map.remove (struct (node.Sequence, 0)) s.Hooks }
        | _ -> s

    /// What was hooked of a tensor with a history is hooked of the leaf that it becomes by `detach_`.
    let keepHooks id (s: State<'S>) : State<'S> =
        let hooks key (s: State<'S>) = Map.tryFind key s.Hooks |> Option.defaultValue []

        match s.Tensors[id].GradFn with
        | Some edge when s.Holds Rules.Hooks.outliveDetachInPlace ->
            match hooks (struct (edge.Node.Sequence, edge.Output)) s with
            | [] -> s
            | kept ->
                let s, node = State.accumulator id s
                let key = struct (node.Sequence, 0)

                { s with
                    Hooks = Map.add key (hooks key s @ kept) s.Hooks }
        | _ -> s

    /// Gives a tensor another history.
    let replace id (edge: Edge<'S>) (s: State<'S>) : State<'S> =
        let t = s.Tensors[id]

        State.setTensor id { t with GradFn = Some edge } s
        |> moveRetained id t.GradFn edge
        |> moveHooks t.GradFn edge
        |> forgetHooks t

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
