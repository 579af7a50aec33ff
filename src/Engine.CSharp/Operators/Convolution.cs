using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>
/// Convolutions. Output, input gradient and weight gradient are the three ways to read one form that is linear in each of three tensors:
/// <c>conv2d_output</c>, <c>conv2d_input</c> and <c>conv2d_weight</c>. Higher orders are composed of convolutions: <see cref="ConvolutionGradients"/>.
/// </summary>
internal static class Convolution
{
    /// <summary>PyTorch has one formula for all three tensors, so it saves input and weight whichever needs a gradient.</summary>
    private static readonly Rule Both = new(Saved.Input0 | Saved.Input1, (_, _) => null);

    /// <summary>y of x and the weight.</summary>
    public static readonly FunctionOperator Output = Reading(
        "conv2d_output",
        (x, weight, a) => ComputeOutput(ConvolutionWindow.Of(a, x.Sizes[0], x.Sizes[1], weight.Sizes[0]), x, weight, null));

    /// <summary>x of y and the weight.</summary>
    public static readonly FunctionOperator Input = Reading(
        "conv2d_input",
        (y, weight, a) => ComputeInput(ConvolutionWindow.Of(a, y.Sizes[0], weight.Sizes[1] * a.Int("groups"), weight.Sizes[0]), y, weight, null));

    /// <summary>The weight of x and y.</summary>
    public static readonly FunctionOperator Weight = Reading(
        "conv2d_weight",
        (x, y, a) => ComputeWeight(ConvolutionWindow.Of(a, x.Sizes[0], x.Sizes[1], y.Sizes[1]), x, y));

    private static readonly FunctionOperator Conv2dOfBatches = new(
        "conv2d",
        (inputs, a) =>
        {
            Tensor x = inputs[0]!, weight = inputs[1]!;
            var bias = inputs.Length > 2 ? inputs[2] : null;
            var window = ConvolutionWindow.Forward(a, x.Sizes, weight.Sizes);
            Check(a, x, weight, bias, window.OutShape[1], () => { });
            return ComputeOutput(window, x, weight, bias);
        },
        [Both],
        "ConvolutionBackward0")
    { Keywords = ["stride", "padding", "dilation", "groups"], Arity = 2, BackwardAll = c => ConvGradient!.Pull(c, c.Gradient(0), c.Input(0), c.Input(1)) };

    private static readonly FusedGradient ConvGradient = Gradient(
        false, ConvolutionWindow.Forward, (g, weight, a) => Reading(Input, g, weight, a), (g, x, a) => Reading(Weight, x, g, a));

    private static readonly FunctionOperator ConvTranspose2dOfBatches = new(
        "conv_transpose2d",
        (inputs, a) =>
        {
            Tensor y = inputs[0]!, weight = inputs[1]!;
            var bias = inputs.Length > 2 ? inputs[2] : null;
            var window = ConvolutionWindow.Transposed(a, y.Sizes, weight.Sizes);
            Check(a, y, weight, bias, window.InShape[1], window.CheckTransposed);
            return ComputeInput(window, y, weight, bias);
        },
        [Both],
        "ConvolutionBackward0")
    {
        Keywords = ["stride", "padding", "output_padding", "groups", "dilation"],
        Arity = 2,
        BackwardAll = c => TransposedGradient!.Pull(c, c.Gradient(0), c.Input(0), c.Input(1)),
    };

    private static readonly FusedGradient TransposedGradient = Gradient(
        true, ConvolutionWindow.Transposed, (g, weight, a) => Reading(Output, g, weight, a), (g, y, a) => Reading(Weight, g, y, a));

    public static readonly CompositeOperator Conv2d = OfPictures(Conv2dOfBatches, PaddingInNumbers);

    public static readonly CompositeOperator ConvTranspose2d = OfPictures(ConvTranspose2dOfBatches, (x, _, attributes) => (x, attributes));

    public static IEnumerable<Operator> All => [Conv2d, ConvTranspose2d];

    /// <summary>Of [C, H, W] a convolution is that of a batch of one, seen without it (aten/src/ATen/native/Convolution.cpp, batchify).</summary>
    private static CompositeOperator OfPictures(FunctionOperator ofBatches, Func<Tensor, Tensor, Attributes, (Tensor X, Attributes Attributes)> prepare) => new(ofBatches.Name, call =>
    {
        Tensor x = call.Tensor(0), weight = call.Tensor(1);
        var bias = call.TensorOrNull(2);
        // Before all else conv2d looks at the bias, unless the padding is in words (aten/src/ATen/native/Convolution.cpp, conv2d_symint).
        if (ofBatches == Conv2dOfBatches && bias is not null && bias.DType != x.DType && call.Attributes["padding"] is not string)
            throw new AutogradException(ErrorKind.Dtype, $"Input type ({x.DType.Name()}) and bias type ({bias.DType.Name()}) should be the same");
        return x.Rank switch
        {
            3 => Apply(x.Unsqueeze(0)).Squeeze(0),
            4 => Apply(x),
            _ => throw new AutogradException(
                ErrorKind.Shape, $"Expected 3D (unbatched) or 4D (batched) input to {ofBatches.Name}, but got input of size: {Shapes.Text(x.Sizes)}"),
        };

        Tensor Apply(Tensor x)
        {
            var (prepared, attributes) = prepare(x, weight, call.Attributes);
            return ofBatches.Apply([prepared, weight, bias], attributes)[0];
        }
    })
    { Keywords = ofBatches.Keywords };

    /// <summary>
    /// Padding in words as numbers (aten/src/ATen/native/Convolution.cpp, convolution_same). An odd number of rows or columns has the last one put behind the input first.
    /// </summary>
    private static (Tensor X, Attributes Attributes) PaddingInNumbers(Tensor x, Tensor weight, Attributes attributes)
    {
        switch (attributes["padding"])
        {
            case "valid":
                return (x, attributes.With("padding", 0));
            case "same":
                ConvolutionWindow.CheckSame(attributes, x.Sizes, weight.Sizes);
                var dilation = SizePair.Of(attributes, "dilation", 1);
                int rows = dilation.H * (weight.Sizes[2] - 1), columns = dilation.W * (weight.Sizes[3] - 1);
                if (rows < 0 || columns < 0) return (x, attributes.With("padding", -1));
                if (rows % 2 != 0 || columns % 2 != 0) x = x.Pad([0, columns % 2, 0, rows % 2]);
                return (x, attributes.With("padding", new[] { rows / 2, columns / 2 }));
            case string other:
                throw new AutogradException(ErrorKind.Value, $"Invalid padding string: '{other}'");
            default:
                return (x, attributes);
        }
    }

    /// <summary>The gradients of input, weight and bias.</summary>
    private static FusedGradient Gradient(
        bool transposed,
        Func<Attributes, int[], int[], ConvolutionWindow> windowOf,
        Func<Tensor, Tensor, Attributes, Tensor> toInput,
        Func<Tensor, Tensor, Attributes, Tensor> toWeight) => new(
        "convolution_backward",
        (inputs, attributes, needs) =>
        {
            Tensor g = inputs[0]!, x = inputs[1]!, weight = inputs[2]!;
            var window = windowOf(attributes, x.Sizes, weight.Sizes);
            var results = new Tensor?[3];
            if (needs[0]) results[0] = toInput(g, weight, window.Attributes);
            if (needs.Length > 1 && needs[1]) results[1] = toWeight(g, x, window.Attributes);
            if (needs.Length > 2 && needs[2]) results[2] = g.Sum([0, 2, 3]);
            return results;
        })
        { Again = (c, arriving) => ConvolutionGradients.Pull(transposed, c, arriving) };

    /// <summary>A convolution of batches, or its transpose.</summary>
    internal static Tensor OfBatches(
        bool transposed, Tensor x, Tensor weight, SizePair stride, SizePair padding, SizePair dilation, SizePair outputPadding, int groups) =>
        (transposed ? ConvTranspose2dOfBatches : Conv2dOfBatches).Apply(
            [x, weight, null],
            Attributes.Of(
                ("stride", stride.ToArray()),
                ("padding", padding.ToArray()),
                ("dilation", dilation.ToArray()),
                ("output_padding", transposed ? outputPadding.ToArray() : null),
                ("groups", groups)))[0];

    private static FunctionOperator Reading(string name, Func<Tensor, Tensor, Attributes, Tensor> compute) =>
        new(name, (inputs, a) => compute(inputs[0]!, inputs[1]!, a), []) { Arity = 2 };

    private static Tensor Reading(FunctionOperator reading, Tensor a, Tensor b, Attributes attributes) => reading.Apply([a, b], attributes)[0];

    private static void Check(Attributes attributes, Tensor x, Tensor weight, Tensor? bias, int channels, Action checkSizes)
    {
        if (bias is not null && (bias.Rank != 1 || bias.Sizes[0] != channels))
        {
            throw new AutogradException(
                ErrorKind.Shape,
                $"Given weight of size {Shapes.Text(weight.Sizes)}, expected bias to be 1-dimensional with {channels} elements, "
                + $"but got bias of size {Shapes.Text(bias.Sizes)} instead");
        }
        ConvolutionWindow.CheckKernel(attributes, x.Sizes);
        int rows = weight.Sizes[2], columns = weight.Sizes[3];
        if (rows < 1 || columns < 1)
            throw new AutogradException(ErrorKind.Value, $"kernel size should be greater than zero, but got kernel_height: {rows} kernel_width: {columns}");
        checkSizes();
        var other = weight.DType != x.DType ? weight : bias is not null && bias.DType != x.DType ? bias : null;
        if (other is not null)
            throw new AutogradException(ErrorKind.Dtype, $"expected scalar type {x.DType.ScalarType()} but found {other.DType.ScalarType()}");
        // PyTorch convolves integers, which nothing here defines.
        if (x.DType == DType.Int64) throw new AutogradException(ErrorKind.Unsupported, "a convolution of int64");
        if (!x.DType.IsFloat()) throw new AutogradException(ErrorKind.Dtype, $"convolution has no definition for {x.DType.Name()}");
    }

    private static Tensor ComputeOutput(ConvolutionWindow window, Tensor x, Tensor weight, Tensor? bias)
    {
        var y = Tensor.Empty(window.OutShape, x.DType);
        var accumulate = Prepare(y, bias, window.Group.Rows == 0);
        x = Copying.Packed(x);
        weight = Copying.Packed(weight);
        if (x.DType == DType.Float32) Run<float>(); else Run<double>();
        return y;

        unsafe void Run<T>()
            where T : unmanaged, System.Numerics.INumberBase<T>
        {
            fixed (T* px = &x.Origin<T>(), pw = &weight.Origin<T>(), py = &y.Origin<T>()) Convolve.Output(window, px, pw, py, accumulate);
            KeepAlive(x, weight, y);
        }
    }

    private static Tensor ComputeInput(ConvolutionWindow window, Tensor y, Tensor weight, Tensor? bias)
    {
        var x = Tensor.Empty(window.InShape, y.DType);
        Prepare(x, bias, zero: true);
        y = Copying.Packed(y);
        weight = Copying.Packed(weight);
        if (x.DType == DType.Float32) Run<float>(); else Run<double>();
        return x;

        unsafe void Run<T>()
            where T : unmanaged, System.Numerics.INumberBase<T>
        {
            fixed (T* px = &x.Origin<T>(), pw = &weight.Origin<T>(), py = &y.Origin<T>()) Convolve.Input(window, py, pw, px);
            KeepAlive(x, weight, y);
        }
    }

    private static Tensor ComputeWeight(ConvolutionWindow window, Tensor x, Tensor y)
    {
        var weight = Tensor.Empty(window.WeightShape, y.DType);
        x = Copying.Packed(x);
        y = Copying.Packed(y);
        if (x.DType == DType.Float32) Run<float>(); else Run<double>();
        return weight;

        unsafe void Run<T>()
            where T : unmanaged, System.Numerics.INumberBase<T>
        {
            fixed (T* px = &x.Origin<T>(), pw = &weight.Origin<T>(), py = &y.Origin<T>()) Convolve.Weight(window, px, py, pw);
            KeepAlive(x, weight, y);
        }
    }

    /// <summary>Fills a result with the bias of each channel, or with zeros where asked for. Says whether it holds anything.</summary>
    private static bool Prepare(Tensor result, Tensor? bias, bool zero)
    {
        if (bias is not null) Copying.Copy(bias.Alias([bias.Sizes[0], 1, 1], [bias.Steps[0], 1, 1], bias.Offset), result);
        else if (zero) Fill.With(result, 0);
        return bias is not null || zero;
    }

    private static void KeepAlive(Tensor a, Tensor b, Tensor c)
    {
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(c);
    }
}

public sealed partial class Tensor
{
    /// <summary>Two-dimensional cross-correlation of [N, C, H, W] or [C, H, W] with a weight [O, C / groups, KH, KW].</summary>
    /// <param name="weight">The filters.</param>
    /// <param name="bias">A number for each output channel, [O].</param>
    /// <param name="stride">Elements from one place to the next: one number, or rows and columns.</param>
    /// <param name="padding">Zeros at each end: one number, or rows and columns.</param>
    /// <param name="dilation">Elements between the filter's: one number, or rows and columns.</param>
    /// <param name="groups">Parts of the channels that do not meet.</param>
    /// <exception cref="AutogradException">Shapes, types or numbers do not fit.</exception>
    public Tensor Conv2d(Tensor weight, Tensor? bias = null, int[]? stride = null, int[]? padding = null, int[]? dilation = null, int groups = 1) =>
        Convolution.Conv2d.Apply([this, weight, bias], Attributes.Of(("stride", stride), ("padding", padding), ("dilation", dilation), ("groups", groups)));

    /// <inheritdoc cref="Conv2d(Tensor, Tensor?, int[], int[], int[], int)"/>
    public Tensor Conv2d(Tensor weight, Tensor? bias, int stride, int padding = 0, int dilation = 1, int groups = 1) =>
        Conv2d(weight, bias, [stride], [padding], [dilation], groups);

    /// <summary><see cref="Conv2d(Tensor, Tensor?, int[], int[], int[], int)"/> with PyTorch's words for the padding: <c>same</c> or <c>valid</c>.</summary>
    public Tensor Conv2d(Tensor weight, Tensor? bias, string padding, int[]? dilation = null, int groups = 1) =>
        Convolution.Conv2d.Apply([this, weight, bias], Attributes.Of(("padding", padding), ("dilation", dilation), ("groups", groups)));

    /// <summary>The adjoint of <see cref="Conv2d(Tensor, Tensor?, int[], int[], int[], int)"/>: [N, O, H, W] or [O, H, W] and a weight [O, C / groups, KH, KW] give C channels.</summary>
    /// <param name="weight">The filters.</param>
    /// <param name="bias">A number for each output channel, [C].</param>
    /// <param name="stride">Elements from one place to the next: one number, or rows and columns.</param>
    /// <param name="padding">Elements cut off at each end: one number, or rows and columns.</param>
    /// <param name="outputPadding">Elements more at the far ends: one number, or rows and columns.</param>
    /// <param name="groups">Parts of the channels that do not meet.</param>
    /// <param name="dilation">Elements between the filter's: one number, or rows and columns.</param>
    /// <exception cref="AutogradException">Shapes, types or numbers do not fit.</exception>
    public Tensor ConvTranspose2d(
        Tensor weight, Tensor? bias = null, int[]? stride = null, int[]? padding = null, int[]? outputPadding = null, int groups = 1, int[]? dilation = null) =>
        Convolution.ConvTranspose2d.Apply(
            [this, weight, bias],
            Attributes.Of(("stride", stride), ("padding", padding), ("output_padding", outputPadding), ("groups", groups), ("dilation", dilation)));
}
