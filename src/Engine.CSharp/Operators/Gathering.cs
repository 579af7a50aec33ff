using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Taking elements by index; where an index occurs twice, its gradients add.</summary>
internal static class Gathering
{
    /// <summary>All indices are kept, as PyTorch keeps them: a write to one is noticed.</summary>
    internal const Saved AllIndices = (Saved)0b1111_1110;

    /// <summary>Zeros of a shape, to which elements are added at the places that an index names along a dimension: the transpose of gather.</summary>
    public static readonly FunctionOperator GatherBackward = new(
        "gather_backward",
        (inputs, attributes) =>
        {
            var (g, index) = (inputs[0]!, inputs[1]!);
            var x = Tensor.Zeros(attributes.Ints("shape")!, g.DType);
            if (index.Count == 0) return x;
            var dim = attributes.Int("dim");
            if (x.Rank == 0 || index.Rank == 0) (g, index) = (AtLeastVector(g), AtLeastVector(index));
            var into = AtLeastVector(x);
            // It may have been written to, unversioned, since it was looked up.
            index = Checked(index, 0, into.Sizes[dim], i => $"index {i} is out of bounds for dimension {dim} with size {into.Sizes[dim]}");
            if (g.DType == DType.Float32)
                Indexing.ScatterAdd(index.Sizes, dim, ref into.Origin<float>(), into.Steps, ref index.Origin<long>(), index.Steps, ref g.Origin<float>(), g.Steps);
            else
                Indexing.ScatterAdd(index.Sizes, dim, ref into.Origin<double>(), into.Steps, ref index.Origin<long>(), index.Steps, ref g.Origin<double>(), g.Steps);
            GC.KeepAlive(g);
            GC.KeepAlive(index);
            return x;
        },
        [new Rule(Saved.Input1, (g, c) => g.Gather(c.Attributes.Int("dim"), c.Input(1))), Rule.NotDifferentiable]);

    /// <summary>PyTorch keeps the source too, so a write to it is an error.</summary>
    public static readonly FunctionOperator Gather = new(
        "gather",
        (inputs, attributes) =>
        {
            var (x, index) = (inputs[0]!, inputs[1]!);
            var dim = Shapes.WrapDim(attributes.Int("dim"), x.Rank);
            var result = Tensor.Empty(index.Sizes, x.DType);
            if (index.Count == 0) return result;
            RequireIndex(index, "gather");
            if (x.Rank == 0 || index.Rank == 0) (x, index) = (AtLeastVector(x), AtLeastVector(index));
            if (x.Rank != index.Rank)
                throw new AutogradException(ErrorKind.Shape, "Index tensor must have the same number of dimensions as input tensor");
            for (var d = 0; d < x.Rank; d++)
                if (d != dim && index.Sizes[d] > x.Sizes[d])
                    throw new AutogradException(ErrorKind.Shape, $"Size does not match at dimension {d} expected index {Shapes.Text(index.Sizes)} to be smaller than self {Shapes.Text(x.Sizes)} apart from dimension {dim}");
            index = Checked(index, 0, x.Sizes[dim], i => $"index {i} is out of bounds for dimension {dim} with size {x.Sizes[dim]}");
            var into = AtLeastVector(result);
            switch (x.DType)
            {
                case DType.Float32: Run<float>(); break;
                case DType.Float64: Run<double>(); break;
                case DType.Int64: Run<long>(); break;
                default: Run<byte>(); break;
            }
            return result;

            void Run<T>()
                where T : unmanaged
            {
                Indexing.Gather(index.Sizes, dim, ref x.Origin<T>(), x.Steps, ref index.Origin<long>(), index.Steps, ref into.Origin<T>(), into.Steps);
                GC.KeepAlive(x);
                GC.KeepAlive(index);
            }
        },
        [
            new Rule(Saved.Input0 | Saved.Input1, (g, c) =>
            {
                var shape = c.InputShape(0);
                return Scatter(g, c.Input(1), Shapes.WrapDim(c.Attributes.Int("dim"), shape.Length), shape);
            }),
            Rule.NotDifferentiable,
        ])
    { Keywords = ["dim", "sparse_grad"], Arity = 2 };

    /// <summary>Whole slices, in the order of a vector of indices.</summary>
    public static readonly FunctionOperator IndexSelect = new(
        "index_select",
        (inputs, attributes) =>
        {
            var (x, index) = (inputs[0]!, inputs[1]!);
            var dim = Shapes.WrapDim(attributes.Int("dim"), x.Rank);
            if (index.Rank > 1) throw new AutogradException(ErrorKind.Shape, "index_select(): Index is supposed to be a vector");
            if (x.Rank == 0 && index.Count != 1)
                throw new AutogradException(ErrorKind.Shape, $"index_select(): Index to scalar can have only 1 value, got {index.Count} value(s)");
            RequireIndex(index, "index_select");
            if (x.Rank == 0)
            {
                Checked(index, 0, 1, i => $"index_select(): index {i} is out of range for a 0-dimensional tensor");
                return Copying.Duplicate(x);
            }
            var size = x.Sizes[dim];
            return Selected(x, Checked(AtLeastVector(index), 0, size, _ => "index out of range in self"), dim);
        },
        [
            new Rule(Saved.Input1, (g, c) =>
            {
                var shape = c.InputShape(0);
                return SelectBackward!.Apply([g, c.Input(1)], Attributes.Of("dim", Shapes.WrapDim(c.Attributes.Int("dim"), shape.Length), "shape", shape))[0];
            }),
            Rule.NotDifferentiable,
        ])
    { Keywords = ["dim"], Arity = 2 };

    /// <summary>The transpose of index_select. As PyTorch's it keeps what is added, for its shape.</summary>
    public static readonly FunctionOperator SelectBackward = Adding(
        "index_select_backward", Saved.Input0, (index, rank) => rank == 0 ? index.Squeeze() : index, (index, size, skip) => (Checked(index, 0, size, _ => "index out of range in self"), skip));

    /// <summary>The same of a table's rows, and of single elements, which keep the indices alone.</summary>
    public static readonly FunctionOperator RowsBackward = Adding("rows_backward", Saved.None, (index, _) => index.Reshape([-1]), WithinTable);

    /// <summary>Rows of a table, one for each index; the row of the padding index gets no gradient.</summary>
    public static readonly FunctionOperator Embedding = new(
        "embedding",
        (inputs, attributes) =>
        {
            var (index, weight) = (inputs[0]!, inputs[1]!);
            if (weight.Rank != 2) throw new AutogradException(ErrorKind.Shape, "'weight' must be 2-D");
            RequireIndex(index, "embedding");
            var flat = Checked(Copying.Packed(index), 0, weight.Sizes[0], _ => "index out of range in self");
            return Selected(weight, flat, 0).Window([.. index.Sizes, weight.Sizes[1]], Shapes.ContiguousStrides([.. index.Sizes, weight.Sizes[1]]), 0);
        },
        [
            Rule.NotDifferentiable,
            new Rule(Saved.Input0, (g, c) =>
            {
                var shape = c.InputShape(1);
                var skip = c.Attributes.IntOrNull("padding_idx") is { } padding ? (padding < 0 ? padding + shape[0] : padding) : -1;
                var index = c.Input(0);
                var rows = c.Attributes.Bool("scale_grad_by_freq", false) ? g.View(g.Sizes) * ByFrequency(index, g.DType) : g;
                return RowsBackward.Apply([rows, index], Attributes.Of(("dim", 0), ("shape", shape), ("skip", skip)))[0];
            }),
        ])
    {
        Keywords = ["padding_idx", "scale_grad_by_freq"],
        Arity = 2,
        CheckFirst = (inputs, attributes) => CheckPadding(attributes.IntOrNull("padding_idx") ?? 0, inputs[1]!),
    };

    /// <summary>Indexing by tensors: integers broadcast together, masks count as their true places; null is a whole dimension.</summary>
    public static readonly FunctionOperator Index = new(
        "index",
        (inputs, _) =>
        {
            var (flat, shape) = TensorIndex.Places(inputs[0]!.Sizes, inputs[1..]);
            using var scope = Autograd.NoGrad();
            return Selected(inputs[0]!.Reshape([-1]), flat, 0).Window(shape, Shapes.ContiguousStrides(shape), 0);
        },
        [
            new Rule(AllIndices, (g, c) => IndexBackward!.Apply([g, .. Indices(c)], Attributes.Of("shape", c.InputShape(0)))[0]),
            Rule.NotDifferentiable,
        ])
    { Bind = call => [call.Tensor(0), .. call.Tensors(1)], Unbind = inputs => [inputs[0], inputs[1..]] };

    /// <summary>The transpose of <c>index</c>: zeros of a shape, to which each element is added where the indices name its place.</summary>
    private static readonly FunctionOperator IndexBackward = new(
        "index_backward",
        (inputs, a) =>
        {
            var shape = a.Ints("shape")!;
            var g = inputs[0]!;
            // A mask may choose another number of elements by now.
            var (flat, chosen) = TensorIndex.Places(shape, inputs[1..], chosen => Scattering.CheckFits(g.Sizes, chosen));
            using var scope = Autograd.NoGrad();
            return RowsBackward.Apply([g.Expand(chosen).Reshape([-1]), flat], Attributes.Of("dim", 0, "shape", new[] { Shapes.Count(shape) }))[0].Window(shape, Shapes.ContiguousStrides(shape), 0);
        },
        [new Rule(AllIndices, (h, c) => Index.Apply([h, .. Indices(c)], Attributes.None)[0]), Rule.NotDifferentiable]);

    public static IEnumerable<Operator> All => [Gather, GatherBackward, IndexSelect, SelectBackward, RowsBackward, Embedding, Index];

    /// <summary>Zeros of a shape, to which slices are added. <paramref name="indexOf"/>: the index that picks them again for a gradient of this rank; <paramref name="within"/>: the index and
    /// what it skips, of a dimension of this size: it may have been written to, unversioned, since it was looked up.</summary>
    private static FunctionOperator Adding(string name, Saved kept, Func<Tensor, int, Tensor> indexOf, Func<Tensor, int, int, (Tensor Index, int Skip)> within) => new(
        name,
        (inputs, attributes) =>
        {
            var (g, index) = (Copying.Packed(inputs[0]!), Copying.Packed(inputs[1]!));
            var shape = attributes.Ints("shape")!;
            var dim = attributes.Int("dim");
            (index, var skip) = within(index, shape.Length == 0 ? 1 : shape[dim], attributes.Int("skip", -1));
            var x = Tensor.Zeros(shape, g.DType);
            var (outer, n, inner) = Normalizations.Split(shape, dim);
            if (g.DType == DType.Float32) Indexing.Add(ref g.Origin<float>(), ref index.Origin<long>(), ref x.Origin<float>(), outer, n, index.Count, inner, skip);
            else Indexing.Add(ref g.Origin<double>(), ref index.Origin<long>(), ref x.Origin<double>(), outer, n, index.Count, inner, skip);
            GC.KeepAlive(g);
            GC.KeepAlive(index);
            return x;
        },
        [
            new Rule(Saved.Input1 | kept, (g, c) =>
            {
                var shape = c.InputShape(0);
                var index = c.Input(1);
                var rows = g.IndexSelect(c.Attributes.Int("dim"), indexOf(index, shape.Length));
                var skip = c.Attributes.Int("skip", -1);
                if (skip >= 0) rows = rows.MaskedFill(index.Eq(skip).Reshape([-1, 1]), 0);
                return shape.Length == 0 ? rows : rows.View(shape);
            }),
            Rule.NotDifferentiable,
        ]);

    // What is outside the table is skipped with what is to be skipped anyway (embedding_dense_backward_cpu).
    private static (Tensor Index, int Skip) WithinTable(Tensor index, int size, int skip)
    {
        if (index.Count == 0 || Indexing.FirstOutside(ref index.Origin<long>(), index.Count, 0, size) < 0) return (index, skip);
        return (Tensor.Create([.. index.ToLongs().Select(i => i < 0 || i >= size || i == skip ? -1 : i)], index.Sizes), -1);
    }

    /// <summary>Adds elements to zeros of a shape at the places that an index names along a dimension.</summary>
    public static Tensor Scatter(Tensor g, Tensor index, int dim, int[] shape) => GatherBackward.Apply([g, index], Attributes.Of("dim", dim, "shape", shape))[0];

    /// <summary>Indices in range, as they are; the first that is not is named.</summary>
    public static Tensor Checked(Tensor index, long low, long high, Func<long, string> message)
    {
        index = Copying.Packed(index);
        if (index.Count == 0) return index;
        var bad = Indexing.FirstOutside(ref index.Origin<long>(), index.Count, low, high);
        if (bad < 0) return index;
        throw new AutogradException(ErrorKind.Index, message(index.ToLongs()[bad]));
    }

    internal static Tensor?[] Indices(BackwardContext c) => [.. Enumerable.Range(1, c.Node.InputCount - 1).Select(c.InputOrNull)];

    private static Tensor Selected(Tensor x, Tensor index, int dim)
    {
        x = Copying.Packed(x);
        var (outer, n, inner) = Normalizations.Split(x.Sizes, dim);
        var sizes = (int[])x.Sizes.Clone();
        sizes[dim] = index.Count;
        var y = Tensor.Empty(sizes, x.DType);
        switch (x.DType)
        {
            case DType.Float32: Indexing.Select(ref x.Origin<float>(), ref index.Origin<long>(), ref y.Origin<float>(), outer, n, index.Count, inner); break;
            case DType.Float64: Indexing.Select(ref x.Origin<double>(), ref index.Origin<long>(), ref y.Origin<double>(), outer, n, index.Count, inner); break;
            case DType.Int64: Indexing.Select(ref x.Origin<long>(), ref index.Origin<long>(), ref y.Origin<long>(), outer, n, index.Count, inner); break;
            default: Indexing.Select(ref x.Origin<byte>(), ref index.Origin<long>(), ref y.Origin<byte>(), outer, n, index.Count, inner); break;
        }
        GC.KeepAlive(x);
        GC.KeepAlive(index);
        GC.KeepAlive(y);
        return y;
    }

    /// <summary>1 over how often each index occurs, of the shape of the indices' rows.</summary>
    private static Tensor ByFrequency(Tensor index, DType dtype)
    {
        var values = index.ToLongs();
        var counts = values.CountBy(i => i).ToDictionary();
        return Tensor.Create([.. values.Select(i => 1.0 / counts[i])], [.. index.Sizes, 1]).To(dtype);
    }

    private static Tensor AtLeastVector(Tensor x) => x.Rank == 0 ? x.Window([1], [1], 0) : x;

    /// <summary>The padding's row is looked for before anything else (torch/nn/functional.py, embedding); 0 is within a table without rows.</summary>
    private static void CheckPadding(int padding, Tensor weight)
    {
        if (padding == 0) return;
        if (weight.Rank == 0) throw new AutogradException(ErrorKind.Index, "Dimension specified as 0 but tensor has no dimensions");
        if (padding < -weight.Sizes[0] || padding >= weight.Sizes[0])
            throw new AutogradException(ErrorKind.Value, "Padding_idx must be within num_embeddings");
    }

    private static void RequireIndex(Tensor index, string name)
    {
        if (index.DType != DType.Int64)
            throw new AutogradException(ErrorKind.Dtype, $"{name}(): Expected dtype int64 for index, but got {index.DType.Name()}");
    }
}

public sealed partial class Tensor
{
    /// <summary>The elements that an index (int64, of this rank) names along a dimension; the result has the index's shape.</summary>
    /// <exception cref="AutogradException">The index is not of int64, of another rank, larger in another dimension, or names what is not there.</exception>
    public Tensor Gather(int dim, Tensor index) => Gathering.Gather.Apply([this, index], Attributes.Of("dim", dim))[0];

    /// <summary>The slices that a vector of indices (int64) names along a dimension.</summary>
    /// <exception cref="AutogradException">The index is no vector of int64, or names what is not there.</exception>
    public Tensor IndexSelect(int dim, Tensor index) => Gathering.IndexSelect.Apply([this, index], Attributes.Of("dim", dim))[0];

    /// <summary>The rows of a table that these indices (int64, of any shape) name: [.., width]; the row of the padding index gets no gradient.</summary>
    /// <param name="weight">The table, [rows, width].</param>
    /// <param name="paddingIdx">The row without a gradient, counted from either end.</param>
    /// <param name="scaleGradByFreq">Whether a row's gradient is divided by how often the row is named.</param>
    /// <exception cref="AutogradException">The indices are not of int64 or name rows that are not there, or the table is none.</exception>
    public Tensor Embedding(Tensor weight, int? paddingIdx = null, bool scaleGradByFreq = false) => Gathering.Embedding.Apply(
        [this, weight], scaleGradByFreq ? Attributes.Of("padding_idx", paddingIdx, "scale_grad_by_freq", true) : Attributes.Of("padding_idx", paddingIdx))[0];

    /// <summary>The elements that tensors of indices (int64, broadcast together) or masks name; null is a whole dimension.</summary>
    /// <exception cref="AutogradException">There are more of them than dimensions, they do not broadcast, a mask has another shape, or an index names what is not there.</exception>
    public Tensor Index(params Tensor?[] indices)
    {
        ArgumentNullException.ThrowIfNull(indices);
        return Gathering.Index.Apply([this, .. indices], Attributes.None)[0];
    }
}
