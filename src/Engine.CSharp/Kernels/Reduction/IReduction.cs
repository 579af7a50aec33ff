using System.Numerics;
using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>A reduction: elements are mapped, then combined. The map sees a parameter of the result's place (a mean, a maximum), or 0.</summary>
internal interface IReduction<T>
    where T : unmanaged
{
    /// <summary>Whether the map goes through doubles; see <see cref="IUnary{T}"/>.</summary>
    static virtual bool IsWide => false;

    /// <summary>What the combination starts with, and gives of nothing.</summary>
    T Identity { get; }

    V Map<V>(V x, V parameter)
        where V : struct, ISimd<V, T>;

    V Combine<V>(V a, V b)
        where V : struct, ISimd<V, T>;
}

/// <summary>The reductions.</summary>
internal static partial class Reduce
{
    /// <summary>The sum.</summary>
    public readonly struct Sum<T> : IReduction<T>
        where T : unmanaged, INumber<T>
    {
        public T Identity => T.Zero;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Map<V>(V x, V parameter)
            where V : struct, ISimd<V, T> => x;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Combine<V>(V a, V b)
            where V : struct, ISimd<V, T> => a + b;
    }

    /// <summary>The product.</summary>
    public readonly struct Prod<T> : IReduction<T>
        where T : unmanaged, INumber<T>
    {
        public T Identity => T.One;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Map<V>(V x, V parameter)
            where V : struct, ISimd<V, T> => x;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Combine<V>(V a, V b)
            where V : struct, ISimd<V, T> => a * b;
    }

    /// <summary>The greatest; NaN where one is. Callers refuse to reduce nothing.</summary>
    public readonly struct Max<T> : IReduction<T>
        where T : unmanaged, INumber<T>
    {
        public T Identity => Limits.Least<T>();

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Map<V>(V x, V parameter)
            where V : struct, ISimd<V, T> => x;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Combine<V>(V a, V b)
            where V : struct, ISimd<V, T> => V.Max(a, b);
    }

    /// <summary>The least; NaN where one is. Callers refuse to reduce nothing.</summary>
    public readonly struct Min<T> : IReduction<T>
        where T : unmanaged, INumber<T>
    {
        public T Identity => Limits.Greatest<T>();

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Map<V>(V x, V parameter)
            where V : struct, ISimd<V, T> => x;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Combine<V>(V a, V b)
            where V : struct, ISimd<V, T> => V.Min(a, b);
    }

    /// <summary>The sum of magnitudes.</summary>
    public readonly struct SumOfMagnitudes<T> : IReduction<T>
        where T : unmanaged, INumber<T>
    {
        public T Identity => T.Zero;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Map<V>(V x, V parameter)
            where V : struct, ISimd<V, T> => V.Abs(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Combine<V>(V a, V b)
            where V : struct, ISimd<V, T> => a + b;
    }

    /// <summary>The greatest magnitude.</summary>
    public readonly struct MaxMagnitude<T> : IReduction<T>
        where T : unmanaged, INumber<T>
    {
        public T Identity => T.Zero;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Map<V>(V x, V parameter)
            where V : struct, ISimd<V, T> => V.Abs(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Combine<V>(V a, V b)
            where V : struct, ISimd<V, T> => V.Max(a, b);
    }

    /// <summary>The sum of squares of the distances from the parameter.</summary>
    public readonly struct SumOfSquares<T> : IReduction<T>
        where T : unmanaged, INumber<T>
    {
        public T Identity => T.Zero;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Map<V>(V x, V parameter)
            where V : struct, ISimd<V, T> => (x - parameter) * (x - parameter);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Combine<V>(V a, V b)
            where V : struct, ISimd<V, T> => a + b;
    }

    /// <summary>The sum of exp(x - parameter).</summary>
    public readonly struct SumOfExponentials<T> : IReduction<T>
        where T : unmanaged, INumber<T>
    {
        public static bool IsWide => true;

        public T Identity => T.Zero;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Map<V>(V x, V parameter)
            where V : struct, ISimd<V, T> => default(Op.Exp<T>).Invoke(x - parameter);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Combine<V>(V a, V b)
            where V : struct, ISimd<V, T> => a + b;
    }

    /// <summary>The sum of |x| to a power.</summary>
    public readonly struct SumOfPowers<T>(double exponent) : IReduction<T>
        where T : unmanaged, INumber<T>
    {
        public static bool IsWide => true;

        public T Identity => T.Zero;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Map<V>(V x, V parameter)
            where V : struct, ISimd<V, T> => new Op.PowScalar<T>(exponent).Invoke(V.Abs(x));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Combine<V>(V a, V b)
            where V : struct, ISimd<V, T> => a + b;
    }

    /// <summary>The number of elements that are not zero.</summary>
    public readonly struct CountNonZero<T> : IReduction<T>
        where T : unmanaged, INumber<T>
    {
        public T Identity => T.Zero;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Map<V>(V x, V parameter)
            where V : struct, ISimd<V, T> => V.Select(V.Equal(x, V.Create(T.Zero)), V.Create(T.Zero), V.Create(T.One));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Combine<V>(V a, V b)
            where V : struct, ISimd<V, T> => a + b;
    }
}
