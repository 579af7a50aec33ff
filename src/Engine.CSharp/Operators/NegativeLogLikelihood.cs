using System.Numerics;
using System.Runtime.InteropServices;
using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>The loss of log-probabilities at the classes that a target names.</summary>
internal static class NegativeLogLikelihood
{
    /// <summary>
    /// The derivative reads target and weight as they are by then, over the total of the weights as it was, a result that only the derivative sees: PyTorch's <c>total_weight</c>. Of the
    /// log-probabilities, which PyTorch keeps too, it reads the shape alone.
    /// </summary>
    private static readonly FunctionOperator OfGroups = new(
        "nll_loss",
        (inputs, a) => Compute(inputs[0]!, inputs[1]!, Losses.Optional(inputs, 2), a),
        [
            new Rule(Saved.Input0 | Saved.Input1 | Saved.Input2 | Saved.Output1, (g, c) => NllBackward!.Apply([g, c.Input(0), c.Input(1), c.Output(1).Detach(), c.Node.InputCount > 2 ? c.InputOrNull(2) : null], c.Attributes)[0]),
            Rule.NotDifferentiable,
        ])
    { Keywords = ["reduction", "ignore_index"], Arity = 2, Visible = 1, Undifferentiated = [(2, "weight")] };

    /// <summary>
    /// Of planes that are not two-dimensional PyTorch makes one line each, of a copy where they do not lie in order; the losses of each are then a view of its
    /// result (aten/src/ATen/native/LossNLL.cpp, nll_loss_nd).
    /// </summary>
    public static readonly CompositeOperator NllLoss = new("nll_loss", call =>
    {
        // PyTorch's function reads it in Python, before anything else is looked at.
        var each = Losses.ReductionOf(call.Attributes) == LossReduction.None;
        Tensor x = call.Tensor(0), target = call.Tensor(1);
        var weight = call.TensorOrNull(2);
        CheckBatch(x.Sizes, target.Sizes);
        if (x.Rank is 1 or 2 or 4) return OfGroups.Apply([x, target, weight], call.Attributes)[0];
        int[] groups = [x.Sizes[0], .. x.Sizes[2..]];
        if (target.Rank == 0) throw new AutogradException(ErrorKind.Value, "ArrayRef: invalid slice, N = 1; size = 0");
        CheckTarget(x.Sizes, groups, target.Sizes);
        Tensor Lines(Tensor t, int[] before) => t.Contiguous().View([.. before, .. t.Count == 0 ? (int[])[0, 0] : [1, -1]]);
        var y = OfGroups.Apply([Lines(x, x.Sizes[..2]), Lines(target, x.Sizes[..1]), weight], call.Attributes)[0];
        return each ? y.View(groups) : y;
    })
    { Keywords = ["reduction", "ignore_index"] };

    /// <summary>Minus the gradient times the weight of each group's class, of a mean over the total. As PyTorch's it is a function of the log-probabilities too, with the derivative zero.</summary>
    private static readonly FunctionOperator NllBackward = new(
        "nll_loss_backward",
        (inputs, a) => Spread(inputs[0]!, inputs[1]!, inputs[2]!, inputs[3]!, Losses.Optional(inputs, 4), SettingsOf(a)),
        [
            new Rule(Saved.Input2 | Saved.Input3, (h, c) => OfGroups!.Apply([h, c.Input(2), c.InputOrNull(4)], c.Attributes)[0]),
            new Rule(Saved.None, (h, _) => Tensor.Zeros(h.Sizes, h.DType)),
            Rule.NotDifferentiable,
        ])
    { Keywords = ["reduction", "ignore_index"], KeepsAnyway = Saved.Input2 | Saved.Input3 | (Saved)16 };

    private readonly record struct Settings(LossReduction Reduction, int Ignored);

    /// <summary>The dimension of the classes: the second, or the only one.</summary>
    public static int ClassDim(int[] shape) => shape.Length == 1 ? 0 : 1;

    private static Settings SettingsOf(Attributes attributes) => new(Losses.ReductionOf(attributes), attributes.Int("ignore_index", -100));

    private static Tensor Spread(Tensor g, Tensor x, Tensor target, Tensor total, Tensor? weight, Settings settings) => x.DType == DType.Float32
        ? Spread<float>(g, x.Sizes, target, total, weight, settings)
        : Spread<double>(g, x.Sizes, target, total, weight, settings);

    private static Tensor Spread<T>(Tensor g, int[] sizes, Tensor target, Tensor total, Tensor? weight, Settings settings)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        (g, target) = (Copying.Packed(g), Copying.Packed(target));
        weight = weight is null ? null : Copying.Packed(weight);
        var dx = Tensor.Zeros(sizes, total.DType);
        var (_, classes, inner) = Normalizations.Split(sizes, ClassDim(sizes));
        Span<T> arriving = Span<T>(g), weights = weight is null ? default : Span<T>(weight), result = Span<T>(dx);
        var targets = Span<long>(target);
        var each = settings.Reduction == LossReduction.None;
        var one = each ? T.Zero : settings.Reduction == LossReduction.Mean ? arriving[0] / total.Origin<T>() : arriving[0];
        for (var group = 0; group < targets.Length; group++)
        {
            if (targets[group] == settings.Ignored) continue;
            CheckClass(targets[group], classes);
            var flowing = each ? arriving[group] : one;
            result[Place(group, targets[group], classes, inner)] = -(weights.IsEmpty ? flowing : weights[(int)targets[group]] * flowing);
        }
        GC.KeepAlive(g);
        GC.KeepAlive(target);
        GC.KeepAlive(total);
        GC.KeepAlive(weight);
        GC.KeepAlive(dx);
        return dx;
    }

    private static void CheckClass(long target, int classes)
    {
        if (target < 0 || target >= classes) throw new AutogradException(ErrorKind.Index, $"Target {target} is out of bounds.");
    }

    /// <summary>The place of a group's class among log-probabilities whose classes lie <paramref name="inner"/> apart.</summary>
    private static int Place(int group, long target, int classes, int inner) => (((group / inner * classes) + (int)target) * inner) + (group % inner);

    private static Tensor[] Compute(Tensor x, Tensor target, Tensor? weight, Attributes attributes)
    {
        var settings = SettingsOf(attributes);
        var dim = ClassDim(x.Sizes);
        int[] groups = [.. x.Sizes[..dim], .. x.Sizes[(dim + 1)..]];
        CheckTarget(x.Sizes, groups, target.Sizes);
        CheckWeight(x.Rank, x.Sizes[dim], weight);
        if (!x.DType.IsFloat()) throw new AutogradException(ErrorKind.Dtype, $"\"nll_loss_out_frame\" not implemented for '{x.DType.ScalarType()}'");
        CheckTypes(x, target, weight);
        x = Copying.Packed(x);
        weight = weight is null ? null : Copying.Packed(weight);
        return x.DType == DType.Float32
            ? Compute<float>(x, target, weight, dim, groups, settings)
            : Compute<double>(x, target, weight, dim, groups, settings);
    }

    /// <summary>What PyTorch looks at before anything is recorded.</summary>
    private static void CheckBatch(int[] shape, int[] target)
    {
        if (shape.Length == 0) throw new AutogradException(ErrorKind.Shape, "Expected 1 or more dimensions (got 0)");
        // Of a target without dimensions PyTorch finds none.
        var batch = target.FirstOrDefault();
        if (shape.Length > 1 && batch != shape[0])
            throw new AutogradException(ErrorKind.Shape, $"Expected input batch_size ({shape[0]}) to match target batch_size ({batch}).");
    }

    /// <summary>PyTorch's texts depend on the rank.</summary>
    private static void CheckTarget(int[] shape, int[] groups, int[] target)
    {
        // One class of one is taken as a target without dimensions.
        if (shape is [1] && target is [1]) return;
        if (shape.Length == 2 && target.Length == 0) throw new AutogradException(ErrorKind.Index, "Dimension specified as 0 but tensor has no dimensions");
        var text = shape.Length == 1 && target.Length > 0 ? $"size mismatch (got input: {Shapes.Text(shape)}, target: {Shapes.Text(target)})"
            : target.Length != groups.Length ? $"only batches of spatial targets supported (3D tensors) but got targets of dimension: {target.Length}"
            : Shapes.Same(target, groups) ? null
            : shape.Length == 4 ? $"size mismatch (got input: {Shapes.Text(shape)} , target: {Shapes.Text(target)}"
            : $"Expected target size {Shapes.Text(groups)}, got {Shapes.Text(target)}";
        if (text is not null) throw new AutogradException(ErrorKind.Shape, text);
    }

    /// <summary>Of pictures PyTorch counts the weights, whatever their shape.</summary>
    private static void CheckWeight(int rank, int classes, Tensor? weight)
    {
        if (rank > 2 && weight is not null && weight.Count != classes)
            throw new AutogradException(ErrorKind.Value, "weight tensor should be defined either for all or no classes");
        if (weight is null || rank > 2 || (weight.Rank == 1 && weight.Sizes[0] == classes)) return;
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

    private static Tensor[] Compute<T>(Tensor logs, Tensor target, Tensor? weight, int dim, int[] groups, Settings settings)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (_, classes, inner) = Normalizations.Split(logs.Sizes, dim);
        target = Copying.Packed(target);
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
        var (sum, total) = work.Fill(Span<long>(target));
        GC.KeepAlive(logs);
        GC.KeepAlive(target);
        GC.KeepAlive(weight);
        var loss = settings.Reduction switch
        {
            LossReduction.None => losses,
            LossReduction.Sum => Tensor.Scalar(-sum, logs.DType),
            _ => Tensor.Scalar(-sum / total, logs.DType),
        };
        return [loss, Tensor.Scalar(total, logs.DType)];
    }

    private static Span<T> Span<T>(Tensor packed)
        where T : unmanaged => packed.Count == 0 ? [] : MemoryMarshal.CreateSpan(ref packed.Origin<T>(), packed.Count);

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

        /// <summary>Fills the losses; returns minus their sum, and that of the classes' weights.</summary>
        public readonly (double Sum, double Weight) Fill(Span<long> targets)
        {
            double sum = -0.0, total = 0;
            for (var group = 0; group < Losses.Length; group++)
            {
                var target = targets[group];
                Losses[group] = T.Zero;
                if (target == Settings.Ignored) continue;
                CheckClass(target, Classes);
                var weight = Weights.IsEmpty ? 1 : double.CreateTruncating(Weights[(int)target]);
                var product = weight * double.CreateTruncating(Logs[Place(group, target, Classes, Inner)]);
                Losses[group] = T.CreateTruncating(-product);
                sum += product;
                total += weight;
            }
            return (sum, total);
        }
    }
}

public sealed partial class Tensor
{
    /// <summary>Minus the log-probability of each target's class, averaged by the classes' weights. This tensor holds log-probabilities, [N, C, ..] or [C].</summary>
    /// <param name="target">Class indices without the dimension of classes.</param>
    /// <param name="weight">A factor for each class, [C].</param>
    /// <param name="ignoreIndex">A class index that counts for nothing.</param>
    /// <param name="reduction"><c>mean</c>, <c>sum</c> or <c>none</c>.</param>
    /// <exception cref="AutogradException">Shapes, types or indices do not fit.</exception>
    public Tensor NllLoss(Tensor target, Tensor? weight = null, int ignoreIndex = -100, string reduction = "mean") =>
        NegativeLogLikelihood.NllLoss.Apply([this, target, weight], Attributes.Of("ignore_index", ignoreIndex, "reduction", reduction));
}
