using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>How a loss becomes one number.</summary>
internal enum LossReduction
{
    /// <summary>Divided by the number of losses (for class indices: of their weights).</summary>
    Mean,

    /// <summary>Added up.</summary>
    Sum,

    /// <summary>Left as they are.</summary>
    None,
}

/// <summary>Pointwise losses with their reductions; <c>cross_entropy</c> has a file of its own.</summary>
internal static class Losses
{
    public static readonly FunctionOperator MseLoss = new(
        "mse_loss",
        (inputs, a) => SquaredDistance(inputs[0]!, inputs[1]!, a),
        OfDistance("mse_loss_backward", (g, d, a) => d * 2 * Each(g, a, d.Sizes)))
    { Keywords = ["reduction"], Arity = 2 };

    /// <summary>Distances, as PyTorch composes them: a write to an argument is no error.</summary>
    public static readonly CompositeOperator L1Loss = new(
        "l1_loss",
        call => Distance(call.Tensor(0), call.Tensor(1), ReductionOf(call.Attributes)))
    { Keywords = ["reduction"] };

    /// <summary>-log(1 + exp(-x)) without overflow.</summary>
    public static readonly UnaryOperator LogSigmoid = new(
        "logsigmoid",
        (x, _, into) => Elementwise.Unary(Elementwise.Unary(Copying.Packed(RequireFloat(x, "log_sigmoid_cpu")), null, new Op.Neg<float>(), new Op.Neg<double>()), into, new MinusSoftplus<float>(), new MinusSoftplus<double>()),
        new Rule(Saved.Input0, (g, c) => LogSigmoidGradient!.Of(c, g, c.Input(0))),
        "LogSigmoidBackward0")
    { HasInPlaceTwin = false };

    private static readonly FusedGradient LogSigmoidGradient = new("log_sigmoid_backward", (inputs, _) => inputs[0]! * (-inputs[1]!).Sigmoid());

    /// <summary>A square up to beta, a line beyond; with a beta of 0 it is the distance, as PyTorch has it.</summary>
    public static readonly CompositeOperator SmoothL1Loss = new(
        "smooth_l1_loss",
        call =>
        {
            var beta = call.Attributes.Double("beta", 1);
            if (beta < 0) throw new AutogradException(ErrorKind.Value, "smooth_l1_loss does not support negative values for beta.");
            return beta == 0
                ? Distance(call.Tensor(0), call.Tensor(1), ReductionOf(call.Attributes))
                : Smooth!.Apply([call.Tensor(0), call.Tensor(1)], call.Attributes)[0];
        })
    { Keywords = ["reduction", "beta"] };

    private static readonly FunctionOperator Smooth = Rounded("smooth_l1_loss", "smooth_l1_cpu", a => (a.Double("beta", 1), a.Double("beta", 1)));

    public static readonly FunctionOperator HuberLoss = Rounded("huber_loss", "huber_cpu", a => (Delta(a), 1));

    /// <summary>Weight and pos_weight have no derivative.</summary>
    public static readonly FunctionOperator BinaryCrossEntropyWithLogits = new(
        "binary_cross_entropy_with_logits",
        (inputs, a) => BinaryCrossEntropy(inputs[0]!, inputs[1]!, Optional(inputs, 2), Optional(inputs, 3), a),
        [
            new Rule(All4, (g, c) =>
            {
                Tensor x = c.Input(0), t = c.Input(1);
                var slope = PosWeight(c) is { } p ? (p * t + 1.0 - t) * x.Sigmoid() - p * t : x.Sigmoid() - t;
                return slope * Weighted(g, c);
            }),
            new Rule(All4, (g, c) =>
            {
                var x = c.Input(0);
                var slope = PosWeight(c) is { } p ? LogSigmoid.Apply(-x) - p * LogSigmoid.Apply(x) : -x;
                return slope * Weighted(g, c);
            }),
            Rule.NotDifferentiable,
        ])
    { Keywords = ["reduction"], Arity = 2 };

    private const Saved All4 = Saved.Input0 | Saved.Input1 | Saved.Input2 | Saved.Input3;

    public static IEnumerable<Operator> All => [MseLoss, L1Loss, SmoothL1Loss, HuberLoss, LogSigmoid, BinaryCrossEntropyWithLogits, CrossEntropies.CrossEntropy, CrossEntropies.NllLoss];

    /// <summary>The reduction that a call names.</summary>
    public static LossReduction ReductionOf(Attributes attributes) => attributes.Text("reduction", "mean") switch
    {
        "mean" => LossReduction.Mean,
        "sum" => LossReduction.Sum,
        "none" => LossReduction.None,
        var other => throw new AutogradException(ErrorKind.Value, $"{other} is not a valid value for reduction"),
    };

    /// <summary>An input that may have been left out.</summary>
    public static Tensor? Optional(Tensor?[] inputs, int index) => index < inputs.Length ? inputs[index] : null;

    private static Tensor Reduced(Tensor losses, Attributes attributes)
    {
        var reduction = ReductionOf(attributes);
        if (reduction == LossReduction.None) return losses;
        var sum = Reducing.Run(losses, Shapes.ReducedDims(null, losses.Rank), keepdim: false, new Reduce.Sum<float>(), new Reduce.Sum<double>());
        return reduction == LossReduction.Sum
            ? sum
            : Elementwise.Binary(sum, Tensor.Number((double)losses.Count), sum, new Op.Div<float>(), new Op.Div<double>());
    }

    /// <summary>The gradient of each loss of this shape.</summary>
    private static Tensor Each(Tensor g, Attributes attributes, int[] shape) => ReductionOf(attributes) switch
    {
        LossReduction.Mean => (g / Tensor.Number((double)Shapes.Count(shape))).Expand(shape),
        LossReduction.Sum => g.Expand(shape),
        _ => g,
    };

    private static double Delta(Attributes attributes) => attributes.Double("delta", 1) is var delta and > 0
        ? delta
        : throw new AutogradException(ErrorKind.Value, "huber_loss does not support non-positive values for delta.");

    private static Tensor RequireFloat(Tensor x, string kernel) =>
        x.DType.IsFloat() ? x : throw new AutogradException(ErrorKind.Dtype, $"\"{kernel}\" not implemented for '{x.DType.ScalarType()}'");

    /// <summary>
    /// A loss of the distance d: d d / 2 up to a knee, a line beyond, all over a scale. At the knee the slope is the line's, and its derivative 0.
    /// </summary>
    private static FunctionOperator Rounded(string name, string kernel, Func<Attributes, (double Knee, double Scale)> shapeOf)
    {
        return new(
            name,
            (inputs, a) =>
            {
                Tensor x = inputs[0]!, target = inputs[1]!;
                _ = Shapes.Broadcast(x.Sizes, target.Sizes);
                _ = ReductionOf(a);
                (x, target) = Alike(x, target);
                var (knee, scale) = shapeOf(a);
                if (!DTypes.Promote(x, target).IsFloat())
                    throw new AutogradException(ErrorKind.Dtype, $"\"{kernel}\" not implemented for '{DTypes.Promote(x, target).ScalarType()}'");
                return Reduced(Elementwise.Binary(x, target, null, new RoundedDistance<float>((float)knee, (float)scale), new RoundedDistance<double>(knee, scale)), a);
            },
            OfDistance(name + "_backward", Slope))
        { Keywords = ["reduction", "beta", "delta"], Arity = 2 };

        Tensor Slope(Tensor g, Tensor d, Attributes a)
        {
            var (knee, scale) = shapeOf(a);
            var line = scale == knee ? d.Sign() : d.Sign() * knee;
            var curve = scale == 1 ? d : d / scale;
            return Each(g, a, d.Sizes) * Tensor.Where(d.Abs().Ge(knee), line, curve);
        }
    }

    /// <summary>The mean (or sum) of |a - b|.</summary>
    public static Tensor Distance(Tensor a, Tensor b, LossReduction reduction)
    {
        (a, b) = Alike(a, b);
        var distances = (a - b).Abs();
        return reduction switch
        {
            LossReduction.Mean => distances.Mean(),
            LossReduction.Sum => distances.Sum(),
            _ => distances,
        };
    }

    /// <summary>PyTorch expands input and target first, so that one without dimensions counts like any other in the result's type.</summary>
    private static (Tensor A, Tensor B) Alike(Tensor a, Tensor b)
    {
        if (a.DType == b.DType || (a.Rank == 0) == (b.Rank == 0)) return (a, b);
        var dtype = DTypes.Max(a.DType, b.DType);
        return (a.To(dtype), b.To(dtype));
    }

    /// <summary>The derivatives of a function of the distance from the target, each a node of its own.</summary>
    private static Rule[] OfDistance(string name, Func<Tensor, Tensor, Attributes, Tensor> slope)
    {
        FusedGradient toInput = new(name, (inputs, a) => slope(inputs[0]!, Difference(inputs), a));
        FusedGradient toTarget = new(name, (inputs, a) => -slope(inputs[0]!, Difference(inputs), a));
        return
        [
            new Rule(Saved.Input0 | Saved.Input1, (g, c) => toInput.Of(c, g, c.Input(0), c.Input(1))),
            new Rule(Saved.Input0 | Saved.Input1, (g, c) => toTarget.Of(c, g, c.Input(0), c.Input(1))),
        ];

        static Tensor Difference(Tensor?[] inputs)
        {
            var (a, b) = Alike(inputs[1]!, inputs[2]!);
            return a - b;
        }
    }

    private static Tensor SquaredDistance(Tensor a, Tensor b, Attributes attributes)
    {
        _ = ReductionOf(attributes);
        _ = Shapes.Broadcast(a.Sizes, b.Sizes);
        (a, b) = Alike(a, b);
        var dtype = DTypes.Promote(a, b);
        if (!dtype.IsFloat()) throw new AutogradException(ErrorKind.Dtype, $"\"mse_cpu\" not implemented for '{dtype.ScalarType()}'");
        return Reduced(Elementwise.Binary(a, b, null, new SquaredDifference<float>(), new SquaredDifference<double>()), attributes);
    }

    private static Tensor? PosWeight(BackwardContext c) => c.Node.InputCount > 3 ? c.InputOrNull(3) : null;

    private static Tensor Weighted(Tensor g, BackwardContext c)
    {
        var weight = c.Node.InputCount > 2 ? c.InputOrNull(2) : null;
        var shape = c.Input(0).Sizes;
        if (weight is not null) shape = Shapes.Broadcast(shape, weight.Sizes);
        if (PosWeight(c) is { } p) shape = Shapes.Broadcast(shape, p.Sizes);
        g = Each(g, c.Attributes, shape);
        return weight is null ? g : g * weight;
    }

    private static Tensor BinaryCrossEntropy(Tensor x, Tensor t, Tensor? weight, Tensor? posWeight, Attributes attributes)
    {
        _ = ReductionOf(attributes);
        if (!Shapes.Same(x.Sizes, t.Sizes))
        {
            throw new AutogradException(
                ErrorKind.Shape, $"Target size (torch.Size({Shapes.Text(t.Sizes)})) must be the same as input size (torch.Size({Shapes.Text(x.Sizes)}))");
        }
        using var off = Autograd.NoGrad();
        var losses = Pointwise(x, t, weight, posWeight);
        // The weights are multiplied in place.
        InPlaceChecks.Shape(x, losses.Sizes);
        // Operands of several types: all of it in the widest.
        var dtype = losses.DType;
        if (x.DType != dtype || t.DType != dtype || (posWeight is not null && posWeight.DType != dtype))
            losses = Pointwise(Copying.Cast(x, dtype), Copying.Cast(t, dtype), weight, posWeight is null ? null : Copying.Cast(posWeight, dtype));
        if (!x.DType.IsFloat() && !t.DType.IsFloat() && weight?.DType.IsFloat() != true && posWeight?.DType.IsFloat() != true)
            throw new AutogradException(ErrorKind.Dtype, $"\"log_sigmoid_cpu\" not implemented for '{DTypes.Promote(x, t).ScalarType()}'");
        return Reduced(losses, attributes);
    }

    private static Tensor Pointwise(Tensor x, Tensor t, Tensor? weight, Tensor? posWeight)
    {
        var losses = posWeight is null
            ? Elementwise.Binary(x, t, null, new Op.BceWithLogits<float>(), new Op.BceWithLogits<double>())
            : (1.0 - t) * x - ((posWeight - 1.0) * t + 1.0) * LogSigmoid.Apply(x);
        return weight is null ? losses : losses * weight;
    }

    private readonly struct SquaredDifference<T> : IBinary<T>
        where T : unmanaged
    {
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T>
        {
            var distance = x - y;
            return distance * distance;
        }
    }

    private readonly struct RoundedDistance<T>(T knee, T scale) : IBinary<T>
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T>
        {
            var half = V.Create(T.CreateTruncating(0.5));
            var d = x - y;
            var size = V.Abs(d);
            var square = half * d * d / V.Create(scale);
            var line = (size - (half * V.Create(knee))) * V.Create(knee / scale);
            return V.Select(V.LessOrEqual(V.Create(knee), size), line, square);
        }
    }

    /// <summary>-log(1 + exp(x)), without a threshold.</summary>
    private readonly struct MinusSoftplus<T> : IUnary<T>, IWide1
        where T : unmanaged
    {
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> => V.Wide(this, x);

        public V Invoke<V, P>(V x)
            where V : struct, ISimd<V, double>
            where P : struct, IPrecision => V.Create(0.0) - Core.Softplus<V, P>(x);
    }
}

public sealed partial class Tensor
{
    /// <summary>The squared distance to a target that broadcasts.</summary>
    /// <param name="target">What is wished for.</param>
    /// <param name="reduction"><c>mean</c>, <c>sum</c> or <c>none</c>.</param>
    public Tensor MseLoss(Tensor target, string reduction = "mean") => Losses.MseLoss.Apply([this, target], Attributes.Of("reduction", reduction))[0];

    /// <summary>The absolute distances from a target, broadcast; their derivative where they are 0 is 0.</summary>
    /// <param name="target">Of a shape that broadcasts with this tensor's.</param>
    /// <param name="reduction"><c>mean</c>, <c>sum</c> or <c>none</c>.</param>
    /// <exception cref="AutogradException">The shapes do not broadcast, or the reduction is none of these.</exception>
    public Tensor L1Loss(Tensor target, string reduction = "mean") =>
        Losses.Distance(this, target, Losses.ReductionOf(Attributes.Of("reduction", reduction)));

    /// <summary>The distances d from a target, broadcast: d d / (2 beta) up to beta, beyond it |d| - beta / 2.</summary>
    /// <param name="target">Of a shape that broadcasts with this tensor's.</param>
    /// <param name="reduction"><c>mean</c>, <c>sum</c> or <c>none</c>.</param>
    /// <param name="beta">Where the square ends; with 0 this is <see cref="L1Loss"/>.</param>
    /// <exception cref="AutogradException">The shapes do not broadcast, or the reduction or beta is none of these.</exception>
    public Tensor SmoothL1Loss(Tensor target, string reduction = "mean", double beta = 1) =>
        Losses.SmoothL1Loss.Invoke(new OperatorCall([this, target], Attributes.Of("reduction", reduction, "beta", beta)))[0];

    /// <summary>The distances d from a target, broadcast: d d / 2 up to delta, beyond it delta (|d| - delta / 2).</summary>
    /// <param name="target">Of a shape that broadcasts with this tensor's.</param>
    /// <param name="reduction"><c>mean</c>, <c>sum</c> or <c>none</c>.</param>
    /// <param name="delta">Where the square ends; above 0.</param>
    /// <exception cref="AutogradException">The shapes do not broadcast, or the reduction or delta is none of these.</exception>
    public Tensor HuberLoss(Tensor target, string reduction = "mean", double delta = 1) =>
        Losses.HuberLoss.Apply([this, target], Attributes.Of("reduction", reduction, "delta", delta))[0];

    /// <summary>log(sigmoid(x)), without overflow.</summary>
    public Tensor LogSigmoid() => Losses.LogSigmoid.Apply(this);

    /// <summary>-(posWeight t log(sigmoid(x)) + (1 - t) log(1 - sigmoid(x))), times a weight, without overflow.</summary>
    /// <param name="target">Probabilities, of this tensor's shape.</param>
    /// <param name="weight">Broadcast over the losses; has no derivative.</param>
    /// <param name="posWeight">Broadcast over the losses; has no derivative.</param>
    /// <param name="reduction"><c>mean</c>, <c>sum</c> or <c>none</c>.</param>
    public Tensor BinaryCrossEntropyWithLogits(Tensor target, Tensor? weight = null, Tensor? posWeight = null, string reduction = "mean") =>
        Losses.BinaryCrossEntropyWithLogits.Apply([this, target, weight, posWeight], Attributes.Of("reduction", reduction))[0];
}
