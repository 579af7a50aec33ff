namespace Verified.Spec

/// Which elements of a storage a tensor's elements are.
[<RequireQualifiedAccess>]
module Strides =
    /// The number of elements of a geometry.
    let count (g: Geometry) = Shape.count g.Shape

    /// Whether the geometry is all of a storage of this length, in order.
    let isWhole (length: int) (g: Geometry) = g.Offset = 0 && count g = length && Layout.isContiguous g

    /// The elements of a geometry, in row-major order. The storage itself where it is all of it, in order.
    let gather (g: Geometry) (storage: 'T[]) : 'T[] =
        if isWhole storage.Length g then
            storage
        elif count g = 0 then
            [||]
        elif Layout.isContiguous g then
            Array.sub storage g.Offset (count g)
        else
            let places = Positions.ofGeometry g
            Array.init places.Length (fun i -> storage[places[i]])

    /// The storage with the elements of a geometry replaced; where several fall on one place, the last one stays.
    let replace (g: Geometry) (elements: 'T[]) (storage: 'T[]) : 'T[] =
        if isWhole storage.Length g then
            elements
        else
            let result = Array.copy storage
            let places = Positions.ofGeometry g

            for i in 0 .. places.Length - 1 do
                result[places[i]] <- elements[i]

            result

    /// Whether one place certainly holds several elements: PyTorch looks for a stride of zero and no further.
    let overlapsItself (g: Geometry) = Array.exists2 (fun size stride -> size > 1 && stride = 0) g.Shape g.Strides && count g > 0

    /// Whether the elements fill a stretch of the storage, each place once, in any order of dimensions.
    let isDense (g: Geometry) =
        let order =
            [| 0 .. g.Shape.Length - 1 |]
            |> Array.filter (fun d -> g.Shape[d] <> 1)
            |> Array.sortBy (fun d -> g.Strides[d])

        let mutable expected = 1
        let mutable dense = true

        for d in order do
            dense <- dense && g.Strides[d] = expected
            expected <- expected * g.Shape[d]

        dense || expected = 0

    /// Whether two geometries of one storage share places, as far as PyTorch looks: both are dense.
    let overlaps (a: Geometry) (b: Geometry) =
        let n, m = count a, count b

        n > 0 && m > 0 && a.Offset < b.Offset + m && b.Offset < a.Offset + n && isDense a && isDense b

    /// Whether they do without being the same.
    let overlapsPartly (a: Geometry) (b: Geometry) = overlaps a b && not (a.Offset = b.Offset && count a = count b && a.Strides = b.Strides)
