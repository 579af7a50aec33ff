using System.Runtime.CompilerServices;

namespace Verified.Engine.Blas;

/// <summary>Copies of contiguous rows into a panel.</summary>
internal static unsafe class PanelKernels<TSimd, TVector, T>
    where TSimd : struct, ISimd<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    /// <summary>target[p * pitch + l] = source[p * stride + l] for l below count, and zero up to the pitch, two registers.</summary>
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

        for (; k > 0; k--, source += stride, target += pitch)
        {
            var l = 0;
            for (; l + width <= count; l += width)
                TSimd.Store(target + l, TSimd.Load(source + l));
            for (; l < count; l++)
                target[l] = source[l];
            for (; l < pitch; l++)
                target[l] = default;
        }
    }
}
