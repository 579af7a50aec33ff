namespace Verified.Engine;

/// <summary>
/// The derivatives of a convolution's gradients, composed of convolutions as PyTorch composes them, which decides what each order keeps
/// (aten/src/ATen/native/Convolution.cpp, _convolution_double_backward).
/// </summary>
internal readonly struct ConvolutionGradients
{
    private readonly bool transposed;
    private readonly SizePair stride, padding, dilation, outputPadding;
    private readonly int groups;

    private ConvolutionGradients(bool transposed, Attributes attributes)
    {
        this.transposed = transposed;
        stride = SizePair.Of(attributes, "stride", 1);
        padding = SizePair.Of(attributes, "padding", 0);
        dilation = SizePair.Of(attributes, "dilation", 1);
        outputPadding = SizePair.Of(attributes, "output_padding", 0);
        groups = attributes.Int("groups", 1);
    }

    /// <summary>Gives the gradients of what had arrived (0), of the input (1) and of the weight (2).</summary>
    public static void Pull(bool transposed, BackwardContext c, Func<int, Tensor?> arriving)
    {
        var steps = new ConvolutionGradients(transposed, c.Attributes);
        Tensor g = c.Input(0), x = c.Input(1), weight = c.Input(2);
        Tensor? toX = arriving(0), toWeight = arriving(1), toBias = arriving(2);
        var isEmpty = x.Count == 0;
        if (c.Needs(0))
        {
            Tensor? total = null;
            if (!isEmpty && toX is not null) total = steps.Convolve(toX, weight);
            if (!isEmpty && toWeight is not null) total = Sum(total, steps.Convolve(x, toWeight));
            if (toBias is not null) total = Sum(total, toBias.Contiguous().View([1, toBias.Sizes[0], 1, 1]).Expand(g.Sizes));
            c.Set(0, total);
        }
        if (isEmpty) return;
        if (c.Needs(1) && toWeight is not null) c.Set(1, steps.OfInput(x.Sizes, weight.Sizes, g, toWeight));
        if (c.Needs(2) && toX is not null) c.Set(2, steps.OfWeight(weight.Sizes, g, toX));

        static Tensor Sum(Tensor? a, Tensor b) => a is null ? b : a + b;
    }

    /// <summary>The input's part in the gradient of the weight.</summary>
    private Tensor OfInput(int[] x, int[] weight, Tensor g, Tensor toWeight)
    {
        if (transposed) return CutTo(x, Convolution.OfBatches(false, g, toWeight, stride, padding, dilation, default, groups));
        // What the stride leaves over.
        var rest = new SizePair(
            Left(x[2], weight[2], g.Sizes[2], stride.H, padding.H, dilation.H), Left(x[3], weight[3], g.Sizes[3], stride.W, padding.W, dilation.W));
        return Convolution.OfBatches(true, g, toWeight, stride, padding, dilation, rest, groups);

        static int Left(int size, int kernel, int places, int stride, int padding, int dilation) =>
            size - (((kernel - 1) * dilation) - (2 * padding) + (stride * (places - 1)) + 1);
    }

    /// <summary>The weight's part in the gradient of the input. Batches and channels change places, and stride and dilation; each group is by itself.</summary>
    private Tensor OfWeight(int[] weight, Tensor g, Tensor toX)
    {
        var steps = this;
        g = g.Transpose(0, 1);
        toX = toX.Transpose(0, 1);
        var count = groups;
        var across = count == 1
            ? Across(g, toX)
            : Tensor.Cat([.. Enumerable.Range(0, count).Select(i => Across(OfGroup(i, g), OfGroup(i, toX)))], 1);
        return CutTo(weight, across.Transpose(0, 1));

        Tensor Across(Tensor g, Tensor toX) => steps.transposed
            ? Convolution.OfBatches(false, g, toX, steps.dilation, steps.padding, steps.stride, default, 1)
            : Convolution.OfBatches(false, toX, g, steps.dilation, steps.padding, steps.stride, default, 1);

        Tensor OfGroup(int i, Tensor t)
        {
            var size = t.Sizes[0] / count;
            return t.Narrow(0, size * i, size);
        }
    }

    private Tensor Convolve(Tensor x, Tensor weight) => Convolution.OfBatches(transposed, x, weight, stride, padding, dilation, outputPadding, groups);

    /// <summary>Its first rows and columns, as many as a shape has.</summary>
    private static Tensor CutTo(int[] shape, Tensor t)
    {
        foreach (var dim in (int[])[2, 3])
            if (t.Sizes[dim] > shape[dim]) t = t.Narrow(dim, 0, shape[dim]);
        return t;
    }
}
