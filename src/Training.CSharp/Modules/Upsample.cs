using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// Images [N, C, H, W] made larger (or smaller), to a size or by a factor: by taking the nearest element (<c>nearest</c>), or by going between the nearest
/// ones (<c>bilinear</c>).
/// </summary>
public sealed class Upsample : Module
{
    private readonly Size2D? size;
    private readonly double[]? scaleFactor;
    private readonly string mode;
    private readonly bool? alignCorners;

    /// <summary>A layer that multiplies sizes, which are rounded down.</summary>
    /// <param name="scaleFactor">The factor for rows and columns.</param>
    /// <param name="mode"><c>nearest</c> or <c>bilinear</c>.</param>
    /// <param name="alignCorners">For <c>bilinear</c>: whether the corners' middles of input and output meet, not their edges. Left out it is false.</param>
    public Upsample(double scaleFactor, string mode = "nearest", bool? alignCorners = null)
        : this(mode, alignCorners) => this.scaleFactor = [scaleFactor];

    /// <summary>A layer that multiplies sizes, which are rounded down.</summary>
    /// <inheritdoc cref="Upsample(double, string, bool?)"/>
    /// <param name="scaleFactor">The factors for rows and columns.</param>
    /// <param name="mode"><c>nearest</c> or <c>bilinear</c>.</param>
    /// <param name="alignCorners">For <c>bilinear</c>: whether the corners' middles of input and output meet, not their edges. Left out it is false.</param>
    public Upsample((double Height, double Width) scaleFactor, string mode = "nearest", bool? alignCorners = null)
        : this(mode, alignCorners) => this.scaleFactor = [scaleFactor.Height, scaleFactor.Width];

    /// <summary>A layer that brings images to a size.</summary>
    /// <param name="size">Rows and columns.</param>
    /// <param name="mode"><c>nearest</c> or <c>bilinear</c>.</param>
    /// <param name="alignCorners">For <c>bilinear</c>: whether the corners' middles of input and output meet, not their edges. Left out it is false.</param>
    public Upsample(Size2D size, string mode = "nearest", bool? alignCorners = null)
        : this(mode, alignCorners) => this.size = size;

    /// <summary>A layer that brings images to a size.</summary>
    /// <remarks>There so that <c>new Upsample(2)</c> means PyTorch's <c>Upsample(2)</c>: two rows and columns, not twice as many.</remarks>
    /// <param name="size">The number of rows, and of columns.</param>
    /// <param name="mode"><c>nearest</c> or <c>bilinear</c>.</param>
    /// <param name="alignCorners">For <c>bilinear</c>: whether the corners' middles of input and output meet, not their edges. Left out it is false.</param>
    public Upsample(int size, string mode = "nearest", bool? alignCorners = null)
        : this((Size2D)size, mode, alignCorners)
    {
    }

    private Upsample(string mode, bool? alignCorners)
    {
        if (mode is not ("nearest" or "bilinear")) throw new ArgumentException($"{mode} is not a mode; nearest and bilinear are");
        if (mode == "nearest" && alignCorners is not null)
            throw new ArgumentException("align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear");
        (this.mode, this.alignCorners) = (mode, alignCorners);
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => input.Interpolate(size?.Ints, scaleFactor, mode, alignCorners);

    /// <inheritdoc/>
    protected override string ExtraRepr() =>
        $"{(size is { } s ? $"size={s}" : $"scale_factor={(scaleFactor!.Length == 1 ? PythonText.Of(scaleFactor[0]) : PythonText.Tuple(scaleFactor))}")}, mode='{mode}'";
}
