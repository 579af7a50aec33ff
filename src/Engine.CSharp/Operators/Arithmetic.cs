using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Sums, products and quotients of two operands.</summary>
internal static class Arithmetic
{
    public static readonly BinaryOperator Add = new(
        "add",
        (a, b, attributes, into) => Factor(a, b, attributes) is { } factor && (a.DType.IsFloat() || b.DType.IsFloat())
            ? Elementwise.Binary(a, b, into, new Op.AddScaled<float>((float)factor), new Op.AddScaled<double>(factor))
            : Elementwise.Binary(a, Scaled(b, attributes, a), into, new Op.Add<float>(), new Op.Add<double>(), new Op.Add<long>()),
        new Rule(g => g),
        new Rule(Saved.None, (g, c) => Alpha(g, c)))
    { Keywords = ["alpha"] };

    public static readonly BinaryOperator Sub = new(
        "sub",
        (a, b, attributes, into) =>
        {
            CheckNoBools(a, b);
            if (Factor(a, b, attributes) is { } factor && (a.DType.IsFloat() || b.DType.IsFloat()))
                return Elementwise.Binary(a, b, into, new Op.AddScaled<float>((float)-factor), new Op.AddScaled<double>(-factor));
            return Elementwise.Binary(a, Scaled(b, attributes), into, new Op.Sub<float>(), new Op.Sub<double>(), new Op.Sub<long>());
        },
        new Rule(g => g),
        new Rule(Saved.None, (g, c) => -Alpha(g, c)))
    { Keywords = ["alpha"], CheckOperands = CheckNoBools };

    public static readonly BinaryOperator Mul = new(
        "mul",
        (a, b, _, into) => Elementwise.Binary(a, b, into, new Op.Mul<float>(), new Op.Mul<double>(), new Op.Mul<long>()),
        new Rule(Saved.Input1, (g, c) => g * c.Input(1)),
        new Rule(Saved.Input0, (g, c) => g * c.Input(0)))
    { KeptOrder = [1, 0] };

    public static readonly BinaryOperator Div = new(
        "div",
        (a, b, attributes, into) =>
        {
            if (Rounding(attributes) is not { } mode) return Elementwise.Binary(a, b, into, new Op.Div<float>(), new Op.Div<double>());
            if (!a.DType.IsFloat()) throw new AutogradException(ErrorKind.Unsupported, "div with rounding_mode of integers");
            return mode == "floor"
                ? Elementwise.Binary(a, b, into, new Op.FloorQuotient<float>(), new Op.FloorQuotient<double>())
                : Truncated(Elementwise.Binary(a, b, null, new Op.Div<float>(), new Op.Div<double>()), into);
        },
        // A rounded quotient is flat between its steps.
        new Rule(Saved.Input1, (g, c) => Rounding(c.Attributes) is null ? g / c.Input(1) : Tensor.ZerosLike(g)),
        new Rule(Saved.Input0 | Saved.Input1, (g, c) =>
            Rounding(c.Attributes) is null ? -g * (c.Input(0) / c.Input(1) / c.Input(1)) : Tensor.ZerosLike(g)))
    { Keywords = ["rounding_mode"], KeptOrder = [1, 0] };

    public static readonly UnaryOperator Neg = new(
        "neg",
        (x, _, into) => x.DType != DType.Bool
            ? Elementwise.Unary(x, into, new Op.Neg<float>(), new Op.Neg<double>(), new Op.Neg<long>())
            : throw new AutogradException(
                ErrorKind.Dtype, "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."),
        new Rule(g => -g));

    public static IEnumerable<Operator> All => [Add, Sub, Mul, Div, Neg];

    private static void CheckNoBools(Tensor a, Tensor b)
    {
        bool first = a.DType == DType.Bool, second = b.DType == DType.Bool;
        if (first && second)
        {
            throw new AutogradException(
                ErrorKind.Dtype,
                "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.");
        }
        if (first || second)
        {
            throw new AutogradException(
                ErrorKind.Dtype,
                "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.");
        }
    }

    private static string? Rounding(Attributes attributes) => attributes["rounding_mode"] switch
    {
        null => null,
        "floor" => "floor",
        "trunc" => "trunc",
        var other => throw new AutogradException(ErrorKind.Value, $"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{other}'"),
    };

    private static Tensor Truncated(Tensor quotient, Tensor? into)
    {
        using var _ = Autograd.NoGrad();
        var truncated = Tensor.Where(quotient.Lt(0), -(-quotient).Floor(), quotient.Floor());
        if (into is null) return truncated;
        Copying.Copy(truncated, into);
        return into;
    }

    /// <summary>The number that scales the second operand, if one was given; it has to fit the result's type (native::alpha_check).</summary>
    private static double? Factor(Tensor a, Tensor b, Attributes attributes)
    {
        if (attributes.Count == 0 || attributes["alpha"] is not { } alpha) return null;
        Shapes.Broadcast(a.Sizes, b.Sizes);
        var type = DTypes.Promote(a, b);
        if (alpha is bool && type != DType.Bool) throw new AutogradException(ErrorKind.Dtype, "Boolean alpha only supported for Boolean results.");
        if (alpha is double && !type.IsFloat())
            throw new AutogradException(ErrorKind.Dtype, "For integral input tensors, argument alpha must not be a floating point number.");
        return attributes.DoubleOrNull("alpha");
    }

    private static Tensor Scaled(Tensor b, Attributes attributes, Tensor? beside = null) =>
        attributes.Number("alpha") is not { } alpha ? b
        // Of truth values among themselves a number is one as well.
        : beside?.DType == DType.Bool && b.DType == DType.Bool && !alpha.DType.IsFloat() ? (alpha.Item() != 0 ? b : Tensor.Zeros(b.Sizes, DType.Bool))
        // Numbers multiplied stay a number, which yields to tensors in promotion.
        : b.IsWrappedNumber ? (b.DType.IsFloat() || alpha.DType.IsFloat() ? Tensor.Number(b.Item() * alpha.Item()) : Tensor.Number(Whole(b) * Whole(alpha)))
        : Elementwise.Binary(b, alpha, null, new Op.Mul<float>(), new Op.Mul<double>(), new Op.Mul<long>());

    private static long Whole(Tensor number) => number.DType == DType.Int64 ? number.Origin<long>() : (long)number.Item();

    private static Tensor Alpha(Tensor g, BackwardContext c) => c.Attributes.Number("alpha") is { } alpha ? g * alpha : g;
}

public sealed partial class Tensor
{
    /// <summary>a + alpha b, broadcast.</summary>
    /// <param name="other">Of a shape that broadcasts with this tensor's; the result has the wider of the two types.</param>
    /// <param name="alpha">The factor; whole where both are of integers.</param>
    /// <exception cref="AutogradException">The shapes do not broadcast, or the factor does not fit the type.</exception>
    public Tensor Add(Tensor other, double alpha = 1) => Arithmetic.Add.Apply(this, other, Factor(alpha));

    /// <summary>a + b in every element.</summary>
    public Tensor Add(double other) => Arithmetic.Add.Apply(this, Number(other));

    /// <summary>Adds alpha b to this tensor.</summary>
    /// <exception cref="AutogradException">The result's shape or type is not this tensor's, or autograd forbids the write.</exception>
    public Tensor AddInPlace(Tensor other, double alpha = 1) => Arithmetic.Add.ApplyInPlace(this, other, Factor(alpha));

    /// <summary>Adds a number to every element.</summary>
    public Tensor AddInPlace(double other) => Arithmetic.Add.ApplyInPlace(this, Number(other));

    /// <summary>a - alpha b, broadcast.</summary>
    /// <inheritdoc cref="Add(Tensor, double)"/>
    public Tensor Sub(Tensor other, double alpha = 1) => Arithmetic.Sub.Apply(this, other, Factor(alpha));

    /// <summary>a - b in every element.</summary>
    public Tensor Sub(double other) => Arithmetic.Sub.Apply(this, Number(other));

    /// <summary>Subtracts alpha b from this tensor.</summary>
    /// <exception cref="AutogradException">The result's shape or type is not this tensor's, or autograd forbids the write.</exception>
    public Tensor SubInPlace(Tensor other, double alpha = 1) => Arithmetic.Sub.ApplyInPlace(this, other, Factor(alpha));

    /// <summary>Subtracts a number from every element.</summary>
    public Tensor SubInPlace(double other) => Arithmetic.Sub.ApplyInPlace(this, Number(other));

    /// <summary>a b, element by element, broadcast.</summary>
    /// <param name="other">Of a shape that broadcasts with this tensor's; the result has the wider of the two types.</param>
    /// <exception cref="AutogradException">The shapes do not broadcast.</exception>
    public Tensor Mul(Tensor other) => Arithmetic.Mul.Apply(this, other);

    /// <summary>a b in every element.</summary>
    public Tensor Mul(double other) => Arithmetic.Mul.Apply(this, Number(other));

    /// <summary>Multiplies this tensor by another, element by element.</summary>
    /// <exception cref="AutogradException">The result's shape or type is not this tensor's, or autograd forbids the write.</exception>
    public Tensor MulInPlace(Tensor other) => Arithmetic.Mul.ApplyInPlace(this, other);

    /// <summary>Multiplies every element by a number.</summary>
    public Tensor MulInPlace(double other) => Arithmetic.Mul.ApplyInPlace(this, Number(other));

    /// <summary>a / b, element by element, broadcast; integers give float32.</summary>
    /// <inheritdoc cref="Mul(Tensor)"/>
    public Tensor Div(Tensor other) => Arithmetic.Div.Apply(this, other);

    /// <summary>a / b in every element.</summary>
    public Tensor Div(double other) => Arithmetic.Div.Apply(this, Number(other));

    /// <summary>Divides this tensor by another, element by element.</summary>
    /// <exception cref="AutogradException">The result's shape or type is not this tensor's, or autograd forbids the write.</exception>
    public Tensor DivInPlace(Tensor other) => Arithmetic.Div.ApplyInPlace(this, other);

    /// <summary>Divides every element by a number.</summary>
    public Tensor DivInPlace(double other) => Arithmetic.Div.ApplyInPlace(this, Number(other));

    /// <summary>-x.</summary>
    public Tensor Neg() => Arithmetic.Neg.Apply(this);

    /// <summary>Changes the sign of every element.</summary>
    public Tensor NegInPlace() => Arithmetic.Neg.ApplyInPlace(this);

    // A whole number fits integers as well.
    private static Attributes? Factor(double alpha) =>
        alpha == 1 ? null : Attributes.Of("alpha", alpha == Math.Floor(alpha) && Math.Abs(alpha) <= 1L << 53 ? (object)(long)alpha : alpha);
}
