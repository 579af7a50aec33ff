using System.Text;
using Verified.Engine;

namespace Verified.Training;

/// <summary>A convolution (in the sense of networks: a correlation) of images [N, inputs, H, W] or [inputs, H, W].</summary>
/// <remarks>Sizes come out as floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1. Initial values are PyTorch's: uniform within 1 / sqrt(fan in).</remarks>
public sealed class Conv2d : Module
{
    private readonly Parameter weight;
    private readonly Parameter? bias;
    private readonly Size2D stride;
    private readonly Size2D padding;
    private readonly Size2D dilation;
    private readonly string? paddingWord;
    private readonly string paddingMode;
    private readonly int groups;

    /// <summary>A layer with initial values from the default generator.</summary>
    /// <param name="inChannels">Channels of the input, a multiple of <paramref name="groups"/>.</param>
    /// <param name="outChannels">Channels of the output, a multiple of <paramref name="groups"/>.</param>
    /// <param name="kernelSize">The window: one number, or rows and columns.</param>
    /// <param name="stride">From one window to the next; 1 where left out.</param>
    /// <param name="padding">Zeros added at each end.</param>
    /// <param name="dilation">Between the window's elements; 1 where left out.</param>
    /// <param name="groups">Parts of the channels that do not meet.</param>
    /// <param name="bias">Whether a bias is added.</param>
    /// <param name="paddingMode">What is added at each end: <c>zeros</c>, or of the image itself <c>reflect</c>, <c>replicate</c> or <c>circular</c>.</param>
    /// <param name="dtype">The type of weight and bias.</param>
    /// <exception cref="ArgumentException">The groups do not divide the channels, or the padding mode is none.</exception>
    public Conv2d(
        int inChannels,
        int outChannels,
        Size2D kernelSize,
        Size2D stride = default,
        Size2D padding = default,
        Size2D dilation = default,
        int groups = 1,
        bool bias = true,
        string paddingMode = "zeros",
        DType dtype = DType.Float32)
    {
        Channels.Check(inChannels, outChannels, groups);
        this.paddingMode = PaddingMode.Checked(paddingMode);
        this.stride = stride.Or(1);
        this.padding = padding.Or((0, 0));
        this.dilation = dilation.Or(1);
        this.groups = groups;
        weight = new Parameter(LayerDefaults.Weight([outChannels, inChannels / groups, kernelSize.Height, kernelSize.Width], dtype));
        this.bias = bias ? new Parameter(LayerDefaults.Bias(weight, outChannels)) : null;
    }

    /// <inheritdoc cref="Conv2d(int, int, Size2D, Size2D, Size2D, Size2D, int, bool, string, DType)"/>
    /// <param name="inChannels">Channels of the input, a multiple of <paramref name="groups"/>.</param>
    /// <param name="outChannels">Channels of the output, a multiple of <paramref name="groups"/>.</param>
    /// <param name="kernelSize">The window: one number, or rows and columns.</param>
    /// <param name="padding"><c>same</c>, so that sizes stay, which takes no stride; or <c>valid</c>, none.</param>
    /// <param name="stride">From one window to the next; 1 where left out.</param>
    /// <param name="dilation">Between the window's elements; 1 where left out.</param>
    /// <param name="groups">Parts of the channels that do not meet.</param>
    /// <param name="bias">Whether a bias is added.</param>
    /// <param name="paddingMode">What is added at each end: <c>zeros</c>, or of the image itself <c>reflect</c>, <c>replicate</c> or <c>circular</c>.</param>
    /// <param name="dtype">The type of weight and bias.</param>
    public Conv2d(
        int inChannels,
        int outChannels,
        Size2D kernelSize,
        string padding,
        Size2D stride = default,
        Size2D dilation = default,
        int groups = 1,
        bool bias = true,
        string paddingMode = "zeros",
        DType dtype = DType.Float32)
        : this(inChannels, outChannels, kernelSize, stride, default, dilation, groups, bias, paddingMode, dtype)
    {
        if (padding is not ("same" or "valid"))
            throw new ArgumentException($"Invalid padding string '{padding}', should be one of {{'valid', 'same'}}");
        if (padding == "same" && this.stride != new Size2D(1)) throw new ArgumentException("padding='same' is not supported for strided convolutions");
        paddingWord = padding;
    }

    /// <summary>[outputs, inputs / groups, rows, columns].</summary>
    public Tensor Weight => weight.Value;

    /// <summary>[outputs], or null.</summary>
    public Tensor? Bias => bias?.Value;

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) =>
        paddingMode != "zeros"
            ? PaddingMode.Pad(input, paddingMode, Ends(padding.Height, Weight.Size(2), dilation.Height), Ends(padding.Width, Weight.Size(3), dilation.Width))
                .Conv2d(Weight, Bias, stride.Ints, [0, 0], dilation.Ints, groups)
        : paddingWord == "same" ? input.Conv2d(Weight, Bias, paddingWord, dilation.Ints, groups)
        : input.Conv2d(Weight, Bias, stride.Ints, padding.Ints, dilation.Ints, groups);

    /// <summary>What is added before and behind, in one dimension; of <c>same</c> the odd one behind.</summary>
    private (int Before, int Behind) Ends(int given, int kernel, int dilation)
    {
        var all = paddingWord == "same" ? dilation * (kernel - 1) : 2 * given;
        return (all / 2, all - (all / 2));
    }

    /// <inheritdoc/>
    protected override string ExtraRepr()
    {
        var text = new StringBuilder($"{Weight.Size(1) * groups}, {Weight.Size(0)}, kernel_size=({Weight.Size(2)}, {Weight.Size(3)}), stride={stride.Pair}");
        if (paddingWord is not null) text.Append($", padding={paddingWord}");
        else if (padding.Pair != "(0, 0)") text.Append($", padding={padding.Pair}");
        if (dilation.Pair != "(1, 1)") text.Append($", dilation={dilation.Pair}");
        if (groups != 1) text.Append($", groups={groups}");
        if (bias is null) text.Append(", bias=False");
        if (paddingMode != "zeros") text.Append($", padding_mode={paddingMode}");
        return text.ToString();
    }
}

/// <summary>The adjoint of <see cref="Conv2d"/>, which makes images larger: [N, inputs, H, W] or [inputs, H, W].</summary>
/// <remarks>
/// Sizes come out as (size - 1) stride - 2 padding + dilation (kernel - 1) + output padding + 1. Initial values are PyTorch's: uniform within
/// 1 / sqrt(outputs / groups times the window).
/// </remarks>
public sealed class ConvTranspose2d : Module
{
    private readonly Parameter weight;
    private readonly Parameter? bias;
    private readonly Size2D stride;
    private readonly Size2D padding;
    private readonly Size2D outputPadding;
    private readonly Size2D dilation;
    private readonly int groups;

    /// <summary>A layer with initial values from the default generator.</summary>
    /// <param name="inChannels">Channels of the input, a multiple of <paramref name="groups"/>.</param>
    /// <param name="outChannels">Channels of the output, a multiple of <paramref name="groups"/>.</param>
    /// <param name="kernelSize">The window: one number, or rows and columns.</param>
    /// <param name="stride">From one window to the next; 1 where left out.</param>
    /// <param name="padding">Elements cut off at each end.</param>
    /// <param name="outputPadding">Elements more at the far ends, fewer than stride or dilation.</param>
    /// <param name="groups">Parts of the channels that do not meet.</param>
    /// <param name="bias">Whether a bias is added.</param>
    /// <param name="dilation">Between the window's elements; 1 where left out.</param>
    /// <param name="dtype">The type of weight and bias.</param>
    /// <exception cref="ArgumentException">The groups do not divide the channels.</exception>
    public ConvTranspose2d(
        int inChannels,
        int outChannels,
        Size2D kernelSize,
        Size2D stride = default,
        Size2D padding = default,
        Size2D outputPadding = default,
        int groups = 1,
        bool bias = true,
        Size2D dilation = default,
        DType dtype = DType.Float32)
    {
        Channels.Check(inChannels, outChannels, groups);
        this.stride = stride.Or(1);
        this.padding = padding.Or((0, 0));
        this.outputPadding = outputPadding.Or((0, 0));
        this.dilation = dilation.Or(1);
        this.groups = groups;
        weight = new Parameter(LayerDefaults.Weight([inChannels, outChannels / groups, kernelSize.Height, kernelSize.Width], dtype));
        this.bias = bias ? new Parameter(LayerDefaults.Bias(weight, outChannels)) : null;
    }

    /// <summary>[inputs, outputs / groups, rows, columns].</summary>
    public Tensor Weight => weight.Value;

    /// <summary>[outputs], or null.</summary>
    public Tensor? Bias => bias?.Value;

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) =>
        input.ConvTranspose2d(Weight, Bias, stride.Ints, padding.Ints, outputPadding.Ints, groups, dilation.Ints);

    /// <inheritdoc/>
    protected override string ExtraRepr()
    {
        var text = new StringBuilder($"{Weight.Size(0)}, {Weight.Size(1) * groups}, kernel_size=({Weight.Size(2)}, {Weight.Size(3)}), stride={stride.Pair}");
        if (padding.Pair != "(0, 0)") text.Append($", padding={padding.Pair}");
        if (dilation.Pair != "(1, 1)") text.Append($", dilation={dilation.Pair}");
        if (outputPadding.Pair != "(0, 0)") text.Append($", output_padding={outputPadding.Pair}");
        if (groups != 1) text.Append($", groups={groups}");
        if (bias is null) text.Append(", bias=False");
        return text.ToString();
    }
}

/// <summary>What holds of the channels of every convolution.</summary>
internal static class Channels
{
    public static void Check(int inputs, int outputs, int groups)
    {
        if (groups <= 0) throw new ArgumentException("groups must be a positive integer");
        if (inputs % groups != 0) throw new ArgumentException("in_channels must be divisible by groups");
        if (outputs % groups != 0) throw new ArgumentException("out_channels must be divisible by groups");
    }
}
