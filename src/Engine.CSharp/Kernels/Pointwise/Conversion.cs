using System.Numerics;
using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>Copies between strided operands, of one element type or from one to another, and fills.</summary>
internal static unsafe class Conversion
{
    private const int Chunk = 512;

    /// <summary>y = x, elements of one type. Operands must not overlap, unless they are the same.</summary>
    [SkipLocalsInit]
    public static void Copy<T>(ReadOnlySpan<int> shape, ref T x, ReadOnlySpan<int> xStrides, ref T y, ReadOnlySpan<int> yStrides)
        where T : unmanaged
    {
        var memory = stackalloc int[Loop.Memory(shape.Length, 2)];
        var loop = Loop.Begin(memory, shape);
        loop.Add(yStrides);
        loop.Add(xStrides);
        loop.Finish();
        fixed (T* px = &x, py = &y)
        {
            var work = new CopyWork<T> { Loop = &loop, X = px, Y = py };
            Ranges.For(loop.Count, Ranges.Grain, ref work);
        }
    }

    /// <summary>
    /// y = x converted as PyTorch does: to integers by truncation (what none is, to the least), to truth values (<see cref="byte"/>, 0 or 1) by a test against zero.
    /// </summary>
    [SkipLocalsInit]
    public static void Convert<TFrom, TTo>(ReadOnlySpan<int> shape, ref TFrom x, ReadOnlySpan<int> xStrides, ref TTo y, ReadOnlySpan<int> yStrides)
        where TFrom : unmanaged, INumber<TFrom>
        where TTo : unmanaged, INumber<TTo>
    {
        var memory = stackalloc int[Loop.Memory(shape.Length, 2)];
        var loop = Loop.Begin(memory, shape);
        loop.Add(yStrides);
        loop.Add(xStrides);
        loop.Finish();
        fixed (TFrom* px = &x)
        fixed (TTo* py = &y)
        {
            var work = new ConvertWork<TFrom, TTo> { Loop = &loop, X = px, Y = py };
            Ranges.For(loop.Count, Ranges.Grain, ref work);
        }
    }

    /// <summary>y = value.</summary>
    [SkipLocalsInit]
    public static void Fill<T>(ReadOnlySpan<int> shape, T value, ref T y, ReadOnlySpan<int> yStrides)
        where T : unmanaged
    {
        var memory = stackalloc int[Loop.Memory(shape.Length, 2)];
        var loop = Loop.Begin(memory, shape);
        loop.Add(yStrides);
        loop.Finish();
        if (loop.Count == 0) return;
        fixed (T* py = &y)
        {
            var walk = new Walk(loop, 0, 0, stackalloc int[loop.Rank + 1]);
            for (var left = loop.Count; left > 0;)
            {
                var row = (int)Math.Min(left, int.MaxValue);
                left -= row;
                while (row > 0)
                {
                    var take = walk.Take(ref row);
                    Rows.FillStrided(value, py + walk.Offset, walk.Stride, take);
                    walk.Advance(take);
                }
            }
        }
    }

    private struct CopyWork<T> : IRangeWork
        where T : unmanaged
    {
        public Loop* Loop;
        public T* X, Y;

        [SkipLocalsInit]
        public readonly void Run(long begin, long end)
        {
            bool denseX = Loop->IsDense(1), denseY = Loop->IsDense(0);
            if (denseX && denseY)
            {
                Buffer.MemoryCopy(X + begin, Y + begin, (end - begin) * sizeof(T), (end - begin) * sizeof(T));
                return;
            }
            var buffer = stackalloc T[Chunk];
            for (var at = begin; at < end; at += Chunk)
            {
                var n = (int)Math.Min(Chunk, end - at);
                if (denseY) Loop->Pack(1, X, at, n, Y + at);
                else Loop->Unpack(0, Chunks.In(Loop, 1, denseX, X, at, n, buffer), at, n, Y);
            }
        }
    }

    private struct ConvertWork<TFrom, TTo> : IRangeWork
        where TFrom : unmanaged, INumber<TFrom>
        where TTo : unmanaged, INumber<TTo>
    {
        public Loop* Loop;
        public TFrom* X;
        public TTo* Y;

        [SkipLocalsInit]
        public readonly void Run(long begin, long end)
        {
            bool denseX = Loop->IsDense(1), denseY = Loop->IsDense(0);
            var bufferX = stackalloc TFrom[Chunk];
            var bufferY = stackalloc TTo[Chunk];
            for (var at = begin; at < end; at += Chunk)
            {
                var n = (int)Math.Min(Chunk, end - at);
                var x = Chunks.In(Loop, 1, denseX, X, at, n, bufferX);
                var y = denseY ? Y + at : bufferY;
                for (var i = 0; i < n; i++) y[i] = One(x[i]);
                if (!denseY) Loop->Unpack(0, y, at, n, Y);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TTo One(TFrom x)
        {
            if (typeof(TTo) == typeof(byte)) return TFrom.IsZero(x) ? TTo.Zero : TTo.One;
            if (typeof(TFrom) == typeof(double) && typeof(TTo) == typeof(float)) return (TTo)(object)(float)(double)(object)x;
            if (typeof(TFrom) == typeof(float) && typeof(TTo) == typeof(double)) return (TTo)(object)(double)(float)(object)x;
            if (typeof(TFrom) == typeof(double) && typeof(TTo) == typeof(long)) return (TTo)(object)Whole((double)(object)x);
            if (typeof(TFrom) == typeof(float) && typeof(TTo) == typeof(long)) return (TTo)(object)Whole((float)(object)x);
            return TTo.CreateTruncating(x);
        }

        // What no integer is, NaN or beyond the range, becomes the least one, as on x64 it does in PyTorch; a cast in C# would take the nearest.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static long Whole(double x) => x is >= long.MinValue and < 9223372036854775808.0 ? (long)x : long.MinValue;
    }
}
