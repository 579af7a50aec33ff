using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>
/// An iteration space over up to four operands: sizes and, per operand, strides in elements (0 where broadcast). Operand 0 is the destination.
/// Dimensions of size one are dropped, the others ordered by the destination's strides, and neighbours that lie as one are merged;
/// so any dense space, in whatever memory order, becomes one dimension. Lives in the caller's stack memory.
/// </summary>
internal unsafe struct Loop
{
    public int Rank;
    public int Operands;
    public long Count;
    private int* sizes;
    private int* strides;
    private int capacity;

    /// <summary>The most dimensions of an operand: spaces live on the stack, which has an end.</summary>
    private const int MostDimensions = 4096;

    /// <summary>How many ints <see cref="Begin"/> needs.</summary>
    /// <exception cref="AutogradException">There are more dimensions than a space can have.</exception>
    public static int Memory(int rank, int operands) => rank <= MostDimensions
        ? (rank + 1) * (operands + 1)
        : throw new AutogradException(ErrorKind.Shape, $"a tensor of {rank} dimensions has more than this engine computes with ({MostDimensions})");

    public readonly int Size(int d) => sizes[d];

    public readonly int* Strides(int operand) => strides + (operand * capacity);

    /// <summary>Starts a space in the given memory; <see cref="Add"/> each operand, then <see cref="Finish"/>.</summary>
    public static Loop Begin(int* memory, ReadOnlySpan<int> shape)
    {
        var loop = new Loop { Rank = shape.Length, capacity = shape.Length + 1, sizes = memory, strides = memory + shape.Length + 1, Count = 1 };
        for (var d = 0; d < shape.Length; d++)
        {
            loop.sizes[d] = shape[d];
            loop.Count *= shape[d];
        }
        return loop;
    }

    public void Add(ReadOnlySpan<int> operandStrides)
    {
        var to = Strides(Operands++);
        for (var d = 0; d < Rank; d++) to[d] = operandStrides[d];
    }

    /// <summary>Drops, orders and merges dimensions. Without <paramref name="reorder"/> the row-major order of visits is kept.</summary>
    public void Finish(bool reorder = true)
    {
        if (Count == 0)
        {
            Rank = 0;
            return;
        }
        DropOnes();
        if (reorder) Order();
        Merge();
    }

    /// <summary>Whether an operand's elements are visited at consecutive places.</summary>
    public readonly bool IsDense(int operand)
    {
        var s = Strides(operand);
        long expected = 1;
        for (var d = Rank - 1; d >= 0; d--)
        {
            if (s[d] != expected) return false;
            expected *= sizes[d];
        }
        return true;
    }

    /// <summary>Whether an operand is one element throughout.</summary>
    public readonly bool IsOne(int operand)
    {
        var s = Strides(operand);
        for (var d = 0; d < Rank; d++)
            if (s[d] != 0) return false;
        return true;
    }

    private void DropOnes()
    {
        var kept = 0;
        for (var d = 0; d < Rank; d++)
        {
            if (sizes[d] == 1) continue;
            if (kept != d) Move(d, kept);
            kept++;
        }
        Rank = kept;
    }

    private readonly void Move(int from, int to)
    {
        sizes[to] = sizes[from];
        for (var o = 0; o < Operands; o++) Strides(o)[to] = Strides(o)[from];
    }

    /// <summary>An insertion sort by the destination's strides, largest first; equal ones keep their order.</summary>
    private readonly void Order()
    {
        var key = Strides(0);
        for (var i = 1; i < Rank; i++)
            for (var j = i; j > 0 && Math.Abs(key[j - 1]) < Math.Abs(key[j]); j--)
                Swap(j - 1, j);
    }

    private readonly void Swap(int a, int b)
    {
        (sizes[a], sizes[b]) = (sizes[b], sizes[a]);
        for (var o = 0; o < Operands; o++)
        {
            var s = Strides(o);
            (s[a], s[b]) = (s[b], s[a]);
        }
    }

    private void Merge()
    {
        if (Rank == 0) return;
        var last = 0;
        for (var d = 1; d < Rank; d++)
        {
            if (Mergeable(last, d))
            {
                sizes[last] *= sizes[d];
                for (var o = 0; o < Operands; o++) Strides(o)[last] = Strides(o)[d];
            }
            else if (++last != d)
            {
                Move(d, last);
            }
        }
        Rank = last + 1;
    }

    private readonly bool Mergeable(int outer, int inner)
    {
        for (var o = 0; o < Operands; o++)
        {
            var s = Strides(o);
            if (s[outer] != (long)s[inner] * sizes[inner]) return false;
        }
        return true;
    }

    /// <summary>Copies the visits [begin, begin + count) of an operand into a buffer.</summary>
    [SkipLocalsInit]
    public readonly void Pack<T>(int operand, T* source, long begin, int count, T* buffer)
        where T : unmanaged
    {
        var walk = new Walk(this, operand, begin, stackalloc int[Rank + 1]);
        while (count > 0)
        {
            var take = walk.Take(ref count);
            Rows.Gather(source + walk.Offset, walk.Stride, buffer, take);
            buffer += take;
            walk.Advance(take);
        }
    }

    /// <summary>Copies a buffer to the visits [begin, begin + count) of an operand.</summary>
    [SkipLocalsInit]
    public readonly void Unpack<T>(int operand, T* buffer, long begin, int count, T* destination)
        where T : unmanaged
    {
        var walk = new Walk(this, operand, begin, stackalloc int[Rank + 1]);
        while (count > 0)
        {
            var take = walk.Take(ref count);
            Rows.Scatter(buffer, destination + walk.Offset, walk.Stride, take);
            buffer += take;
            walk.Advance(take);
        }
    }
}
