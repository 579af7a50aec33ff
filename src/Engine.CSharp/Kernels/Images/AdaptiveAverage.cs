using System.Numerics;

namespace Verified.Engine.Kernels;

/// <summary>Means of dense planes [planes, height, width] over windows that share a plane out evenly: place i of n has the elements from floor(i size / n) to ceil((i + 1) size / n).</summary>
internal static unsafe class AdaptiveAverage
{
    /// <summary>y = the mean under each window.</summary>
    public static void Forward<T>(ref T x, ref T y, int planes, int height, int width, int rows, int columns)
        where T : unmanaged, INumber<T>
    {
        fixed (T* px = &x, py = &y)
        {
            var work = new Work<T> { X = px, Y = py, Height = height, Width = width, Rows = rows, Columns = columns };
            Ranges.For(planes, Math.Max(1, Ranges.Grain / Math.Max(1, (long)height * width)), ref work);
        }
    }

    /// <summary>The transpose: adds to dx, which the caller has set to zero.</summary>
    public static void Backward<T>(ref T g, ref T dx, int planes, int height, int width, int rows, int columns)
        where T : unmanaged, INumber<T>
    {
        fixed (T* pg = &g, pd = &dx)
        {
            var work = new Work<T> { X = pd, Y = pg, Height = height, Width = width, Rows = rows, Columns = columns, IsBackward = true };
            Ranges.For(planes, Math.Max(1, Ranges.Grain / Math.Max(1, (long)height * width)), ref work);
        }
    }

    private struct Work<T> : IRangeWork
        where T : unmanaged, INumber<T>
    {
        public T* X, Y;
        public int Height, Width, Rows, Columns;
        public bool IsBackward;

        public readonly void Run(long begin, long end)
        {
            for (var p = begin; p < end; p++)
                for (var i = 0; i < Rows; i++)
                    for (var j = 0; j < Columns; j++)
                    {
                        var (top, bottom) = Range(i, Height, Rows);
                        var (left, right) = Range(j, Width, Columns);
                        ref var y = ref Y[(((p * Rows) + i) * Columns) + j];
                        var count = T.CreateTruncating((bottom - top) * (right - left));
                        var plane = X + (p * Height * Width);
                        if (IsBackward) Spread(plane, top, bottom, left, right, y / count);
                        else y = Sum(plane, top, bottom, left, right) / count;
                    }
        }

        private static (int First, int End) Range(int place, int size, int count) =>
            ((int)((long)place * size / count), (int)((((long)(place + 1) * size) + count - 1) / count));

        private readonly T Sum(T* plane, int top, int bottom, int left, int right)
        {
            var sequence = new Sequence<Reduce.Sum<T>, T>(default);
            for (var r = top; r < bottom; r++)
                for (var c = left; c < right; c += Sequence<Reduce.Sum<T>, T>.Leaf)
                    sequence.Add(plane + ((long)r * Width) + c, Math.Min(Sequence<Reduce.Sum<T>, T>.Leaf, right - c), default);
            return sequence.Result();
        }

        private readonly void Spread(T* plane, int top, int bottom, int left, int right, T share)
        {
            for (var r = top; r < bottom; r++)
                for (var c = left; c < right; c++)
                    plane[((long)r * Width) + c] += share;
        }
    }
}
