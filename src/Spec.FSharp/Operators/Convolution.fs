namespace Verified.Spec.Operators

open Verified.Spec

/// Two-dimensional convolution. Output, input gradient and weight gradient are the three ways to read one trilinear form,
///
///     sum over n, o, c, (p, q), (i, j) of y[n, o, p, q] w[o, c, i, j] x[n, c', p s - padding + i d, q s - padding + j d],
///
/// where channel c' is the c-th of o's group: each of the three tensors is its derivative by that tensor, given the other two. So the three
/// are each other's adjoints, at every order.
type internal Window =
    {
        Batch: int
        Groups: int
        /// Channels of x, and of y, in one group.
        InPerGroup: int
        OutPerGroup: int
        /// Sizes (height, width) of x, of y and of the kernel.
        In: int * int
        Out: int * int
        Kernel: int * int
        Stride: int * int
        /// Before the first row and column; what is behind the last follows from the sizes.
        Padding: int * int
        Dilation: int * int
    }

    member w.InShape = [| w.Batch; w.Groups * w.InPerGroup; fst w.In; snd w.In |]

    member w.OutShape = [| w.Batch; w.Groups * w.OutPerGroup; fst w.Out; snd w.Out |]

    member w.WeightShape = [| w.Groups * w.OutPerGroup; w.InPerGroup; fst w.Kernel; snd w.Kernel |]

[<RequireQualifiedAccess>]
module internal Window =
    /// The row of x under row i of the kernel at row p of y, or -1 in the padding.
    let private under stride padding dilation size p i =
        let at = p * stride - padding + i * dilation
        if at >= 0 && at < size then at else -1

    /// For each of the elements of the tensor that `own` chooses (0 y, 1 w, 2 x), the products that make it: the offsets in the other two,
    /// in this order; and the offsets in the first of them of what meets the padding.
    let private products own (w: Window) =
        let shapes = [| w.OutShape; w.WeightShape; w.InShape |]
        let found = Array.init (Shape.count shapes[own]) (fun _ -> ResizeArray<struct (int * int)>())
        let outside = Array.init found.Length (fun _ -> ResizeArray<int>(0))
        let ih, iw = w.In
        let oh, ow = w.Out
        let kh, kw = w.Kernel

        for n in 0 .. w.Batch - 1 do
            for g in 0 .. w.Groups - 1 do
                for o in g * w.OutPerGroup .. (g + 1) * w.OutPerGroup - 1 do
                    for c in 0 .. w.InPerGroup - 1 do
                        let channel = n * w.Groups * w.InPerGroup + g * w.InPerGroup + c

                        for i in 0 .. kh - 1 do
                            for j in 0 .. kw - 1 do
                                for p in 0 .. oh - 1 do
                                    let row = under (fst w.Stride) (fst w.Padding) (fst w.Dilation) ih p i

                                    for q in 0 .. ow - 1 do
                                        let column = under (snd w.Stride) (snd w.Padding) (snd w.Dilation) iw q j
                                        let y = ((n * w.Groups * w.OutPerGroup + o) * oh + p) * ow + q
                                        let k = ((o * w.InPerGroup + c) * kh + i) * kw + j
                                        let x = (channel * ih + row) * iw + column

                                        match own with
                                        | 0 when row < 0 || column < 0 -> outside[y].Add k
                                        | 1 when row < 0 || column < 0 -> outside[k].Add y
                                        | _ when row < 0 || column < 0 -> ()
                                        | 0 -> found[y].Add(struct (k, x))
                                        | 1 -> found[k].Add(struct (y, x))
                                        | _ -> found[x].Add(struct (y, k))

        found, outside

    /// The tensor that `own` chooses, from the other two: each element one sum of products, with a bias as one more term.
    let private assemble<'S when 'S :> IScalar<'S>> own window dtype (first: 'S[]) (second: 'S[]) (bias: int -> 'S[]) : 'S[] =
        let found, outside = products own window

        let isCertainlyFinite (x: 'S) =
            let most = if dtype = Float32 then float System.Single.MaxValue else System.Double.MaxValue
            'S.Compare(Scalar.abs x, Value.exact dtype most) = Less

        found
        |> Array.mapi (fun element terms ->
            let bias = bias element
            let ones: 'S[] = bias |> Array.map (fun _ -> Value.exact dtype 1.0)
            let a = Array.init terms.Count (fun t -> let struct (a, _) = terms[t] in first[a])
            let b = Array.init terms.Count (fun t -> let struct (_, b) = terms[t] in second[b])

            let sum (a: 'S[]) (b: 'S[]) = if a.Length = 0 then Value.exact dtype 0.0 else Scalar.dot a b
            let a, b = Array.append a ones, Array.append b bias

            // What meets the padding is left out by some engines, and by others multiplied by its zeros: it shows where that is not 0, and in the
            // sign of a sum that is.
            match outside[element] |> Seq.tryFind (fun k -> not (isCertainlyFinite first[k])) with
            | None when outside[element].Count > 0 -> Elementwise.eitherZero (sum a b)
            | None -> sum a b
            | Some k -> 'S.Permitted [| sum a b; sum (Array.append a [| first[k] |]) (Array.append b [| Value.exact dtype 0.0 |]) |])

    let private none (_: int) = [||]

    /// The bias of the channel of an element of a tensor of this shape.
    let private channelBias (shape: int[]) (bias: 'S[] option) =
        match bias with
        | None -> none
        | Some bias -> fun element -> [| bias[element / (shape[2] * shape[3]) % shape[1]] |]

    let output window dtype (x: 'S[]) (weight: 'S[]) bias = assemble 0 window dtype weight x (channelBias window.OutShape bias)

    let weight window dtype (x: 'S[]) (y: 'S[]) = assemble 1 window dtype y x none

    let input window dtype (y: 'S[]) (weight: 'S[]) bias = assemble 2 window dtype y weight (channelBias window.InShape bias)

/// One of the three tensors from the other two, over any number system.
type internal IReading =
    abstract Of<'S when 'S :> IScalar<'S>> : Window * DType * 'S[] * 'S[] -> 'S[]

/// The same with a bias added.
type internal IBiasedReading =
    abstract Of<'S when 'S :> IScalar<'S>> : Window * DType * 'S[] * 'S[] * 'S[] option -> 'S[]

/// conv2d, conv_transpose2d, and the three adjoint readings of their form.
module Convolution =
    /// The window as attributes of the internal operators.
    let private windowAttrs (w: Window) =
        [ "in_size", Derive.pairAttr w.In
          "out_size", Derive.pairAttr w.Out
          "kernel_size", Derive.pairAttr w.Kernel
          "stride", Derive.pairAttr w.Stride
          "padding", Derive.pairAttr w.Padding
          "dilation", Derive.pairAttr w.Dilation
          "groups", Derive.integerAttr w.Groups ]

    let private readPair attrs name = Read.pairOr (1, 1) attrs name

    /// The window of an internal operator, its channels and batch found from its operands.
    let private readWindow attrs batch inPerGroup outPerGroup =
        result {
            let! size = readPair attrs "in_size"
            let! out = readPair attrs "out_size"
            let! kernel = readPair attrs "kernel_size"
            let! stride = readPair attrs "stride"
            let! padding = readPair attrs "padding"
            let! dilation = readPair attrs "dilation"
            let! groups = Read.integer attrs "groups"

            return
                { Batch = batch
                  Groups = groups
                  InPerGroup = inPerGroup groups
                  OutPerGroup = outPerGroup groups
                  In = size
                  Out = out
                  Kernel = kernel
                  Stride = stride
                  Padding = padding
                  Dilation = dilation }
        }

    /// One of the three readings as an operator: `read` makes the window of the operands' shapes.
    let private reading name formula (windowOf: int[] -> int[] -> Attrs -> Result<Window, Complaint>) shapeOf (compute: IReading) =
        { Define.computes
              name
              formula
              [ ArgKind.Float; ArgKind.Float ]
              [ for size in [ "in_size"; "out_size"; "kernel_size"; "stride"; "padding"; "dilation" ] ->
                    Define.required size (AttrKind.Integers [])
                yield Define.required "groups" (AttrKind.Integer [ 1L ]) ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! a = Argument.floats call 0
                          let! b = Argument.floats call 1
                          let! window = windowOf a.Shape b.Shape call.Attrs
                          let elements = compute.Of(window, a.DType, Value.asFloats a.DType a, Value.asFloats a.DType b)
                          return [ Value.floats a.DType (shapeOf window) elements ]
                      } } with
            Internal = true }

    let private outputOf attrs x w = Derive.apply "conv2d_output" [ x; w ] attrs
    let private inputOf attrs y w = Derive.apply "conv2d_input" [ y; w ] attrs
    let private weightOf attrs x y = Derive.apply "conv2d_weight" [ x; y ] attrs

    let conv2dOutput =
        reading
            "conv2d_output"
            "y from x and w"
            (fun x w attrs -> readWindow attrs x[0] (fun _ -> w[1]) (fun groups -> w[0] / groups))
            (fun window -> window.OutShape)
            { new IReading with
                member _.Of(window, dtype, x, w) = Window.output window dtype x w None }

    let conv2dInput =
        reading
            "conv2d_input"
            "x from y and w"
            (fun y w attrs -> readWindow attrs y[0] (fun _ -> w[1]) (fun groups -> w[0] / groups))
            (fun window -> window.InShape)
            { new IReading with
                member _.Of(window, dtype, y, w) = Window.input window dtype y w None }

    let conv2dWeight =
        reading
            "conv2d_weight"
            "w from x and y"
            (fun x y attrs -> readWindow attrs x[0] (fun groups -> x[1] / groups) (fun groups -> y[1] / groups))
            (fun window -> window.WeightShape)
            { new IReading with
                member _.Of(window, dtype, x, y) = Window.weight window dtype x y }

    // ---- the public operators ----

    let private positive (a, b) = a > 0 && b > 0
    let private both f (a, b) (c, d) = f a c, f b d

    let private readPadding attrs =
        result {
            let! padding = Read.pairOr (0, 0) attrs "padding"
            do! Complain.unlessValue (fst padding >= 0 && snd padding >= 0) (fun () -> "negative padding is not supported")
            return padding
        }

    let private atLeastThree (w: int[]) = Complain.unlessShape (w.Length > 2) (fun () -> "weight should have at least three dimensions")

    /// Padding in words as numbers (aten/src/ATen/native/Convolution.cpp, convolution_same). An odd number of rows or columns has the last one
    /// put behind the input first.
    let private inNumbers (attrs: Attrs) (x: Term) (w: Term) : Result<Term * Attrs, Complaint> =
        let padded padding = Map.add "padding" (Derive.pairAttr padding) attrs

        match Read.optional attrs "padding" with
        | Some(Attr.Text "valid") -> Ok(x, padded (0, 0))
        | Some(Attr.Text "same") ->
            result {
                let rank = w.Shape.Length
                do! atLeastThree w.Shape
                let! groups = Read.integerOr 1 attrs "groups"
                do! Complain.unlessValue (groups > 0) (fun () -> "non-positive groups is not supported")

                do!
                    Complain.unlessShape (rank = x.Shape.Length) (fun () ->
                        $"Expected {rank}-dimensional input for {rank}-dimensional weight{Shape.show w.Shape}, but got {x.Shape.Length}-dimensional input of size {Shape.show x.Shape} instead")

                let! stride = Read.pairOr (1, 1) attrs "stride"
                do! Complain.unlessValue (stride = (1, 1)) (fun () -> "padding='same' is not supported for strided convolutions")
                let! down, across = Read.pairOr (1, 1) attrs "dilation"
                let rows, columns = down * (w.Shape[2] - 1), across * (w.Shape[3] - 1)

                if rows < 0 || columns < 0 then
                    return x, padded (-1, -1)
                elif rows % 2 = 0 && columns % 2 = 0 then
                    return x, padded (rows / 2, columns / 2)
                else
                    let x = Derive.apply "pad" [ x ] [ "pad", Derive.dimsAttr [ 0; columns % 2; 0; rows % 2 ] ]
                    return x, padded (rows / 2, columns / 2)
            }
        | Some(Attr.Text other) -> Complain.value $"Invalid padding string: '{other}'"
        | _ -> Ok(x, attrs)

    let private readSteps attrs =
        result {
            let! stride = Read.pairOr (1, 1) attrs "stride"
            let! dilation = Read.pairOr (1, 1) attrs "dilation"
            let! groups = Read.integerOr 1 attrs "groups"
            do! Complain.unlessValue (positive stride) (fun () -> "non-positive stride is not supported")
            // That it is not 0 is for the kernel to ask.
            do! Complain.unlessValue (fst dilation >= 0 && snd dilation >= 0) (fun () -> "dilation should be greater than zero")
            do! Complain.unlessValue (groups > 0) (fun () -> "non-positive groups is not supported")
            return stride, dilation, groups
        }

    let private checkRank attrs (w: int[]) =
        result {
            do! atLeastThree w
            let! stride = Read.pairOr (1, 1) attrs "stride"

            do!
                Complain.unlessValue (w.Length = 4) (fun () ->
                    $"expected stride to be a single integer value or a list of {w.Length - 2} values to match the convolution dimensions, but got stride=[{fst stride}, {snd stride}]")
        }

    /// The window of a conv2d call.
    let private convWindow (attrs: Attrs) (x: int[]) (w: int[]) =
        result {
            do! checkRank attrs w
            let! stride, dilation, groups = readSteps attrs
            let kernel = w[2], w[3]
            let! padding = readPadding attrs

            do!
                Complain.unlessShape (w[0] >= groups) (fun () ->
                    $"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size {Shape.show w} instead")

            do!
                Complain.unlessShape (w[0] % groups = 0) (fun () ->
                    $"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of size {Shape.show w} instead")

            do!
                Complain.unlessShape (x[1] = w[1] * groups) (fun () ->
                    $"Given groups={groups}, weight of size {Shape.show w}, expected input{Shape.show x} to have {w[1] * groups} channels, but got {x[1]} channels instead")

            let padded = x[2] + 2 * fst padding, x[3] + 2 * snd padding
            let reach = both (fun k d -> d * (k - 1) + 1) kernel dilation

            do!
                Complain.unlessShape (fst reach <= fst padded && snd reach <= snd padded) (fun () ->
                    $"Calculated padded input size per channel: ({fst padded} x {snd padded}). Kernel size: ({fst reach} x {snd reach}). Kernel size can't be greater than actual input size")

            return
                { Batch = x[0]
                  Groups = groups
                  InPerGroup = w[1]
                  OutPerGroup = w[0] / groups
                  In = (x[2], x[3])
                  Out = both (fun room s -> room / s + 1) (both (-) padded reach) stride
                  Kernel = kernel
                  Stride = stride
                  Padding = padding
                  Dilation = dilation }
        }

    /// The window of a conv_transpose2d call: its input is the form's y, its output the form's x.
    let private transposeWindow (attrs: Attrs) (y: int[]) (w: int[]) =
        result {
            do! checkRank attrs w
            let! stride, dilation, groups = readSteps attrs
            let! padding = readPadding attrs
            let! outputPadding = Read.pairOr (0, 0) attrs "output_padding"
            let kernel = w[2], w[3]

            do!
                Complain.unlessValue (fst outputPadding >= 0 && snd outputPadding >= 0) (fun () ->
                    "negative output_padding is not supported")

            do!
                Complain.unlessShape (y[1] = w[0]) (fun () ->
                    $"Given transposed=1, weight of size {Shape.show w}, expected input{Shape.show y} to have {w[0]} channels, but got {y[1]} channels instead")

            do!
                Complain.unlessShape (w[0] >= groups && w[0] % groups = 0) (fun () ->
                    $"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of size {Shape.show w} instead")

            let size n s p k d extra = (n - 1) * s - 2 * p + d * (k - 1) + extra + 1
            let h = size y[2] (fst stride) (fst padding) (fst kernel) (fst dilation) (fst outputPadding)
            let v = size y[3] (snd stride) (snd padding) (snd kernel) (snd dilation) (snd outputPadding)

            return
                { Batch = y[0]
                  Groups = groups
                  InPerGroup = w[1]
                  OutPerGroup = w[0] / groups
                  In = (h, v)
                  Out = (y[2], y[3])
                  Kernel = kernel
                  Stride = stride
                  Padding = padding
                  Dilation = dilation }
        }

    let private checkBias channels (w: int[]) (bias: Value<'S> option) =
        match bias with
        | Some b when b.Shape <> [| channels |] ->
            Complain.shape
                $"Given weight of size {Shape.show w}, expected bias to be 1-dimensional with {channels} elements, but got bias of size {Shape.show b.Shape} instead"
        | _ -> Ok()

    /// Where the batch or the channels are nothing, there is nothing to compute (aten/src/ATen/native/Convolution.cpp, _select_conv_backend).
    let private isOfNothing (x: int[]) = x[0] = 0 || x[1] = 0

    let private checkEmpty (x: int[]) =
        Complain.unlessShape (isOfNothing x || Shape.count x > 0) (fun () ->
            $"Only zero batch or zero channel inputs are supported, but got input shape: {Shape.show x}")

    /// Dilation and padding of the output alone, which the kernel asks for.
    let private checkSteps (attrs: Attrs) (x: int[]) =
        result {
            let! down, across = Read.pairOr (0, 0) attrs "output_padding"
            let! stride = Read.pairOr (1, 1) attrs "stride"
            let! dilation = Read.pairOr (1, 1) attrs "dilation"

            do!
                Complain.unlessValue (isOfNothing x || positive dilation) (fun () ->
                    $"dilation should be greater than zero, but got [{fst dilation}, {snd dilation}]")

            return!
                Complain.unlessValue
                    (isOfNothing x || (down < max (fst stride) (fst dilation) && across < max (snd stride) (snd dilation)))
                    (fun () ->
                        $"output padding must be smaller than either stride or dilation, but got output_padding_height: {down} output_padding_width: {across} stride_height: {fst stride} stride_width: {snd stride} dilation_height: {fst dilation} dilation_width: {snd dilation}")
        }

    let private checkKernel (window: Window) =
        let rows, columns = window.Kernel

        Complain.unlessValue (rows > 0 && columns > 0) (fun () ->
            $"kernel size should be greater than zero, but got kernel_height: {rows} kernel_width: {columns}")

    /// Of a transpose the size of what comes out is the last that the kernel asks for before it computes; of a convolution it is seen in its window.
    let private checkOutput transposed (window: Window) =
        let (rows, columns), (down, across) = window.Out, window.In

        Complain.unlessShape (not transposed || (down > 0 && across > 0)) (fun () ->
            $"Given input size per channel: ({rows} x {columns}). Calculated output size per channel: ({down} x {across}). Output size is too small")

    let private checkDTypes (x: Value<'S>) (w: Value<'S>) (bias: Value<'S> option) =
        result {
            do!
                Complain.unlessDType (x.DType = w.DType) (fun () ->
                    $"expected scalar type {Promotion.messageName x.DType} but found {Promotion.messageName w.DType}")

            match bias with
            | Some b when b.DType <> x.DType ->
                return! Complain.dtype $"expected scalar type {Promotion.messageName x.DType} but found {Promotion.messageName b.DType}"
            // PyTorch convolves integers, which nothing here defines.
            | _ when x.DType = Int64 -> return! Complain.because Unsupported "a convolution of int64"
            | _ -> return! Complain.unlessDType x.DType.IsFloat (fun () -> $"convolution has no definition for {x.DType.Name}")
        }

    let private ofBatches name = name + "_of_batches"

    /// A convolution or its transpose of [N, C, H, W], which programs name without "_of_batches": the window's reading `compute`, and the
    /// two operators that give the adjoints.
    let private convolutionOfBatches
        name
        formula
        transposed
        attrs
        shapes
        windowOf
        (resultOf: Window -> int[])
        (compute: IBiasedReading)
        adjoints
        =
        { Define.computes
              (ofBatches name)
              formula
              [ ArgKind.Float; ArgKind.Float; ArgKind.Optional ArgKind.Float ]
              attrs
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! w = Argument.tensor call 1
                          let bias = Argument.tryTensor call 2
                          let! window = windowOf call.Attrs x.Shape w.Shape
                          let shape: int[] = resultOf window
                          do! checkBias shape[1] w.Shape bias
                          do! checkEmpty x.Shape
                          do! checkSteps call.Attrs x.Shape
                          do! checkKernel window
                          do! checkOutput transposed window
                          do! checkDTypes x w bias

                          let elements =
                              compute.Of(
                                  window,
                                  x.DType,
                                  Value.asFloats x.DType x,
                                  Value.asFloats x.DType w,
                                  bias |> Option.map (Value.asFloats x.DType)
                              )

                          return [ Value.floats x.DType shape elements ]
                      } } with
            Internal = true
            Node = Define.node "Convolution"
            Fused = Define.fusedWith "ConvolutionBackward" (ConvolutionGradients.derivative transposed)
            // Both, whichever needs a gradient: derivatives.yaml has one formula for all three.
            Saves = fun _ _ -> [ Input 0; Input 1 ]
            Shapes = shapes
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        match windowOf d.Attrs (d.ShapeOf 0) (d.ShapeOf 1) with
                        | Error complaint -> invalidOp complaint.Message
                        | Ok(window: Window) ->
                            let attrs = windowAttrs window
                            let toInput, toWeight = adjoints

                            [ Some(fun () -> toInput attrs g (d.Input 1))
                              Some(fun () -> toWeight attrs g (d.Input 0))
                              Some(fun () -> Shaping.sumOver [ 0; 2; 3 ] false g) ])
                ) }

    /// As programs name it, its input and attributes prepared: of [C, H, W] it is that of a batch of one, seen without it (aten/src/ATen/native/Convolution.cpp, batchify).
    let private convolution name (ofBatches: Operator) check prepare shapes =
        { Define.composes name ofBatches.Formula ofBatches.Args ofBatches.Attrs (fun attrs terms ->
              let apply (x: Term) others =
                  match others with
                  | Some w :: _ -> prepare attrs x w
                  | _ -> Ok(x, attrs)
                  |> Result.map (fun (x, attrs) -> Derive.applyTo ofBatches.Name (Some x :: others) (Map.toList attrs))

              check attrs terms
              |> Result.bind (fun () ->
                  match terms with
                  | Some x :: others when x.Shape.Length = 3 ->
                      apply (Shaping.unsqueeze 0 x) others |> Result.map (fun y -> [ Shaping.squeeze 0 y ])
                  | Some x :: others when x.Shape.Length = 4 -> apply x others |> Result.map List.singleton
                  | Some x :: _ ->
                      Complain.shape
                          $"Expected 3D (unbatched) or 4D (batched) input to {name}, but got input of size: {Shape.show x.Shape}"
                  | _ -> Ok [ Derive.applyTo ofBatches.Name terms (Map.toList attrs) ])) with
            Spelling = Define.functional
            Shapes = ofBatches.Shapes @ shapes }

    let private steps =
        [ Define.attr "stride" (AttrKind.Integers [ [ 1L; 1L ]; [ 2L; 2L ]; [ 2L; 1L ] ])
          Define.attr "padding" (AttrKind.Integers [ [ 0L; 0L ]; [ 1L; 1L ]; [ 1L; 0L ] ])
          Define.attr "dilation" (AttrKind.Integers [ [ 1L; 1L ]; [ 2L; 1L ] ])
          Define.attr "groups" (AttrKind.Integer [ 1L; 2L ]) ]

    let private conv2dOfBatches =
        convolutionOfBatches
            "conv2d"
            "y[n,o,p,q] = bias[o] + sum over c,i,j of w[o,c,i,j] x[n,c,p*stride-padding+i*dilation,q*stride-padding+j*dilation]"
            false
            steps
            [ [ [| 1; 1; 4; 4 |]; [| 1; 1; 2; 2 |] ]
              [ [| 2; 2; 4; 3 |]; [| 2; 2; 2; 2 |]; [| 2 |] ]
              [ [| 1; 2; 3; 3 |]; [| 2; 1; 3; 2 |]; [| 2 |] ]
              [ [| 1; 1; 5; 3 |]; [| 2; 1; 1; 1 |] ]
              [ [| 0; 1; 3; 3 |]; [| 1; 1; 2; 2 |] ] ]
            convWindow
            (fun window -> window.OutShape)
            { new IBiasedReading with
                member _.Of(window, dtype, x, w, bias) = Window.output window dtype x w bias }
            ((fun attrs g w -> inputOf attrs g w), (fun attrs g x -> weightOf attrs x g))

    /// Before all else conv2d looks at the bias, unless the padding is in words (aten/src/ATen/native/Convolution.cpp, conv2d_symint).
    let private checkBiasType (attrs: Attrs) (terms: Term option list) =
        match terms, Read.optional attrs "padding" with
        | _, Some(Attr.Text _) -> Ok()
        | Some x :: _ :: Some bias :: _, _ ->
            Complain.unlessDType (bias.DType = x.DType) (fun () ->
                $"Input type ({x.DType.Name}) and bias type ({bias.DType.Name}) should be the same")
        | _ -> Ok()

    let conv2d = convolution "conv2d" conv2dOfBatches checkBiasType inNumbers [ [ [| 2; 4; 4 |]; [| 2; 1; 3; 3 |]; [| 2 |] ] ]

    let private convTranspose2dOfBatches =
        convolutionOfBatches
            "conv_transpose2d"
            "the adjoint of conv2d: y[n,c,p*stride-padding+i*dilation,..] += w[o,c,i,j] x[n,o,p,q], plus bias[c]"
            true
            (Define.attr "output_padding" (AttrKind.Integers [ [ 0L; 0L ]; [ 1L; 1L ]; [ 1L; 0L ] ]) :: steps)
            [ [ [| 1; 1; 2; 2 |]; [| 1; 1; 2; 2 |] ]
              [ [| 2; 2; 2; 3 |]; [| 2; 2; 2; 2 |]; [| 2 |] ]
              [ [| 1; 2; 3; 2 |]; [| 2; 1; 3; 2 |] ]
              [ [| 0; 1; 2; 2 |]; [| 1; 1; 2; 2 |] ] ]
            transposeWindow
            (fun window -> window.InShape)
            { new IBiasedReading with
                member _.Of(window, dtype, y, w, bias) = Window.input window dtype y w bias }
            ((fun attrs g w -> outputOf attrs g w), (fun attrs g y -> weightOf attrs g y))

    let convTranspose2d =
        convolution
            "conv_transpose2d"
            convTranspose2dOfBatches
            (fun _ _ -> Ok())
            (fun attrs x _ -> Ok(x, attrs))
            [ [ [| 2; 2; 2 |]; [| 2; 1; 3; 3 |]; [| 1 |] ] ]

    let all =
        [ conv2dOfBatches
          conv2d
          convTranspose2dOfBatches
          convTranspose2d
          conv2dOutput
          conv2dInput
          conv2dWeight ]
