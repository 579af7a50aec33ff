namespace Verified.Engine;

/// <summary>
/// The memory order of element-by-element results: that of their operands' dimensions, so that transposed operands give a transposed result. PyTorch's rule
/// (aten/src/ATen/TensorIterator.cpp, reorder_dimensions); <c>view</c>, <c>reshape</c> and <c>contiguous</c> show it.
/// </summary>
internal static class ResultLayout
{
    /// <summary>The steps of a result of these sizes, without gaps.</summary>
    public static int[] Steps(int[] sizes, params ReadOnlySpan<Tensor> operands)
    {
        var ordered = true;
        foreach (var operand in operands) ordered = ordered && IsOrdered(sizes, operand);
        if (ordered || sizes.Length < 2) return Shapes.ContiguousStrides(sizes);
        // From the innermost out, sorted by insertion: dimensions that nothing decides between stay as they are.
        var inner = sizes.Length <= 64 ? stackalloc int[sizes.Length] : new int[sizes.Length];
        for (var i = 0; i < inner.Length; i++) inner[i] = sizes.Length - 1 - i;
        for (var i = 1; i < inner.Length; i++)
        {
            var at = i;
            for (var below = i - 1; below >= 0; below--)
            {
                var order = Compare(sizes, operands, inner[below], inner[at]);
                if (order < 0) break;
                if (order == 0) continue;
                (inner[below], inner[at]) = (inner[at], inner[below]);
                at = below;
            }
        }
        var steps = new int[sizes.Length];
        var next = 1;
        foreach (var d in inner)
        {
            steps[d] = next;
            next *= Math.Max(sizes[d], 1);
        }
        return steps;
    }

    /// <summary>Whether an operand asks for no other order than row-major. Where it is broadcast even the strides of dimensions of one element count.</summary>
    private static bool IsOrdered(int[] sizes, Tensor operand)
    {
        if (Shapes.Same(sizes, operand.Sizes)) return Shapes.IsContiguous(sizes, operand.Steps);
        var step = 1;
        for (var d = operand.Rank - 1; d >= 0; d--)
        {
            if (operand.Steps[d] != step) return false;
            step *= Math.Max(operand.Sizes[d], 1);
        }
        return true;
    }

    /// <summary>Whether dimension a has to lie outside (1) or inside (-1) dimension b; 0: no operand decides.</summary>
    private static int Compare(int[] sizes, ReadOnlySpan<Tensor> operands, int a, int b)
    {
        foreach (var operand in operands)
        {
            int p = Step(sizes, operand, a), q = Step(sizes, operand, b);
            if (p == 0 || q == 0) continue;
            if (p != q) return p.CompareTo(q);
            if (sizes[a] > sizes[b]) return 1;
        }
        return 0;
    }

    /// <summary>An operand's step along a dimension of the result: 0 where it is broadcast.</summary>
    private static int Step(int[] sizes, Tensor operand, int d)
    {
        var own = d - (sizes.Length - operand.Rank);
        return own < 0 || (operand.Sizes[own] == 1 && sizes[d] != 1) ? 0 : operand.Steps[own];
    }
}
