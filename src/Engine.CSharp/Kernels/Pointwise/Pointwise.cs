using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>
/// Pointwise operators over operands of one shape with any strides (0 where broadcast). References point at each operand's first element;
/// strides count elements. The destination may be a source with the same strides, and must not overlap one otherwise.
/// An element's result depends on its operands alone: same values, same bits, wherever they lie.
/// </summary>
internal static unsafe class Pointwise
{
    /// <summary>Elements that pass through the packing buffers at a time.</summary>
    private const int Chunk = 512;

    /// <summary>Elements from which a row is worth a call of its own.</summary>
    private const int LongRow = 32;

    /// <summary>y = op(x).</summary>
    [SkipLocalsInit]
    public static void Unary<TOp, T>(TOp op, ReadOnlySpan<int> shape, ref T x, ReadOnlySpan<int> xStrides, ref T y, ReadOnlySpan<int> yStrides)
        where TOp : struct, IUnary<T>
        where T : unmanaged
    {
        var memory = stackalloc int[Loop.Memory(shape.Length, 2)];
        var loop = Loop.Begin(memory, shape);
        loop.Add(yStrides);
        loop.Add(xStrides);
        loop.Finish();
        fixed (T* px = &x, py = &y)
        {
            var work = new UnaryWork<TOp, T> { Op = op, Loop = &loop, X = px, Y = py, DenseX = loop.IsDense(1), DenseY = loop.IsDense(0) };
            Ranges.For(loop.Count, Ranges.Grain, ref work);
        }
    }

    /// <summary>y = op(x) over <paramref name="count"/> consecutive elements.</summary>
    public static void Unary<TOp, T>(TOp op, ref T x, ref T y, long count)
        where TOp : struct, IUnary<T>
        where T : unmanaged
    {
        fixed (T* px = &x, py = &y)
        {
            if (count <= Ranges.Grain)
            {
                Dense.Unary(op, px, py, count);
                return;
            }
            var work = new UnaryWork<TOp, T> { Op = op, X = px, Y = py, DenseX = true, DenseY = true };
            Ranges.For(count, Ranges.Grain, ref work);
        }
    }

    /// <summary>z = op(x, y).</summary>
    [SkipLocalsInit]
    public static void Binary<TOp, T>(
        TOp op,
        ReadOnlySpan<int> shape,
        ref T x,
        ReadOnlySpan<int> xStrides,
        ref T y,
        ReadOnlySpan<int> yStrides,
        ref T z,
        ReadOnlySpan<int> zStrides)
        where TOp : struct, IBinary<T>
        where T : unmanaged
    {
        var memory = stackalloc int[Loop.Memory(shape.Length, 3)];
        var loop = Loop.Begin(memory, shape);
        loop.Add(zStrides);
        loop.Add(xStrides);
        loop.Add(yStrides);
        loop.Finish();
        fixed (T* px = &x, py = &y, pz = &z)
        {
            var work = new BinaryWork<TOp, T>
            {
                Op = op,
                Loop = &loop,
                X = px,
                Y = py,
                Z = pz,
                OneX = loop.IsOne(1),
                OneY = loop.IsOne(2),
                DenseX = loop.IsDense(1),
                DenseY = loop.IsDense(2),
                DenseZ = loop.IsDense(0),
            };
            Ranges.For(loop.Count, Ranges.Grain, ref work);
        }
    }

    /// <summary>z = op(x, y) over <paramref name="count"/> consecutive elements.</summary>
    public static void Binary<TOp, T>(TOp op, ref T x, ref T y, ref T z, long count)
        where TOp : struct, IBinary<T>
        where T : unmanaged
    {
        fixed (T* px = &x, py = &y, pz = &z)
        {
            if (count <= Ranges.Grain)
            {
                Dense.Binary(op, px, py, pz, count);
                return;
            }
            var work = new BinaryWork<TOp, T> { Op = op, X = px, Y = py, Z = pz, DenseX = true, DenseY = true, DenseZ = true };
            Ranges.For(count, Ranges.Grain, ref work);
        }
    }

    /// <summary>w = op(x, y, z).</summary>
    [SkipLocalsInit]
    public static void Ternary<TOp, T>(
        TOp op,
        ReadOnlySpan<int> shape,
        ref T x,
        ReadOnlySpan<int> xStrides,
        ref T y,
        ReadOnlySpan<int> yStrides,
        ref T z,
        ReadOnlySpan<int> zStrides,
        ref T w,
        ReadOnlySpan<int> wStrides)
        where TOp : struct, ITernary<T>
        where T : unmanaged
    {
        var memory = stackalloc int[Loop.Memory(shape.Length, 4)];
        var loop = Loop.Begin(memory, shape);
        loop.Add(wStrides);
        loop.Add(xStrides);
        loop.Add(yStrides);
        loop.Add(zStrides);
        loop.Finish();
        fixed (T* px = &x, py = &y, pz = &z, pw = &w)
        {
            var work = new TernaryWork<TOp, T> { Op = op, Loop = &loop, X = px, Y = py, Z = pz, W = pw };
            Ranges.For(loop.Count, Ranges.Grain, ref work);
        }
    }

    /// <summary>z = op(x, y) ? 1 : 0, one byte each.</summary>
    [SkipLocalsInit]
    public static void Compare<TOp, T>(
        TOp op,
        ReadOnlySpan<int> shape,
        ref T x,
        ReadOnlySpan<int> xStrides,
        ref T y,
        ReadOnlySpan<int> yStrides,
        ref byte z,
        ReadOnlySpan<int> zStrides)
        where TOp : struct, IComparison<T>
        where T : unmanaged
    {
        var memory = stackalloc int[Loop.Memory(shape.Length, 3)];
        var loop = Loop.Begin(memory, shape);
        loop.Add(zStrides);
        loop.Add(xStrides);
        loop.Add(yStrides);
        loop.Finish();
        fixed (T* px = &x, py = &y)
        fixed (byte* pz = &z)
        {
            var work = new CompareWork<TOp, T> { Op = op, Loop = &loop, X = px, Y = py, Z = pz };
            Ranges.For(loop.Count, Ranges.Grain, ref work);
        }
    }

    /// <summary>z = condition ? x : y; the condition is a byte, false where 0.</summary>
    [SkipLocalsInit]
    public static void Where<T>(
        ReadOnlySpan<int> shape,
        ref byte condition,
        ReadOnlySpan<int> conditionStrides,
        ref T x,
        ReadOnlySpan<int> xStrides,
        ref T y,
        ReadOnlySpan<int> yStrides,
        ref T z,
        ReadOnlySpan<int> zStrides)
        where T : unmanaged
    {
        var memory = stackalloc int[Loop.Memory(shape.Length, 4)];
        var loop = Loop.Begin(memory, shape);
        loop.Add(zStrides);
        loop.Add(conditionStrides);
        loop.Add(xStrides);
        loop.Add(yStrides);
        loop.Finish();
        fixed (T* px = &x, py = &y, pz = &z)
        fixed (byte* pc = &condition)
        {
            var work = new WhereWork<T> { Loop = &loop, Condition = pc, X = px, Y = py, Z = pz };
            Ranges.For(loop.Count, Ranges.Grain, ref work);
        }
    }

    private struct UnaryWork<TOp, T> : IRangeWork
        where TOp : struct, IUnary<T>
        where T : unmanaged
    {
        public TOp Op;
        public Loop* Loop;
        public T* X, Y;
        public bool DenseX, DenseY;

        public readonly void Run(long begin, long end)
        {
            if (DenseX && DenseY) Dense.Unary(Op, X + begin, Y + begin, end - begin);
            else Packed(begin, end);
        }

        [SkipLocalsInit]
        private readonly void Packed(long begin, long end)
        {
            var bufferX = stackalloc T[Chunk];
            var bufferY = stackalloc T[Chunk];
            for (var at = begin; at < end; at += Chunk)
            {
                var n = (int)Math.Min(Chunk, end - at);
                var x = Chunks.In(Loop, 1, DenseX, X, at, n, bufferX);
                var y = DenseY ? Y + at : bufferY;
                Dense.Unary(Op, x, y, n);
                if (!DenseY) Loop->Unpack(0, y, at, n, Y);
            }
        }
    }

    private struct BinaryWork<TOp, T> : IRangeWork
        where TOp : struct, IBinary<T>
        where T : unmanaged
    {
        public TOp Op;
        public Loop* Loop;
        public T* X, Y, Z;
        public bool OneX, OneY, DenseX, DenseY, DenseZ;

        public readonly void Run(long begin, long end)
        {
            if ((DenseX || OneX) && (DenseY || OneY) && DenseZ)
                Dense.Binary(Op, OneX ? X : X + begin, OneX, OneY ? Y : Y + begin, OneY, Z + begin, end - begin);
            else if (InRows) ByRow(begin, end);
            else Packed(begin, end);
        }

        /// <summary>Whether rows are long, and each operand is consecutive or one element within a row: a bias, a mean.</summary>
        private readonly bool InRows
        {
            get
            {
                var inner = Loop->Rank - 1;
                return inner >= 1 && Loop->Size(inner) >= LongRow && Loop->Strides(0)[inner] == 1
                    && (uint)Loop->Strides(1)[inner] <= 1 && (uint)Loop->Strides(2)[inner] <= 1;
            }
        }

        [SkipLocalsInit]
        private readonly void ByRow(long begin, long end)
        {
            var places = stackalloc int[3 * (Loop->Rank + 1)];
            var z = new Walk(*Loop, 0, begin, new Span<int>(places, Loop->Rank));
            var x = new Walk(*Loop, 1, begin, new Span<int>(places + Loop->Rank, Loop->Rank));
            var y = new Walk(*Loop, 2, begin, new Span<int>(places + (2 * Loop->Rank), Loop->Rank));
            for (var left = end - begin; left > 0;)
            {
                var wanted = (int)Math.Min(left, int.MaxValue);
                var n = z.Take(ref wanted);
                Dense.Binary(Op, X + x.Offset, x.Stride == 0, Y + y.Offset, y.Stride == 0, Z + z.Offset, n);
                left -= n;
                x.Advance(n);
                y.Advance(n);
                z.Advance(n);
            }
        }

        [SkipLocalsInit]
        private readonly void Packed(long begin, long end)
        {
            var bufferX = stackalloc T[Chunk];
            var bufferY = stackalloc T[Chunk];
            var bufferZ = stackalloc T[Chunk];
            for (var at = begin; at < end; at += Chunk)
            {
                var n = (int)Math.Min(Chunk, end - at);
                var x = OneX ? X : Chunks.In(Loop, 1, DenseX, X, at, n, bufferX);
                var y = OneY ? Y : Chunks.In(Loop, 2, DenseY, Y, at, n, bufferY);
                var z = DenseZ ? Z + at : bufferZ;
                Dense.Binary(Op, x, OneX, y, OneY, z, n);
                if (!DenseZ) Loop->Unpack(0, z, at, n, Z);
            }
        }
    }

    private struct TernaryWork<TOp, T> : IRangeWork
        where TOp : struct, ITernary<T>
        where T : unmanaged
    {
        public TOp Op;
        public Loop* Loop;
        public T* X, Y, Z, W;

        [SkipLocalsInit]
        public readonly void Run(long begin, long end)
        {
            var bufferX = stackalloc T[Chunk];
            var bufferY = stackalloc T[Chunk];
            var bufferZ = stackalloc T[Chunk];
            var bufferW = stackalloc T[Chunk];
            bool denseX = Loop->IsDense(1), denseY = Loop->IsDense(2), denseZ = Loop->IsDense(3), denseW = Loop->IsDense(0);
            for (var at = begin; at < end; at += Chunk)
            {
                var n = (int)Math.Min(Chunk, end - at);
                var x = Chunks.In(Loop, 1, denseX, X, at, n, bufferX);
                var y = Chunks.In(Loop, 2, denseY, Y, at, n, bufferY);
                var z = Chunks.In(Loop, 3, denseZ, Z, at, n, bufferZ);
                var w = denseW ? W + at : bufferW;
                Dense.Ternary(Op, x, y, z, w, n);
                if (!denseW) Loop->Unpack(0, w, at, n, W);
            }
        }
    }

    private struct CompareWork<TOp, T> : IRangeWork
        where TOp : struct, IComparison<T>
        where T : unmanaged
    {
        public TOp Op;
        public Loop* Loop;
        public T* X, Y;
        public byte* Z;

        [SkipLocalsInit]
        public readonly void Run(long begin, long end)
        {
            var bufferX = stackalloc T[Chunk];
            var bufferY = stackalloc T[Chunk];
            var bufferZ = stackalloc byte[Chunk];
            bool denseX = Loop->IsDense(1), denseY = Loop->IsDense(2), denseZ = Loop->IsDense(0);
            for (var at = begin; at < end; at += Chunk)
            {
                var n = (int)Math.Min(Chunk, end - at);
                var x = Chunks.In(Loop, 1, denseX, X, at, n, bufferX);
                var y = Chunks.In(Loop, 2, denseY, Y, at, n, bufferY);
                var z = denseZ ? Z + at : bufferZ;
                Dense.Compare(Op, x, y, z, n);
                if (!denseZ) Loop->Unpack(0, z, at, n, Z);
            }
        }
    }

    private struct WhereWork<T> : IRangeWork
        where T : unmanaged
    {
        public Loop* Loop;
        public byte* Condition;
        public T* X, Y, Z;

        [SkipLocalsInit]
        public readonly void Run(long begin, long end)
        {
            var bufferC = stackalloc byte[Chunk];
            var bufferX = stackalloc T[Chunk];
            var bufferY = stackalloc T[Chunk];
            var bufferZ = stackalloc T[Chunk];
            bool denseC = Loop->IsDense(1), denseX = Loop->IsDense(2), denseY = Loop->IsDense(3), denseZ = Loop->IsDense(0);
            for (var at = begin; at < end; at += Chunk)
            {
                var n = (int)Math.Min(Chunk, end - at);
                var c = Chunks.In(Loop, 1, denseC, Condition, at, n, bufferC);
                var x = Chunks.In(Loop, 2, denseX, X, at, n, bufferX);
                var y = Chunks.In(Loop, 3, denseY, Y, at, n, bufferY);
                var z = denseZ ? Z + at : bufferZ;
                for (var i = 0; i < n; i++) z[i] = c[i] != 0 ? x[i] : y[i];
                if (!denseZ) Loop->Unpack(0, z, at, n, Z);
            }
        }
    }
}
