using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

internal static partial class Core
{
    private const double RootHalfDouble = 0.70710678118654752440;

    /// <summary>1 / sqrt(2 pi).</summary>
    private const double NormalDensityAtZero = 0.39894228040143267794;

    /// <summary>The error function.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Erf<V, P>(V x)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        var sign = x & V.Create(-0.0);
        var a = x ^ sign;
        var inside = V.Less(a, V.Create(1.0));
        var limit = V.Create(6.5);
        var limited = V.Select(V.Less(limit, a), limit, a);
        var square = limited * limited;
        var lost = V.Fma(limited, limited, -square);
        var outer = V.Create(1.0) - (ExpOfMinus<V, P>(square, lost) * ErfcScaled<V, P>(limited));
        var inner = a * ErfSeries<V, P>(square);
        return V.Select(inside, inner, outer) | sign;
    }

    /// <summary>The standard normal distribution function and density: relatively accurate far below zero too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (V Distribution, V Density) Normal<V, P>(V x)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        var a = V.Abs(x);
        var limit = V.Create(39.0);
        a = V.Select(V.Less(limit, a), limit, a);
        var half = V.Create(0.5);
        var square = a * a;
        var lost = V.Fma(a, a, -square);
        var e = ExpOfMinus<V, P>(half * square, half * lost);
        var tail = half * e * ErfcScaled<V, P>(a * V.Create(RootHalfDouble));
        var distribution = V.Select(V.Less(x, V.Create(0.0)), tail, V.Create(1.0) - tail);
        if (!P.ForSingle)
        {
            // Around zero the tail is about a half, and its own error about as large as the result's.
            var centre = V.Fma(x * V.Create(0.5 * RootHalfDouble), ErfSeries<V, P>(half * square), half);
            distribution = V.Select(V.Less(a, half), centre, distribution);
        }

        return (distribution, e * V.Create(NormalDensityAtZero));
    }

    /// <summary>exp(-(high + low)) with low far below high.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ExpOfMinus<V, P>(V high, V low)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        var e = Exp<V, P>(-high);
        return P.ForSingle ? e : V.Fma(-low, e, e);
    }

    /// <summary>exp(a^2) erfc(a) for 0 &lt;= a &lt;= 28: a polynomial in (a - 4) / (a + 4), over 1 + 2 a.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ErfcScaled<V, P>(V a)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        var t = (a - V.Create(4.0)) / (a + V.Create(4.0));
        return ErfcSeries<V, P>(t) / V.Fma(V.Create(2.0), a, V.Create(1.0));
    }

    /// <summary>erf(a) / a for z = a^2 up to 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ErfSeries<V, P>(V z)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        V p;
        if (P.ForSingle)
        {
            p = V.Create(1.0562983664148881e-06);
            p = V.Next(p, z, -1.3898703366524808e-05);
            p = V.Next(p, z, 0.0001195481934166248);
            p = V.Next(p, z, -0.0008542489014930354);
            p = V.Next(p, z, 0.005223776410372652);
            p = V.Next(p, z, -0.02686613141030664);
            p = V.Next(p, z, 0.11283791285387972);
            p = V.Next(p, z, -0.3761263888850482);
            p = V.Next(p, z, 1.128379167094586);
        }
        else
        {
            p = V.Create(-7.779472948426816e-10);
            p = V.Next(p, z, 1.3710982748678367e-08);
            p = V.Next(p, z, -1.6206314289113782e-07);
            p = V.Next(p, z, 1.6447131638251597e-06);
            p = V.Next(p, z, -1.4924712307185837e-05);
            p = V.Next(p, z, 0.00012055293577152762);
            p = V.Next(p, z, -0.000854832592932217);
            p = V.Next(p, z, 0.005223977606118614);
            p = V.Next(p, z, -0.026866170643111482);
            p = V.Next(p, z, 0.11283791670944185);
            p = V.Next(p, z, -0.3761263890318352);
            p = V.Next(p, z, 1.1283791670955126);
        }
        return p;
    }

    /// <summary>(1 + 2 a) exp(a^2) erfc(a) for t = (a - 4) / (a + 4).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ErfcSeries<V, P>(V t)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        V p;
        if (P.ForSingle)
        {
            p = V.Create(0.00012590638737705191);
            p = V.Next(p, t, -0.00023671902844100095);
            p = V.Next(p, t, -0.0007336660474310245);
            p = V.Next(p, t, 0.0050587365561790805);
            p = V.Next(p, t, -0.016210684182979693);
            p = V.Next(p, t, 0.037157866461937014);
            p = V.Next(p, t, -0.06632647735230077);
            p = V.Next(p, t, 0.0937345252213466);
            p = V.Next(p, t, -0.10103965463809889);
            p = V.Next(p, t, 0.0680969334199073);
            p = V.Next(p, t, 0.015379686522711258);
            p = V.Next(p, t, -0.13962111471056546);
            p = V.Next(p, t, 1.2329951182947814);
        }
        else
        {
            p = V.Create(-8.906208663934622e-09);
            p = V.Next(p, t, -9.456271524915692e-09);
            p = V.Next(p, t, 1.0181247475149971e-07);
            p = V.Next(p, t, 5.883230632914435e-08);
            p = V.Next(p, t, -8.187662562915786e-07);
            p = V.Next(p, t, 3.0994402010831546e-07);
            p = V.Next(p, t, 5.706827475068264e-06);
            p = V.Next(p, t, -1.1232086023404734e-05);
            p = V.Next(p, t, -2.4398609353512906e-05);
            p = V.Next(p, t, 0.00015062567141369432);
            p = V.Next(p, t, -0.00019925669640425623);
            p = V.Next(p, t, -0.0007577743061693371);
            p = V.Next(p, t, 0.005031969952329153);
            p = V.Next(p, t, -0.016197733895959854);
            p = V.Next(p, t, 0.03716751554242076);
            p = V.Next(p, t, -0.06633036582729279);
            p = V.Next(p, t, 0.09373283499798463);
            p = V.Next(p, t, -0.10103906603558063);
            p = V.Next(p, t, 0.06809705425470212);
            p = V.Next(p, t, 0.015379652102606133);
            p = V.Next(p, t, -0.13962111684056255);
            p = V.Next(p, t, 1.2329951186255526);
        }
        return p;
    }
}
