using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

internal static unsafe partial class Core
{
    // pi/2 in three parts of 53 bits.
    private const double HalfPi1 = 1.5707963267948966;
    private const double HalfPi2 = 6.123233995736766e-17;
    private const double HalfPi3 = -1.4973849048591698e-33;
    private const double TwoOverPi = 0.63661977236758134308;

    /// <summary>The sine.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sin<V, P>(V x)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision => Circular<V, P>(x, 0);

    /// <summary>The cosine.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Cos<V, P>(V x)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision => Circular<V, P>(x, 1);

    /// <summary>The sine of x + quarters pi/2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Circular<V, P>(V x, int quarters)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        // Further out the reduction needs more digits of pi: those lanes go to the platform's own.
        var far = V.Less(V.Create(P.ForSingle ? 1073741824.0 : 1048576.0), V.Abs(x));
        var k = V.Fma(x, V.Create(TwoOverPi), V.Create(Magic));
        var n = k - V.Create(Magic);
        var r = V.Fma(n, V.Create(-HalfPi1), x);
        r = V.Fma(n, V.Create(-HalfPi2), r);
        if (!P.ForSingle) r = V.Fma(n, V.Create(-HalfPi3), r);
        var z = r * r;
        var sine = V.Fma(r * z, SinSeries<V, P>(z), r);
        var half = V.Create(0.5) * z;
        var top = V.Create(1.0) - half;
        // What the subtraction lost is added back before the small terms.
        var cosine = top + V.Fma(z * z, CosSeries<V, P>(z), (V.Create(1.0) - top) - half);
        var quarter = V.AddBits(k, V.Create(BitConverter.Int64BitsToDouble(quarters)));
        var result = V.Select(IsOdd(quarter), cosine, sine) ^ V.ShiftLeft(V.ShiftRight(quarter, 1), 63);
        // The sine of zero keeps its sign.
        if (quarters == 0) result = V.Select(V.Equal(x, V.Create(0.0)), x, result);
        return V.Any(far) ? FarCircular(x, far, result, quarters) : result;
    }

    /// <summary>A mask of the lanes whose lowest bit is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V IsOdd<V>(V k)
        where V : struct, ISimd<V, double>
    {
        // The bit becomes that of 1.0 against 0.0.
        var bit = k & V.Create(BitConverter.Int64BitsToDouble(1));
        return V.Equal(bit | V.Create(1.0), V.Create(BitConverter.Int64BitsToDouble(0x3FF0000000000001)));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static V FarCircular<V>(V x, V far, V near, int quarters)
        where V : struct, ISimd<V, double>
    {
        var lanes = stackalloc double[8];
        for (var i = 0; i < V.Count; i++)
        {
            var argument = V.Lane(x, i);
            lanes[i] = quarters == 0 ? Math.Sin(argument) : Math.Cos(argument);
        }
        return V.Select(far, V.Load(lanes), near);
    }

    /// <summary>(sin(r) / r - 1) / z, z = r^2, |r| up to pi/4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V SinSeries<V, P>(V z)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        V p;
        if (P.ForSingle)
        {
            p = V.Create(2.718304187914954e-06);
            p = V.Next(p, z, -0.00019839334081401747);
            p = V.Next(p, z, 0.008333329383595375);
            p = V.Next(p, z, -0.16666666641607514);
        }
        else
        {
            p = V.Create(-7.578748235601052e-13);
            p = V.Next(p, z, 1.605836762581561e-10);
            p = V.Next(p, z, -2.5052104919280297e-08);
            p = V.Next(p, z, 2.755731921421939e-06);
            p = V.Next(p, z, -0.00019841269841255123);
            p = V.Next(p, z, 0.008333333333333323);
            p = V.Next(p, z, -0.16666666666666666);
        }
        return p;
    }

    /// <summary>(cos(r) - 1 + z / 2) / z^2, z = r^2, |r| up to pi/4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V CosSeries<V, P>(V z)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        V p;
        if (P.ForSingle)
        {
            p = V.Create(-2.7210169669190433e-07);
            p = V.Next(p, z, 2.479951919565424e-05);
            p = V.Next(p, z, -0.0013888883750372417);
            p = V.Next(p, z, 0.04166666662279332);
        }
        else
        {
            p = V.Create(-1.1359647560875868e-11);
            p = V.Next(p, z, 2.087572326995875e-09);
            p = V.Next(p, z, -2.7557314352322114e-07);
            p = V.Next(p, z, 2.4801587289482208e-05);
            p = V.Next(p, z, -0.0013888888888874125);
            p = V.Next(p, z, 0.0416666666666666);
        }
        return p;
    }
}
