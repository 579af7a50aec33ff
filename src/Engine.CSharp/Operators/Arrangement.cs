using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Copies in another arrangement: turned round, repeated, padded, cut to a triangle, thinned out.</summary>
internal static class Arrangement
{
    public static readonly FunctionOperator Flip = new(
        "flip", (x, attributes) => Flipped(x, Dims(x, attributes)), new Rule(Saved.None, (g, c) => Flip!.Apply(g, c.Attributes)))
    { Keywords = ["dims"], Arity = 1 };

    public static readonly FunctionOperator Repeat = new(
        "repeat",
        (x, attributes) =>
        {
            var repeats = attributes.Ints("repeats") ?? throw new AutogradException(ErrorKind.Value, "repeat() needs 'repeats'");
            if (repeats.Length < x.Rank)
                throw new AutogradException(ErrorKind.Shape, "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor");
            if (Array.Exists(repeats, n => n < 0)) throw new AutogradException(ErrorKind.Value, $"Trying to create tensor with negative dimension {repeats.First(n => n < 0)}");
            int[] sizes = [.. Enumerable.Repeat(1, repeats.Length - x.Rank), .. x.Sizes];
            int[] steps = [.. Enumerable.Repeat(0, repeats.Length - x.Rank), .. x.Steps];
            var y = Tensor.Empty([.. sizes.Zip(repeats, (n, k) => Shapes.Size((long)n * k))], x.DType);
            if (y.Count == 0) return y;
            // [k, n] for each dimension: the first broadcast, both dense in the result.
            var split = Interleave(repeats, sizes);
            Copying.Copy(x.Window(split, Interleave(new int[repeats.Length], steps), 0), y.Window(split, Shapes.ContiguousStrides(split), 0));
            return y;
        },
        new Rule(Saved.None, (g, c) =>
        {
            var (shape, repeats) = (c.InputShape(0), c.Attributes.Ints("repeats")!);
            // No part of the tape, as PyTorch has it (repeat_backward).
            if (Array.IndexOf(repeats, 0) >= 0) return Tensor.Zeros(shape, g.DType);
            var added = repeats.Length - shape.Length;
            if (added > 0) g = g.Sum([.. Enumerable.Range(0, added)]);
            List<int> split = [], summed = [];
            for (var d = 0; d < shape.Length; d++)
            {
                if (repeats[added + d] != 1)
                {
                    summed.Add(split.Count);
                    split.Add(repeats[added + d]);
                }
                split.Add(shape[d]);
            }
            return summed.Count == 0 ? g : g.Reshape([.. split]).Sum([.. summed]);
        }))
    { Keywords = ["repeats"], Arity = 1 };

    /// <summary>A border of one value, from the last dimension on; negative widths cut.</summary>
    public static readonly FunctionOperator Pad = new(
        "pad",
        (x, attributes) => Padded(x, Widths(x.Rank, attributes), attributes.Ints("pad")!.Length / 2, attributes.Double("value", 0)),
        new Rule(Saved.None, (g, c) => Pad!.Apply(g, Attributes.Of("pad", Array.ConvertAll(c.Attributes.Ints("pad")!, n => -n)))),
        "ConstantPadNdBackward0")
    { CheckFirst = (inputs, attributes) => Widths(inputs[0]!.Rank, attributes), Keywords = ["pad", "mode", "value"], Arity = 1 };

    public static readonly FunctionOperator Tril = new(
        "tril", (x, attributes) => TriangleOf(x, attributes, "tril", upper: false), new Rule(Saved.None, (g, c) => Tril!.Apply(g, c.Attributes)))
    { Keywords = ["diagonal"], Arity = 1 };

    public static readonly FunctionOperator Triu = new(
        "triu", (x, attributes) => TriangleOf(x, attributes, "triu", upper: true), new Rule(Saved.None, (g, c) => Triu!.Apply(g, c.Attributes)))
    { Keywords = ["diagonal"], Arity = 1 };

    /// <summary>What the mask keeps, scaled so that the mean stays. The mask is drawn elsewhere: here everything is determined.</summary>
    public static readonly CompositeOperator Dropout = new(
        "dropout",
        call =>
        {
            var p = call.Attributes.Double("p", 0.5);
            if (p is < 0 or > 1) throw new AutogradException(ErrorKind.Value, $"dropout probability has to be between 0 and 1, but got {p}");
            Tensor x = call.Tensor(0), mask = call.Tensor(1);
            if (!x.DType.IsFloat()) throw new AutogradException(ErrorKind.Dtype, $"dropout of {x.DType.ScalarType()}: the tensor must be of a floating-point type");
            if (mask.DType != DType.Bool) throw new AutogradException(ErrorKind.Dtype, $"dropout expects a bool mask, but got {mask.DType.Name()}");
            if (!Shapes.Same(mask.Sizes, x.Sizes))
                throw new AutogradException(ErrorKind.Shape, $"dropout expects a mask of shape {Shapes.Text(x.Sizes)}, but got {Shapes.Text(mask.Sizes)}");
            return x.Mul(mask.To(x.DType).Mul(p == 1 ? 0 : 1 / (1 - p)));
        })
    { Keywords = ["p"] };

    public static IEnumerable<Operator> All => [Flip, Repeat, Pad, Tril, Triu, Dropout];

    private static Tensor TriangleOf(Tensor x, Attributes attributes, string name, bool upper)
    {
        if (x.Rank < 2) throw new AutogradException(ErrorKind.Shape, $"{name}: input tensor must have at least 2 dimensions");
        x = Copying.Packed(x);
        var y = Tensor.Empty(x.Sizes, x.DType);
        switch (x.DType)
        {
            case DType.Float32: Run<float>(); break;
            case DType.Float64: Run<double>(); break;
            case DType.Int64: Run<long>(); break;
            default: Run<byte>(); break;
        }
        GC.KeepAlive(x);
        GC.KeepAlive(y);
        return y;

        void Run<T>()
            where T : unmanaged
        {
            var (rows, columns) = (x.Sizes[^2], x.Sizes[^1]);
            var batch = Shapes.Count(x.Sizes.AsSpan(0, x.Rank - 2));
            var diagonal = attributes.Int("diagonal", 0);
            if (upper) Triangle.Upper(ref x.Origin<T>(), ref y.Origin<T>(), batch, rows, columns, diagonal);
            else Triangle.Lower(ref x.Origin<T>(), ref y.Origin<T>(), batch, rows, columns, diagonal);
        }
    }

    private static bool[] Dims(Tensor x, Attributes attributes)
    {
        var dims = attributes.Ints("dims") ?? throw new AutogradException(ErrorKind.Value, "flip() needs 'dims'");
        return dims.Length == 0 ? new bool[x.Rank] : Shapes.ReducedDims(dims, x.Rank);
    }

    private static Tensor Flipped(Tensor x, bool[] flipped)
    {
        var y = Tensor.EmptyLike(x, x.DType);
        if (y.Count == 0) return y;
        var offset = 0;
        var steps = (int[])x.Steps.Clone();
        for (var d = 0; d < x.Rank; d++)
        {
            if (!flipped[d]) continue;
            offset += (x.Sizes[d] - 1) * steps[d];
            steps[d] = -steps[d];
        }
        Copying.Copy(x.Window(x.Sizes, steps, offset), y);
        return y;
    }

    private static int[] Interleave(int[] first, int[] second) => [.. first.Zip(second).SelectMany(pair => new[] { pair.First, pair.Second })];

    /// <summary>The widths as the function that chooses the mode looks at them, before anything is recorded; what is cut is looked at by the kernel.</summary>
    private static (int Before, int After)[] Widths(int rank, Attributes attributes)
    {
        if (attributes.Text("mode", "constant") is var mode and not "constant")
            throw new AutogradException(ErrorKind.Unsupported, $"pad() with mode '{mode}' is not in this engine");
        var pad = attributes.Ints("pad") ?? throw new AutogradException(ErrorKind.Value, "pad() needs 'pad'");
        if (pad.Length % 2 != 0) throw new AutogradException(ErrorKind.Value, "Padding length must be divisible by 2");
        if (pad.Length / 2 > rank) throw new AutogradException(ErrorKind.Value, $"Padding length should be less than or equal to two times the input dimension but got padding length {pad.Length} and input of dimension {rank}");
        var widths = new (int, int)[rank];
        for (var k = 0; k < pad.Length / 2; k++) widths[rank - 1 - k] = (pad[2 * k], pad[(2 * k) + 1]);
        return widths;
    }

    private static Tensor Padded(Tensor x, (int Before, int After)[] widths, int padded, double value)
    {
        var sizes = new int[x.Rank];
        var inner = new int[x.Rank];
        var (from, to) = (0, 0);
        for (var d = 0; d < x.Rank; d++)
        {
            var kept = (long)x.Sizes[d] + Math.Min(0, widths[d].Before) + Math.Min(0, widths[d].After);
            if (kept < 0)
                throw new AutogradException(ErrorKind.Value, "narrow(): length must be non-negative.");
            inner[d] = (int)kept;
            sizes[d] = Shapes.Size((long)x.Sizes[d] + widths[d].Before + widths[d].After);
        }
        // Where nothing is put around it, PyTorch cuts, and looks at neither.
        var adds = Array.Exists(widths, w => w.Before > 0 || w.After > 0);
        if (adds)
        {
            var empty = Array.FindIndex(sizes, x.Rank - padded, size => size == 0);
            if (empty >= 0) throw new AutogradException(ErrorKind.Shape, $"The padding resulted in a negative output size, which is invalid. Check dimension {empty} of your input.");
            Writes.CheckLiesAmong(x.DType, Tensor.Number(value));
        }
        // A part of it is a copy in its own memory order.
        var y = adds ? Tensor.Full(sizes, value, x.DType) : Tensor.EmptyFor(sizes, x.DType, x.Window(sizes, x.Steps, 0));
        if (Shapes.Count(inner) == 0) return y;
        for (var d = 0; d < x.Rank; d++)
        {
            from += Math.Max(0, -widths[d].Before) * x.Steps[d];
            to += Math.Max(0, widths[d].Before) * y.Steps[d];
        }
        Copying.Copy(x.Window(inner, x.Steps, from), y.Window(inner, y.Steps, to));
        return y;
    }
}

public sealed partial class Tensor
{
    /// <summary>A copy turned round along dimensions.</summary>
    /// <exception cref="AutogradException">There is no such dimension, or one stands twice.</exception>
    public Tensor Flip(params int[] dims) => Arrangement.Flip.Apply(this, Attributes.Of("dims", dims));

    /// <summary>A copy repeated so many times along each dimension, new ones in front.</summary>
    /// <exception cref="AutogradException">There are fewer numbers than dimensions, or one is negative.</exception>
    public Tensor Repeat(params int[] repeats) => Arrangement.Repeat.Apply(this, Attributes.Of("repeats", repeats));

    /// <summary>A copy with a border of one value: widths before and after, from the last dimension on; negative ones cut.</summary>
    /// <param name="pad">Pairs, at most one for each dimension.</param>
    /// <param name="value">What the border is filled with.</param>
    /// <exception cref="AutogradException">The widths are not in pairs, are too many, or cut more than there is.</exception>
    public Tensor Pad(int[] pad, double value = 0) => Arrangement.Pad.Apply(this, Attributes.Of("pad", pad, "value", value));

    /// <summary>The elements of the last two dimensions on and above a diagonal; zeros elsewhere.</summary>
    /// <param name="diagonal">Which one: 0 is the main one, 1 the next above it.</param>
    public Tensor Triu(int diagonal = 0) => Arrangement.Triu.Apply(this, Attributes.Of("diagonal", diagonal));

    /// <summary>A copy of the lower triangles of the last two dimensions, zeros above the diagonal.</summary>
    public Tensor Tril(int diagonal = 0) => Arrangement.Tril.Apply(this, Attributes.Of("diagonal", diagonal));
}
