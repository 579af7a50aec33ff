namespace Verified.Spec

/// Row-major positions, and those of views.
[<RequireQualifiedAccess>]
module Positions =
    /// For each element of a view of this shape, in row-major order, its position under these strides and offset.
    let ofView (shape: int[]) (strides: int[]) (offset: int) =
        let positions = Array.zeroCreate (Shape.count shape)
        let at = Array.zeroCreate<int> shape.Length
        let mutable position = offset

        for flat in 0 .. positions.Length - 1 do
            positions[flat] <- position
            let mutable d = shape.Length - 1

            // The odometer: the last dimension turns first, a full turn carries into the one before.
            while d >= 0 do
                at[d] <- at[d] + 1
                position <- position + strides[d]

                if at[d] = shape[d] then
                    position <- position - at[d] * strides[d]
                    at[d] <- 0
                    d <- d - 1
                else
                    d <- -1

        positions

    let ofGeometry (geometry: Geometry) = ofView geometry.Shape geometry.Strides geometry.Offset

    /// The indices of the flat element of a shape.
    let unflatten (shape: int[]) (flat: int) =
        let at = Array.zeroCreate<int> shape.Length
        let mutable rest = flat

        for d in shape.Length - 1 .. -1 .. 0 do
            at[d] <- rest % shape[d]
            rest <- rest / shape[d]

        at

    /// The flat element of a shape at these indices.
    let flatten (shape: int[]) (at: int[]) = Array.fold2 (fun flat size i -> flat * size + i) 0 shape at

    /// The shape as a product of what is before a dimension, the dimension, and what is behind it: element (o, i, n) is
    /// at (o * size + i) * inner + n.
    let around (shape: int[]) (dim: int) =
        if shape.Length = 0 then
            1, 1, 1
        else
            Shape.count shape[.. dim - 1], shape[dim], Shape.count shape[dim + 1 ..]

/// Geometries of dense tensors.
[<RequireQualifiedAccess>]
module Layout =
    /// A row-major tensor of this shape.
    let dense (shape: int[]) : Geometry =
        { Shape = shape
          Strides = Shape.strides shape
          Offset = 0 }

    /// Row-major without gaps, as PyTorch's `is_contiguous`: dimensions of size 1 may have any stride, and an empty tensor is.
    let isContiguous (g: Geometry) =
        let mutable expected = 1
        let mutable holds = true

        for d in g.Shape.Length - 1 .. -1 .. 0 do
            if g.Shape[d] <> 1 then
                holds <- holds && g.Strides[d] = expected
                expected <- expected * g.Shape[d]

        holds || Array.contains 0 g.Shape

/// Broadcasting.
[<RequireQualifiedAccess>]
module Broadcast =
    /// The shape that two shapes broadcast to.
    let shapes (a: int[]) (b: int[]) =
        if a = b then
            Ok a
        else
            let rank = max a.Length b.Length

            let size (shape: int[]) d =
                let d = d - (rank - shape.Length)
                if d < 0 then 1 else shape[d]

            let clash = seq { rank - 1 .. -1 .. 0 } |> Seq.tryFind (fun d -> size a d <> size b d && size a d <> 1 && size b d <> 1)

            match clash with
            | Some d ->
                Complain.shape
                    $"The size of tensor a ({size a d}) must match the size of tensor b ({size b d}) at non-singleton dimension {d}"
            | None -> Ok(Array.init rank (fun d -> if size a d = 1 then size b d else size a d))

    /// The shape that all of them broadcast to.
    let all (several: int[] list) = List.fold (fun found next -> Result.bind (fun shape -> shapes shape next) found) (Ok [||]) several

    /// The strides under which a row-major tensor of shape `from` is read as one of shape `target`.
    let strides (from: int[]) (target: int[]) =
        let own = Shape.strides from
        let missing = target.Length - from.Length

        Array.init target.Length (fun d ->
            if d < missing || from[d - missing] = 1 && target[d] <> 1 then
                0
            else
                own[d - missing])

    /// For each element of the broadcast shape, the element of the original.
    let positions (from: int[]) (target: int[]) = Positions.ofView target (strides from target) 0

    /// Whether a tensor of the first shape can be expanded to the second.
    let reaches (from: int[]) (target: int[]) = shapes from target = Ok target
