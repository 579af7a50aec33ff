using System.Numerics;
using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>Layer normalisation over dense rows [rows, n].</summary>
internal static unsafe class LayerNorm
{
    /// <summary>
    /// y = (x - mean) / sqrt(variance + eps) * weight + bias; mean and rstd (1 / sqrt) of each row are kept for the derivative. The variance is
    /// two-pass and divides by n. Weight and bias may be null references.
    /// </summary>
    public static void Forward<T>(ref T x, ref T weight, ref T bias, ref T y, ref T mean, ref T rstd, int rows, int n, double eps)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (n == 0) return;
        fixed (T* px = &x, pw = &weight, pb = &bias, py = &y, pm = &mean, pr = &rstd)
        {
            var work = new ForwardWork<T> { X = px, Weight = pw, Bias = pb, Y = py, Mean = pm, Rstd = pr, N = n, Eps = T.CreateTruncating(eps) };
            Ranges.For(rows, Math.Max(1, Ranges.Grain / n), ref work);
        }
    }

    /// <summary>dx = rstd (h - mean(h) - z mean(h z)) with h = g weight and z = (x - mean) rstd. Weight may be a null reference.</summary>
    public static void BackwardInput<T>(ref T g, ref T x, ref T weight, ref T mean, ref T rstd, ref T dx, int rows, int n)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (n == 0) return;
        fixed (T* pg = &g, px = &x, pw = &weight, pm = &mean, pr = &rstd, pd = &dx)
        {
            var work = new BackwardWork<T> { G = pg, X = px, Weight = pw, Mean = pm, Rstd = pr, Dx = pd, N = n };
            Ranges.For(rows, Math.Max(1, Ranges.Grain / n), ref work);
        }
    }

    private struct ForwardWork<T> : IRangeWork
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public T* X, Weight, Bias, Y, Mean, Rstd;
        public int N;
        public T Eps;

        public readonly void Run(long begin, long end)
        {
            var count = T.CreateTruncating(N);
            for (var r = begin; r < end; r++)
            {
                T* x = X + (r * N), y = Y + (r * N);
                var mean = Sequence<Reduce.Sum<T>, T>.Of(default, x, N) / count;
                var variance = Sequence<Reduce.SumOfSquares<T>, T>.Of(default, x, N, mean) / count;
                var rstd = T.One / T.Sqrt(variance + Eps);
                Dense.Unary(new Standardize<T>(mean, rstd), x, y, N);
                if (Weight != null) Dense.Binary(default(Op.Mul<T>), y, false, Weight, false, y, N);
                if (Bias != null) Dense.Binary(default(Op.Add<T>), y, false, Bias, false, y, N);
                Mean[r] = mean;
                Rstd[r] = rstd;
            }
        }
    }

    private struct BackwardWork<T> : IRangeWork
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public T* G, X, Weight, Mean, Rstd, Dx;
        public int N;

        public readonly void Run(long begin, long end)
        {
            var count = T.CreateTruncating(N);
            var rented = System.Buffers.ArrayPool<T>.Shared.Rent(2 * N);
            fixed (T* h = rented)
            {
                var z = h + N;
                for (var r = begin; r < end; r++)
                {
                    Dense.Unary(new Standardize<T>(Mean[r], Rstd[r]), X + (r * N), z, N);
                    if (Weight == null) Rows.Copy(G + (r * N), h, N);
                    else Dense.Binary(default(Op.Mul<T>), G + (r * N), false, Weight, false, h, N);
                    var meanH = Sequence<Reduce.Sum<T>, T>.Of(default, h, N) / count;
                    var meanHz = DotProduct.Of(h, z, N) / count;
                    Dense.Binary(new Project<T>(meanH, meanHz, Rstd[r]), h, false, z, false, Dx + (r * N), N);
                }
            }
            System.Buffers.ArrayPool<T>.Shared.Return(rented);
        }
    }

    private readonly struct Standardize<T>(T mean, T rstd) : IUnary<T>
        where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> => (x - V.Create(mean)) * V.Create(rstd);
    }

    private readonly struct Project<T>(T meanH, T meanHz, T rstd) : IBinary<T>
        where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> => (x - V.Create(meanH) - (y * V.Create(meanHz))) * V.Create(rstd);
    }
}
