namespace Verified.Spec.Operators

open Verified.Spec

/// Geometries of views: pure functions of sizes and strides, with PyTorch's complaints.
module Views =
    let private one (geometry: Geometry) = Ok(View geometry)

    /// The shape that a request names: -1, at most once, stands for what is left.
    let inferSize (requested: int list) (count: int) =
        let shown = Shape.show (Array.ofList requested)
        let known = requested |> List.filter (fun n -> n <> -1) |> List.fold (*) 1
        let fits n = requested |> List.map (fun m -> if m = -1 then n else m) |> Array.ofList |> Ok
        let invalid () = Complain.shape $"shape '{shown}' is invalid for input of size {count}"

        match requested |> List.filter (fun n -> n = -1) |> List.length with
        | _ when requested |> List.exists (fun n -> n < -1) ->
            Complain.value $"invalid shape dimension {requested |> List.find (fun n -> n < -1)}"
        | 0 -> if known = count then fits 0 else invalid ()
        | 1 when known = 0 && count = 0 ->
            Complain.shape
                $"cannot reshape tensor of 0 elements into shape {shown} because the unspecified dimension size -1 can be any value and is ambiguous"
        | 1 -> if known <> 0 && count % known = 0 then fits (count / known) else invalid ()
        | _ -> Complain.value "only one dimension can be inferred"

    // The dimensions (size, stride) in runs that are contiguous in themselves: each run is its size and its innermost stride.
    let private runs (g: Geometry) =
        let dims = Array.zip g.Shape g.Strides |> Array.filter (fun (size, _) -> size <> 1) |> Array.toList

        let join (size, stride) found =
            match found with
            | (runSize, innermost) :: rest when stride = runSize * innermost -> (size * runSize, innermost) :: rest
            | _ -> (size, stride) :: found

        List.foldBack join dims []

    /// The strides under which a tensor can be seen in a new shape of the same count, without copying; None where none are.
    let stridesFor (g: Geometry) (shape: int[]) =
        if Shape.count g.Shape = 0 then
            Some(if shape = g.Shape then g.Strides else Shape.strides shape)
        else
            // From the innermost dimension out: each must divide what is left of its run.
            let step found size =
                match found with
                | None -> None
                | Some(runs, taken, strides) ->
                    match runs with
                    | [] when size = 1 -> Some([], 1, taken :: strides)
                    | [] -> None
                    | (left, stride) :: rest ->
                        if size = 1 then Some(runs, taken, stride :: strides)
                        elif left % size <> 0 then None
                        elif left = size then Some(rest, stride * size, stride :: strides)
                        else Some((left / size, stride * size) :: rest, taken, stride :: strides)

            Array.fold step (Some(List.rev (runs g), 1, [])) (Array.rev shape)
            |> Option.map (fun (_, _, strides) -> Array.ofList strides)

    let private size attrs =
        match Read.tryIntegers attrs "shape" with
        | Ok None -> Read.integers attrs "size"
        | Ok(Some dims) -> Ok dims
        | Error complaint -> Error complaint

    let private viewOf (g: Geometry) shape =
        stridesFor g shape
        |> Option.map (fun strides ->
            { g with
                Shape = shape
                Strides = strides })

    let private defineViews name formula attrs aliases = Define.views name formula [ ArgKind.Any ] attrs aliases

    let view =
        defineViews "view" "the same elements in another shape, never copied" [ Define.attr "size" AttrKind.Size ] (fun g attrs ->
            result {
                let! requested = size attrs
                let! shape = inferSize requested (Shape.count g.Shape)

                match viewOf g shape with
                | Some view -> return! one view
                | None ->
                    return!
                        Complain.shape
                            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead."
            })

    let private viewOrCopy g shape =
        match viewOf g shape with
        | Some view -> View view
        | None -> Copied shape

    let reshape =
        { defineViews
              "reshape"
              "the same elements in another shape, copied only where strides allow no view"
              [ Define.attr "shape" AttrKind.Size ]
              (fun g attrs ->
                  result {
                      let! requested = size attrs
                      let! shape = inferSize requested (Shape.count g.Shape)
                      return viewOrCopy g shape
                  }) with
            Node = Define.node "View" }

    let flatten =
        { defineViews
              "flatten"
              "dimensions start_dim to end_dim as one"
              [ Define.attr "start_dim" AttrKind.Dim; Define.attr "end_dim" AttrKind.Dim ]
              (fun g attrs ->
                  result {
                      let rank = g.Shape.Length
                      let! first = Read.dimOr 0 attrs "start_dim" rank
                      let! last = Read.dimOr -1 attrs "end_dim" rank

                      if first > last then
                          return! Complain.value "flatten() has invalid args: start_dim cannot come after end_dim"
                      elif rank = 0 then
                          return viewOrCopy g [| 1 |]
                      elif first = last then
                          return Itself
                      else
                          let merged = Shape.count g.Shape[first..last]
                          return viewOrCopy g (Array.concat [ g.Shape[.. first - 1]; [| merged |]; g.Shape[last + 1 ..] ])
                  }) with
            ArgumentsFirst = true
            Node = Define.node "View" }

    let contiguous =
        defineViews "contiguous" "x, copied only where it is not row-major" [] (fun g _ ->
            Ok(if Layout.isContiguous g then Itself else Copied g.Shape))

    let private without d (items: int[]) = Array.removeAt d items

    let private dropWhere drop (g: Geometry) =
        let kept = [| 0 .. g.Shape.Length - 1 |] |> Array.filter (fun d -> not (drop d))

        { g with
            Shape = kept |> Array.map (fun d -> g.Shape[d])
            Strides = kept |> Array.map (fun d -> g.Strides[d]) }

    let squeeze =
        { defineViews
              "squeeze"
              "without dimensions of size 1: all of them, or those of `dim`"
              [ Define.attr "dim" AttrKind.Dims ]
              (fun g attrs ->
                  result {
                      match! Read.tryDims attrs "dim" g.Shape.Length with
                      | None -> return! one (dropWhere (fun d -> g.Shape[d] = 1) g)
                      | Some dims -> return! one (dropWhere (fun d -> g.Shape[d] = 1 && List.contains d dims) g)
                  }) with
            InPlace = true }

    let unsqueeze =
        defineViews "unsqueeze" "with a new dimension of size 1 at `dim`" [ Define.required "dim" AttrKind.Dim ] (fun g attrs ->
            result {
                let rank = g.Shape.Length
                let! d = Read.dim attrs "dim" (rank + 1)
                let stride = if d < rank then g.Shape[d] * g.Strides[d] else 1

                return!
                    one
                        { g with
                            Shape = Array.insertAt d 1 g.Shape
                            Strides = Array.insertAt d stride g.Strides }
            })

    let private reordered (order: int[]) (g: Geometry) =
        { g with
            Shape = order |> Array.map (fun d -> g.Shape[d])
            Strides = order |> Array.map (fun d -> g.Strides[d]) }

    let private swapped a b (g: Geometry) =
        let order =
            Array.init g.Shape.Length (fun d ->
                if d = a then b
                elif d = b then a
                else d)

        reordered order g

    let transpose =
        defineViews
            "transpose"
            "dimensions dim0 and dim1 exchanged"
            [ Define.required "dim0" AttrKind.Dim; Define.required "dim1" AttrKind.Dim ]
            (fun g attrs ->
                result {
                    let! a = Read.dim attrs "dim0" g.Shape.Length
                    let! b = Read.dim attrs "dim1" g.Shape.Length
                    return! one (swapped a b g)
                })

    /// In place it changes the tensor's own geometry and no element.
    let t =
        { defineViews "t" "the transpose of a matrix; a vector as it is" [] (fun g _ ->
              if g.Shape.Length > 2 then
                  Complain.shape $"t() expects a tensor with <= 2 dimensions, but self is {g.Shape.Length}D"
              else
                  one (if g.Shape.Length = 2 then swapped 0 1 g else g)) with
            InPlace = true
            Node = Define.nodeByOverload "T" (fun call -> if call.InPlace then 1 else 0) }

    let permute =
        defineViews "permute" "dimensions in the order `dims`" [ Define.required "dims" AttrKind.Permutation ] (fun g attrs ->
            result {
                let! dims = Read.integers attrs "dims"
                let rank = g.Shape.Length

                do!
                    Complain.unlessShape (dims.Length = rank) (fun () ->
                        $"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = {rank} is not equal to len(dims) = {dims.Length}")

                let! order =
                    dims
                    |> List.fold
                        (fun found d -> Result.bind (fun found -> Dim.normalise rank d |> Result.map (fun d -> d :: found)) found)
                        (Ok [])

                do! Complain.unlessValue (List.distinct order = order) (fun () -> "permute(): duplicate dims are not allowed.")
                return! one (reordered (order |> List.rev |> Array.ofList) g)
            })

    // From the last dimension to the first, as the stride of a new one follows from the one behind it.
    let private expanded (g: Geometry) (target: int[]) =
        let missing = target.Length - g.Shape.Length

        let step d (found: Result<(int * int) list, Complaint>) =
            result {
                let! behind = found
                let own = if d >= missing then g.Shape[d - missing] else 1

                let stride =
                    match behind with
                    // Of a number.
                    | _ when g.Shape.Length = 0 -> 0
                    | _ when d >= missing -> g.Strides[d - missing]
                    | [] -> 1
                    | (size, stride) :: _ -> size * stride

                if target[d] = -1 && d < missing then
                    return! Complain.shape $"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {d}"
                elif target[d] = -1 || target[d] = own then
                    return (own, stride) :: behind
                elif own = 1 && target[d] >= 0 then
                    return (target[d], 0) :: behind
                else
                    return!
                        Complain.shape
                            $"The expanded size of the tensor ({target[d]}) must match the existing size ({own}) at non-singleton dimension {d}.  Target sizes: {Shape.show target}.  Tensor sizes: {Shape.show g.Shape}"
            }

        if missing < 0 then
            Complain.shape
                $"expand(torch.FloatTensor{{{Shape.show g.Shape}}}, size={Shape.show target}): the number of sizes provided ({target.Length}) must be greater or equal to the number of dimensions in the tensor ({g.Shape.Length})"
        else
            List.foldBack step [ 0 .. target.Length - 1 ] (Ok [])
            |> Result.map (fun dims ->
                { g with
                    Shape = dims |> List.map fst |> Array.ofList
                    Strides = dims |> List.map snd |> Array.ofList })

    let expand =
        { defineViews "expand" "dimensions of size 1 repeated, without copying" [ Define.required "size" AttrKind.Size ] (fun g attrs ->
              result {
                  let! target = Read.integers attrs "size"
                  let! view = expanded g (Array.ofList target)
                  return! one view
              }) with
            // A sum, whose derivative expands again; where nothing is repeated, what arrives.
            Derivative = Some(Derive.rule (fun _ g -> [ Some(fun () -> g) ])) }

    // What one integer leaves of a dimension: nothing.
    let private selected (g: Geometry) d i =
        { Geometry.Shape = without d g.Shape
          Strides = without d g.Strides
          Offset = g.Offset + i * g.Strides[d] }

    // What a slice leaves of a dimension.
    let private sliced (g: Geometry) d start length step =
        { Geometry.Shape = Array.updateAt d length g.Shape
          Strides = Array.updateAt d (g.Strides[d] * step) g.Strides
          Offset = g.Offset + start * g.Strides[d] }

    let select =
        defineViews
            "select"
            "x at `index` of dimension `dim`"
            [ Define.required "dim" AttrKind.Dim; Define.required "index" (AttrKind.Integer [ 0L; 1L; -1L ]) ]
            (fun g attrs ->
                result {
                    if g.Shape.Length = 0 then
                        return! Complain.index "select() cannot be applied to a 0-dim tensor."
                    else
                        let! d = Read.dim attrs "dim" g.Shape.Length
                        let! i = Read.integer attrs "index"
                        let size = g.Shape[d]

                        if i < -size || i >= size then
                            return!
                                Complain.index $"select(): index {i} out of range for tensor of size {Shape.show g.Shape} at dimension {d}"
                        else
                            return! one (selected g d (if i < 0 then i + size else i))
                })

    let narrow =
        { defineViews
              "narrow"
              "`length` elements of dimension `dim` from `start`"
              [ Define.required "dim" AttrKind.Dim
                Define.required "start" (AttrKind.Integer [ 0L; 1L; -1L ])
                Define.required "length" (AttrKind.Integer [ 0L; 1L; 2L ]) ]
              (fun g attrs ->
                  result {
                      if g.Shape.Length = 0 then
                          return! Complain.index "narrow() cannot be applied to a 0-dim tensor."
                      else
                          let! d = Read.dim attrs "dim" g.Shape.Length
                          let! start = Read.integer attrs "start"
                          let! length = Read.integer attrs "length"
                          let size = g.Shape[d]
                          do! Complain.unlessValue (length >= 0) (fun () -> "narrow(): length must be non-negative.")

                          if start < -size || start > size then
                              return! Complain.index $"start out of range (expected to be in range of [{-size}, {size}], but got {start})"
                          else
                              let start = if start < 0 then start + size else start

                              if start + length > size then
                                  return! Complain.index $"start ({start}) + length ({length}) exceeds dimension size ({size})."
                              else
                                  return! one (sliced g d start length 1)
                  }) with
            ArgumentsFirst = true
            Node = Define.node "Slice" }

    /// The view that an `index` of getitem names: integers drop their dimension, null keeps it whole, [start, stop, step] slices it.
    let indexed (g: Geometry) (attrs: Attrs) =
        let clamp size i =
            let i = if i < 0 then i + size else i
            max 0 (min size i)

        let bound fallback (attr: Attr) =
            match attr with
            | Attr.Null -> Ok fallback
            | Attr.Integer i -> Ok(int (max -2147483647L (min 2147483647L i)))
            | _ -> Complain.value "attribute 'index' must hold integers, nulls and [start, stop, step]"

        let step found item =
            result {
                let! (g: Geometry), d = found

                let size = g.Shape[d]

                match item with
                | Attr.Null -> return g, d + 1
                | Attr.Integer i when i < -(int64 size) || i >= int64 size ->
                    return! Complain.index $"index {i} is out of bounds for dimension {d} with size {size}"
                | Attr.Integer i -> return selected g d (if i < 0L then int i + size else int i), d
                | Attr.Items parts when parts.Length <= 3 ->
                    let part k = List.tryItem k parts |> Option.defaultValue Attr.Null
                    let! start = bound 0 (part 0)
                    let! stop = bound size (part 1)
                    let! step = bound 1 (part 2)
                    do! Complain.unlessValue (step > 0) (fun () -> "step must be greater than zero")
                    let start = clamp size start
                    let stop = max start (clamp size stop)
                    return sliced g d start ((stop - start + step - 1) / step) step, d + 1
                | _ -> return! Complain.value "attribute 'index' must hold integers, nulls and [start, stop, step]"
            }

        match Read.optional attrs "index" with
        | Some(Attr.Items items) when items.Length > g.Shape.Length ->
            Complain.index $"too many indices for tensor of dimension {g.Shape.Length}"
        | Some(Attr.Integer _) when g.Shape.Length = 0 ->
            Complain.index
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to a number"
        | Some(Attr.Items items) -> List.fold step (Ok(g, 0)) items |> Result.map fst
        | Some(Attr.Integer _ as item) -> step (Ok(g, 0)) item |> Result.map fst
        | _ -> Complain.value "attribute 'index' must be a list: an integer, null or [start, stop, step] for each dimension"

    // A chain of views, of which the last one is seen.
    let private nodeOfIndex (call: Recorded) =
        match Read.optional call.Attrs "index" with
        | Some(Attr.Items items) ->
            match List.tryFindBack (fun item -> item <> Attr.Null) items with
            | Some(Attr.Integer _) -> "SelectBackward0"
            | Some _ -> "SliceBackward0"
            | None -> "AliasBackward0"
        | _ -> "SelectBackward0"

    let getitem =
        { defineViews "getitem" "x[index]" [ Define.required "index" AttrKind.Index ] (fun g attrs -> indexed g attrs |> Result.bind one) with
            ArgumentsFirst = true
            Node = nodeOfIndex }

    // Views of these sizes, one behind the other, along a dimension.
    let private sections (g: Geometry) d (sizes: int list) =
        let starts = List.scan (+) 0 sizes
        Views(List.map2 (fun start length -> sliced g d start length 1) (List.take sizes.Length starts) sizes)

    let private equalSections (size: int) (total: int) =
        let count = if size = 0 then 1 else max ((total + size - 1) / size) 1
        List.init count (fun i -> min size (total - i * size))

    let private splitBy (g: Geometry) attrs (size: int) =
        result {
            do! Complain.unlessValue (size >= 0) (fun () -> $"split expects split_size be non-negative, but got split_size={size}")
            let! d = Read.dimOr 0 attrs "dim" g.Shape.Length
            let total = g.Shape[d]

            do!
                Complain.unlessValue (size > 0 || total = 0) (fun () ->
                    $"split_size can only be 0 if dimension size is 0, but got dimension size of {total}")

            return sections g d (equalSections size total)
        }

    let split =
        defineViews
            "split"
            "views of split_size_or_sections elements each along `dim` (or of the sizes given)"
            [ Define.attr "split_size_or_sections" (AttrKind.Integer [ 1L; 2L ])
              Define.attr "split_size" (AttrKind.Integer [ 2L ])
              Define.attr "dim" AttrKind.Dim ]
            (fun g attrs ->
                result {
                    // torch.split's keyword, or the method's.
                    let given = [ "split_size_or_sections"; "split_size" ] |> List.filter (fun name -> (Read.optional attrs name).IsSome)

                    do! Complain.unlessValue (given.Length < 2) (fun () -> "split takes split_size_or_sections or split_size, not both")

                    let name = given |> List.tryHead |> Option.defaultValue "split_size_or_sections"
                    do! Complain.unlessValue (not given.IsEmpty) (fun () -> $"split needs the attribute '{name}'")

                    if g.Shape.Length = 0 then
                        return! Complain.shape "split expects at least a 1-dimensional tensor"
                    else
                        match Read.optional attrs name with
                        | Some(Attr.Items _) ->
                            let! sizes = Read.integers attrs name
                            let! d = Read.dimOr 0 attrs "dim" g.Shape.Length

                            do!
                                Complain.unlessValue (List.forall (fun n -> n >= 0) sizes) (fun () ->
                                    $"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={Shape.show (Array.ofList sizes)}")

                            do!
                                Complain.unlessShape (List.sum sizes = g.Shape[d]) (fun () ->
                                    $"split_with_sizes expects split_sizes to sum exactly to {g.Shape[d]} (input tensor's size at dimension {d}), but got split_sizes={Shape.show (Array.ofList sizes)}")

                            return sections g d sizes
                        | _ ->
                            let! size = Read.integer attrs name
                            return! splitBy g attrs size
                })

    let chunk =
        { defineViews
              "chunk"
              "at most `chunks` views of equal size along `dim`, the last one smaller"
              [ Define.required "chunks" (AttrKind.Integer [ 1L; 2L; 3L ]); Define.attr "dim" AttrKind.Dim ]
              (fun g attrs ->
                  result {
                      if g.Shape.Length = 0 then
                          return! Complain.shape "chunk expects at least a 1-dimensional tensor"
                      else
                          let! chunks = Read.integer attrs "chunks"
                          do! Complain.unlessValue (chunks > 0) (fun () -> $"chunk expects `chunks` to be greater than 0, got: {chunks}")
                          let! d = Read.dimOr 0 attrs "dim" g.Shape.Length
                          let total = g.Shape[d]

                          if total = 0 then
                              return sections g d (List.replicate chunks 0)
                          else
                              return! splitBy g attrs ((total + chunks - 1) / chunks)
                  }) with
            ArgumentsFirst = true
            Node = Define.node "Split" }

    let unbind =
        defineViews "unbind" "x at each index of dimension `dim`" [ Define.attr "dim" AttrKind.Dim ] (fun g attrs ->
            result {
                if g.Shape.Length = 0 then
                    return! Complain.index "Dimension specified as 0 but tensor has no dimensions"
                else
                    let! d = Read.dimOr 0 attrs "dim" g.Shape.Length
                    return Views [ for i in 0 .. g.Shape[d] - 1 -> selected g d i ]
            })

    let all =
        [ view
          reshape
          flatten
          contiguous
          squeeze
          unsqueeze
          transpose
          t
          permute
          expand
          select
          narrow
          getitem
          split
          chunk
          unbind ]
