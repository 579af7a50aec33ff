using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Verified.Engine.Kernels;

/// <summary>
/// The reduction of one sequence, in an order that its length alone decides: leaves of <see cref="Leaf"/> elements, each in four
/// registers of accumulators, combined pairwise like carries of a binary counter. A sum's error grows with the logarithm of the length.
/// </summary>
internal unsafe struct Sequence<TOp, T>
    where TOp : struct, IReduction<T>
    where T : unmanaged
{
    /// <summary>Elements in a leaf; the sequence must be fed in pieces of this, but for the last.</summary>
    public const int Leaf = 1024;

    private readonly TOp op;
    private Partials partials;
    private ulong count;

    public Sequence(TOp op) => this.op = op;

    /// <summary>Adds the next leaf.</summary>
    public void Add(T* x, int n, T parameter)
    {
        var value = OfLeaf(op, x, n, parameter);
        var level = 0;
        for (var c = count; (c & 1) != 0; c >>= 1, level++) value = Two(partials[level], value);
        partials[level] = value;
        count++;
    }

    /// <summary>The result of all leaves.</summary>
    public readonly T Result()
    {
        if (count == 0) return op.Identity;
        var started = false;
        T value = default;
        var level = 0;
        for (var c = count; c != 0; c >>= 1, level++)
        {
            if ((c & 1) == 0) continue;
            value = started ? Two(partials[level], value) : partials[level];
            started = true;
        }
        return value;
    }

    /// <summary>The reduction of consecutive elements.</summary>
    public static T Of(TOp op, T* x, long n, T parameter = default)
    {
        if (n <= Leaf) return OfLeaf(op, x, (int)n, parameter);
        var sequence = new Sequence<TOp, T>(op);
        for (long i = 0; i < n; i += Leaf) sequence.Add(x + i, (int)Math.Min(Leaf, n - i), parameter);
        return sequence.Result();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly T Two(T a, T b) => V1<T>.Lane(op.Combine(V1<T>.Create(a), V1<T>.Create(b)), 0);

    private static T OfLeaf(TOp op, T* x, int n, T parameter)
    {
        if (TOp.IsWide) return OfWideLeaf(op, x, n, parameter);
        if (Vector512.IsHardwareAccelerated && n >= V512<T>.Count) return OfLeaf<V512<T>>(op, x, n, parameter);
        if (Vector256.IsHardwareAccelerated && n >= V256<T>.Count) return OfLeaf<V256<T>>(op, x, n, parameter);
        if (n >= V128<T>.Count) return OfLeaf<V128<T>>(op, x, n, parameter);
        return OfLeaf<V1<T>>(op, x, n, parameter);
    }

    /// <summary>A costly map stands once, in a pass of its own.</summary>
    [SkipLocalsInit]
    private static T OfWideLeaf(TOp op, T* x, int n, T parameter)
    {
        var mapped = stackalloc T[Leaf];
        Dense.Unary(new MapOnly(op, parameter), x, mapped, n);
        return Sequence<CombineOnly, T>.Of(new(op), mapped, n);
    }

    private static T OfLeaf<V>(TOp op, T* x, int n, T parameter)
        where V : struct, ISimd<V, T>
    {
        var p = V.Create(parameter);
        V a = V.Create(op.Identity), b = a, c = a, d = a;
        var i = 0;
        for (; i <= n - (4 * V.Count); i += 4 * V.Count)
        {
            a = op.Combine(a, op.Map(V.Load(x + i), p));
            b = op.Combine(b, op.Map(V.Load(x + i + V.Count), p));
            c = op.Combine(c, op.Map(V.Load(x + i + (2 * V.Count)), p));
            d = op.Combine(d, op.Map(V.Load(x + i + (3 * V.Count)), p));
        }
        for (; i <= n - V.Count; i += V.Count) a = op.Combine(a, op.Map(V.Load(x + i), p));
        a = op.Combine(op.Combine(a, b), op.Combine(c, d));
        var lanes = stackalloc T[V.Count];
        V.Store(a, lanes);
        // Halves onto halves.
        for (var width = V.Count / 2; width > 0; width /= 2)
            for (var j = 0; j < width; j++)
                lanes[j] = V1<T>.Lane(op.Combine(V1<T>.Create(lanes[j]), V1<T>.Create(lanes[j + width])), 0);
        var rest = V1<T>.Create(lanes[0]);
        for (; i < n; i++) rest = op.Combine(rest, op.Map(V1<T>.Create(x[i]), V1<T>.Create(parameter)));
        return V1<T>.Lane(rest, 0);
    }

    [InlineArray(54)]
    private struct Partials
    {
        private T first;
    }

    private readonly struct MapOnly(TOp op, T parameter) : IUnary<T>
    {
        public static bool IsWide => TOp.IsWide;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> => op.Map(x, V.Create(parameter));
    }

    private readonly struct CombineOnly(TOp op) : IReduction<T>
    {
        public T Identity => op.Identity;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Map<V>(V x, V parameter)
            where V : struct, ISimd<V, T> => x;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Combine<V>(V a, V b)
            where V : struct, ISimd<V, T> => op.Combine(a, b);
    }
}
