namespace Verified.Engine;

public sealed partial class Tensor
{
    /// <inheritdoc/>
    public override string ToString() => $"tensor({DType.Name()}, {Shapes.Text(Sizes)})";
}
