namespace Verified.Spec

/// Gradients through the nodes of the tape.
module internal NodeGradients =
    open Complaints
    open ViewGradients

    /// The gradients of a node's inputs. `needs`: which of them are wanted; `run`: a pass within this one.
    let rec differentiate
        (run: State<'S> -> Demand -> Calculus<'S> * Term option list)
        (c: Calculus<'S>)
        (node: Node<'S>)
        (gradients: Term option[])
        (needs: int -> bool)
        : Term option[] =
        if c.State.Freed.Contains node.Sequence && c.State.Holds Rules.Graph.freedAfterUse then
            Derivations.failFreed ()

        // As the memory that it is put together in.
        let lyingAs (whole: Geometry) (gradient: Term) =
            if c.Shows && Strides.isDense whole then
                c.Tracked(c.Copy(gradient, whole))
            else
                gradient

        match node.Kind with
        | Accumulate _ -> [||]
        | View(input, output) -> [| gradients[0] |> Option.map (fun g -> transpose c g input output) |]
        | Remade(whole, view) when Strides.count view = 0 ->
            // Zeros that no gradient is part of, as PyTorch's.
            [| gradients[0] |> Option.map (fun g -> c.Plain(Value.full g.DType whole.Shape 0.0)) |]
        | Remade(whole, view) ->
            // PyTorch's is a view of the memory that it is put together in (as_strided_backward).
            let shown (gradient: Term) = c.Call("expand", [| Some gradient |], [ "size", Derive.sizeAttr gradient.Shape ])

            // Elements of the whole that are one place share its gradient.
            let shared (gradient: Term) =
                if Strides.overlapsItself whole then
                    let elements = Array.fold2 (fun n size stride -> if stride = 0 then n * size else n) 1 whole.Shape whole.Strides
                    c.Call("div", [| Some gradient |], [ "other", Attr.Float(float elements) ])
                else
                    gradient

            [| gradients[0] |> Option.map (fun g -> transpose c g whole view |> shared |> lyingAs whole |> shown) |]
        | Rule(op, attrs, kept) ->
            let kept =
                kept
                |> Array.map (fun saved -> struct (saved.Place, (if saved.Tensor < 0 then None else Some(Derivations.unpack c node saved))))

            FusedGradients.gradient
                c
                { Operator = op
                  Attrs = attrs
                  Inputs = node.Inputs
                  Gradients = gradients
                  Kept = kept
                  Needs = needs }
        | Fused _ when Array.forall Option.isNone gradients -> Array.create node.Inputs.Length None
        | Fused gradient -> FusedGradients.unfuse run c node gradient gradients needs
        | WriteThrough(whole, view, inner) ->
            match gradients[0] with
            | None -> Array.create node.Inputs.Length None
            | Some g ->
                // The gradient is laid out as the base first, and refused as any write there is.
                if Strides.overlapsItself whole then
                    fail WriteChecks.overlapsItself

                let contiguous = Layout.isContiguous whole

                let flat, over =
                    if contiguous then
                        g,
                        { view with
                            Offset = view.Offset - whole.Offset }
                    else
                        transpose c g (Layout.dense [| extent whole view |]) whole, view

                let slice = c.Strided("strided", flat, over)
                let results = differentiate run c inner [| Some slice |] needs

                if needs 0 then
                    // So it is where it is written through the same view.
                    if results[0].IsSome && Strides.overlapsItself view then
                        fail WriteChecks.overlapsItself

                    let inside = results[0] |> Option.map (fun r -> c.Fit(r, struct (slice.Shape, slice.DType)))

                    let args = Array.append [| Some flat |] (if inside.IsSome then [| inside |] else [||])

                    let written = c.Call("strided_write", args, Rows.geometryAttributes over)

                    results[0] <-
                        Some(
                            if contiguous then
                                written
                            else
                                c.Strided("strided", written, whole) |> lyingAs whole
                        )

                results
