namespace Verified.Spec.Operators

open Verified.Spec

/// Parts of a tensor, as views: pure functions of sizes and strides, with PyTorch's complaints.
module Slicing =
    let private one (geometry: Geometry) = Ok(View geometry)

    let private views name formula attrs aliases = Define.views name formula [ ArgKind.Any ] attrs aliases

    // What one integer leaves of a dimension: nothing.
    let private selected (g: Geometry) d i =
        { Geometry.Shape = Array.removeAt d g.Shape
          Strides = Array.removeAt d g.Strides
          Offset = g.Offset + i * g.Strides[d] }

    // What a slice leaves of a dimension.
    let private sliced (g: Geometry) d start length step =
        { Geometry.Shape = Array.updateAt d length g.Shape
          Strides = Array.updateAt d (g.Strides[d] * step) g.Strides
          Offset = g.Offset + start * g.Strides[d] }

    /// What arrives at a part, among zeros. What arrives at that is the same part of it, a view.
    let private scattered (d: IDerivation) (over: Geometry) (g: Term) =
        Derive.apply
            "part_backward"
            [ g ]
            [ "input_size", Derive.sizeAttr (d.ShapeOf 0)
              "size", Derive.sizeAttr over.Shape
              "stride", Derive.sizeAttr over.Strides
              "storage_offset", Derive.integerAttr over.Offset ]

    /// A part, as a view, with that derivative.
    let private parts name formula attrs aliases =
        { views name formula attrs aliases with
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        match aliases (Layout.dense (d.ShapeOf 0)) d.Attrs with
                        | Ok(View over) -> [ Some(fun () -> scattered d over g) ]
                        | _ -> invalidOp $"{name} returned a view and does so no more")
                ) }

    let select =
        parts
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
        { parts
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
            ArgumentsFirst = fun _ -> true
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
                | Attr.Items [ start; stop; step ] ->
                    let! start = bound 0 start
                    let! stop = bound size stop
                    let! step = bound 1 step
                    do! Complain.unlessValue (step > 0) (fun () -> "step must be greater than zero")
                    let start = clamp size start
                    let stop = max start (clamp size stop)
                    return sliced g d start ((stop - start + step - 1) / step) step, d + 1
                | Attr.Items _ -> return! Complain.value "a slice must be [start, stop, step]"
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
            | None when items.IsEmpty -> "AliasBackward0"
            | None -> "SliceBackward0"
        | _ -> "SelectBackward0"

    // Whether an index leaves the tensor as it is: none at all, or slices that write out whole dimensions, 0:n, which PyTorch leaves out
    // (aten/src/ATen/TensorIndexing.h, applySlice); `:` by itself is a slice.
    let private seesAll (d: IDerivation) =
        let isWhole size item =
            match item with
            | Attr.Items [ start; stop; step ] ->
                List.contains start [ Attr.Null; Attr.Integer 0L ]
                && stop = Attr.Integer size
                && List.contains step [ Attr.Null; Attr.Integer 1L ]
            | _ -> false

        let shape = d.ShapeOf 0

        match Read.optional d.Attrs "index" with
        | Some(Attr.Items items) -> items |> List.indexed |> List.forall (fun (dim, item) -> isWhole (int64 shape[dim]) item)
        | _ -> false

    let private indexedBack (d: IDerivation) (g: Term) =
        match indexed (Layout.dense (d.ShapeOf 0)) d.Attrs with
        | Error complaint -> invalidOp complaint.Message
        | Ok over -> scattered d over g

    let getitem =
        { views "getitem" "x[index]" [ Define.required "index" AttrKind.Index ] (fun g attrs -> indexed g attrs |> Result.bind one) with
            ArgumentsFirst = fun _ -> true
            Node = nodeOfIndex
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> if seesAll d then g else indexedBack d g) ])) }

    /// The derivative of several views: the gradients joined, zeros where none arrived.
    let private joined join aliases : Rule =
        fun d ->
            match aliases (Layout.dense (d.ShapeOf 0)) d.Attrs with
            | Ok(Views parts) ->
                let arrived = parts |> List.mapi (fun k (part: Geometry) -> d.Gradient k, part.Shape)
                let zeros g shape = Derive.apply "zeros_of" [ g ] [ "size", Derive.sizeAttr shape ]
                let dim = Map.tryFind "dim" d.Attrs |> Option.map (fun dim -> "dim", dim) |> Option.toList

                let all g () =
                    Derive.apply join [ for part, shape in arrived -> part |> Option.defaultWith (fun () -> zeros g shape) ] dim

                [ arrived |> List.tryPick fst |> Option.bind (fun g -> Derive.wanted d 0 (all g)) ]
            | _ -> invalidOp "an operator that returned several views does so no more"

    /// An operator that returns several views, which `join` puts together again.
    let private severalViews name formula attrs join aliases =
        { views name formula attrs aliases with
            Derivative = Some(joined join aliases) }

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
        severalViews
            "split"
            "views of split_size_or_sections elements each along `dim` (or of the sizes given)"
            [ Define.oneOf (Define.attr "split_size_or_sections" (AttrKind.Integer [ 1L; 2L ]))
              Define.oneOf (Define.attr "split_size" (AttrKind.Integer [ 2L ]))
              Define.attr "dim" AttrKind.Dim ]
            "cat"
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
        { severalViews
              "chunk"
              "at most `chunks` views of equal size along `dim`, the last one smaller"
              [ Define.required "chunks" (AttrKind.Integer [ 1L; 2L; 3L ]); Define.attr "dim" AttrKind.Dim ]
              "cat"
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
                              return! splitBy g attrs (int ((int64 total + int64 chunks - 1L) / int64 chunks))
                  }) with
            ArgumentsFirst = fun _ -> true
            Node = Define.node "Split" }

    let unbind =
        severalViews "unbind" "x at each index of dimension `dim`" [ Define.attr "dim" AttrKind.Dim ] "stack" (fun g attrs ->
            result {
                if g.Shape.Length = 0 then
                    return! Complain.index "Dimension specified as 0 but tensor has no dimensions"
                else
                    let! d = Read.dimOr 0 attrs "dim" g.Shape.Length
                    return Views [ for i in 0 .. g.Shape[d] - 1 -> selected g d i ]
            })

    let all = [ select; narrow; getitem; split; chunk; unbind ]
