using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Sine and cosine, of angles in radians.</summary>
internal static class Trigonometry
{
    public static readonly UnaryOperator Sin = new(
        "sin", (x, _, into) => Elementwise.Unary(x, into, new Op.Sin<float>(), new Op.Sin<double>()), new Rule(Saved.Input0, (g, c) => g * c.Input(0).Cos()));

    public static readonly UnaryOperator Cos = new(
        "cos", (x, _, into) => Elementwise.Unary(x, into, new Op.Cos<float>(), new Op.Cos<double>()), new Rule(Saved.Input0, (g, c) => g * -c.Input(0).Sin()));

    public static IEnumerable<Operator> All => [Sin, Cos];
}

public sealed partial class Tensor
{
    /// <summary>The sine.</summary>
    public Tensor Sin() => Trigonometry.Sin.Apply(this);

    /// <summary>The cosine.</summary>
    public Tensor Cos() => Trigonometry.Cos.Apply(this);
}
