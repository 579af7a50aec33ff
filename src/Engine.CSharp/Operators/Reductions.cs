using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Sums over dimensions and what is made of them.</summary>
internal static class Reductions
{
    public static readonly FunctionOperator Sum = new(
        "sum",
        (x, attributes) => Summation(x, attributes, mean: false),
        new Rule(Saved.None, (g, c) => Spread(g, c)))
    { Keywords = ["dim", "keepdim", "dtype"], Arity = 1, Variant = attributes => attributes["dim"] is null ? "SumBackward0" : "SumBackward1" };

    public static readonly FunctionOperator Mean = new(
        "mean",
        (x, attributes) => Summation(x, attributes, mean: true),
        new Rule(Saved.None, (g, c) =>
        {
            var spread = Spread(g, c);
            return spread / Tensor.Number((double)spread.Count / Math.Max(g.Count, 1));
        }))
    { Keywords = ["dim", "keepdim", "dtype"], Arity = 1, Variant = attributes => attributes["dim"] is null ? "MeanBackward0" : "MeanBackward1" };

    public static IEnumerable<Operator> All => [Sum, Mean];

    /// <summary>Repeats the gradient of a reduction over the dimensions that it removed.</summary>
    public static Tensor Spread(Tensor g, BackwardContext c)
    {
        var shape = c.InputShape(0);
        // Of all elements it is left a number, as PyTorch leaves it.
        if (c.Attributes.Ints("dim") is null or []) return g.Expand(shape);
        var reduced = Shapes.ReducedDims(c.Attributes.Ints("dim"), shape.Length);
        return Keep(g, shape, reduced).Expand(shape);
    }

    /// <summary>A reduced tensor with the removed dimensions back, of size one.</summary>
    public static Tensor Keep(Tensor g, int[] shape, bool[] reduced) =>
        g.Rank == shape.Length ? g : g.Reshape(Shapes.Reduced(shape, reduced, keepdim: true));

    private static Tensor Summation(Tensor x, Attributes attributes, bool mean)
    {
        var dtype = attributes.DType("dtype") ?? (x.DType == DType.Bool && !mean ? DType.Int64 : x.DType);
        if (mean && !dtype.IsFloat())
        {
            throw new AutogradException(
                ErrorKind.Dtype, $"mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: {x.DType.ScalarType()}");
        }
        x = Copying.Cast(x, dtype);
        var reduced = Shapes.ReducedDims(attributes.Ints("dim"), x.Rank, allFirst: true);
        var sum = Reducing.Run(x, reduced, attributes.Bool("keepdim", false), new Reduce.Sum<float>(), new Reduce.Sum<double>(), new Reduce.Sum<long>());
        if (!mean) return dtype == DType.Bool ? Copying.Cast(sum, dtype) : sum;
        return Elementwise.Binary(sum, Tensor.Number((double)Reducing.Count(x.Sizes, reduced)), sum, new Op.Div<float>(), new Op.Div<double>());
    }
}

public sealed partial class Tensor
{
    /// <summary>The sum over the named dimensions, all where none is named.</summary>
    /// <param name="dim">The dimensions to remove, counted from either end.</param>
    /// <param name="keepdim">Whether they stay with size one.</param>
    /// <param name="dtype">The type to sum in.</param>
    /// <exception cref="AutogradException">There is no such dimension, or one stands twice.</exception>
    public Tensor Sum(int[]? dim = null, bool keepdim = false, DType? dtype = null) => Reductions.Sum.Apply(this, ReductionAttributes(dim, keepdim, dtype));

    /// <inheritdoc cref="Sum(int[], bool, DType?)"/>
    public Tensor Sum(int dim, bool keepdim = false) => Sum([dim], keepdim);

    /// <summary>The mean over the named dimensions, all where none is named; of nothing it is NaN.</summary>
    /// <inheritdoc cref="Sum(int[], bool, DType?)"/>
    public Tensor Mean(int[]? dim = null, bool keepdim = false, DType? dtype = null) => Reductions.Mean.Apply(this, ReductionAttributes(dim, keepdim, dtype));

    /// <inheritdoc cref="Mean(int[], bool, DType?)"/>
    public Tensor Mean(int dim, bool keepdim = false) => Mean([dim], keepdim);

    private static Attributes? ReductionAttributes(int[]? dim, bool keepdim, DType? dtype) =>
        dtype is { } type ? Attributes.Of(("dim", dim), ("keepdim", keepdim), ("dtype", type.Name()))
        : dim is not null || keepdim ? Attributes.Of("dim", dim, "keepdim", keepdim)
        : null;
}
