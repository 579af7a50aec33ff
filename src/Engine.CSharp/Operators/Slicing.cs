namespace Verified.Engine;

/// <summary>Views of a part, and their adjoints, which put a part into zeros.</summary>
internal static class Slicing
{
    public static readonly ViewOperator Select = new(
        "select",
        (x, attributes) =>
        {
            if (x.Rank == 0) throw new AutogradException(ErrorKind.Index, "select() cannot be applied to a 0-dim tensor.");
            var dim = Shapes.WrapDim(attributes.Int("dim"), x.Rank);
            var index = SelectIndex(x, dim, attributes.Int("index"));
            return x.Window([.. x.Sizes[..dim], .. x.Sizes[(dim + 1)..]], [.. x.Steps[..dim], .. x.Steps[(dim + 1)..]], index * x.Steps[dim]);
        },
        (g, c) =>
        {
            var shape = c.InputShape(0);
            var dim = Shapes.WrapDim(c.Attributes.Int("dim"), shape.Length);
            var index = c.Attributes.Int("index");
            return SliceBackward!.Apply(g.Unsqueeze(dim), Placement(shape, dim, index < 0 ? index + shape[dim] : index, 1));
        })
    { Keywords = ["dim", "index"] };

    public static readonly ViewOperator Slice = new(
        "slice",
        (x, attributes) =>
        {
            if (x.Rank == 0) throw new AutogradException(ErrorKind.Index, "slice() cannot be applied to a 0-dim tensor.");
            var (dim, start, step, length) = SliceRange(x.Sizes, attributes);
            var sizes = (int[])x.Sizes.Clone();
            var steps = (int[])x.Steps.Clone();
            sizes[dim] = length;
            steps[dim] *= step;
            return x.Window(sizes, steps, start * x.Steps[dim]);
        },
        (g, c) =>
        {
            var shape = c.InputShape(0);
            var (dim, start, step, _) = SliceRange(shape, c.Attributes);
            return SliceBackward!.Apply(g, Placement(shape, dim, start, step));
        })
    { Keywords = ["dim", "start", "end", "step"], Written = call => ("getitem", SliceAsIndex(call)) };

    /// <summary>Zeros of the given sizes with a tensor put in at every step-th place of one dimension.</summary>
    public static readonly FunctionOperator SliceBackward = new(
        "slice_backward",
        (g, attributes) =>
        {
            var shape = attributes.Ints("input_sizes")!;
            var whole = Tensor.Zeros(shape, g.DType);
            int dim = attributes.Int("dim"), start = attributes.Int("start"), step = attributes.Int("step");
            CheckPlaces(g.Sizes, shape, dim, start, step);
            var steps = (int[])whole.Steps.Clone();
            steps[dim] *= step;
            Copying.Copy(g, whole.Window(g.Sizes, steps, start * whole.Steps[dim]));
            return whole;
        },
        new Rule(Saved.None, (gg, c) =>
        {
            var a = c.Attributes;
            int dim = a.Int("dim"), start = a.Int("start"), step = a.Int("step");
            var length = c.InputShape(0)[dim];
            return gg.Slice(dim, start, length == 0 ? start : start + ((length - 1) * step) + 1, step);
        }))
    { Keywords = ["input_sizes", "dim", "start", "step"], Arity = 1 };

    public static readonly CompositeOperator Narrow = new(
        "narrow", call => call.Tensor(0).Narrow(call.Attributes.Int("dim"), call.Attributes.Int("start"), call.Attributes.Int("length")))
    { Keywords = ["dim", "start", "length"] };

    public static readonly CompositeOperator GetItem = new(
        "getitem", call => Indexed(call.Tensor(0), IndexList(call.Attributes)))
    { Keywords = ["index"] };

    public static readonly ViewOperator Alias = new("alias", (x, _) => x.Window(x.Sizes, x.Steps), (g, _) => g)
    { Written = call => ("getitem", new OperatorCall(call.Inputs, Attributes.Of("index", Array.Empty<object?>()))) };

    public static readonly ViewOperator Unbind = new(
        "unbind",
        (x, attributes) =>
        {
            if (x.Rank == 0) throw new AutogradException(ErrorKind.Index, "Dimension specified as 0 but tensor has no dimensions");
            var dim = Shapes.WrapDim(attributes.Int("dim", 0), x.Rank);
            var sizes = (int[])[.. x.Sizes[..dim], .. x.Sizes[(dim + 1)..]];
            var steps = (int[])[.. x.Steps[..dim], .. x.Steps[(dim + 1)..]];
            return [.. Enumerable.Range(0, x.Sizes[dim]).Select(i => x.Window(sizes, steps, i * x.Steps[dim]))];
        },
        c => Whole(c, parts => Tensor.Stack(parts, Shapes.WrapDim(c.Attributes.Int("dim", 0), c.InputShape(0).Length))))
    { GivesList = true, Keywords = ["dim"] };

    public static readonly ViewOperator Split = new(
        "split",
        (x, attributes) =>
        {
            var (dim, sizes) = SplitSizes(x.Sizes, attributes);
            var parts = new Tensor[sizes.Length];
            var start = 0;
            for (var i = 0; i < parts.Length; i++)
            {
                var shape = (int[])x.Sizes.Clone();
                shape[dim] = sizes[i];
                parts[i] = x.Window(shape, x.Steps, start * x.Steps[dim]);
                start += sizes[i];
            }
            return parts;
        },
        c => Whole(c, parts => Tensor.Cat(parts, Shapes.WrapDim(c.Attributes.Int("dim", 0), c.InputShape(0).Length))))
    { GivesList = true, Keywords = ["split_size_or_sections", "split_size", "dim"] };

    public static readonly CompositeOperator Chunk = new(
        "chunk", call => call.Tensor(0).Chunk(call.Attributes.Int("chunks"), call.Attributes.Int("dim", 0)))
    { GivesList = true, Keywords = ["chunks", "dim"] };

    public static IEnumerable<Operator> All => [Select, Slice, SliceBackward, Narrow, GetItem, Alias, Unbind, Split, Chunk];

    /// <summary>The view that an index list names: integers drop a dimension, lists are slices, null is a whole dimension.</summary>
    public static Tensor Indexed(Tensor x, object?[] index)
    {
        if (index.Length > x.Rank) throw new AutogradException(ErrorKind.Index, $"too many indices for tensor of dimension {x.Rank}");
        var result = x;
        var dim = 0;
        foreach (var item in index)
        {
            switch (item)
            {
                case null:
                    dim++;
                    break;
                case long or int:
                    var at = Convert.ToInt64(item);
                    var size = result.Sizes[dim];
                    if (at < -size || at >= size)
                        throw new AutogradException(ErrorKind.Index, $"index {at} is out of bounds for dimension {dim} with size {size}");
                    result = result.Select(dim, (int)at);
                    break;
                default:
                    var (start, stop, step) = Bounds(item);
                    // PyTorch leaves out slices that are whole.
                    if (!((start ?? 0) == 0 && (stop is null || stop == result.Sizes[dim]) && (step ?? 1) == 1))
                        result = Slice.Apply(result, Attributes.Of(("dim", (long)dim), ("start", start), ("end", stop), ("step", step)));
                    dim++;
                    break;
            }
        }
        if (!ReferenceEquals(result, x)) return result;
        // What is written as `:` is a slice for PyTorch, whose gradient is a copy; what is written out, `0:n`, is none.
        return WritesOutTheWhole(x, index) ? Alias.Apply(x) : Slice.Apply(x, Attributes.Of("dim", 0L));
    }

    /// <summary>
    /// Whether an index consists of slices that write out a whole dimension, <c>0:n</c>: PyTorch's slice then gives the tensor itself,
    /// where <c>:</c> gives a view (aten/src/ATen/TensorIndexing.h, applySlice).
    /// </summary>
    public static bool WritesOutTheWhole(Tensor x, object?[] index)
    {
        if (index.Length > x.Rank) return false;
        for (var dim = 0; dim < index.Length; dim++)
            if (index[dim] is null or long or int || Bounds(index[dim]!) is not (null or 0, { } stop, null or 1) || stop != x.Sizes[dim]) return false;
        return true;
    }

    /// <summary>The <c>index</c> attribute of <c>getitem</c> and <c>setitem_</c>, an element a dimension.</summary>
    public static object?[] IndexList(Attributes attributes) => attributes["index"] switch
    {
        int[] integers => Array.ConvertAll(integers, i => (object?)(long)i),
        object?[] list => list,
        long one => [one],
        null => throw new AutogradException(ErrorKind.Value, "the attribute 'index' is missing"),
        _ => throw new AutogradException(ErrorKind.Value, "attribute 'index' must be a list"),
    };

    private static (long? Start, long? Stop, long? Step) Bounds(object item)
    {
        var parts = item switch
        {
            int[] integers => Array.ConvertAll(integers, i => (long?)i),
            object?[] list => Array.ConvertAll(list, i => i is null ? (long?)null : Convert.ToInt64(i)),
            _ => throw new AutogradException(ErrorKind.Value, $"an index must be an integer, null or [start, stop, step], not {item}"),
        };
        if (parts is [_, _, <= 0]) throw new AutogradException(ErrorKind.Value, "step must be greater than zero");
        if (parts.Length != 3) throw new AutogradException(ErrorKind.Value, "a slice must be [start, stop, step]");
        return (parts[0], parts[1], parts[2]);
    }

    private static int SelectIndex(Tensor x, int dim, int index)
    {
        var size = x.Sizes[dim];
        if (index < -size || index >= size)
            throw new AutogradException(ErrorKind.Index, $"select(): index {index} out of range for tensor of size {Shapes.Text(x.Sizes)} at dimension {dim}");
        return index < 0 ? index + size : index;
    }

    private static (int Dim, int Start, int Step, int Length) SliceRange(int[] sizes, Attributes attributes)
    {
        var dim = Shapes.WrapDim(attributes.Int("dim", 0), sizes.Length);
        var size = sizes[dim];
        var step = attributes.Int("step", 1);
        if (step <= 0) throw new AutogradException(ErrorKind.Value, "slice step must be positive");
        var start = Clamp(attributes["start"] as long? ?? 0, size);
        var end = Math.Max(start, Clamp(attributes["end"] as long? ?? size, size));
        return (dim, start, step, (int)(((long)end - start + step - 1) / step));
    }

    /// <summary>A slice as PyTorch's users write it: x[:, start:end:step].</summary>
    private static OperatorCall SliceAsIndex(OperatorCall call)
    {
        var a = call.Attributes;
        object?[] slice = [a["start"], a["end"], a["step"]];
        var dim = Shapes.WrapDim(a.Int("dim", 0), call.Tensor(0).Rank);
        return new OperatorCall(call.Inputs, Attributes.Of("index", (object?[])[.. Enumerable.Repeat((object?)null, dim), slice]));
    }

    /// <summary>Refuses a part that is none of the whole's.</summary>
    private static void CheckPlaces(int[] part, int[] whole, int dim, int start, int step)
    {
        var fits = part.Length == whole.Length && dim >= 0 && dim < whole.Length && start >= 0 && step > 0;
        for (var d = 0; fits && d < whole.Length; d++)
            fits = d == dim ? part[d] == 0 || start + ((part[d] - 1L) * step) < whole[d] : part[d] == whole[d];
        if (!fits)
            throw new AutogradException(ErrorKind.Shape, $"slice_backward: a part of shape {Shapes.Text(part)} from {start} on in steps of {step} along dimension {dim} is none of {Shapes.Text(whole)}");
    }

    private static int Clamp(long at, int size) => (int)Math.Clamp(at < 0 ? at + size : at, 0, size);

    private static Attributes Placement(int[] shape, int dim, int start, int step) =>
        Attributes.Of(("input_sizes", shape), ("dim", (long)dim), ("start", (long)start), ("step", (long)step));

    private static (int Dim, int[] Sizes) SplitSizes(int[] shape, Attributes attributes)
    {
        var given = attributes["split_size_or_sections"] ?? attributes["split_size"];
        if (given is not (int[] or long)) throw new AutogradException(ErrorKind.Value, "split() needs 'split_size_or_sections'");
        if (shape.Length == 0) throw new AutogradException(ErrorKind.Shape, "split expects at least a 1-dimensional tensor");
        if (given is long and < 0) throw new AutogradException(ErrorKind.Value, $"split expects split_size be non-negative, but got split_size={given}");
        var dim = Shapes.WrapDim(attributes.Int("dim", 0), shape.Length);
        var size = shape[dim];
        if (given is int[] sections)
        {
            if (sections.Any(s => s < 0))
                throw new AutogradException(ErrorKind.Value, $"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={Shapes.Text(sections)}");
            if (sections.Sum(s => (long)s) != size)
            {
                throw new AutogradException(
                    ErrorKind.Shape,
                    $"split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at dimension {attributes.Int("dim", 0)}), but got split_sizes={Shapes.Text(sections)}");
            }
            return (dim, sections);
        }
        var each = (long)given;
        if (each == 0 && size != 0)
            throw new AutogradException(ErrorKind.Value, $"split_size can only be 0 if dimension size is 0, but got dimension size of {size}");
        var count = each == 0 ? 1 : Math.Max(1, (int)((size + each - 1) / each));
        var sizes = new int[count];
        for (var i = 0; i < count; i++) sizes[i] = (int)Math.Min(each, size - (i * each));
        return (dim, sizes);
    }

    /// <summary>The gradients of all outputs, zeros where none arrived.</summary>
    /// <summary>The gradient of what was taken apart, joined of its parts' gradients; none where no part has one.</summary>
    private static void Whole(BackwardContext c, Func<Tensor[], Tensor> join)
    {
        if (Enumerable.Range(0, c.Node.OutputCount).Any(i => c.Gradient(i) is not null)) c.Set(0, join(Parts(c)));
    }

    private static Tensor[] Parts(BackwardContext c)
    {
        var parts = new Tensor[c.Node.OutputCount];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = c.Gradient(i) ?? Tensor.Zeros(c.Node.OutputShape(i).ToArray(), c.Node.OutputDType(i));
        return parts;
    }
}

public sealed partial class Tensor
{
    /// <summary>One place of the first dimension, as a view.</summary>
    [System.Runtime.CompilerServices.IndexerName("Row")]
    public Tensor this[int index] => Select(0, index);

    /// <summary>One place of a dimension, counted from either end; the dimension is dropped. A view.</summary>
    /// <exception cref="AutogradException">There is no such dimension or place.</exception>
    public Tensor Select(int dim, int index) => Slicing.Select.Apply(this, Attributes.Of("dim", dim, "index", index));

    /// <summary>The places of a dimension from <paramref name="start"/> to before <paramref name="end"/>, every <paramref name="step"/>-th; both may count from the end.</summary>
    /// <exception cref="AutogradException">There is no such dimension, or the step is not positive.</exception>
    public Tensor Slice(int dim, int? start = null, int? end = null, int step = 1) =>
        Slicing.Slice.Apply(this, Attributes.Of(("dim", dim), ("start", start), ("end", end), ("step", step)));

    /// <summary><paramref name="length"/> places of a dimension from <paramref name="start"/> on.</summary>
    /// <exception cref="AutogradException">The tensor has no dimension, the length is negative, or the places are not there.</exception>
    public Tensor Narrow(int dim, int start, int length)
    {
        if (Rank == 0) throw new AutogradException(ErrorKind.Index, "narrow() cannot be applied to a 0-dim tensor.");
        if (length < 0) throw new AutogradException(ErrorKind.Value, "narrow(): length must be non-negative.");
        var d = Shapes.WrapDim(dim, Rank);
        var size = Sizes[d];
        if (start < -size || start > size)
            throw new AutogradException(ErrorKind.Index, $"start out of range (expected to be in range of [{-size}, {size}], but got {start})");
        var from = start < 0 ? start + size : start;
        if (length > size - from) throw new AutogradException(ErrorKind.Index, $"start ({from}) + length ({length}) exceeds dimension size ({size}).");
        return Slice(d, from, from + length);
    }

    /// <summary>
    /// The view that an index names: an element a dimension, which is an integer (drops it), null (all of it), or an array of start, stop and step (each may be null).
    /// </summary>
    /// <exception cref="AutogradException">There are more of them than dimensions, or a place is not there.</exception>
    public Tensor GetItem(params object?[] index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return Slicing.Indexed(this, index);
    }

    /// <summary>All places of a dimension as views of their own, which may not be written to.</summary>
    /// <exception cref="AutogradException">There is no such dimension.</exception>
    public Tensor[] Unbind(int dim = 0) => Slicing.Unbind.ApplyAll(this, Attributes.Of("dim", dim));

    /// <summary>Pieces of a dimension of the given size, the last perhaps shorter, as views that may not be written to.</summary>
    /// <exception cref="AutogradException">The size is negative, or there is no such dimension.</exception>
    public Tensor[] Split(int splitSize, int dim = 0) => Slicing.Split.ApplyAll(this, Attributes.Of("split_size_or_sections", splitSize, "dim", dim));

    /// <summary>Pieces of a dimension of the given sizes, as views that may not be written to.</summary>
    /// <exception cref="AutogradException">The sizes do not add up to the dimension's, or there is no such dimension.</exception>
    public Tensor[] Split(int[] splitSizes, int dim = 0) => Slicing.Split.ApplyAll(this, Attributes.Of("split_size_or_sections", splitSizes, "dim", dim));

    /// <summary>A dimension in at most so many pieces of one size, the last perhaps shorter.</summary>
    /// <exception cref="AutogradException">The tensor has no dimension, or the number of pieces is not positive.</exception>
    public Tensor[] Chunk(int chunks, int dim = 0)
    {
        if (Rank == 0) throw new AutogradException(ErrorKind.Shape, "chunk expects at least a 1-dimensional tensor");
        if (chunks <= 0) throw new AutogradException(ErrorKind.Value, $"chunk expects `chunks` to be greater than 0, got: {chunks}");
        var size = Size(dim);
        var each = (int)(((long)size + chunks - 1) / chunks);
        return each == 0 && size == 0 ? Split(new int[chunks], dim) : Split(each, dim);
    }
}
