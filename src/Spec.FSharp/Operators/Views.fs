namespace Verified.Spec.Operators

open Verified.Spec

/// All of a tensor's elements in another shape or order: pure functions of sizes and strides, with PyTorch's complaints.
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

    // The dimensions in runs that are contiguous in themselves, from the innermost out: how many elements, and how far apart. One of size 1
    // joins whatever it stands by, but the last.
    let private runs (g: Geometry) =
        let rec from d count stride =
            let count = count * g.Shape[d]

            if d = 0 then
                [ count, stride ]
            elif g.Shape[d - 1] = 1 || g.Strides[d - 1] = count * stride then
                from (d - 1) count stride
            else
                (count, stride) :: from (d - 1) 1 g.Strides[d - 1]

        let last = g.Shape.Length - 1
        from last 1 g.Strides[last]

    /// The strides under which a tensor can be seen in a new shape of the same count, without copying; None where none are
    /// (aten/src/ATen/TensorUtils.cpp, computeStride).
    let stridesFor (g: Geometry) (shape: int[]) =
        // The sizes that make up one run, from the innermost out.
        let rec fill (count, stride) filled sizes strides =
            match sizes with
            | size :: rest when filled < count || size = 1 -> fill (count, stride) (filled * size) rest (filled * stride :: strides)
            | _ when filled = count -> Some(sizes, strides)
            | _ -> None

        if Shape.count g.Shape = 0 then
            Some(if shape = g.Shape then g.Strides else Shape.strides shape)
        elif g.Shape.Length = 0 then
            Some(Array.create shape.Length 1)
        else
            let sizes = shape |> Array.rev |> List.ofArray

            runs g
            |> List.fold (fun found run -> found |> Option.bind (fun (sizes, strides) -> fill run 1 sizes strides)) (Some(sizes, []))
            |> Option.bind (fun (left, strides) -> if left.IsEmpty then Some(Array.ofList strides) else None)

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

    /// Its gradient is what arrives, rearranged: a view of that where it can be, as PyTorch's is. The gradient of any other view is made anew.
    let private rearrangedBy (back: IDerivation -> Term -> Term) (op: Operator) =
        { op with
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> back d g) ])) }

    let private reshapedBack (d: IDerivation) (g: Term) = Derive.apply "reshape" [ g ] [ "shape", Derive.sizeAttr (d.ShapeOf 0) ]

    let private squeezedBack (d: IDerivation) (g: Term) =
        if d.ShapeOf 0 = g.Shape then
            g
        else
            Derive.apply "view" [ g ] [ "size", Derive.sizeAttr (d.ShapeOf 0) ]

    let view =
        defineViews
            "view"
            "the same elements in another shape, never copied"
            [ Define.oneOf (Define.attr "size" AttrKind.Size) ]
            (fun g attrs ->
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
        |> rearrangedBy reshapedBack

    let private viewOrCopy g shape =
        match viewOf g shape with
        | Some view -> View view
        | None -> Copied shape

    let reshape =
        { defineViews
              "reshape"
              "the same elements in another shape, copied only where strides allow no view"
              [ Define.oneOf (Define.attr "shape" AttrKind.Size) ]
              (fun g attrs ->
                  result {
                      let! requested = size attrs
                      let! shape = inferSize requested (Shape.count g.Shape)
                      return viewOrCopy g shape
                  }) with
            Node = Define.node "View" }
        |> rearrangedBy reshapedBack

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
            ArgumentsFirst = fun _ -> true
            Node = Define.node "View" }
        |> rearrangedBy reshapedBack

    let contiguous =
        defineViews "contiguous" "x, copied only where it is not row-major" [] (fun g _ ->
            Ok(if Layout.isContiguous g then Itself else Copied g.Shape))
        |> rearrangedBy (fun _ g -> g)

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
        |> rearrangedBy squeezedBack

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
        |> rearrangedBy (fun d g -> Derive.apply "squeeze" [ g ] (Map.toList d.Attrs))

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
        |> rearrangedBy (fun d g -> Derive.apply "transpose" [ g ] (Map.toList d.Attrs))

    /// In place it changes the tensor's own geometry and no element.
    let t =
        { defineViews "t" "the transpose of a matrix; a vector as it is" [] (fun g _ ->
              if g.Shape.Length > 2 then
                  Complain.shape $"t() expects a tensor with <= 2 dimensions, but self is {g.Shape.Length}D"
              else
                  one (if g.Shape.Length = 2 then swapped 0 1 g else g)) with
            InPlace = true
            Node = Define.nodeByOverload "T" (fun call -> if call.InPlace then 1 else 0) }
        |> rearrangedBy (fun _ g -> Derive.apply "t" [ g ] [])

    let private permutedBack (d: IDerivation) (g: Term) =
        let rank = g.Shape.Length

        let order =
            Read.integers d.Attrs "dims"
            |> Result.defaultValue []
            |> List.map (fun dim -> if dim < 0 then dim + rank else dim)

        let inverse = List.init rank (fun dim -> Attr.Integer(int64 (List.findIndex ((=) dim) order)))
        Derive.apply "permute" [ g ] [ "dims", Attr.Items inverse ]

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
        |> rearrangedBy permutedBack

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
            // Of what has no dimension PyTorch takes the sum, be it of one element (aten/src/ATen/ExpandUtils.h, sum_to).
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              if (d.ShapeOf 0).Length = 0 then
                                  Derive.apply "sum" [ g ] []
                              else
                                  Derive.sumTo (d.ShapeOf 0) g) ])
                ) }

    let all = [ view; reshape; flatten; contiguous; squeeze; unsqueeze; transpose; t; permute; expand ]
