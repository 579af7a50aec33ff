using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>Fused derivatives of the activations: x is the upstream gradient g, y the input.</summary>
internal static partial class Op
{
    /// <summary>g (Phi(y) + y phi(y)).</summary>
    public readonly struct GeluBackward<T> : IBinary<T>, IWide2
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
            var (distribution, density) = Core.Normal<V, P>(y);
            // At an infinite y this is NaN, as it is in PyTorch.
            return x * V.Fma(y, density, distribution);
        }
    }

    /// <summary>g times the derivative of <see cref="GeluTanh{T}"/>.</summary>
    public readonly struct GeluTanhBackward<T> : IBinary<T>, IWide2
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
            var t = Core.Tanh<V, P>(GeluInner.Of(y));
            var slope = (V.Create(1.0) - (t * t)) * GeluInner.Slope(y);
            // Far out tanh is flat, and its slope's factor could overflow; an infinity still gives NaN.
            var bent = V.Select(V.LessOrEqual(V.Abs(y), V.Create(GeluInner.Flat)), y * slope, y * V.Create(0.0));
            return x * V.Create(0.5) * (V.Create(1.0) + t + bent);
        }
    }

    /// <summary>g s (1 + y (1 - s)), s = sigmoid(y).</summary>
    public readonly struct SiluBackward<T> : IBinary<T>, IWide2
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
            var s = Core.Sigmoid<V, P>(y);
            return x * s * (V.Create(1.0) + (y * (V.Create(1.0) - s)));
        }
    }

    /// <summary>g scale above zero, else g scale alpha inputScale exp(inputScale y).</summary>
    public readonly struct EluBackward<T>(double alpha, double scale = 1, double inputScale = 1) : IBinary<T>, IWide2
        where T : unmanaged
    {
        public static bool IsWide => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> => V.Wide(this, x, y);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V, P>(V x, V y)
            where V : struct, ISimd<V, double>
            where P : struct, IPrecision =>
            V.Select(V.LessOrEqual(y, V.Create(0.0)), x * V.Create(inputScale * alpha * scale) * Core.Exp<V, P>(y * V.Create(inputScale)), x * V.Create(scale));
    }

    /// <summary>g sigmoid(beta y); g itself where beta y is above the threshold.</summary>
    public readonly struct SoftplusBackward<T>(double beta, double threshold) : IBinary<T>, IWide2
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
            var z = y * V.Create(beta);
            return V.Select(V.Less(V.Create(threshold), z), x, x * Core.Sigmoid<V, P>(z));
        }
    }

    /// <summary>g (sigmoid(y) - z): logit y, target z.</summary>
    public readonly struct BceWithLogitsBackward<T> : ITernary<T>, IWide3
        where T : unmanaged
    {
        public static bool IsWide => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y, V z)
            where V : struct, ISimd<V, T> => V.Wide(this, x, y, z);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V, P>(V x, V y, V z)
            where V : struct, ISimd<V, double>
            where P : struct, IPrecision =>
            x * (Core.Sigmoid<V, P>(y) - z);
    }
}
