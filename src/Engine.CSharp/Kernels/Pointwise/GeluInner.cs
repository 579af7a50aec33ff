using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>The argument of tanh in the approximation of gelu.</summary>
internal static class GeluInner
{
    private const double RootTwoOverPi = 0.79788456080286535588;
    private const double Cubic = 0.044715;

    /// <summary>Farther out tanh is flat.</summary>
    public const double Flat = 100;

    /// <summary>sqrt(2 / pi) (x + 0.044715 x^3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V>(V x)
        where V : struct, ISimd<V, double> => V.Create(RootTwoOverPi) * V.Fma(V.Create(Cubic) * x * x, x, x);

    /// <summary>Its derivative.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Slope<V>(V x)
        where V : struct, ISimd<V, double> => V.Create(RootTwoOverPi) * V.Fma(V.Create(3 * Cubic) * x, x, V.Create(1.0));
}
