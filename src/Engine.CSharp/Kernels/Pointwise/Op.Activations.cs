using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>Activation functions, evaluated in double precision and rounded once where the elements are floats.</summary>
internal static partial class Op
{
    /// <summary>x Phi(x), Phi the normal distribution function.</summary>
    public readonly struct Gelu<T> : IUnary<T>, IWide1
        where T : unmanaged
    {
        public static bool IsWide => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> => V.Wide(this, x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V, P>(V x)
            where V : struct, ISimd<V, double>
            where P : struct, IPrecision =>
            x * AtInfinity(x, Core.Normal<V, P>(x).Distribution);
    }

    /// <summary>The approximation x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.</summary>
    public readonly struct GeluTanh<T> : IUnary<T>, IWide1
        where T : unmanaged
    {
        public static bool IsWide => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> => V.Wide(this, x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V, P>(V x)
            where V : struct, ISimd<V, double>
            where P : struct, IPrecision =>
            V.Create(0.5) * x * (V.Create(1.0) + Core.Tanh<V, P>(GeluInner.Of(x)));
    }

    /// <summary>x sigmoid(x).</summary>
    public readonly struct Silu<T> : IUnary<T>, IWide1
        where T : unmanaged
    {
        public static bool IsWide => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> => V.Wide(this, x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V, P>(V x)
            where V : struct, ISimd<V, double>
            where P : struct, IPrecision =>
            x * AtInfinity(x, Core.Sigmoid<V, P>(x));
    }

    /// <summary>scale x above zero, else scale alpha (exp(inputScale x) - 1); PyTorch's elu, whose celu and selu are cases of it.</summary>
    public readonly struct Elu<T>(double alpha, double scale = 1, double inputScale = 1) : IUnary<T>, IWide1
        where T : unmanaged
    {
        public static bool IsWide => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> => V.Wide(this, x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V, P>(V x)
            where V : struct, ISimd<V, double>
            where P : struct, IPrecision =>
            V.Select(V.LessOrEqual(x, V.Create(0.0)), Core.Expm1<V, P>(x * V.Create(inputScale)) * V.Create(alpha * scale), x * V.Create(scale));
    }

    /// <summary>log(1 + exp(beta x)) / beta; x itself where beta x is above the threshold.</summary>
    public readonly struct Softplus<T>(double beta, double threshold) : IUnary<T>, IWide1
        where T : unmanaged
    {
        public static bool IsWide => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> => V.Wide(this, x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V, P>(V x)
            where V : struct, ISimd<V, double>
            where P : struct, IPrecision
        {
            var z = x * V.Create(beta);
            return V.Select(V.Less(V.Create(threshold), z), x, Core.Softplus<V, P>(z) / V.Create(beta));
        }
    }

    /// <summary>max(x, 0) - x y + log(1 + exp(-|x|)): the loss of logit x for target y.</summary>
    public readonly struct BceWithLogits<T> : IBinary<T>, IWide2
        where T : unmanaged
    {
        public static bool IsWide => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> => V.Wide(this, x, y);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V, P>(V x, V y)
            where V : struct, ISimd<V, double>
            where P : struct, IPrecision
        {
            // x - x in the place of 0: at minus infinity NaN, as in PyTorch.
            var positive = V.Select(V.Less(x, V.Create(0.0)), x - x, x);
            return positive - (x * y) + Core.Log1p<V, P>(Core.Exp<V, P>(x | V.Create(-0.0)));
        }
    }

    /// <summary>The factor of a negative x, which at minus infinity is exactly 0: the product is NaN there, as PyTorch's is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V AtInfinity<V>(V x, V factor)
        where V : struct, ISimd<V, double> => V.Select(V.Equal(x, V.Create(double.NegativeInfinity)), V.Create(0.0), factor);
}
