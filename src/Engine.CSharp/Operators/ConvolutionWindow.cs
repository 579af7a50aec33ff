using Verified.Engine.Blas;

namespace Verified.Engine;

/// <summary>
/// The sizes of a convolution: y [Batch, Groups OutPerGroup, OutHeight, OutWidth] of x [Batch, Groups InPerGroup, Height, Width] and a weight
/// [Groups OutPerGroup, InPerGroup, KernelHeight, KernelWidth]. The operators check what they are given in the order of PyTorch and in its words.
/// </summary>
internal readonly record struct ConvolutionWindow
{
    public int Batch { get; init; }

    public int Groups { get; init; }

    public int InPerGroup { get; init; }

    public int OutPerGroup { get; init; }

    /// <summary>Sizes, steps and padding (before the first row and column) of one image and one group.</summary>
    public Window2D Group { get; init; }

    public int[] InShape => [Batch, Groups * InPerGroup, Group.Height, Group.Width];

    public int[] OutShape => [Batch, Groups * OutPerGroup, Group.OutHeight, Group.OutWidth];

    public int[] WeightShape => [Groups * OutPerGroup, InPerGroup, Group.KernelHeight, Group.KernelWidth];

    /// <summary>The window as attributes of the operators that derivatives are made of.</summary>
    public Attributes Attributes => Attributes.Of(
        ("in_size", new[] { Group.Height, Group.Width }),
        ("out_size", new[] { Group.OutHeight, Group.OutWidth }),
        ("kernel_size", new[] { Group.KernelHeight, Group.KernelWidth }),
        ("stride", new[] { Group.StrideHeight, Group.StrideWidth }),
        ("padding", new[] { Group.PaddingHeight, Group.PaddingWidth }),
        ("dilation", new[] { Group.DilationHeight, Group.DilationWidth }),
        ("groups", Groups));

    /// <summary>The window of these attributes, for a number of images and of channels.</summary>
    public static ConvolutionWindow Of(Attributes attributes, int batch, int channelsIn, int channelsOut)
    {
        int[] size = attributes.Ints("in_size")!, places = attributes.Ints("out_size")!, kernel = attributes.Ints("kernel_size")!;
        int[] stride = attributes.Ints("stride")!, padding = attributes.Ints("padding")!, dilation = attributes.Ints("dilation")!;
        var groups = attributes.Int("groups");
        return new ConvolutionWindow
        {
            Batch = batch,
            Groups = groups,
            InPerGroup = channelsIn / groups,
            OutPerGroup = channelsOut / groups,
            Group = new Window2D(channelsIn / groups, size[0], size[1], kernel[0], kernel[1], stride[0], stride[1], padding[0], padding[1], dilation[0], dilation[1])
            {
                Given = (places[0], places[1]),
            },
        };
    }

    /// <summary>The window of a <c>conv2d</c> call.</summary>
    public static ConvolutionWindow Forward(Attributes attributes, int[] x, int[] weight)
    {
        CheckRank(attributes, weight);
        var (stride, dilation, groups) = Steps(attributes);
        int kernelHeight = weight[2], kernelWidth = weight[3];
        var padding = Padding(attributes);
        if (weight[0] < groups)
            throw Wrong($"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size {Shapes.Text(weight)} instead");
        if (weight[0] % groups != 0)
            throw Wrong($"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of size {Shapes.Text(weight)} instead");
        if (x[1] != weight[1] * groups)
        {
            throw Wrong(
                $"Given groups={groups}, weight of size {Shapes.Text(weight)}, expected input{Shapes.Text(x)} to have {weight[1] * groups} channels, "
                + $"but got {x[1]} channels instead");
        }
        int height = Shapes.Size(x[2] + (2L * padding.H)), width = Shapes.Size(x[3] + (2L * padding.W));
        long reachHeight = ((long)dilation.H * (kernelHeight - 1)) + 1, reachWidth = ((long)dilation.W * (kernelWidth - 1)) + 1;
        if (reachHeight > height || reachWidth > width)
        {
            throw Wrong(
                $"Calculated padded input size per channel: ({height} x {width}). Kernel size: ({reachHeight} x {reachWidth}). "
                + "Kernel size can't be greater than actual input size");
        }
        return new ConvolutionWindow
        {
            Batch = x[0],
            Groups = groups,
            InPerGroup = weight[1],
            OutPerGroup = weight[0] / groups,
            Group = new Window2D(weight[1], x[2], x[3], kernelHeight, kernelWidth, stride.H, stride.W, padding.H, padding.W, dilation.H, dilation.W)
            {
                Given = ((int)((height - reachHeight) / stride.H) + 1, (int)((width - reachWidth) / stride.W) + 1),
            },
        };
    }

    /// <summary>The window of a <c>conv_transpose2d</c> call: its input is y and its output x.</summary>
    public static ConvolutionWindow Transposed(Attributes attributes, int[] y, int[] weight)
    {
        CheckRank(attributes, weight);
        var (stride, dilation, groups) = Steps(attributes);
        var padding = Padding(attributes);
        var extra = SizePair.Of(attributes, "output_padding", 0);
        if (extra.H < 0 || extra.W < 0) throw Bad("negative output_padding is not supported");
        if (y[1] != weight[0])
        {
            throw Wrong(
                $"Given transposed=1, weight of size {Shapes.Text(weight)}, expected input{Shapes.Text(y)} to have {weight[0]} channels, "
                + $"but got {y[1]} channels instead");
        }
        if (weight[0] < groups || weight[0] % groups != 0)
            throw Wrong($"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of size {Shapes.Text(weight)} instead");
        var height = ((y[2] - 1) * stride.H) - (2 * padding.H) + (dilation.H * (weight[2] - 1)) + extra.H + 1;
        var width = ((y[3] - 1) * stride.W) - (2 * padding.W) + (dilation.W * (weight[3] - 1)) + extra.W + 1;
        return new ConvolutionWindow
        {
            Batch = y[0],
            Groups = groups,
            InPerGroup = weight[1],
            OutPerGroup = weight[0] / groups,
            Group = new Window2D(weight[1], height, width, weight[2], weight[3], stride.H, stride.W, padding.H, padding.W, dilation.H, dilation.W)
            {
                Given = (y[2], y[3]),
            },
        };
    }

    /// <summary>
    /// What the kernel asks for: where the batch or the channels are nothing there is none, and nothing else may be
    /// (aten/src/ATen/native/Convolution.cpp, _select_conv_backend).
    /// </summary>
    public static void CheckKernel(Attributes attributes, int[] input)
    {
        if (input[0] == 0 || input[1] == 0) return;
        if (Array.IndexOf(input, 0) >= 0) throw Wrong($"Only zero batch or zero channel inputs are supported, but got input shape: {Shapes.Text(input)}");
        var (stride, dilation, _) = Steps(attributes);
        if (dilation.H == 0 || dilation.W == 0) throw Bad($"dilation should be greater than zero, but got [{dilation.H}, {dilation.W}]");
        var extra = SizePair.Of(attributes, "output_padding", 0);
        if (extra.H < Math.Max(stride.H, dilation.H) && extra.W < Math.Max(stride.W, dilation.W)) return;
        throw Bad(
            $"output padding must be smaller than either stride or dilation, but got output_padding_height: {extra.H} output_padding_width: {extra.W} "
            + $"stride_height: {stride.H} stride_width: {stride.W} dilation_height: {dilation.H} dilation_width: {dilation.W}");
    }

    /// <summary>Of a transpose the size of what comes out is the last that the kernel asks for before it computes.</summary>
    public void CheckTransposed()
    {
        if (Group.Height > 0 && Group.Width > 0) return;
        throw Wrong(
            $"Given input size per channel: ({Group.OutHeight} x {Group.OutWidth}). Calculated output size per channel: ({Group.Height} x {Group.Width}). "
            + "Output size is too small");
    }

    /// <summary>What is asked of a convolution that is to leave the size as it is, before its padding is found (aten/src/ATen/native/Convolution.cpp, convolution_same).</summary>
    public static void CheckSame(Attributes attributes, int[] x, int[] weight)
    {
        CheckAtLeastThree(weight);
        if (attributes.Int("groups", 1) <= 0) throw Bad("non-positive groups is not supported");
        if (weight.Length != x.Length)
        {
            throw Wrong(
                $"Expected {weight.Length}-dimensional input for {weight.Length}-dimensional weight{Shapes.Text(weight)}, "
                + $"but got {x.Length}-dimensional input of size {Shapes.Text(x)} instead");
        }
        if (SizePair.Of(attributes, "stride", 1) is not (1, 1)) throw Bad("padding='same' is not supported for strided convolutions");
    }

    private static void CheckAtLeastThree(int[] weight)
    {
        if (weight.Length < 3) throw Wrong("weight should have at least three dimensions");
    }

    private static void CheckRank(Attributes attributes, int[] weight)
    {
        CheckAtLeastThree(weight);
        if (weight.Length == 4) return;
        var stride = SizePair.Of(attributes, "stride", 1);
        throw Bad(
            $"expected stride to be a single integer value or a list of {weight.Length - 2} values to match the convolution dimensions, "
            + $"but got stride=[{stride.H}, {stride.W}]");
    }

    private static (SizePair Stride, SizePair Dilation, int Groups) Steps(Attributes attributes)
    {
        var stride = SizePair.Of(attributes, "stride", 1);
        var dilation = SizePair.Of(attributes, "dilation", 1);
        var groups = attributes.Int("groups", 1);
        if (stride.H <= 0 || stride.W <= 0) throw Bad("non-positive stride is not supported");
        // That it is not 0 is for the kernel to ask.
        if (dilation.H < 0 || dilation.W < 0) throw Bad("dilation should be greater than zero");
        if (groups <= 0) throw Bad("non-positive groups is not supported");
        return (stride, dilation, groups);
    }

    private static SizePair Padding(Attributes attributes)
    {
        var padding = SizePair.Of(attributes, "padding", 0);
        if (padding.H < 0 || padding.W < 0) throw Bad("negative padding is not supported");
        return padding;
    }

    private static AutogradException Wrong(string message) => new(ErrorKind.Shape, message);

    private static AutogradException Bad(string message) => new(ErrorKind.Value, message);
}
