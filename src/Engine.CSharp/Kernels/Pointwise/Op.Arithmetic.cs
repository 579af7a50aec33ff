using System.Numerics;
using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>Arithmetic operators, for floats and integers.</summary>
internal static partial class Op
{
    /// <summary>x + y.</summary>
    public readonly struct Add<T> : IBinary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            x + y;
    }

    /// <summary>x - y.</summary>
    public readonly struct Sub<T> : IBinary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            x - y;
    }

    /// <summary>x * y.</summary>
    public readonly struct Mul<T> : IBinary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            x * y;
    }

    /// <summary>x / y, of floats.</summary>
    public readonly struct Div<T> : IBinary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            x / y;
    }

    /// <summary>x + alpha y: a product, then a sum, each rounded.</summary>
    public readonly struct AddScaled<T>(T alpha) : IBinary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            x + (V.Create(alpha) * y);
    }

    /// <summary>The negative.</summary>
    public readonly struct Neg<T> : IUnary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> =>
            -x;
    }

    /// <summary>The magnitude; the least integer stays.</summary>
    public readonly struct Abs<T> : IUnary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> =>
            V.Abs(x);
    }

    /// <summary>x squared.</summary>
    public readonly struct Square<T> : IUnary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> =>
            x * x;
    }

    /// <summary>1 / x.</summary>
    public readonly struct Reciprocal<T> : IUnary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> =>
            V.Create(T.One) / x;
    }

    /// <summary>The square root.</summary>
    public readonly struct Sqrt<T> : IUnary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> =>
            V.Sqrt(x);
    }

    /// <summary>The greatest integer not above.</summary>
    public readonly struct Floor<T> : IUnary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> =>
            V.Floor(x);
    }

    /// <summary>
    /// The quotient rounded down, as Python's // has it: of an infinite number NaN, and of a finite one by an infinite one of the other sign -1, since a
    /// remainder has the sign of the divisor.
    /// </summary>
    public readonly struct FloorQuotient<T> : IBinary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T>
        {
            var zero = V.Create(T.Zero);
            var infinity = V.Create(T.CreateChecked(double.PositiveInfinity));
            var opposite = (V.Less(x, zero) & V.Less(zero, y)) | (V.Less(zero, x) & V.Less(y, zero));
            var below = V.Equal(V.Abs(y), infinity) & V.Less(V.Abs(x), infinity) & opposite;
            var whole = V.Select(below, V.Create(-T.One), V.Floor(x / y));
            return V.Select(V.Equal(V.Abs(x), infinity) & ~V.Equal(y, zero), x - x, whole);
        }
    }

    /// <summary>The nearest integer, ties to even.</summary>
    public readonly struct Round<T> : IUnary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> =>
            V.Round(x);
    }

    /// <summary>-1, 0 or 1; 0 for NaN, as PyTorch has it.</summary>
    public readonly struct Sign<T> : IUnary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> =>
            (V.Less(V.Create(T.Zero), x) & V.Create(T.One)) - (V.Less(x, V.Create(T.Zero)) & V.Create(T.One));
    }

    /// <summary>The greater; NaN where either is.</summary>
    public readonly struct Maximum<T> : IBinary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            V.Max(x, y);
    }

    /// <summary>The lesser; NaN where either is.</summary>
    public readonly struct Minimum<T> : IBinary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> =>
            V.Min(x, y);
    }

    /// <summary>x limited to [low, high], high winning; NaN stays.</summary>
    public readonly struct Clamp<T>(T low, T high) : IUnary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> =>
            V.Min(V.Max(x, V.Create(low)), V.Create(high));
    }

    /// <summary>x limited to [y, z], z winning; NaN wherever one is.</summary>
    public readonly struct ClampBetween<T> : ITernary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y, V z)
            where V : struct, ISimd<V, T> =>
            V.Min(V.Max(x, y), z);
    }

    /// <summary>x where x is above zero or NaN, else 0; -0 stays.</summary>
    public readonly struct Relu<T> : IUnary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> =>
            V.Select(V.Less(x, V.Create(T.Zero)), V.Create(T.Zero), x);
    }

    /// <summary>x where above zero, else slope x.</summary>
    public readonly struct LeakyRelu<T>(T slope) : IUnary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> =>
            V.Select(V.Less(V.Create(T.Zero), x), x, x * V.Create(slope));
    }

    /// <summary>x + value y z, in PyTorch's order of roundings.</summary>
    public readonly struct AddProduct<T>(T value) : ITernary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y, V z)
            where V : struct, ISimd<V, T> =>
            x + (V.Create(value) * y * z);
    }

    /// <summary>x + value y / z, in PyTorch's order of roundings.</summary>
    public readonly struct AddQuotient<T>(T value) : ITernary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y, V z)
            where V : struct, ISimd<V, T> =>
            x + (V.Create(value) * y / z);
    }

    /// <summary>Between x and y by weight z: from the nearer end, so that 0 and 1 are exact.</summary>
    public readonly struct Lerp<T> : ITernary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y, V z)
            where V : struct, ISimd<V, T> =>
            V.Select(V.Less(V.Abs(z), V.Create(T.One / (T.One + T.One))), x + (z * (y - x)), y - ((y - x) * (V.Create(T.One) - z)));
    }

    /// <summary>x y + z, with one rounding.</summary>
    public readonly struct MultiplyAdd<T> : ITernary<T>
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y, V z)
            where V : struct, ISimd<V, T> =>
            V.Fma(x, y, z);
    }
}
