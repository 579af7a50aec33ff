namespace Verified.Spec.Operators

open Verified.Spec

/// The derivatives of a convolution's gradients, composed of convolutions as PyTorch composes them, which decides what each order keeps
/// (aten/src/ATen/native/Convolution.cpp, _convolution_double_backward). A place of a tensor is named as there: gI is the gradient of the input
/// and ggI what arrives at it.
[<RequireQualifiedAccess>]
module internal ConvolutionGradients =
    type private Steps =
        { Transposed: bool
          Stride: int * int
          Padding: int * int
          Dilation: int * int
          OutputPadding: int * int
          Groups: int }

    let private convolve steps (x: Term) (w: Term) =
        let attrs =
            [ "stride", Derive.pairAttr steps.Stride
              "padding", Derive.pairAttr steps.Padding
              "dilation", Derive.pairAttr steps.Dilation
              "groups", Derive.integerAttr steps.Groups ]

        if steps.Transposed then
            Derive.apply "conv_transpose2d_of_batches" [ x; w ] (("output_padding", Derive.pairAttr steps.OutputPadding) :: attrs)
        else
            Derive.apply "conv2d_of_batches" [ x; w ] attrs

    let private narrow dim start length (t: Term) =
        Derive.apply
            "narrow"
            [ t ]
            [ "dim", Derive.integerAttr dim; "start", Derive.integerAttr start; "length", Derive.integerAttr length ]

    /// Its first rows and columns, as many as a shape has.
    let private cutTo (shape: int[]) (t: Term) =
        [ 2; 3 ]
        |> List.fold (fun (t: Term) dim -> if t.Shape[dim] > shape[dim] then narrow dim 0 shape[dim] t else t) t

    /// The bias of each channel wherever it was added.
    let private ofBias (shape: int[]) (bias: Term) =
        Derive.apply "view" [ Derive.apply "contiguous" [ bias ] [] ] [ "size", Derive.sizeAttr [| 1; bias.Shape[0]; 1; 1 |] ]
        |> Shaping.expand shape

    /// ggO = conv(ggI, w) + conv(x, ggW) + ggb.
    let private ofArriving steps (a: Again) (g: Term) isEmpty (ggI: Term option) (ggW: Term option) (ggb: Term option) =
        let terms: (unit -> Term) list =
            [ if not isEmpty then
                  ggI |> Option.map (fun ggI () -> convolve steps ggI (a.First.Input 1))
                  ggW |> Option.map (fun ggW () -> convolve steps (a.First.Input 0) ggW)
              ggb |> Option.map (fun ggb () -> ofBias g.Shape ggb) ]
            |> List.choose id

        if terms.IsEmpty then
            None
        else
            Some(fun () -> terms |> List.map (fun term -> term ()) |> List.reduce (+))

    /// gI: the input's part in the gradient of the weight.
    let private ofInput steps (xShape: int[]) (wShape: int[]) (g: Term) (ggW: Term) =
        if steps.Transposed then
            convolve { steps with Transposed = false } g ggW |> cutTo xShape
        else
            // What the stride leaves over.
            let left dim stride padding dilation =
                xShape[dim] - ((wShape[dim] - 1) * dilation - 2 * padding + stride * (g.Shape[dim] - 1) + 1)

            let back =
                { steps with
                    Transposed = true
                    OutputPadding =
                        left 2 (fst steps.Stride) (fst steps.Padding) (fst steps.Dilation),
                        left 3 (snd steps.Stride) (snd steps.Padding) (snd steps.Dilation) }

            convolve back g ggW

    /// gW: the weight's part in the gradient of the input. Batches and channels change places, and stride and dilation; each group is by itself.
    let private ofWeight steps (wShape: int[]) (g: Term) (ggI: Term) =
        let across =
            { steps with
                Transposed = false
                Stride = steps.Dilation
                Dilation = steps.Stride
                Groups = 1 }

        let convolve (ggI: Term) (g: Term) = if steps.Transposed then convolve across g ggI else convolve across ggI g
        let g = Shaping.transpose 0 1 g
        let ggI = Shaping.transpose 0 1 ggI

        let ofGroup i (t: Term) =
            let size = t.Shape[0] / steps.Groups
            narrow 0 (size * i) size t

        (match steps.Groups with
         | 1 -> convolve ggI g
         | groups ->
             Derive.apply "cat" [ for i in 0 .. groups - 1 -> convolve (ofGroup i ggI) (ofGroup i g) ] [ "dim", Derive.integerAttr 1 ])
        |> Shaping.transpose 0 1
        |> cutTo wShape

    /// By what had arrived, by the input and by the weight.
    let derivative transposed (a: Again) : (unit -> Term) option list =
        let pair initial name = Read.pairOr initial a.First.Attrs name |> Complaints.orFail

        let steps =
            { Transposed = transposed
              Stride = pair (1, 1) "stride"
              Padding = pair (0, 0) "padding"
              Dilation = pair (1, 1) "dilation"
              OutputPadding = pair (0, 0) "output_padding"
              Groups = Read.integerOr 1 a.First.Attrs "groups" |> Complaints.orFail }

        let g = a.First.Gradient(0).Value
        let x, w = a.First.ShapeOf 0, a.First.ShapeOf 1
        let isEmpty = Array.contains 0 x
        let ggI, ggW, ggb = a.ArrivingAt 0, a.ArrivingAt 1, a.ArrivingAt 2
        let unlessEmpty gradient = if isEmpty then None else gradient

        [ ofArriving steps a g isEmpty ggI ggW ggb
          ggW |> Option.map (fun ggW () -> ofInput steps x w g ggW) |> unlessEmpty
          ggI |> Option.map (fun ggI () -> ofWeight steps w g ggI) |> unlessEmpty ]
