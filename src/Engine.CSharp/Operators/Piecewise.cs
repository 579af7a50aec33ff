using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Signs, roundings, bounds: functions with corners and steps. The conventions at corners are PyTorch's.</summary>
internal static class Piecewise
{
    /// <summary>The derivative at 0, and at NaN, is 0.</summary>
    public static readonly UnaryOperator Abs = new(
        "abs",
        (x, _, into) => x.DType == DType.Bool
            ? throw new AutogradException(ErrorKind.Dtype, "\"abs_cpu\" not implemented for 'Bool'")
            : Elementwise.Unary(x, into, new Op.Abs<float>(), new Op.Abs<double>(), new Op.Abs<long>()),
        new Rule(Saved.Input0, (g, c) => g * Sgn!.Apply(c.Input(0))));

    /// <summary>Sign as the derivatives of <see cref="Abs"/> and norms have it: PyTorch's, which is of complex numbers too, saves what it was computed from.</summary>
    public static readonly UnaryOperator Sgn = new(
        "sgn",
        (x, _, into) => Elementwise.Unary(x, into, new Op.Sign<float>(), new Op.Sign<double>()),
        new Rule(Saved.Input0 | Saved.Output, (g, _) => Zeros(g)));

    public static readonly UnaryOperator Sign = new(
        "sign",
        (x, _, into) => x.DType == DType.Bool
            ? into ?? Copying.Duplicate(x)
            : Elementwise.Unary(x, into, new Op.Sign<float>(), new Op.Sign<double>(), new Op.Sign<long>()),
        new Rule(Zeros));

    public static readonly UnaryOperator Floor = new(
        "floor", (x, _, into) => Whole(x, into, x => Elementwise.Unary(x, into, new Op.Floor<float>(), new Op.Floor<double>())), new Rule(Zeros));

    public static readonly UnaryOperator Ceil = new(
        "ceil", (x, _, into) => Whole(x, into, x => Elementwise.Unary(x, into, new Ceiling<float>(), new Ceiling<double>())), new Rule(Zeros));

    /// <summary>To the nearest integer, ties to even; with <c>decimals</c>, to that many places.</summary>
    public static readonly UnaryOperator Round = new(
        "round",
        (x, attributes, into) => x.DType.IsFloat() || !attributes.Has("decimals")
            ? Whole(x, into, x => Rounded(x, attributes.Int("decimals", 0), into))
            : throw new AutogradException(ErrorKind.Dtype, $"\"{(attributes.Int("decimals") == 0 ? "round_vml_cpu" : "round_cpu")}\" not implemented for '{x.DType.ScalarType()}'"),
        new Rule(Zeros))
    { Keywords = ["decimals"] };

    /// <summary>Bounds are numbers or tensors; at a bound the gradient goes to x.</summary>
    public static readonly FunctionOperator Clamp = new(
        "clamp",
        (inputs, _) => Clamped(inputs[0]!, inputs[1], inputs[2]),
        [
            new Rule(Saved.Input0 | Saved.Input1 | Saved.Input2, (g, c) => Inside(g, c.Input(0), c.InputOrNull(1), c.InputOrNull(2))),
            new Rule(Saved.Input0 | Saved.Input1 | Saved.Input2, (g, c) => c.InputOrNull(2) is { } high
                ? Tensor.Where(c.Input(0).Lt(c.Input(1)) * c.Input(1).Lt(high), g, Zero(g))
                : Tensor.Where(c.Input(0).Lt(c.Input(1)), g, Zero(g))),
            new Rule(Saved.Input0 | Saved.Input1 | Saved.Input2, (g, c) => c.InputOrNull(1) is { } low
                ? Tensor.Where(c.Input(0).Gt(c.Input(2)) + c.Input(2).Lt(low), g, Zero(g))
                : Tensor.Where(c.Input(0).Gt(c.Input(2)), g, Zero(g))),
        ])
    {
        Keywords = ["min", "max"],
        KeptOrder = [2, 1, 0],
        NumberKeywords = [null, "min", "max"],
        Variant = a => a.Has("min") || a.Has("max") ? "ClampBackward1" : "ClampBackward0",
        HasInPlaceTwin = true,
        Bind = call =>
        {
            var low = call.TensorOrNull(1) ?? call.Attributes.Number("min");
            var high = call.TensorOrNull(2) ?? call.Attributes.Number("max");
            return low is null && high is null
                ? throw new AutogradException(ErrorKind.Value, "torch.clamp: At least one of 'min' or 'max' must not be None")
                : [call.Tensor(0), low, high];
        },
    };

    /// <summary>The lower bound alone: a number or a tensor.</summary>
    public static readonly FunctionOperator ClampMin = Bounded(
        "clamp_min", "min", (x, bound) => Clamped(x, bound, null), (x, bound) => x.Ge(bound), (x, bound) => x.Lt(bound));

    /// <summary>The upper bound alone: a number or a tensor.</summary>
    public static readonly FunctionOperator ClampMax = Bounded(
        "clamp_max", "max", (x, bound) => Clamped(x, null, bound), (x, bound) => x.Le(bound), (x, bound) => x.Gt(bound));

    /// <summary>At ties each operand gets half; a NaN wins, and then both get the gradient.</summary>
    public static readonly BinaryOperator Maximum = new(
        "maximum",
        (a, b, _, into) => Elementwise.Binary(a, b, into, new Op.Maximum<float>(), new Op.Maximum<double>(), new Op.Maximum<long>()),
        new Rule(Saved.Input0 | Saved.Input1, (g, c) => Chosen(g, c.Input(0).Eq(c.Input(1)), c.Input(0).Lt(c.Input(1)))),
        new Rule(Saved.Input0 | Saved.Input1, (g, c) => Chosen(g, c.Input(0).Eq(c.Input(1)), c.Input(0).Gt(c.Input(1)))))
    { HasInPlaceTwin = false, KeptOrder = [1, 0], NumberKeywords = [] };

    /// <summary>At ties each operand gets half; a NaN wins, and then both get the gradient.</summary>
    public static readonly BinaryOperator Minimum = new(
        "minimum",
        (a, b, _, into) => Elementwise.Binary(a, b, into, new Op.Minimum<float>(), new Op.Minimum<double>(), new Op.Minimum<long>()),
        new Rule(Saved.Input0 | Saved.Input1, (g, c) => Chosen(g, c.Input(0).Eq(c.Input(1)), c.Input(0).Gt(c.Input(1)))),
        new Rule(Saved.Input0 | Saved.Input1, (g, c) => Chosen(g, c.Input(0).Eq(c.Input(1)), c.Input(0).Lt(c.Input(1)))))
    { HasInPlaceTwin = false, KeptOrder = [1, 0], NumberKeywords = [] };

    public static IEnumerable<Operator> All => [Abs, Sign, Floor, Ceil, Round, Clamp, ClampMin, ClampMax, Maximum, Minimum];

    private readonly struct Ceiling<T> : IUnary<T>
        where T : unmanaged
    {
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> => -V.Floor(-x);
    }

    private static FunctionOperator Bounded(
        string name, string keyword, Func<Tensor, Tensor, Tensor> clamp, Func<Tensor, Tensor, Tensor> inside, Func<Tensor, Tensor, Tensor> outside) =>
        new(
            name,
            (inputs, _) => clamp(inputs[0]!, inputs[1]!),
            [
                new Rule(Saved.Input0 | Saved.Input1, (g, c) => Tensor.Where(inside(c.Input(0), c.Input(1)), g, Zero(g))),
                new Rule(Saved.Input0 | Saved.Input1, (g, c) => Tensor.Where(outside(c.Input(0), c.Input(1)), g, Zero(g))),
            ])
        {
            Keywords = [keyword],
            KeptOrder = [1, 0],
            HasInPlaceTwin = true,
            Variant = a => (keyword == "min" ? "ClampMinBackward" : "ClampMaxBackward") + (a.Has(keyword) ? "0" : "1"),
            Bind = call =>
            [
                call.Tensor(0),
                call.TensorOrNull(1) ?? call.Attributes.Number(keyword)
                    ?? throw new AutogradException(ErrorKind.Value, "torch.clamp: At least one of 'min' or 'max' must not be None"),
            ],
        };

    private static Tensor Zero(Tensor like) => Tensor.Scalar(0, like.DType);

    private static Tensor Zeros(Tensor g) => Tensor.ZerosLike(g);

    private static Tensor Chosen(Tensor g, Tensor tie, Tensor lost) => Tensor.Where(lost, Zero(g), Tensor.Where(tie, g / 2, g));

    /// <summary>Integers are whole already.</summary>
    private static Tensor Whole(Tensor x, Tensor? into, Func<Tensor, Tensor> rounded)
    {
        if (x.DType == DType.Bool) throw new AutogradException(ErrorKind.Dtype, "rounding is not defined for truth values");
        return x.DType.IsFloat() ? rounded(x) : into ?? Copying.Duplicate(x);
    }

    private static Tensor Rounded(Tensor x, int decimals, Tensor? into)
    {
        if (decimals == 0) return Elementwise.Unary(x, into, new Op.Round<float>(), new Op.Round<double>());
        var scale = Tensor.Number(Math.Pow(10, Math.Abs(decimals)));
        var scaled = decimals > 0 ? Times(x, scale) : Over(x, scale);
        scaled = Elementwise.Unary(scaled, null, new Op.Round<float>(), new Op.Round<double>());
        var result = decimals > 0 ? Over(scaled, scale) : Times(scaled, scale);
        if (into is null) return result;
        Copying.Copy(result, into);
        return into;
    }

    private static Tensor Times(Tensor a, Tensor b) => Elementwise.Binary(a, b, null, new Op.Mul<float>(), new Op.Mul<double>());

    private static Tensor Over(Tensor a, Tensor b) => Elementwise.Binary(a, b, null, new Op.Div<float>(), new Op.Div<double>());

    /// <summary>The larger of x and low, then the smaller of that and high: high wins where the bounds are the wrong way round.</summary>
    private static Tensor Clamped(Tensor x, Tensor? low, Tensor? high)
    {
        var sizes = low is null ? x.Sizes : Shapes.Broadcast(x.Sizes, low.Sizes);
        if (high is not null) _ = Shapes.Broadcast(sizes, high.Sizes);
        // Of truth values PyTorch has a kernel for one bound that is a tensor, and no other.
        var isOneTensor = low is null ? high is { IsWrappedNumber: false } : high is null && !low.IsWrappedNumber;
        if (!isOneTensor && x.DType == DType.Bool && (low?.DType ?? DType.Bool) == DType.Bool && (high?.DType ?? DType.Bool) == DType.Bool)
            throw new AutogradException(ErrorKind.Dtype, "\"clamp_cpu\" not implemented for 'Bool'");
        if (low is not null && high is not null) (x, low, high) = Elementwise.Promoted(x, low, high);
        if (low is not null) x = Elementwise.Binary(x, low, null, new Op.Maximum<float>(), new Op.Maximum<double>(), new Op.Maximum<long>());
        if (high is not null) x = Elementwise.Binary(x, high, null, new Op.Minimum<float>(), new Op.Minimum<double>(), new Op.Minimum<long>());
        return x;
    }

    private static Tensor Inside(Tensor g, Tensor x, Tensor? low, Tensor? high)
    {
        if (low is null || high is null) return low is not null ? Tensor.Where(x.Ge(low), g, Zero(g)) : high is not null ? Tensor.Where(x.Le(high), g, Zero(g)) : g;
        return Tensor.Where(x.Ge(low) * x.Le(high), g, Zero(g));
    }
}

public sealed partial class Tensor
{
    /// <summary>The absolute value; its derivative at 0 is 0.</summary>
    public Tensor Abs() => Piecewise.Abs.Apply(this);

    /// <summary>-1, 0 or 1; its derivative is 0.</summary>
    public Tensor Sign() => Piecewise.Sign.Apply(this);

    /// <summary>The largest integer not above x; its derivative is 0.</summary>
    public Tensor Floor() => Piecewise.Floor.Apply(this);

    /// <summary>The smallest integer not below x; its derivative is 0.</summary>
    public Tensor Ceil() => Piecewise.Ceil.Apply(this);

    /// <summary>The nearest integer, ties to even, or the nearest number with so many decimals; its derivative is 0.</summary>
    public Tensor Round(int decimals = 0) => Piecewise.Round.Apply(this, decimals == 0 ? null : Attributes.Of("decimals", decimals));

    /// <summary>x held between two numbers, either of which may be left out; at a bound the gradient goes to x.</summary>
    /// <exception cref="AutogradException">Both are.</exception>
    public Tensor Clamp(double? min = null, double? max = null) => Piecewise.Clamp.Invoke(Between(min, max))[0];

    /// <summary>x held between two tensors that broadcast, either of which may be left out.</summary>
    /// <exception cref="AutogradException">Both are.</exception>
    public Tensor Clamp(Tensor? min, Tensor? max) => Piecewise.Clamp.Invoke(new OperatorCall(this, min, max))[0];

    /// <summary>x held at a number or above.</summary>
    public Tensor ClampMin(double min) => Piecewise.ClampMin.Invoke(new OperatorCall([this], Attributes.Of("min", min)))[0];

    /// <summary>x held at a number or below.</summary>
    public Tensor ClampMax(double max) => Piecewise.ClampMax.Invoke(new OperatorCall([this], Attributes.Of("max", max)))[0];

    /// <summary>x held between two numbers, either of which may be left out, over x.</summary>
    /// <exception cref="AutogradException">Both are.</exception>
    public Tensor ClampInPlace(double? min = null, double? max = null) => Piecewise.Clamp.InvokeInPlace(Between(min, max))[0];

    // The call that has those bounds which are there.
    private OperatorCall Between(double? min, double? max) => new([this], (min, max) switch
    {
        (null, null) => Attributes.None,
        (null, _) => Attributes.Of("max", max),
        (_, null) => Attributes.Of("min", min),
        _ => Attributes.Of("min", min, "max", max),
    });

    /// <summary>The larger of two elements, broadcast; ties share the gradient.</summary>
    public Tensor Maximum(Tensor other) => Piecewise.Maximum.Apply(this, other);

    /// <summary>The smaller of two elements, broadcast; ties share the gradient.</summary>
    public Tensor Minimum(Tensor other) => Piecewise.Minimum.Apply(this, other);
}
