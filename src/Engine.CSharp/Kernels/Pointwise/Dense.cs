using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Verified.Engine.Kernels;

/// <summary>
/// Operators over consecutive elements: the widest register that fits, the last one overlapping its neighbour, a single lane for what is
/// shorter than any. The destination may be one of the sources, or lie apart; not overlap one in part.
/// </summary>
internal static unsafe class Dense
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Unary<TOp, T>(TOp op, T* x, T* y, long n)
        where TOp : struct, IUnary<T>
        where T : unmanaged
    {
        if (Vector512.IsHardwareAccelerated && n >= V512<T>.Count) Unary<TOp, T, V512<T>>(op, x, y, n);
        else if (Vector256.IsHardwareAccelerated && n >= V256<T>.Count) Unary<TOp, T, V256<T>>(op, x, y, n);
        else if (n >= V128<T>.Count) Unary<TOp, T, V128<T>>(op, x, y, n);
        else if (n > 0) Unary<TOp, T, V1<T>>(op, x, y, n);
    }

    /// <summary>Two sources; a flag says that one is a single element used throughout.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Binary<TOp, T>(TOp op, T* x, bool oneX, T* y, bool oneY, T* z, long n)
        where TOp : struct, IBinary<T>
        where T : unmanaged
    {
        if (Vector512.IsHardwareAccelerated && n >= V512<T>.Count) Binary<TOp, T, V512<T>>(op, x, oneX, y, oneY, z, n);
        else if (Vector256.IsHardwareAccelerated && n >= V256<T>.Count) Binary<TOp, T, V256<T>>(op, x, oneX, y, oneY, z, n);
        else if (n >= V128<T>.Count) Binary<TOp, T, V128<T>>(op, x, oneX, y, oneY, z, n);
        else if (n > 0) Binary<TOp, T, V1<T>>(op, x, oneX, y, oneY, z, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Ternary<TOp, T>(TOp op, T* x, T* y, T* z, T* w, long n)
        where TOp : struct, ITernary<T>
        where T : unmanaged
    {
        if (Vector512.IsHardwareAccelerated && n >= V512<T>.Count) Ternary<TOp, T, V512<T>>(op, x, y, z, w, n);
        else if (Vector256.IsHardwareAccelerated && n >= V256<T>.Count) Ternary<TOp, T, V256<T>>(op, x, y, z, w, n);
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

    // Each last register is computed before the loop, which may overwrite its source.
    private static void Unary<TOp, T, V>(TOp op, T* x, T* y, long n)
        where TOp : struct, IUnary<T>
        where T : unmanaged
        where V : struct, ISimd<V, T>
    {
        var last = n - V.Count;
        var tail = op.Invoke(V.Load(x + last));
        for (long i = 0; i < last; i += V.Count) V.Store(op.Invoke(V.Load(x + i)), y + i);
        V.Store(tail, y + last);
    }

    private static void Binary<TOp, T, V>(TOp op, T* x, bool oneX, T* y, bool oneY, T* z, long n)
        where TOp : struct, IBinary<T>
        where T : unmanaged
        where V : struct, ISimd<V, T>
    {
        var last = n - V.Count;
        if (!oneX && !oneY)
        {
            var tail = op.Invoke(V.Load(x + last), V.Load(y + last));
            for (long i = 0; i < last; i += V.Count) V.Store(op.Invoke(V.Load(x + i), V.Load(y + i)), z + i);
            V.Store(tail, z + last);
        }
        else if (oneY)
        {
            var one = V.Create(*y);
            if (oneX)
            {
                var all = op.Invoke(V.Create(*x), one);
                for (long i = 0; i < last; i += V.Count) V.Store(all, z + i);
                V.Store(all, z + last);
                return;
            }
            var tail = op.Invoke(V.Load(x + last), one);
            for (long i = 0; i < last; i += V.Count) V.Store(op.Invoke(V.Load(x + i), one), z + i);
            V.Store(tail, z + last);
        }
        else
        {
            var one = V.Create(*x);
            var tail = op.Invoke(one, V.Load(y + last));
            for (long i = 0; i < last; i += V.Count) V.Store(op.Invoke(one, V.Load(y + i)), z + i);
            V.Store(tail, z + last);
        }
    }

    private static void Ternary<TOp, T, V>(TOp op, T* x, T* y, T* z, T* w, long n)
        where TOp : struct, ITernary<T>
        where T : unmanaged
        where V : struct, ISimd<V, T>
    {
        var last = n - V.Count;
        var tail = op.Invoke(V.Load(x + last), V.Load(y + last), V.Load(z + last));
        for (long i = 0; i < last; i += V.Count) V.Store(op.Invoke(V.Load(x + i), V.Load(y + i), V.Load(z + i)), w + i);
        V.Store(tail, w + last);
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
}
