namespace Verified.Spec.Operators

open Verified.Spec

/// New tensors from the elements of others: joined, reordered, repeated, padded, masked.
module Rearranging =
    /// An element of a list of tensors, or a filling: what a rearranged tensor is made of, place by place.
    let private gather<'S when 'S :> IScalar<'S>>
        dtype
        shape
        (sources: Value<'S> list)
        (fill: Value<'S> option)
        (from: struct (int * int)[])
        : Value<'S> =
        let all = sources @ Option.toList fill
        let place (struct (source, i)) (elements: 'T[][]) = if source < 0 then elements[all.Length - 1][0] else elements[source][i]

        if dtype = Float32 || dtype = Float64 then
            let elements = all |> List.map (Value.asFloats dtype) |> Array.ofList
            Value.floats dtype shape (from |> Array.map (fun f -> place f elements))
        else
            let converted = all |> List.map (Value.asInts dtype)
            let elements = converted |> List.map fst |> Array.ofList
            Value.ints dtype shape (from |> Array.map (fun f -> place f elements)) (List.forall snd converted)

    let private promoted (values: Value<'S> list) = values |> List.map Value.operand |> Promotion.result

    /// Along a dimension, tensors one behind the other: for each element, which tensor and which of its elements.
    let private joined (shape: int[]) d (parts: int[] list) =
        let places = Array.zeroCreate (Shape.count shape)
        let _, _, inner = Positions.around shape d
        let width = shape[d] * inner
        let mutable start = 0

        for k, part in List.indexed parts do
            let size = part[d] * inner

            for i in 0 .. Shape.count part - 1 do
                places[i / size * width + start + i % size] <- struct (k, i)

            start <- start + size

        places

    // PyTorch skips one-dimensional empty tensors among others, whatever their shape.
    let private isSkipped (shape: int[]) = shape = [| 0 |]

    let private catShape (shapes: int[] list) dim =
        let first = shapes |> List.tryFind (isSkipped >> not) |> Option.defaultValue [| 0 |]

        let clash =
            shapes
            |> List.indexed
            |> List.filter (fun (_, shape) -> not (isSkipped shape))
            |> List.tryPick (fun (k, shape) ->
                if shape.Length <> first.Length then
                    Some $"Tensors must have same number of dimensions: got {first.Length} and {shape.Length}"
                else
                    Array.zip first shape
                    |> Array.indexed
                    |> Array.tryFind (fun (e, (a, b)) -> e <> dim && a <> b)
                    |> Option.map (fun (_, (a, b)) ->
                        $"Sizes of tensors must match except in dimension {dim}. Expected size {a} but got size {b} for tensor number {k} in the list."))

        match clash with
        | Some message -> Complain.shape message
        | None when List.forall isSkipped shapes -> Ok first
        | None ->
            let total = shapes |> List.sumBy (fun shape -> if isSkipped shape then 0 else shape[dim])
            Ok(Array.updateAt dim total first)

    /// Where all are skipped any dimension will do.
    let private catDim (attrs: Attrs) (shapes: int[] list) =
        match shapes |> List.tryFind (isSkipped >> not) with
        | Some first -> Read.dimOr 0 attrs "dim" first.Length
        | None -> Ok 0

    let cat =
        { Define.computes
              "cat"
              "tensors one behind the other along `dim`"
              [ ArgKind.List ArgKind.Any ]
              [ Define.attr "dim" AttrKind.Dim ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! parts = Argument.list call
                          let shapes = parts |> List.map (fun v -> v.Shape)

                          match shapes |> List.tryFindIndex Array.isEmpty with
                          | Some k -> return! Complain.shape $"zero-dimensional tensor (at position {k}) cannot be concatenated"
                          | None ->
                              let! dim = catDim call.Attrs shapes
                              let! shape = catShape shapes dim

                              let counted = shapes |> List.map (fun s -> if isSkipped s then Array.updateAt dim 0 shape else s)

                              let from = joined shape dim counted
                              return [ gather (promoted parts) shape parts None from ]
                      } } with
            Spelling = Define.torch
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        let shapes = List.init d.Inputs d.ShapeOf

                        match catDim d.Attrs shapes with
                        | Error _ -> []
                        | Ok dim ->
                            let sizes = shapes |> List.map (fun s -> if isSkipped s then 0 else s[dim])
                            let starts = List.scan (+) 0 sizes

                            let part k =
                                Derive.apply
                                    "narrow"
                                    [ g ]
                                    [ "dim", Derive.integerAttr dim
                                      "start", Derive.integerAttr starts[k]
                                      "length", Derive.integerAttr sizes[k] ]

                            // Of what has no elements, whatever its shape should be, zeros, which are no part of the tape.
                            let nothing k = Derive.apply "zeros_like" [ part k |> Shaping.reshape shapes[k] ] []

                            List.init d.Inputs (fun k -> Some(fun () -> if isSkipped shapes[k] then nothing k else part k)))
                ) }

    let stack =
        { Define.computes
              "stack"
              "tensors of one shape along a new dimension `dim`"
              [ ArgKind.List ArgKind.Any ]
              [ Define.attr "dim" AttrKind.Dim ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! parts = Argument.list call
                          let first = parts.Head.Shape
                          let! dim = Read.dimOr 0 call.Attrs "dim" (first.Length + 1)

                          match parts |> List.tryFindIndex (fun v -> v.Shape <> first) with
                          | Some k ->
                              return!
                                  Complain.shape
                                      $"stack expects each tensor to be equal size, but got {Shape.show first} at entry 0 and {Shape.show parts[k].Shape} at entry {k}"
                          | None ->
                              let widened = Array.insertAt dim 1 first
                              let shape = Array.insertAt dim parts.Length first
                              let from = joined shape dim (List.map (fun _ -> widened) parts)
                              return [ gather (promoted parts) shape parts None from ]
                      } } with
            Spelling = Define.torch
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        match Read.dimOr 0 d.Attrs "dim" g.Shape.Length with
                        | Error _ -> []
                        | Ok dim ->
                            List.init d.Inputs (fun k ->
                                Some(fun () ->
                                    Derive.apply "select" [ g ] [ "dim", Derive.integerAttr dim; "index", Derive.integerAttr k ])))
                ) }

    let flip =
        { Define.computes
              "flip"
              "x with its dimensions `dims` reversed"
              [ ArgKind.Any ]
              [ Define.required "dims" AttrKind.Dims ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! dims = Read.integers call.Attrs "dims" |> Result.bind (Dim.normaliseAll x.Shape.Length)
                          let dims = dims |> List.filter (fun d -> d < x.Shape.Length)
                          let strides = Shape.strides x.Shape

                          // A reversed dimension starts at its end and goes back.
                          let reversed = strides |> Array.mapi (fun d s -> if List.contains d dims then -s else s)
                          let start = dims |> List.sumBy (fun d -> (x.Shape[d] - 1) * strides[d])
                          return [ Value.pick x.Shape (Positions.ofView x.Shape reversed start) x ]
                      } } with
            Arrangement = fun _ -> Arrangement.Copied
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> Derive.apply "flip" [ g ] (Map.toList d.Attrs)) ])) }

    let private repeated (x: int[]) (repeats: int list) =
        let missing = repeats.Length - x.Length
        let widened = Array.append (Array.create (max 0 missing) 1) x
        widened, Array.map2 (*) widened (Array.ofList repeats)

    let repeat =
        { Define.computes
              "repeat"
              "x, `repeats` times along each dimension"
              [ ArgKind.Any ]
              [ Define.required "repeats" (AttrKind.Integers [ [ 2L ]; [ 2L; 1L ]; [ 1L; 3L ]; [ 2L; 1L; 2L ]; [ 0L; 1L ] ]) ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! repeats = Read.integers call.Attrs "repeats"

                          if repeats.Length < x.Shape.Length then
                              return!
                                  Complain.shape
                                      "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
                          else
                              let widened, shape = repeated x.Shape repeats

                              match shape |> Array.tryFind (fun n -> n < 0) with
                              | Some n -> return! Complain.value $"Trying to create tensor with negative dimension {n}: {Shape.show shape}"
                              | None ->
                                  let source flat =
                                      Positions.unflatten shape flat
                                      |> Array.map2 (fun size i -> i % size) widened
                                      |> Positions.flatten widened

                                  return [ Value.pick shape (Array.init (Shape.count shape) source) x ]
                      } } with
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              let repeats = Read.integers d.Attrs "repeats" |> Result.defaultValue []
                              let shape = d.ShapeOf 0
                              let added = repeats.Length - shape.Length
                              let g = Shaping.sumOver [ 0 .. added - 1 ] false g

                              // Seen as repeats by sizes, the gradient is summed over the repeats (repeat_backward).
                              let split =
                                  List.zip (List.skip added repeats) (List.ofArray shape)
                                  |> List.collect (fun (r, n) -> if r = 1 then [ n, false ] else [ r, true; n, false ])

                              let summed =
                                  split |> List.indexed |> List.choose (fun (i, (_, isRepeat)) -> if isRepeat then Some i else None)

                              if List.contains 0 repeats then
                                  // No part of the tape.
                                  Derive.apply
                                      "zeros_like"
                                      [ g |> Shaping.reshape (split |> List.map fst |> Array.ofList) |> Shaping.sumOver summed false ]
                                      []
                              elif summed.IsEmpty then
                                  g
                              else
                                  g |> Shaping.reshape (split |> List.map fst |> Array.ofList) |> Shaping.sumOver summed false) ])
                ) }

    /// For each dimension, what is added before and behind it; `pad` counts from the last dimension.
    let private paddings (rank: int) (pad: int list) =
        let pairs = pad |> List.chunkBySize 2 |> List.map (fun pair -> pair[0], pair[1]) |> List.rev
        List.replicate (rank - pairs.Length) (0, 0) @ pairs

    /// What the kernel says of the sizes; all else is said before anything is recorded.
    let private cutsTooMuch = "narrow(): length must be non-negative."

    let private leavesNothing = "The padding resulted in a negative output size"

    let pad =
        { Define.computes
              "pad"
              "x with `value` around it, `pad` places before and behind each dimension from the last one on; negative ones cut"
              [ ArgKind.Any ]
              [ Define.required "pad" (AttrKind.Integers [ [ 1L; 0L ]; [ 1L; 2L ]; [ -1L; 1L ]; [ 0L; 1L; 1L; 0L ] ])
                Define.attr "mode" (AttrKind.Choice [ "constant" ])
                Define.attr "value" (AttrKind.Number [ 0.0; 1.5 ]) ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! pad = Read.integers call.Attrs "pad"
                          let! mode = Read.textOr "constant" call.Attrs "mode"
                          let! value = Read.numberOr 0.0 call.Attrs "value"
                          let rank = x.Shape.Length

                          do!
                              if mode = "constant" then
                                  Ok()
                              else
                                  Error
                                      { Kind = Unsupported
                                        Message = $"pad has no mode '{mode}', only constant" }

                          do! Complain.unlessValue (pad.Length % 2 = 0) (fun () -> "Padding length must be divisible by 2")

                          do!
                              Complain.unlessValue (pad.Length <= 2 * rank) (fun () ->
                                  $"Padding length should be less than or equal to two times the input dimension but got padding length {pad.Length} and input of dimension {rank}")

                          let around = paddings rank pad |> Array.ofList

                          let cut = Array.map2 (fun n (before, behind) -> n + min 0 before + min 0 behind) x.Shape around

                          do! Complain.unlessValue (Array.forall (fun n -> n >= 0) cut) (fun () -> cutsTooMuch)
                          let shape = Array.map2 (fun n (before, behind) -> n + before + behind) x.Shape around

                          // Where nothing is put around it, PyTorch cuts, and looks at neither.
                          let onlyCuts = List.forall (fun n -> n <= 0) pad

                          do!
                              match shape |> Array.skip (rank - pad.Length / 2) |> Array.tryFindIndex (fun n -> n = 0) with
                              | Some d when not onlyCuts ->
                                  Complain.shape
                                      $"{leavesNothing}, which is invalid. Check dimension {rank - pad.Length / 2 + d} of your input."
                              | _ -> Ok()

                          do!
                              Complain.unlessValue (onlyCuts || x.DType <> Int64 || Value.isAmongIntegers value) (fun () ->
                                  "value cannot be converted to type int64_t without overflow")

                          let fill =
                              if x.DType.IsFloat then
                                  Value.floats x.DType [||] [| 'S.Cast(Value.format x.DType, 'S.Constant value) |]
                              else
                                  Value.ints
                                      x.DType
                                      [||]
                                      [| (if x.DType = Bool then (if value <> 0.0 then 1L else 0L) else int64 value) |]
                                      true

                          let from flat =
                              let at = Array.map2 (fun i (before, _) -> i - before) (Positions.unflatten shape flat) around

                              if Array.forall2 (fun i n -> i >= 0 && i < n) at x.Shape then
                                  struct (0, Positions.flatten x.Shape at)
                              else
                                  struct (-1, 0)

                          return [ gather x.DType shape [ x ] (Some fill) (Array.init (Shape.count shape) from) ]
                      } } with
            Spelling = Define.functional
            ArgumentsFirst =
                fun complaint ->
                    complaint.Message <> cutsTooMuch
                    && not (complaint.Message.StartsWith(leavesNothing, System.StringComparison.Ordinal))
            Node = Define.node "ConstantPadNd"
            // Where nothing is added it is a copy of a part.
            Arrangement =
                fun attrs ->
                    match Read.integers attrs "pad" with
                    | Ok pad when List.forall (fun n -> n <= 0) pad -> Arrangement.Ordered
                    | _ -> Arrangement.RowMajor
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              let pad = Read.integers d.Attrs "pad" |> Result.defaultValue []
                              Derive.apply "pad" [ g ] [ "pad", Derive.dimsAttr (List.map (fun n -> -n) pad) ]) ])
                ) }

    /// `keeps` of a place's column less its row, and the diagonal.
    let private triangle name formula keeps =
        { Define.computes
              name
              formula
              [ ArgKind.Any ]
              [ Define.attr "diagonal" (AttrKind.Integer [ 0L; 1L; -1L ]) ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! diagonal = Read.integerOr 0 call.Attrs "diagonal"
                          let rank = x.Shape.Length
                          do! Complain.unlessShape (rank >= 2) (fun () -> $"{name}: input tensor must have at least 2 dimensions")

                          let zero =
                              if x.DType.IsFloat then
                                  Value.full x.DType [||] 0.0
                              else
                                  Value.ints x.DType [||] [| 0L |] true

                          let columns = x.Shape[rank - 1]
                          let rows = x.Shape[rank - 2]

                          let from flat =
                              let row = flat / columns % rows

                              if keeps (flat % columns - row) diagonal then
                                  struct (0, flat)
                              else
                                  struct (-1, 0)

                          return [ gather x.DType x.Shape [ x ] (Some zero) (Array.init (Shape.count x.Shape) from) ]
                      } } with
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> Derive.apply name [ g ] (Map.toList d.Attrs)) ])) }

    let tril = triangle "tril" "x on and below the diagonal of its last two dimensions, else 0" (<=)
    let triu = triangle "triu" "x on and above the diagonal of its last two dimensions, else 0" (>=)

    let all = [ cat; stack; flip; repeat; pad; tril; triu ]
