using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// What tells a prediction how far it is from its target. Its <c>Forward</c> takes both; the result is one number, or with the reduction <c>none</c> one for
/// each prediction.
/// </summary>
public abstract class Loss : Module
{
    private protected Loss(string reduction)
    {
        if (reduction is not ("mean" or "sum" or "none")) throw new ArgumentException($"{reduction} is not a valid value for reduction; mean, sum and none are");
        Reduction = reduction;
    }

    /// <summary>How the losses of a batch become one: <c>mean</c>, <c>sum</c>, or <c>none</c> where they stay apart.</summary>
    public string Reduction { get; }

    /// <summary>The loss of a prediction.</summary>
    /// <param name="input">What a model gives.</param>
    /// <param name="target">What it should have given; of which shape and type, the class says.</param>
    /// <returns>One number, or with the reduction <c>none</c> one for each prediction.</returns>
    public abstract Tensor Forward(Tensor input, Tensor target);
}

/// <summary>The cross entropy of logits [N, C, ..] or [C], against class indices (int64, without the dimension of classes) or probabilities of the logits' shape.</summary>
public sealed class CrossEntropyLoss : Loss
{
    private readonly ModuleBuffer? weight;
    private readonly int ignoreIndex;
    private readonly double labelSmoothing;

    /// <summary>A loss.</summary>
    /// <param name="weight">A factor for each class, [C]; the mean is then weighted.</param>
    /// <param name="ignoreIndex">A class index that counts for nothing.</param>
    /// <param name="reduction"><c>mean</c>, <c>sum</c> or <c>none</c>.</param>
    /// <param name="labelSmoothing">The part of each target, from 0 to 1, that is spread evenly over all classes.</param>
    public CrossEntropyLoss(Tensor? weight = null, int ignoreIndex = -100, string reduction = "mean", double labelSmoothing = 0)
        : base(reduction)
    {
        this.weight = weight is null ? null : new ModuleBuffer(weight);
        this.ignoreIndex = ignoreIndex;
        this.labelSmoothing = labelSmoothing;
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input, Tensor target) => input.CrossEntropy(target, weight?.Value, ignoreIndex, Reduction, labelSmoothing);
}

/// <summary>The binary cross entropy of logits, any shape, against probabilities of the same shape.</summary>
public sealed class BCEWithLogitsLoss : Loss
{
    private readonly ModuleBuffer? weight;
    private readonly ModuleBuffer? posWeight;

    /// <summary>A loss.</summary>
    /// <param name="weight">A factor, broadcast over the losses.</param>
    /// <param name="reduction"><c>mean</c>, <c>sum</c> or <c>none</c>.</param>
    /// <param name="posWeight">A factor for the part of targets that are one, broadcast over the losses.</param>
    public BCEWithLogitsLoss(Tensor? weight = null, string reduction = "mean", Tensor? posWeight = null)
        : base(reduction)
    {
        this.weight = weight is null ? null : new ModuleBuffer(weight);
        this.posWeight = posWeight is null ? null : new ModuleBuffer(posWeight);
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input, Tensor target) => input.BinaryCrossEntropyWithLogits(target, weight?.Value, posWeight?.Value, Reduction);
}

/// <summary>The squared difference.</summary>
/// <param name="reduction"><c>mean</c>, <c>sum</c> or <c>none</c>.</param>
public sealed class MSELoss(string reduction = "mean") : Loss(reduction)
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor input, Tensor target) => input.MseLoss(target, Reduction);
}

/// <summary>The absolute difference; its derivative is 0 where they are equal.</summary>
/// <param name="reduction"><c>mean</c>, <c>sum</c> or <c>none</c>.</param>
public sealed class L1Loss(string reduction = "mean") : Loss(reduction)
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor input, Tensor target) => input.L1Loss(target, Reduction);
}
