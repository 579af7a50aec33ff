using System.Numerics;
using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>Fused derivatives of operators: g is the upstream gradient, x the input, y the result.</summary>
internal static partial class Op
{
    /// <summary>g (1 - y) y, y = sigmoid.</summary>
    public readonly struct SigmoidBackward<T> : IBinary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            x * (V.Create(T.One) - y) * y;
    }

    /// <summary>g (1 - y y), y = tanh.</summary>
    public readonly struct TanhBackward<T> : IBinary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            x * (V.Create(T.One) - (y * y));
    }

    /// <summary>g where y is above zero, else 0: y is the result or the input of relu. NaN lets it through.</summary>
    public readonly struct ReluBackward<T> : IBinary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            V.Select(V.LessOrEqual(y, V.Create(T.Zero)), V.Create(T.Zero), x);
    }

    /// <summary>g where y is above zero, else slope g.</summary>
    public readonly struct LeakyReluBackward<T>(T slope) : IBinary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            V.Select(V.Less(V.Create(T.Zero), y), x, x * V.Create(slope));
    }

    /// <summary>g where low &lt;= y &lt;= high, else 0.</summary>
    public readonly struct ClampBackward<T>(T low, T high) : IBinary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            x & (V.LessOrEqual(V.Create(low), y) & V.LessOrEqual(y, V.Create(high)));
    }

    /// <summary>g sign(y); 0 at 0 and NaN.</summary>
    public readonly struct AbsBackward<T> : IBinary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            V.Select(V.Less(V.Create(T.Zero), y), x, V.Select(V.Less(y, V.Create(T.Zero)), -x, V.Create(T.Zero)));
    }
}
