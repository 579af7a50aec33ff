namespace Verified.Spec.Operators

open Verified.Spec

/// The windows of a pooling over the last two dimensions, each a range of rows and one of columns.
type internal Pool =
    {
        Kernel: int * int
        Stride: int * int
        Padding: int * int
        Dilation: int * int
        /// Sizes (height, width) of the input and of the output.
        In: int * int
        Out: int * int
    }

[<RequireQualifiedAccess>]
module internal Pool =
    let private zip f (a, b) (c, d) = f a c, f b d

    let private floorDiv a b = if a >= 0 then a / b else -((b - 1 - a) / b)

    /// The number of windows. In ceil mode a last one may hang over the end, if it begins inside the input or its left padding.
    let private outputSize size kernel stride padding dilation ceil =
        let room = size + 2 * padding - dilation * (kernel - 1) - 1
        let count = floorDiv (if ceil then room + stride - 1 else room) stride + 1
        if ceil && (count - 1) * stride >= size + padding then count - 1 else count

    /// Of three dimensions none is empty, of four none but the first.
    let private hasPlanes (shape: int[]) =
        match shape.Length with
        | 3 -> Array.forall (fun size -> size > 0) shape
        | 4 -> Array.forall (fun size -> size > 0) shape[1..]
        | _ -> false

    /// Of the attributes PyTorch looks at how many numbers they have before it looks at the input.
    let complainOfLengths attrs =
        [ "kernel_size"; "stride"; "padding"; "dilation" ]
        |> List.fold (fun found name -> found |> Result.bind (fun () -> Read.pairOr (1, 1) attrs name |> Result.map ignore)) (Ok())

    /// The windows that the attributes describe over an input of this shape, at which PyTorch looks last.
    let read name (attrs: Attrs) (shape: int[]) =
        result {
            let! _ = Read.integers attrs "kernel_size"
            let! kernel = Read.pairOr (1, 1) attrs "kernel_size"
            let! stride = Read.pairOr kernel attrs "stride"
            let! padding = Read.pairOr (0, 0) attrs "padding"
            let! dilation = Read.pairOr (1, 1) attrs "dilation"
            let! ceil = Read.flagOr false attrs "ceil_mode"
            let positive (a, b) = a > 0 && b > 0

            do!
                Complain.unlessValue (positive kernel) (fun () ->
                    $"kernel size should be greater than zero, but got kH: {fst kernel} kW: {snd kernel}")

            do!
                Complain.unlessValue (positive stride) (fun () ->
                    if fst stride = 0 || snd stride = 0 then
                        "stride should not be zero"
                    else
                        $"stride should be greater than zero, but got dH: {fst stride} dW: {snd stride}")

            do!
                Complain.unlessValue (positive dilation) (fun () ->
                    $"dilation should be greater than zero, but got dilationH: {fst dilation} dilationW: {snd dilation}")

            do!
                Complain.unlessValue (fst padding >= 0 && snd padding >= 0) (fun () ->
                    $"pad must be non-negative, but got pad: {min (fst padding) (snd padding)}")

            let reach = zip (fun k d -> d * (k - 1) + 1) kernel dilation

            do!
                Complain.unlessValue (fst padding <= fst reach / 2 && snd padding <= snd reach / 2) (fun () ->
                    if fst padding > fst reach / 2 then
                        $"pad should be at most half of effective kernel size, but got pad={fst padding}, kernel_size={fst kernel} and dilation={fst dilation}"
                    else
                        $"pad should be at most half of effective kernel size, but got pad={snd padding}, kernel_size={snd kernel} and dilation={snd dilation}")

            do!
                Complain.unlessShape (hasPlanes shape) (fun () ->
                    $"{name}: Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got: {Shape.show shape}")

            // Once more, without the dilation.
            do!
                Complain.unlessValue (fst padding <= fst kernel / 2 && snd padding <= snd kernel / 2) (fun () ->
                    $"pad should be smaller than or equal to half of kernel size, but got padW = {snd padding}, padH = {fst padding}, kW = {snd kernel}, kH = {fst kernel}")

            let planes, h, w = shape[shape.Length - 3], shape[shape.Length - 2], shape[shape.Length - 1]

            let out =
                outputSize h (fst kernel) (fst stride) (fst padding) (fst dilation) ceil,
                outputSize w (snd kernel) (snd stride) (snd padding) (snd dilation) ceil

            do!
                Complain.unlessShape (positive out) (fun () ->
                    $"Given input size: ({planes}x{h}x{w}). Calculated output size: ({planes}x{fst out}x{snd out}). Output size is too small")

            return
                { Kernel = kernel
                  Stride = stride
                  Padding = padding
                  Dilation = dilation
                  In = (h, w)
                  Out = out }
        }

    let outShape (shape: int[]) (pool: Pool) = Array.append shape[.. shape.Length - 3] [| fst pool.Out; snd pool.Out |]

    let private inside size stride padding dilation kernel p =
        [| for i in 0 .. kernel - 1 do
               let at = p * stride - padding + i * dilation

               if at >= 0 && at < size then at |]

    /// For each window, row-major, the positions in the plane that lie under it.
    let windows (pool: Pool) =
        let h, w = pool.In
        let rows = Array.init (fst pool.Out) (inside h (fst pool.Stride) (fst pool.Padding) (fst pool.Dilation) (fst pool.Kernel))

        let columns =
            Array.init (snd pool.Out) (inside w (snd pool.Stride) (snd pool.Padding) (snd pool.Dilation) (snd pool.Kernel))

        [| for r in rows do
               for c in columns do
                   [| for row in r do
                          for column in c -> row * w + column |] |]

    /// For each window, how many of its places count as averaged with padding included: those up to the end of the right padding.
    let padded (pool: Pool) =
        let extent size stride padding kernel p =
            let first = p * stride - padding
            min (first + kernel) (size + padding) - first

        let h, w = pool.In

        [| for p in 0 .. fst pool.Out - 1 do
               for q in 0 .. snd pool.Out - 1 ->
                   extent h (fst pool.Stride) (fst pool.Padding) (fst pool.Kernel) p
                   * extent w (snd pool.Stride) (snd pool.Padding) (snd pool.Kernel) q |]

/// max_pool2d, avg_pool2d, adaptive_avg_pool2d.
module Pooling =
    let private poolAttrs dilation =
        [ Define.required "kernel_size" (AttrKind.Integers [ [ 2L; 2L ]; [ 3L; 2L ]; [ 1L; 1L ]; [ 3L; 3L ] ])
          Define.attr "stride" (AttrKind.Integers [ [ 1L; 1L ]; [ 2L; 2L ]; [ 2L; 1L ] ])
          Define.attr "padding" (AttrKind.Integers [ [ 0L; 0L ]; [ 1L; 1L ]; [ 1L; 0L ] ])
          if dilation then
              Define.attr "dilation" (AttrKind.Integers [ [ 1L; 1L ]; [ 2L; 1L ] ])
          Define.attr "ceil_mode" AttrKind.Flag ]

    let private shapes =
        [ [ [| 1; 1; 4; 4 |] ]
          [ [| 2; 2; 3; 4 |] ]
          [ [| 2; 4; 3 |] ]
          [ [| 1; 1; 5; 3 |] ]
          [ [| 1; 1; 2; 2 |] ]
          [ [| 0; 2; 3; 3 |] ] ]

    let private ofRule reading =
        match reading with
        | Ok value -> value
        | Error(complaint: Complaint) -> invalidOp complaint.Message

    let private planesOf (shape: int[]) = Shape.count shape[.. shape.Length - 3]

    let private numbersFor kernel (x: Value<'S>) =
        Complain.unlessDType (x.DType <> Bool) (fun () -> $"\"{kernel}\" not implemented for '{Promotion.messageName x.DType}'")

    /// The elements under each window, plane by plane, with the window and its place in the plane.
    let private under (shape: int[]) (windows: int[][]) (elements: 'a[]) =
        let size = Shape.count shape[shape.Length - 2 ..]

        [| for plane in 0 .. planesOf shape - 1 do
               for k in 0 .. windows.Length - 1 -> struct (k, windows[k] |> Array.map (fun at -> elements[plane * size + at])) |]

    // ---- max_pool2d ----

    /// The planes of a shape as lines: its last two dimensions flattened.
    let private asLines (t: Term) =
        let rank = t.Shape.Length
        Shaping.reshape (Array.append t.Shape[.. rank - 3] [| t.Shape[rank - 2] * t.Shape[rank - 1] |]) t

    /// The place of a window's maximum as PyTorch finds it: the first of the largest, but the last of several NaNs.
    let private placeOf<'S when 'S :> IScalar<'S>> (window: 'S[]) found =
        match Array.tryFindIndexBack Reduce.isNaN window with
        | Some last -> last
        | None -> found

    let maxPool2d =
        { Define.computes
              "max_pool2d"
              "y[n,c,p,q] = the largest of x under the window at (p, q); padding counts as -inf"
              [ ArgKind.Float ]
              (poolAttrs true)
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          do! Pool.complainOfLengths call.Attrs

                          do!
                              Complain.unlessShape (x.Shape.Length = 3 || x.Shape.Length = 4) (fun () ->
                                  "non-empty 3D or 4D (batch mode) tensor expected for input")

                          let! pool = Pool.read "max_pool2d" call.Attrs x.Shape
                          do! numbersFor "max_pool2d" x
                          let windows = Pool.windows pool

                          do!
                              if Array.exists Array.isEmpty windows then
                                  Error
                                      { Kind = Unsupported
                                        Message = "max_pool2d with a window of padding alone" }
                              else
                                  Ok()

                          let shape = Pool.outShape x.Shape pool

                          let places (best: struct (int * int)[]) =
                              best |> Array.map (fun struct (k: int, at: int) -> int64 (windows[k][at]))

                          match x.Elements with
                          | Elements.Floats elements ->
                              let found =
                                  under x.Shape windows elements |> Array.map (fun struct (k, xs) -> struct (k, xs, Extreme.find 1 xs))

                              let decided = found |> Array.forall (fun struct (_, _, struct (_, _, certain)) -> certain)

                              return
                                  [ found |> Array.map (fun struct (_, _, struct (value, _, _)) -> value) |> Value.floats x.DType shape
                                    Value.ints
                                        Int64
                                        shape
                                        (found
                                         |> Array.map (fun struct (k, xs, struct (_, best, _)) -> struct (k, placeOf xs best))
                                         |> places)
                                        decided ]
                          | Elements.Ints(elements, decided) ->
                              let found = under x.Shape windows elements
                              let best = found |> Array.map (fun struct (k, xs) -> struct (k, Array.findIndex ((=) (Array.max xs)) xs))

                              return
                                  [ Value.ints Int64 shape (found |> Array.map (fun struct (_, xs) -> Array.max xs)) decided
                                    Value.ints Int64 shape (places best) decided ]
                      } } with
            Spelling = Define.functional
            Node = Define.node "MaxPool2DWithIndices"
            Shapes = shapes
            Saves = fun _ _ -> [ Input 0; Output 1 ]
            Fused =
                Define.fusedLinearBy "MaxPool2DWithIndicesBackward" (fun a ->
                    Derive.apply "gather" [ asLines a.Arriving; asLines (a.First.Output 1) ] [ "dim", Derive.integerAttr -1 ]
                    |> Shaping.reshape (a.First.Output 1).Shape)
            Kinks = Some "ties: the first in the window gets the gradient (measured); NaN comes before all, the last of several"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              let lines =
                                  Array.append
                                      (d.ShapeOf 0).[.. (d.ShapeOf 0).Length - 3]
                                      [| Shape.count (d.ShapeOf 0).[(d.ShapeOf 0).Length - 2 ..] |]

                              Derive.apply
                                  "scatter_sum"
                                  [ asLines g; asLines (d.Output 1) ]
                                  [ "dim", Derive.integerAttr -1; "size", Derive.sizeAttr lines ]
                              |> Shaping.reshape (d.ShapeOf 0)) ])
                ) }

    // ---- avg_pool2d ----

    let private checkDivisor (attrs: Attrs) =
        result {
            let! divisor = Read.tryInteger attrs "divisor_override"
            return! Complain.unlessValue (divisor <> Some 0) (fun () -> "divisor must be not zero")
        }

    /// What the sum of each window is divided by.
    let private divisors (attrs: Attrs) (pool: Pool) =
        result {
            let! includePadding = Read.flagOr true attrs "count_include_pad"
            let! fixedDivisor = Read.tryInteger attrs "divisor_override"

            return
                match fixedDivisor with
                | Some divisor -> Array.create (fst pool.Out * snd pool.Out) divisor
                | None when includePadding -> Pool.padded pool
                | None -> Pool.windows pool |> Array.map Array.length
        }

    let private avgAttrs =
        poolAttrs false
        @ [ Define.attr "count_include_pad" AttrKind.Flag
            Define.attr "divisor_override" (AttrKind.Integer [ 1L; 3L; 7L ]) ]

    let avgPool2d =
        { Define.computes
              "avg_pool2d"
              "y[n,c,p,q] = (sum of x under the window at (p, q)) / its size"
              [ ArgKind.Float ]
              avgAttrs
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          do! Pool.complainOfLengths call.Attrs
                          do! checkDivisor call.Attrs
                          // The channels' dimension is asked for before it is seen how many there are.
                          let! _ = Dim.normalise x.Shape.Length -3
                          let! pool = Pool.read "avg_pool2d" call.Attrs x.Shape
                          do! numbersFor "avg_pool2d" x
                          let! divisors = divisors call.Attrs pool
                          let windows = Pool.windows pool
                          let shape = Pool.outShape x.Shape pool

                          return
                              [ match x.Elements with
                                | Elements.Floats elements ->
                                    under x.Shape windows elements
                                    |> Array.map (fun struct (k, xs) -> Reduce.average x.DType (float divisors[k]) xs)
                                    |> Value.floats x.DType shape
                                | Elements.Ints(elements, decided) ->
                                    // Integers are divided as C++ divides them.
                                    let averages =
                                        under x.Shape windows elements |> Array.map (fun struct (k, xs) -> Array.sum xs / int64 divisors[k])

                                    Value.ints Int64 shape averages decided ]
                      } } with
            Spelling = Define.functional
            Shapes = shapes
            Fused = Define.fusedLinear "AvgPool2DBackward"
            Saves = fun _ _ -> [ Input 0 ]
            Derivative = Some(Derive.byTranspose "avg_pool2d_backward") }

    let avgPool2dBackward =
        { Define.computes
              "avg_pool2d_backward"
              "x[n,c,i,j] = sum of y over the windows over (i, j), each divided by its size: the transpose of avg_pool2d"
              [ ArgKind.Float ]
              (Define.required "input_size" AttrKind.Size :: avgAttrs)
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! y = Argument.floats call 0
                          let! size = Read.integers call.Attrs "input_size"
                          let shape = Array.ofList size
                          let! pool = Pool.read "avg_pool2d" call.Attrs shape
                          let! divisors = divisors call.Attrs pool
                          let windows = Pool.windows pool
                          let plane = fst pool.In * snd pool.In

                          let shares =
                              Value.asFloats y.DType y |> Array.mapi (fun i g -> Reduce.over (float divisors[i % windows.Length]) g)

                          let sources, targets =
                              [| for i in 0 .. shares.Length - 1 do
                                     for at in windows[i % windows.Length] -> shares[i], i / windows.Length * plane + at |]
                              |> Array.unzip

                          return [ Value.floats y.DType [| sources.Length |] sources |> Pick.sumAt shape (targets, true) ]
                      } } with
            Internal = true
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () -> Derive.apply "avg_pool2d" [ g ] (d.Attrs |> Map.remove "input_size" |> Map.toList)) ])
                ) }

    // ---- adaptive_avg_pool2d ----

    /// What Python says of a list of sizes, before anything is recorded.
    let private tooFewDimensions = "Input dimension should be at least"

    /// The sizes of the output's planes: null is the input's.
    let private adaptiveSize (attrs: Attrs) (shape: int[]) =
        result {
            let! sizes =
                match Read.optional attrs "output_size" with
                | Some(Attr.Items items) when shape.Length <= items.Length -> Complain.shape $"{tooFewDimensions} {items.Length + 1}"
                | Some(Attr.Items items) ->
                    List.foldBack
                        (fun item rest ->
                            result {
                                let! rest = rest
                                let! size = Read.tryInteger (Map.ofList [ "output_size", item ]) "output_size"
                                return size :: rest
                            })
                        items
                        (Ok [])
                | _ -> Read.integer attrs "output_size" |> Result.map (fun n -> [ Some n; Some n ])

            do! Complain.unlessValue (sizes.Length = 2) (fun () -> "adaptive_avg_pool2d: output_size must be 2")

            let own k = shape[shape.Length - 2 + k]
            let sizes = sizes |> List.mapi (fun k size -> size |> Option.defaultWith (fun () -> own k)) |> Array.ofList

            do!
                Complain.unlessValue (Array.forall (fun n -> n >= 0) sizes) (fun () ->
                    $"adaptive_avg_pool2d: elements of output_size must be greater than or equal to 0 but received {{{sizes[0]}, {sizes[1]}}}")

            // One place is a mean, whatever the rank.
            if sizes = [| 1; 1 |] then
                if shape.Length < 2 then
                    return! Dim.normalise shape.Length -2 |> Result.map (fun _ -> sizes)
                else
                    return sizes
            else
                do!
                    Complain.unlessShape (shape.Length = 3 || shape.Length = 4) (fun () ->
                        $"adaptive_avg_pool2d(): Expected 3D or 4D tensor, but got {Shape.show shape}")

                match [ shape.Length - 2; shape.Length - 1 ] |> List.tryFind (fun d -> shape[d] = 0) with
                | Some d ->
                    return!
                        Complain.shape
                            $"adaptive_avg_pool2d(): Expected input to have non-zero size for non-batch dimensions, but input has sizes {Shape.show shape} with dimension {d} being empty"
                | None -> return sizes
        }

    /// For each place of a plane, the elements under it: from floor(i size / places) to ceil((i + 1) size / places).
    let private adaptiveWindows (shape: int[]) (sizes: int[]) =
        let height, width = shape[shape.Length - 2], shape[shape.Length - 1]
        let range size places i = [ i * size / places .. ((i + 1) * size + places - 1) / places - 1 ]

        [| for p in 0 .. sizes[0] - 1 do
               for q in 0 .. sizes[1] - 1 ->
                   [| for row in range height sizes[0] p do
                          for column in range width sizes[1] q -> row * width + column |] |]

    let private adaptiveAttrs =
        [ Define.required "output_size" (AttrKind.Integers [ [ 2L; 2L ]; [ 1L; 1L ]; [ 3L; 2L ]; [ 1L; 2L ] ]) ]

    let adaptiveAvgPool2d =
        { Define.computes
              "adaptive_avg_pool2d"
              "y[n,c,p,q] = mean of x over the rows floor(p H / P) to ceil((p + 1) H / P) and the columns likewise"
              [ ArgKind.Float ]
              adaptiveAttrs
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! sizes = adaptiveSize call.Attrs x.Shape

                          do!
                              Complain.unlessDType x.DType.IsFloat (fun () ->
                                  if sizes = [| 1; 1 |] then
                                      $"mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: {Promotion.messageName x.DType}"
                                  else
                                      $"\"adaptive_avg_pool2d\" not implemented for '{Promotion.messageName x.DType}'")

                          let elements = Value.asFloats x.DType x
                          let windows = adaptiveWindows x.Shape sizes
                          let plane = Shape.count x.Shape[x.Shape.Length - 2 ..]

                          let mean (window: int[]) first =
                              if window.Length = 0 then
                                  Value.exact x.DType nan
                              else
                                  window |> Array.map (fun at -> elements[first + at]) |> Reduce.average x.DType (float window.Length)

                          return
                              [ [| for p in 0 .. planesOf x.Shape - 1 do
                                       for window in windows -> mean window (p * plane) |]
                                |> Value.floats x.DType (Array.append x.Shape[.. x.Shape.Length - 3] sizes) ]
                      } } with
            Spelling = Define.functional
            ArgumentsFirst =
                fun complaint ->
                    complaint.Kind = ValueError || complaint.Message.StartsWith(tooFewDimensions, System.StringComparison.Ordinal)
            Node = Define.node "AdaptiveAvgPool2D"
            Fused = Define.fusedLinear "AdaptiveAvgPool2DBackward"
            Shapes = [ [ [| 1; 1; 4; 4 |] ]; [ [| 2; 2; 3; 2 |] ]; [ [| 2; 3; 5 |] ]; [ [| 1; 1; 1; 1 |] ]; [ [| 0; 1; 2; 2 |] ] ]
            // A single place is PyTorch's mean, which keeps nothing.
            Saves =
                fun _ attrs ->
                    match adaptiveSize attrs [| 1; 1; 1; 1 |] with
                    | Ok [| 1; 1 |] -> []
                    | _ -> [ Input 0 ]
            Derivative = Some(Derive.byTranspose "adaptive_avg_pool2d_backward") }

    let adaptiveAvgPool2dBackward =
        { Define.computes
              "adaptive_avg_pool2d_backward"
              "x[n,c,i,j] = sum of y over the places whose windows hold (i, j), each over its window's size: the transpose of adaptive_avg_pool2d"
              [ ArgKind.Float ]
              (Define.required "input_size" AttrKind.Size :: adaptiveAttrs)
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! y = Argument.floats call 0
                          let! size = Read.integers call.Attrs "input_size"
                          let shape = Array.ofList size
                          let! sizes = adaptiveSize call.Attrs shape
                          let windows = adaptiveWindows shape sizes
                          let plane = Shape.count shape[shape.Length - 2 ..]

                          let sources, targets =
                              Value.asFloats y.DType y
                              |> Array.mapi (fun i g ->
                                  let window = windows[i % windows.Length]
                                  let share = Reduce.over (float window.Length) g
                                  window |> Array.map (fun at -> share, i / windows.Length * plane + at))
                              |> Array.concat
                              |> Array.unzip

                          return [ Value.floats y.DType [| sources.Length |] sources |> Pick.sumAt shape (targets, true) ]
                      } } with
            Internal = true
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () -> Derive.apply "adaptive_avg_pool2d" [ g ] (d.Attrs |> Map.remove "input_size" |> Map.toList)) ])
                ) }

    let all = [ maxPool2d; avgPool2d; avgPool2dBackward; adaptiveAvgPool2d; adaptiveAvgPool2dBackward ]
