using System.Numerics;
using Verified.Engine.Blas;

namespace Verified.Engine.Kernels;

/// <summary>im2col and its transpose where windows step by one column: whole lines of windows, so that a run is a copy of consecutive elements.</summary>
internal static unsafe class UnitColumns
{
    /// <summary>columns[r, ..] = the image under element r of each window of the lines [first, first + lines), zero in the padding.</summary>
    public static void Gather<T>(T* image, in Window2D window, int first, int lines, T* columns)
        where T : unmanaged, INumberBase<T>
    {
        int across = window.OutWidth, height = window.Height, width = window.Width;
        for (var plane = 0; plane < window.Channels; plane++, image += height * width)
            for (var i = 0; i < window.KernelHeight; i++)
                for (var j = 0; j < window.KernelWidth; j++)
                {
                    var (start, end, offset) = Inside(window, j);
                    var row = (first * window.StrideHeight) + (i * window.DilationHeight) - window.PaddingHeight;
                    for (var line = 0; line < lines; line++, row += window.StrideHeight, columns += across)
                    {
                        if ((uint)row >= (uint)height)
                        {
                            new Span<T>(columns, across).Clear();
                            continue;
                        }
                        for (var k = 0; k < start; k++) columns[k] = T.Zero;
                        Copy(image + ((long)row * width) + offset + start, columns + start, end - start);
                        for (var k = end; k < across; k++) columns[k] = T.Zero;
                    }
                }
    }

    /// <summary>Adds columns[r, ..] to the elements that <see cref="Gather"/> read them from.</summary>
    public static void Scatter<T>(T* columns, in Window2D window, int first, int lines, T* image)
        where T : unmanaged, INumberBase<T>
    {
        int across = window.OutWidth, height = window.Height, width = window.Width;
        for (var plane = 0; plane < window.Channels; plane++, image += height * width)
            for (var i = 0; i < window.KernelHeight; i++)
                for (var j = 0; j < window.KernelWidth; j++)
                {
                    var (start, end, offset) = Inside(window, j);
                    var row = (first * window.StrideHeight) + (i * window.DilationHeight) - window.PaddingHeight;
                    for (var line = 0; line < lines; line++, row += window.StrideHeight, columns += across)
                        if ((uint)row < (uint)height) Add(columns + start, image + ((long)row * width) + offset + start, end - start);
                }
    }

    /// <summary>The windows of a line whose element in column j lies inside the image, and where that is for the first window of all.</summary>
    private static (int Start, int End, int Offset) Inside(in Window2D window, int j)
    {
        var offset = (j * window.DilationWidth) - window.PaddingWidth;
        var start = Math.Clamp(-offset, 0, window.OutWidth);
        return (start, Math.Clamp(window.Width - offset, start, window.OutWidth), offset);
    }

    /// <summary>Copies a short run; the last register overlaps the one before.</summary>
    private static void Copy<T>(T* from, T* to, int count)
        where T : unmanaged
    {
        var width = Vector<T>.Count;
        var k = 0;
        if (count < width)
        {
            for (; k < count; k++) to[k] = from[k];
            return;
        }
        for (; k + width <= count; k += width) Vector.Store(Vector.Load(from + k), to + k);
        if (k < count) Vector.Store(Vector.Load(from + count - width), to + count - width);
    }

    private static void Add<T>(T* from, T* to, int count)
        where T : unmanaged, INumberBase<T>
    {
        var width = Vector<T>.Count;
        var k = 0;
        for (; k + width <= count; k += width) Vector.Store(Vector.Load(to + k) + Vector.Load(from + k), to + k);
        for (; k < count; k++) to[k] += from[k];
    }
}
