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

    private static void CheckFloat<TOp>(string name, TOp op, Func<double, double> reference, int count = 1_000_003)
        where TOp : struct, IUnary<float>
    {
        var x = AllExponents(count);
        var y = new float[count];
        Pointwise.Unary(op, ref x[0], ref y[0], count);
        var worst = 0.0;
        var at = 0;
        for (var i = 0; i < count; i++)
        {
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
}
