using System.Numerics;
using Verified.Engine.Kernels;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>Reductions against naive loops, over every set of dimensions; and that strides never change a bit.</summary>
public sealed class KernelsReductionTests
{
    private static readonly int[][] Shapes =
    [
        [], [1], [7], [70], [1024], [1025], [5000], [3, 5], [5, 1], [70, 3], [3, 300], [300, 3], [2, 3, 4], [4, 1, 5, 2], [2, 1100], [130, 2, 3], [0], [3, 0], [0, 3],
    ];

    private static float[] Noise(int n, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, n).Select(_ => (float)((random.NextDouble() * 4) - 2))];
    }

    private static int[] Contiguous(int[] shape)
    {
        var strides = new int[shape.Length];
        for (int d = shape.Length - 1, step = 1; d >= 0; step *= Math.Max(1, shape[d--])) strides[d] = step;
        return strides;
    }

    /// <summary>Lays the elements out in another memory order, with gaps.</summary>
    private static (T[] Memory, int[] Strides) Scattered<T>(T[] x, int[] shape)
    {
        var strides = new int[shape.Length];
        var step = 2;
        for (var d = 0; d < shape.Length; d++)
        {
            strides[d] = step;
            step *= shape[d];
        }
        var memory = new T[step + 1];
        for (var i = 0; i < x.Length; i++) memory[Offset(shape, strides, i)] = x[i];
        return (memory, strides);
    }

    private static int Offset(int[] shape, int[] strides, int linear)
    {
        var offset = 0;
        for (var d = shape.Length - 1; d >= 0; d--)
        {
            offset += linear % shape[d] * strides[d];
            linear /= shape[d];
        }
        return offset;
    }

    /// <summary>The elements that go into each result, in row-major order.</summary>
    private static List<T>[] Groups<T>(T[] x, int[] shape, bool[] reduced)
    {
        var kept = shape.Where((_, d) => !reduced[d]).ToArray();
        var keptStrides = Contiguous(kept);
        var k = 0;
        var strides = shape.Select((_, d) => reduced[d] ? 0 : keptStrides[k++]).ToArray();
        var groups = Enumerable.Range(0, kept.Aggregate(1, (a, b) => a * b)).Select(_ => new List<T>()).ToArray();
        for (var i = 0; i < x.Length; i++) groups[Offset(shape, strides, i)].Add(x[i]);
        return groups;
    }

    private static void Check<TOp, T>(TOp op, Func<int, T[]> values, Func<List<T>, T> reference, double tolerance)
        where TOp : struct, IReduction<T>
        where T : unmanaged, INumber<T>
    {
        foreach (var shape in Shapes)
            for (var set = 0; set < 1 << shape.Length; set++)
            {
                var reduced = shape.Select((_, d) => (set >> d & 1) != 0).ToArray();
                var x = values(shape.Aggregate(1, (a, b) => a * b));
                var groups = Groups(x, shape, reduced);
                var y = new T[groups.Length + 1];
                Array.Resize(ref x, x.Length + 1);
                Reduction.Run(op, shape, ref x[0], Contiguous(shape), reduced, ref y[0]);
                for (var i = 0; i < groups.Length; i++)
                {
                    var expected = reference(groups[i]);
                    var scale = groups[i].Aggregate(1.0, (s, v) => s + Math.Abs(double.CreateTruncating(v)));
                    Assert.True(
                        KernelsPointwiseTests.Same(expected, y[i]) || Math.Abs(double.CreateTruncating(expected - y[i])) <= tolerance * scale,
                        $"shape [{string.Join(", ", shape)}] over set {set}, result {i}: {y[i]}, expected {expected}");
                }
                Assert.Equal(default, y[^1]);
                if (x.Length == 1) continue;
                var (memory, strides) = Scattered(x[..^1], shape);
                var again = new T[y.Length];
                Reduction.Run(op, shape, ref memory[0], strides, reduced, ref again[0]);
                Assert.Equal(y, again);
            }
    }

    [Fact]
    public void SumsProductsAndExtremesEqualTheNaiveLoop()
    {
        Check<Reduce.Sum<float>, float>(default, n => Noise(n, 1), g => (float)g.Sum(v => (double)v), 3e-7);
        Check<Reduce.Sum<double>, double>(default, n => [.. Noise(n, 2).Select(v => (double)v)], g => g.Sum(), 1e-14);
        Check<Reduce.Sum<long>, long>(default, n => [.. Noise(n, 3).Select(v => (long)(v * 1e17))], g => g.Aggregate(0L, (a, b) => a + b), 0);
        Check<Reduce.Prod<double>, double>(default, n => [.. Noise(n, 4).Select(v => v < 0 ? -1.0 : 1.0)], g => g.Aggregate(1.0, (a, b) => a * b), 0);
        Check<Reduce.Max<float>, float>(default, n => Noise(n, 5), g => g.Aggregate(float.NegativeInfinity, Math.Max), 0);
        Check<Reduce.Min<float>, float>(default, n => WithNaN(n), g => g.Aggregate(float.PositiveInfinity, Math.Min), 0);
        Check<Reduce.Max<long>, long>(default, n => [.. Noise(n, 6).Select(v => (long)(v * 1e17))], g => g.Aggregate(long.MinValue, Math.Max), 0);
        Check<Reduce.SumOfMagnitudes<float>, float>(default, n => Noise(n, 7), g => (float)g.Sum(v => Math.Abs((double)v)), 3e-7);
        Check<Reduce.SumOfPowers<double>, double>(new(3), n => [.. Noise(n, 8).Select(v => (double)v)], g => g.Sum(v => Math.Pow(Math.Abs(v), 3)), 1e-13);
    }

    private static float[] WithNaN(int n)
    {
        var x = Noise(n, 9);
        for (var i = 10; i < n; i += 97) x[i] = float.NaN;
        return x;
    }

    [Fact]
    public void ASumOfMillionsKeepsItsDigits()
    {
        var x = new float[3_000_000];
        Array.Fill(x, 0.1f);
        Assert.Equal(0.1f * 3e6, Reduction.Dense(default(Reduce.Sum<float>), ref x[0], x.Length), 1.0);
    }

    [Fact]
    public void ParametersBelongToResults()
    {
        foreach (var (shape, reduced) in new (int[], bool[])[] { ([5, 33], [false, true]), ([33, 5], [true, false]), ([3, 4, 5], [true, false, true]) })
        {
            var x = Noise(shape.Aggregate((a, b) => a * b), 11);
            var groups = Groups(x, shape, reduced);
            var mean = groups.Select(g => g.Average()).ToArray();
            var y = new float[groups.Length];
            Reduction.Run(default(Reduce.SumOfSquares<float>), shape, ref x[0], Contiguous(shape), reduced, ref mean[0], ref y[0]);
            for (var i = 0; i < y.Length; i++) Assert.Equal(groups[i].Sum(v => Math.Pow(v - mean[i], 2)), y[i], 1e-4);
            Reduction.Run(default(Reduce.SumOfExponentials<float>), shape, ref x[0], Contiguous(shape), reduced, ref mean[0], ref y[0]);
            for (var i = 0; i < y.Length; i++) Assert.Equal(groups[i].Sum(v => Math.Exp(v - mean[i])), y[i], 1e-4);
        }
    }

    [Fact]
    public void ExtremesGiveTheFirstPlaceAndNaNWins()
    {
        foreach (var shape in Shapes.Where(s => !s.Contains(0)))
            for (var set = 0; set < 1 << shape.Length; set++)
                foreach (var greatest in new[] { true, false })
                {
                    var reduced = shape.Select((_, d) => (set >> d & 1) != 0).ToArray();
                    // Few distinct values, so that ties abound; and zeros of both signs.
                    var x = Noise(shape.Aggregate(1, (a, b) => a * b), set).Select(v => MathF.Round(v)).ToArray();
                    if (set % 2 == 1)
                        for (var i = 20; i < x.Length; i += 31) x[i] = float.NaN;
                    var groups = Groups(x, shape, reduced);
                    var values = new float[groups.Length];
                    var places = new long[groups.Length];
                    var (memory, strides) = Scattered(x, shape);
                    Extremes.Run(greatest, shape, ref memory[0], strides, reduced, ref values[0], ref places[0]);
                    for (var o = 0; o < groups.Length; o++)
                    {
                        var (best, place) = (groups[o][0], 0);
                        for (var i = 1; i < groups[o].Count && !float.IsNaN(best); i++)
                            if (float.IsNaN(groups[o][i]) || (greatest ? groups[o][i] > best : groups[o][i] < best)) (best, place) = (groups[o][i], i);
                        Assert.Equal((best, place), (values[o], places[o]));
                    }
                }
    }

    [Fact]
    public void RunningSumsGoAlongTheMiddle()
    {
        var x = Noise(2 * 5 * 3, 13);
        var y = new float[30];
        Cumulative.Sum(ref x[0], ref y[0], 2, 5, 3);
        for (var o = 0; o < 2; o++)
            for (var k = 0; k < 3; k++)
                for (var i = 0; i < 5; i++)
                    Assert.Equal((float)Enumerable.Range(0, i + 1).Sum(j => (double)x[(15 * o) + (3 * j) + k]), y[(15 * o) + (3 * i) + k]);
        Cumulative.Sum(ref x[0], ref y[0], 1, 30, 1, reverse: true);
        Assert.Equal((float)x.Sum(v => (double)v), y[0], 1e-5);
        Assert.Equal(x[29], y[29]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void SoftmaxAndItsLogarithmFollowTheFormula(int inner)
    {
        foreach (var n in new[] { 1, 2, 7, 16, 33, 1500 })
        {
            var x = Noise(2 * n * inner, n);
            if (n > 2) x[0] = 200;
            float[] y = new float[x.Length], log = new float[x.Length], g = Noise(x.Length, 99), dx = new float[x.Length], dlog = new float[x.Length];
            Softmax.Forward(ref x[0], ref y[0], 2, n, inner);
            Softmax.LogForward(ref x[0], ref log[0], 2, n, inner);
            Softmax.Backward(ref g[0], ref y[0], ref dx[0], 2, n, inner);
            Softmax.LogBackward(ref g[0], ref log[0], ref dlog[0], 2, n, inner);
            for (var o = 0; o < 2; o++)
                for (var k = 0; k < inner; k++)
                {
                    var at = Enumerable.Range(0, n).Select(i => (((o * n) + i) * inner) + k).ToArray();
                    var max = at.Max(i => (double)x[i]);
                    var sum = at.Sum(i => Math.Exp(x[i] - max));
                    var dot = at.Sum(i => (double)g[i] * y[i]);
                    var sumG = at.Sum(i => (double)g[i]);
                    foreach (var i in at)
                    {
                        var p = Math.Exp(x[i] - max) / sum;
                        Assert.Equal(p, y[i], 1e-6 * (p + 1e-6));
                        Assert.Equal(x[i] - max - Math.Log(sum), log[i], 3e-5);
                        Assert.Equal(p * (g[i] - dot), dx[i], 1e-5);
                        Assert.Equal(g[i] - (p * sumG), dlog[i], 1e-4);
                    }
                }
        }
    }

    [Fact]
    public void SoftmaxAtInfinitiesIsPyTorchs()
    {
        double[] x = [double.NegativeInfinity, 1, double.NegativeInfinity, double.NegativeInfinity], y = new double[4];
        Softmax.Forward(ref x[0], ref y[0], 2, 2, 1);
        Assert.Equal([0, 1, double.NaN, double.NaN], y);
        Softmax.LogForward(ref x[0], ref y[0], 2, 2, 1);
        Assert.Equal([double.NegativeInfinity, 0, double.NaN, double.NaN], y);
    }

    [Fact]
    public void LayerNormAndItsDerivativeFollowTheFormula()
    {
        const int rows = 3, n = 37;
        const double eps = 1e-5;
        double[] x = [.. Noise(rows * n, 1).Select(v => (double)v)], w = [.. Noise(n, 2).Select(v => (double)v)], b = [.. Noise(n, 3).Select(v => (double)v)];
        double[] g = [.. Noise(rows * n, 4).Select(v => (double)v)], y = new double[rows * n], dx = new double[rows * n], mean = new double[rows], rstd = new double[rows];
        LayerNorm.Forward(ref x[0], ref w[0], ref b[0], ref y[0], ref mean[0], ref rstd[0], rows, n, eps);
        LayerNorm.BackwardInput(ref g[0], ref x[0], ref w[0], ref mean[0], ref rstd[0], ref dx[0], rows, n);
        double Loss(double[] at, int r)
        {
            var row = at[(r * n)..((r + 1) * n)];
            var m = row.Average();
            var s = Math.Sqrt(row.Average(v => (v - m) * (v - m)) + eps);
            return row.Select((v, i) => ((((v - m) / s) * w[i]) + b[i]) * g[(r * n) + i]).Sum();
        }
        for (var r = 0; r < rows; r++)
        {
            Assert.Equal(Loss(x, r), Enumerable.Range(0, n).Sum(i => y[(r * n) + i] * g[(r * n) + i]), 1e-10);
            for (var i = 0; i < n; i++)
            {
                double[] up = [.. x], down = [.. x];
                up[(r * n) + i] += 1e-5;
                down[(r * n) + i] -= 1e-5;
                Assert.Equal((Loss(up, r) - Loss(down, r)) / 2e-5, dx[(r * n) + i], 1e-7);
            }
        }
    }
}
