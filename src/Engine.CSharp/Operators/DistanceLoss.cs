namespace Verified.Engine;

/// <summary>Losses of the distance between input and target, which <c>torch.nn.functional</c> expands to one shape first, where they are of two.</summary>
internal static class DistanceLoss
{
    private const Saved All = Saved.Input0 | Saved.Input1 | Saved.Input2;

    /// <summary>A loss of its name.</summary>
    /// <param name="name">PyTorch's name.</param>
    /// <param name="kernel">The name in PyTorch's complaint about types.</param>
    /// <param name="losses">The loss of each element.</param>
    /// <param name="gradient">The gradient of the input, from the distance and from what arrives.</param>
    /// <param name="curve">The derivative of the slope, times what is given, from the distance.</param>
    /// <param name="check">What is asked of the attributes before it is of the types.</param>
    /// <param name="oneFactor">Whether the derivative by what arrives is of the slopes where 1 arrives, as PyTorch has it for <c>huber_loss</c>.</param>
    public static Func<OperatorCall, Tensor[]> Of(
        string name,
        string kernel,
        Func<Tensor, Tensor, Attributes, Tensor> losses,
        Func<Tensor, Tensor, Attributes, Tensor> gradient,
        Func<Tensor, Func<Tensor>, Attributes, Tensor> curve,
        Action<Attributes>? check = null,
        bool oneFactor = false)
    {
        FunctionOperator toInput = Gradient(0), toTarget = Gradient(1);
        var loss = new FunctionOperator(
            name,
            (inputs, a) =>
            {
                Tensor x = inputs[0]!, target = inputs[1]!;
                _ = Losses.ReductionOf(a);
                check?.Invoke(a);
                var dtype = DTypes.Promote(x, target);
                if (!dtype.IsFloat()) throw new AutogradException(ErrorKind.Dtype, $"\"{kernel}\" not implemented for '{dtype.ScalarType()}'");
                return Losses.Reduced(losses(x, target, a), a);
            },
            [
                new Rule(Saved.Input0 | Saved.Input1, (g, c) => toInput.Apply([g, c.Input(0), c.Input(1)], c.Attributes)[0]),
                new Rule(Saved.Input0 | Saved.Input1, (g, c) => toTarget.Apply([g, c.Input(0), c.Input(1)], c.Attributes)[0]),
            ])
        { Keywords = ["reduction", "beta", "delta"], Arity = 2 };
        return call =>
        {
            var (x, target) = Expanded(call.Tensor(0), call.Tensor(1));
            return loss.Apply([x, target], call.Attributes);
        };

        FunctionOperator Gradient(int towards)
        {
            FunctionOperator? self = null;
            self = new FunctionOperator(
                name + "_backward",
                (inputs, a) =>
                {
                    using var off = Autograd.NoGrad();
                    var toInput = gradient(Number(inputs[1]!, inputs[2]!) - Number(inputs[2]!, inputs[1]!), inputs[0]!, a);
                    // In row-major order whatever the operands' is.
                    return Copying.Packed(towards == 0 ? toInput : -toInput);

                    // The kernel takes truth values for numbers, which the subtraction of the next derivative does not.
                    static Tensor Number(Tensor t, Tensor other) => t.DType == DType.Bool ? t.To(other.DType) : t;
                },
                [new Rule(All, Same), new Rule(All, (h, c) => Curve(h, c, 0)), new Rule(All, (h, c) => Curve(h, c, 1))])
            { Keywords = ["reduction", "beta", "delta"] };
            return self;

            Tensor Same(Tensor h, BackwardContext c)
            {
                if (!oneFactor || Losses.ReductionOf(c.Attributes) == LossReduction.None) return self!.Apply([h, c.Input(1), c.Input(2)], c.Attributes)[0];
                var one = Tensor.Ones(c.Input(0).Sizes, h.DType);
                return (self!.Apply([one, c.Input(1), c.Input(2)], c.Attributes)[0] * h).Sum();
            }

            Tensor Curve(Tensor h, BackwardContext c, int input)
            {
                var curved = curve(h * c.Input(0), () => c.Input(1) - c.Input(2), c.Attributes);
                curved = Losses.Share(curved, c.Attributes, c.Input(1).Sizes);
                return input == towards ? curved : -curved;
            }
        }
    }

    /// <summary>Input and target in the shape that they broadcast to; one that has it is itself.</summary>
    public static (Tensor Input, Tensor Target) Expanded(Tensor input, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(target);
        var shape = Shapes.Broadcast(input.Sizes, target.Sizes);
        return (Shapes.Same(input.Sizes, shape) ? input : input.Expand(shape), Shapes.Same(target.Sizes, shape) ? target : target.Expand(shape));
    }
}
