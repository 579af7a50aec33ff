using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>
/// Activation functions. Each has a fused derivative, <c>NAME_backward(g, x)</c>, an operator of its own; the derivative of that by x is made of
/// recorded operators, so that every order is right. As PyTorch's, these keep what they read whichever gradient is asked for.
/// </summary>
internal static class Activations
{
    /// <summary>g where y is positive (or NaN), else zero: a choice, not a product, so that an infinite g does not become NaN.</summary>
    public static readonly BinaryOperator ReluBackward = new(
        "threshold_backward",
        (g, y, _, into) => Elementwise.Binary(g, y, into ?? LaidAs(y, g), new Op.ReluBackward<float>(), new Op.ReluBackward<double>()),
        new Rule(Saved.Input1, (g, c) => ReluBackward!.Apply(g, c.Input(1))),
        new Rule(Saved.Input1, (g, _) => Zeros(g)))
    { HasInPlaceTwin = false };

    public static readonly UnaryOperator Relu = new(
        "relu",
        (x, _, into) => Elementwise.Unary(Numbers(x), into, new Op.Relu<float>(), new Op.Relu<double>(), new Op.Relu<long>()),
        new Rule(Saved.Output, (g, c) => ReluBackward.Apply(g, c.Output())));

    public static readonly BinaryOperator LeakyReluBackward = new(
        "leaky_relu_backward",
        (g, x, a, into) => Elementwise.Binary(g, x, into ?? LaidAs(x, g), new Op.LeakyReluBackward<float>((float)Slope(a)), new Op.LeakyReluBackward<double>(Slope(a))),
        new Rule(Saved.Input1, (g, c) => LeakyReluBackward!.Apply(g, c.Input(1), c.Attributes)),
        new Rule(Saved.Input1, (g, _) => Zeros(g)))
    { HasInPlaceTwin = false, Keywords = ["negative_slope"] };

    /// <summary>The derivative at 0 is the slope.</summary>
    public static readonly UnaryOperator LeakyRelu = new(
        "leaky_relu",
        (x, a, into) => Elementwise.Unary(Floats(x, "leaky_relu_cpu"), into, new Op.LeakyRelu<float>((float)Slope(a)), new Op.LeakyRelu<double>(Slope(a))),
        new Rule(Saved.Input0, (g, c) => LeakyReluBackward.Apply(g, c.Input(0), c.Attributes)))
    { HasInPlaceTwin = false, Keywords = ["negative_slope"] };

    public static readonly BinaryOperator GeluBackward = Smooth(
        "gelu_backward",
        (g, x, a, into) => IsTanh(a)
            ? Elementwise.Binary(g, x, into, new Op.GeluTanhBackward<float>(), new Op.GeluTanhBackward<double>())
            : Elementwise.Binary(g, x, into, new Op.GeluBackward<float>(), new Op.GeluBackward<double>()),
        (h, g, x, a) => h * g * (IsTanh(a) ? GeluTanhSecond(x) : GeluSecond(x)),
        ["approximate"]);

    /// <summary>x times the normal distribution's cumulative function, or the approximation by tanh.</summary>
    public static readonly UnaryOperator Gelu = new(
        "gelu",
        (x, a, into) => IsTanh(a)
            ? Elementwise.Unary(Floats(x, "GeluKernelImpl"), into, new Op.GeluTanh<float>(), new Op.GeluTanh<double>())
            : Elementwise.Unary(Floats(x, "GeluKernelImpl"), into, new Op.Gelu<float>(), new Op.Gelu<double>()),
        new Rule(Saved.Input0, (g, c) => GeluBackward.Apply(g, c.Input(0), c.Attributes)))
    { HasInPlaceTwin = false, Keywords = ["approximate"] };

    public static readonly UnaryOperator Silu = new(
        "silu",
        (x, _, into) => Elementwise.Unary(Floats(x, "silu_cpu"), into, new Op.Silu<float>(), new Op.Silu<double>()),
        new Rule(Saved.Input0, (g, c) => SiluGradient(g, c.Input(0))))
    { HasInPlaceTwin = false };

    public static readonly BinaryOperator EluBackward = Smooth(
        "elu_backward",
        (g, x, a, into) => Elementwise.Binary(g, x, into, new Op.EluBackward<float>(Alpha(a)), new Op.EluBackward<double>(Alpha(a))),
        // At 0 PyTorch takes the straight line.
        (h, g, x, a) => EluBackward!.Apply(h * g, x, a) * x.Lt(0).To(g.DType),
        ["alpha"]);

    /// <summary>The derivative at 0 is alpha.</summary>
    public static readonly UnaryOperator Elu = new(
        "elu",
        (x, a, into) => Elementwise.Unary(Floats(x, "elu_cpu"), into, new Op.Elu<float>(Alpha(a)), new Op.Elu<double>(Alpha(a))),
        new Rule(Saved.Input0, (g, c) => EluBackward.Apply(g, c.Input(0), c.Attributes)))
    { HasInPlaceTwin = false, Keywords = ["alpha"] };

    public static readonly BinaryOperator SoftplusBackward = Smooth(
        "softplus_backward",
        (g, x, a, into) => Elementwise.Binary(g, x, into, new Op.SoftplusBackward<float>(Beta(a), Threshold(a)), new Op.SoftplusBackward<double>(Beta(a), Threshold(a))),
        (h, g, x, a) =>
        {
            var scaled = x * Beta(a);
            var s = scaled.Sigmoid();
            // At the threshold PyTorch takes the straight line.
            return h * g * (s * (1 - s)) * scaled.Lt(Threshold(a)).To(g.DType) * Beta(a);
        },
        ["beta", "threshold"]);

    /// <summary>log(1 + exp(beta x)) / beta; x itself where beta x is above the threshold.</summary>
    public static readonly UnaryOperator Softplus = new(
        "softplus",
        (x, a, into) => Elementwise.Unary(Floats(x, "softplus_cpu"), into, new Op.Softplus<float>(Beta(a), Threshold(a)), new Op.Softplus<double>(Beta(a), Threshold(a))),
        new Rule(Saved.Input0, (g, c) => SoftplusBackward.Apply(g, c.Input(0), c.Attributes)))
    { HasInPlaceTwin = false, Keywords = ["beta", "threshold"] };

    public static IEnumerable<Operator> All =>
        [Relu, ReluBackward, LeakyRelu, LeakyReluBackward, Gelu, GeluBackward, Silu, Elu, EluBackward, Softplus, SoftplusBackward];

    /// <summary>PyTorch has these functions for floating-point tensors only.</summary>
    private static Tensor Floats(Tensor x, string kernel) => x.DType.IsFloat()
        ? x
        : throw new AutogradException(ErrorKind.Dtype, $"\"{kernel}\" not implemented for '{x.DType.ScalarType()}'");

    private static Tensor Numbers(Tensor x) =>
        x.DType == DType.Bool ? throw new AutogradException(ErrorKind.Dtype, "Boolean inputs not supported for relu") : x;

    /// <summary>A result in the memory order of what was kept, which PyTorch's kernels of these two take for their first operand; null where it is the usual one.</summary>
    private static Tensor? LaidAs(Tensor kept, Tensor g) => kept.IsContiguous && g.IsContiguous ? null : Tensor.EmptyFor(g.Sizes, g.DType, kept, g);

    /// <summary>PyTorch gives zeros, not nothing, for the derivative of a constant slope.</summary>
    private static Tensor Zeros(Tensor g) => Tensor.ZerosLike(g);

    /// <summary>In one go, but of recorded operators where a derivative of it may be asked for, as PyTorch has it for this one alone.</summary>
    private static Tensor SiluGradient(Tensor g, Tensor x)
    {
        if (!GradMode.Records) return Elementwise.Binary(g, x, null, new Op.SiluBackward<float>(), new Op.SiluBackward<double>());
        var s = x.Sigmoid();
        return g * s * (1 + x * (1 - s));
    }

    private static double Slope(Attributes a) => a.Double("negative_slope", 0.01);

    private static double Alpha(Attributes a) => a.Double("alpha", 1);

    private static double Beta(Attributes a) => a.Double("beta", 1);

    private static double Threshold(Attributes a) => a.Double("threshold", 20);

    private static bool IsTanh(Attributes a) => a.Text("approximate", "none") switch
    {
        "tanh" => true,
        "none" => false,
        _ => throw new AutogradException(ErrorKind.Value, "approximate argument must be either none or tanh."),
    };

    /// <summary>A fused first derivative g f'(x), linear in g, and its derivative by x: from what arrives there, g and x, h g f''(x).</summary>
    public static BinaryOperator Smooth(string name, BinaryForward forward, Func<Tensor, Tensor, Tensor, Attributes, Tensor> second, string[] keywords)
    {
        BinaryOperator? self = null;
        self = new BinaryOperator(
            name,
            forward,
            new Rule(Saved.Input1, (g, c) => self!.Apply(g, c.Input(1), c.Attributes)),
            new Rule(Saved.Input0 | Saved.Input1, (h, c) => second(h, c.Input(0), c.Input(1), c.Attributes)))
        { HasInPlaceTwin = false, Keywords = keywords };
        return self;
    }

    /// <summary>The density of the normal distribution.</summary>
    private static Tensor Density(Tensor x) => (x * x * -0.5).Exp() * (1 / Math.Sqrt(2 * Math.PI));

    /// <summary>The density times 2 - x^2; far out the density takes x to zero before its square can overflow.</summary>
    private static Tensor GeluSecond(Tensor x)
    {
        var density = Density(x);
        return density * 2 - density * x * x;
    }

    private static Tensor GeluTanhSecond(Tensor x)
    {
        const double cubic = 0.044715;
        var k = Math.Sqrt(2 / Math.PI);
        // Farther out tanh is flat and all of this 0, and the square could overflow; an infinity still gives NaN, here and in the derivative.
        var far = x.Abs().Gt(GeluInner.Flat);
        var nothing = x * 0 * x;
        x = x.Clamp(-GeluInner.Flat, GeluInner.Flat);
        var squared = x * x;
        var t = ((x + squared * x * cubic) * k).Tanh();
        var slope = (squared * (3 * cubic) + 1) * k;
        var curvature = x * (6 * cubic * k);
        var sech = 1 - t * t;
        // Where tanh is flat its derivative takes the slope to zero before the slope's square can overflow.
        var flat = sech * slope;
        return Tensor.Where(far, nothing, flat + x * 0.5 * (sech * curvature - 2 * t * flat * slope));
    }
}

public sealed partial class Tensor
{
    /// <summary>max(x, 0); the derivative at 0 is 0.</summary>
    public Tensor Relu() => Activations.Relu.Apply(this);

    /// <summary>max(x, 0), over x.</summary>
    public Tensor ReluInPlace() => Activations.Relu.ApplyInPlace(this);

    /// <summary>x where it is positive, else a multiple of it.</summary>
    public Tensor LeakyRelu(double negativeSlope = 0.01) => Activations.LeakyRelu.Apply(this, Attributes.Of("negative_slope", negativeSlope));

    /// <summary>x times the normal distribution's cumulative function; <paramref name="approximate"/> is <c>none</c> or <c>tanh</c>.</summary>
    public Tensor Gelu(string approximate = "none") => Activations.Gelu.Apply(this, Attributes.Of("approximate", approximate));

    /// <summary>x sigmoid(x).</summary>
    public Tensor Silu() => Activations.Silu.Apply(this);

    /// <summary>x where it is positive, else alpha (exp(x) - 1).</summary>
    public Tensor Elu(double alpha = 1) => Activations.Elu.Apply(this, Attributes.Of("alpha", alpha));

    /// <summary>log(1 + exp(beta x)) / beta, and x where beta x is above the threshold.</summary>
    public Tensor Softplus(double beta = 1, double threshold = 20) => Activations.Softplus.Apply(this, Attributes.Of("beta", beta, "threshold", threshold));
}
