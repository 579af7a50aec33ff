using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Exponentials, logarithms and what is made of them.</summary>
internal static class Exponentials
{
    public static readonly UnaryOperator Exp = new(
        "exp", (x, _, into) => Elementwise.Unary(x, into, new Op.Exp<float>(), new Op.Exp<double>()), new Rule(Saved.Output, (g, c) => g * c.Output()));

    public static readonly UnaryOperator Expm1 = new(
        "expm1", (x, _, into) => Elementwise.Unary(x, into, new Op.Expm1<float>(), new Op.Expm1<double>()), new Rule(Saved.Output, (g, c) => g * (c.Output() + 1)));

    public static readonly UnaryOperator Log = new(
        "log", (x, _, into) => Elementwise.Unary(x, into, new Op.Log<float>(), new Op.Log<double>()), new Rule(Saved.Input0, (g, c) => g / c.Input(0)));

    public static readonly UnaryOperator Log1p = new(
        "log1p", (x, _, into) => Elementwise.Unary(x, into, new Op.Log1p<float>(), new Op.Log1p<double>()), new Rule(Saved.Input0, (g, c) => g / (c.Input(0) + 1)));

    public static readonly UnaryOperator Log2 = Logarithm("log2", 2);

    private static readonly BinaryOperator SigmoidBackward = OfResult("sigmoid_backward", (g, y) => g * (1 - y) * y, (h, g, y) => h * g * (1 - 2 * y));

    public static readonly UnaryOperator Sigmoid = new(
        "sigmoid",
        (x, _, into) => Elementwise.Unary(x, into, new Op.Sigmoid<float>(), new Op.Sigmoid<double>()),
        new Rule(Saved.Output, (g, c) => SigmoidBackward.Apply(g, c.Output())));

    private static readonly BinaryOperator TanhBackward = OfResult("tanh_backward", (g, y) => g * (1 - y * y), (h, g, y) => h * (-2 * y * g));

    public static readonly UnaryOperator Tanh = new(
        "tanh",
        (x, _, into) => Elementwise.Unary(x, into, new Op.Tanh<float>(), new Op.Tanh<double>()),
        new Rule(Saved.Output, (g, c) => TanhBackward.Apply(g, c.Output())));

    /// <summary>A derivative that reads the result y, linear in g, and its own derivative by y.</summary>
    private static BinaryOperator OfResult(string name, Func<Tensor, Tensor, Tensor> first, Func<Tensor, Tensor, Tensor, Tensor> second)
    {
        BinaryOperator? self = null;
        self = new BinaryOperator(
            name,
            (g, y, _, _) =>
            {
                using var off = Autograd.NoGrad();
                return first(g, y);
            },
            new Rule(Saved.Input1, (h, c) => self!.Apply(h, c.Input(1))),
            new Rule(Saved.Input0 | Saved.Input1, (h, c) => second(h, c.Input(0), c.Input(1))))
        { HasInPlaceTwin = false };
        return self;
    }

    public static IEnumerable<Operator> All => [Exp, Expm1, Log, Log1p, Log2, Sigmoid, Tanh];

    /// <summary>A logarithm to another base than e.</summary>
    private static UnaryOperator Logarithm(string name, double to) => new(
        name,
        (x, _, into) => Elementwise.Unary(x, into, new LogarithmKernel<float>(1 / Math.Log(to)), new LogarithmKernel<double>(1 / Math.Log(to))),
        new Rule(Saved.Input0, (g, c) => g / (c.Input(0) * Math.Log(to))));

    private readonly struct LogarithmKernel<T>(double factor) : IUnary<T>, IWide1
        where T : unmanaged
    {
        public static bool IsWide => true;

        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> => V.Wide(this, x);

        public V Invoke<V, P>(V x)
            where V : struct, ISimd<V, double>
            where P : struct, IPrecision => Core.Log<V, P>(x) * V.Create(factor);
    }
}

public sealed partial class Tensor
{
    /// <summary>e to the power x.</summary>
    public Tensor Exp() => Exponentials.Exp.Apply(this);

    /// <summary>e to the power x, over x.</summary>
    public Tensor ExpInPlace() => Exponentials.Exp.ApplyInPlace(this);

    /// <summary>e to the power x, less 1, accurate near 0.</summary>
    public Tensor Expm1() => Exponentials.Expm1.Apply(this);

    /// <summary>The natural logarithm; -inf at 0, NaN below.</summary>
    public Tensor Log() => Exponentials.Log.Apply(this);

    /// <summary>The natural logarithm of 1 + x, accurate near 0.</summary>
    public Tensor Log1p() => Exponentials.Log1p.Apply(this);

    /// <summary>The logarithm to base 2; -inf at 0, NaN below.</summary>
    public Tensor Log2() => Exponentials.Log2.Apply(this);

    /// <summary>1 / (1 + exp(-x)).</summary>
    public Tensor Sigmoid() => Exponentials.Sigmoid.Apply(this);

    /// <summary>1 / (1 + exp(-x)), over x.</summary>
    public Tensor SigmoidInPlace() => Exponentials.Sigmoid.ApplyInPlace(this);

    /// <summary>The hyperbolic tangent.</summary>
    public Tensor Tanh() => Exponentials.Tanh.Apply(this);

    /// <summary>The hyperbolic tangent, over x.</summary>
    public Tensor TanhInPlace() => Exponentials.Tanh.ApplyInPlace(this);
}
