using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

internal static partial class Core
{
    /// <summary>The hyperbolic tangent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Tanh<V, P>(V x)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        var sign = x & V.Create(-0.0);
        var a = x ^ sign;
        var limit = V.Create(22.0);
        var limited = V.Select(V.Less(limit, a), limit, a);
        var t = Expm1Limited<V, P>(limited + limited);
        var result = V.Select(V.Less(a, V.Create(1e-9)), a, t / (t + V.Create(2.0)));
        return result | sign;
    }

    /// <summary>1 / (1 + exp(-x)), relatively accurate on both sides.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid<V, P>(V x)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        var one = V.Create(1.0);
        var e = Exp<V, P>(x | V.Create(-0.0));
        return V.Select(V.Less(x, V.Create(0.0)), e, one) / (one + e);
    }

    /// <summary>log(1 + exp(x)) as max(x, 0) + log(1 + exp(-|x|)).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Softplus<V, P>(V x)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision
    {
        var zero = V.Create(0.0);
        return V.Select(V.Less(x, zero), zero, x) + Log1p<V, P>(Exp<V, P>(x | V.Create(-0.0)));
    }
}
