using System.Numerics;
using System.Runtime.CompilerServices;
using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Greatest and least elements. The conventions at ties are PyTorch's.</summary>
internal static class Extrema
{
    public static readonly FunctionOperator Amax = Spreading("amax", greatest: true);
    public static readonly FunctionOperator Amin = Spreading("amin", greatest: false);
    public static readonly FunctionOperator Max = Picking("max", greatest: true);
    public static readonly FunctionOperator Min = Picking("min", greatest: false);

    /// <summary>The place of the first greatest element; of all elements in row-major order where no dimension is named.</summary>
    public static readonly FunctionOperator Argmax = new(
        "argmax",
        (x, attributes) =>
        {
            var dim = attributes.IntOrNull("dim");
            var reduced = dim is null ? Shapes.ReducedDims(null, x.Rank) : Reduced(x, [dim.Value], "argmax");
            if (dim is null && x.Count == 0) throw new AutogradException(ErrorKind.Shape, "argmax(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.");
            // Where there is nothing to choose from, PyTorch looks at no element.
            var isChoice = dim is null || x.Rank == 0 || Reducing.Count(x.Sizes, reduced) > 1;
            if (x.DType == DType.Bool && x.Count > 0 && isChoice) throw new AutogradException(ErrorKind.Dtype, "\"argmax_cpu\" not implemented for 'Bool'");
            return Places(x, reduced, attributes.Bool("keepdim", false));
        },
        Rule.NotDifferentiable)
    { Keywords = ["dim", "keepdim"], Arity = 1 };

    public static IEnumerable<Operator> All => [Amax, Amin, Max, Min, Argmax];

    /// <summary><c>amax</c>: ties share the gradient; a NaN among the elements makes all of it NaN.</summary>
    private static FunctionOperator Spreading(string name, bool greatest) => new(
        name,
        (x, attributes) => Values(x, Reduced(x, attributes.Ints("dim"), name), attributes.Bool("keepdim", false), greatest),
        new Rule(Saved.Input0 | Saved.Output, (g, c) => Share(g, c, c.Input(0).Eq(Restore(c.Output(), c)))))
    { Keywords = ["dim", "keepdim"], Arity = 1 };

    /// <summary><c>max</c>: of all elements, ties sharing the gradient; along a dimension, with the place of the first, which gets the gradient.</summary>
    private static FunctionOperator Picking(string name, bool greatest) => new(
        name,
        (inputs, attributes) =>
        {
            var x = inputs[0]!;
            var keepdim = attributes.Bool("keepdim", false);
            if (attributes.IntOrNull("dim") is null && attributes.Has("keepdim"))
                throw new AutogradException(ErrorKind.Value, $"{name}() got an unexpected keyword argument 'keepdim' without 'dim'");
            if (attributes.IntOrNull("dim") is not { } dim) return [Values(x, Reduced(x, null, name), false, greatest)];
            var reduced = Reduced(x, [dim], name);
            return [Values(x, reduced, keepdim, greatest), Places(x, reduced, keepdim, greatest)];
        },
        [
            new Rule(Saved.Input0 | Saved.Output, (g, c) =>
            {
                var (x, y) = (c.Input(0), c.Output());
                var mask = Tensor.Where(y.Ne(y), x.Ne(x), x.Eq(y));
                // Whatever arrives, the others get zero.
                return Tensor.Zeros(x.Sizes, g.DType).MaskedFill(mask, g / mask.To(g.DType).Sum());
            }),
        ])
    {
        Keywords = ["dim", "keepdim"],
        Arity = 1,
        RuleOf = attributes => attributes.IntOrNull("dim") is null
            ? null
            : new Rule(Saved.Output1, (g, c) =>
            {
                var shape = c.InputShape(0);
                var dim = Shapes.WrapDim(c.Attributes.Int("dim"), shape.Length);
                var places = c.Output(1);
                return shape.Length == 0 || c.Attributes.Bool("keepdim", false)
                    ? Gathering.Scatter(g, places, dim, shape)
                    : Gathering.Scatter(g.Unsqueeze(dim), places.Unsqueeze(dim), dim, shape);
            }),
    };

    private static bool[] Reduced(Tensor x, int[]? dims, string name)
    {
        var reduced = Shapes.ReducedDims(dims, x.Rank, allFirst: true);
        for (var d = 0; d < reduced.Length; d++)
        {
            if (!reduced[d] || x.Sizes[d] != 0) continue;
            throw dims is null
                ? new AutogradException(ErrorKind.Shape, $"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.")
                : new AutogradException(ErrorKind.Shape, $"{name}(): Expected reduction dim {d} to have non-zero size.");
        }
        return reduced;
    }

    private static Tensor Values(Tensor x, bool[] reduced, bool keepdim, bool greatest)
    {
        var y = Tensor.Empty(Shapes.Reduced(x.Sizes, reduced, keepdim), x.DType);
        ref var none = ref Unsafe.NullRef<long>();
        switch (x.DType)
        {
            case DType.Float32: Extremes.Run(greatest, x.Sizes, ref x.Origin<float>(), x.Steps, reduced, ref y.Origin<float>(), ref none); break;
            case DType.Float64: Extremes.Run(greatest, x.Sizes, ref x.Origin<double>(), x.Steps, reduced, ref y.Origin<double>(), ref none); break;
            case DType.Int64: Extremes.Run(greatest, x.Sizes, ref x.Origin<long>(), x.Steps, reduced, ref y.Origin<long>(), ref none); break;
            default: Extremes.Run(greatest, x.Sizes, ref x.Origin<byte>(), x.Steps, reduced, ref y.Origin<byte>(), ref none); break;
        }
        GC.KeepAlive(x);
        GC.KeepAlive(y);
        return y;
    }

    private static Tensor Places(Tensor x, bool[] reduced, bool keepdim, bool greatest = true)
    {
        var places = Tensor.Empty(Shapes.Reduced(x.Sizes, reduced, keepdim), DType.Int64);
        switch (x.DType)
        {
            case DType.Float32: Run<float>(x, places); break;
            case DType.Float64: Run<double>(x, places); break;
            case DType.Int64: Run<long>(x, places); break;
            default: Run<byte>(x, places); break;
        }
        return places;

        void Run<T>(Tensor from, Tensor to)
            where T : unmanaged, INumber<T>
        {
            Extremes.Run(greatest, from.Sizes, ref from.Origin<T>(), from.Steps, reduced, ref Unsafe.NullRef<T>(), ref to.Origin<long>());
            GC.KeepAlive(from);
            GC.KeepAlive(to);
        }
    }

    /// <summary>A result with the removed dimensions back.</summary>
    private static Tensor Restore(Tensor y, BackwardContext c)
    {
        var shape = c.InputShape(0);
        return Reductions.Keep(y, shape, Shapes.ReducedDims(c.Attributes.Ints("dim"), shape.Length));
    }

    /// <summary>The gradient in equal parts to the elements of the mask.</summary>
    private static Tensor Share(Tensor g, BackwardContext c, Tensor mask)
    {
        var ones = mask.To(g.DType);
        var dims = c.Attributes.Ints("dim");
        var count = dims is { Length: > 0 } ? ones.Sum(dims, keepdim: true) : ones.Sum();
        // PyTorch restores the dimensions that are named, and calls it so where none is.
        if (!c.Attributes.Bool("keepdim", false)) g = dims is { Length: > 0 } && c.InputShape(0).Length > 0 ? Restore(g, c) : g.View(g.Sizes);
        return g * ones / count;
    }
}

public sealed partial class Tensor
{
    /// <summary>The greatest elements over the named dimensions, all where none is named; ties share the gradient.</summary>
    /// <exception cref="AutogradException">There is no such dimension, one stands twice, or there is nothing to compare.</exception>
    public Tensor Amax(int[]? dim = null, bool keepdim = false) => Extrema.Amax.Apply(this, Attributes.Of("dim", dim, "keepdim", keepdim));

    /// <summary>The least elements over the named dimensions, all where none is named; ties share the gradient.</summary>
    /// <inheritdoc cref="Amax"/>
    public Tensor Amin(int[]? dim = null, bool keepdim = false) => Extrema.Amin.Apply(this, Attributes.Of("dim", dim, "keepdim", keepdim));

    /// <summary>The greatest element; ties share the gradient.</summary>
    public Tensor Max() => Extrema.Max.Apply(this);

    /// <summary>The least element; ties share the gradient.</summary>
    public Tensor Min() => Extrema.Min.Apply(this);

    /// <summary>The greatest elements along a dimension and the places of the first of them, which get the gradient.</summary>
    /// <exception cref="AutogradException">There is no such dimension, or nothing in it.</exception>
    public (Tensor Values, Tensor Indices) Max(int dim, bool keepdim = false) => Pair(Extrema.Max.Apply([this], Attributes.Of("dim", dim, "keepdim", keepdim)));

    /// <summary>The least elements along a dimension and the places of the first of them, which get the gradient.</summary>
    /// <inheritdoc cref="Max(int, bool)"/>
    public (Tensor Values, Tensor Indices) Min(int dim, bool keepdim = false) => Pair(Extrema.Min.Apply([this], Attributes.Of("dim", dim, "keepdim", keepdim)));

    /// <summary>The place of the first greatest element, along a dimension or of all in row-major order.</summary>
    /// <exception cref="AutogradException">There is no such dimension, or nothing to compare.</exception>
    public Tensor Argmax(int? dim = null, bool keepdim = false) => Extrema.Argmax.Apply(this, Attributes.Of("dim", dim, "keepdim", keepdim));

    private static (Tensor Values, Tensor Indices) Pair(Tensor[] results) => (results[0], results[1]);
}
