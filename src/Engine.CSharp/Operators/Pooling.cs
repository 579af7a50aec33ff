using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Pooling over windows of the last two dimensions, and the adjoints that derivatives are made of.</summary>
internal static class Pooling
{
    private static Rule NothingTo(int input) => new(Saved.None, (g, c) => Tensor.Zeros(c.InputShape(input), g.DType));

    private static readonly string[] AverageKeywords = ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"];

    /// <summary>
    /// Puts each element at the place in its plane that was found for it, sums where places coincide. As PyTorch's, this and the other gradients of poolings are functions of x
    /// too, with the derivative zero.
    /// </summary>
    public static readonly FunctionOperator MaxPoolBackward = new(
        "max_pool2d_backward",
        (inputs, a) => Scattered(inputs[0]!, inputs[1]!, a.Ints("input_size")!),
        [new Rule(Saved.Input1, (g, c) => AtPlaces(g, c.Input(1))), Rule.NotDifferentiable, NothingTo(2)])
    { Keywords = ["input_size"], Arity = 2, KeepsAnyway = Saved.Input1 };

    /// <summary>Padding counts as minus infinity. At ties the first in the window gets the gradient; NaN comes before all, the last of several.</summary>
    public static readonly FunctionOperator MaxPool2d = new(
        "max_pool2d",
        (inputs, a) => Maxima(inputs[0]!, a),
        [new Rule(Saved.Input0 | Saved.Output1, (g, c) => MaxPoolBackward.Apply([g, c.Output(1), c.Input(0)], Attributes.Of("input_size", c.InputShape(0)))[0])],
        "MaxPool2DWithIndicesBackward0")
    { Keywords = ["kernel_size", "stride", "padding", "dilation", "ceil_mode"], Arity = 1, Visible = 1 };

    /// <summary>The transpose of <c>avg_pool2d</c>.</summary>
    public static readonly FunctionOperator AvgPoolBackward = new(
        "avg_pool2d_backward",
        (inputs, a) => Shared(inputs[0]!, a.Ints("input_size")!, a),
        [new Rule(Saved.None, (g, c) => AvgPool2d!.Apply(g, c.Attributes)), NothingTo(1)])
    { Keywords = ["input_size", .. AverageKeywords], Arity = 1 };

    public static readonly FunctionOperator AvgPool2d = new(
        "avg_pool2d",
        Averages,
        new Rule(Saved.Input0, (g, c) => AvgPoolBackward.Apply([g, c.Input(0)], WithSize(c.Attributes, c.InputShape(0)))[0]))
    { Keywords = AverageKeywords, Arity = 1 };

    /// <summary>The transpose of <c>adaptive_avg_pool2d</c>.</summary>
    public static readonly FunctionOperator AdaptiveBackward = new(
        "adaptive_avg_pool2d_backward",
        (inputs, a) => Adaptive(inputs[0]!, a.Ints("input_size")!, a, forward: false),
        [new Rule(Saved.None, (g, c) => AdaptiveAvgPool2d!.Apply(g, c.Attributes)), NothingTo(1)])
    { Keywords = ["input_size", "output_size"], Arity = 1 };

    /// <summary>Down to one place PyTorch takes a mean, which keeps nothing.</summary>
    public static readonly FunctionOperator AdaptiveAvgPool2d = new(
        "adaptive_avg_pool2d",
        (x, a) => Adaptive(x, x.Sizes, a, forward: true),
        new Rule(Saved.Input0, (g, c) => AdaptiveBackward.Apply([g, c.InputOrNull(0)], WithSize(c.Attributes, c.InputShape(0)))[0]))
    {
        Keywords = ["output_size"],
        Arity = 1,
        CheckFirst = (inputs, a) => AdaptiveSize(a, inputs[0]!.Sizes),
        Keeps = (inputs, a) => AdaptiveSize(a, inputs[0]!.Sizes) is [1, 1] ? Saved.None : Saved.Input0,
    };

    public static IEnumerable<Operator> All => [MaxPool2d, MaxPoolBackward, AvgPool2d, AvgPoolBackward, AdaptiveAvgPool2d, AdaptiveBackward];

    private static Attributes WithSize(Attributes attributes, int[] shape) =>
        Attributes.From(attributes.Where(a => a.Key != "input_size").Append(new("input_size", shape)));

    private static int Planes(int[] shape) => Shapes.Count(shape.AsSpan(0, shape.Length - 2));

    private static int[] OutShape(int[] shape, Window window) => [.. shape[..^2], window.OutHeight, window.OutWidth];

    private static void CheckNumbers(string name, Tensor x)
    {
        if (x.DType == DType.Bool) throw new AutogradException(ErrorKind.Dtype, $"\"{name}\" not implemented for '{x.DType.ScalarType()}'");
    }

    private static Tensor[] Maxima(Tensor x, Attributes attributes)
    {
        PoolingWindow.CheckLengths(attributes);
        if (x.Rank is not (3 or 4)) throw new AutogradException(ErrorKind.Shape, "non-empty 3D or 4D (batch mode) tensor expected for input");
        var window = PoolingWindow.Of("max_pool2d", attributes, x.Sizes);
        CheckNumbers("max_pool2d", x);
        if (PoolingWindow.HasEmptyPlaces(window)) throw new AutogradException(ErrorKind.Unsupported, "max_pool2d with a window of padding alone");
        x = Copying.Packed(x);
        var shape = OutShape(x.Sizes, window);
        Tensor y = Tensor.Empty(shape, x.DType), places = Tensor.Empty(shape, DType.Int64);
        if (x.DType == DType.Float32) Run<float>();
        else if (x.DType == DType.Float64) Run<double>();
        else Run<long>();
        KeepAlive(x, y, places);
        return [y, places];

        void Run<T>()
            where T : unmanaged, System.Numerics.INumber<T> =>
            MaxPool.Forward(ref x.Origin<T>(), ref y.Origin<T>(), ref places.Origin<long>(), Planes(x.Sizes), window);
    }

    private static Tensor Scattered(Tensor g, Tensor places, int[] shape)
    {
        GradientShape.CheckForm("max_pool2d_backward", places, g.Sizes, DType.Int64);
        GradientShape.CheckForm("max_pool2d_backward", g, shape.Length < 2 || g.Rank < 2 ? shape : [.. shape[..^2], .. g.Sizes[^2..]], g.DType);
        g = Copying.Packed(g);
        places = Copying.Packed(places);
        var dx = Tensor.Zeros(shape, g.DType);
        var sizes = new Window(shape[^2], shape[^1], g.Sizes[^2], g.Sizes[^1], 1, 1, 1, 1, 0, 0);
        var outside = g.DType == DType.Float32
            ? MaxPool.Backward(ref g.Origin<float>(), ref places.Origin<long>(), ref dx.Origin<float>(), Planes(shape), sizes)
            : MaxPool.Backward(ref g.Origin<double>(), ref places.Origin<long>(), ref dx.Origin<double>(), Planes(shape), sizes);
        KeepAlive(g, places, dx);
        if (outside >= 0)
            throw new AutogradException(ErrorKind.Index, $"max_pool2d_backward: place {places.ToLongs()[outside]} is outside of planes of {shape[^2]}x{shape[^1]}");
        return dx;
    }

    /// <summary>The elements at the places that were found, each plane taken as a row, as PyTorch takes it.</summary>
    private static Tensor AtPlaces(Tensor g, Tensor places)
    {
        int[] outer = places.Sizes[..^2];
        return g.Reshape([.. outer, g.Sizes[^2] * g.Sizes[^1]]).Gather(-1, places.View([.. outer, places.Sizes[^2] * places.Sizes[^1]])).View(places.Sizes);
    }

    private static (bool CountPad, int Divisor) Divisor(Attributes attributes)
    {
        var countPad = attributes.Bool("count_include_pad", true);
        var divisor = attributes.IntOrNull("divisor_override");
        if (divisor == 0) throw new AutogradException(ErrorKind.Value, "divisor must be not zero");
        return (countPad, divisor ?? 0);
    }

    private static Tensor Averages(Tensor x, Attributes attributes)
    {
        PoolingWindow.CheckLengths(attributes);
        var (countPad, divisor) = Divisor(attributes);
        // The channels' dimension is asked for before it is seen how many there are.
        Shapes.WrapDim(-3, x.Rank);
        var window = PoolingWindow.Of("avg_pool2d", attributes, x.Sizes);
        CheckNumbers("avg_pool2d", x);
        x = Copying.Packed(x);
        var y = Tensor.Empty(OutShape(x.Sizes, window), x.DType);
        if (x.DType == DType.Float32) Run<float>();
        else if (x.DType == DType.Float64) Run<double>();
        else Run<long>();
        KeepAlive(x, y, y);
        return y;

        // Integers are divided as C++ divides them.
        void Run<T>()
            where T : unmanaged, System.Numerics.INumber<T> =>
            AveragePool.Forward(ref x.Origin<T>(), ref y.Origin<T>(), Planes(x.Sizes), window, countPad, divisor);
    }

    private static Tensor Shared(Tensor g, int[] shape, Attributes attributes)
    {
        var window = PoolingWindow.Of("avg_pool2d", attributes, shape);
        var (countPad, divisor) = Divisor(attributes);
        GradientShape.CheckForm("avg_pool2d_backward", g, OutShape(shape, window), g.DType);
        g = Copying.Packed(g);
        var dx = Tensor.Zeros(shape, g.DType);
        if (g.DType == DType.Float32) AveragePool.Backward(ref g.Origin<float>(), ref dx.Origin<float>(), Planes(shape), window, countPad, divisor);
        else AveragePool.Backward(ref g.Origin<double>(), ref dx.Origin<double>(), Planes(shape), window, countPad, divisor);
        KeepAlive(g, dx, dx);
        return dx;
    }

    private static Tensor Adaptive(Tensor tensor, int[] shape, Attributes attributes, bool forward)
    {
        var sizes = AdaptiveSize(attributes, shape);
        CheckPlanes(shape, sizes);
        if (!tensor.DType.IsFloat())
        {
            throw new AutogradException(
                ErrorKind.Dtype,
                sizes is [1, 1]
                    ? $"mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: {tensor.DType.ScalarType()}"
                    : $"\"adaptive_avg_pool2d\" not implemented for '{tensor.DType.ScalarType()}'");
        }
        if (!forward) GradientShape.CheckForm("adaptive_avg_pool2d_backward", tensor, [.. shape[..^2], .. sizes], tensor.DType);
        tensor = Copying.Packed(tensor);
        var result = forward ? Tensor.Empty([.. shape[..^2], .. sizes], tensor.DType) : Tensor.Zeros(shape, tensor.DType);
        if (tensor.DType == DType.Float32) Run<float>(); else Run<double>();
        KeepAlive(tensor, result, result);
        return result;

        void Run<T>()
            where T : unmanaged, System.Numerics.INumber<T>
        {
            int planes = Planes(shape), height = shape[^2], width = shape[^1];
            if (forward) AdaptiveAverage.Forward(ref tensor.Origin<T>(), ref result.Origin<T>(), planes, height, width, sizes[0], sizes[1]);
            else AdaptiveAverage.Backward(ref tensor.Origin<T>(), ref result.Origin<T>(), planes, height, width, sizes[0], sizes[1]);
        }
    }

    /// <summary>The sizes of the result's planes; null is the input's. Python and the function that chooses the kernel look at them, before anything is recorded.</summary>
    private static int[] AdaptiveSize(Attributes attributes, int[] shape)
    {
        int?[] given = attributes["output_size"] switch
        {
            object?[] list => Array.ConvertAll(list, n => n is null ? (int?)null : Convert.ToInt32(n, System.Globalization.CultureInfo.InvariantCulture)),
            int[] list => Array.ConvertAll(list, n => (int?)n),
            null => throw new AutogradException(ErrorKind.Value, "adaptive_avg_pool2d() needs the attribute 'output_size'"),
            _ => [attributes.Int("output_size"), attributes.Int("output_size")],
        };
        if (attributes["output_size"] is System.Collections.IList && shape.Length <= given.Length)
            throw new AutogradException(ErrorKind.Shape, $"Input dimension should be at least {given.Length + 1}");
        if (given.Length != 2) throw new AutogradException(ErrorKind.Value, "adaptive_avg_pool2d: output_size must be 2");
        int[] sizes = [given[0] ?? shape[^2], given[1] ?? shape[^1]];
        if (sizes[0] < 0 || sizes[1] < 0)
        {
            throw new AutogradException(
                ErrorKind.Value, $"adaptive_avg_pool2d: elements of output_size must be greater than or equal to 0 but received {{{sizes[0]}, {sizes[1]}}}");
        }
        return sizes;
    }

    private static void CheckPlanes(int[] shape, int[] sizes)
    {
        if (sizes is [1, 1])
        {
            if (shape.Length < 2) _ = Shapes.WrapDim(-2, shape.Length);
            return;
        }
        if (shape.Length is not (3 or 4))
            throw new AutogradException(ErrorKind.Shape, $"adaptive_avg_pool2d(): Expected 3D or 4D tensor, but got {Shapes.Text(shape)}");
        for (var d = shape.Length - 2; d < shape.Length; d++)
        {
            if (shape[d] > 0) continue;
            throw new AutogradException(
                ErrorKind.Shape,
                $"adaptive_avg_pool2d(): Expected input to have non-zero size for non-batch dimensions, but input has sizes {Shapes.Text(shape)} "
                + $"with dimension {d} being empty");
        }
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
    /// <summary>The largest element under each window of the last two dimensions of [N, C, H, W] or [C, H, W]; padding counts as minus infinity.</summary>
    /// <param name="kernelSize">The window: one number, or rows and columns.</param>
    /// <param name="stride">From one window to the next; the window's size where left out.</param>
    /// <param name="padding">Added at each end, at most half a window.</param>
    /// <param name="dilation">Elements between the window's.</param>
    /// <param name="ceilMode">Whether a last window may hang over the end.</param>
    /// <exception cref="AutogradException">Shapes or numbers do not fit.</exception>
    public Tensor MaxPool2d(int[] kernelSize, int[]? stride = null, int[]? padding = null, int[]? dilation = null, bool ceilMode = false) =>
        Pooling.MaxPool2d.Apply(
            [this],
            Attributes.Of(("kernel_size", kernelSize), ("stride", stride), ("padding", padding), ("dilation", dilation), ("ceil_mode", ceilMode)))[0];

    /// <inheritdoc cref="MaxPool2d(int[], int[], int[], int[], bool)"/>
    public Tensor MaxPool2d(int kernelSize, int? stride = null, int padding = 0) => MaxPool2d([kernelSize], stride is { } s ? [s] : null, [padding]);

    /// <summary>The mean under each window of the last two dimensions of [N, C, H, W] or [C, H, W].</summary>
    /// <param name="kernelSize">The window: one number, or rows and columns.</param>
    /// <param name="stride">From one window to the next; the window's size where left out.</param>
    /// <param name="padding">Zeros at each end, at most half a window.</param>
    /// <param name="ceilMode">Whether a last window may hang over the end.</param>
    /// <param name="countIncludePad">Whether padding counts in the mean.</param>
    /// <param name="divisorOverride">What sums are divided by, where it is not the number of elements.</param>
    /// <exception cref="AutogradException">Shapes or numbers do not fit.</exception>
    public Tensor AvgPool2d(
        int[] kernelSize, int[]? stride = null, int[]? padding = null, bool ceilMode = false, bool countIncludePad = true, int? divisorOverride = null) =>
        Pooling.AvgPool2d.Apply(
            this,
            Attributes.Of(
                ("kernel_size", kernelSize), ("stride", stride), ("padding", padding), ("ceil_mode", ceilMode), ("count_include_pad", countIncludePad),
                ("divisor_override", divisorOverride)));

    /// <inheritdoc cref="AvgPool2d(int[], int[], int[], bool, bool, int?)"/>
    public Tensor AvgPool2d(int kernelSize, int? stride = null, int padding = 0) => AvgPool2d([kernelSize], stride is { } s ? [s] : null, [padding]);

    /// <summary>The means of [.., H, W] over windows that share each plane out evenly, so that planes of a given size come out.</summary>
    /// <param name="outputSize">That size: one number, or rows and columns.</param>
    /// <exception cref="AutogradException">Shapes or numbers do not fit.</exception>
    public Tensor AdaptiveAvgPool2d(params int[] outputSize)
    {
        ArgumentNullException.ThrowIfNull(outputSize);
        return Pooling.AdaptiveAvgPool2d.Apply(this, Attributes.Of("output_size", outputSize.Length == 1 ? [outputSize[0], outputSize[0]] : outputSize));
    }
}
