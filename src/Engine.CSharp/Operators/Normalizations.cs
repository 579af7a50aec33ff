using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Softmax, its logarithm, and layer normalisation.</summary>
internal static class Normalizations
{
    /// <summary>y (g - sum(g y)).</summary>
    public static readonly FunctionOperator SoftmaxBackward = new(
        "softmax_backward",
        (inputs, a) => Rows(inputs[0]!, inputs[1]!, a.Int("dim"), logarithm: false),
        [
            new Rule(Saved.Input1, (h, c) => SoftmaxBackward!.Apply([h, c.Input(1)], c.Attributes)[0]),
            new Rule(Saved.Input0 | Saved.Input1, (h, c) =>
            {
                Tensor g = c.Input(0), y = c.Input(1);
                var dim = c.Attributes.Int("dim");
                return h * (g - (g * y).Sum(dim, keepdim: true)) - g * (h * y).Sum(dim, keepdim: true);
            }),
        ])
    { Keywords = ["dim"], Arity = 2 };

    /// <summary>g - exp(y) sum(g).</summary>
    public static readonly FunctionOperator LogSoftmaxBackward = new(
        "log_softmax_backward",
        (inputs, a) => Rows(inputs[0]!, inputs[1]!, a.Int("dim"), logarithm: true),
        [
            new Rule(Saved.Input1, (h, c) => h - (h * c.Input(1).Exp()).Sum(c.Attributes.Int("dim"), keepdim: true)),
            new Rule(Saved.Input0 | Saved.Input1, (h, c) => -(c.Input(0).Sum(c.Attributes.Int("dim"), keepdim: true) * c.Input(1).Exp() * h)),
        ])
    { Keywords = ["dim"], Arity = 2 };

    public static readonly FunctionOperator Softmax = new(
        "softmax",
        (x, a) => Normalized("softmax", x, a, logarithm: false),
        new Rule(Saved.Output, (g, c) => SoftmaxBackward.Apply([g, c.Output()], Attributes.Of("dim", SoftmaxDim(c.Attributes, g.Rank)))[0]))
    { Keywords = ["dim", "dtype"], Arity = 1 };

    public static readonly FunctionOperator LogSoftmax = new(
        "log_softmax",
        (x, a) => Normalized("log_softmax", x, a, logarithm: true),
        new Rule(Saved.Output, (g, c) => LogSoftmaxBackward.Apply([g, c.Output()], Attributes.Of("dim", SoftmaxDim(c.Attributes, g.Rank)))[0]))
    { Keywords = ["dim", "dtype"], Arity = 1 };

    public static readonly FunctionOperator LayerNorm = new(
        "layer_norm",
        Standardized,
        [new Rule(Saved.Input0 | Saved.Input1 | Saved.Input2 | Saved.Output1 | Saved.Output2, (_, _) => null)],
        "NativeLayerNormBackward0")
    { Keywords = ["normalized_shape", "eps"], Arity = 1, Optional = 2, Visible = 1, BackwardAll = LayerNormBackward };

    private static readonly FusedGradient LayerNormGradient = new("native_layer_norm_backward", LayerNormGradients) { Unread = 1 };

    public static IEnumerable<Operator> All => [Softmax, SoftmaxBackward, LogSoftmax, LogSoftmaxBackward, LayerNorm];

    /// <summary>Softmax's logarithm of a tensor without gaps, off the tape.</summary>
    private static Tensor LogSoftmaxOf(Tensor x, int dim)
    {
        var y = Tensor.Empty(x.Sizes, x.DType);
        var (outer, n, inner) = Split(x.Sizes, dim);
        if (x.DType == DType.Float32) Kernels.Softmax.LogForward(ref x.Origin<float>(), ref y.Origin<float>(), outer, n, inner);
        else Kernels.Softmax.LogForward(ref x.Origin<double>(), ref y.Origin<double>(), outer, n, inner);
        GC.KeepAlive(x);
        GC.KeepAlive(y);
        return y;
    }

    /// <summary>The sizes before a dimension, of it, and behind it.</summary>
    public static (int Outer, int N, int Inner) Split(int[] shape, int dim) => shape.Length == 0
        ? (1, 1, 1)
        : (Shapes.Count(shape.AsSpan(0, dim)), shape[dim], Shapes.Count(shape.AsSpan(dim + 1)));

    /// <summary>Where <c>dim</c> is null, PyTorch takes 0 for ranks 0, 1 and 3 and 1 for others.</summary>
    private static int SoftmaxDim(Attributes attributes, int rank) =>
        Shapes.WrapDim(attributes.Has("dim") ? attributes.Int("dim", rank is 0 or 1 or 3 ? 0 : 1) : attributes.Int("dim"), rank);

    private static Tensor Normalized(string name, Tensor x, Attributes attributes, bool logarithm)
    {
        x = Copying.Packed(Copying.Cast(x, attributes.DType("dtype") ?? x.DType));
        var dim = SoftmaxDim(attributes, x.Rank);
        if (!x.DType.IsFloat()) throw new AutogradException(ErrorKind.Dtype, $"\"{name}_lastdim_kernel_impl\" not implemented for '{x.DType.ScalarType()}'");
        if (logarithm) return LogSoftmaxOf(x, dim);
        var y = Tensor.Empty(x.Sizes, x.DType);
        var (outer, n, inner) = Split(x.Sizes, dim);
        if (x.DType == DType.Float32) Kernels.Softmax.Forward(ref x.Origin<float>(), ref y.Origin<float>(), outer, n, inner);
        else Kernels.Softmax.Forward(ref x.Origin<double>(), ref y.Origin<double>(), outer, n, inner);
        GC.KeepAlive(x);
        GC.KeepAlive(y);
        return y;
    }

    private static Tensor Rows(Tensor g, Tensor y, int dim, bool logarithm)
    {
        GradientShape.CheckForm(logarithm ? "log_softmax_backward" : "softmax_backward", g, y.Sizes, y.DType);
        g = Copying.Packed(g);
        y = Copying.Packed(y);
        var dx = Tensor.Empty(y.Sizes, y.DType);
        if (y.DType == DType.Float32) Run<float>(); else Run<double>();
        GC.KeepAlive(g);
        GC.KeepAlive(y);
        return dx;

        void Run<T>()
            where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
        {
            var (outer, n, inner) = Split(y.Sizes, dim);
            if (logarithm) Kernels.Softmax.LogBackward(ref g.Origin<T>(), ref y.Origin<T>(), ref dx.Origin<T>(), outer, n, inner);
            else Kernels.Softmax.Backward(ref g.Origin<T>(), ref y.Origin<T>(), ref dx.Origin<T>(), outer, n, inner);
        }
    }

    /// <summary>The result, and for the derivative each row's mean and 1 / deviation.</summary>
    private static Tensor[] Standardized(Tensor?[] inputs, Attributes attributes)
    {
        var x = inputs[0]!;
        Tensor? weight = inputs.Length > 1 ? inputs[1] : null, bias = inputs.Length > 2 ? inputs[2] : null;
        // Of another dtype than x the first of them is refused before their shapes are looked at (is_mixed_type in aten/src/ATen/native/cpu/mixed_data_type.h), the other one after.
        CheckDType(x, weight ?? bias);
        var normalized = NormalizedShape(attributes, x.Sizes);
        CheckAffine("weight", weight, normalized);
        CheckAffine("bias", bias, normalized);
        CheckDType(x, bias);
        var eps = attributes.Double("eps", 1e-5);
        if (!x.DType.IsFloat()) throw new AutogradException(ErrorKind.Dtype, $"\"LayerNormKernelImpl\" not implemented for '{x.DType.ScalarType()}'");
        x = Copying.Packed(x);
        weight = weight is null ? null : Copying.Packed(weight);
        bias = bias is null ? null : Copying.Packed(bias);
        var n = Shapes.Count(normalized);
        var rows = n == 0 ? 0 : x.Count / n;
        Tensor y = Tensor.Empty(x.Sizes, x.DType), mean = Tensor.Empty([rows], x.DType), rstd = Tensor.Empty([rows], x.DType);
        if (x.DType == DType.Float32) Run<float>(); else Run<double>();
        GC.KeepAlive(x);
        GC.KeepAlive(weight);
        GC.KeepAlive(bias);
        return [y, mean, rstd];

        void Run<T>()
            where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> =>
            Kernels.LayerNorm.Forward(
                ref x.Origin<T>(), ref OriginOrNull<T>(weight), ref OriginOrNull<T>(bias), ref y.Origin<T>(), ref mean.Origin<T>(), ref rstd.Origin<T>(), rows, n, eps);
    }

    private static void CheckDType(Tensor x, Tensor? other)
    {
        if (other is not null && other.DType != x.DType) throw new AutogradException(ErrorKind.Dtype, $"expected scalar type {x.DType.ScalarType()} but found {other.DType.ScalarType()}");
    }

    private static ref T OriginOrNull<T>(Tensor? tensor)
        where T : unmanaged
    {
        if (tensor is null) return ref System.Runtime.CompilerServices.Unsafe.NullRef<T>();
        return ref tensor.Origin<T>();
    }

    private static void LayerNormBackward(BackwardContext c)
    {
        if (c.Gradient(0) is not { } g) return;
        Tensor? Given(int input) => c.Node.InputCount > input ? c.InputOrNull(input) : null;
        LayerNormGradient.Pull(c, g, c.Input(0), Given(1), c.Output(1).Detach(), c.Output(2).Detach(), Given(2));
    }

    /// <summary>
    /// By the fused kernel where nothing is recorded; otherwise by recorded operators, from x itself, so that every order is right. These work on copies, so that nothing that a user could
    /// write to is kept for the third order, and no write is noticed there: by its formula, which is wrong there, PyTorch keeps other things.
    /// </summary>
    private static Tensor?[] LayerNormGradients(Tensor?[] inputs, Attributes attributes, bool[] needs)
    {
        Tensor g = inputs[0]!, x = inputs[1]!, mean = inputs[3]!, deviation = inputs[4]!;
        var weight = inputs[2];
        var normalized = NormalizedShape(attributes, x.Sizes);
        var n = Shapes.Count(normalized);
        int[] lines = [n == 0 ? 0 : x.Count / n, n];
        var rows = g.Reshape(lines);
        var fused = !GradMode.Records;
        var needsAffine = needs.Length > 1 && needs[1];
        var results = new Tensor?[3];
        if (fused && needs[0]) results[0] = FusedInput(g, x, weight, mean, deviation, n);
        if (needsAffine || (needs[0] && !fused))
        {
            var (standard, rstd) = fused ? Again(x, lines, mean, deviation) : Standard(Apart(x.Reshape(lines)), attributes.Double("eps", 1e-5));
            var h = Apart(rows);
            if (needsAffine) results[1] = Apart((h * standard).Sum(0)).UnsafeView(normalized);
            if (needs[0] && !fused)
            {
                if (weight is not null) h *= Apart(weight.Reshape([n]));
                var centred = h - h.Mean(-1, keepdim: true) - standard * (h * standard).Mean(-1, keepdim: true);
                results[0] = Apart(centred * rstd).UnsafeView(x.Sizes);
            }
        }
        if (needs.Length > 2 && needs[2]) results[2] = rows.Sum(0).UnsafeView(normalized);
        return results;

        Tensor Apart(Tensor t) => fused ? t : Copies.Apart.Apply(t);
    }

    private static (Tensor Standard, Tensor Rstd) Standard(Tensor x, double eps)
    {
        var distance = x - x.Mean(-1, keepdim: true);
        var rstd = ((distance * distance).Mean(-1, keepdim: true) + eps).Rsqrt();
        return (distance * rstd, rstd);
    }

    private static (Tensor Standard, Tensor Rstd) Again(Tensor x, int[] lines, Tensor mean, Tensor rstd)
    {
        var scale = rstd.Unsqueeze(1);
        return ((x.Reshape(lines) - mean.Unsqueeze(1)) * scale, scale);
    }

    private static Tensor FusedInput(Tensor g, Tensor x, Tensor? weight, Tensor mean, Tensor rstd, int n)
    {
        g = Copying.Packed(g);
        x = Copying.Packed(x);
        weight = weight is null ? null : Copying.Packed(weight);
        var dx = Tensor.Empty(x.Sizes, x.DType);
        if (x.DType == DType.Float32) Run<float>(); else Run<double>();
        GC.KeepAlive(g);
        GC.KeepAlive(x);
        GC.KeepAlive(weight);
        GC.KeepAlive(mean);
        GC.KeepAlive(rstd);
        return dx;

        void Run<T>()
            where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> =>
            Kernels.LayerNorm.BackwardInput(
                ref g.Origin<T>(), ref x.Origin<T>(), ref OriginOrNull<T>(weight), ref mean.Origin<T>(), ref rstd.Origin<T>(), ref dx.Origin<T>(), mean.Count, n);
    }

    private static int[] NormalizedShape(Attributes attributes, int[] shape)
    {
        var normalized = attributes.Ints("normalized_shape") ?? throw new AutogradException(ErrorKind.Value, "layer_norm() needs the attribute 'normalized_shape'");
        if (normalized.Length == 0)
        {
            throw new AutogradException(
                ErrorKind.Value, "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = []");
        }
        if (shape.Length < normalized.Length || !shape.AsSpan(shape.Length - normalized.Length).SequenceEqual(normalized))
        {
            throw new AutogradException(
                ErrorKind.Shape,
                $"Given normalized_shape={Shapes.Text(normalized)}, expected input with shape [*, {string.Join(", ", normalized)}], "
                + $"but got input of size{Shapes.Text(shape)}");
        }
        return normalized;
    }

    private static void CheckAffine(string name, Tensor? tensor, int[] normalized)
    {
        if (tensor is null || Shapes.Same(tensor.Sizes, normalized)) return;
        throw new AutogradException(
            ErrorKind.Shape,
            $"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {Shapes.Text(tensor.Sizes)} "
            + $"and normalized_shape = {Shapes.Text(normalized)}");
    }
}

public sealed partial class Tensor
{
    /// <summary>exp(x) / (the sum of exp(x) along a dimension), without overflow.</summary>
    /// <param name="dim">The dimension that sums to one, counted from either end.</param>
    /// <param name="dtype">The type to compute in.</param>
    public Tensor Softmax(int dim, DType? dtype = null) => Normalizations.Softmax.Apply(this, SoftmaxAttributes(dim, dtype));

    /// <summary>The logarithm of <see cref="Softmax"/>: x - log(the sum of exp(x) along a dimension).</summary>
    /// <inheritdoc cref="Softmax"/>
    public Tensor LogSoftmax(int dim, DType? dtype = null) => Normalizations.LogSoftmax.Apply(this, SoftmaxAttributes(dim, dtype));

    /// <summary>(x - mean) / sqrt(variance + eps), mean and variance taken over the last dimensions together, times a weight, plus a bias.</summary>
    /// <param name="normalizedShape">The sizes of those dimensions.</param>
    /// <param name="weight">Of these sizes; ones where left out.</param>
    /// <param name="bias">Of these sizes; zeros where left out.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <exception cref="AutogradException">Shapes or types do not fit.</exception>
    public Tensor LayerNorm(int[] normalizedShape, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5) =>
        Normalizations.LayerNorm.Apply([this, weight, bias], Attributes.Of("normalized_shape", normalizedShape, "eps", eps))[0];

    private static Attributes SoftmaxAttributes(int dim, DType? dtype) =>
        dtype is { } type ? Attributes.Of("dim", dim, "dtype", type.Name()) : Attributes.Of("dim", dim);
}
