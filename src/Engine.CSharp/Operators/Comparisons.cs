using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Comparisons, which give truth values, and choices by them.</summary>
internal static class Comparisons
{
    public static readonly BinaryOperator Gt = Test("gt", (a, b) => Elementwise.Compare(a, b, new Op.Greater<float>(), new Op.Greater<double>(), new Op.Greater<long>()));
    public static readonly BinaryOperator Ge = Test("ge", (a, b) => Elementwise.Compare(a, b, new Op.GreaterOrEqual<float>(), new Op.GreaterOrEqual<double>(), new Op.GreaterOrEqual<long>()));
    public static readonly BinaryOperator Lt = Test("lt", (a, b) => Elementwise.Compare(a, b, new Op.Less<float>(), new Op.Less<double>(), new Op.Less<long>()));
    public static readonly BinaryOperator Le = Test("le", (a, b) => Elementwise.Compare(a, b, new Op.LessOrEqual<float>(), new Op.LessOrEqual<double>(), new Op.LessOrEqual<long>()));
    public static readonly BinaryOperator Eq = Test("eq", (a, b) => Elementwise.Compare(a, b, new Op.Equal<float>(), new Op.Equal<double>(), new Op.Equal<long>()));
    public static readonly BinaryOperator Ne = Test("ne", (a, b) => Elementwise.Compare(a, b, new Op.NotEqual<float>(), new Op.NotEqual<double>(), new Op.NotEqual<long>()));

    /// <summary>What is not chosen gets a gradient of zeros, whatever its value.</summary>
    public static readonly FunctionOperator Where = new(
        "where",
        (inputs, _) => Elementwise.Where(Condition(inputs[0]!), inputs[1]!, inputs[2]!),
        [
            Rule.NotDifferentiable,
            new Rule(Saved.Input0, (g, c) => Tensor.Where(c.Input(0), g, Zero(g))),
            new Rule(Saved.Input0, (g, c) => Tensor.Where(c.Input(0), Zero(g), g)),
        ])
    {
        Arity = 3,
        Keywords = ["self", "other"],
        NumberKeywords = [null, "self", "other"],
        Bind = call => call.Attributes.Has("self") && call.TensorOrNull(2) is not null
            ? throw new AutogradException(ErrorKind.Value, "where takes 'self' with one tensor besides the condition")
            : call.Attributes.Number("self") is { } number
            // torch.where(condition, number, tensor): the tensor stands second among the tensors.
            ? [call.Tensor(0), number, call.TensorOrNull(1) ?? call.Attributes.Number("other") ?? throw new AutogradException(ErrorKind.Value, "where() needs a tensor or 'other'")]
            :
            [
                call.Tensor(0), call.Tensor(1),
                call.TensorOrNull(2) ?? call.Attributes.Number("other") ?? throw new AutogradException(ErrorKind.Value, "where() needs a second tensor or 'other'"),
            ],
    };

    /// <summary>A value where the mask is true, x elsewhere.</summary>
    public static readonly FunctionOperator MaskedFill = new(
        "masked_fill",
        (inputs, _) => Filled(inputs[0]!, inputs[1]!, inputs[2]!),
        [
            new Rule(Saved.Input1, (g, c) => g.MaskedFill(c.Input(1), 0)),
            Rule.NotDifferentiable,
            new Rule(Saved.Input1, (g, c) => MaskedSum!.Apply([g, c.Input(1)], Attributes.None)[0]),
        ])
    {
        Arity = 3,
        Keywords = ["value"],
        NumberKeywords = [null, null, "value"],
        Variant = a => a.Has("value") ? "MaskedFillBackward0" : "MaskedFillBackward1",
        ChecksOverlap = false,
        CheckArguments = (inputs, _) =>
        {
            CheckFill(inputs[1]!, inputs[2]!);
            Overlap.CheckReadable(inputs[0]!, inputs[1]!);
        },
        HasInPlaceTwin = true,
        WriteShared = WriteWhereTrue,
        Bind = call =>
        [
            call.Tensor(0), call.Tensor(1),
            call.TensorOrNull(2) ?? call.Attributes.Number("value") ?? throw new AutogradException(ErrorKind.Value, "masked_fill() needs 'value'"),
        ],
    };

    /// <summary>The sum of what stands where the mask is true. As PyTorch's <c>masked_select</c>, of which it is made there, it keeps what it reads.</summary>
    private static readonly FunctionOperator MaskedSum = new(
        "masked_sum",
        (inputs, _) =>
        {
            var isRecorded = GradMode.Records && inputs[0]!.RequiresGrad;
            using var off = Autograd.NoGrad();
            var sum = Tensor.Where(inputs[1]!, inputs[0]!, Zero(inputs[0]!)).Sum();
            // How many it has chosen is asked for by its derivative alone.
            return isRecorded ? [sum, CountOf(inputs[1]!, inputs[0]!.Sizes)] : [sum];
        },
        [
            new Rule(Saved.Input0 | Saved.Input1 | Saved.Output1, (h, c) => MaskedSpread!.Apply([h, c.Input(1), c.Output(1)], Attributes.Of("size", c.InputShape(0)))[0]),
            Rule.NotDifferentiable,
        ])
    { Visible = 1 };

    /// <summary>Its transpose. As PyTorch's <c>masked_scatter</c> of as many elements as were chosen: by then the mask may hold where it did not.</summary>
    private static readonly FunctionOperator MaskedSpread = new(
        "masked_spread",
        (inputs, a) =>
        {
            using var off = Autograd.NoGrad();
            var size = a.Ints("size")!;
            return CountOf(inputs[1]!, size).ToLongs()[0] > inputs[2]!.ToLongs()[0]
                ? throw new AutogradException(ErrorKind.Other, "Number of elements of source < number of ones in mask")
                : Tensor.Where(inputs[1]!, inputs[0]!.Expand(size), Zero(inputs[0]!));
        },
        [new Rule(Saved.Input1, (h, c) => MaskedSum.Apply([h, c.Input(1)], Attributes.None)[0]), Rule.NotDifferentiable, Rule.NotDifferentiable]);

    private static Tensor CountOf(Tensor mask, int[] size) => mask.Expand(size).Sum();

    public static IEnumerable<Operator> All => [Gt, Ge, Lt, Le, Eq, Ne, Where, MaskedFill];

    private static BinaryOperator Test(string name, Func<Tensor, Tensor, Tensor> test) =>
        new(name, (a, b, _, _) => test(a, b), Rule.NotDifferentiable, Rule.NotDifferentiable) { HasInPlaceTwin = false };

    private static Tensor Zero(Tensor like) => Tensor.Scalar(0, like.DType);

    private static Tensor Condition(Tensor condition) => condition.DType == DType.Bool
        ? condition
        : throw new AutogradException(ErrorKind.Dtype, $"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.DType.ScalarType()}");

    /// <summary>Only where the mask is true: an element elsewhere that shares the memory must not write the old value back.</summary>
    private static void WriteWhereTrue(Tensor self, Tensor?[] inputs)
    {
        using var _ = Autograd.NoGrad();
        var mask = inputs[1]!.Expand(self.Sizes).ToBools();
        var strides = Shapes.ContiguousStrides(self.Sizes);
        for (var i = 0; i < mask.Length; i++)
        {
            if (!mask[i]) continue;
            var offset = 0;
            for (var d = 0; d < self.Rank; d++) offset += i / strides[d] % self.Sizes[d] * self.Steps[d];
            Copying.Copy(inputs[2]!, self.Window([], [], offset));
        }
    }

    private static Tensor Filled(Tensor x, Tensor mask, Tensor value)
    {
        Shapes.Broadcast(x.Sizes, mask.Sizes);
        CheckFill(mask, value);
        Writes.CheckLiesAmong(x.DType, value);
        // Row-major, however the two lie in memory, as PyTorch's.
        var filled = Elementwise.Where(mask, Copying.Cast(value, x.DType), x);
        if (filled.IsContiguous) return filled;
        var rows = Tensor.Empty(filled.Sizes, filled.DType);
        Copying.Copy(filled, rows);
        return rows;
    }

    private static void CheckFill(Tensor mask, Tensor value)
    {
        if (value.Rank != 0)
            throw new AutogradException(ErrorKind.Shape, $"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.Rank} dimension(s).");
        if (mask.DType != DType.Bool)
            throw new AutogradException(ErrorKind.Dtype, $"masked_fill_ only supports boolean masks, but got mask with dtype {mask.DType.CName()}");
    }
}

public sealed partial class Tensor
{
    /// <summary>Truth values: where this is larger than the other, broadcast. It has no derivative, nor have the other comparisons.</summary>
    /// <exception cref="AutogradException">The shapes do not broadcast.</exception>
    public Tensor Gt(Tensor other) => Comparisons.Gt.Apply(this, other);

    /// <summary>Where this is larger than a number.</summary>
    public Tensor Gt(double other) => Comparisons.Gt.Apply(this, Number(other));

    /// <summary>Truth values: where this is not smaller than the other, broadcast.</summary>
    /// <exception cref="AutogradException">The shapes do not broadcast.</exception>
    public Tensor Ge(Tensor other) => Comparisons.Ge.Apply(this, other);

    /// <summary>Where this is not smaller than a number.</summary>
    public Tensor Ge(double other) => Comparisons.Ge.Apply(this, Number(other));

    /// <summary>Truth values: where this is smaller than the other, broadcast.</summary>
    /// <exception cref="AutogradException">The shapes do not broadcast.</exception>
    public Tensor Lt(Tensor other) => Comparisons.Lt.Apply(this, other);

    /// <summary>Where this is smaller than a number.</summary>
    public Tensor Lt(double other) => Comparisons.Lt.Apply(this, Number(other));

    /// <summary>Truth values: where this is not larger than the other, broadcast.</summary>
    /// <exception cref="AutogradException">The shapes do not broadcast.</exception>
    public Tensor Le(Tensor other) => Comparisons.Le.Apply(this, other);

    /// <summary>Where this is not larger than a number.</summary>
    public Tensor Le(double other) => Comparisons.Le.Apply(this, Number(other));

    /// <summary>Truth values: where the two are equal, broadcast; NaN equals nothing.</summary>
    /// <exception cref="AutogradException">The shapes do not broadcast.</exception>
    public Tensor Eq(Tensor other) => Comparisons.Eq.Apply(this, other);

    /// <summary>Where this equals a number.</summary>
    public Tensor Eq(double other) => Comparisons.Eq.Apply(this, Number(other));

    /// <summary>Truth values: where the two differ, broadcast; NaN differs from everything.</summary>
    /// <exception cref="AutogradException">The shapes do not broadcast.</exception>
    public Tensor Ne(Tensor other) => Comparisons.Ne.Apply(this, other);

    /// <summary>Where this differs from a number.</summary>
    public Tensor Ne(double other) => Comparisons.Ne.Apply(this, Number(other));

    /// <summary>The first where the condition (truth values) holds, else the second; all three broadcast.</summary>
    /// <exception cref="AutogradException">The condition is not of truth values, or the shapes do not broadcast.</exception>
    public static Tensor Where(Tensor condition, Tensor input, Tensor other) => Comparisons.Where.Apply([condition, input, other], Attributes.None)[0];

    /// <summary>A number where the mask is true, x elsewhere.</summary>
    /// <param name="mask">Truth values, of a shape that broadcasts with this tensor's.</param>
    /// <param name="value">The number, which takes on this tensor's type.</param>
    /// <exception cref="AutogradException">The mask is not of truth values or does not broadcast, or the number has no place in the type.</exception>
    public Tensor MaskedFill(Tensor mask, double value) => Comparisons.MaskedFill.Invoke(new OperatorCall([this, mask], Attributes.Of("value", value)))[0];

    /// <summary>A scalar tensor where the mask is true, x elsewhere; the gradient flows to both.</summary>
    /// <inheritdoc cref="MaskedFill(Tensor, double)"/>
    public Tensor MaskedFill(Tensor mask, Tensor value) => Comparisons.MaskedFill.Apply([this, mask, value], Attributes.None)[0];

    /// <summary>Writes a number where the mask is true.</summary>
    /// <inheritdoc cref="MaskedFill(Tensor, double)"/>
    public Tensor MaskedFillInPlace(Tensor mask, double value) => Comparisons.MaskedFill.InvokeInPlace(new OperatorCall([this, mask], Attributes.Of("value", value)))[0];

    /// <summary>Writes a scalar tensor where the mask is true.</summary>
    /// <inheritdoc cref="MaskedFill(Tensor, double)"/>
    public Tensor MaskedFillInPlace(Tensor mask, Tensor value) => Comparisons.MaskedFill.ApplyInPlace([this, mask, value], Attributes.None);
}
