namespace Verified.Engine;

/// <summary>
/// Cross entropy of logits, composed as PyTorch composes it (aten/src/ATen/native/LossNLL.cpp): of <c>log_softmax</c> and <c>nll_loss</c> for class
/// indices, of <c>log_softmax</c> and products for class probabilities.
/// </summary>
internal static class CrossEntropies
{
    public static readonly CompositeOperator CrossEntropy = new("cross_entropy", call => Compose(call.Tensor(0), call.Tensor(1), call.TensorOrNull(2), call.Attributes))
    { Keywords = ["reduction", "ignore_index", "label_smoothing"] };

    private static Tensor Compose(Tensor x, Tensor target, Tensor? weight, Attributes attributes)
    {
        var reduction = Losses.ReductionOf(attributes);
        var ignored = attributes.Int("ignore_index", -100);
        return Shapes.Same(target.Sizes, x.Sizes)
            ? OfProbabilities(x, target, weight, reduction, ignored, attributes)
            : OfClasses(x, target, weight, reduction, ignored, attributes);
    }

    private static Tensor OfProbabilities(Tensor x, Tensor target, Tensor? weight, LossReduction reduction, int ignored, Attributes attributes)
    {
        if (!target.DType.IsFloat())
            throw new AutogradException(ErrorKind.Dtype, $"Expected floating point type for target with class probabilities, got {target.DType.ScalarType()}");
        if (ignored >= 0) throw new AutogradException(ErrorKind.Value, "ignore_index is not supported for floating point target");
        if (x.Rank == 0) throw new AutogradException(ErrorKind.Index, "Dimension specified as 1 but tensor has no dimensions");
        var dim = NegativeLogLikelihood.ClassDim(x.Sizes);
        var classes = x.Sizes[dim];
        if (weight is not null && (weight.Rank != 1 || weight.Count != classes))
        {
            throw new AutogradException(
                ErrorKind.Shape,
                $"cross_entropy: weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of shape: {Shapes.Text(weight.Sizes)}");
        }
        var logs = x.LogSoftmax(dim);
        var smoothing = Smoothing(attributes);
        if (smoothing > 0) target = (target * (1 - smoothing)) + (smoothing / classes);
        var losses = Weighted(logs * target, weight, dim);
        return reduction switch
        {
            LossReduction.None => -losses.Sum(dim),
            LossReduction.Sum => -losses.Sum(),
            _ => x.Count == 0 ? -losses.Sum().FillInPlace(double.NaN) : -losses.Sum() / Tensor.Number((double)(x.Count / classes)),
        };
    }

    private static Tensor OfClasses(Tensor x, Tensor target, Tensor? weight, LossReduction reduction, int ignored, Attributes attributes)
    {
        var smoothing = Smoothing(attributes);
        var dim = NegativeLogLikelihood.ClassDim(x.Sizes);
        var logs = x.LogSoftmax(dim);
        var loss = NegativeLogLikelihood.NllLoss.Apply([logs, target, weight], Attributes.Of("reduction", attributes.Text("reduction", "mean"), "ignore_index", ignored));
        if (smoothing > 0 && weight is { Rank: 0 }) throw new AutogradException(ErrorKind.Index, "Dimension specified as 0 but tensor has no dimensions");
        return smoothing == 0 ? loss : (loss * (1 - smoothing)) + (Spread(logs, target, weight, reduction, ignored, dim) * (smoothing / logs.Sizes[dim]));
    }

    /// <summary>What the smoothing spreads over all classes, averaged as <c>nll_loss</c> averages.</summary>
    private static Tensor Spread(Tensor logs, Tensor target, Tensor? weight, LossReduction reduction, int ignored, int dim)
    {
        var mask = target.Eq(ignored);
        var losses = (-Weighted(logs, weight, dim).Sum(dim)).MaskedFill(mask, 0);
        if (reduction == LossReduction.None) return losses;
        var sum = losses.Sum();
        if (reduction == LossReduction.Sum) return sum;
        if (weight is null) return sum / target.Ne(ignored).Sum();
        // An ignored target names no class; any will do, since it counts for nothing.
        var weights = weight.Gather(0, target.MaskedFill(mask, 0).Reshape([-1])).Reshape(target.Sizes);
        return sum / weights.MaskedFill(mask, 0).Sum();
    }

    /// <summary>Times one factor for each class.</summary>
    private static Tensor Weighted(Tensor t, Tensor? weight, int dim)
    {
        if (weight is null) return t;
        return t.Rank == 1 ? t * weight : t * weight.View([.. t.Sizes.Select((_, k) => k == dim ? weight.Sizes[0] : 1)]);
    }

    private static double Smoothing(Attributes attributes)
    {
        var smoothing = attributes.Double("label_smoothing", 0);
        if (smoothing is >= 0 and <= 1) return smoothing;
        throw new AutogradException(ErrorKind.Value, $"label_smoothing must be between 0.0 and 1.0. Got: {smoothing}");
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
            [this, target, weight], Attributes.Of(("ignore_index", ignoreIndex), ("reduction", reduction), ("label_smoothing", labelSmoothing)));
}
