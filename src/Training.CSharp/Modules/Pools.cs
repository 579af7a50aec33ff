using Verified.Engine;

namespace Verified.Training;

/// <summary>The greatest element of each window of images [N, C, H, W] or [C, H, W].</summary>
/// <param name="kernelSize">The window: one number, or rows and columns.</param>
/// <param name="stride">From one window to the next; the window's size where left out.</param>
/// <param name="padding">Added at each end, at most half a window; never the greatest.</param>
/// <param name="dilation">Between the window's elements; 1 where left out.</param>
/// <param name="ceilMode">Whether a last window may hang over the end.</param>
public sealed class MaxPool2d(Size2D kernelSize, Size2D stride = default, Size2D padding = default, Size2D dilation = default, bool ceilMode = false) : Module
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) =>
        input.MaxPool2d(kernelSize.Ints, stride.Or(kernelSize).Ints, padding.Or(0).Ints, dilation.Or(1).Ints, ceilMode);

    /// <inheritdoc/>
    protected override string ExtraRepr() =>
        $"kernel_size={kernelSize}, stride={stride.Or(kernelSize)}, padding={padding.Or(0)}, dilation={dilation.Or(1)}, ceil_mode={PythonText.Of(ceilMode)}";
}

/// <summary>The mean of each window of images [N, C, H, W] or [C, H, W].</summary>
/// <param name="kernelSize">The window: one number, or rows and columns.</param>
/// <param name="stride">From one window to the next; the window's size where left out.</param>
/// <param name="padding">Zeros at each end, at most half a window.</param>
/// <param name="ceilMode">Whether a last window may hang over the end.</param>
/// <param name="countIncludePad">Whether padding counts in the mean.</param>
/// <param name="divisorOverride">What sums are divided by, where it is not the number of elements.</param>
public sealed class AvgPool2d(
    Size2D kernelSize, Size2D stride = default, Size2D padding = default, bool ceilMode = false, bool countIncludePad = true, int? divisorOverride = null) : Module
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) =>
        input.AvgPool2d(kernelSize.Ints, stride.Or(kernelSize).Ints, padding.Or(0).Ints, ceilMode, countIncludePad, divisorOverride);

    /// <inheritdoc/>
    protected override string ExtraRepr() => $"kernel_size={kernelSize}, stride={stride.Or(kernelSize)}, padding={padding.Or(0)}";
}
