using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

internal static unsafe partial class Core
{
    /// <summary>x to the power y, with C's special cases.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Pow<V, P>(V x, V y)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision => P.ForSingle ? PowForSingle(x, y) : PowPerLane(x, y);

    /// <summary>exp(y log |x|), whose error in doubles cannot be seen in a float, then the sign and the special cases.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V PowForSingle<V>(V x, V y)
        where V : struct, ISimd<V, double>
    {
        V zero = V.Create(0.0), one = V.Create(1.0), half = V.Create(0.5), infinity = V.Create(double.PositiveInfinity);
        var a = V.Abs(x);
        var power = Exp<V, ForFloat>(y * Log<V, ForDouble>(a));
        var whole = V.Equal(V.Floor(y), y);
        var even = V.Equal(V.Floor(y * half), y * half);
        var odd = V.Select(even, zero, whole);
        power = V.Select(odd, power | (x & V.Create(-0.0)), power);
        var undefined = V.Less(x, zero) & V.Less(a, infinity) & ~whole & V.Equal(y, y);
        power = V.Select(undefined, V.Create(double.NaN), power);
        var isOne = V.Equal(y, zero) | V.Equal(x, one) | (V.Equal(a, one) & V.Equal(V.Abs(y), infinity));
        return V.Select(isOne, one, power);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static V PowPerLane<V>(V x, V y)
        where V : struct, ISimd<V, double>
    {
        var lanes = stackalloc double[8];
        for (var i = 0; i < V.Count; i++) lanes[i] = Math.Pow(V.Lane(x, i), V.Lane(y, i));
        return V.Load(lanes);
    }
}
