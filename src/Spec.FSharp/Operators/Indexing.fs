namespace Verified.Spec.Operators

open Verified.Spec

/// index and index_put: elements that tensors of indices and masks name, read and written.
module Indexing =
    // ---- index ----

    let private indicesOf (call: Call<'S>) first last = [ for i in first..last -> Argument.tryTensor call i ]

    let private savedIndices (d: IDerivation) count = [ for i in 1..count -> if d.Has i then Some(d.Input i) else None ]

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
            Saves = fun _ _ -> [ Indices 0 ]
            Derivative =
                Indices.toFirst (fun d g -> Derive.applyTo "index_sum" (Some g :: savedIndices d (d.Inputs - 1)) [ Indices.sizeOfFirst d ]) }

    // A mask may choose another number of elements by now.
    let private fits (values: Value<'S>) shape =
        Complain.unlessShape (Broadcast.reaches values.Shape shape) (fun () ->
            $"shape mismatch: value tensor of shape {Shape.show values.Shape} cannot be broadcast to indexing result of shape {Shape.show shape}")

    let indexSum =
        { Define.computes
              "index_sum"
              "zeros of `size`, with x added at the indices: the transpose of index"
              [ ArgKind.Float; ArgKind.List(ArgKind.Optional ArgKind.Index) ]
              [ Define.required "size" AttrKind.Size; Define.attr "of_select" AttrKind.Flag ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.floats call 0
                          let! size = Read.integers call.Attrs "size"
                          let size = Array.ofList size
                          let indices = indicesOf call 1 (call.In.Length - 1)
                          let! ofSelect = Read.flagOr false call.Attrs "of_select"

                          // index_select counts nothing from the end.
                          let isNegative (index: Value<'S>) =
                              let elements, decided = Value.asInts Int64 index
                              decided && Array.exists (fun i -> i < 0L) elements

                          do!
                              Complain.unlessIndex (not ofSelect || not (List.exists (Option.exists isNegative) indices)) (fun () ->
                                  "index out of range in self")

                          let! shape, positions = Indices.resolveFor (fits x) size indices
                          return [ Value.expand shape x |> Pick.sumAt size positions ]
                      } } with
            Internal = true
            Saves = fun _ _ -> [ Indices 0 ]
            Derivative = Indices.toFirst (fun d g -> Derive.applyTo "index" (Some g :: savedIndices d (d.Inputs - 1)) []) }

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
                    do! fits values shape

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
            Arrangement = fun _ -> Arrangement.Copied
            Admits = hasDimensionsForAll
            Overlap = overlap
            InPlace = true
            Shapes = [ [ [| 3 |]; [| 2 |]; [| 2 |] ]; [ [| 2; 3 |]; [| 2 |]; [| 3 |] ]; [ [| 4 |]; [| 3 |]; [||] ] ]
            Saves = fun _ _ -> [ Indices 1 ]
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
            Saves = fun _ _ -> [ Indices 0 ]
            Derivative =
                Indices.toFirst (fun d g ->
                    Derive.applyTo "index_write" (Some g :: savedIndices d (d.Inputs - 1)) [ Indices.sizeOfFirst d ]) }

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
                          let! shape, (positions, decided) = Indices.resolveFor (fits x) size (indicesOf call 1 (call.In.Length - 1))
                          let zeros: 'S[] = Array.create (Shape.count size) (Value.exact x.DType 0.0)
                          let elements = written zeros positions (Value.expand shape x |> Value.asFloats x.DType)
                          return [ Value.floats x.DType size elements |> unknownUnless decided ]
                      } } with
            Internal = true
            Saves = fun _ _ -> [ Indices 0 ]
            Derivative = Indices.toFirst (fun d g -> Derive.applyTo "index_survivors" (Some g :: savedIndices d (d.Inputs - 1)) []) }

    let all = [ index; indexSum; indexPut; indexSurvivors; indexWrite ]
