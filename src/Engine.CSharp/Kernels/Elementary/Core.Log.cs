using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

internal static partial class Core
{
    // The fraction's range starts here: sqrt(1/2), cut after 20 bits.
    private const long RootHalf = 0x3FE6A09E00000000;
    private const long One = 0x3FF0000000000000;

    /// <summary>The natural logarithm.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Log<V, P>(V x)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        var zero = V.Create(0.0);
        V lift = zero, argument = x;
        if (!P.ForSingle)
        {
            // Subnormal numbers are lifted into the normal range; floats have none here.
            var tiny = V.Less(x, V.Create(2.2250738585072014e-308));
            argument = V.Select(tiny, x * V.Create(18014398509481984.0), x);
            lift = tiny & V.Create(54.0);
        }
        var (e, m) = Split(argument);
        var result = LogOfParts<V, P>(e - lift, m - V.Create(1.0), zero);
        var normal = V.Less(zero, x) & V.Less(x, V.Create(double.PositiveInfinity));
        return V.Select(normal, result, LogSpecial(x, zero));
    }

    /// <summary>log(1 + x), with full relative accuracy near zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Log1p<V, P>(V x)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        var one = V.Create(1.0);
        var u = one + x;
        // What the sum lost, exactly.
        var back = u - one;
        var lost = (one - (u - back)) + (x - back);
        var (e, m) = Split(u);
        var result = LogOfParts<V, P>(e, m - one, lost / u);
        var normal = V.Less(V.Create(-1.0), x) & V.Less(x, V.Create(double.PositiveInfinity));
        result = V.Select(normal, result, LogSpecial(x, V.Create(-1.0)));
        return V.Select(V.Less(V.Abs(x), V.Create(1e-17)), x, result);
    }

    /// <summary>What a logarithm is at its pole, left of it, at infinity and NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V LogSpecial<V>(V x, V pole)
        where V : struct, ISimd<V, double> =>
        V.Select(V.Equal(x, pole), V.Create(double.NegativeInfinity), V.Select(V.Less(x, pole), V.Create(double.NaN), x));

    /// <summary>x = 2^e m with m between sqrt(1/2) and sqrt(2), of a positive normal x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (V E, V M) Split<V>(V x)
        where V : struct, ISimd<V, double>
    {
        var t = V.AddBits(x, V.Create(BitConverter.Int64BitsToDouble(One - RootHalf)));
        var exponent = V.ShiftRight(t, 52) | V.Create(4503599627370496.0);
        var fraction = t & V.Create(BitConverter.Int64BitsToDouble(0x000FFFFFFFFFFFFF));
        return (exponent - V.Create(4503599627370496.0 + 1023), V.AddBits(fraction, V.Create(BitConverter.Int64BitsToDouble(RootHalf))));
    }

    /// <summary>e ln 2 + log(1 + f) + correction, for f between sqrt(1/2) - 1 and sqrt(2) - 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V LogOfParts<V, P>(V e, V f, V correction)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        // log(1 + f) = f - f^2/2 + s (f^2/2 + R) with s = f / (2 + f) and R the series of 2 atanh(s) / s - 2.
        var s = f / (V.Create(2.0) + f);
        var z = s * s;
        var r = z * LogSeries<V, P>(z);
        var half = V.Create(0.5) * f * f;
        var small = V.Fma(s, half + r, V.Fma(e, V.Create(Ln2Low), correction));
        return V.Fma(e, V.Create(Ln2High), f - (half - small));
    }

    /// <summary>(2 atanh(s) / s - 2) / z, z = s^2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V LogSeries<V, P>(V z)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        V p;
        if (P.ForSingle)
        {
            p = V.Create(0.23583561678428847);
            p = V.Next(p, z, 0.2853723879786921);
            p = V.Next(p, z, 0.40000336210516885);
            p = V.Next(p, z, 0.666666656413278);
        }
        else
        {
            p = V.Create(0.1325275555535093);
            p = V.Next(p, z, 0.1324996197514479);
            p = V.Next(p, z, 0.15387097651598955);
            p = V.Next(p, z, 0.1818177550855235);
            p = V.Next(p, z, 0.22222222648749376);
            p = V.Next(p, z, 0.2857142856907298);
            p = V.Next(p, z, 0.40000000000006286);
            p = V.Next(p, z, 0.6666666666666666);
        }
        return p;
    }
}
