using System.Numerics;
using System.Runtime.InteropServices;
using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>
/// Cross entropy of logits. As in PyTorch, where it is <c>log_softmax</c> and <c>nll_loss</c>, the derivative reads the log-probabilities, not the logits:
/// they, and how much each counts in the loss (for probabilities: mixed with their share of smoothing), are results that only the derivative sees.
/// </summary>
internal static class CrossEntropies
{
    private const Saved Kept = Saved.Input1 | Saved.Input2 | Saved.Output1 | Saved.Output2;

    public static readonly FunctionOperator CrossEntropy = new(
        "cross_entropy",
        (inputs, a) => Compute(inputs[0]!, inputs[1]!, Losses.Optional(inputs, 2), a),
        [new Rule(Kept, (_, _) => null)],
        "NllLossBackward0")
    {
        Keywords = ["reduction", "ignore_index", "label_smoothing"],
        Arity = 2,
        Visible = 1,
        BackwardAll = Backward,

        // Probabilities are mixed with their share of smoothing first, and the mixture is kept instead.
        Keeps = (inputs, a) => a.Double("label_smoothing", 0) > 0 && Shapes.Same(inputs[0]!.Sizes, inputs[1]!.Sizes) ? Kept & ~Saved.Input1 : Kept,
    };

    /// <summary>The same of log-probabilities, which PyTorch keeps although the derivative reads only what each counts.</summary>
    public static readonly FunctionOperator NllLoss = new(
        "nll_loss",
        (inputs, a) => OfLogs(inputs[0]!, inputs[1]!, Losses.Optional(inputs, 2), a),
        [
            new Rule(Saved.Input0 | Saved.Input1 | Saved.Input2 | Saved.Output1, (g, c) => NllBackward!.Apply([g, c.Input(0), c.Input(1), c.Output(1).Detach(), c.Node.InputCount > 2 ? c.InputOrNull(2) : null], c.Attributes)[0]),
            Rule.NotDifferentiable,
        ])
    { Keywords = ["reduction", "ignore_index"], Arity = 2, Visible = 1 };

    /// <summary>Minus the gradient times how much each log-probability counts. As PyTorch's it is a function of the log-probabilities too, with the derivative zero.</summary>
    private static readonly FunctionOperator NllBackward = new(
        "nll_loss_backward",
        (inputs, a) => Spread(inputs[0]!, inputs[3]!, a),
        [
            new Rule(Saved.Input2 | Saved.Input3, (h, c) => NllLoss.Apply([h, c.Input(2), c.InputOrNull(4)], c.Attributes)[0]),
            new Rule(Saved.None, (h, _) => Tensor.Zeros(h.Sizes, h.DType)),
            Rule.NotDifferentiable,
        ])
    { Keywords = ["reduction", "ignore_index"], KeepsAnyway = Saved.Input2 | Saved.Input3 | (Saved)16 };

    private readonly record struct Settings(LossReduction Reduction, int Ignored, double Smoothing)
    {
        public static Settings Of(Attributes attributes)
        {
            var settings = new Settings(Losses.ReductionOf(attributes), attributes.Int("ignore_index", -100), attributes.Double("label_smoothing", 0));
            if (settings.Smoothing is >= 0 and <= 1) return settings;
            throw new AutogradException(ErrorKind.Value, $"label_smoothing must be between 0.0 and 1.0. Got: {settings.Smoothing}");
        }
    }

    private static Tensor Spread(Tensor g, Tensor counts, Attributes attributes)
    {
        using var off = Autograd.NoGrad();
        return -((Losses.ReductionOf(attributes) == LossReduction.None ? g.Unsqueeze(ClassDim(counts.Sizes)) : g) * counts);
    }

    /// <summary>The dimension of the classes: the second, or the only one.</summary>
    private static int ClassDim(int[] shape) => shape.Length == 1 ? 0 : 1;

    private static Tensor[] Compute(Tensor x, Tensor target, Tensor? weight, Attributes attributes)
    {
        var settings = Settings.Of(attributes);
        if (x.Rank == 0) throw new AutogradException(ErrorKind.Shape, "cross_entropy: the input needs a dimension of classes");
        if (!x.DType.IsFloat()) throw new AutogradException(ErrorKind.Dtype, $"\"log_softmax_lastdim_kernel_impl\" not implemented for '{x.DType.ScalarType()}'");
        var dim = ClassDim(x.Sizes);
        var classes = x.Sizes[dim];
        CheckWeight(classes, weight);
        var logs = Normalizations.LogSoftmaxOf(Copying.Packed(x), dim);
        int[] groups = [.. x.Sizes[..dim], .. x.Sizes[(dim + 1)..]];
        if (Shapes.Same(target.Sizes, x.Sizes)) CheckProbabilities(target, settings);
        else CheckIndices(x.Sizes, groups, target);
        weight = weight is null ? null : Copying.Packed(Copying.Cast(weight, x.DType));
        return x.DType == DType.Float32
            ? Compute<float>(logs, target, weight, dim, groups, settings)
            : Compute<double>(logs, target, weight, dim, groups, settings);
    }

    private static Tensor[] OfLogs(Tensor x, Tensor target, Tensor? weight, Attributes attributes)
    {
        var settings = Settings.Of(attributes);
        if (x.Rank == 0) throw new AutogradException(ErrorKind.Shape, "Expected 1 or more dimensions (got 0)");
        var dim = ClassDim(x.Sizes);
        int[] groups = [.. x.Sizes[..dim], .. x.Sizes[(dim + 1)..]];
        CheckTarget(x.Sizes, groups, target.Sizes);
        CheckWeight(x.Sizes[dim], weight);
        if (!x.DType.IsFloat()) throw new AutogradException(ErrorKind.Dtype, $"\"nll_loss_out_frame\" not implemented for '{x.DType.ScalarType()}'");
        CheckTypes(x, target, weight);
        x = Copying.Packed(x);
        weight = weight is null ? null : Copying.Packed(weight);
        var results = x.DType == DType.Float32
            ? Compute<float>(x, target, weight, dim, groups, settings)
            : Compute<double>(x, target, weight, dim, groups, settings);
        return [results[0], results[2]];
    }

    /// <summary>PyTorch's texts depend on the rank.</summary>
    private static void CheckTarget(int[] shape, int[] groups, int[] target)
    {
        var text = shape.Length == 1 && target.Length > 0 ? $"size mismatch (got input: {Shapes.Text(shape)}, target: {Shapes.Text(target)})"
            : shape.Length > 1 && target.Length > 0 && target[0] != shape[0] ? $"Expected input batch_size ({shape[0]}) to match target batch_size ({target[0]})."
            : target.Length != groups.Length ? $"only batches of spatial targets supported (3D tensors) but got targets of dimension: {target.Length}"
            : Shapes.Same(target, groups) ? null
            : shape.Length == 4 ? $"size mismatch (got input: {Shapes.Text(shape)} , target: {Shapes.Text(target)}"
            : $"Expected target size {Shapes.Text(groups)}, got {Shapes.Text(target)}";
        if (text is not null) throw new AutogradException(ErrorKind.Shape, text);
    }

    private static void CheckWeight(int classes, Tensor? weight)
    {
        if (weight is null || (weight.Rank == 1 && weight.Sizes[0] == classes)) return;
        throw new AutogradException(
            ErrorKind.Shape,
            $"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of shape: {Shapes.Text(weight.Sizes)}");
    }

    private static void CheckTypes(Tensor x, Tensor target, Tensor? weight)
    {
        if (target.DType != DType.Int64) throw new AutogradException(ErrorKind.Dtype, $"expected scalar type Long but found {target.DType.ScalarType()}");
        if (weight is not null && weight.DType != x.DType)
            throw new AutogradException(ErrorKind.Dtype, $"expected scalar type {x.DType.ScalarType()} but found {weight.DType.ScalarType()}");
    }

    private static void CheckProbabilities(Tensor target, Settings settings)
    {
        if (!target.DType.IsFloat())
            throw new AutogradException(ErrorKind.Dtype, $"Expected floating point type for target with class probabilities, got {target.DType.ScalarType()}");
        if (settings.Ignored >= 0) throw new AutogradException(ErrorKind.Value, "ignore_index is not supported for floating point target");
    }

    private static void CheckIndices(int[] shape, int[] groups, Tensor target)
    {
        if (target.Rank != groups.Length)
        {
            throw new AutogradException(
                ErrorKind.Shape, $"Expected a target of shape {Shapes.Text(groups)} for an input of shape {Shapes.Text(shape)}, got {Shapes.Text(target.Sizes)}");
        }
        if (!Shapes.Same(target.Sizes, groups))
        {
            throw new AutogradException(
                ErrorKind.Shape,
                shape.Length == 2
                    ? $"Expected input batch_size ({shape[0]}) to match target batch_size ({target.Sizes[0]})."
                    : $"Expected target size {Shapes.Text(groups)}, got {Shapes.Text(target.Sizes)}");
        }
        if (target.DType != DType.Int64) throw new AutogradException(ErrorKind.Dtype, $"expected scalar type Long but found {target.DType.ScalarType()}");
    }

    private static Tensor[] Compute<T>(Tensor logs, Tensor target, Tensor? weight, int dim, int[] groups, Settings settings)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (outer, classes, inner) = Normalizations.Split(logs.Sizes, dim);
        var probabilities = Shapes.Same(target.Sizes, logs.Sizes);
        target = Copying.Packed(probabilities ? Copying.Cast(target, logs.DType) : target);
        var counts = Tensor.Empty(probabilities && settings.Smoothing == 0 ? [0] : logs.Sizes, logs.DType);
        var losses = Tensor.Empty(groups, logs.DType);
        var work = new Groups<T>
        {
            Classes = classes,
            Inner = inner,
            Settings = settings,
            Logs = Span<T>(logs),
            Weights = weight is null ? default : Span<T>(weight),
            Losses = Span<T>(losses),
        };
        double total, divisor;
        if (probabilities)
        {
            total = work.OfProbabilities(Span<T>(target), Span<T>(counts));
            divisor = outer * inner;
        }
        else
        {
            (total, divisor) = work.OfClasses(Span<long>(target), Span<T>(counts));
            // The target's part and what smoothing spreads are divided apart: where no class that is there weighs anything, the first is 0 / 0.
            if (settings.Reduction == LossReduction.Mean && settings.Smoothing > 0 && divisor == 0) total = double.NaN;
        }
        GC.KeepAlive(logs);
        GC.KeepAlive(target);
        GC.KeepAlive(weight);
        if (settings.Reduction == LossReduction.None) return [losses, logs, counts];
        var mean = settings.Reduction == LossReduction.Mean;
        return [Tensor.Scalar(mean ? -total / divisor : -total, logs.DType), logs, counts];
    }

    private static Span<T> Span<T>(Tensor packed)
        where T : unmanaged => packed.Count == 0 ? [] : MemoryMarshal.CreateSpan(ref packed.Origin<T>(), packed.Count);

    /// <summary>The logits' gradient goes through the log-probabilities l: of the loss it is -g times how much each counts, and under create_graph l has gradients of its own.</summary>
    private static void Backward(BackwardContext c)
    {
        var settings = Settings.Of(c.Attributes);
        var logs = c.Output(1);
        var target = c.InputOrNull(1);
        var shape = logs.Sizes;
        var dim = ClassDim(shape);
        var smoothing = settings.Smoothing > 0;
        var probabilities = target is null || Shapes.Same(target.Sizes, shape);
        var weight = c.Node.InputCount > 2 ? c.InputOrNull(2) : null;
        int[] perClass = [.. shape.Select((size, d) => d == dim ? size : 1)];
        weight = weight?.To(logs.DType).Reshape(perClass);
        var each = c.Gradient(0) is not { } g ? null : settings.Reduction switch
        {
            LossReduction.None => g.Unsqueeze(dim),
            LossReduction.Mean when probabilities => g / Tensor.Number((double)(Shapes.Count(shape) / Math.Max(1, shape[dim]))),
            _ => g,
        };
        Tensor Smoothed() => smoothing ? c.Output(2) : target!.To(logs.DType);
        Tensor? arriving = null;
        if (c.Needs(0))
        {
            if (each is not null) arriving = -(probabilities ? each * Times(Smoothed(), weight) : smoothing ? each * c.Output(2) : Counted(each, c.Output(2)));
            if (c.Gradient(1) is { } h) arriving = arriving is null ? h : arriving + h;
            if (arriving is not null) c.Set(0, Normalizations.LogSoftmaxBackward.Apply([arriving, logs], Attributes.Of("dim", dim))[0]);
        }
        if (!probabilities) return;
        if (c.Needs(1))
        {
            var slope = each is null ? null : Times(-(each * logs), weight);
            if (c.Gradient(2) is { } h) slope = slope is null ? h : slope + h;
            c.Set(1, smoothing && slope is not null ? slope * (1 - settings.Smoothing) : slope);
        }
        if (each is null) return;
        if (c.Node.InputCount > 2 && c.Needs(2))
        {
            int[] others = [.. Enumerable.Range(0, shape.Length).Where(d => d != dim)];
            var product = -(each * logs) * Smoothed();
            c.Set(2, others.Length == 0 ? product : product.Sum(others));
        }
    }

    /// <summary>Where a class does not count nothing flows, whatever arrives.</summary>
    private static Tensor Counted(Tensor each, Tensor counts) =>
        each.Rank == 0 && double.IsFinite(each.Item()) ? each * counts : Tensor.Where(counts.Eq(0), Tensor.Scalar(0, each.DType), each * counts);

    private static Tensor Times(Tensor t, Tensor? factor) => factor is null ? t : t * factor;

    /// <summary>
    /// The losses of groups of classes that lie <see cref="Inner"/> apart. Sums are taken in double precision, of the products, and then negated: they begin
    /// with -0, to which a zero of either sign can be added; nothing at all gives 0.
    /// </summary>
    private ref struct Groups<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public int Classes;
        public int Inner;
        public Settings Settings;
        public Span<T> Logs;
        public Span<T> Weights;
        public Span<T> Losses;

        /// <summary>Fills the losses; returns minus their sum.</summary>
        public readonly double OfProbabilities(Span<T> targets, Span<T> mixtures)
        {
            T kept = T.CreateTruncating(1 - Settings.Smoothing), share = T.CreateTruncating(Settings.Smoothing / Classes);
            var total = -0.0;
            for (var group = 0; group < Losses.Length; group++)
            {
                var sum = -0.0;
                var at = Start(group);
                for (var k = 0; k < Classes; k++, at += Inner)
                {
                    var count = targets[at];
                    if (Settings.Smoothing > 0) count = mixtures[at] = (count * kept) + share;
                    sum += double.CreateTruncating(Weights.IsEmpty ? count : count * Weights[k]) * double.CreateTruncating(Logs[at]);
                }
                Losses[group] = T.CreateTruncating(-sum);
                total += sum;
            }
            return total;
        }

        /// <summary>Fills the losses and how much each log-probability counts; returns minus the losses' sum, and that of the classes' weights.</summary>
        public readonly (double Total, double Weight) OfClasses(Span<long> targets, Span<T> counts)
        {
            counts.Clear();
            double total = -0.0, weight = 0;
            for (var group = 0; group < Losses.Length; group++)
            {
                var target = targets[group];
                Losses[group] = T.Zero;
                if (target == Settings.Ignored) continue;
                if (target < 0 || target >= Classes) throw new AutogradException(ErrorKind.Index, $"Target {target} is out of bounds.");
                weight += Weights.IsEmpty ? 1 : double.CreateTruncating(Weights[(int)target]);
                var sum = Settings.Smoothing > 0 ? Smoothed(group, (int)target, counts) : Plain(group, (int)target, counts);
                Losses[group] = T.CreateTruncating(-sum);
                total += sum;
            }
            if (Settings.Reduction == LossReduction.Mean) Divide(targets, counts, T.CreateTruncating(weight));
            return (total, weight);
        }

        private readonly int Start(int group) => (group / Inner * Classes * Inner) + (group % Inner);

        private readonly double Plain(int group, int target, Span<T> counts)
        {
            var at = Start(group) + (target * Inner);
            counts[at] = Weights.IsEmpty ? T.One : Weights[target];
            return double.CreateTruncating(counts[at]) * double.CreateTruncating(Logs[at]);
        }

        private readonly double Smoothed(int group, int target, Span<T> counts)
        {
            T kept = T.CreateTruncating(1 - Settings.Smoothing), share = T.CreateTruncating(Settings.Smoothing / Classes);
            var sum = -0.0;
            var at = Start(group);
            for (var k = 0; k < Classes; k++, at += Inner)
            {
                var weight = Weights.IsEmpty ? T.One : Weights[k];
                counts[at] = k == target ? (kept * weight) + (share * weight) : share * weight;
                sum += double.CreateTruncating(counts[at]) * double.CreateTruncating(Logs[at]);
            }
            return sum;
        }

        /// <summary>A mean's shares; groups that are ignored count nothing, whatever is divided by.</summary>
        private readonly void Divide(Span<long> targets, Span<T> counts, T weight)
        {
            for (var group = 0; group < targets.Length; group++)
            {
                if (targets[group] == Settings.Ignored) continue;
                var at = Start(group);
                for (var k = 0; k < Classes; k++, at += Inner) counts[at] /= weight;
            }
        }
    }
}

public sealed partial class Tensor
{
    /// <summary>The cross entropy of logits [N, C, ..] or [C], averaged over the targets (by their classes' weights, for class indices).</summary>
    /// <param name="target">Class indices without the dimension of classes, or probabilities of this tensor's shape.</param>
    /// <param name="weight">A factor for each class, [C].</param>
    /// <param name="ignoreIndex">A class index that counts for nothing.</param>
    /// <param name="reduction"><c>mean</c>, <c>sum</c> or <c>none</c>.</param>
    /// <param name="labelSmoothing">The part of each target, from 0 to 1, that is spread evenly over all classes.</param>
    /// <exception cref="AutogradException">Shapes, types, indices or numbers do not fit.</exception>
    public Tensor CrossEntropy(Tensor target, Tensor? weight = null, int ignoreIndex = -100, string reduction = "mean", double labelSmoothing = 0) =>
        CrossEntropies.CrossEntropy.Apply(
            [this, target, weight], Attributes.Of(("ignore_index", ignoreIndex), ("reduction", reduction), ("label_smoothing", labelSmoothing)))[0];

    /// <summary>Minus the log-probability of each target's class, averaged by the classes' weights. This tensor holds log-probabilities, [N, C, ..] or [C].</summary>
    /// <param name="target">Class indices without the dimension of classes.</param>
    /// <param name="weight">A factor for each class, [C].</param>
    /// <param name="ignoreIndex">A class index that counts for nothing.</param>
    /// <param name="reduction"><c>mean</c>, <c>sum</c> or <c>none</c>.</param>
    /// <exception cref="AutogradException">Shapes, types or indices do not fit.</exception>
    public Tensor NllLoss(Tensor target, Tensor? weight = null, int ignoreIndex = -100, string reduction = "mean") =>
        CrossEntropies.NllLoss.Apply([this, target, weight], Attributes.Of("ignore_index", ignoreIndex, "reduction", reduction))[0];
}
