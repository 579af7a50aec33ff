namespace Verified.Engine;

/// <summary>Which tensors share single memory locations, decided as PyTorch decides it: certainly, certainly not, or too hard to tell (then nothing is raised).</summary>
internal static class Overlap
{
    private const string Inside =
        "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.";

    private const string Between =
        "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor before performing the operation.";

    /// <summary>Raises if elements of a tensor that is to be written certainly share a location.</summary>
    public static void CheckWritable(Tensor written)
    {
        if (written.IsContiguous || IsNonOverlappingAndDense(written)) return;
        for (var i = 0; i < written.Rank; i++)
            if (written.Steps[i] == 0 && written.Sizes[i] > 1) throw new AutogradException(ErrorKind.OverlappingWrite, Inside);
    }

    /// <summary>Raises if a tensor that is to be written certainly shares some, but not all in the same order, of its locations with one that is read.</summary>
    public static void CheckReadable(Tensor written, Tensor read)
    {
        if (ReferenceEquals(written, read) || !written.SharesMemoryWith(read)) return;
        if (written.Count == 0 || read.Count == 0) return;
        if (!IsNonOverlappingAndDense(written) || !IsNonOverlappingAndDense(read)) return;
        var (writtenStart, writtenEnd) = Places(written);
        var (readStart, readEnd) = Places(read);
        if (writtenStart == readStart && writtenEnd == readEnd)
        {
            if (!written.Steps.AsSpan().SequenceEqual(read.Steps)) throw new AutogradException(ErrorKind.OverlappingWrite, Between);
        }
        else if (writtenStart < readEnd && readStart < writtenEnd)
        {
            throw new AutogradException(ErrorKind.OverlappingWrite, Between);
        }
    }

    /// <summary>Raises if a tensor that is to be written is the very tensor that is read, or certainly shares locations with it: for a write that reads as it goes.</summary>
    public static void CheckApart(Tensor written, Tensor read)
    {
        CheckReadable(written, read);
        if (ReferenceEquals(written, read)) throw new AutogradException(ErrorKind.OverlappingWrite, Between);
        if (written.SharesMemoryWith(read) && written.Count > 0 && IsNonOverlappingAndDense(written) && IsNonOverlappingAndDense(read) && Places(written) == Places(read))
            throw new AutogradException(ErrorKind.OverlappingWrite, Between);
    }

    /// <summary>Whether two tensors have the same elements in the same order.</summary>
    public static bool IsInTheSamePlace(Tensor a, Tensor b) =>
        ReferenceEquals(a, b)
        || (a.SharesMemoryWith(b) && a.Offset == b.Offset && a.DType == b.DType && Shapes.Same(a.Sizes, b.Sizes) && a.Steps.AsSpan().SequenceEqual(b.Steps));

    // The bytes between which a dense tensor lies.
    private static (long Start, long End) Places(Tensor t) => ((long)t.Offset * t.DType.Size(), ((long)t.Offset + t.Count) * t.DType.Size());

    /// <summary>Whether the elements fill one piece of memory, each place once, in some order of the dimensions.</summary>
    public static bool IsNonOverlappingAndDense(Tensor t)
    {
        if (t.IsContiguous) return true;
        var sizes = t.Sizes;
        var steps = t.Steps;
        var order = new List<int>(t.Rank);
        for (var i = 0; i < t.Rank; i++)
            if (sizes[i] > 1) order.Add(i);
        order.Sort((a, b) => steps[a].CompareTo(steps[b]));
        var expected = 1;
        foreach (var d in order)
        {
            if (steps[d] != expected) return false;
            expected *= sizes[d];
        }
        return true;
    }
}
