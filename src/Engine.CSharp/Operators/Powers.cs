using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Roots, reciprocals and powers.</summary>
internal static class Powers
{
    public static readonly UnaryOperator Sqrt = new(
        "sqrt", (x, _, into) => Elementwise.Unary(x, into, new Op.Sqrt<float>(), new Op.Sqrt<double>()), new Rule(Saved.Output, (g, c) => g / (2 * c.Output())));

    public static readonly UnaryOperator Rsqrt = new(
        "rsqrt",
        (x, _, into) => Elementwise.Unary(x, into, new Op.Rsqrt<float>(), new Op.Rsqrt<double>()),
        new Rule(Saved.Output, (g, c) => -0.5 * g * Cube(c.Output())));

    public static readonly UnaryOperator Reciprocal = new(
        "reciprocal",
        (x, _, into) => Elementwise.Unary(x, into, new Op.Reciprocal<float>(), new Op.Reciprocal<double>()),
        new Rule(Saved.Output, (g, c) => -g * (c.Output() * c.Output())));

    /// <summary>x x. PyTorch takes it as a power: so it names its node, and its derivative is a multiple of a power, whose own derivative by x is zeros, not nothing.</summary>
    public static readonly UnaryOperator Square = new(
        "square",
        (x, _, into) => Elementwise.Unary(x, into, new Op.Square<float>(), new Op.Square<double>(), new Op.Square<long>()),
        new Rule(Saved.Input0, (g, c) => g * (2 * (GradMode.Records ? c.Input(0).Pow(1) : c.Input(0)))),
        "PowBackward0");

    /// <summary>At base 0 the derivative by the exponent is 0 for exponents from 0 up; at exponent 0 the derivative by the base is 0.</summary>
    public static readonly BinaryOperator Pow = new(
        "pow",
        Power,
        new Rule(Saved.Input0 | Saved.Input1, (g, c) =>
        {
            var (x, y) = (c.Input(0), c.Input(1));
            // Whole exponents stay whole, so that they do not decide the type.
            if (!y.IsWrappedNumber) return Tensor.Where(y.Eq(0), Zero(g), g * (y * x.Pow(Arithmetic.Sub.Apply(y, Tensor.Number(1L)))));
            return y.Item() == 0 ? Tensor.ZerosLike(g) : g * (y * x.Pow(y.Item() - 1));
        }),
        new Rule(Saved.Input0 | Saved.Input1 | Saved.Output, (g, c) =>
        {
            var (x, y) = (c.Input(0), c.Input(1));
            // A number's logarithm is taken in double precision, whatever the type that it will meet.
            var slope = c.Output() * (x.IsWrappedNumber ? Tensor.Number(Math.Log(x.Item())) : x.Log());
            // The choice is a factor, as PyTorch has it: a NaN that arrives stays one.
            return g * Tensor.Where(x.Eq(0), Tensor.Where(y.Ge(0), Zero(g), slope), slope);
        }))
    { KeptOrder = [1, 0], NumberKeywords = ["self", "exponent"], Keeps = (exponent, saves) => exponent.IsWrappedNumber ? saves : saves | Saved.Output, Variant = a => a.Has("self") ? "PowBackward2" : a.Has("exponent") ? "PowBackward0" : "PowBackward1" };

    public static IEnumerable<Operator> All => [Sqrt, Rsqrt, Reciprocal, Square, Pow];

    /// <summary>x x x; recorded as the power that PyTorch takes, whose derivative leads to x alone and not by way of x x.</summary>
    private static Tensor Cube(Tensor x) => GradMode.Records ? x.Pow(3) : x * x * x;

    private static Tensor Zero(Tensor like) => Tensor.Scalar(0, like.DType);

    private static Tensor Power(Tensor x, Tensor y, Attributes attributes, Tensor? into)
    {
        if (!x.DType.IsFloat() && !y.DType.IsFloat()) return IntegerPower(x, y, into);
        // A number stands for its operand in every element, and has kernels of its own.
        if (y.IsWrappedNumber && x.DType.IsFloat())
        {
            var exponent = y.Item();
            return exponent == 2
                ? Elementwise.Unary(x, into, new Op.Square<float>(), new Op.Square<double>())
                : Elementwise.Unary(x, into, new Op.PowScalar<float>(exponent), new Op.PowScalar<double>(exponent));
        }

        if (x.IsWrappedNumber && y.DType.IsFloat())
            return Elementwise.Unary(into is null ? Copying.Packed(y) : y, into, new Op.ScalarPow<float>(x.Item()), new Op.ScalarPow<double>(x.Item()));
        return Elementwise.Binary(x, y, into, new Op.Pow<float>(), new Op.Pow<double>());
    }

    private static Tensor IntegerPower(Tensor x, Tensor y, Tensor? into)
    {
        if (y.IsWrappedNumber && y.Item() < 0)
            throw new AutogradException(ErrorKind.Value, "Integers to negative integer powers are not allowed.");
        var sizes = Shapes.Broadcast(x.Sizes, y.Sizes);
        var type = DTypes.Promote(x, y);
        // By a number that is 0 or 1 nothing is computed.
        if (type == DType.Bool && !y.IsWrappedNumber) throw new AutogradException(ErrorKind.Dtype, "\"pow\" not implemented for 'Bool'");
        if (into is not null) InPlaceChecks.DType(into, type);
        long[] Spread(Tensor t) => Copying.Cast(t, DType.Int64).Expand(sizes).ToLongs();
        var result = Copying.Cast(Tensor.Create([.. Spread(x).Zip(Spread(y), IntegerPower)], sizes), type);
        if (into is null) return result;
        Copying.Copy(result, into);
        return into;
    }

    // By squaring, modulo 2^64; to a negative power all but 1 and -1 are 0.
    private static long IntegerPower(long x, long y)
    {
        if (y < 0) return x == 1 || (x == -1 && long.IsEvenInteger(y)) ? 1 : x == -1 ? -1 : 0;
        var power = 1L;
        for (; y > 0; y >>= 1, x *= x)
            if (long.IsOddInteger(y)) power *= x;
        return power;
    }
}

public sealed partial class Tensor
{
    /// <summary>The square root; NaN below 0. Its derivative at 0 is infinite.</summary>
    public Tensor Sqrt() => Powers.Sqrt.Apply(this);

    /// <summary>The square root, over x.</summary>
    public Tensor SqrtInPlace() => Powers.Sqrt.ApplyInPlace(this);

    /// <summary>1 over the square root.</summary>
    public Tensor Rsqrt() => Powers.Rsqrt.Apply(this);

    /// <summary>1 / x.</summary>
    public Tensor Reciprocal() => Powers.Reciprocal.Apply(this);

    /// <summary>x x.</summary>
    public Tensor Square() => Powers.Square.Apply(this);

    /// <summary>x to the power of another tensor, element by element, broadcast.</summary>
    public Tensor Pow(Tensor exponent) => Powers.Pow.Apply(this, exponent);

    /// <summary>x to a power.</summary>
    public Tensor Pow(double exponent) => Powers.Pow.Apply(this, Number(exponent));

    /// <summary>x to the power of another tensor; what F#'s <c>**</c> calls.</summary>
    public static Tensor Pow(Tensor x, Tensor exponent) => Powers.Pow.Apply(x, exponent);

    /// <summary>x to a power; what F#'s <c>**</c> calls.</summary>
    public static Tensor Pow(Tensor x, double exponent) => Powers.Pow.Apply(x, Number(exponent));

    /// <summary>A number to the power of a tensor's elements.</summary>
    public static Tensor Pow(double self, Tensor exponent) => Powers.Pow.Apply(Number(self), exponent);
}
