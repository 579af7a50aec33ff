namespace Verified.Engine;

/// <summary>Tensors put side by side.</summary>
internal static class Joining
{
    public static readonly FunctionOperator Cat = new(
        "cat",
        (inputs, attributes) => Concatenate(inputs, attributes.Int("dim", 0)),
        [new Rule(g => g)])
    { Keywords = ["dim"], BackwardAll = Pieces, Unbind = inputs => [inputs], Remember = inputs => Array.ConvertAll(inputs, t => t!.Sizes) };

    public static readonly CompositeOperator Stack = new(
        "stack", call => Tensor.Stack([.. call.Tensors(0).Select(t => t!)], call.Attributes.Int("dim", 0)))
    { Keywords = ["dim"] };

    public static IEnumerable<Operator> All => [Cat, Stack];

    private static Tensor Concatenate(Tensor?[] inputs, int dim)
    {
        if (inputs.Length == 0) throw new AutogradException(ErrorKind.Value, "torch.cat(): expected a non-empty list of Tensors");
        if (Array.IndexOf(inputs, null) is >= 0 and var missing) throw new AutogradException(ErrorKind.Value, $"cat(): expected Tensor as element {missing} in argument 0, but got NoneType");
        var first = Array.Find(inputs, t => !IsSkipped(t!)) ?? inputs[0]!;
        var dtype = inputs[0]!.DType;
        for (var i = 0; i < inputs.Length; i++)
        {
            if (inputs[i]!.Rank == 0) throw new AutogradException(ErrorKind.Shape, $"zero-dimensional tensor (at position {i}) cannot be concatenated");
            dtype = DTypes.Max(dtype, inputs[i]!.DType);
        }
        // Where all are skipped any dimension will do.
        var d = IsSkipped(first) ? 0 : Shapes.WrapDim(dim, first.Rank);
        var shape = (int[])first.Sizes.Clone();
        shape[d] = 0;
        for (var i = 0; i < inputs.Length; i++)
        {
            var t = inputs[i]!;
            if (IsSkipped(t)) continue;
            if (t.Rank != first.Rank) throw new AutogradException(ErrorKind.Shape, $"Tensors must have same number of dimensions: got {first.Rank} and {t.Rank}");
            for (var k = 0; k < t.Rank; k++)
            {
                if (k == d || t.Sizes[k] == first.Sizes[k]) continue;
                throw new AutogradException(
                    ErrorKind.Shape,
                    $"Sizes of tensors must match except in dimension {d}. Expected size {first.Sizes[k]} but got size {t.Sizes[k]} for tensor number {i} in the list.");
            }
            shape[d] = Shapes.Size((long)shape[d] + t.Sizes[d]);
        }
        var result = Tensor.Empty(shape, dtype);
        var at = 0;
        foreach (var t in inputs)
        {
            if (IsSkipped(t!)) continue;
            Copying.Copy(t!, result.Window(t!.Sizes, result.Steps, at * result.Steps[d]));
            at += t.Sizes[d];
        }
        return result;
    }

    /// <summary>PyTorch passes over empty vectors, whatever the others' dimensions.</summary>
    private static bool IsSkipped(Tensor t) => t.Rank == 1 && t.Sizes[0] == 0;

    private static void Pieces(BackwardContext c)
    {
        var g = c.Gradient(0)!;
        var shapes = (int[][])c.Node.State!;
        var dim = Array.TrueForAll(shapes, shape => shape is [0]) ? 0 : Shapes.WrapDim(c.Attributes.Int("dim", 0), g.Rank);
        var at = 0;
        for (var i = 0; i < shapes.Length; i++)
        {
            var skipped = shapes[i] is [0];
            if (c.Needs(i)) c.Set(i, skipped ? Tensor.Zeros([0], g.DType) : g.Narrow(dim, at, shapes[i][dim]));
            if (!skipped) at += shapes[i][dim];
        }
    }
}

public sealed partial class Tensor
{
    /// <summary>Tensors one after the other along a dimension; the others must agree.</summary>
    /// <param name="tensors">At least one; an empty vector among others counts for nothing, as in PyTorch.</param>
    /// <param name="dim">The dimension that grows, counted from either end.</param>
    /// <exception cref="AutogradException">There is none, one has no dimension, their other sizes differ, or there is no such dimension.</exception>
    public static Tensor Cat(IReadOnlyList<Tensor> tensors, int dim = 0)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        return Joining.Cat.Apply([.. tensors], Attributes.Of("dim", dim))[0];
    }

    /// <summary>Tensors of one shape along a new dimension.</summary>
    /// <param name="tensors">At least one.</param>
    /// <param name="dim">Where the new dimension stands in the result, counted from either end.</param>
    /// <exception cref="AutogradException">There is none, their shapes differ, or there is no such dimension.</exception>
    public static Tensor Stack(IReadOnlyList<Tensor> tensors, int dim = 0)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        if (tensors.Count == 0) throw new AutogradException(ErrorKind.Value, "stack expects a non-empty TensorList");
        foreach (var tensor in tensors) tensor.AskHistory();
        var d = Shapes.WrapDim(dim, tensors[0].Rank + 1);
        for (var i = 1; i < tensors.Count; i++)
        {
            if (!Shapes.Same(tensors[i].Sizes, tensors[0].Sizes))
            {
                throw new AutogradException(
                    ErrorKind.Shape,
                    $"stack expects each tensor to be equal size, but got {Shapes.Text(tensors[0].Sizes)} at entry 0 and {Shapes.Text(tensors[i].Sizes)} at entry {i}");
            }
        }
        return Cat([.. tensors.Select(t => t.Unsqueeze(d))], d);
    }
}
