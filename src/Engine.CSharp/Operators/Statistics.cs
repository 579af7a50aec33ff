using System.Runtime.CompilerServices;
using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Spread, norms, logarithms of sums, products and running sums.</summary>
internal static class Statistics
{
    public static readonly FunctionOperator Var = new(
        "var",
        (x, attributes) => Variance(x, attributes, "var"),
        new Rule(Saved.Input0, (g, c) => VarianceBackward(g, c)))
    { Keywords = ["dim", "correction", "unbiased", "keepdim"], Arity = 1 };

    /// <summary>The derivative where the deviation is 0 is 0.</summary>
    public static readonly FunctionOperator Std = new(
        "std",
        (x, attributes) => Powers.Sqrt.Apply(Variance(x, attributes, "std")),
        new Rule(Saved.Input0 | Saved.Output, (g, c) => VarianceBackward((g / (2 * c.Output())).MaskedFill(c.Output().Eq(0), 0), c)))
    { Keywords = ["dim", "correction", "unbiased", "keepdim"], Arity = 1 };

    /// <summary>log sum exp, with the greatest element taken out first.</summary>
    public static readonly FunctionOperator Logsumexp = new(
        "logsumexp",
        (x, attributes) =>
        {
            if (attributes.Ints("dim") is not { } dims) throw new AutogradException(ErrorKind.Value, "logsumexp() needs 'dim'");
            if (!x.DType.IsFloat()) x = Copying.Cast(x, DType.Float32);
            var reduced = Shapes.ReducedDims(dims, x.Rank, allFirst: true);
            var y = Tensor.Empty(Shapes.Reduced(x.Sizes, reduced, attributes.Bool("keepdim", false)), x.DType);
            if (x.DType == DType.Float32) Run<float>(x, y, reduced);
            else Run<double>(x, y, reduced);
            return y;

            static void Run<T>(Tensor x, Tensor y, bool[] reduced)
                where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
            {
                var count = y.Count;
                if (count == 0) return;
                var greatest = new T[count];
                var sums = new T[count];
                Reduction.Run(default(Reduce.Max<T>), x.Sizes, ref x.Origin<T>(), x.Steps, reduced, ref greatest[0]);
                // Of an infinite maximum nothing is taken out: inf - inf would be NaN.
                for (var i = 0; i < count; i++)
                    if (T.IsInfinity(greatest[i])) greatest[i] = T.Zero;
                Reduction.Run(default(Reduce.SumOfExponentials<T>), x.Sizes, ref x.Origin<T>(), x.Steps, reduced, ref greatest[0], ref sums[0]);
                for (var i = 0; i < count; i++) Unsafe.Add(ref y.Origin<T>(), i) = greatest[i] + T.Log(sums[i]);
                GC.KeepAlive(x);
                GC.KeepAlive(y);
            }
        },
        new Rule(Saved.Input0 | Saved.Output, (g, c) => Restore(g, c) * (c.Input(0) - Restore(c.Output(), c)).Exp()))
    { Keywords = ["dim", "keepdim"], Arity = 1 };

    /// <summary>The p-norm; its derivative at 0 is 0.</summary>
    public static readonly FunctionOperator Norm = new(
        "norm",
        (x, attributes) => Measure(x, attributes),
        new Rule(Saved.Input0 | Saved.Output, NormBackward))
    { Keywords = ["p", "dim", "keepdim"], Arity = 1 };

    /// <summary>The product of all elements or along a dimension; its derivative is exact where elements are 0.</summary>
    public static readonly FunctionOperator Prod = new(
        "prod",
        (x, attributes) =>
        {
            if (attributes.IntOrNull("dim") is null && attributes.Has("keepdim"))
                throw new AutogradException(ErrorKind.Value, "prod() has 'keepdim' only together with 'dim'");
            if (x.DType == DType.Bool) x = Copying.Cast(x, DType.Int64);
            if (attributes.DType("dtype") is { } dtype) x = Copying.Cast(x, dtype);
            var reduced = Shapes.ReducedDims(attributes.IntOrNull("dim") is { } dim ? [dim] : null, x.Rank);
            var product = Reducing.Run(x, reduced, attributes.Bool("keepdim", false), default(Reduce.Prod<float>), default(Reduce.Prod<double>), default(Reduce.Prod<long>));
            return x.DType == DType.Bool ? Copying.Cast(product, DType.Bool) : product;
        },
        new Rule(Saved.Input0 | Saved.Output, ProdBackward))
    { Keywords = ["dim", "keepdim", "dtype"], Arity = 1 };

    public static readonly FunctionOperator Cumsum = new(
        "cumsum",
        (x, attributes) =>
        {
            var dim = Shapes.WrapDim(attributes.Int("dim"), x.Rank);
            if (x.DType == DType.Bool) x = Copying.Cast(x, DType.Int64);
            if (attributes.DType("dtype") is { } dtype) x = Copying.Cast(x, dtype);
            if (x.DType == DType.Bool && (x.Rank == 0 || x.Count == 0)) return Copying.Duplicate(x);
            if (x.DType == DType.Bool) throw new AutogradException(ErrorKind.Dtype, "\"cumsum_out_cpu\" not implemented for 'Bool'");
            x = Copying.Packed(x);
            var y = Tensor.Empty(x.Sizes, x.DType);
            var reverse = attributes.Bool("reverse", false);
            var outer = Shapes.Count(x.Sizes.AsSpan(0, Math.Min(dim, x.Rank)));
            var n = x.Rank == 0 ? 1 : x.Sizes[dim];
            var inner = x.Rank == 0 ? 1 : Shapes.Count(x.Sizes.AsSpan(dim + 1));
            switch (x.DType)
            {
                case DType.Float32: Cumulative.Sum(ref x.Origin<float>(), ref y.Origin<float>(), outer, n, inner, reverse); break;
                case DType.Float64: Cumulative.Sum(ref x.Origin<double>(), ref y.Origin<double>(), outer, n, inner, reverse); break;
                default: Cumulative.Sum(ref x.Origin<long>(), ref y.Origin<long>(), outer, n, inner, reverse); break;
            }
            GC.KeepAlive(x);
            GC.KeepAlive(y);
            return y;
        },
        new Rule(Saved.None, (g, c) =>
        {
            var dim = c.Attributes.Int("dim");
            // A sum of one element is that element.
            if (g.Count <= 1 || g.Sizes[Shapes.WrapDim(dim, g.Rank)] == 1) return g;
            return Cumsum!.Apply(g.To(c.InputDType(0)), Attributes.Of("dim", dim, "reverse", !c.Attributes.Bool("reverse", false)));
        }))
    { Keywords = ["dim", "dtype"], Arity = 1 };

    public static IEnumerable<Operator> All => [Var, Std, Logsumexp, Norm, Prod, Cumsum];

    /// <summary>The most elements of rows in which each element is left out once.</summary>
    private const long MostInRows = 1 << 22;

    private static double Correction(Attributes attributes)
    {
        if (attributes["unbiased"] is not null && attributes.Has("keepdim") && !attributes.Has("dim")) throw new AutogradException(ErrorKind.Value, "unbiased and keepdim go together only with dim");
        if (attributes["correction"] is null) return attributes.Bool("unbiased", true) ? 1 : 0;
        if (attributes["unbiased"] is not null) throw new AutogradException(ErrorKind.Value, "only one of unbiased and correction can be given");
        return attributes.Double("correction", 1);
    }

    /// <summary>In two passes: the mean, then the squares of the distances from it.</summary>
    private static Tensor Variance(Tensor x, Attributes attributes, string name)
    {
        var correction = Correction(attributes);
        if (!x.DType.IsFloat()) throw new AutogradException(ErrorKind.Dtype, $"{name}: only support floating point and complex dtypes");
        var reduced = Shapes.ReducedDims(attributes.Ints("dim"), x.Rank);
        var y = Tensor.Empty(Shapes.Reduced(x.Sizes, reduced, attributes.Bool("keepdim", false)), x.DType);
        var count = Reducing.Count(x.Sizes, reduced);
        // Of nothing there is none, whatever is corrected.
        var divisor = count == 0 ? double.NaN : Math.Max(0, count - correction);
        if (y.Count == 0) return y;
        if (x.DType == DType.Float32) Run<float>();
        else Run<double>();
        return y;

        void Run<T>()
            where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
        {
            var means = new T[y.Count];
            Reduction.Run(default(Reduce.Sum<T>), x.Sizes, ref x.Origin<T>(), x.Steps, reduced, ref means[0]);
            for (var i = 0; i < means.Length; i++) means[i] /= T.CreateChecked(count);
            ref var target = ref y.Origin<T>();
            Reduction.Run(default(Reduce.SumOfSquares<T>), x.Sizes, ref x.Origin<T>(), x.Steps, reduced, ref means[0], ref target);
            for (var i = 0; i < means.Length; i++) Unsafe.Add(ref target, i) /= T.CreateChecked(divisor);
            GC.KeepAlive(x);
            GC.KeepAlive(y);
        }
    }

    private static Tensor VarianceBackward(Tensor g, BackwardContext c)
    {
        var x = c.Input(0);
        var reduced = Shapes.ReducedDims(c.Attributes.Ints("dim"), x.Rank);
        var freedom = Reducing.Count(x.Sizes, reduced) - Correction(c.Attributes);
        var dims = Enumerable.Range(0, x.Rank).Where(d => reduced[d]).ToArray();
        var distance = x - (dims.Length == 0 ? x.Mean() : x.Mean(dims, keepdim: true));
        // Of all elements and none free, infinite unless x is its mean; along named dimensions what the formula gives (measured).
        if (freedom <= 0 && (x.Rank == 0 || c.Attributes.Ints("dim") is null or [])) return Restore(g, c) * Tensor.Where(distance.Eq(0), Tensor.Scalar(double.NaN, g.DType), Tensor.Scalar(double.PositiveInfinity, g.DType));
        return Restore(g, c) * (2 / freedom) * distance;
    }

    /// <summary>A gradient or result of a reduction with the removed dimensions back. Of all elements it is left a number, as PyTorch leaves it.</summary>
    private static Tensor Restore(Tensor g, BackwardContext c)
    {
        var shape = c.InputShape(0);
        return shape.Length == 0 || c.Attributes.Ints("dim") is null or [] ? g : Reductions.Keep(g, shape, Shapes.ReducedDims(c.Attributes.Ints("dim"), shape.Length));
    }

    private static double P(Attributes attributes) => attributes["p"] is "fro" ? 2 : attributes.Double("p", 2);

    private static Tensor Measure(Tensor x, Attributes attributes)
    {
        if (!x.DType.IsFloat()) throw new AutogradException(ErrorKind.Dtype, $"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {x.DType.ScalarType()}");
        // Without an order PyTorch takes more than two dimensions for those of a matrix.
        if (attributes["p"] is null && attributes.Ints("dim") is { Length: > 2 }) throw new AutogradException(ErrorKind.Value, "linalg.matrix_norm: dim must be a 2-tuple.");
        var p = P(attributes);
        var reduced = Shapes.ReducedDims(attributes.Ints("dim"), x.Rank);
        var keepdim = attributes.Bool("keepdim", false);
        if (double.IsInfinity(p) || p < 0)
        {
            for (var d = 0; d < reduced.Length; d++)
                if (reduced[d] && x.Sizes[d] == 0)
                    throw new AutogradException(ErrorKind.Shape, $"linalg.vector_norm cannot compute the {(double.IsInfinity(p) ? p > 0 ? "inf" : "-inf" : p.ToString(System.Globalization.CultureInfo.InvariantCulture))} norm on an empty tensor because the operation does not have an identity");
        }
        // Of nothing it is 0, in whatever order.
        switch (x.Count == 0 && double.IsNaN(p) ? 1 : p)
        {
            case 0: return Reducing.Run(x, reduced, keepdim, default(Reduce.CountNonZero<float>), default(Reduce.CountNonZero<double>));
            case 1: return Reducing.Run(x, reduced, keepdim, default(Reduce.SumOfMagnitudes<float>), default(Reduce.SumOfMagnitudes<double>));
            case double.PositiveInfinity: return Reducing.Run(x, reduced, keepdim, default(Reduce.MaxMagnitude<float>), default(Reduce.MaxMagnitude<double>));
            case double.NegativeInfinity:
                using (Autograd.NoGrad())
                    return Reducing.Run(x.Abs(), reduced, keepdim, default(Reduce.Min<float>), default(Reduce.Min<double>));
            case 2:
                using (Autograd.NoGrad())
                    return Reducing.Run(x.Square(), reduced, keepdim, default(Reduce.Sum<float>), default(Reduce.Sum<double>)).Sqrt();
            default:
                using (Autograd.NoGrad())
                    return Reducing.Run(x, reduced, keepdim, new Reduce.SumOfPowers<float>(p), new Reduce.SumOfPowers<double>(p)).Pow(1 / p);
        }
    }

    private static Tensor? NormBackward(Tensor g, BackwardContext c)
    {
        var p = P(c.Attributes);
        if (p == 0) return null;
        // Of all elements it is left a number, as PyTorch leaves it.
        var named = c.Attributes.Ints("dim") is not (null or []);
        var (x, norm) = (c.Input(0), named ? Restore(c.Output(), c) : c.Output());
        if (named) g = Restore(g, c);
        if (p == 1) return Piecewise.Sgn.Apply(x) * g;
        if (p == 2) return g * (x / norm).MaskedFillInPlace(norm.Eq(0), 0);
        if (double.IsInfinity(p))
        {
            var size = x.Abs();
            var mask = Tensor.Where(size.Ne(size), size.Ne(size), size.Eq(norm)).To(g.DType);
            var reduced = Shapes.ReducedDims(c.Attributes.Ints("dim"), x.Rank);
            var dims = Enumerable.Range(0, x.Rank).Where(d => reduced[d]).ToArray();
            return Piecewise.Sgn.Apply(x) * (g / (dims.Length == 0 ? mask.Sum() : mask.Sum(dims, keepdim: true)) * mask);
        }
        if (p < 1) return Piecewise.Sgn.Apply(x) * x.Abs().Pow(p - 1).MaskedFill(x.Eq(0), 0) * g * norm.Pow(1 - p);
        var scale = (g / norm.Pow(p - 1)).MaskedFill(norm.Eq(0), 0);
        return p < 2 ? Piecewise.Sgn.Apply(x) * x.Abs().Pow(p - 1) * scale : x * x.Abs().Pow(p - 2) * scale;
    }

    private static Tensor ProdBackward(Tensor g, BackwardContext c)
    {
        var x = c.Input(0).To(g.DType);
        if (x.Rank == 0) return g;
        var dim = c.Attributes.IntOrNull("dim");
        bool hasZero;
        using (Autograd.NoGrad()) hasZero = x.Count > 0 && x.Eq(0).ToBools().AsSpan().Contains(true);
        if (dim is { } one)
        {
            var d = Shapes.WrapDim(one, x.Rank);
            var keep = c.Attributes.Bool("keepdim", false);
            var spread = keep ? g : g.Unsqueeze(d);
            return hasZero ? (x.Sizes[d] == 1 ? spread : spread * Others(Copies.Apart.Apply(x), d)) : spread * ((keep ? c.Output() : c.Output().Unsqueeze(d)) / x);
        }
        return hasZero ? (x.Count == 1 ? g : g * Others(x.Reshape([-1]), 0)).Reshape(x.Sizes) : g * (c.Output() / x);
    }

    /// <summary>
    /// For each element the product of the others along a dimension: each in a row of its own in which it is replaced by 1. Of many elements that would be more than memory holds.
    /// </summary>
    private static Tensor Others(Tensor x, int dim)
    {
        var n = x.Sizes[dim];
        if ((long)n * x.Count > MostInRows) return OthersByHalves(Copies.Apart.Apply(x), dim);
        var rank = x.Rank;
        int[] sizes = [.. x.Sizes.Take(dim), n, .. x.Sizes.Skip(dim)];
        var diagonal = new bool[n * n];
        for (var i = 0; i < n; i++) diagonal[(i * n) + i] = true;
        int[] maskShape = [.. Enumerable.Repeat(1, dim), n, n, .. Enumerable.Repeat(1, rank - dim - 1)];
        return x.Unsqueeze(dim).Expand(sizes).MaskedFill(Tensor.Create(diagonal, maskShape), 1).Prod(dim + 1);
    }

    /// <summary>Of two elements each is the other's; of more, the halves are multiplied with each other, and each product's others belong to both of its factors.</summary>
    private static Tensor OthersByHalves(Tensor x, int dim)
    {
        int n = x.Sizes[dim], half = (n + 1) / 2;
        if (n == 1) return Tensor.Ones(x.Sizes, x.DType);
        Tensor first = x.Narrow(dim, 0, half), second = x.Narrow(dim, half, n - half);
        if (n < 2 * half)
        {
            var one = (int[])x.Sizes.Clone();
            one[dim] = 1;
            second = Tensor.Cat([second, Tensor.Ones(one, x.DType)], dim);
        }
        var others = OthersByHalves(first * second, dim);
        return Tensor.Cat([others * second, others * first], dim).Narrow(dim, 0, n);
    }
}

public sealed partial class Tensor
{
    /// <summary>The variance over the named dimensions, all where none is named, dividing by their count less the correction.</summary>
    public Tensor Var(int[]? dim = null, double correction = 1, bool keepdim = false) =>
        Statistics.Var.Apply(this, Attributes.Of(("dim", dim), ("correction", correction), ("keepdim", keepdim)));

    /// <summary>The standard deviation: the root of the variance.</summary>
    public Tensor Std(int[]? dim = null, double correction = 1, bool keepdim = false) =>
        Statistics.Std.Apply(this, Attributes.Of(("dim", dim), ("correction", correction), ("keepdim", keepdim)));

    /// <summary>log sum exp over the named dimensions.</summary>
    public Tensor Logsumexp(int[] dim, bool keepdim = false) => Statistics.Logsumexp.Apply(this, Attributes.Of("dim", dim, "keepdim", keepdim));

    /// <inheritdoc cref="Logsumexp(int[], bool)"/>
    public Tensor Logsumexp(int dim, bool keepdim = false) => Logsumexp([dim], keepdim);

    /// <summary>The p-norm over the named dimensions, all where none is named.</summary>
    public Tensor Norm(double p = 2, int[]? dim = null, bool keepdim = false) =>
        Statistics.Norm.Apply(this, Attributes.Of(("p", p), ("dim", dim), ("keepdim", keepdim)));

    /// <summary>The product of all elements.</summary>
    public Tensor Prod() => Statistics.Prod.Apply(this);

    /// <summary>The products along a dimension.</summary>
    public Tensor Prod(int dim, bool keepdim = false) => Statistics.Prod.Apply(this, Attributes.Of("dim", dim, "keepdim", keepdim));

    /// <summary>The running sums along a dimension.</summary>
    public Tensor Cumsum(int dim) => Statistics.Cumsum.Apply(this, Attributes.Of("dim", dim));
}
