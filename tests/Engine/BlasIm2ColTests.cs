using Verified.Engine.Blas;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>im2col follows its definition index by index, in tiles as in one piece; col2im is its transpose.</summary>
public sealed class BlasIm2ColTests
{
    public static TheoryData<Window2D> Windows =>
    [
        new Window2D(1, 5, 5, 3, 3),
        new Window2D(2, 7, 6, 3, 2, 2, 1, 1, 0),
        new Window2D(3, 9, 30, 3, 3, 1, 1, 1, 1),
        new Window2D(2, 9, 11, 3, 2, 2, 3, 2, 1, 2, 3),
        new Window2D(2, 4, 4, 1, 1),
        new Window2D(1, 3, 3, 5, 5, 1, 1, 1, 1),
        new Window2D(1, 2, 2, 3, 3, 1, 4, 2, 6),
        new Window2D(0, 4, 4, 2, 2),
    ];

    [Theory]
    [MemberData(nameof(Windows))]
    public void Gather_follows_its_definition_whatever_the_tile(Window2D window)
    {
        var image = Image(window);
        foreach (var tile in new[] { 1, 4, 7, int.MaxValue })
        {
            for (var from = 0; from < window.Columns; from += Math.Min(tile, window.Columns))
            {
                var count = Math.Min(tile, window.Columns - from);
                var columns = Enumerable.Repeat(float.NaN, window.Rows * count).ToArray();
                Im2Col<float>.Gather(image, window, from, count, columns);
                for (var r = 0; r < window.Rows; r++)
                {
                    for (var j = 0; j < count; j++)
                    {
                        var at = Index(window, r, from + j);
                        Assert.Equal(at < 0 ? 0 : image[at], columns[r * count + j]);
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Windows))]
    public void Scatter_is_the_transpose_of_gather(Window2D window)
    {
        var columns = Enumerable.Range(0, window.Rows * window.Columns).Select(i => (double)(i * 13 % 29 - 14)).ToArray();
        var image = Enumerable.Repeat(100.0, window.Channels * window.Height * window.Width).ToArray();
        var expected = (double[])image.Clone();
        for (var r = 0; r < window.Rows; r++)
        {
            for (var j = 0; j < window.Columns; j++)
            {
                if (Index(window, r, j) is >= 0 and var at)
                    expected[at] += columns[r * window.Columns + j];
            }
        }

        Im2Col<double>.Scatter(columns, window, 0, window.Columns, image);
        Assert.Equal(expected, image);
    }

    [Fact]
    public void A_span_that_is_too_short_is_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => Im2Col<float>.Gather(new float[24], new Window2D(1, 5, 5, 3, 3), 0, 9, new float[81]));
        Assert.Contains("the image has 24 elements, 1x5x5 were expected", error.Message, StringComparison.Ordinal);
    }

    private static int Index(Window2D w, int r, int window)
    {
        var row = window / w.OutWidth * w.StrideHeight - w.PaddingHeight + r / w.KernelWidth % w.KernelHeight * w.DilationHeight;
        var column = window % w.OutWidth * w.StrideWidth - w.PaddingWidth + r % w.KernelWidth * w.DilationWidth;
        var inside = row >= 0 && row < w.Height && column >= 0 && column < w.Width;
        return inside ? (r / (w.KernelWidth * w.KernelHeight) * w.Height + row) * w.Width + column : -1;
    }

    private static float[] Image(Window2D w) => [.. Enumerable.Range(0, w.Channels * w.Height * w.Width).Select(i => i + 1f)];
}
