using System.Numerics;
using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>
/// Reads and sums through indices. Indices are checked by the caller (<see cref="FirstOutside"/>) and are not negative. Sums are taken in
/// the order of the indices, on one thread: the same bits always.
/// </summary>
internal static unsafe class Indexing
{
    /// <summary>The place of the first index outside [low, high), or -1.</summary>
    public static long FirstOutside(ref long index, long count, long low, long high)
    {
        for (long i = 0; i < count; i++)
        {
            var value = Unsafe.Add(ref index, (nint)i);
            if (value < low || value >= high) return i;
        }
        return -1;
    }

    /// <summary>y[o, j, k] = x[o, index[j], k] of dense operands x [outer, n, inner] and y [outer, m, inner]. With outer = 1, an embedding's rows.</summary>
    public static void Select<T>(ref T x, ref long index, ref T y, int outer, int n, int m, int inner)
        where T : unmanaged
    {
        fixed (T* px = &x, py = &y)
        fixed (long* pi = &index)
        {
            var work = new SelectWork<T> { X = px, Y = py, Index = pi, N = n, M = m, Inner = inner };
            Ranges.For((long)outer * m, Math.Max(1, Ranges.Grain / Math.Max(1, inner)), ref work);
        }
    }

    /// <summary>
    /// y[o, index[j], k] += x[o, j, k] of dense operands y [outer, n, inner] and x [outer, m, inner]; rows whose index is
    /// <paramref name="skip"/> are left out (an embedding's padding; -1 for none).
    /// </summary>
    public static void Add<T>(ref T x, ref long index, ref T y, int outer, int n, int m, int inner, long skip = -1)
        where T : unmanaged, INumber<T>
    {
        fixed (T* px = &x, py = &y)
        fixed (long* pi = &index)
        {
            for (long o = 0; o < outer; o++)
                for (var j = 0; j < m; j++)
                {
                    if (pi[j] == skip) continue;
                    var to = py + (((o * n) + pi[j]) * inner);
                    Dense.Binary(default(Op.Add<T>), to, false, px + (((o * m) + j) * inner), false, to, inner);
                }
        }
    }

    /// <summary>y[index[j]] = x[j], in order of j: of several at one place the last stays.</summary>
    public static void Write<T>(ref T x, ref long index, ref T y, int count)
        where T : unmanaged
    {
        for (var j = 0; j < count; j++) Unsafe.Add(ref y, (nint)Unsafe.Add(ref index, j)) = Unsafe.Add(ref x, j);
    }

    /// <summary>
    /// z[i0, ..] = x[.., index[i0, ..], ..]: the index takes the place of dimension <paramref name="dim"/>. The shape is the index's.
    /// </summary>
    [SkipLocalsInit]
    public static void Gather<T>(
        ReadOnlySpan<int> shape,
        int dim,
        ref T x,
        ReadOnlySpan<int> xStrides,
        ref long index,
        ReadOnlySpan<int> indexStrides,
        ref T z,
        ReadOnlySpan<int> zStrides)
        where T : unmanaged
    {
        fixed (T* px = &x, pz = &z)
        fixed (long* pi = &index)
        {
            var visit = new GatherVisit<T> { X = px, Z = pz };
            Visit(ref visit, shape, dim, xStrides, pi, indexStrides, zStrides);
        }
    }

    /// <summary>
    /// x[.., index[i0, ..], ..] += z[i0, ..], in row-major order of the index: the index takes the place of dimension <paramref name="dim"/>.
    /// </summary>
    [SkipLocalsInit]
    public static void ScatterAdd<T>(
        ReadOnlySpan<int> shape,
        int dim,
        ref T x,
        ReadOnlySpan<int> xStrides,
        ref long index,
        ReadOnlySpan<int> indexStrides,
        ref T z,
        ReadOnlySpan<int> zStrides)
        where T : unmanaged, INumber<T>
    {
        fixed (T* px = &x, pz = &z)
        fixed (long* pi = &index)
        {
            var visit = new ScatterVisit<T> { X = px, Z = pz };
            Visit(ref visit, shape, dim, xStrides, pi, indexStrides, zStrides);
        }
    }

    private static void Visit<TVisit>(
        ref TVisit visit,
        ReadOnlySpan<int> shape,
        int dim,
        ReadOnlySpan<int> xStrides,
        long* index,
        ReadOnlySpan<int> indexStrides,
        ReadOnlySpan<int> zStrides)
        where TVisit : struct, IVisit
    {
        // A 0-dim operand counts as one of one dimension.
        long along = shape.Length == 0 ? 1 : xStrides[dim];
        var memory = stackalloc int[Loop.Memory(shape.Length, 3)];
        var others = stackalloc int[shape.Length + 1];
        for (var d = 0; d < shape.Length; d++) others[d] = d == dim ? 0 : xStrides[d];
        var loop = Loop.Begin(memory, shape);
        loop.Add(zStrides);
        loop.Add(indexStrides);
        loop.Add(new ReadOnlySpan<int>(others, shape.Length));
        loop.Finish(reorder: false);
        if (loop.Count == 0) return;
        var places = stackalloc int[3 * (loop.Rank + 1)];
        var z = new Walk(loop, 0, 0, new Span<int>(places, loop.Rank + 1));
        var i = new Walk(loop, 1, 0, new Span<int>(places + loop.Rank + 1, loop.Rank + 1));
        var x = new Walk(loop, 2, 0, new Span<int>(places + (2 * (loop.Rank + 1)), loop.Rank + 1));
        for (var left = loop.Count; left > 0; left--)
        {
            visit.At(x.Offset + (along * index[i.Offset]), z.Offset);
            z.Advance(1);
            i.Advance(1);
            x.Advance(1);
        }
    }

    private interface IVisit
    {
        void At(long x, long z);
    }

    private struct GatherVisit<T> : IVisit
        where T : unmanaged
    {
        public T* X, Z;

        public readonly void At(long x, long z) => Z[z] = X[x];
    }

    private struct ScatterVisit<T> : IVisit
        where T : unmanaged, INumber<T>
    {
        public T* X, Z;

        public readonly void At(long x, long z) => X[x] += Z[z];
    }

    private struct SelectWork<T> : IRangeWork
        where T : unmanaged
    {
        public T* X, Y;
        public long* Index;
        public int N, M, Inner;

        public readonly void Run(long begin, long end)
        {
            for (var r = begin; r < end; r++)
            {
                var o = r / M;
                Rows.Copy(X + (((o * N) + Index[r - (o * M)]) * Inner), Y + (r * Inner), Inner);
            }
        }
    }
}
