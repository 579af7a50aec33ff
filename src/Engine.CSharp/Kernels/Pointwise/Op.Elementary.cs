using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>Elementary functions.</summary>
internal static partial class Op
{
    /// <summary>The exponential.</summary>
    public readonly struct Exp<T> : IUnary<T>, IWide1
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
            Core.Exp<V, P>(x);
    }

    /// <summary>exp(x) - 1.</summary>
    public readonly struct Expm1<T> : IUnary<T>, IWide1
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
            Core.Expm1<V, P>(x);
    }

    /// <summary>The natural logarithm.</summary>
    public readonly struct Log<T> : IUnary<T>, IWide1
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
            Core.Log<V, P>(x);
    }

    /// <summary>log(1 + x).</summary>
    public readonly struct Log1p<T> : IUnary<T>, IWide1
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
            Core.Log1p<V, P>(x);
    }

    /// <summary>The sine.</summary>
    public readonly struct Sin<T> : IUnary<T>, IWide1
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
            Core.Sin<V, P>(x);
    }

    /// <summary>The cosine.</summary>
    public readonly struct Cos<T> : IUnary<T>, IWide1
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
            Core.Cos<V, P>(x);
    }

    /// <summary>The hyperbolic tangent.</summary>
    public readonly struct Tanh<T> : IUnary<T>, IWide1
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
            Core.Tanh<V, P>(x);
    }

    /// <summary>1 / (1 + exp(-x)).</summary>
    public readonly struct Sigmoid<T> : IUnary<T>, IWide1
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
            Core.Sigmoid<V, P>(x);
    }

    /// <summary>The error function.</summary>
    public readonly struct Erf<T> : IUnary<T>, IWide1
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
            Core.Erf<V, P>(x);
    }

    /// <summary>1 / sqrt(x).</summary>
    public readonly struct Rsqrt<T> : IUnary<T>, IWide1
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
            V.Create(1.0) / V.Sqrt(x);
    }

    /// <summary>x to the power y, with C's special cases.</summary>
    public readonly struct Pow<T> : IBinary<T>, IWide2
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
            Core.Pow<V, P>(x, y);
    }

    /// <summary>x to a power that is the same throughout.</summary>
    public readonly struct PowScalar<T>(double exponent) : IUnary<T>, IWide1
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
            Core.Pow<V, P>(x, V.Create(exponent));
    }

    /// <summary>A base that is the same throughout, to the power x.</summary>
    public readonly struct ScalarPow<T>(double basis) : IUnary<T>, IWide1
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
            Core.Pow<V, P>(V.Create(basis), x);
    }
}
