namespace Verified.Engine;

/// <summary>Indexing by tensors, reduced to places among the flat elements; PyTorch's rule for where the indexed dimensions of x[i, null, j] go.</summary>
internal static class TensorIndex
{
    /// <summary>Refuses more indices than there are dimensions.</summary>
    public static void CheckCount(int[] sizes, int count)
    {
        if (count > sizes.Length) throw new AutogradException(ErrorKind.Index, $"too many indices for tensor of dimension {sizes.Length} (got {count})");
    }

    /// <summary>For each element of the result the place in the row-major order of x, and the result's shape.</summary>
    public static (Tensor Flat, int[] Shape) Places(int[] sizes, IReadOnlyList<Tensor?> given, Action<int[]>? accept = null)
    {
        CheckCount(sizes, given.Count);
        var indices = Expanded(sizes, given);
        if (indices.Count > sizes.Length) throw Beyond(sizes, sizes.Length);
        while (indices.Count < sizes.Length) indices.Add(null);
        var broadcast = Broadcast(indices);

        // Indexed dimensions that stand side by side are replaced where they stand; otherwise theirs come first.
        var indexed = Enumerable.Range(0, sizes.Length).Where(d => indices[d] is not null).ToArray();
        var together = indexed.Length > 0 && indexed[^1] - indexed[0] == indexed.Length - 1;
        var at = together ? indexed[0] : 0;
        var rest = Enumerable.Range(0, sizes.Length).Where(d => indices[d] is null).ToArray();
        var before = together ? rest.Where(d => d < at).ToArray() : [];
        var after = together ? rest.Where(d => d > at).ToArray() : rest;
        int[] shape = [.. before.Select(d => sizes[d]), .. broadcast, .. after.Select(d => sizes[d])];

        // In a dimension without places there is nothing to look up.
        foreach (var d in indexed.Where(d => sizes[d] == 0)) Wrapped(indices[d]!, 0, d);
        accept?.Invoke(shape);

        var strides = Shapes.ContiguousStrides(sizes);
        var rank = shape.Length;
        using var _ = Autograd.NoGrad();
        var flat = Tensor.Zeros(shape, DType.Int64);
        foreach (var d in indexed)
        {
            var index = Wrapped(indices[d]!, sizes[d], d).Mul(Tensor.Number((long)strides[d]));
            // Its dimensions stand where the broadcast ones do.
            var view = index.Reshape([.. Enumerable.Repeat(1, broadcast.Length - index.Sizes.Length), .. index.Sizes, .. Enumerable.Repeat(1, after.Length)]);
            flat = flat.Add(view);
        }
        for (var k = 0; k < before.Length; k++) flat = flat.Add(Along(sizes[before[k]], strides[before[k]], k, rank));
        for (var k = 0; k < after.Length; k++) flat = flat.Add(Along(sizes[after[k]], strides[after[k]], before.Length + broadcast.Length + k, rank));
        return (flat.Reshape([-1]), shape);
    }

    private static Tensor Along(int size, int stride, int dim, int rank)
    {
        var shape = Enumerable.Repeat(1, rank).ToArray();
        shape[dim] = size;
        return Tensor.Create([.. Enumerable.Range(0, size).Select(i => (long)i * stride)], shape);
    }

    /// <summary>A mask stands for as many indices as it has dimensions: the places where it is true.</summary>
    private static List<Tensor?> Expanded(int[] sizes, IReadOnlyList<Tensor?> given)
    {
        // The dtypes of all come before the shapes of the masks.
        if (given.Any(index => index is not null && index.DType != DType.Int64 && index.DType != DType.Bool))
            throw new AutogradException(ErrorKind.Dtype, "tensors used as indices must be long, int, byte or bool tensors");
        var indices = new List<Tensor?>();
        foreach (var index in given)
        {
            if (index is null || index.DType == DType.Int64)
            {
                indices.Add(index);
                continue;
            }
            if (index.Sizes.Length == 0) throw new AutogradException(ErrorKind.Index, "a mask must have a dimension");
            var first = indices.Count;
            for (var d = 0; d < index.Sizes.Length; d++)
            {
                if (first + d >= sizes.Length) throw Beyond(sizes, first + d);
                if (sizes[first + d] != index.Sizes[d])
                    throw new AutogradException(
                        ErrorKind.Shape, $"The shape of the mask {Shapes.Text(index.Sizes)} at index {d} does not match the shape of the indexed tensor {Shapes.Text(sizes)} at index {first + d}");
            }
            indices.AddRange(TruePlaces(index));
        }
        return indices;
    }

    private static AutogradException Beyond(int[] sizes, int dim) =>
        new(ErrorKind.Index, $"Dimension out of range (expected to be in range of [{-sizes.Length}, {sizes.Length - 1}], but got {dim})");

    private static IEnumerable<Tensor> TruePlaces(Tensor mask)
    {
        var values = mask.ToBools();
        var strides = Shapes.ContiguousStrides(mask.Sizes);
        var places = Enumerable.Range(0, values.Length).Where(i => values[i]).ToArray();
        for (var d = 0; d < mask.Rank; d++)
        {
            var (stride, size) = (strides[d], mask.Sizes[d]);
            yield return Tensor.Create([.. places.Select(i => (long)(i / stride % size))], [places.Length]);
        }
    }

    private static int[] Broadcast(IEnumerable<Tensor?> indices)
    {
        int[] shape = [];
        try
        {
            foreach (var index in indices)
                if (index is not null) shape = Shapes.Broadcast(shape, index.Sizes);
            return shape;
        }
        catch (AutogradException)
        {
            var shapes = string.Join(", ", indices.OfType<Tensor>().Select(index => Shapes.Text(index.Sizes)));
            throw new AutogradException(ErrorKind.Shape, $"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}");
        }
    }

    private static Tensor Wrapped(Tensor index, int size, int dim)
    {
        index = Gathering.Checked(index, -size, size, i => $"index {i} is out of bounds for dimension {dim} with size {size}");
        return index.Count == 0 ? index : Tensor.Where(index.Lt(0), index.Add(Tensor.Number((long)size)), index);
    }
}
