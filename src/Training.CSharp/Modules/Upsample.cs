using Verified.Engine;

namespace Verified.Training;

/// <summary>Images [N, C, H, W] made larger (or smaller) by taking the nearest element, to a size or by a factor: PyTorch's mode <c>nearest</c>.</summary>
public sealed class Upsample : Module
{
    private readonly Size2D? size;
    private readonly double[]? scaleFactor;

    /// <summary>A layer that multiplies sizes, which are rounded down.</summary>
    /// <param name="scaleFactor">The factor for rows and columns.</param>
    public Upsample(double scaleFactor) => this.scaleFactor = [scaleFactor];

    /// <summary>A layer that multiplies sizes, which are rounded down.</summary>
    /// <param name="scaleFactor">The factors for rows and columns.</param>
    public Upsample((double Height, double Width) scaleFactor) => this.scaleFactor = [scaleFactor.Height, scaleFactor.Width];

    /// <summary>A layer that brings images to a size.</summary>
    /// <param name="size">Rows and columns.</param>
    public Upsample(Size2D size) => this.size = size;

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => input.Interpolate(size?.Ints, scaleFactor);

    /// <inheritdoc/>
    protected override string ExtraRepr() =>
        $"{(size is { } s ? $"size={s}" : $"scale_factor={(scaleFactor!.Length == 1 ? PythonText.Of(scaleFactor[0]) : PythonText.Tuple(scaleFactor))}")}, mode='nearest'";
}
