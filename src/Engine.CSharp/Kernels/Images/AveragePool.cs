using System.Numerics;

namespace Verified.Engine.Kernels;

/// <summary>Average pooling of dense planes, padded by zeros.</summary>
internal static unsafe class AveragePool
{
    /// <summary>
    /// Sums over each window, row by row, divided by <paramref name="divisor"/>, or where that is 0 by the window's elements: with
    /// <paramref name="countPad"/> those on padding too (but not those beyond it).
    /// </summary>
    public static void Forward<T>(ref T x, ref T y, int planes, Window window, bool countPad, int divisor = 0)
        where T : unmanaged, INumber<T>
    {
        fixed (T* px = &x, py = &y)
        {
            var work = new ForwardWork<T> { X = px, Y = py, W = window, CountPad = countPad, Divisor = divisor };
            Ranges.For(planes, Grain(window), ref work);
        }
    }

    /// <summary>dx += g / divisor over each window, in row-major order of g. The caller has set dx to zero.</summary>
    public static void Backward<T>(ref T g, ref T dx, int planes, Window window, bool countPad, int divisor = 0)
        where T : unmanaged, INumber<T>
    {
        fixed (T* pg = &g, pd = &dx)
        {
            var work = new BackwardWork<T> { G = pg, Dx = pd, W = window, CountPad = countPad, Divisor = divisor };
            Ranges.For(planes, Grain(window), ref work);
        }
    }

    private static long Grain(Window w) =>
        Math.Max(1, Ranges.Grain / Math.Max(1, (long)w.OutHeight * w.OutWidth * w.KernelHeight * w.KernelWidth));

    /// <summary>The part of one window inside the plane, and what its sum is divided by.</summary>
    private readonly ref struct Place
    {
        public readonly int Top, Bottom, Left, Right, Divisor;

        public Place(in Window w, int i, int j, bool countPad, int divisor)
        {
            Top = (i * w.StrideHeight) - w.PadHeight;
            Left = (j * w.StrideWidth) - w.PadWidth;
            Bottom = Math.Min(Top + w.KernelHeight, w.Height + w.PadHeight);
            Right = Math.Min(Left + w.KernelWidth, w.Width + w.PadWidth);
            var padded = (Bottom - Top) * (Right - Left);
            Top = Math.Max(Top, 0);
            Left = Math.Max(Left, 0);
            Bottom = Math.Min(Bottom, w.Height);
            Right = Math.Min(Right, w.Width);
            Divisor = divisor != 0 ? divisor : countPad ? padded : (Bottom - Top) * (Right - Left);
        }

        public bool IsEmpty => Top >= Bottom || Left >= Right;
    }

    private struct ForwardWork<T> : IRangeWork
        where T : unmanaged, INumber<T>
    {
        public T* X, Y;
        public Window W;
        public bool CountPad;
        public int Divisor;

        public readonly void Run(long begin, long end)
        {
            var at = begin * W.OutHeight * W.OutWidth;
            for (var p = begin; p < end; p++)
            {
                var x = X + (p * W.Height * W.Width);
                for (var i = 0; i < W.OutHeight; i++)
                    for (var j = 0; j < W.OutWidth; j++, at++)
                    {
                        var place = new Place(W, i, j, CountPad, Divisor);
                        var sum = T.Zero;
                        for (var r = place.Top; r < place.Bottom; r++)
                            for (var c = place.Left; c < place.Right; c++) sum += x[((long)r * W.Width) + c];
                        Y[at] = place.IsEmpty ? T.Zero : sum / T.CreateTruncating(place.Divisor);
                    }
            }
        }
    }

    private struct BackwardWork<T> : IRangeWork
        where T : unmanaged, INumber<T>
    {
        public T* G, Dx;
        public Window W;
        public bool CountPad;
        public int Divisor;

        public readonly void Run(long begin, long end)
        {
            var at = begin * W.OutHeight * W.OutWidth;
            for (var p = begin; p < end; p++)
            {
                var dx = Dx + (p * W.Height * W.Width);
                for (var i = 0; i < W.OutHeight; i++)
                    for (var j = 0; j < W.OutWidth; j++, at++)
                    {
                        var place = new Place(W, i, j, CountPad, Divisor);
                        if (place.IsEmpty) continue;
                        var share = G[at] / T.CreateTruncating(place.Divisor);
                        for (var r = place.Top; r < place.Bottom; r++)
                            for (var c = place.Left; c < place.Right; c++) dx[((long)r * W.Width) + c] += share;
                    }
            }
        }
    }
}
