namespace Verified.Spec

/// Gradients through views: a view's map of elements, and its transpose.
module internal ViewGradients =
    /// The length of a row of elements that holds two geometries.
    let extent (a: Geometry) (b: Geometry) =
        let last (g: Geometry) =
            if Strides.count g = 0 then
                0
            else
                g.Offset + 1 + Array.sum (Array.map2 (fun size stride -> (size - 1) * stride) g.Shape g.Strides)

        max (last a) (last b)

    /// The transpose of a view's map, both geometries over one row of elements.
    let transpose (c: Calculus<'S>) (term: Term) (input: Geometry) (output: Geometry) : Term =
        let scatter shape g =
            c.Call("strided_backward", [| Some term |], ("input_size", Derive.sizeAttr shape) :: Rows.geometryAttributes g)

        if Layout.isContiguous input then
            let over =
                { output with
                    Offset = output.Offset - input.Offset }

            if not c.Creates && Strides.isWhole (Strides.count input) over then
                c.Plain
                    { c.Value term with
                        Shape = input.Shape }
            else
                scatter input.Shape over
        else
            c.Strided("strided", scatter [| extent input output |] output, input)
