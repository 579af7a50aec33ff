using System.Numerics;
using Verified.Engine.Blas;

namespace Verified.Engine.Kernels;

/// <summary>
/// Convolution by matrix products over tiles of im2col, of dense operands: y (images of Groups OutPerGroup planes), x and a weight, each computed
/// from the other two. Images go in parallel; borders depend on sizes alone.
/// </summary>
internal static unsafe class Convolve
{
    /// <summary>Bytes of a tile of windows; a tile stays in the cache between being made and being read.</summary>
    private const int TileBytes = 1 << 19;

    /// <summary>Bytes of one line of windows from which tiles are parts of lines: of long signals, or long filters, whole lines are more than memory holds.</summary>
    private const int LongLineBytes = 1 << 24;

    /// <summary>The most parts that a weight's sum over images is split in; their sums are added in order.</summary>
    private const int WeightParts = 8;

    /// <summary>Multiplications below which a part is not worth a thread.</summary>
    private const long PartWork = 1 << 18;

    /// <summary>y += w * x: what y holds is added to (a bias, or zeros) where <paramref name="accumulate"/> is set.</summary>
    public static void Output<T>(in ConvolutionWindow window, T* x, T* weight, T* y, bool accumulate)
        where T : unmanaged, INumberBase<T>
    {
        if (window.Group.Columns == 0) return;
        ForImages(new OutputWork<T> { W = window, X = x, Weight = weight, Y = y, Accumulate = accumulate });
    }

    /// <summary>x += the transpose: each y is spread over its window. The caller has set x (to a bias, or zeros).</summary>
    public static void Input<T>(in ConvolutionWindow window, T* y, T* weight, T* x)
        where T : unmanaged, INumberBase<T>
    {
        if (window.Group.Columns == 0) return;
        ForImages(new InputWork<T> { W = window, X = x, Weight = weight, Y = y });
    }

    /// <summary>The weight's gradient: the sum over images and places of y times x. Overwrites <paramref name="weight"/>.</summary>
    public static void Weight<T>(in ConvolutionWindow window, T* x, T* y, T* weight)
        where T : unmanaged, INumberBase<T>
    {
        var count = window.Groups * window.OutPerGroup * window.Group.Rows;
        if (window.Batch == 0 || window.Group.Columns == 0)
        {
            new Span<T>(weight, count).Clear();
            return;
        }
        var parts = (int)Math.Clamp(Work(window) * window.Batch / PartWork, 1, Math.Min(WeightParts, window.Batch));
        if (parts == 1)
        {
            new WeightWork<T> { W = window, X = x, Y = y, Weight = weight, Partial = weight, PerPart = window.Batch }.Invoke(0);
            return;
        }
        var perPart = (window.Batch + parts - 1) / parts;
        parts = (window.Batch + perPart - 1) / perPart;
        var block = NativePool.Rent((long)(parts - 1) * count * sizeof(T));
        Parallelism.For(parts, new WeightWork<T> { W = window, X = x, Y = y, Weight = weight, Partial = (T*)block.Start - count, PerPart = perPart, Count = count });
        for (var part = 1; part < parts; part++) Dense.Binary(default(Sum<T>), weight, false, (T*)block.Start + ((long)(part - 1) * count), false, weight, count);
        block.Release();
    }

    private static long Work(in ConvolutionWindow window) =>
        (long)window.Groups * window.OutPerGroup * window.Group.Rows * window.Group.Columns;

    private static void ForImages<TBody>(TBody body)
        where TBody : struct, IImageWork
    {
        var window = body.Window;
        var perItem = Parallelism.SharesEverything ? 1 : (int)Math.Clamp(PartWork / Math.Max(1, Work(window)), 1, Math.Max(1, window.Batch));
        Parallelism.For((window.Batch + perItem - 1) / perItem, new Images<TBody> { Body = body, PerItem = perItem });
    }

    /// <summary>Windows in a tile: whole lines of them, or of long lines parts.</summary>
    internal static int Tile<T>(in Window2D window)
        where T : unmanaged
    {
        var each = Math.Max(1, (long)window.Rows * sizeof(T));
        var line = each * Math.Max(1, window.OutWidth);
        var tile = line > LongLineBytes ? Math.Max(1, LongLineBytes / each) : Math.Max(1, TileBytes / line) * window.OutWidth;
        return (int)Math.Min(window.Columns, tile);
    }

    /// <summary>Whether a tile is whole lines of windows that step by one column.</summary>
    private static bool IsUnitLines(in Window2D window, int from, int count) =>
        window.StrideWidth == 1 && from % window.OutWidth == 0 && count % window.OutWidth == 0;

    /// <summary>The tile as rows of windows' elements: the image itself where it is that already, else a copy.</summary>
    private static Operand<T> Columns<T>(T* image, in Window2D window, int from, int count)
        where T : unmanaged, INumberBase<T>
    {
        if (window.IsIdentity) return new Operand<T>(image + from, window.Columns, 1);
        var columns = Scratch.Columns.Take<T>((nint)window.Rows * count);
        if (IsUnitLines(window, from, count)) UnitColumns.Gather(image, window, from / window.OutWidth, count / window.OutWidth, columns);
        else Im2Col<T>.Gather(new ReadOnlySpan<T>(image, window.Channels * window.Height * window.Width), window, from, count, new Span<T>(columns, window.Rows * count));
        return new Operand<T>(columns, count, 1);
    }

    private interface IImageWork
    {
        ConvolutionWindow Window { get; }

        void Run(int image);
    }

    private struct Images<TBody> : IParallelBody
        where TBody : struct, IImageWork
    {
        public TBody Body;
        public int PerItem;

        public void Invoke(int index)
        {
            var end = Math.Min(Body.Window.Batch, (index + 1) * PerItem);
            for (var image = index * PerItem; image < end; image++) Body.Run(image);
        }
    }

    private struct OutputWork<T> : IImageWork
        where T : unmanaged, INumberBase<T>
    {
        public ConvolutionWindow W;
        public T* X, Weight, Y;
        public bool Accumulate;

        public readonly ConvolutionWindow Window => W;

        public readonly void Run(int image)
        {
            var group = W.Group;
            int rows = group.Rows, columns = group.Columns, m = W.OutPerGroup, tile = Tile<T>(group);
            for (var g = 0; g < W.Groups; g++)
            {
                var part = ((long)image * W.Groups) + g;
                var x = X + (part * group.Channels * group.Height * group.Width);
                var y = Y + (part * m * columns);
                var weight = new Operand<T>(Weight + ((long)g * m * rows), rows, 1);
                for (var from = 0; from < columns; from += tile)
                {
                    var count = Math.Min(tile, columns - from);
                    MatrixProducts.Multiply(m, count, rows, weight, Columns(x, group, from, count), y + from, columns, Accumulate);
                }
            }
        }
    }

    private struct InputWork<T> : IImageWork
        where T : unmanaged, INumberBase<T>
    {
        public ConvolutionWindow W;
        public T* X, Weight, Y;

        public readonly ConvolutionWindow Window => W;

        public readonly void Run(int image)
        {
            var group = W.Group;
            int rows = group.Rows, columns = group.Columns, m = W.OutPerGroup, tile = Tile<T>(group), size = group.Channels * group.Height * group.Width;
            for (var g = 0; g < W.Groups; g++)
            {
                var part = ((long)image * W.Groups) + g;
                var x = X + (part * size);
                var y = Y + (part * m * columns);
                var weight = new Operand<T>(Weight + ((long)g * m * rows), 1, rows);
                if (group.IsIdentity)
                {
                    MatrixProducts.Multiply(rows, columns, m, weight, new Operand<T>(y, columns, 1), x, columns, accumulate: true);
                    continue;
                }
                for (var from = 0; from < columns; from += tile)
                {
                    var count = Math.Min(tile, columns - from);
                    var spread = Scratch.Columns.Take<T>((nint)rows * count);
                    MatrixProducts.Multiply(rows, count, m, weight, new Operand<T>(y + from, columns, 1), spread, count);
                    if (IsUnitLines(group, from, count)) UnitColumns.Scatter(spread, group, from / group.OutWidth, count / group.OutWidth, x);
                    else Im2Col<T>.Scatter(new ReadOnlySpan<T>(spread, rows * count), group, from, count, new Span<T>(x, size));
                }
            }
        }
    }

    /// <summary>One part of the images: the first writes to the result, the others to partial sums behind each other.</summary>
    private struct WeightWork<T> : IParallelBody
        where T : unmanaged, INumberBase<T>
    {
        public ConvolutionWindow W;
        public T* X, Y, Weight, Partial;
        public int PerPart, Count;

        public readonly void Invoke(int index)
        {
            var group = W.Group;
            int rows = group.Rows, columns = group.Columns, m = W.OutPerGroup, tile = Tile<T>(group);
            var result = index == 0 ? Weight : Partial + ((long)index * Count);
            int first = index * PerPart, end = Math.Min(W.Batch, first + PerPart);
            for (var image = first; image < end; image++)
                for (var g = 0; g < W.Groups; g++)
                {
                    var part = ((long)image * W.Groups) + g;
                    var x = X + (part * group.Channels * group.Height * group.Width);
                    var y = Y + (part * m * columns);
                    for (var from = 0; from < columns; from += tile)
                    {
                        var count = Math.Min(tile, columns - from);
                        MatrixProducts.Multiply(
                            m, rows, count, new Operand<T>(y + from, columns, 1), Columns(x, group, from, count).Transposed, result + ((long)g * m * rows), rows, image > first || from > 0);
                    }
                }
        }
    }

    private readonly struct Sum<T> : IBinary<T>
        where T : unmanaged
    {
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> => x + y;
    }
}
