using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>
/// Elementary functions in double precision over any register. Each lane goes its own way: a result does not depend on its neighbours.
/// Measured errors stand in <see cref="Elementary.Ulp"/>.
/// </summary>
internal static partial class Core
{
    private const double Log2E = 1.4426950408889634;

    // ln 2 in two parts; the first has 41 bits, so that its products with exponents are exact.
    private const double Ln2High = 0.693147180559663;
    private const double Ln2Low = 2.8235290563031577e-13;

    // Adding and subtracting 1.5 * 2^52 rounds to an integer, which then stands in the low bits.
    private const double Magic = 6755399441055744.0;

    /// <summary>The exponential.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp<V, P>(V x)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        // Beyond these, the result is 0 or infinity. NaN passes both tests.
        var high = V.Create(P.ForSingle ? 700.0 : 710.0);
        x = V.Select(V.Less(high, x), high, x);
        var low = V.Create(P.ForSingle ? -700.0 : -746.0);
        var gone = V.Less(x, low);
        if (!P.ForSingle) x = V.Select(gone, low, x);
        var (n, k, r) = ReduceExp(x);
        var p = V.Fma(r * r, ExpTail<V, P>(r), r) + V.Create(1.0);
        if (P.ForSingle) return V.Select(gone, V.Create(0.0), p * PowerOfTwo(k));
        // In two steps, since 2^n itself may overflow; the second rounds once where the result is subnormal.
        var half = V.Fma(n, V.Create(0.5), V.Create(Magic));
        var rest = n - (half - V.Create(Magic)) + V.Create(Magic);
        return p * PowerOfTwo(half) * PowerOfTwo(rest);
    }

    /// <summary>exp(x) - 1, with full relative accuracy near zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Expm1<V, P>(V x)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        var low = V.Create(-50.0);
        var high = V.Create(P.ForSingle ? 700.0 : 710.0);
        var limited = V.Select(V.Less(x, low), low, x);
        limited = V.Select(V.Less(high, limited), high, limited);
        var result = Expm1Limited<V, P>(limited);
        // Tiny arguments are their own result, signs of zero included.
        return V.Select(V.Less(V.Abs(x), V.Create(1e-17)), x, result);
    }

    /// <summary>exp(x) - 1 for -50 &lt;= x &lt;= 710 and |x| no smaller than 1e-300.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Expm1Limited<V, P>(V x)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        var (_, k, r) = ReduceExp(x);
        var p = V.Fma(r * r, ExpTail<V, P>(r), r);
        // 2 (2^(n-1) p + (2^(n-1) - 1/2)): 2^n itself would overflow where the result does not.
        var scale = PowerOfTwo(k - V.Create(1.0));
        var sum = V.Fma(scale, p, scale - V.Create(0.5));
        return sum + sum;
    }

    /// <summary>x = n ln 2 + r with |r| at most about ln 2 / 2; k holds n in its low bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (V N, V K, V R) ReduceExp<V>(V x)
        where V : struct, ISimd<V, double>
    {
        var k = V.Fma(x, V.Create(Log2E), V.Create(Magic));
        var n = k - V.Create(Magic);
        var r = V.Fma(n, V.Create(-Ln2High), x);
        return (n, k, V.Fma(n, V.Create(-Ln2Low), r));
    }

    /// <summary>2^n of an integer n in the low bits, for results that are normal numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V PowerOfTwo<V>(V k)
        where V : struct, ISimd<V, double> =>
        V.ShiftLeft(V.AddBits(k, V.Create(BitConverter.Int64BitsToDouble(1023))), 52);

    /// <summary>(exp(r) - 1 - r) / r^2 for |r| up to ln 2 / 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ExpTail<V, P>(V r)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        V p;
        if (P.ForSingle)
        {
            p = V.Create(2.4882557148680185e-05);
            p = V.Next(p, r, 0.00019904958880836155);
            p = V.Next(p, r, 0.001388880919036728);
            p = V.Next(p, r, 0.008333288957898637);
            p = V.Next(p, r, 0.0416666669558083);
            p = V.Next(p, r, 0.16666666754536336);
            p = V.Next(p, r, 0.49999999999735234);
        }
        else
        {
            p = V.Create(2.092444648624987e-09);
            p = V.Next(p, r, 2.5109044933687903e-08);
            p = V.Next(p, r, 2.7557242749043937e-07);
            p = V.Next(p, r, 2.7557244181768194e-06);
            p = V.Next(p, r, 2.4801587360568242e-05);
            p = V.Next(p, r, 0.00019841269886158755);
            p = V.Next(p, r, 0.0013888888888866832);
            p = V.Next(p, r, 0.008333333333321615);
            p = V.Next(p, r, 0.0416666666666667);
            p = V.Next(p, r, 0.16666666666666677);
            p = V.Next(p, r, 0.5);
        }
        return p;
    }
}
