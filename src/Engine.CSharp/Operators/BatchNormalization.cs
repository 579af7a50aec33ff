using System.Numerics;
using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>
/// Batch normalisation. Training also moves the running statistics, which PyTorch does not count as a write: a derivative that saved them does not notice.
/// </summary>
internal static class BatchNormalization
{
    /// <summary>The sizes are looked at in Python (torch/nn/functional.py) and by what chooses the kernel, before anything is recorded.</summary>
    public static readonly CompositeOperator BatchNorm = new("batch_norm", call =>
    {
        var x = call.Tensor(0);
        Tensor? mean = call.TensorOrNull(1), variance = call.TensorOrNull(2), weight = call.TensorOrNull(3), bias = call.TensorOrNull(4);
        var training = call.Attributes.Bool("training", false);
        CheckBatch(x.Sizes, training);
        CheckVector("running_mean", mean, x.Sizes, isStatistic: true, training);
        CheckVector("running_var", variance, x.Sizes, isStatistic: true, training);
        CheckVector("weight", weight, x.Sizes, isStatistic: false, training);
        CheckVector("bias", bias, x.Sizes, isStatistic: false, training);
        if (x.Rank < 2) throw new AutogradException(ErrorKind.Index, "Dimension out of range (expected to be in range of [-1, 0], but got 1)");
        return OfChannels!.Apply([x, mean, variance, weight, bias], call.Attributes)[0];
    })
    { Keywords = ["training", "momentum", "eps"] };

    private static readonly FunctionOperator OfChannels = new(
        "batch_norm",
        Normalized,
        [new Rule(Saved.Input0 | Saved.Input1 | Saved.Input2 | Saved.Input3 | Saved.Output1 | Saved.Output2, (_, _) => null)],
        "NativeBatchNormBackward0")
    { Keywords = ["training", "momentum", "eps"], Arity = 1, Visible = 1, BackwardAll = Backward, Undifferentiated = [(1, "running_mean"), (2, "running_var")] };

    private static readonly FusedGradient Gradient = new("native_batch_norm_backward", Gradients);

    public static IEnumerable<Operator> All => [BatchNorm];

    /// <summary>Sizes as the kernels take them.</summary>
    private readonly record struct Layout(int Batch, int Channels, int Rest)
    {
        /// <summary>How many elements a channel has.</summary>
        public int Count => Batch * Rest;

        public bool IsEmpty => Count == 0 || Channels == 0;

        public static Layout Of(int[] shape) => new(shape[0], shape[1], Shapes.Count(shape.AsSpan(2)));
    }

    /// <summary>The result, and in training, for the derivative, each channel's mean and 1 / deviation.</summary>
    private static Tensor[] Normalized(Tensor?[] inputs, Attributes attributes)
    {
        var x = inputs[0]!;
        Tensor? runningMean = Optional(inputs, 1), runningVar = Optional(inputs, 2), weight = Optional(inputs, 3), bias = Optional(inputs, 4);
        var training = attributes.Bool("training", false);
        if (!x.DType.IsFloat()) throw new AutogradException(ErrorKind.Dtype, $"\"batch_norm\" not implemented for '{x.DType.ScalarType()}'");
        // That of a bias alone comes first, too (is_mixed_type in aten/src/ATen/native/cpu/mixed_data_type.h).
        CheckDType(x, weight ?? bias);
        // Of the others what is read first: in training the statistics (aten/src/ATen/native/Normalization.cpp, batch_norm_cpu_update_stats), else the bias.
        if (!training) CheckDType(x, bias);
        CheckStatistic(x, runningMean);
        CheckStatistic(x, runningVar);
        CheckDType(x, bias);

        var layout = Layout.Of(x.Sizes);
        if (layout.IsEmpty) return [Tensor.Zeros(x.Sizes, x.DType), Tensor.Zeros([layout.Channels], x.DType), Tensor.Zeros([layout.Channels], x.DType)];
        using var off = Autograd.NoGrad();
        x = Copying.Packed(x);
        Tensor mean, variance;
        if (training)
        {
            (mean, var squares) = x.DType == DType.Float32 ? Statistics<float>(x, layout) : Statistics<double>(x, layout);
            variance = squares / Count(layout.Count);
            Move(runningMean, mean, attributes);
            Move(runningVar, squares / Count(layout.Count - 1), attributes);
        }
        else
        {
            (mean, variance) = (Copying.Packed(runningMean!), Copying.Packed(runningVar!));
        }
        var eps = attributes.Double("eps", 1e-5);
        var rstd = (variance + eps).Rsqrt();
        // Where nothing varies and nothing is added PyTorch's on a CPU is 0 (InvStd in aten/src/ATen/native/Normalization.cpp).
        if (training && eps == 0) rstd = rstd.MaskedFill(variance.Eq(0), 0);
        var scale = weight is null ? rstd : Copying.Packed(rstd * weight);
        var shift = bias is null ? Tensor.Zeros([layout.Channels], x.DType) : Copying.Packed(bias);
        var y = Tensor.Empty(x.Sizes, x.DType);
        if (x.DType == DType.Float32) Run<float>(); else Run<double>();
        GC.KeepAlive(x);
        GC.KeepAlive(mean);
        GC.KeepAlive(scale);
        GC.KeepAlive(shift);
        return training ? [y, mean, rstd] : [y, Tensor.Empty([0], x.DType), Tensor.Empty([0], x.DType)];

        void Run<T>()
            where T : unmanaged, IFloatingPointIeee754<T> =>
            Kernels.BatchNorm.Apply(
                ref x.Origin<T>(), ref mean.Origin<T>(), ref scale.Origin<T>(), ref shift.Origin<T>(), ref y.Origin<T>(), layout.Batch, layout.Channels, layout.Rest);
    }

    private static (Tensor Mean, Tensor Squares) Statistics<T>(Tensor x, Layout layout)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Tensor mean = Tensor.Empty([layout.Channels], x.DType), squares = Tensor.Empty([layout.Channels], x.DType);
        Kernels.BatchNorm.Statistics(ref x.Origin<T>(), ref mean.Origin<T>(), ref squares.Origin<T>(), layout.Batch, layout.Channels, layout.Rest);
        return (mean, squares);
    }

    /// <summary>Writes without counting it.</summary>
    private static void Move(Tensor? running, Tensor now, Attributes attributes)
    {
        if (running is null) return;
        var momentum = attributes.Double("momentum", 0.1);
        Copying.Copy(now * momentum + running * (1 - momentum), running);
    }

    private static void Backward(BackwardContext c)
    {
        if (c.Gradient(0) is not { } g) return;
        var weight = Kept(3);
        var training = c.Attributes.Bool("training", false);
        // What evaluation normalised with is read now, as PyTorch does.
        // In training it keeps the running statistics all the same.
        if (training) Gradient.Pull(c, g, c.Input(0), weight, c.Output(1).Detach(), c.Output(2).Detach(), Kept(1), Kept(2));
        else Gradient.Pull(c, g, c.Input(0), weight, c.Input(1), c.Input(2));

        Tensor? Kept(int input) => input < c.Node.InputCount ? c.InputOrNull(input) : null;
    }

    /// <summary>
    /// By the fused kernels where nothing is recorded; otherwise by recorded operators, from x itself, so that every order is right. These work on copies, as layer_norm's do.
    /// </summary>
    private static Tensor?[] Gradients(Tensor?[] inputs, Attributes attributes, bool[] needs)
    {
        Tensor g = inputs[0]!, x = inputs[1]!;
        var weight = inputs[2];
        var layout = Layout.Of(x.Sizes);
        bool toWeight = needs.Length > 3 && needs[3], toBias = needs.Length > 4 && needs[4];
        var training = attributes.Bool("training", false);
        var eps = attributes.Double("eps", 1e-5);
        var results = new Tensor?[5];
        if (layout.IsEmpty) OfNothing();
        else if (GradMode.Records) Recorded();
        else Fused();
        return results;

        // Nothing is normalised: PyTorch then multiplies by the weight alone, and hands on what arrives where there is none.
        void OfNothing()
        {
            var gradients = Lines(Copies.Apart.Apply(g), layout);
            if (needs[0]) results[0] = weight is null ? g : (gradients * Copies.Apart.Apply(weight).Unsqueeze(1)).Reshape(x.Sizes);
            if (toWeight) results[3] = gradients.Sum(1);
            if (toBias) results[4] = Lines(g, layout).Sum(1);
        }

        void Fused()
        {
            g = Copying.Packed(g);
            x = Copying.Packed(x);
            var mean = training ? inputs[3]! : Copying.Packed(inputs[3]!);
            var rstd = training ? inputs[4]! : (inputs[4]! + eps).Rsqrt();
            var scale = weight is null ? rstd : Copying.Packed(rstd * weight);
            var (sum, product) = training || toWeight || toBias ? Sums(g, x, mean, layout) : default;
            if (needs[0]) results[0] = training ? Projected(g, x, mean, sum / Count(layout.Count), product * rstd * rstd / Count(layout.Count), scale, layout) : g * OverChannels(scale, x.Rank);
            if (toWeight) results[3] = product * rstd;
            if (toBias) results[4] = sum;
        }

        void Recorded()
        {
            // What comes back through these copies is no view, as PyTorch's is none.
            var lines = Lines(Copies.Apart.Apply(x), layout);
            var arrived = Lines(g, layout);
            var gradients = Lines(Copies.Apart.Apply(g), layout);
            var mean = training ? lines.Mean(1, keepdim: true) : inputs[3]!.Unsqueeze(1);
            var distance = lines - mean;
            var variance = training ? (distance * distance).Mean(1, keepdim: true) : inputs[4]!.Unsqueeze(1);
            var rstd = training && eps == 0 ? UnlessFlat(variance, inputs[4]!.Eq(0).Unsqueeze(1)) : (variance + eps).Rsqrt();
            var standard = distance * rstd;
            if (needs[0])
            {
                var scale = weight is null ? rstd : rstd * Copies.Apart.Apply(weight).Unsqueeze(1);
                var centred = training ? gradients - gradients.Mean(1, keepdim: true) - standard * (gradients * standard).Mean(1, keepdim: true) : gradients;
                results[0] = Copies.Apart.Apply(centred * scale).Reshape([layout.Channels, layout.Batch, layout.Rest]).Transpose(0, 1).Reshape(x.Sizes);
            }
            if (toWeight) results[3] = Copies.Apart.Apply((gradients * standard).Sum(1));
            if (toBias) results[4] = arrived.Sum(1);
        }
    }

    /// <summary>1 / sqrt(variance), and 0 where nothing varies: there its derivative is 0 too.</summary>
    private static Tensor UnlessFlat(Tensor variance, Tensor flat) => (variance + flat.To(variance.DType)).Rsqrt().MaskedFill(flat, 0);

    /// <summary>Each channel as a row.</summary>
    private static Tensor Lines(Tensor x, Layout layout) =>
        x.Reshape([layout.Batch, layout.Channels, layout.Rest]).Transpose(0, 1).Reshape([layout.Channels, layout.Count]);

    private static Tensor OverChannels(Tensor vector, int rank) => vector.Reshape([-1, .. Enumerable.Repeat(1, rank - 2)]);

    private static (Tensor Sum, Tensor Product) Sums(Tensor g, Tensor x, Tensor mean, Layout layout)
    {
        Tensor sum = Tensor.Empty([layout.Channels], x.DType), product = Tensor.Empty([layout.Channels], x.DType);
        if (x.DType == DType.Float32) Run<float>(); else Run<double>();
        GC.KeepAlive(g);
        GC.KeepAlive(x);
        GC.KeepAlive(mean);
        return (sum, product);

        void Run<T>()
            where T : unmanaged, IFloatingPointIeee754<T> =>
            Kernels.BatchNorm.Sums(
                ref g.Origin<T>(), ref x.Origin<T>(), ref mean.Origin<T>(), ref sum.Origin<T>(), ref product.Origin<T>(), layout.Batch, layout.Channels, layout.Rest);
    }

    private static Tensor Projected(Tensor g, Tensor x, Tensor mean, Tensor a, Tensor b, Tensor scale, Layout layout)
    {
        var dx = Tensor.Empty(x.Sizes, x.DType);
        if (x.DType == DType.Float32) Run<float>(); else Run<double>();
        GC.KeepAlive(g);
        GC.KeepAlive(x);
        GC.KeepAlive(mean);
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(scale);
        return dx;

        void Run<T>()
            where T : unmanaged, IFloatingPointIeee754<T> =>
            Kernels.BatchNorm.BackwardInput(
                ref g.Origin<T>(), ref x.Origin<T>(), ref mean.Origin<T>(), ref a.Origin<T>(), ref b.Origin<T>(), ref scale.Origin<T>(), ref dx.Origin<T>(),
                layout.Batch, layout.Channels, layout.Rest);
    }

    private static Tensor? Optional(Tensor?[] inputs, int index) => index < inputs.Length ? inputs[index] : null;

    private static Tensor Count(int count) => Tensor.Number((double)count);

    private static void CheckBatch(int[] shape, bool training)
    {
        if (!training) return;
        if (shape.Length == 0) throw new AutogradException(ErrorKind.Index, "tuple index out of range");
        var count = shape.Length < 2 ? shape[0] : Layout.Of(shape).Count;
        if (count == 1)
            throw new AutogradException(ErrorKind.Value, $"Expected more than 1 value per channel when training, got input size torch.Size({Shapes.Text(shape)})");
    }

    private static void CheckVector(string name, Tensor? vector, int[] shape, bool isStatistic, bool training)
    {
        var channels = shape.Length < 2 ? 0 : shape[1];
        if (vector is null)
        {
            if (isStatistic && !training) throw new AutogradException(ErrorKind.Value, $"{name} must be defined in evaluation mode");
            return;
        }
        if (vector.Count != channels) throw new AutogradException(ErrorKind.Shape, $"{name} should contain {channels} elements not {vector.Count}");
        if (vector.Rank != 1 && !isStatistic) throw new AutogradException(ErrorKind.Unsupported, $"batch_norm with a {name} that is no vector");
    }

    /// <summary>That the statistics are vectors is for the kernel to ask.</summary>
    private static void CheckStatistic(Tensor x, Tensor? statistic)
    {
        if (statistic is not null && statistic.Rank != 1) throw new AutogradException(ErrorKind.Shape, $"TensorAccessor expected 1 dims but tensor has {statistic.Rank}");
        CheckDType(x, statistic);
    }

    private static void CheckDType(Tensor x, Tensor? vector)
    {
        if (vector is not null && vector.DType != x.DType) throw new AutogradException(ErrorKind.Dtype, "mixed dtype (CPU): all inputs must share same datatype.");
    }
}

public sealed partial class Tensor
{
    /// <summary>
    /// (x - mean) / sqrt(variance + eps) for each channel of [N, C, ..], times a weight, plus a bias. In training mean and variance are those of the batch, and the running
    /// statistics are moved towards them (the variance divided by n - 1); otherwise they are the running statistics. In PyTorch's order of arguments.
    /// </summary>
    /// <param name="runningMean">[C]; needed where not training. Written to in training, without a new version; has no derivative.</param>
    /// <param name="runningVar">[C], as the mean.</param>
    /// <param name="weight">[C]; ones where left out.</param>
    /// <param name="bias">[C]; zeros where left out.</param>
    /// <param name="training">Whether to normalise by the batch.</param>
    /// <param name="momentum">How much of this batch's statistics goes into the running ones.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <exception cref="AutogradException">Shapes or types do not fit, or a channel has one value in training.</exception>
    public Tensor BatchNorm(
        Tensor? runningMean, Tensor? runningVar, Tensor? weight = null, Tensor? bias = null, bool training = false, double momentum = 0.1, double eps = 1e-5) =>
        BatchNormalization.BatchNorm.Apply(
            [this, runningMean, runningVar, weight, bias], Attributes.Of(("training", training), ("momentum", momentum), ("eps", eps)));
}
