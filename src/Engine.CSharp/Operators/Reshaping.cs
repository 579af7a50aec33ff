namespace Verified.Engine;

/// <summary>Views that keep all elements: other shapes and other orders of the dimensions.</summary>
internal static class Reshaping
{
    public static readonly ViewOperator View = new(
        "view",
        (x, attributes) =>
        {
            var shape = Infer(Required(attributes, "size", "shape"), x.Count);
            return x.Window(shape, ViewStrides(x, shape) ?? throw new AutogradException(
                ErrorKind.Shape,
                "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead."));
        },
        (g, c) => g.Reshape(c.InputShape(0)))
    { Keywords = ["size", "shape", "dtype"] };

    /// <summary>A view that autograd does not know as one, for results whose memory nobody else has.</summary>
    public static readonly FunctionOperator UnsafeView = new(
        "_unsafe_view",
        (x, attributes) =>
        {
            var shape = Infer(Required(attributes, "size", "shape"), x.Count);
            return Copying.Packed(x).Window(shape, Shapes.ContiguousStrides(shape));
        },
        new Rule(Saved.None, (g, c) => g.Reshape(c.InputShape(0))),
        "UnsafeViewBackward0")
    { Keywords = ["size"], Arity = 1, Written = call => ("view", call) };

    public static readonly ViewOperator Transpose = new(
        "transpose",
        (x, attributes) => Swap(x, attributes.Int("dim0"), attributes.Int("dim1")),
        (g, c) => g.Transpose(c.Attributes.Int("dim0"), c.Attributes.Int("dim1")))
    { Keywords = ["dim0", "dim1"] };

    public static readonly ViewOperator T = new(
        "t",
        (x, _) =>
        {
            if (x.Rank > 2) throw new AutogradException(ErrorKind.Shape, $"t() expects a tensor with <= 2 dimensions, but self is {x.Rank}D");
            return x.Rank < 2 ? x.Window(x.Sizes, x.Steps) : Swap(x, 0, 1);
        },
        (g, _) => g.T(),
        "TBackward0");

    public static readonly ViewOperator Permute = new(
        "permute",
        (x, attributes) =>
        {
            var dims = Order(attributes.Ints("dims") ?? throw new AutogradException(ErrorKind.Value, "permute() needs 'dims'"), x.Rank);
            return x.Window(Array.ConvertAll(dims, d => x.Sizes[d]), Array.ConvertAll(dims, d => x.Steps[d]));
        },
        (g, c) =>
        {
            var dims = Order(c.Attributes.Ints("dims") ?? [], g.Rank);
            var inverse = new int[dims.Length];
            for (var i = 0; i < dims.Length; i++) inverse[dims[i]] = i;
            return g.Permute(inverse);
        })
    { Keywords = ["dims"] };

    public static readonly ViewOperator Expand = new(
        "expand",
        (x, attributes) => Expanded(x, Required(attributes, "size", "sizes")),
        // Of what has no dimension PyTorch takes the sum, be it of one element (aten/src/ATen/ExpandUtils.h, sum_to).
        (g, c) => c.InputShape(0) is var shape && shape.Length > 0 && Shapes.Same(g.Sizes, shape) ? g : GradientShape.SumTo(g, shape))
    { Keywords = ["size", "sizes", "implicit"] };

    public static readonly ViewOperator Unsqueeze = new(
        "unsqueeze",
        (x, attributes) =>
        {
            var dim = Shapes.WrapDim(attributes.Int("dim"), x.Rank + 1);
            var step = dim < x.Rank ? x.Sizes[dim] * x.Steps[dim] : 1;
            return x.Window([.. x.Sizes[..dim], 1, .. x.Sizes[dim..]], [.. x.Steps[..dim], step, .. x.Steps[dim..]]);
        },
        (g, c) => g.Squeeze(Shapes.WrapDim(c.Attributes.Int("dim"), g.Rank)))
    { Keywords = ["dim"] };

    public static readonly ViewOperator Squeeze = new(
        "squeeze",
        (x, attributes) =>
        {
            var dims = attributes.Ints("dim");
            var drop = new bool[Math.Max(x.Rank, 1)];
            if (dims is null) Array.Fill(drop, true);
            else foreach (var dim in dims)
            {
                var d = Shapes.WrapDim(dim, x.Rank);
                if (drop[d]) throw new AutogradException(ErrorKind.Value, $"dim {d} appears multiple times in the list of dims");
                drop[d] = true;
            }
            var kept = Enumerable.Range(0, x.Rank).Where(i => !(drop[i] && x.Sizes[i] == 1)).ToArray();
            return x.Window(Array.ConvertAll(kept, i => x.Sizes[i]), Array.ConvertAll(kept, i => x.Steps[i]));
        },
        (g, c) => g.Rank == c.InputShape(0).Length ? g : g.View(c.InputShape(0)))
    { Keywords = ["dim"] };

    public static readonly CompositeOperator Reshape = new(
        "reshape", call => call.Tensor(0).Reshape(Required(call.Attributes, "shape", "size")))
    { Keywords = ["shape", "size"] };

    public static readonly CompositeOperator Flatten = new(
        "flatten", call => call.Tensor(0).Flatten(call.Attributes.Int("start_dim", 0), call.Attributes.Int("end_dim", -1)))
    { Keywords = ["start_dim", "end_dim"] };

    public static readonly InPlaceMetadata TInPlace = new(T);

    public static readonly InPlaceMetadata SqueezeInPlace = new(Squeeze);

    public static IEnumerable<Operator> All => [View, UnsafeView, Transpose, T, Permute, Expand, Unsqueeze, Squeeze, Reshape, Flatten, TInPlace, SqueezeInPlace];

    /// <summary>The strides by which a tensor can be read in another shape without a copy, or null.</summary>
    public static int[]? ViewStrides(Tensor x, int[] shape)
    {
        if (x.Count == 0) return Shapes.Same(x.Sizes, shape) ? x.Steps : Shapes.ContiguousStrides(shape);
        // A last dimension of one element may have any stride, which the others then take theirs from.
        if (x.IsContiguous && (x.Rank == 0 || x.Steps[^1] == 1)) return Shapes.ContiguousStrides(shape);
        var strides = new int[shape.Length];
        var to = shape.Length - 1;
        var chunkStep = x.Rank == 0 ? 1 : x.Steps[^1];
        long chunk = 1, filled = 1;
        for (var d = x.Rank - 1; d >= 0; d--)
        {
            chunk *= x.Sizes[d];
            if (d > 0 && (x.Sizes[d - 1] == 1 || x.Steps[d - 1] == chunk * chunkStep)) continue;
            while (to >= 0 && (filled < chunk || shape[to] == 1))
            {
                strides[to] = (int)(filled * chunkStep);
                filled *= shape[to];
                to--;
            }
            if (filled != chunk) return null;
            if (d == 0) break;
            chunkStep = x.Steps[d - 1];
            chunk = filled = 1;
        }
        return to == -1 ? strides : null;
    }

    /// <summary>A shape in which one size may be -1, to be found from the number of elements.</summary>
    public static int[] Infer(int[] shape, int count)
    {
        var unknown = -1;
        long known = 1;
        for (var i = 0; i < shape.Length; i++)
        {
            if (shape[i] >= 0)
            {
                // Beyond what a tensor can have the product only must not come round to a smaller one.
                known = Math.Min(known, 1L << 31) * shape[i];
                continue;
            }
            if (shape[i] != -1) throw new AutogradException(ErrorKind.Value, $"invalid shape dimension {shape[i]}");
            if (unknown >= 0) throw new AutogradException(ErrorKind.Value, "only one dimension can be inferred");
            unknown = i;
        }
        if (known == count || (unknown >= 0 && known > 0 && count % known == 0))
        {
            if (unknown < 0) return shape;
            if (known == 0)
            {
                throw new AutogradException(
                    ErrorKind.Shape, $"cannot reshape tensor of 0 elements into shape {Shapes.Text(shape)} because the unspecified dimension size -1 can be any value and is ambiguous");
            }
            var result = (int[])shape.Clone();
            result[unknown] = (int)(count / known);
            return result;
        }
        throw new AutogradException(ErrorKind.Shape, $"shape '{Shapes.Text(shape)}' is invalid for input of size {count}");
    }

    private static int[] Required(Attributes attributes, string name, string other) =>
        attributes.Ints(name) ?? attributes.Ints(other) ?? throw new AutogradException(ErrorKind.Value, $"attribute '{name}' is missing");

    private static Tensor Swap(Tensor x, int first, int second)
    {
        int d0 = Shapes.WrapDim(first, x.Rank), d1 = Shapes.WrapDim(second, x.Rank);
        if (x.Rank == 0) return x.Window(x.Sizes, x.Steps);
        var sizes = (int[])x.Sizes.Clone();
        var steps = (int[])x.Steps.Clone();
        (sizes[d0], sizes[d1]) = (sizes[d1], sizes[d0]);
        (steps[d0], steps[d1]) = (steps[d1], steps[d0]);
        return x.Window(sizes, steps);
    }

    private static int[] Order(int[] dims, int rank)
    {
        if (dims.Length != rank)
        {
            throw new AutogradException(
                ErrorKind.Shape,
                $"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = {rank} is not equal to len(dims) = {dims.Length}");
        }
        var order = Array.ConvertAll(dims, d => Shapes.WrapDim(d, rank));
        if (order.Distinct().Count() != rank) throw new AutogradException(ErrorKind.Value, "permute(): duplicate dims are not allowed.");
        return order;
    }

    private static Tensor Expanded(Tensor x, int[] size)
    {
        if (size.Length < x.Rank)
        {
            throw new AutogradException(
                ErrorKind.Shape,
                $"expand(torch.{x.DType.ScalarType()}Tensor{{{Shapes.Text(x.Sizes)}}}, size={Shapes.Text(size)}): the number of sizes provided ({size.Length}) must be greater or equal to the number of dimensions in the tensor ({x.Rank})");
        }
        var sizes = (int[])size.Clone();
        var steps = new int[size.Length];
        for (int i = size.Length - 1, j = x.Rank - 1; i >= 0; i--, j--)
        {
            if (j < 0)
            {
                if (sizes[i] < 0)
                    throw new AutogradException(ErrorKind.Shape, $"The expanded size of the tensor ({sizes[i]}) isn't allowed in a leading, non-existing dimension {i}");
                // A new dimension of size one steps over all behind it, as PyTorch has it.
                if (sizes[i] == 1 && x.Rank > 0) steps[i] = sizes[i + 1] * steps[i + 1];
                continue;
            }
            if (sizes[i] == -1) sizes[i] = x.Sizes[j];
            if (sizes[i] != x.Sizes[j] && (x.Sizes[j] != 1 || sizes[i] < 0))
            {
                throw new AutogradException(
                    ErrorKind.Shape,
                    $"The expanded size of the tensor ({sizes[i]}) must match the existing size ({x.Sizes[j]}) at non-singleton dimension {i}.  Target sizes: {Shapes.Text(size)}.  Tensor sizes: {Shapes.Text(x.Sizes)}");
            }
            steps[i] = sizes[i] == x.Sizes[j] ? x.Steps[j] : 0;
        }
        _ = Shapes.Count(sizes);
        return x.Window(sizes, steps);
    }
}

public sealed partial class Tensor
{
    /// <summary>The same elements in another shape, without a copy; one size may be -1.</summary>
    /// <exception cref="AutogradException">The sizes do not have as many elements, or strides do not allow it without a copy.</exception>
    public Tensor View(int[] size) => Reshaping.View.Apply(this, Attributes.Of("size", size));

    /// <summary>The same elements in another shape: a view where strides allow it, else a copy.</summary>
    /// <exception cref="AutogradException">The sizes do not have as many elements.</exception>
    public Tensor Reshape(int[] shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        AskHistory();
        var size = Reshaping.Infer(shape, Count);
        if (Reshaping.ViewStrides(this, size) is not null) return View(size);
        return ContiguousCopy().UnsafeView(size);
    }

    /// <summary>The dimensions from <paramref name="startDim"/> to <paramref name="endDim"/> as one; a tensor of one dimension is given back as it is.</summary>
    /// <exception cref="AutogradException">There is no such dimension, or the first stands behind the last.</exception>
    public Tensor Flatten(int startDim = 0, int endDim = -1)
    {
        int start = Shapes.WrapDim(startDim, Rank), end = Shapes.WrapDim(endDim, Rank);
        if (start > end) throw new AutogradException(ErrorKind.Value, "flatten() has invalid args: start_dim cannot come after end_dim");
        if (Rank == 0) return Reshape([1]);
        if (start == end) return this;
        return Reshape([.. Sizes[..start], Shapes.Count(Sizes.AsSpan(start, end - start + 1)), .. Sizes[(end + 1)..]]);
    }

    /// <summary>A view with two dimensions, counted from either end, exchanged.</summary>
    /// <exception cref="AutogradException">There is no such dimension.</exception>
    public Tensor Transpose(int dim0, int dim1) => Reshaping.Transpose.Apply(this, Attributes.Of("dim0", dim0, "dim1", dim1));

    /// <summary>A matrix transposed; vectors and scalars as they are.</summary>
    public Tensor T() => Reshaping.T.Apply(this);

    /// <summary>Transposes this matrix itself, as PyTorch's <c>t_</c>; counted as a write.</summary>
    public Tensor TInPlace() => Reshaping.TInPlace.Apply(this);

    /// <summary>Takes dimensions of size one out of this tensor itself, as PyTorch's <c>squeeze_</c>; counted as a write.</summary>
    public Tensor SqueezeInPlace(int? dim = null) => Reshaping.SqueezeInPlace.Apply(this, dim is { } d ? Attributes.Of("dim", d) : null);

    /// <summary>A view with the dimensions, counted from either end, in another order.</summary>
    /// <exception cref="AutogradException">They are not all of the dimensions, each once.</exception>
    public Tensor Permute(params int[] dims) => Reshaping.Permute.Apply(this, Attributes.Of("dims", dims));

    /// <summary>Repeated along dimensions of size one, without a copy; -1 keeps a size.</summary>
    public Tensor Expand(params int[] size) => Reshaping.Expand.Apply(this, Attributes.Of("size", size));

    /// <summary>With a dimension of size one put in.</summary>
    public Tensor Unsqueeze(int dim) => Reshaping.Unsqueeze.Apply(this, Attributes.Of("dim", dim));

    /// <summary>Without dimensions of size one: all of them, or the one named.</summary>
    public Tensor Squeeze(int? dim = null) => Reshaping.Squeeze.Apply(this, dim is { } d ? Attributes.Of("dim", d) : null);

    /// <summary>A window of the same memory with other sizes and strides, off the tape: what a view operator's kernel returns.</summary>
    /// <param name="sizes">The sizes.</param>
    /// <param name="steps">The strides.</param>
    /// <param name="offset">Elements to skip from this tensor's first.</param>
    internal Tensor Window(int[] sizes, int[] steps, int offset = 0) => Alias(sizes, steps, Offset + offset);

    /// <summary>Another shape for a new, contiguous result; not a view to autograd.</summary>
    internal Tensor UnsafeView(int[] size) => Reshaping.UnsafeView.Apply(this, Attributes.Of("size", size));

    /// <summary>PyTorch's clone into row-major order.</summary>
    internal Tensor ContiguousCopy() => Copies.Clone.Apply(this, Attributes.Of("memory_format", "contiguous_format"));
}
