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
    /// <summary>The square of the distance.</summary>
    public static readonly CompositeOperator MseLoss = new(
        "mse_loss", DistanceLoss.Of("mse_loss", "mse_cpu", Squares, MseGradient, (t, _, _) => t * 2))
    { Keywords = ["reduction"] };

    /// <summary>Distances, as PyTorch composes them: a write to an argument is no error.</summary>
    public static readonly CompositeOperator L1Loss = new(
        "l1_loss",
        call => Distance(call.Tensor(0), call.Tensor(1), call.Attributes))
    { Keywords = ["reduction"] };

    /// <summary>-log(1 + exp(-x)) without overflow, and where it is recorded exp(-|x|), PyTorch's <c>buffer</c> on a CPU: of x the derivative reads the sign alone.</summary>
    public static readonly FunctionOperator LogSigmoid = new(
        "logsigmoid",
        (inputs, _) =>
        {
            var x = Copying.Packed(RequireFloat(inputs[0]!, "log_sigmoid_cpu"));
            var minus = Elementwise.Unary(x, null, new Op.Neg<float>(), new Op.Neg<double>());
            var y = Elementwise.Unary(minus, null, new MinusSoftplus<float>(), new MinusSoftplus<double>());
            return GradMode.Records && inputs[0]!.RequiresGrad ? [y, Elementwise.Unary(x, null, new ExpOfMinusAbs<float>(), new ExpOfMinusAbs<double>())] : [y];
        },
        [new Rule(Saved.Input0 | Saved.Output1, (g, c) => LogSigmoidBackward!.Apply([g, c.Input(0), c.Output(1).Detach()], Attributes.None)[0])],
        "LogSigmoidBackward0")
    { Arity = 1, Visible = 1 };

    private static readonly FunctionOperator LogSigmoidBackward = new(
        "log_sigmoid_backward",
        // It lies as what arrives.
        (inputs, _) => Elementwise.Ternary(inputs[0]!, inputs[1]!, inputs[2]!, Tensor.ZerosLike(inputs[0]!), new LogSigmoidSlope<float>(), new LogSigmoidSlope<double>()),
        [
            new Rule(Saved.Input1 | Saved.Input2, (h, c) => LogSigmoidBackward!.Apply([h, c.Input(1), c.Input(2)], Attributes.None)[0]),
            // Not s (s - 1), which is zero where s rounds to 1.
            new Rule(Saved.Input0 | Saved.Input1, (h, c) => h * c.Input(0) * (-(-c.Input(1)).Sigmoid() * c.Input(1).Sigmoid())),
            Rule.NotDifferentiable,
        ])
    { Arity = 3, KeepsAnyway = Saved.Input1 };

    /// <summary>A square up to beta, a line beyond; with a beta of 0 it is the distance, as PyTorch has it.</summary>
    public static readonly CompositeOperator SmoothL1Loss = new(
        "smooth_l1_loss",
        call =>
        {
            return call.Attributes.Double("beta", 1) == 0 ? [Distance(call.Tensor(0), call.Tensor(1), call.Attributes)] : Smooth!(call);
        })
    { Keywords = ["reduction", "beta"] };

    private static readonly Func<OperatorCall, Tensor[]> Smooth = Rounded("smooth_l1_loss", "smooth_l1_cpu", a => (Beta(a), Beta(a)));

    public static readonly CompositeOperator HuberLoss = new(
        "huber_loss", Rounded("huber_loss", "huber_cpu", a => (Delta(a), 1), oneFactor: true))
    { Keywords = ["reduction", "delta"] };

    /// <summary>The reduction and the sizes are looked at in Python (torch/nn/functional.py), before anything is recorded.</summary>
    public static readonly CompositeOperator BinaryCrossEntropyWithLogits = new("binary_cross_entropy_with_logits", call =>
    {
        _ = ReductionOf(call.Attributes);
        Tensor x = call.Tensor(0), t = call.Tensor(1);
        if (Shapes.Same(x.Sizes, t.Sizes)) return OfOneSize!.Apply([x, t, call.TensorOrNull(2), call.TensorOrNull(3)], call.Attributes)[0];
        throw new AutogradException(
            ErrorKind.Shape, $"Target size (torch.Size({Shapes.Text(t.Sizes)})) must be the same as input size (torch.Size({Shapes.Text(x.Sizes)}))");
    })
    { Keywords = ["reduction"] };

    /// <summary>Weight and pos_weight have no derivative.</summary>
    private static readonly FunctionOperator OfOneSize = new(
        "binary_cross_entropy_with_logits",
        (inputs, a) => BinaryCrossEntropy(inputs[0]!, inputs[1]!, Optional(inputs, 2), Optional(inputs, 3), a),
        [
            new Rule(All4, (g, c) =>
            {
                Tensor x = c.Input(0), t = c.Input(1);
                var slope = PosWeight(c) is { } p ? (p * t + 1.0 - t) * x.Sigmoid() - p * t : x.Sigmoid() - t;
                return Weighted(slope * g, c);
            }),
            new Rule(All4, (g, c) =>
            {
                var x = c.Input(0);
                var slope = PosWeight(c) is { } p ? LogSigmoid.Apply(-x) - p * LogSigmoid.Apply(x) : -x;
                return Weighted(slope * g, c);
            }),
            Rule.NotDifferentiable,
        ])
    { Keywords = ["reduction"], Arity = 2, Undifferentiated = [(2, "weight"), (3, "pos_weight")] };

    private const Saved All4 = Saved.Input0 | Saved.Input1 | Saved.Input2 | Saved.Input3;

    public static IEnumerable<Operator> All => [MseLoss, L1Loss, SmoothL1Loss, HuberLoss, LogSigmoid, BinaryCrossEntropyWithLogits, CrossEntropies.CrossEntropy, NegativeLogLikelihood.NllLoss];

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

    /// <summary>Losses as their reduction.</summary>
    public static Tensor Reduced(Tensor losses, Attributes attributes)
    {
        var reduction = ReductionOf(attributes);
        if (reduction == LossReduction.None) return losses;
        var sum = Reducing.Run(losses, Shapes.ReducedDims(null, losses.Rank), keepdim: false, new Reduce.Sum<float>(), new Reduce.Sum<double>());
        return reduction == LossReduction.Sum
            ? sum
            : Elementwise.Binary(sum, Tensor.Number((double)losses.Count), sum, new Op.Div<float>(), new Op.Div<double>());
    }

    /// <summary>What each loss of this shape counts for.</summary>
    public static Tensor Share(Tensor gradient, Attributes attributes, int[] shape) =>
        ReductionOf(attributes) == LossReduction.Mean ? gradient / Tensor.Number((double)Shapes.Count(shape)) : gradient;

    private static double Beta(Attributes attributes) => attributes.Double("beta", 1) is var beta and >= 0
        ? beta
        : throw new AutogradException(ErrorKind.Value, "smooth_l1_loss does not support negative values for beta.");

    private static double Delta(Attributes attributes) => attributes.Double("delta", 1) is var delta and > 0
        ? delta
        : throw new AutogradException(ErrorKind.Value, "huber_loss does not support non-positive values for delta.");

    private static Tensor RequireFloat(Tensor x, string kernel) =>
        x.DType.IsFloat() ? x : throw new AutogradException(ErrorKind.Dtype, $"\"{kernel}\" not implemented for '{x.DType.ScalarType()}'");

    /// <summary>
    /// A loss of the distance d: d d / 2 up to a knee, a line beyond, all over a scale. At the knee the slope is the line's, and its derivative 0.
    /// </summary>
    private static Func<OperatorCall, Tensor[]> Rounded(string name, string kernel, Func<Attributes, (double Knee, double Scale)> shapeOf, bool oneFactor = false)
    {
        return DistanceLoss.Of(
            name,
            kernel,
            (x, target, a) =>
            {
                var (knee, scale) = shapeOf(a);
                return Elementwise.Binary(x, target, null, new RoundedDistance<float>((float)knee, (float)scale), new RoundedDistance<double>(knee, scale));
            },
            (d, g, a) =>
            {
                var (knee, scale) = shapeOf(a);
                return Tensor.Where(d.Abs().Ge(knee), scale == knee ? d.Sign() : d.Sign() * knee, scale == 1 ? d : d / scale) * Share(g, a, d.Sizes);
            },
            (t, d, a) =>
            {
                var (knee, scale) = shapeOf(a);
                t *= d().Abs().Lt(knee).To(t.DType);
                return scale == 1 ? t : t / scale;
            },
            a => _ = shapeOf(a),
            oneFactor);
    }

    /// <summary>The mean (or sum) of |a - b|.</summary>
    public static Tensor Distance(Tensor a, Tensor b, Attributes attributes)
    {
        (a, b) = DistanceLoss.Expanded(a, b);
        var reduction = ReductionOf(attributes);
        var distances = (a - b).Abs();
        return reduction switch
        {
            LossReduction.Mean => distances.Mean(),
            LossReduction.Sum => distances.Sum(),
            _ => distances,
        };
    }

    // In PyTorch's order: 2 d may overflow where 2 d / n does not.
    private static Tensor MseGradient(Tensor d, Tensor g, Attributes attributes) =>
        d * Tensor.Number(ReductionOf(attributes) == LossReduction.Mean ? 2.0 / d.Count : 2.0) * g;

    private static Tensor Squares(Tensor a, Tensor b, Attributes attributes) =>
        Elementwise.Binary(a, b, null, new SquaredDifference<float>(), new SquaredDifference<double>());

    private static Tensor? PosWeight(BackwardContext c) => c.Node.InputCount > 3 ? c.InputOrNull(3) : null;

    /// <summary>Weighted and averaged last, as PyTorch does it.</summary>
    private static Tensor Weighted(Tensor gradient, BackwardContext c)
    {
        var weight = c.Node.InputCount > 2 ? c.InputOrNull(2) : null;
        return Share(weight is null ? gradient : gradient * weight, c.Attributes, c.Input(0).Sizes);
    }

    private static Tensor BinaryCrossEntropy(Tensor x, Tensor t, Tensor? weight, Tensor? posWeight, Attributes attributes)
    {
        _ = RequireFloat(x, "log_sigmoid_cpu");
        using var off = Autograd.NoGrad();
        var losses = Pointwise(x, t, weight, posWeight);
        // The weights are multiplied in place.
        InPlaceChecks.Shape(x, losses.Sizes);
        // Operands of several types: all of it in the widest.
        var dtype = losses.DType;
        if (x.DType != dtype || t.DType != dtype || (posWeight is not null && posWeight.DType != dtype))
            losses = Pointwise(Copying.Cast(x, dtype), Copying.Cast(t, dtype), weight, posWeight is null ? null : Copying.Cast(posWeight, dtype));
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

    /// <summary>exp(-|x|).</summary>
    private readonly struct ExpOfMinusAbs<T> : IUnary<T>, IWide1
        where T : unmanaged
    {
        public static bool IsWide => true;

        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> => V.Wide(this, x);

        public V Invoke<V, P>(V x)
            where V : struct, ISimd<V, double>
            where P : struct, IPrecision => Core.Exp<V, P>(x | V.Create(-0.0));
    }

    /// <summary>g sigmoid(-y), from the sign of y and z = exp(-|y|).</summary>
    private readonly struct LogSigmoidSlope<T> : ITernary<T>, IWide3
        where T : unmanaged
    {
        public static bool IsWide => true;

        public V Invoke<V>(V x, V y, V z)
            where V : struct, ISimd<V, T> => V.Wide(this, x, y, z);

        public V Invoke<V, P>(V x, V y, V z)
            where V : struct, ISimd<V, double>
            where P : struct, IPrecision => x * (V.Select(V.Less(y, V.Create(0.0)), V.Create(1.0), z) / (V.Create(1.0) + z));
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
    public Tensor MseLoss(Tensor target, string reduction = "mean") =>
        Losses.MseLoss.Invoke(new OperatorCall([this, target], Attributes.Of("reduction", reduction)))[0];

    /// <summary>The absolute distances from a target, broadcast; their derivative where they are 0 is 0.</summary>
    /// <param name="target">Of a shape that broadcasts with this tensor's.</param>
    /// <param name="reduction"><c>mean</c>, <c>sum</c> or <c>none</c>.</param>
    /// <exception cref="AutogradException">The shapes do not broadcast, or the reduction is none of these.</exception>
    public Tensor L1Loss(Tensor target, string reduction = "mean") =>
        Losses.Distance(this, target, Attributes.Of("reduction", reduction));

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
        Losses.HuberLoss.Invoke(new OperatorCall([this, target], Attributes.Of("reduction", reduction, "delta", delta)))[0];

    /// <summary>log(sigmoid(x)), without overflow.</summary>
    public Tensor LogSigmoid() => Losses.LogSigmoid.Apply(this);

    /// <summary>-(posWeight t log(sigmoid(x)) + (1 - t) log(1 - sigmoid(x))), times a weight, without overflow.</summary>
    /// <param name="target">Probabilities, of this tensor's shape.</param>
    /// <param name="weight">Broadcast over the losses; has no derivative.</param>
    /// <param name="posWeight">Broadcast over the losses; has no derivative.</param>
    /// <param name="reduction"><c>mean</c>, <c>sum</c> or <c>none</c>.</param>
    public Tensor BinaryCrossEntropyWithLogits(Tensor target, Tensor? weight = null, Tensor? posWeight = null, string reduction = "mean") =>
        Losses.BinaryCrossEntropyWithLogits.Apply([this, target, weight, posWeight], Attributes.Of("reduction", reduction));
}
