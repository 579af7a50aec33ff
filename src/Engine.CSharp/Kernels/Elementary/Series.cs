using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>Polynomials with fused steps. Coefficients are minimax over the reduced range, found by Remez exchange.</summary>
internal static class Series
{
    /// <summary>p x + c.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Next<V>(V p, V x, double c)
        where V : struct, ISimd<V, double> => V.Fma(p, x, V.Create(c));
}
