using System.Runtime.CompilerServices;

namespace Verified.Engine;

/// <summary>Arithmetic on shapes and strides, with PyTorch's messages where shapes do not fit. The arrays are shared and never changed.</summary>
internal static class Shapes
{
    public static readonly int[] Scalar = [];
    private static readonly int[] UnitStride = [1];

    public static int Count(ReadOnlySpan<int> shape)
    {
        long count = 1;
        foreach (var size in shape)
        {
            count *= size;
            if (count > int.MaxValue) return Large(shape);
        }
        return (int)count;
    }

    /// <summary>A size that was computed, or an error where it is more than a tensor can have.</summary>
    public static int Size(long size) => size <= int.MaxValue
        ? (int)size
        : throw new AutogradException(ErrorKind.Shape, $"a size of {size} is more than this engine holds ({int.MaxValue})");

    /// <summary>Row-major strides of a shape, as PyTorch counts them: a size of zero counts as one.</summary>
    public static int[] ContiguousStrides(int[] shape)
    {
        if (shape.Length == 0) return Scalar;
        if (shape.Length == 1) return UnitStride;
        var strides = new int[shape.Length];
        var step = 1;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = step;
            step *= Math.Max(shape[i], 1);
        }
        return strides;
    }

    /// <summary>Whether these are the strides of a new tensor, those of dimensions of size one too.</summary>
    public static bool IsRowMajor(int[] shape, int[] strides)
    {
        var step = 1;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            if (strides[i] != step) return false;
            step *= Math.Max(1, shape[i]);
        }
        return true;
    }

    /// <summary>Whether elements lie in row-major order without gaps. Strides of dimensions of size one do not matter.</summary>
    public static bool IsContiguous(int[] shape, int[] strides)
    {
        var step = 1;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            if (shape[i] == 0) return true;
            if (shape[i] == 1) continue;
            if (strides[i] != step) return HasZero(shape);
            step *= shape[i];
        }
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Same(int[] a, int[] b) => ReferenceEquals(a, b) || a.AsSpan().SequenceEqual(b);

    /// <summary>The common shape of two operands, or PyTorch's message naming the first dimension, from the end, that does not fit.</summary>
    public static int[] Broadcast(int[] a, int[] b)
    {
        if (Same(a, b)) return a;
        if (a.Length == 0) return b;
        if (b.Length == 0) return a;
        var rank = Math.Max(a.Length, b.Length);
        var result = new int[rank];
        for (var i = rank - 1; i >= 0; i--)
        {
            var ia = i - (rank - a.Length);
            var ib = i - (rank - b.Length);
            var sizeA = ia >= 0 ? a[ia] : 1;
            var sizeB = ib >= 0 ? b[ib] : 1;
            if (sizeA != sizeB && sizeA != 1 && sizeB != 1)
                throw new AutogradException(ErrorKind.Shape, $"The size of tensor a ({sizeA}) must match the size of tensor b ({sizeB}) at non-singleton dimension {i}");
            result[i] = sizeA == 1 ? sizeB : sizeA;
        }
        return result;
    }

    /// <summary>Whether a tensor of shape <paramref name="from"/> can be read as one of shape <paramref name="to"/> by repeating elements.</summary>
    public static bool CanExpand(int[] from, int[] to)
    {
        if (from.Length > to.Length) return false;
        for (int i = from.Length - 1, j = to.Length - 1; i >= 0; i--, j--)
            if (from[i] != to[j] && from[i] != 1) return false;
        return true;
    }

    /// <summary>The strides by which a tensor reads as one of the broadcast shape <paramref name="to"/>: zero where it repeats.</summary>
    public static int[] ExpandStrides(int[] shape, int[] strides, int[] to)
    {
        if (Same(shape, to)) return strides;
        var result = new int[to.Length];
        for (int i = shape.Length - 1, j = to.Length - 1; i >= 0; i--, j--)
            result[j] = shape[i] == 1 && to[j] != 1 ? 0 : strides[i];
        return result;
    }

    /// <summary>A dimension counted from either end as one from the start; a 0-dim tensor has the dimension 0 (and -1).</summary>
    public static int WrapDim(int dim, int rank)
    {
        var limit = Math.Max(rank, 1);
        if (dim < -limit || dim >= limit)
            throw new AutogradException(ErrorKind.Index, $"Dimension out of range (expected to be in range of [{-limit}, {limit - 1}], but got {dim})");
        return dim < 0 ? dim + limit : dim;
    }

    /// <summary>Which dimensions a reduction removes: all for null or none named (as PyTorch reads an empty list).</summary>
    /// <param name="dims">Their numbers, negative ones from the end.</param>
    /// <param name="rank">How many there are.</param>
    /// <param name="allFirst">All are looked for before one is found to be named twice, as PyTorch's sums and extrema do, and its variances do not.</param>
    public static bool[] ReducedDims(int[]? dims, int rank, bool allFirst = false)
    {
        var reduced = new bool[rank];
        if (allFirst)
            foreach (var dim in dims ?? []) _ = WrapDim(dim, rank);
        if (dims is null || dims.Length == 0)
        {
            Array.Fill(reduced, true);
            return reduced;
        }
        if (rank == 0)
        {
            for (var i = 0; i < dims.Length; i++)
            {
                _ = WrapDim(dims[i], rank);
                if (i > 0) throw new AutogradException(ErrorKind.Value, "dim 0 appears multiple times in the list of dims");
            }
            return reduced;
        }
        foreach (var dim in dims)
        {
            var d = WrapDim(dim, rank);
            if (reduced[d]) throw new AutogradException(ErrorKind.Value, $"dim {d} appears multiple times in the list of dims");
            reduced[d] = true;
        }
        return reduced;
    }

    /// <summary>The shape after a reduction.</summary>
    public static int[] Reduced(int[] shape, bool[] reduced, bool keepdim)
    {
        var result = new List<int>(shape.Length);
        for (var i = 0; i < shape.Length; i++)
        {
            if (!reduced[i]) result.Add(shape[i]);
            else if (keepdim) result.Add(1);
        }
        return [.. result];
    }

    /// <summary>A shape as PyTorch writes it: <c>[2, 3]</c>.</summary>
    public static string Text(ReadOnlySpan<int> shape) => "[" + string.Join(", ", shape.ToArray()) + "]";

    private static int Large(ReadOnlySpan<int> shape) => shape.Contains(0)
        ? 0
        : throw new AutogradException(ErrorKind.Shape, $"a tensor of shape {Text(shape)} has more elements than this engine holds ({int.MaxValue})");

    private static bool HasZero(int[] shape) => Array.IndexOf(shape, 0) >= 0;
}
