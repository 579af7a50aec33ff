namespace Verified.Engine.Kernels;

/// <summary>A shape split into the kept dimensions and the reduced ones, each a space over x in row-major order.</summary>
internal unsafe struct ReductionPlan
{
    public Loop Kept;
    public Loop Reduced;

    /// <summary>Whether the last dimension of more than one element is reduced: decided by the shape, since it decides the order of sums.</summary>
    public bool InnermostReduced;

    /// <summary>Needs twice <see cref="Loop.Memory"/> of one operand.</summary>
    public ReductionPlan(int* memory, ReadOnlySpan<int> shape, ReadOnlySpan<int> strides, ReadOnlySpan<bool> reduced)
    {
        Span<int> sizes = stackalloc int[shape.Length], steps = stackalloc int[shape.Length];
        Kept = Part(memory, shape, strides, reduced, false, sizes, steps);
        Reduced = Part(memory + Loop.Memory(shape.Length, 1), shape, strides, reduced, true, sizes, steps);
        InnermostReduced = true;
        for (var d = shape.Length - 1; d >= 0; d--)
        {
            if (shape[d] == 1) continue;
            InnermostReduced = reduced[d];
            break;
        }
    }

    private static Loop Part(
        int* memory,
        ReadOnlySpan<int> shape,
        ReadOnlySpan<int> strides,
        ReadOnlySpan<bool> reduced,
        bool which,
        Span<int> sizes,
        Span<int> steps)
    {
        var rank = 0;
        for (var d = 0; d < shape.Length; d++)
        {
            if (reduced[d] != which) continue;
            sizes[rank] = shape[d];
            steps[rank++] = strides[d];
        }
        var loop = Loop.Begin(memory, sizes[..rank]);
        loop.Add(steps[..rank]);
        loop.Finish(reorder: false);
        return loop;
    }
}
