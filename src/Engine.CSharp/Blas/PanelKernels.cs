using System.Runtime.CompilerServices;

namespace Verified.Engine.Blas;

/// <summary>Copies of contiguous rows into a panel.</summary>
internal static unsafe class PanelKernels<TSimd, TVector, T>
    where TSimd : struct, ISimd<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    /// <summary>
    /// target[p * pitch + l] = source[p * stride + l] for l below count; up to the pitch anything, finite or not. Nothing beyond the k
    /// rows is written: another thread's rows may lie there.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyRows(nint k, T* source, nint stride, int count, T* target, int pitch)
    {
        var width = TSimd.Count;
        if (count == 2 * width && pitch == count)
        {
            for (; k > 0; k--, source += stride, target += pitch)
            {
                TSimd.Store(target, TSimd.Load(source));
                TSimd.Store(target + width, TSimd.Load(source + width));
            }

            return;
        }

        // Where a register reaches beyond its row into the next ones, it may, as long as there are such: what it reads there is of
        // no meaning, and what it writes there is written again with them.
        var reach = (pitch + width - 1) / width * width;
        var last = Math.Max((reach - count + stride - 1) / Math.Max(stride, 1), (reach - 1) / pitch);
        for (; stride > 0 && k > last; k--, source += stride, target += pitch)
        {
            for (var l = 0; l < pitch; l += width)
                TSimd.Store(target + l, TSimd.Load(source + l));
        }

        for (; k > 0; k--, source += stride, target += pitch)
        {
            var l = 0;
            for (; l + width <= count; l += width)
                TSimd.Store(target + l, TSimd.Load(source + l));
            for (; l < count; l++)
                target[l] = source[l];
        }
    }

    /// <summary>As <see cref="CopyRows"/>, but writes nothing beyond a row's count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyOut(nint k, T* source, int pitch, int count, T* target, nint stride)
    {
        var width = TSimd.Count;
        for (; k > 0; k--, source += pitch, target += stride)
        {
            var l = 0;
            for (; l + width <= count; l += width)
                TSimd.Store(target + l, TSimd.Load(source + l));
            if (l > 0 && l < count)
            {
                TSimd.Store(target + count - width, TSimd.Load(source + count - width));
                continue;
            }

            for (; l < count; l++)
                target[l] = source[l];
        }
    }
}
