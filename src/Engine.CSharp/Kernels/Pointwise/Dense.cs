using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Verified.Engine.Kernels;

/// <summary>
/// Operators over consecutive elements: the widest register that fits, the last one overlapping its neighbour, a single lane for what is
/// shorter than any. The destination may be one of the sources, or lie apart; not overlap one in part.
/// A costly body stands once in its loop, since the compiler inlines only so much into one method.
/// </summary>
internal static unsafe class Dense
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Unary<TOp, T>(TOp op, T* x, T* y, long n)
        where TOp : struct, IUnary<T>
        where T : unmanaged
    {
        var halved = TOp.IsWide && typeof(T) == typeof(float);
        if (Vector512.IsHardwareAccelerated && !halved && n >= V512<T>.Count) Unary<TOp, T, V512<T>>(op, x, y, n);
        else if (Vector256.IsHardwareAccelerated && (Vector512.IsHardwareAccelerated || !halved) && n >= V256<T>.Count) Unary<TOp, T, V256<T>>(op, x, y, n);
        else if (n >= V128<T>.Count) Unary<TOp, T, V128<T>>(op, x, y, n);
        else if (n > 0) Unary<TOp, T, V1<T>>(op, x, y, n);
    }

    /// <summary>Two sources; a flag says that one is a single element used throughout.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Binary<TOp, T>(TOp op, T* x, bool oneX, T* y, bool oneY, T* z, long n)
        where TOp : struct, IBinary<T>
        where T : unmanaged
    {
        if (!oneX && !oneY)
        {
            Binary(op, x, y, z, n);
            return;
        }
        if (oneY && !oneX)
        {
            Unary(new FixedSecond<TOp, T>(op, *y), x, z, n);
            return;
        }
        if (oneX && !oneY)
        {
            Unary(new FixedFirst<TOp, T>(op, *x), y, z, n);
            return;
        }
        if (n == 0) return;
        Binary(op, x, y, z, 1);
        Rows.Fill(*z, z, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Binary<TOp, T>(TOp op, T* x, T* y, T* z, long n)
        where TOp : struct, IBinary<T>
        where T : unmanaged
    {
        var halved = TOp.IsWide && typeof(T) == typeof(float);
        if (Vector512.IsHardwareAccelerated && !halved && n >= V512<T>.Count) Binary<TOp, T, V512<T>>(op, x, y, z, n);
        else if (Vector256.IsHardwareAccelerated && (Vector512.IsHardwareAccelerated || !halved) && n >= V256<T>.Count) Binary<TOp, T, V256<T>>(op, x, y, z, n);
        else if (n >= V128<T>.Count) Binary<TOp, T, V128<T>>(op, x, y, z, n);
        else if (n > 0) Binary<TOp, T, V1<T>>(op, x, y, z, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Ternary<TOp, T>(TOp op, T* x, T* y, T* z, T* w, long n)
        where TOp : struct, ITernary<T>
        where T : unmanaged
    {
        var halved = TOp.IsWide && typeof(T) == typeof(float);
        if (Vector512.IsHardwareAccelerated && !halved && n >= V512<T>.Count) Ternary<TOp, T, V512<T>>(op, x, y, z, w, n);
        else if (Vector256.IsHardwareAccelerated && (Vector512.IsHardwareAccelerated || !halved) && n >= V256<T>.Count) Ternary<TOp, T, V256<T>>(op, x, y, z, w, n);
        else if (n >= V128<T>.Count) Ternary<TOp, T, V128<T>>(op, x, y, z, w, n);
        else if (n > 0) Ternary<TOp, T, V1<T>>(op, x, y, z, w, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Compare<TOp, T>(TOp op, T* x, T* y, byte* z, long n)
        where TOp : struct, IComparison<T>
        where T : unmanaged
    {
        if (Vector512.IsHardwareAccelerated && n >= V512<T>.Count) Compare<TOp, T, V512<T>>(op, x, y, z, n);
        else if (Vector256.IsHardwareAccelerated && n >= V256<T>.Count) Compare<TOp, T, V256<T>>(op, x, y, z, n);
        else if (n >= V128<T>.Count) Compare<TOp, T, V128<T>>(op, x, y, z, n);
        else if (n > 0) Compare<TOp, T, V1<T>>(op, x, y, z, n);
    }

    // The last registers are loaded before the loop, which may overwrite their sources. A costly body must not stand even in a branch that
    // is never taken: the compiler counts it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Unary<TOp, T, V>(TOp op, T* x, T* y, long n)
        where TOp : struct, IUnary<T>
        where T : unmanaged
        where V : struct, ISimd<V, T>
    {
        if (TOp.IsWide) UnaryOnce<TOp, T, V>(op, x, y, n);
        else UnaryUnrolled<TOp, T, V>(op, x, y, n);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void UnaryUnrolled<TOp, T, V>(TOp op, T* x, T* y, long n)
        where TOp : struct, IUnary<T>
        where T : unmanaged
        where V : struct, ISimd<V, T>
    {
        var last = n - V.Count;
        var tailX = V.Load(x + last);
        long i = 0;
        for (; i < last - V.Count; i += 2 * V.Count)
        {
            V.Store(op.Invoke(V.Load(x + i)), y + i);
            V.Store(op.Invoke(V.Load(x + i + V.Count)), y + i + V.Count);
        }
        if (i < last) V.Store(op.Invoke(V.Load(x + i)), y + i);
        V.Store(op.Invoke(tailX), y + last);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void UnaryOnce<TOp, T, V>(TOp op, T* x, T* y, long n)
        where TOp : struct, IUnary<T>
        where T : unmanaged
        where V : struct, ISimd<V, T>
    {
        var last = n - V.Count;
        var tailX = V.Load(x + last);
        for (long i = 0; ; i += V.Count)
        {
            if (i > last) i = last;
            var a = i < last ? V.Load(x + i) : tailX;
            V.Store(op.Invoke(a), y + i);
            if (i == last) return;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Binary<TOp, T, V>(TOp op, T* x, T* y, T* z, long n)
        where TOp : struct, IBinary<T>
        where T : unmanaged
        where V : struct, ISimd<V, T>
    {
        if (TOp.IsWide) BinaryOnce<TOp, T, V>(op, x, y, z, n);
        else BinaryUnrolled<TOp, T, V>(op, x, y, z, n);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void BinaryUnrolled<TOp, T, V>(TOp op, T* x, T* y, T* z, long n)
        where TOp : struct, IBinary<T>
        where T : unmanaged
        where V : struct, ISimd<V, T>
    {
        var last = n - V.Count;
        var tailX = V.Load(x + last);
        var tailY = V.Load(y + last);
        long i = 0;
        for (; i < last - V.Count; i += 2 * V.Count)
        {
            V.Store(op.Invoke(V.Load(x + i), V.Load(y + i)), z + i);
            V.Store(op.Invoke(V.Load(x + i + V.Count), V.Load(y + i + V.Count)), z + i + V.Count);
        }
        if (i < last) V.Store(op.Invoke(V.Load(x + i), V.Load(y + i)), z + i);
        V.Store(op.Invoke(tailX, tailY), z + last);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void BinaryOnce<TOp, T, V>(TOp op, T* x, T* y, T* z, long n)
        where TOp : struct, IBinary<T>
        where T : unmanaged
        where V : struct, ISimd<V, T>
    {
        var last = n - V.Count;
        var tailX = V.Load(x + last);
        var tailY = V.Load(y + last);
        for (long i = 0; ; i += V.Count)
        {
            if (i > last) i = last;
            var a = i < last ? V.Load(x + i) : tailX;
            var b = i < last ? V.Load(y + i) : tailY;
            V.Store(op.Invoke(a, b), z + i);
            if (i == last) return;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Ternary<TOp, T, V>(TOp op, T* x, T* y, T* z, T* w, long n)
        where TOp : struct, ITernary<T>
        where T : unmanaged
        where V : struct, ISimd<V, T>
    {
        if (TOp.IsWide) TernaryOnce<TOp, T, V>(op, x, y, z, w, n);
        else TernaryUnrolled<TOp, T, V>(op, x, y, z, w, n);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void TernaryUnrolled<TOp, T, V>(TOp op, T* x, T* y, T* z, T* w, long n)
        where TOp : struct, ITernary<T>
        where T : unmanaged
        where V : struct, ISimd<V, T>
    {
        var last = n - V.Count;
        var tailX = V.Load(x + last);
        var tailY = V.Load(y + last);
        var tailZ = V.Load(z + last);
        long i = 0;
        for (; i < last - V.Count; i += 2 * V.Count)
        {
            V.Store(op.Invoke(V.Load(x + i), V.Load(y + i), V.Load(z + i)), w + i);
            V.Store(op.Invoke(V.Load(x + i + V.Count), V.Load(y + i + V.Count), V.Load(z + i + V.Count)), w + i + V.Count);
        }
        if (i < last) V.Store(op.Invoke(V.Load(x + i), V.Load(y + i), V.Load(z + i)), w + i);
        V.Store(op.Invoke(tailX, tailY, tailZ), w + last);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void TernaryOnce<TOp, T, V>(TOp op, T* x, T* y, T* z, T* w, long n)
        where TOp : struct, ITernary<T>
        where T : unmanaged
        where V : struct, ISimd<V, T>
    {
        var last = n - V.Count;
        var tailX = V.Load(x + last);
        var tailY = V.Load(y + last);
        var tailZ = V.Load(z + last);
        for (long i = 0; ; i += V.Count)
        {
            if (i > last) i = last;
            var a = i < last ? V.Load(x + i) : tailX;
            var b = i < last ? V.Load(y + i) : tailY;
            var c = i < last ? V.Load(z + i) : tailZ;
            V.Store(op.Invoke(a, b, c), w + i);
            if (i == last) return;
        }
    }

    private static void Compare<TOp, T, V>(TOp op, T* x, T* y, byte* z, long n)
        where TOp : struct, IComparison<T>
        where T : unmanaged
        where V : struct, ISimd<V, T>
    {
        var last = n - V.Count;
        for (long i = 0; i < last; i += V.Count) V.StoreMask(op.Invoke(V.Load(x + i), V.Load(y + i)), z + i);
        V.StoreMask(op.Invoke(V.Load(x + last), V.Load(y + last)), z + last);
    }

    private readonly struct FixedSecond<TOp, T>(TOp op, T y) : IUnary<T>
        where TOp : struct, IBinary<T>
        where T : unmanaged
    {
        public static bool IsWide => TOp.IsWide;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> => op.Invoke(x, V.Create(y));
    }

    private readonly struct FixedFirst<TOp, T>(TOp op, T x) : IUnary<T>
        where TOp : struct, IBinary<T>
        where T : unmanaged
    {
        public static bool IsWide => TOp.IsWide;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V y)
            where V : struct, ISimd<V, T> => op.Invoke(V.Create(x), y);
    }
}
