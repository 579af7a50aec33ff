using System.Runtime.CompilerServices;

namespace Verified.Engine.Blas;

/// <summary>
/// Kernels of matrix times vector. An inner product is kept in 16 lanes: lane l is the chain of fused multiply-adds over the
/// elements l, l + 16, l + 32, ...; then lanes are added in halves (8, 4, 2, 1). Lanes lie in registers where rows are contiguous
/// and across vectors of rows where columns are; the bits are the same either way, and for every register width.
/// </summary>
internal static unsafe class VectorKernels<TSimd, TVector, T>
    where TSimd : struct, ISimd<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    /// <summary>The inner product of two contiguous vectors of k elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Dot(nint k, T* x, T* y)
    {
        var width = TSimd.Count;
        TVector s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        nint p = 0;
        for (; p + VectorProduct.Lanes <= k; p += VectorProduct.Lanes, x += VectorProduct.Lanes, y += VectorProduct.Lanes)
        {
            s0 = TSimd.MultiplyAdd(TSimd.Load(x), TSimd.Load(y), s0);
            if (width <= 8)
                s1 = TSimd.MultiplyAdd(TSimd.Load(x + width), TSimd.Load(y + width), s1);
            if (width <= 4)
            {
                s2 = TSimd.MultiplyAdd(TSimd.Load(x + 2 * width), TSimd.Load(y + 2 * width), s2);
                s3 = TSimd.MultiplyAdd(TSimd.Load(x + 3 * width), TSimd.Load(y + 3 * width), s3);
            }

            if (width <= 2)
            {
                s4 = TSimd.MultiplyAdd(TSimd.Load(x + 4 * width), TSimd.Load(y + 4 * width), s4);
                s5 = TSimd.MultiplyAdd(TSimd.Load(x + 5 * width), TSimd.Load(y + 5 * width), s5);
                s6 = TSimd.MultiplyAdd(TSimd.Load(x + 6 * width), TSimd.Load(y + 6 * width), s6);
                s7 = TSimd.MultiplyAdd(TSimd.Load(x + 7 * width), TSimd.Load(y + 7 * width), s7);
            }
        }

        var lanes = stackalloc T[VectorProduct.Lanes];
        TSimd.Store(lanes, s0);
        if (width <= 8)
            TSimd.Store(lanes + width, s1);
        if (width <= 4)
        {
            TSimd.Store(lanes + 2 * width, s2);
            TSimd.Store(lanes + 3 * width, s3);
        }

        if (width <= 2)
        {
            TSimd.Store(lanes + 4 * width, s4);
            TSimd.Store(lanes + 5 * width, s5);
            TSimd.Store(lanes + 6 * width, s6);
            TSimd.Store(lanes + 7 * width, s7);
        }

        for (nint lane = 0; lane < k - p; lane++)
            lanes[lane] = Fused.MultiplyAdd(x[lane], y[lane], lanes[lane]);
        return VectorProduct.AddLanes(lanes);
    }

    /// <summary>y += alpha x, each element by one fused multiply-add.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Axpy(nint n, T* x, T alpha, T* y)
    {
        var width = TSimd.Count;
        var a = TSimd.Broadcast(alpha);
        nint i = 0;
        for (; i + width <= n; i += width)
            TSimd.Store(y + i, TSimd.MultiplyAdd(a, TSimd.Load(x + i), TSimd.Load(y + i)));
        for (; i < n; i++)
            y[i] = Fused.MultiplyAdd(alpha, x[i], y[i]);
    }
}
