using System.Numerics;
using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>Maximum pooling of dense planes; padding is minus infinity, the first of equal elements wins, NaN wins over all.</summary>
internal static unsafe class MaxPool
{
    /// <summary>Maxima, and each one's place in its plane (row * width + column).</summary>
    public static void Forward<T>(ref T x, ref T y, ref long places, int planes, Window window)
        where T : unmanaged, INumber<T>
    {
        fixed (T* px = &x, py = &y)
        fixed (long* pp = &places)
        {
            var work = new Work<T> { X = px, Y = py, Places = pp, W = window };
            var size = (long)window.OutHeight * window.OutWidth * window.KernelHeight * window.KernelWidth;
            Ranges.For(planes, Math.Max(1, Ranges.Grain / Math.Max(1, size)), ref work);
        }
    }

    /// <summary>
    /// dx[places] += g, in row-major order of g. The caller has set dx to zero. Returns the first place that is outside of its plane, where it stops; -1 where none is.
    /// </summary>
    public static long Backward<T>(ref T g, ref long places, ref T dx, int planes, Window window)
        where T : unmanaged, INumber<T>
    {
        fixed (T* pg = &g, pd = &dx)
        fixed (long* pp = &places)
        {
            long size = (long)window.OutHeight * window.OutWidth, plane = (long)window.Height * window.Width;
            for (long p = 0; p < planes; p++)
                for (long i = 0; i < size; i++)
                {
                    var place = pp[(p * size) + i];
                    if ((ulong)place >= (ulong)plane) return (p * size) + i;
                    pd[(p * plane) + place] += pg[(p * size) + i];
                }
        }
        return -1;
    }

    private struct Work<T> : IRangeWork
        where T : unmanaged, INumber<T>
    {
        public T* X, Y;
        public long* Places;
        public Window W;

        public readonly void Run(long begin, long end)
        {
            if (W is { KernelHeight: 2, KernelWidth: 2, PadHeight: 0, PadWidth: 0, DilationHeight: 1, DilationWidth: 1 }
                && (W.OutHeight - 1) * W.StrideHeight + 2 <= W.Height && (W.OutWidth - 1) * W.StrideWidth + 2 <= W.Width)
            {
                Squares(begin, end);
                return;
            }
            var at = begin * W.OutHeight * W.OutWidth;
            for (var p = begin; p < end; p++)
            {
                var x = X + (p * W.Height * W.Width);
                for (var i = 0; i < W.OutHeight; i++)
                {
                    var top = (i * W.StrideHeight) - W.PadHeight;
                    var bottom = Math.Min(top + ((W.KernelHeight - 1) * W.DilationHeight) + 1, W.Height);
                    while (top < 0) top += W.DilationHeight;
                    for (var j = 0; j < W.OutWidth; j++, at++)
                    {
                        var left = (j * W.StrideWidth) - W.PadWidth;
                        var right = Math.Min(left + ((W.KernelWidth - 1) * W.DilationWidth) + 1, W.Width);
                        while (left < 0) left += W.DilationWidth;
                        var best = Limits.Least<T>();
                        var place = ((long)top * W.Width) + left;
                        for (var r = top; r < bottom; r += W.DilationHeight)
                            for (var c = left; c < right; c += W.DilationWidth)
                            {
                                var value = x[((long)r * W.Width) + c];
                                if (!(value > best) && !T.IsNaN(value)) continue;
                                best = value;
                                place = ((long)r * W.Width) + c;
                            }
                        Y[at] = best;
                        Places[at] = place;
                    }
                }
            }
        }

        /// <summary>Windows of two by two inside the plane. Places are chosen without branches, which nothing could predict.</summary>
        private readonly void Squares(long begin, long end)
        {
            var at = begin * W.OutHeight * W.OutWidth;
            for (var p = begin; p < end; p++)
            {
                var x = X + (p * W.Height * W.Width);
                for (var i = 0; i < W.OutHeight; i++)
                {
                    var first = (long)i * W.StrideHeight * W.Width;
                    for (var j = 0; j < W.OutWidth; j++, at++, first += W.StrideWidth)
                    {
                        var place = Later(x, Later(x, first, first + 1), Later(x, first + W.Width, first + W.Width + 1));
                        Y[at] = x[place];
                        Places[at] = place;
                    }
                }
            }
        }

        /// <summary>The later place where its element is larger or NaN, else the earlier.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static long Later(T* x, long earlier, long later)
        {
            T a = x[earlier], b = x[later];
            // All ones where the later one is taken.
            var mask = -(long)Unsafe.BitCast<bool, byte>((b > a) | T.IsNaN(b));
            return earlier ^ ((earlier ^ later) & mask);
        }
    }
}
