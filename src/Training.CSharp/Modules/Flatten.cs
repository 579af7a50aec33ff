using Verified.Engine;

namespace Verified.Training;

/// <summary>A range of dimensions as one; by default all but the first.</summary>
/// <param name="startDim">The first of the range, counted from either end.</param>
/// <param name="endDim">The last of the range, counted from either end.</param>
public sealed class Flatten(int startDim = 1, int endDim = -1) : Module
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => input.Flatten(startDim, endDim);

    /// <inheritdoc/>
    protected override string ExtraRepr() => $"start_dim={startDim}, end_dim={endDim}";
}
