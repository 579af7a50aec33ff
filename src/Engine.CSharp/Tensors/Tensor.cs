using System.Runtime.CompilerServices;

namespace Verified.Engine;

/// <summary>
/// An n-dimensional array of one <see cref="DType"/>: a window (offset, shape, strides) on memory that views share, with a handle on the tape.
/// Needs no disposal. Its operators and methods are recorded where a gradient is required, as PyTorch's are.
/// </summary>
[System.Diagnostics.DebuggerDisplay("{ToString(),nq}")]
public sealed partial class Tensor
{
    internal Storage Storage;
    internal int[] Sizes;
    internal int[] Steps;
    internal int Offset;
    private readonly DType dtype;

    internal Tensor(Storage storage, DType dtype, int[] sizes, int[] steps, int offset)
    {
        Storage = storage;
        this.dtype = dtype;
        Sizes = sizes;
        Steps = steps;
        Offset = offset;
        IsInference = GradMode.Inference;
    }

    /// <summary>The type of the elements.</summary>
    public DType DType => dtype;

    /// <summary>The size of each dimension; empty for a scalar.</summary>
    public ReadOnlySpan<int> Shape => Sizes;

    /// <summary>How many elements lie between neighbours in each dimension.</summary>
    public ReadOnlySpan<int> Strides => Steps;

    /// <summary>The first element's place in the storage, in elements.</summary>
    public int StorageOffset => Offset;

    /// <summary>The number of dimensions.</summary>
    public int Rank => Sizes.Length;

    /// <summary>The number of elements.</summary>
    public int Count => Shapes.Count(Sizes);

    /// <summary>Whether the elements lie in row-major order without gaps.</summary>
    public bool IsContiguous => Shapes.IsContiguous(Sizes, Steps);

    /// <summary>How many in-place writes the memory of this tensor, its base and its views has seen.</summary>
    /// <exception cref="AutogradException">It is an inference tensor, which counts none.</exception>
    public int Version
    {
        get
        {
            if (IsInference) throw new AutogradException(ErrorKind.Other, "Inference tensors do not track version counter.");
            return Storage.Version;
        }
    }

    /// <summary>Whether the tensor was made in an inference scope: it has no version and cannot be saved.</summary>
    public bool IsInference { get; private init; }

    /// <summary>Whether this stands for a plain number: it then yields to every tensor of its kind in promotion.</summary>
    internal bool IsWrappedNumber { get; init; }

    /// <summary>A number that a derivative rule made, and no program named.</summary>
    internal bool IsDerivedNumber { get; init; }

    /// <summary>The size of one dimension, counted from either end.</summary>
    public int Size(int dim) => Sizes[Shapes.WrapDim(dim, Rank)];

    /// <summary>Whether two tensors look at the same memory (perhaps at different parts of it).</summary>
    public bool SharesMemoryWith(Tensor other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return ReferenceEquals(Storage.Identity, other.Storage.Identity);
    }

    /// <summary>A new tensor of undefined content.</summary>
    internal static Tensor Empty(int[] shape, DType dtype) =>
        new(Storage.Create((long)Shapes.Count(shape) * dtype.Size()), dtype, shape, Shapes.ContiguousStrides(shape), 0);

    /// <summary>A new tensor of undefined content with the shape and the memory order of another.</summary>
    internal static Tensor EmptyLike(Tensor like, DType dtype)
    {
        var keeps = Shapes.IsContiguous(like.Sizes, like.Steps) || Overlap.IsNonOverlappingAndDense(like);
        return new(Storage.Create((long)like.Count * dtype.Size()), dtype, like.Sizes, keeps ? like.Steps : ResultLayout.Steps(like.Sizes, like), 0);
    }

    /// <summary>Zeros with the shape, the type and the memory order of another tensor.</summary>
    internal static Tensor ZerosLike(Tensor like)
    {
        if (like.IsContiguous) return Zeros(like.Sizes, like.DType);
        var zeros = EmptyLike(like, like.DType);
        Fill.With(zeros, 0);
        return zeros;
    }

    /// <summary>A new tensor of undefined content with the shape and the memory order of another, whose strides along dimensions of size 1 are their own.</summary>
    internal static Tensor EmptyFor(DType dtype, Tensor like) =>
        new(Storage.Create((long)like.Count * dtype.Size()), dtype, like.Sizes, Shapes.IsRowMajor(like.Sizes, like.Steps) ? like.Steps : ResultLayout.Steps(like.Sizes, like), 0);

    /// <summary>A new tensor of undefined content in the memory order of the operands that are broadcast to its shape.</summary>
    internal static Tensor EmptyFor(int[] shape, DType dtype, params ReadOnlySpan<Tensor> operands) =>
        new(Storage.Create((long)Shapes.Count(shape) * dtype.Size()), dtype, shape, ResultLayout.Steps(shape, operands), 0);

    /// <summary>Another window on the same memory, off the tape.</summary>
    internal Tensor Alias(int[] sizes, int[] steps, int offset) => new(Storage, dtype, sizes, steps, offset) { IsInference = IsInference };

    /// <summary>The first element of the window as a reference; the tensor must be kept alive until it was used.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref T Origin<T>()
        where T : unmanaged => ref Unsafe.Add(ref Unsafe.As<byte, T>(ref Storage.Origin), Offset);
}
