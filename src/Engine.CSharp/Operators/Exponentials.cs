using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Exponentials and what is made of them.</summary>
internal static class Exponentials
{
    public static readonly UnaryOperator Exp = new(
        "exp", (x, _, into) => Elementwise.Unary(x, into, new Op.Exp<float>(), new Op.Exp<double>()), new Rule(Saved.Output, (g, c) => g * c.Output()));

    public static readonly UnaryOperator Sigmoid = new(
        "sigmoid",
        (x, _, into) => Elementwise.Unary(x, into, new Op.Sigmoid<float>(), new Op.Sigmoid<double>()),
        new Rule(Saved.Output, (g, c) => g * (1 - c.Output()) * c.Output()));

    public static IEnumerable<Operator> All => [Exp, Sigmoid];
}

public sealed partial class Tensor
{
    /// <summary>e to the power x.</summary>
    public Tensor Exp() => Exponentials.Exp.Apply(this);

    /// <summary>e to the power x, over x.</summary>
    public Tensor ExpInPlace() => Exponentials.Exp.ApplyInPlace(this);

    /// <summary>1 / (1 + exp(-x)).</summary>
    public Tensor Sigmoid() => Exponentials.Sigmoid.Apply(this);

    /// <summary>1 / (1 + exp(-x)), over x.</summary>
    public Tensor SigmoidInPlace() => Exponentials.Sigmoid.ApplyInPlace(this);
}
