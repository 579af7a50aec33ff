using Verified.Engine.Kernels;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>The elementary functions' accuracy: float32 over all exponents against doubles, float64 against double-double arithmetic.</summary>
public sealed class KernelsElementaryTests
{
    /// <summary>Every 2^32 / count-th bit pattern: all exponents, both signs, NaN and infinities.</summary>
    private static float[] AllExponents(int count)
    {
        var step = (uint)(uint.MaxValue / (uint)count) | 1;
        var values = new float[count];
        for (var i = 0; i < count; i++) values[i] = BitConverter.UInt32BitsToSingle((uint)i * step);
        return values;
    }

    private static void CheckFloat<TOp>(string name, TOp op, Func<double, double> reference, int count = 1_000_003, bool skipInfinities = false)
        where TOp : struct, IUnary<float>
    {
        var x = AllExponents(count);
        var y = new float[count];
        Pointwise.Unary(op, ref x[0], ref y[0], count);
        var worst = 0.0;
        var at = 0;
        for (var i = 0; i < count; i++)
        {
            if (skipInfinities && float.IsInfinity(x[i])) continue;
            var exact = reference(x[i]);
            var rounded = (float)exact;
            if (!float.IsFinite(rounded) || !float.IsFinite(y[i]))
            {
                Assert.True(KernelsPointwiseTests.Same(rounded, y[i]), $"{name}({x[i]:R}) = {y[i]:R}, expected {rounded:R}");
                continue;
            }
            var error = Math.Abs(y[i] - exact) / (MathF.BitIncrement(Math.Abs(rounded)) - Math.Abs(rounded));
            if (error > worst) (worst, at) = (error, i);
        }
        Assert.True(worst <= Elementary.Ulp[name].Float32, $"{name}({x[at]:R}) = {y[at]:R}, off by {worst} ulp");
    }

    [Fact]
    public void Float32IsRoundedFromDoubles()
    {
        CheckFloat("exp", default(Op.Exp<float>), Math.Exp);
        CheckFloat("log", default(Op.Log<float>), Math.Log);
        CheckFloat("sin", default(Op.Sin<float>), Math.Sin);
        CheckFloat("cos", default(Op.Cos<float>), Math.Cos);
        CheckFloat("tanh", default(Op.Tanh<float>), Math.Tanh);
        CheckFloat("sigmoid", default(Op.Sigmoid<float>), x => x < 0 ? Math.Exp(x) / (1 + Math.Exp(x)) : 1 / (1 + Math.Exp(-x)));
        CheckFloat("rsqrt", default(Op.Rsqrt<float>), x => 1 / Math.Sqrt(x));
        foreach (var exponent in new[] { 2.0, 0.5, -1.5, 3, -2, 0, 1, 7.25, 1e-3, double.PositiveInfinity, double.NaN })
            CheckFloat("pow", new Op.PowScalar<float>(exponent), x => Math.Pow(x, exponent), 100_003);
        foreach (var basis in new[] { 2.0, 0.5, -1, 0, -0.0, 1, 10, -2, double.PositiveInfinity, double.NaN })
            CheckFloat("pow", new Op.ScalarPow<float>(basis), x => Math.Pow(basis, x), 100_003);
    }

    private static double[] Uniform(double low, double high, int n = 5000)
    {
        var random = new Random(5);
        return [.. Enumerable.Range(0, n).Select(_ => low + ((high - low) * random.NextDouble()))];
    }

    /// <summary>Values whose logarithms are uniform, of both signs or positive.</summary>
    private static double[] Exponents(double low, double high, bool both = true) =>
        [.. Uniform(low, high).Select((v, i) => (both && i % 2 == 0 ? -1 : 1) * Math.Exp(v))];

    private static void CheckDouble<TOp>(string name, TOp op, Func<double, DoubleDouble> reference, params double[][] sets)
        where TOp : struct, IUnary<double>
    {
        foreach (var x in sets)
        {
            var y = new double[x.Length];
            Pointwise.Unary(op, ref x[0], ref y[0], x.Length);
            for (var i = 0; i < x.Length; i++)
            {
                var exact = reference(x[i]);
                var size = Math.Abs(exact.High);
                var error = Math.Abs((y[i] - exact).High) / (Math.BitIncrement(size) - size);
                Assert.True(error <= Elementary.Ulp[name].Float64, $"{name}({x[i]:R}) = {y[i]:R}, off by {error} ulp of {exact.High:R}");
            }
        }
    }

    [Fact]
    public void Float64KeepsItsPromisedUlps()
    {
        CheckDouble("exp", default(Op.Exp<double>), x => DoubleDouble.Exp(x), Uniform(-1, 1), Uniform(-708, 709.7), Exponents(-40, 0));
        CheckDouble("expm1", default(Op.Expm1<double>), x => DoubleDouble.Expm1(x), Uniform(-1, 1), Uniform(-60, 709.7), Exponents(-40, 0));
        CheckDouble("log", default(Op.Log<double>), x => DoubleDouble.Log(x), Uniform(0.5, 2), Uniform(0.99, 1.01), Exponents(-700, 700, false));
        CheckDouble("log1p", default(Op.Log1p<double>), x => DoubleDouble.Log1p(x), Uniform(-0.9999, 2), Exponents(-40, -1), Exponents(0, 600, false));
        double[] multiples = [.. Enumerable.Range(1, 5000).Select(i => i * Math.PI / 2)];
        CheckDouble("sin", default(Op.Sin<double>), x => DoubleDouble.Circular(x, 0), Uniform(-10, 10), Uniform(-1e6, 1e6), Exponents(-40, 0), multiples);
        CheckDouble("cos", default(Op.Cos<double>), x => DoubleDouble.Circular(x, 1), Uniform(-10, 10), Uniform(-1e6, 1e6), multiples);
        CheckDouble("tanh", default(Op.Tanh<double>), x => DoubleDouble.Tanh(x), Uniform(-1, 1), Uniform(-25, 25), Exponents(-40, 0));
        CheckDouble("sigmoid", default(Op.Sigmoid<double>), x => DoubleDouble.Sigmoid(x), Uniform(-5, 5), Uniform(-700, 40));
        CheckDouble("erf", default(Op.Erf<double>), DoubleDouble.Erf, Uniform(-1, 1, 1000), Uniform(-6, 6, 1000), Exponents(-40, 0)[..1000]);
        CheckDouble(
            "rsqrt",
            default(Op.Rsqrt<double>),
            x =>
            {
                DoubleDouble r = 1 / Math.Sqrt(x);
                return r + (r * (1 - (x * r * r)) / 2);
            },
            Exponents(-600, 600, false));
        CheckDouble("gelu", default(Op.Gelu<double>), x => x * DoubleDouble.NormalDistribution(x), Uniform(-5, 5, 1000), Uniform(-37, 5, 1000));
        CheckDouble("silu", default(Op.Silu<double>), x => x * DoubleDouble.Sigmoid(x), Uniform(-5, 5), Uniform(-700, 40));
        CheckDouble("softplus", new Op.Softplus<double>(1, 20), x => DoubleDouble.Softplus(x), Uniform(-5, 20), Uniform(-700, 20));
    }

    [Fact]
    public void Float32OfTheOtherFunctionsIsRoundedFromDoubles()
    {
        CheckFloat("expm1", default(Op.Expm1<float>), x => Limited(x, v => DoubleDouble.Expm1(v), -80, 1), 40_009);
        CheckFloat("log1p", default(Op.Log1p<float>), x => x < -1 ? double.NaN : x == -1 ? double.NegativeInfinity : Limited(x, v => DoubleDouble.Log1p(v), -1, 1e300), 40_009);
        CheckFloat("erf", default(Op.Erf<float>), x => Limited(x, DoubleDouble.Erf, -7, 1), 4_001);
        CheckFloat("gelu", default(Op.Gelu<float>), x => x < -14.5 ? -0.0 : Limited(x, v => v * DoubleDouble.NormalDistribution(v), -15, 20), 4_001, skipInfinities: true);
        CheckFloat("silu", default(Op.Silu<float>), x => Limited(x, v => v * DoubleDouble.Sigmoid(v), -150, 100), 40_009, skipInfinities: true);
        CheckFloat("softplus", new Op.Softplus<float>(1, 20), x => Limited(x, v => DoubleDouble.Softplus(v), -150, 20), 40_009);
    }

    /// <summary>The reference between low and high; beyond, its value there, or the argument where that is the asymptote.</summary>
    private static double Limited(double x, Func<double, DoubleDouble> f, double low, double high)
    {
        if (double.IsNaN(x)) return x;
        if (x < low) return f(low).High;
        if (x <= high || (high == 1 && x < 700)) return f(x).High;
        return high == 1 ? (f(3.0).High > 10 ? double.PositiveInfinity : f(6.5).High) : x;
    }

    private static void SpecialValues<T>(double least)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        Special<Op.Exp<T>, T>(default, (0, 1), (-0.0, 1), (double.NegativeInfinity, 0), (double.PositiveInfinity, double.PositiveInfinity), (1e4, double.PositiveInfinity), (-1e4, 0));
        Special<Op.Expm1<T>, T>(default, (0, 0), (-0.0, -0.0), (double.NegativeInfinity, -1), (double.PositiveInfinity, double.PositiveInfinity), (1e4, double.PositiveInfinity), (-1e4, -1), (least, least), (-least, -least));
        Special<Op.Log<T>, T>(default, (0, double.NegativeInfinity), (-0.0, double.NegativeInfinity), (1, 0), (-1, double.NaN), (double.NegativeInfinity, double.NaN), (double.PositiveInfinity, double.PositiveInfinity));
        Special<Op.Log1p<T>, T>(default, (0, 0), (-0.0, -0.0), (-1, double.NegativeInfinity), (-2, double.NaN), (double.NegativeInfinity, double.NaN), (double.PositiveInfinity, double.PositiveInfinity), (least, least), (-least, -least));
        Special<Op.Tanh<T>, T>(default, (0, 0), (-0.0, -0.0), (40, 1), (-40, -1), (double.PositiveInfinity, 1), (double.NegativeInfinity, -1), (least, least), (-least, -least));
        Special<Op.Sigmoid<T>, T>(default, (0, 0.5), (double.PositiveInfinity, 1), (double.NegativeInfinity, 0), (-1e4, 0));
        Special<Op.Sin<T>, T>(default, (0, 0), (-0.0, -0.0), (double.PositiveInfinity, double.NaN), (double.NegativeInfinity, double.NaN), (least, least));
        Special<Op.Cos<T>, T>(default, (0, 1), (-0.0, 1), (double.PositiveInfinity, double.NaN), (least, 1));
        Special<Op.Erf<T>, T>(default, (0, 0), (-0.0, -0.0), (double.PositiveInfinity, 1), (double.NegativeInfinity, -1), (7, 1), (-7, -1));
        Special<Op.Rsqrt<T>, T>(default, (0, double.PositiveInfinity), (-0.0, double.NegativeInfinity), (4, 0.5), (-1, double.NaN), (double.PositiveInfinity, 0));
        Special<Op.Gelu<T>, T>(default, (0, 0), (-0.0, -0.0), (50, 50), (double.PositiveInfinity, double.PositiveInfinity));
        Special<Op.Softplus<T>, T>(new(1, 20), (25, 25), (double.PositiveInfinity, double.PositiveInfinity), (double.NegativeInfinity, 0));
        Special<Op.Elu<T>, T>(new(1, 1, 1), (2, 2), (double.NegativeInfinity, -1));
        Special<Op.GeluTanh<T>, T>(default, (0, 0), (50, 50));
    }

    /// <summary>Exact values, at the front of a register, in its middle and in a tail; and NaN of NaN.</summary>
    private static void Special<TOp, T>(TOp op, params (double X, double Y)[] pairs)
        where TOp : struct, IUnary<T>
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        foreach (var (input, output) in pairs.Append((double.NaN, double.NaN)))
            foreach (var n in new[] { 1, 3, 8, 21 })
            {
                var x = new T[n];
                Array.Fill(x, T.CreateTruncating(input));
                var y = new T[n];
                Pointwise.Unary(op, ref x[0], ref y[0], n);
                foreach (var v in y) Assert.True(KernelsPointwiseTests.Same(T.CreateTruncating(output), v), $"{op}({input}) = {v}, expected {output}");
            }
    }

    [Fact]
    public void SpecialValuesAreExact()
    {
        SpecialValues<float>(float.Epsilon);
        SpecialValues<double>(double.Epsilon);
    }

    [Fact]
    public void SubnormalResultsOfExpAreRoundedOnce()
    {
        for (var x = -745.0; x < -708; x += 0.01)
        {
            double input = x, y = 0;
            Pointwise.Unary(default(Op.Exp<double>), ref input, ref y, 1);
            Assert.True(Math.Abs(y - Math.Exp(x)) <= double.Epsilon * Math.Max(1, Math.Exp(x) / double.Epsilon * 1e-15), $"exp({x}) = {y}");
        }
    }

    [Fact]
    public void FarArgumentsOfSineUseAllDigitsOfPi()
    {
        double[] x = [1e22, -1e300, 2097152.5, 1048577, 3], y = new double[5];
        Pointwise.Unary(default(Op.Sin<double>), ref x[0], ref y[0], 5);
        for (var i = 0; i < 5; i++) Assert.Equal(Math.Sin(x[i]), y[i], 1e-15);
    }

    private static void SameBitsAnywhere<TOp, T>(TOp op)
        where TOp : struct, IUnary<T>
        where T : unmanaged, System.Numerics.INumber<T>
    {
        var x = Uniform(-9, 9, 64).Select(T.CreateTruncating).ToArray();
        var whole = new T[64];
        Pointwise.Unary(op, ref x[0], ref whole[0], 64);
        for (var i = 0; i < 64; i++)
            for (var n = 1; n <= 64 - i; n += 3)
            {
                var part = new T[n];
                Pointwise.Unary(op, ref x[i], ref part[0], n);
                for (var k = 0; k < n; k++) Assert.True(KernelsPointwiseTests.Same(whole[i + k], part[k]), $"{op}: element {k} of {n} from {i}");
            }
    }

    [Fact]
    public void AnElementsBitsDoNotDependOnItsPlace()
    {
        SameBitsAnywhere<Op.Exp<float>, float>(default);
        SameBitsAnywhere<Op.Exp<double>, double>(default);
        SameBitsAnywhere<Op.Log1p<float>, float>(default);
        SameBitsAnywhere<Op.Log1p<double>, double>(default);
        SameBitsAnywhere<Op.Sin<double>, double>(default);
        SameBitsAnywhere<Op.Tanh<double>, double>(default);
        SameBitsAnywhere<Op.Gelu<float>, float>(default);
        SameBitsAnywhere<Op.Gelu<double>, double>(default);
        SameBitsAnywhere<Op.PowScalar<float>, float>(new(1.5));
        SameBitsAnywhere<Op.PowScalar<double>, double>(new(1.5));
    }

    /// <summary>Each fused derivative against a central difference of its function.</summary>
    [Fact]
    public void FusedDerivativesMatchDifferences()
    {
        Derivative(default(Op.Gelu<double>), default(Op.GeluBackward<double>));
        Derivative(default(Op.GeluTanh<double>), default(Op.GeluTanhBackward<double>));
        Derivative(default(Op.Silu<double>), default(Op.SiluBackward<double>));
        Derivative(new Op.Elu<double>(1.5, 2, 0.5), new Op.EluBackward<double>(1.5, 2, 0.5));
        Derivative(new Op.Softplus<double>(2, 20), new Op.SoftplusBackward<double>(2, 20));
        Derivative(new Op.LeakyRelu<double>(0.1), new Op.LeakyReluBackward<double>(0.1));
        Derivative(default(Op.Relu<double>), default(Op.ReluBackward<double>));
        Derivative(default(Op.Abs<double>), default(Op.AbsBackward<double>));
        Derivative(new Op.Clamp<double>(-1, 2), new Op.ClampBackward<double>(-1, 2));
        Derivative(default(Op.Sigmoid<double>), default(Op.SigmoidBackward<double>), ofResult: true);
        Derivative(default(Op.Tanh<double>), default(Op.TanhBackward<double>), ofResult: true);
    }

    private static void Derivative<TOp, TBackward>(TOp op, TBackward backward, bool ofResult = false)
        where TOp : struct, IUnary<double>
        where TBackward : struct, IBinary<double>
    {
        foreach (var at in Uniform(-6, 6, 200))
        {
            const double h = 1e-5;
            double up = at + h, down = at - h, middle = at, high = 0, low = 0, y = 0, g = 3, dx = 0;
            Pointwise.Unary(op, ref up, ref high, 1);
            Pointwise.Unary(op, ref down, ref low, 1);
            Pointwise.Unary(op, ref middle, ref y, 1);
            Pointwise.Binary(backward, ref g, ref ofResult ? ref y : ref middle, ref dx, 1);
            Assert.Equal(3 * (high - low) / (up - down), dx, 1e-8);
        }
    }
}
