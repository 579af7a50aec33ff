namespace Verified.Spec.Operators

open Verified.Spec

/// Picking elements at positions, and its transpose: adding elements up at positions.
[<RequireQualifiedAccess>]
module internal Pick =
    /// The elements of `v` at these positions. Where the positions came of an undecided comparison, nothing is known.
    let at<'S when 'S :> IScalar<'S>> shape (positions: int[], decided: bool) (v: Value<'S>) : Value<'S> =
        let found = Value.pick shape positions v

        if decided then
            found
        else
            { found with
                Elements =
                    match found.Elements with
                    | Elements.Floats elements -> Elements.Floats(Array.map 'S.Unknown elements)
                    | Elements.Ints(elements, _) -> Elements.Ints(elements, false) }

    /// A tensor of zeros of this shape, to which element i of `v` is added at position i.
    let sumAt<'S when 'S :> IScalar<'S>> (shape: int[]) (positions: int[], decided: bool) (v: Value<'S>) : Value<'S> =
        let terms = Array.init (Shape.count shape) (fun _ -> ResizeArray<'S>(1))
        Array.iteri2 (fun _ position element -> terms[position].Add element) positions (Value.asFloats v.DType v)
        let sums = terms |> Array.map (fun t -> Reduce.total v.DType (t.ToArray()))
        Value.floats v.DType shape (if decided then sums else Array.map 'S.Unknown sums)

/// Where the indices of `index` and its kin lead.
[<RequireQualifiedAccess>]
module internal Indices =
    /// The elements of an index tensor of a dimension of this size: from 0 on, negative ones counted from the end.
    let wrap dim size (index: Value<'S>) =
        let elements, decided = Value.asInts Int64 index

        match elements |> Array.tryFind (fun i -> i < -(int64 size) || i >= int64 size) with
        | Some i when decided || size = 0 -> Complain.index $"index {i} is out of bounds for dimension {dim} with size {size}"
        | _ ->
            Ok(
                elements
                |> Array.map (fun i -> if i < 0L then int i + size else int i)
                |> Array.map (fun i -> max 0 (min i (size - 1))),
                decided
            )

    let private beyond (shape: int[]) dim =
        Complain.index $"Dimension out of range (expected to be in range of [{-shape.Length}, {shape.Length - 1}], but got {dim})"

    /// An int64 index for each dimension that is indexed: a mask stands for the places where it holds, one index a dimension.
    let private expand (shape: int[]) (indices: Value<'S> option list) =
        let rec go dim indices found =
            match indices with
            | [] -> Ok(List.rev found)
            | _ :: _ when dim >= shape.Length -> beyond shape shape.Length
            | None :: rest -> go (dim + 1) rest found
            | Some(index: Value<'S>) :: rest when index.DType = Int64 -> go (dim + 1) rest ((dim, index) :: found)
            | Some mask :: rest when mask.DType = Bool ->
                let rank = mask.Shape.Length

                if rank = 0 then
                    Complain.index "a mask must have a dimension"
                else

                    // Dimension by dimension: one that differs is seen before one that is not there.
                    match List.tryFind (fun k -> dim + k >= shape.Length || mask.Shape[k] <> shape[dim + k]) [ 0 .. rank - 1 ] with
                    | Some at when dim + at >= shape.Length -> beyond shape (dim + at)
                    | Some at ->
                        Complain.shape
                            $"The shape of the mask {Shape.show mask.Shape} at index {at} does not match the shape of the indexed tensor {Shape.show shape} at index {dim + at}"
                    | None ->
                        let elements, decided = Value.asInts Bool mask

                        let places =
                            [| for i in 0 .. elements.Length - 1 do
                                   if elements[i] <> 0L then Positions.unflatten mask.Shape i |]

                        let along k : int * Value<'S> =
                            dim + k, Value.ints Int64 [| places.Length |] (places |> Array.map (fun place -> int64 place[k])) decided

                        go (dim + rank) rest (List.rev (List.init rank along) @ found)
            | Some index :: _ -> invalidOp $"an index of {index.DType.Name}"

        // The dtypes of all come before the shapes of the masks.
        if indices |> List.forall (Option.forall (fun index -> index.DType = Int64 || index.DType = Bool)) then
            go 0 indices []
        else
            Complain.dtype "tensors used as indices must be long, int, byte or bool tensors"

    /// Refuses more indices than there are dimensions.
    let checkCount (shape: int[]) count =
        if count > shape.Length then
            Complain.index $"too many indices for tensor of dimension {shape.Length} (got {count})"
        else
            Ok()

    /// As `resolve`; what is done with a result of that shape may be refused before the indices are looked up.
    let resolveFor (accept: int[] -> Result<unit, Complaint>) (shape: int[]) (indices: Value<'S> option list) =
        result {
            do! checkCount shape indices.Length
            let! indexed = expand shape indices

            let! common =
                Broadcast.all (indexed |> List.map (fun (_, index) -> index.Shape))
                |> Result.mapError (fun _ ->
                    let shapes = indexed |> List.map (fun (_, index) -> Shape.show index.Shape) |> String.concat ", "

                    { Kind = ShapeError
                      Message = $"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}" })

            let strides = Shape.strides shape
            let dims = indexed |> List.map fst
            let rest chosen = chosen |> List.map (fun d -> shape[d]) |> List.toArray
            let walk chosen = Positions.ofView (rest chosen) (chosen |> List.map (fun d -> strides[d]) |> List.toArray) 0
            let others = List.except dims [ 0 .. shape.Length - 1 ]

            // Indices side by side put their shape in their place; others put it in front.
            let together = List.forall (fun (a, b) -> b = a + 1) (List.pairwise dims)

            let before, behind =
                if together && not dims.IsEmpty then
                    others |> List.partition (fun d -> d < dims.Head)
                else
                    [], others

            let chosen = Array.concat [ rest before; common; rest behind ]

            // In a dimension without places there is nothing to look up.
            do!
                indexed
                |> List.tryFind (fun (dim, index) -> shape[dim] = 0 && Value.count index > 0)
                |> Option.map (fun (dim, index) -> wrap dim 0 index |> Result.map ignore)
                |> Option.defaultValue (Ok())

            do! accept chosen

            // The offsets that the indices lead to, one for each element of their common shape.
            let! offsets =
                List.fold
                    (fun found (dim, index: Value<'S>) ->
                        result {
                            let! offsets, known = found
                            let! at, decided = wrap dim shape[dim] index
                            let broadcast = Broadcast.positions index.Shape common
                            return Array.map2 (fun offset p -> offset + at[p] * strides[dim]) offsets broadcast, known && decided
                        })
                    (Ok(Array.zeroCreate (Shape.count common), true))
                    indexed

            let offsets, decided = offsets
            let before, behind = walk before, walk behind

            return
                chosen,
                ([| for b in before do
                        for offset in offsets do
                            for r in behind -> b + offset + r |],
                 decided)
        }

    /// The shape of x[indices], and for each of its elements the position in x (row-major).
    let resolve shape (indices: Value<'S> option list) = resolveFor (fun _ -> Ok()) shape indices

    /// The derivative of what picks elements of its first argument: a gradient of that alone.
    let toFirst (gradient: IDerivation -> Term -> Term) : Rule option = Some(Derive.rule (fun d g -> [ Some(fun () -> gradient d g) ]))

    /// The first argument's size, as what adds up at indices is told it.
    let sizeOfFirst (d: IDerivation) = "size", Derive.sizeAttr (d.ShapeOf 0)
