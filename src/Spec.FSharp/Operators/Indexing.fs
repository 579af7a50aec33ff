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

    /// An int64 index for each dimension that is indexed: a mask stands for the places where it holds, one index a dimension.
    let private expand (shape: int[]) (indices: Value<'S> option list) =
        let rec go dim indices found =
            match indices with
            | [] -> Ok(List.rev found)
            | None :: rest -> go (dim + 1) rest found
            | Some(index: Value<'S>) :: rest when index.DType = Int64 -> go (dim + 1) rest ((dim, index) :: found)
            | Some mask :: rest when mask.DType = Bool ->
                let rank = mask.Shape.Length

                if rank = 0 then
                    Complain.index "a mask must have a dimension"
                elif dim + rank > shape.Length then
                    Complain.index $"too many indices for tensor of dimension {shape.Length}"
                elif mask.Shape <> shape[dim .. dim + rank - 1] then
                    let at = Seq.find (fun k -> mask.Shape[k] <> shape[dim + k]) (seq { 0 .. rank - 1 })

                    Complain.shape
                        $"The shape of the mask {Shape.show mask.Shape} at index {at} does not match the shape of the indexed tensor {Shape.show shape} at index {dim + at}"
                else
                    let elements, decided = Value.asInts Bool mask

                    let places =
                        [| for i in 0 .. elements.Length - 1 do
                               if elements[i] <> 0L then Positions.unflatten mask.Shape i |]

                    let along k : int * Value<'S> =
                        dim + k, Value.ints Int64 [| places.Length |] (places |> Array.map (fun place -> int64 place[k])) decided

                    go (dim + rank) rest (List.rev (List.init rank along) @ found)
            | Some _ :: _ -> Complain.dtype "tensors used as indices must be long, int, byte or bool tensors"

        go 0 indices []

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

/// Indexing: index, gather, index_select, and what adds up or writes at indices.
module Indexing =
    let private toFirst (gradient: IDerivation -> Term -> Term) : Rule option =
        Some(Derive.rule (fun d g -> [ Some(fun () -> gradient d g) ]))

    let private sizeOfFirst (d: IDerivation) = "size", Derive.sizeAttr (d.ShapeOf 0)

    // ---- gather ----

    let private atLeastOne (shape: int[]) = if shape.Length = 0 then [| 1 |] else shape

    /// For each element of the index, its position in a tensor of this shape.
    let private gatherPositions (shape: int[]) dim (index: Value<'S>) =
        let shape = atLeastOne shape
        let own = atLeastOne index.Shape

        result {
            do!
                Complain.unlessShape (shape.Length = own.Length) (fun () ->
                    "Index tensor must have the same number of dimensions as input tensor")

            do!
                if Shape.count own = 0 then
                    Ok()
                else
                    match Seq.tryFind (fun d -> d <> dim && own[d] > shape[d]) (seq { 0 .. shape.Length - 1 }) with
                    | Some d ->
                        Complain.shape
                            $"Size does not match at dimension {d} expected index {Shape.show index.Shape} to be no larger than self {Shape.show shape} apart from dimension {dim}"
                    | None -> Ok()

            let elements, decided = Value.asInts Int64 index
            let size = shape[dim]

            match elements |> Array.tryFind (fun i -> i < 0L || i >= int64 size) with
            | Some i when decided || size = 0 -> return! Complain.index $"index {i} is out of bounds for dimension {dim} with size {size}"
            | _ ->
                let strides = Shape.strides shape
                // As if the index were 0 everywhere, and then moved along the dimension.
                let still = Array.mapi (fun d stride -> if d = dim then 0 else stride) strides

                return
                    (Positions.ofView own still 0, elements)
                    ||> Array.map2 (fun p i -> p + int (max 0L (min i (int64 size - 1L))) * strides[dim]),
                    decided
        }

    let private indexOf (call: Call<'S>) i name =
        result {
            let! index = Argument.tensor call i
            do! Complain.unlessDType (index.DType = Int64) (fun () -> $"{name}(): Expected dtype int64 for index")
            return index
        }

    let private gatherShapes =
        [ [ [| 3 |]; [| 2 |] ]
          [ [| 2; 3 |]; [| 2; 2 |] ]
          [ [| 2; 3 |]; [| 1; 3 |] ]
          [ [||]; [||] ]
          [ [| 2; 2 |]; [| 0; 2 |] ]
          [ [| 4; 2 |]; [| 2; 2 |] ] ]

    let gather =
        { Define.computes
              "gather"
              "y[i] = x[i with index[i] along dim]"
              [ ArgKind.Float; ArgKind.Index ]
              [ Define.required "dim" AttrKind.Dim ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! index = indexOf call 1 "gather"
                          let! dim = Read.dim call.Attrs "dim" x.Shape.Length
                          let! positions = gatherPositions x.Shape dim index
                          return [ Pick.at index.Shape positions x ]
                      } } with
            Spelling = Define.ofTensor |> Define.byKeyword [ "index" ]
            Shapes = gatherShapes
            Saves = fun _ _ -> [ Input 0; Input 1 ]
            Derivative = toFirst (fun d g -> Derive.apply "scatter_sum" [ g; d.Input 1 ] [ "dim", d.Attrs["dim"]; sizeOfFirst d ]) }

    let scatterSum =
        { Define.computes
              "scatter_sum"
              "zeros of `size`, with x[i] added at i with index[i] along dim: the transpose of gather"
              [ ArgKind.Float; ArgKind.Index ]
              [ Define.required "dim" AttrKind.Dim; Define.required "size" AttrKind.Size ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.floats call 0
                          let! index = indexOf call 1 "scatter_sum"
                          let! size = Read.integers call.Attrs "size"
                          let size = Array.ofList size
                          let! dim = Read.dim call.Attrs "dim" size.Length
                          let! positions = gatherPositions size dim index
                          return [ Pick.sumAt size positions x ]
                      } } with
            Internal = true
            Saves = fun _ _ -> [ Input 1 ]
            Derivative = toFirst (fun d g -> Derive.apply "gather" [ g; d.Input 1 ] [ "dim", d.Attrs["dim"] ]) }

    // ---- index ----

    let private indicesOf (call: Call<'S>) first last = [ for i in first..last -> Argument.tryTensor call i ]

    let private savedIndices (d: IDerivation) count = [ for i in 1..count -> if d.Has i then Some(d.Input i) else None ]

    let private saveIndices = [ Indices ]

    let index =
        { Define.computes
              "index"
              "y = x[indices]: int64 tensors broadcast together, masks, and null for a whole dimension"
              [ ArgKind.Float; ArgKind.List(ArgKind.Optional ArgKind.Index) ]
              []
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! shape, positions = Indices.resolve x.Shape (indicesOf call 1 (call.In.Length - 1))
                          return [ Pick.at shape positions x ]
                      } } with
            Shapes =
                [ [ [| 3 |]; [| 2 |] ]
                  [ [| 2; 3 |]; [| 4 |] ]
                  [ [| 2; 3 |]; [| 2 |]; [| 2 |] ]
                  [ [| 3; 2 |]; [| 2; 1 |]; [| 2 |] ]
                  [ [| 3 |]; [||] ]
                  [ [| 2; 2; 3 |]; [| 2 |]; [| 2 |] ] ]
            Saves = fun _ _ -> saveIndices
            Derivative = toFirst (fun d g -> Derive.applyTo "index_sum" (Some g :: savedIndices d (d.Inputs - 1)) [ sizeOfFirst d ]) }

    let indexSum =
        { Define.computes
              "index_sum"
              "zeros of `size`, with x added at the indices: the transpose of index"
              [ ArgKind.Float; ArgKind.List(ArgKind.Optional ArgKind.Index) ]
              [ Define.required "size" AttrKind.Size ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.floats call 0
                          let! size = Read.integers call.Attrs "size"
                          let size = Array.ofList size
                          let! _, positions = Indices.resolve size (indicesOf call 1 (call.In.Length - 1))
                          return [ Pick.sumAt size positions x ]
                      } } with
            Internal = true
            Saves = fun _ _ -> saveIndices
            Derivative = toFirst (fun d g -> Derive.applyTo "index" (Some g :: savedIndices d (d.Inputs - 1)) []) }

    // ---- index_put ----

    /// The elements of a tensor of this shape after each element of `values` was written at its position; of several, the last stays.
    let private written (elements: 'a[]) (positions: int[]) (values: 'a[]) =
        let found = Array.copy elements
        Array.iter2 (fun position v -> found[position] <- v) positions values
        found

    /// For each write, whether it stays.
    let private survivors count (positions: int[]) =
        let last = written (Array.create count -1) positions [| 0 .. positions.Length - 1 |]
        positions |> Array.mapi (fun i position -> last[position] = i)

    /// The indices between the first and the last argument, resolved, and the last one, broadcast to what they choose.
    let private readWrite (call: Call<'S>) (x: Value<'S>) =
        result {
            let count = call.In.Length - 2
            let! values = Argument.tensor call (count + 1)

            // PyTorch looks whether the values fit before it looks the indices up.
            let accept shape =
                result {
                    do!
                        Complain.unlessShape (Broadcast.reaches values.Shape shape) (fun () ->
                            $"shape mismatch: value tensor of shape {Shape.show values.Shape} cannot be broadcast to indexing result of shape {Shape.show shape}")

                    do!
                        Complain.unlessDType (values.DType = x.DType) (fun () ->
                            $"Index put requires the source and destination dtypes match, got {Promotion.messageName x.DType} for the destination and {Promotion.messageName values.DType} for the source.")
                }

            let! shape, positions = Indices.resolveFor accept x.Shape (indicesOf call 1 count)
            return Value.expand shape values, positions
        }

    let private hasDimensionsForAll =
        { new Admission with
            member _.Of call =
                result {
                    let! x = Argument.tensor call 0
                    do! Indices.checkCount x.Shape (call.In.Length - 2)
                } }

    /// With a mask and one value it is masked_fill (canDispatchToMaskedFill); otherwise it writes while it reads, so that what it reads may not
    /// even be the very elements that it writes (assert_no_overlap, aten/src/ATen/native/TensorAdvancedIndexing.cpp).
    let private overlap (write: IWrite) =
        let values = write.Inputs - 1

        let isFilledByMask =
            match [ 1 .. values - 1 ] |> List.filter write.Has with
            | [ mask ] ->
                write.DTypeOf mask = Bool
                && Shape.count (write.ShapeOf values) = 1
                && Read.flagOr false write.Attrs "accumulate" = Ok false
            | _ -> false

        { Within = Refused
          Reads =
            fun i ->
                if not isFilledByMask then Meanwhile
                elif i = values then Before
                else InStep }

    let private unknownUnless<'S when 'S :> IScalar<'S>> decided (v: Value<'S>) = Pick.at v.Shape ([| 0 .. Value.count v - 1 |], decided) v

    let private indicesAttr = Define.required "size" AttrKind.Size

    let indexPut =
        { Define.computes
              "index_put"
              "y = x with the values written (accumulate: added) at the indices"
              [ ArgKind.Float; ArgKind.List(ArgKind.Optional ArgKind.Index); ArgKind.Float ]
              [ Define.attr "accumulate" AttrKind.Flag ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! accumulate = Read.flagOr false call.Attrs "accumulate"
                          let! values, (positions, decided) = readWrite call x

                          let elements =
                              match x.Elements, values.Elements with
                              | Elements.Floats xs, Elements.Floats vs when accumulate ->
                                  let terms = xs |> Array.map (fun x -> ResizeArray [ x ])
                                  Array.iter2 (fun (position: int) v -> terms[position].Add v) positions vs
                                  terms |> Array.map (fun t -> Reduce.total x.DType (t.ToArray())) |> Elements.Floats
                              | Elements.Floats xs, Elements.Floats vs -> Elements.Floats(written xs positions vs)
                              | _ ->
                                  let (xs, knownX), (vs, knownV) = Value.asInts x.DType x, Value.asInts x.DType values

                                  if accumulate then
                                      let sums = Array.copy xs
                                      let add (a: int64) b = if x.DType = Bool then a ||| b else a + b
                                      Array.iter2 (fun position v -> sums[position] <- add sums[position] v) positions vs
                                      Elements.Ints(sums, knownX && knownV)
                                  else
                                      Elements.Ints(written xs positions vs, knownX && knownV)

                          return [ { x with Elements = elements } |> unknownUnless decided ]
                      } } with
            Admits = hasDimensionsForAll
            Overlap = overlap
            InPlace = true
            Shapes = [ [ [| 3 |]; [| 2 |]; [| 2 |] ]; [ [| 2; 3 |]; [| 2 |]; [| 3 |] ]; [ [| 4 |]; [| 3 |]; [||] ] ]
            Saves = fun _ _ -> saveIndices
            Kinks =
                Some
                    "an element written twice keeps the last value, and only that one gets a gradient; PyTorch gives one to all of them (a known divergence)"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        let count = d.Inputs - 2
                        let indices = savedIndices d count
                        let accumulate = d.Attrs |> Map.tryFind "accumulate" = Some(Attr.Flag true)
                        let at name = Derive.applyTo name (Some g :: indices) []

                        [ yield
                              Some(fun () ->
                                  if accumulate then
                                      g
                                  else
                                      let zeros = Derive.apply "zeros_like" [ at "index" ] []
                                      Derive.applyTo "index_put" (Some g :: indices @ [ Some zeros ]) [])
                          yield! List.replicate count None
                          yield Some(fun () -> at (if accumulate then "index" else "index_survivors")) ])
                ) }

    let indexSurvivors =
        { Define.computes
              "index_survivors"
              "x[indices], but 0 for each element that another of the same place follows"
              [ ArgKind.Float; ArgKind.List(ArgKind.Optional ArgKind.Index) ]
              []
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.floats call 0
                          let! shape, (positions, decided) = Indices.resolve x.Shape (indicesOf call 1 (call.In.Length - 1))
                          let stays = survivors (Value.count x) positions
                          let found = Pick.at shape (positions, decided) x |> Value.asFloats x.DType
                          let zero: 'S = Value.exact x.DType 0.0
                          return [ Array.map2 (fun stays v -> if stays then v else zero) stays found |> Value.floats x.DType shape ]
                      } } with
            Internal = true
            Saves = fun _ _ -> saveIndices
            Derivative = toFirst (fun d g -> Derive.applyTo "index_write" (Some g :: savedIndices d (d.Inputs - 1)) [ sizeOfFirst d ]) }

    let indexWrite =
        { Define.computes
              "index_write"
              "zeros of `size`, with x written at the indices: the transpose of index_survivors"
              [ ArgKind.Float; ArgKind.List(ArgKind.Optional ArgKind.Index) ]
              [ indicesAttr ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.floats call 0
                          let! size = Read.integers call.Attrs "size"
                          let size = Array.ofList size
                          let! _, (positions, decided) = Indices.resolve size (indicesOf call 1 (call.In.Length - 1))
                          let zeros: 'S[] = Array.create (Shape.count size) (Value.exact x.DType 0.0)
                          let elements = written zeros positions (Value.asFloats x.DType x)
                          return [ Value.floats x.DType size elements |> unknownUnless decided ]
                      } } with
            Internal = true
            Saves = fun _ _ -> saveIndices
            Derivative = toFirst (fun d g -> Derive.applyTo "index_survivors" (Some g :: savedIndices d (d.Inputs - 1)) []) }

    // ---- index_select ----

    let private nulls (count: int) : Term option list = List.replicate count None

    let private dimOfRule (d: IDerivation) =
        match Read.dim d.Attrs "dim" (d.ShapeOf 0).Length with
        | Ok dim -> dim
        | Error complaint -> invalidOp complaint.Message

    let indexSelect =
        { Define.computes
              "index_select"
              "y = the slices of x along dim that the index names"
              [ ArgKind.Float; ArgKind.Index ]
              [ Define.required "dim" AttrKind.Dim ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! index = Argument.tensor call 1
                          let! dim = Read.dim call.Attrs "dim" x.Shape.Length

                          do! Complain.unlessShape (index.Shape.Length <= 1) (fun () -> "index_select(): Index is supposed to be a vector")

                          do!
                              Complain.unlessDType (index.DType = Int64) (fun () ->
                                  "index_select(): Expected dtype int32 or int64 for index")

                          let elements, decided = Value.asInts Int64 index
                          let shape = atLeastOne x.Shape

                          do!
                              Complain.unlessShape (x.Shape.Length > 0 || elements.Length = 1) (fun () ->
                                  "index_select(): Index to scalar can have only 1 value, got " + string elements.Length + " value(s)")

                          if decided && elements |> Array.exists (fun i -> i < 0L || i >= int64 shape[dim]) then
                              return! Complain.index "index out of range in self"
                          else
                              let index: Value<'S> = Value.ints Int64 [| elements.Length |] elements decided
                              let! found, positions = Indices.resolve shape (List.replicate dim None @ [ Some index ])
                              return [ Pick.at (if x.Shape.Length = 0 then [||] else found) positions x ]
                      } } with
            Spelling = Define.ofTensor |> Define.byKeyword [ "index" ]
            Shapes =
                [ [ [| 3 |]; [| 2 |] ]
                  [ [| 2; 3 |]; [| 4 |] ]
                  [ [| 2; 2; 3 |]; [| 2 |] ]
                  [ [||]; [| 1 |] ]
                  [ [| 3 |]; [| 0 |] ] ]
            Saves = fun _ _ -> [ Input 1 ]
            // index_add keeps what is added, for its shape.
            Fused =
                Define.fusedBy "IndexAddBackward" (fun a ->
                    let index = a.First.Input 1

                    let index =
                        if a.Arriving.Shape.Length = 0 && index.Shape.Length = 1 then
                            Shaping.squeeze 0 index
                        else
                            index

                    Derive.apply "index_select" [ a.Arriving; index ] (Map.toList a.First.Attrs))
            Derivative =
                toFirst (fun d g ->
                    if (d.ShapeOf 0).Length = 0 then
                        g
                    else
                        let index = d.Input 1 |> Shaping.reshape [| Shape.count (d.ShapeOf 1) |]
                        Derive.applyTo "index_sum" (Some g :: nulls (dimOfRule d) @ [ Some index ]) [ sizeOfFirst d ]) }

    let all = [ gather; scatterSum; index; indexSum; indexPut; indexSurvivors; indexWrite; indexSelect ]
