using Verified.Engine.Blas;
using Verified.Engine.Kernels;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>Index, pooling and resizing kernels against their definitions.</summary>
public sealed class KernelsIndexAndImageTests
{
    private static float[] Noise(int n, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, n).Select(_ => (float)((random.NextDouble() * 4) - 2))];
    }

    [Fact]
    public void SelectAndAddAreTransposesOfEachOther()
    {
        const int outer = 2, n = 5, m = 7, inner = 19;
        var x = Noise(outer * n * inner, 1);
        var g = Noise(outer * m * inner, 2);
        long[] index = [4, 0, 0, 2, 4, 1, 0];
        var y = new float[outer * m * inner];
        var dx = new float[outer * n * inner];
        Indexing.Select(ref x[0], ref index[0], ref y[0], outer, n, m, inner);
        Indexing.Add(ref g[0], ref index[0], ref dx[0], outer, n, m, inner);
        var expected = new float[dx.Length];
        for (var o = 0; o < outer; o++)
            for (var j = 0; j < m; j++)
                for (var k = 0; k < inner; k++)
                {
                    Assert.Equal(x[(((o * n) + (int)index[j]) * inner) + k], y[(((o * m) + j) * inner) + k]);
                    expected[(((o * n) + (int)index[j]) * inner) + k] += g[(((o * m) + j) * inner) + k];
                }
        Assert.Equal(expected, dx);
        var skipped = new float[dx.Length];
        Indexing.Add(ref g[0], ref index[0], ref skipped[0], outer, n, m, inner, skip: 0);
        Assert.All(skipped.AsSpan(0, inner).ToArray(), v => Assert.Equal(0, v));
        Assert.Equal(dx.AsSpan(inner, inner * 4).ToArray(), skipped.AsSpan(inner, inner * 4).ToArray());
        Assert.Equal(0, Indexing.FirstOutside(ref index[0], m, 0, 2));
        Assert.Equal(-1, Indexing.FirstOutside(ref index[0], m, 0, 5));
    }

    [Fact]
    public void GatherAndScatterAddFollowTheIndex()
    {
        // x [3, 4], index [2, 3] along dimension 0 of a transposed x.
        var x = Noise(12, 3);
        long[] index = [2, 0, 1, 2, 2, 2];
        var z = new float[6];
        Indexing.Gather([2, 3], 0, ref x[0], [1, 3], ref index[0], [3, 1], ref z[0], [3, 1]);
        for (var i = 0; i < 2; i++)
            for (var j = 0; j < 3; j++) Assert.Equal(x[index[(3 * i) + j] + (3 * j)], z[(3 * i) + j]);
        var sum = new float[12];
        Indexing.ScatterAdd([2, 3], 0, ref sum[0], [1, 3], ref index[0], [3, 1], ref z[0], [3, 1]);
        Assert.Equal(z[0] + z[3], sum[2]);
        Assert.Equal(z[4], sum[5]);
        Assert.Equal(z[1], sum[3]);
        Assert.Equal(z.Sum(), sum.Sum(), 1e-5);
        var one = new float[] { 5 };
        long zero = 0;
        Indexing.Gather([], 0, ref one[0], [], ref zero, [], ref z[0], []);
        Assert.Equal(5, z[0]);
    }

    [Fact]
    public void LowerTrianglesKeepTheirDiagonal()
    {
        var x = Noise(2 * 3 * 4, 5);
        foreach (var diagonal in new[] { -9, -3, -1, 0, 1, 3, 9 })
        {
            var y = new float[24];
            Triangle.Lower(ref x[0], ref y[0], 2, 3, 4, diagonal);
            for (var i = 0; i < 24; i++) Assert.Equal((i % 4) - (i / 4 % 3) <= diagonal ? x[i] : 0, y[i]);
        }
    }

    [Fact]
    public void NegativeStridesFlip()
    {
        var x = Noise(12, 6);
        var y = new float[12];
        Conversion.Copy([3, 4], ref x[11], [-4, -1], ref y[0], [4, 1]);
        Assert.Equal(x.Reverse(), y);
        Conversion.Copy([3, 4], ref x[3], [4, -1], ref y[0], [4, 1]);
        for (var i = 0; i < 12; i++) Assert.Equal(x[(i / 4 * 4) + 3 - (i % 4)], y[i]);
    }

    /// <summary>A line of windows of a long signal under a long filter is more than memory, and its elements more than an int, can hold.</summary>
    [Theory]
    [InlineData(1, 32_768, 1, 65_536)]
    [InlineData(1, 32_768, 2, 65_537)]
    [InlineData(64, 49, 1, 1_000_000)]
    [InlineData(1, 4_000_000, 1, 3)]
    [InlineData(512, 9, 1, 14)]
    [InlineData(1, 1, 1, 1)]
    public void TilesOfWindowsStayWithinBounds(int channels, int kernel, int stride, int places)
    {
        var window = new Window2D(channels, 1, ((places - 1) * stride) + kernel, 1, kernel, 1, stride);
        Assert.Equal(places, window.Columns);
        var tile = Convolve.Tile<float>(window);
        Assert.InRange(tile, 1, places);
        Assert.InRange((long)tile * window.Rows, 1, 1 << 22);
    }

    /// <summary>Whole numbers, whose sums are exact in any order.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void LongLinesAreConvolvedInParts(int stride)
    {
        const int kernel = 4096, places = 1100;
        int width = ((places - 1) * stride) + kernel;
        Assert.True(Convolve.Tile<float>(new Window2D(1, 2, width, 1, kernel, 1, stride)) < places);
        float[] numbers = [.. Enumerable.Range(0, 2 * width).Select(i => (float)((i * 7 % 11) - 5))], filter = [.. Enumerable.Range(0, kernel).Select(i => (float)((i * 5 % 7) - 3))];
        var x = Tensor.Create(numbers, [1, 1, 2, width], requiresGrad: true);
        var weight = Tensor.Create(filter, [1, 1, 1, kernel], requiresGrad: true);
        float[] arriving = [.. Enumerable.Range(0, 2 * places).Select(i => (float)((i * 3 % 5) - 2))];
        var y = x.Conv2d(weight, null, [1, stride]);
        y.Backward(Tensor.Create(arriving, [1, 1, 2, places]));

        float[] output = new float[2 * places], dx = new float[numbers.Length], dw = new float[kernel];
        for (var o = 0; o < output.Length; o++)
        {
            var first = (o / places * width) + (o % places * stride);
            for (var k = 0; k < kernel; k++)
            {
                output[o] += numbers[first + k] * filter[k];
                dx[first + k] += arriving[o] * filter[k];
                dw[k] += arriving[o] * numbers[first + k];
            }
        }
        Assert.Equal(output, y.ToFloats());
        Assert.Equal(dx, x.Grad!.ToFloats());
        Assert.Equal(dw, weight.Grad!.ToFloats());
    }

    private static Window Of(int h, int w, int kh, int kw, int s, int p, int d, bool ceil) =>
        new(h, w, Window.OutputSize(h, kh, s, p, d, ceil), Window.OutputSize(w, kw, s, p, d, ceil), kh, kw, s, s, p, p, d, d);

    public static TheoryData<int, int, int, int, int, int, int, bool> Windows => new()
    {
        { 5, 7, 2, 2, 2, 0, 1, false }, { 5, 7, 2, 2, 2, 0, 1, true }, { 6, 5, 3, 3, 1, 1, 1, false }, { 6, 5, 3, 2, 2, 1, 2, true },
        { 4, 4, 2, 3, 3, 1, 1, true }, { 1, 1, 1, 1, 1, 0, 1, false }, { 8, 9, 3, 3, 4, 1, 1, true },
    };

    [Theory]
    [MemberData(nameof(Windows))]
    public void MaxPoolTakesTheFirstMaximum(int h, int w, int kh, int kw, int s, int p, int d, bool ceil)
    {
        var window = Of(h, w, kh, kw, s, p, d, ceil);
        var x = Noise(3 * h * w, 7).Select(v => MathF.Round(v * 2)).ToArray();
        x[0] = float.NaN;
        var size = window.OutHeight * window.OutWidth;
        var y = new float[3 * size];
        var places = new long[3 * size];
        MaxPool.Forward(ref x[0], ref y[0], ref places[0], 3, window);
        var expected = new float[x.Length];
        for (var o = 0; o < y.Length; o++)
        {
            var (plane, i, j) = (o / size, o % size / window.OutWidth, o % window.OutWidth);
            var candidates =
                from a in Enumerable.Range(0, kh)
                from b in Enumerable.Range(0, kw)
                let r = (i * s) - p + (a * d)
                let c = (j * s) - p + (b * d)
                where r >= 0 && r < h && c >= 0 && c < w
                select (Value: x[(plane * h * w) + (r * w) + c], Place: (r * w) + c);
            var list = candidates.ToList();
            var best = list[0];
            foreach (var item in list)
                if (item.Value > best.Value || float.IsNaN(item.Value)) best = item;
            Assert.Equal((best.Value, best.Place), (y[o], places[o]));
            expected[(plane * h * w) + best.Place] += o;
        }
        var g = Enumerable.Range(0, y.Length).Select(i => (float)i).ToArray();
        var dx = new float[x.Length];
        Assert.Equal(-1, MaxPool.Backward(ref g[0], ref places[0], ref dx[0], 3, window));
        Assert.Equal(expected, dx);
        places[^1] = h * w;
        Assert.Equal(places.Length - 1, MaxPool.Backward(ref g[0], ref places[0], ref dx[0], 3, window));
    }

    [Theory]
    [MemberData(nameof(Windows))]
    public void AveragePoolDividesAsAsked(int h, int w, int kh, int kw, int s, int p, int d, bool ceil)
    {
        if (d != 1) return;
        var window = Of(h, w, kh, kw, s, p, 1, ceil);
        foreach (var (countPad, divisor) in new[] { (true, 0), (false, 0), (true, 3) })
        {
            var x = Noise(2 * h * w, 8);
            var size = window.OutHeight * window.OutWidth;
            float[] y = new float[2 * size], g = Noise(2 * size, 9), dx = new float[x.Length], expected = new float[x.Length];
            AveragePool.Forward(ref x[0], ref y[0], 2, window, countPad, divisor);
            AveragePool.Backward(ref g[0], ref dx[0], 2, window, countPad, divisor);
            for (var o = 0; o < y.Length; o++)
            {
                var (plane, i, j) = (o / size, o % size / window.OutWidth, o % window.OutWidth);
                double sum = 0;
                int inside = 0, counted = 0;
                for (var pass = 0; pass < 2; pass++)
                    for (var r = (i * s) - p; r < (i * s) - p + kh; r++)
                        for (var c = (j * s) - p; c < (j * s) - p + kw; c++)
                        {
                            if (r >= h + p || c >= w + p) continue;
                            if (pass == 0) counted++;
                            if (r < 0 || r >= h || c < 0 || c >= w) continue;
                            var at = (plane * h * w) + (r * w) + c;
                            if (pass == 0)
                            {
                                inside++;
                                sum += x[at];
                            }
                            else
                            {
                                expected[at] += g[o] / (divisor != 0 ? divisor : countPad ? counted : inside);
                            }
                        }
                Assert.Equal(inside == 0 ? 0 : sum / (divisor != 0 ? divisor : countPad ? counted : inside), y[o], 1e-5);
            }
            for (var i = 0; i < dx.Length; i++) Assert.Equal(expected[i], dx[i], 1e-5);
        }
    }

    [Fact]
    public void OutputSizesArePyTorchs()
    {
        // size, kernel, stride, pad, dilation, ceil: torch.nn.MaxPool1d's answer.
        Assert.Equal(2, Window.OutputSize(5, 2, 2, 0, 1, false));
        Assert.Equal(3, Window.OutputSize(5, 2, 2, 0, 1, true));
        Assert.Equal(2, Window.OutputSize(4, 2, 3, 1, 1, true));
        Assert.Equal(1, Window.OutputSize(1, 1, 2, 0, 1, true));
        Assert.Equal(0, Window.OutputSize(1, 2, 1, 0, 1, false));
        Assert.Equal(2, Window.OutputSize(7, 3, 2, 0, 2, false));
    }

    [Fact]
    public void NearestTakesFlooredPlaces()
    {
        Assert.Equal([0, 0, 1, 1, 2, 2], Nearest.Sources(3, 6, 0, true));
        Assert.Equal([0, 1, 3], Nearest.Sources(5, 3, 0, true));
        Assert.Equal([0, 1, 3, 5], Nearest.Sources(8, 4, 0.6, false));
        var x = Noise(2 * 2 * 3, 10);
        int[] rows = Nearest.Sources(2, 4, 2, true), columns = Nearest.Sources(3, 5, 0, true);
        float[] y = new float[40], g = Noise(40, 11), dx = new float[12];
        Nearest.Forward(ref x[0], ref y[0], 2, 2, 3, rows, columns);
        Nearest.Backward(ref g[0], ref dx[0], 2, 2, 3, rows, columns);
        double left = 0, right = 0;
        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(x[(i / 20 * 6) + (rows[i / 5 % 4] * 3) + columns[i % 5]], y[i]);
            left += (double)y[i] * g[i];
        }
        for (var i = 0; i < 12; i++) right += (double)x[i] * dx[i];
        Assert.Equal(left, right, 1e-5);
    }
}
