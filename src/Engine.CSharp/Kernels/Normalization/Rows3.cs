using System.Buffers;

namespace Verified.Engine.Kernels;

/// <summary>A kernel over one row of two sources and a destination; the destination may be a source.</summary>
internal unsafe interface IRow<T>
    where T : unmanaged
{
    void Run(T* x, T* y, T* z, int n);
}

/// <summary>Runs a row kernel along the middle of dense operands [outer, n, inner]; columns pass through buffers.</summary>
internal static unsafe class Rows3
{
    public static void Run<TRow, T>(TRow row, ref T x, ref T y, ref T z, int outer, int n, int inner)
        where TRow : struct, IRow<T>
        where T : unmanaged
    {
        if (n == 0) return;
        fixed (T* px = &x, py = &y, pz = &z)
        {
            var work = new Work<TRow, T> { Row = row, X = px, Y = py, Z = pz, N = n, Inner = inner };
            Ranges.For((long)outer * inner, Math.Max(1, Ranges.Grain / n), ref work);
        }
    }

    private struct Work<TRow, T> : IRangeWork
        where TRow : struct, IRow<T>
        where T : unmanaged
    {
        public TRow Row;
        public T* X, Y, Z;
        public int N, Inner;

        public readonly void Run(long begin, long end)
        {
            if (Inner == 1)
            {
                for (var r = begin; r < end; r++) Row.Run(X + (r * N), Y + (r * N), Z + (r * N), N);
                return;
            }
            var rented = ArrayPool<T>.Shared.Rent(3 * N);
            fixed (T* buffer = rented)
            {
                T* x = buffer, y = X == Y ? x : buffer + N, z = buffer + (2 * N);
                for (var r = begin; r < end; r++)
                {
                    var start = (r / Inner * N * Inner) + (r % Inner);
                    Rows.Gather(X + start, Inner, x, N);
                    if (X != Y) Rows.Gather(Y + start, Inner, y, N);
                    Row.Run(x, y, z, N);
                    Rows.Scatter(z, Z + start, Inner, N);
                }
            }
            ArrayPool<T>.Shared.Return(rented);
        }
    }
}
