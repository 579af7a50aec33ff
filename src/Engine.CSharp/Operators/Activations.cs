using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Activation functions.</summary>
internal static class Activations
{
    /// <summary>g where y is positive (or NaN), else zero: a choice, not a product, so that an infinite g does not become NaN.</summary>
    public static readonly BinaryOperator ReluBackward = new(
        "threshold_backward",
        (g, y, _, into) => Elementwise.Binary(g, y, into, new Op.ReluBackward<float>(), new Op.ReluBackward<double>()),
        new Rule(Saved.Input1, (g, c) => ReluBackward!.Apply(g, c.Input(1))),
        Rule.NotDifferentiable)
    { HasInPlaceTwin = false };

    public static readonly UnaryOperator Relu = new(
        "relu",
        (x, _, into) => Elementwise.Unary(x, into, new Op.Relu<float>(), new Op.Relu<double>(), new Op.Relu<long>()),
        new Rule(Saved.Output, (g, c) => ReluBackward.Apply(g, c.Output())));

    public static IEnumerable<Operator> All => [Relu, ReluBackward];
}

public sealed partial class Tensor
{
    /// <summary>max(x, 0); the derivative at 0 is 0.</summary>
    public Tensor Relu() => Activations.Relu.Apply(this);

    /// <summary>max(x, 0), over x.</summary>
    public Tensor ReluInPlace() => Activations.Relu.ApplyInPlace(this);
}
