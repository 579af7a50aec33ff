using System.Numerics;

namespace Verified.Engine.Kernels;

/// <summary>Running sums.</summary>
internal static unsafe class Cumulative
{
    /// <summary>
    /// y[o, i, k] = x[o, 0, k] + ... + x[o, i, k] of dense operands [outer, n, inner], one after the other; floats are added in double
    /// precision and each sum rounded, as PyTorch does. The destination may be the source.
    /// </summary>
    public static void Sum<T>(ref T x, ref T y, int outer, int n, int inner, bool reverse = false)
        where T : unmanaged, INumber<T>
    {
        fixed (T* px = &x, py = &y)
        {
            if (typeof(T) == typeof(float)) Sum<T, double>(px, py, outer, n, inner, reverse);
            else Sum<T, T>(px, py, outer, n, inner, reverse);
        }
    }

    private static void Sum<T, TSum>(T* x, T* y, int outer, int n, int inner, bool reverse)
        where T : unmanaged, INumber<T>
        where TSum : unmanaged, INumber<TSum>
    {
        for (long o = 0; o < outer; o++)
            for (var k = 0; k < inner; k++)
            {
                var start = (o * n * inner) + k;
                var sum = TSum.Zero;
                for (var i = 0; i < n; i++)
                {
                    var at = start + ((long)(reverse ? n - 1 - i : i) * inner);
                    sum += TSum.CreateTruncating(x[at]);
                    y[at] = T.CreateTruncating(sum);
                }
            }
    }
}
