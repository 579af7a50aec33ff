using System.Numerics;
using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>Tests of two operands, as masks. False where either is NaN, but for <c>NotEqual</c>.</summary>
internal static partial class Op
{
    /// <summary>x &gt; y.</summary>
    public readonly struct Greater<T> : IComparison<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            V.Less(y, x);
    }

    /// <summary>x &gt;= y.</summary>
    public readonly struct GreaterOrEqual<T> : IComparison<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            V.LessOrEqual(y, x);
    }

    /// <summary>x &lt; y.</summary>
    public readonly struct Less<T> : IComparison<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            V.Less(x, y);
    }

    /// <summary>x &lt;= y.</summary>
    public readonly struct LessOrEqual<T> : IComparison<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            V.LessOrEqual(x, y);
    }

    /// <summary>x = y.</summary>
    public readonly struct Equal<T> : IComparison<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            V.Equal(x, y);
    }

    /// <summary>x is not y.</summary>
    public readonly struct NotEqual<T> : IComparison<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            ~V.Equal(x, y);
    }
}
