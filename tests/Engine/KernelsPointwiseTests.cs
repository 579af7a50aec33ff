using System.Numerics;
using Verified.Engine.Kernels;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>Every pointwise driver against a scalar loop, over lengths with every tail, special values, strides and broadcasting.</summary>
public sealed class KernelsPointwiseTests
{
    internal static readonly double[] Special =
    [
        0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3, 1e-3, -1e-3, 7.25, -7.25, 100, -100, 1e30, -1e30, 1e-30, -1e-30, 1e-42, -1e-42,
        double.PositiveInfinity, double.NegativeInfinity, double.NaN,
    ];

    private static T[] Values<T>(int n, int shift)
        where T : INumber<T>
    {
        var values = new T[n];
        for (var i = 0; i < n; i++)
        {
            var v = Special[((i * 7) + shift) % Special.Length];
            values[i] = typeof(T) == typeof(long) ? T.CreateSaturating(double.IsNaN(v) ? -42 : Math.Clamp(v, -1e9, 1e9)) : T.CreateTruncating(v);
        }
        return values;
    }

    /// <summary>Equal bits, all NaN being one.</summary>
    internal static bool Same<T>(T a, T b)
        where T : INumber<T> => T.IsNaN(a) ? T.IsNaN(b) : a == b && T.IsNegative(a) == T.IsNegative(b);

    internal static void CheckUnary<T>(Unary<T> kernel, Func<T, T> reference)
        where T : unmanaged, INumber<T>
    {
        for (var n = 0; n <= 70; n++)
        {
            var x = Values<T>(n + 1, n);
            var y = new T[n + 2];
            kernel([n], x, [1], y, [1]);
            for (var i = 0; i < n; i++) Assert.True(Same(reference(x[i]), y[i]), $"n {n}, element {i}: op({x[i]}) = {y[i]}, expected {reference(x[i])}");
            Assert.Equal(default, y[n]);
            var inPlace = (T[])x.Clone();
            kernel([n], inPlace, [1], inPlace, [1]);
            Assert.Equal(y.AsSpan(0, n).ToArray(), inPlace.AsSpan(0, n).ToArray());
        }
        // Transposed to row-major, row-major to every other column, and a broadcast row.
        var source = Values<T>(35, 3);
        var target = new T[70];
        kernel([5, 7], source, [1, 5], target, [14, 2]);
        for (var i = 0; i < 5; i++)
            for (var j = 0; j < 7; j++)
            {
                Assert.True(Same(reference(source[i + (5 * j)]), target[(14 * i) + (2 * j)]));
                Assert.Equal(default, target[(14 * i) + (2 * j) + 1]);
            }
        var wide = new T[700];
        kernel([20, 35], source, [0, 1], wide, [35, 1]);
        for (var i = 0; i < 700; i++) Assert.True(Same(reference(source[i % 35]), wide[i]));
    }

    internal delegate void Unary<T>(int[] shape, T[] x, int[] xStrides, T[] y, int[] yStrides);

    internal delegate void Binary<T>(int[] shape, T[] x, int[] xStrides, T[] y, int[] yStrides, T[] z, int[] zStrides);

    internal static Unary<T> Driver<TOp, T>(TOp op)
        where TOp : struct, IUnary<T>
        where T : unmanaged =>
        (shape, x, xs, y, ys) => Pointwise.Unary(op, shape, ref x[0], xs, ref y[0], ys);

    internal static Binary<T> Driver2<TOp, T>(TOp op)
        where TOp : struct, IBinary<T>
        where T : unmanaged =>
        (shape, x, xs, y, ys, z, zs) => Pointwise.Binary(op, shape, ref x[0], xs, ref y[0], ys, ref z[0], zs);

    internal static void CheckBinary<T>(Binary<T> kernel, Func<T, T, T> reference)
        where T : unmanaged, INumber<T>
    {
        for (var n = 0; n <= 70; n++)
            foreach (var (stepX, stepY, stepZ) in new[] { (1, 1, 1), (1, 0, 1), (0, 1, 1), (0, 0, 1), (2, 1, 1), (1, 3, 2), (0, 2, 1) })
            {
                var x = Values<T>((2 * n) + 1, n);
                var y = Values<T>((3 * n) + 1, 2 * n);
                var z = new T[(2 * n) + 2];
                kernel([n], x, [stepX], y, [stepY], z, [stepZ]);
                for (var i = 0; i < n; i++)
                {
                    var expected = reference(x[i * stepX], y[i * stepY]);
                    Assert.True(Same(expected, z[i * stepZ]), $"n {n}, element {i}: op({x[i * stepX]}, {y[i * stepY]}) = {z[i * stepZ]}, expected {expected}");
                }
                Assert.Equal(default, z[(n * stepZ) + (stepZ == 1 ? 0 : 1)]);
            }
        // Row and column broadcasts of a matrix wider than a packing chunk, and a rank of five with mixed strides.
        var a = Values<T>(3 * 700, 1);
        var row = Values<T>(700, 2);
        var result = new T[3 * 700];
        kernel([3, 700], a, [700, 1], row, [0, 1], result, [700, 1]);
        for (var i = 0; i < result.Length; i++) Assert.True(Same(reference(a[i], row[i % 700]), result[i]));
        kernel([3, 700], a, [700, 1], row, [1, 0], result, [700, 1]);
        for (var i = 0; i < result.Length; i++) Assert.True(Same(reference(a[i], row[i / 700]), result[i]));
        int[] shape = [2, 3, 1, 5, 4], sx = [1, 0, 9, 2, 40], sy = [60, 20, 77, 4, 1], sz = [60, 1, 5, 3, 15];
        kernel(shape, a, sx, row, sy, result, sz);
        for (var i = 0; i < 2; i++)
            for (var j = 0; j < 3; j++)
                for (var k = 0; k < 5; k++)
                    for (var l = 0; l < 4; l++)
                        Assert.True(Same(reference(a[i + (2 * k) + (40 * l)], row[(60 * i) + (20 * j) + (4 * k) + l]), result[(60 * i) + j + (3 * k) + (15 * l)]));
    }

    private static void Arithmetic<T>()
        where T : unmanaged, INumber<T>
    {
        CheckBinary(Driver2<Op.Add<T>, T>(default), (x, y) => x + y);
        CheckBinary(Driver2<Op.Sub<T>, T>(default), (x, y) => x - y);
        CheckBinary(Driver2<Op.Mul<T>, T>(default), (x, y) => x * y);
        CheckBinary(Driver2<Op.Maximum<T>, T>(default), T.Max);
        CheckBinary(Driver2<Op.Minimum<T>, T>(default), T.Min);
        CheckUnary(Driver<Op.Neg<T>, T>(default), x => -x);
        CheckUnary(Driver<Op.Abs<T>, T>(default), T.Abs);
        CheckUnary(Driver<Op.Square<T>, T>(default), x => x * x);
        CheckUnary(Driver<Op.Relu<T>, T>(default), x => x < T.Zero ? T.Zero : x);
        CheckUnary(Driver<Op.Sign<T>, T>(default), x => x > T.Zero ? T.One : x < T.Zero ? -T.One : T.Zero);
        var two = T.One + T.One;
        CheckUnary(Driver<Op.Clamp<T>, T>(new(-T.One, two)), x => T.Min(T.Max(x, -T.One), two));
    }

    [Fact]
    public void Float32ArithmeticEqualsTheScalarOperators() => Arithmetic<float>();

    [Fact]
    public void Float64ArithmeticEqualsTheScalarOperators() => Arithmetic<double>();

    [Fact]
    public void Int64ArithmeticIsExact() => Arithmetic<long>();

    private static void Rounding<T>()
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckUnary(Driver<Op.Floor<T>, T>(default), T.Floor);
        CheckUnary(Driver<Op.Round<T>, T>(default), x => T.Round(x, MidpointRounding.ToEven));
        CheckUnary(Driver<Op.Sqrt<T>, T>(default), T.Sqrt);
        CheckUnary(Driver<Op.Reciprocal<T>, T>(default), x => T.One / x);
        CheckBinary(Driver2<Op.Div<T>, T>(default), (x, y) => x / y);
        var slope = T.CreateTruncating(0.01);
        CheckUnary(Driver<Op.LeakyRelu<T>, T>(new(slope)), x => x > T.Zero ? x : x * slope);
    }

    [Fact]
    public void RoundingAndRootsAreCorrectlyRounded()
    {
        Rounding<float>();
        Rounding<double>();
    }

    private static void CheckCompare<TOp, T>(TOp op, Func<T, T, bool> reference)
        where TOp : struct, IComparison<T>
        where T : unmanaged, INumber<T>
    {
        for (var n = 0; n <= 70; n++)
            foreach (var (stepX, stepY, stepZ) in new[] { (1, 1, 1), (1, 0, 1), (2, 1, 1), (1, 3, 2) })
            {
                var x = Values<T>((2 * n) + 1, n);
                var y = Values<T>((3 * n) + 1, 2 * n);
                var z = new byte[(2 * n) + 2];
                Pointwise.Compare(op, [n], ref x[0], [stepX], ref y[0], [stepY], ref z[0], [stepZ]);
                for (var i = 0; i < n; i++) Assert.Equal(reference(x[i * stepX], y[i * stepY]) ? 1 : 0, z[i * stepZ]);
                Assert.Equal(0, z[(n * stepZ) + (stepZ == 1 ? 0 : 1)]);
            }
    }

    private static void Comparisons<T>()
        where T : unmanaged, INumber<T>
    {
        CheckCompare<Op.Greater<T>, T>(default, (x, y) => x > y);
        CheckCompare<Op.GreaterOrEqual<T>, T>(default, (x, y) => x >= y);
        CheckCompare<Op.Less<T>, T>(default, (x, y) => x < y);
        CheckCompare<Op.LessOrEqual<T>, T>(default, (x, y) => x <= y);
        CheckCompare<Op.Equal<T>, T>(default, (x, y) => x == y);
        CheckCompare<Op.NotEqual<T>, T>(default, (x, y) => x != y);
    }

    [Fact]
    public void ComparisonsEqualTheScalarOperators()
    {
        Comparisons<float>();
        Comparisons<double>();
        Comparisons<long>();
    }

    [Fact]
    public void WhereChoosesByByte()
    {
        for (var n = 0; n < 70; n++)
        {
            var c = Enumerable.Range(0, (2 * n) + 1).Select(i => (byte)(i * i % 3)).ToArray();
            var x = Values<float>(n + 1, 1);
            var y = Values<float>(1, 5);
            var z = new float[n + 1];
            Pointwise.Where([n], ref c[0], [2], ref x[0], [1], ref y[0], [0], ref z[0], [1]);
            for (var i = 0; i < n; i++) Assert.Equal(c[2 * i] != 0 ? x[i] : y[0], z[i]);
            Assert.Equal(0, z[n]);
        }
    }

    [Fact]
    public void TernaryOperatorsEqualTheScalarFormula()
    {
        for (var n = 1; n <= 70; n++)
        {
            float[] x = Values<float>(n, 1), y = Values<float>(2 * n, 4), z = Values<float>(1, n), w = new float[n];
            Pointwise.Ternary(new Op.AddProduct<float>(0.5f), [n], ref x[0], [1], ref y[0], [2], ref z[0], [0], ref w[0], [1]);
            for (var i = 0; i < n; i++) Assert.Equal(x[i] + (0.5f * y[2 * i] * z[0]), w[i]);
        }
    }

    [Fact]
    public void ConversionsFollowTheTargetType()
    {
        float[] x = [0, -0.0f, 1.9f, -1.9f, float.NaN, 16777217];
        var bytes = new byte[6];
        var longs = new long[12];
        var doubles = new double[6];
        Conversion.Convert([6], ref x[0], [1], ref bytes[0], [1]);
        Conversion.Convert([6], ref x[0], [1], ref longs[0], [2]);
        Conversion.Convert([3, 2], ref x[0], [1, 3], ref doubles[0], [2, 1]);
        Assert.Equal([0, 0, 1, 1, 1, 1], bytes);
        Assert.Equal([0, 0, 0, 0, 1, 0, -1, 0, long.MinValue, 0, 16777216, 0], longs);
        Assert.Equal([0, -1.9f, -0.0, double.NaN, 1.9f, 16777216], doubles);
        double[] wide = [double.PositiveInfinity, -9223372036854775808.0, 9223372036854775808.0, 9223372036854774784.0];
        Conversion.Convert([4], ref wide[0], [1], ref longs[0], [1]);
        Assert.Equal([long.MinValue, long.MinValue, long.MinValue, 9223372036854774784], longs.AsSpan(0, 4).ToArray());
        double[] big = [1e300, -1e-320, 0.1];
        Conversion.Convert([3], ref big[0], [1], ref x[0], [1]);
        Assert.Equal([float.PositiveInfinity, -0.0f, 0.1f], x.AsSpan(0, 3).ToArray());
    }

    [Fact]
    public void CopiesAndFillsTouchOnlyTheirElements()
    {
        var x = Enumerable.Range(0, 1200).ToArray();
        var y = new int[2400];
        Conversion.Copy([30, 40], ref x[0], [1, 30], ref y[0], [80, 2]);
        for (var i = 0; i < 30; i++)
            for (var j = 0; j < 40; j++) Assert.Equal((x[i + (30 * j)], 0), (y[(80 * i) + (2 * j)], y[(80 * i) + (2 * j) + 1]));
        Array.Fill(y, 5);
        Conversion.Fill([30, 10], 9, ref y[1], [80, 3]);
        for (var i = 0; i < 2400; i++) Assert.Equal(i % 80 is >= 1 and < 31 && (i % 80 % 3) == 1 ? 9 : 5, y[i]);
        Conversion.Fill([], 7, ref y[3], []);
        Assert.Equal((5, 7), (y[2], y[3]));
    }
}
