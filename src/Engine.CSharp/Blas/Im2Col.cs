using System.Numerics;

namespace Verified.Engine.Blas;

/// <summary>
/// The two copies that turn a convolution into matrix products, over a tile of windows so that the column matrix need not exist as a
/// whole. One image and one group of channels at a time; groups and batches are the caller's loops.
/// </summary>
/// <typeparam name="T">The element type.</typeparam>
public static class Im2Col<T>
    where T : unmanaged, INumberBase<T>
{
    /// <summary>
    /// im2col: columns[r, j] = the image's element under window element r of window from + j, zero in the padding.
    /// <paramref name="columns"/> is row-major, <see cref="Window2D.Rows"/> by <paramref name="count"/>; the image is contiguous [C, H, W].
    /// </summary>
    /// <exception cref="ArgumentException">A span is too short, or the tile exceeds the windows.</exception>
    public static void Gather(ReadOnlySpan<T> image, in Window2D window, int from, int count, Span<T> columns)
    {
        Check(image.Length, window, from, count, columns.Length);
        var across = window.OutWidth;
        for (var r = 0; r < window.Rows; r++)
        {
            var line = columns.Slice(r * count, count);
            var (plane, rowOffset, columnOffset) = Place(window, r);
            for (var done = 0; done < count;)
            {
                var (outRow, outColumn) = Math.DivRem(from + done, across);
                var run = line.Slice(done, Math.Min(across - outColumn, count - done));
                var row = outRow * window.StrideHeight + rowOffset;
                if ((uint)row >= (uint)window.Height)
                    run.Clear();
                else
                    GatherRun(image.Slice((plane * window.Height + row) * window.Width, window.Width), outColumn * window.StrideWidth + columnOffset, window.StrideWidth, run);
                done += run.Length;
            }
        }
    }

    /// <summary>
    /// col2im, the transpose of <see cref="Gather"/>: adds columns[r, j] to the element that Gather read it from; what fell into the
    /// padding is dropped. The image is added to, in ascending r for each element.
    /// </summary>
    /// <exception cref="ArgumentException">A span is too short, or the tile exceeds the windows.</exception>
    public static void Scatter(ReadOnlySpan<T> columns, in Window2D window, int from, int count, Span<T> image)
    {
        Check(image.Length, window, from, count, columns.Length);
        var across = window.OutWidth;
        for (var r = 0; r < window.Rows; r++)
        {
            var line = columns.Slice(r * count, count);
            var (plane, rowOffset, columnOffset) = Place(window, r);
            for (var done = 0; done < count;)
            {
                var (outRow, outColumn) = Math.DivRem(from + done, across);
                var run = line.Slice(done, Math.Min(across - outColumn, count - done));
                var row = outRow * window.StrideHeight + rowOffset;
                if ((uint)row < (uint)window.Height)
                    ScatterRun(run, image.Slice((plane * window.Height + row) * window.Width, window.Width), outColumn * window.StrideWidth + columnOffset, window.StrideWidth);
                done += run.Length;
            }
        }
    }

    private static (int Plane, int RowOffset, int ColumnOffset) Place(in Window2D window, int r)
    {
        var (rest, column) = Math.DivRem(r, window.KernelWidth);
        var (plane, row) = Math.DivRem(rest, window.KernelHeight);
        return (plane, row * window.DilationHeight - window.PaddingHeight, column * window.DilationWidth - window.PaddingWidth);
    }

    /// <summary>The part [first, last) of a run whose image columns start + j stride lie inside the row.</summary>
    private static (int First, int Last) Inside(int start, int stride, int width, int length)
    {
        var first = start >= 0 ? 0 : Math.Min(length, (-start + stride - 1) / stride);
        var last = start >= width ? 0 : Math.Min(length, (width - 1 - start) / stride + 1);
        return (first, Math.Max(first, last));
    }

    private static void GatherRun(ReadOnlySpan<T> row, int start, int stride, Span<T> run)
    {
        var (first, last) = Inside(start, stride, row.Length, run.Length);
        run[..first].Clear();
        run[last..].Clear();
        if (stride == 1 && last > first)
        {
            row.Slice(start + first, last - first).CopyTo(run[first..]);
            return;
        }

        for (var j = first; j < last; j++)
            run[j] = row[start + j * stride];
    }

    private static void ScatterRun(ReadOnlySpan<T> run, Span<T> row, int start, int stride)
    {
        var (first, last) = Inside(start, stride, row.Length, run.Length);
        var j = first;
        if (stride == 1)
        {
            var width = Vector<T>.Count;
            for (; j + width <= last; j += width)
            {
                var target = row.Slice(start + j, width);
                (new Vector<T>(target) + new Vector<T>(run.Slice(j, width))).CopyTo(target);
            }
        }

        for (; j < last; j++)
            row[start + j * stride] += run[j];
    }

    private static void Check(int image, in Window2D window, int from, int count, int columns)
    {
        if (from < 0 || count < 0 || from + count > window.Columns)
            throw new ArgumentException($"im2col: windows {from} to {from + count} of {window.Columns}");
        if (image < window.Channels * window.Height * window.Width)
            throw new ArgumentException($"im2col: the image has {image} elements, {window.Channels}x{window.Height}x{window.Width} were expected");
        if (columns < window.Rows * count)
            throw new ArgumentException($"im2col: the column tile has {columns} elements, {window.Rows}x{count} were expected");
    }
}
