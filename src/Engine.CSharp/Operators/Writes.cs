using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Operators that exist in place only. What they overwrite gets a gradient of zeros.</summary>
internal static class Writes
{
    public static readonly InPlaceOperator Zero = new(
        "zero_", (self, _, _) => Fill.With(self, 0), [new Rule(Tensor.ZerosLike)])
    { ChecksOverlap = false };

    public static readonly InPlaceOperator FillWith = new(
        "fill_",
        (self, inputs, attributes) =>
        {
            var value = inputs.Length > 1 && inputs[1] is { } tensor ? tensor : attributes.Number("value")
                ?? throw new AutogradException(ErrorKind.Value, "fill_() needs 'value'");
            if (value.Rank != 0)
                throw new AutogradException(ErrorKind.Shape, $"fill_ only supports 0-dimension value tensor but got tensor with {value.Rank} dimensions.");
            // PyTorch lets a number be written to memory that elements share, but not a tensor.
            if (value.IsWrappedNumber) CheckLiesAmong(self.DType, value);
            else Overlap.CheckWritable(self);
            Copying.Copy(value, self);
        },
        [new Rule(Tensor.ZerosLike), new Rule(g => g.Sum())])
    { Keywords = ["value"], NumberKeywords = [null, "value"], ChecksOverlap = false, Variant = a => a.Has("value") ? "FillBackward2" : "FillBackward3" };

    public static readonly InPlaceOperator Copy = new(
        "copy_",
        (self, inputs, _) =>
        {
            var source = inputs[1] ?? throw new AutogradException(ErrorKind.Value, "copy_() needs a source");
            if (!Shapes.CanExpand(source.Sizes, self.Sizes))
            {
                InPlaceChecks.Shape(self, Shapes.Broadcast(self.Sizes, source.Sizes));
            }
            Copying.Copy(Copying.Before(source, self), self);
        },
        // Zeros in row-major order, however the gradient lies; converted before it is summed, as in PyTorch.
        [new Rule(g => Tensor.Zeros(g.Sizes, g.DType)), new Rule(Saved.None, (g, c) => g.To(c.InputDType(1)))],
        "torch::autograd::CopyBackwards")
    { TakesItself = true, Keywords = ["non_blocking"] };

    /// <summary>Adds value t1 t2.</summary>
    public static readonly InPlaceOperator AddProduct = new(
        "addcmul_",
        (self, inputs, attributes) =>
        {
            var value = attributes.Double("value", 1);
            if (!self.DType.IsFloat() && !inputs[1]!.DType.IsFloat() && !inputs[2]!.DType.IsFloat())
            {
                var product = inputs[1]! * inputs[2]! * Tensor.Number((long)value);
                InPlaceChecks.DType(self, DTypes.Promote(self, product));
                Copying.Copy(self + product, self);
                return;
            }
            Elementwise.Ternary(self, inputs[1]!, inputs[2]!, self, new Op.AddProduct<float>((float)value), new Op.AddProduct<double>(value));
        },
        [new Rule(g => g), new Rule(Saved.Input2, (g, c) => g * (c.Input(2) * Value(c))), new Rule(Saved.Input1, (g, c) => g * (c.Input(1) * Value(c)))])
    { Arity = 3, Keywords = ["value"], Shape = inputs => Broadcast(inputs) };

    /// <summary>Adds value t1 / t2.</summary>
    public static readonly InPlaceOperator AddQuotient = new(
        "addcdiv_",
        (self, inputs, attributes) =>
        {
            var value = attributes.Double("value", 1);
            Elementwise.Ternary(self, inputs[1]!, inputs[2]!, self, new Op.AddQuotient<float>((float)value), new Op.AddQuotient<double>(value));
        },
        [
            new Rule(g => g),
            new Rule(Saved.Input2, (g, c) => g * (Value(c) / c.Input(2))),
            new Rule(Saved.Input1 | Saved.Input2, (g, c) => -g * (c.Input(1) * Value(c) / (c.Input(2) * c.Input(2)))),
        ])
    { Arity = 3, Keywords = ["value"], CheckArguments = DividesNoIntegers, Shape = inputs => Broadcast(inputs) };

    /// <summary>Goes a part of the way to another tensor.</summary>
    public static readonly InPlaceOperator Lerp = new(
        "lerp_",
        (self, inputs, attributes) => Elementwise.Ternary(
            self, inputs[1]!, inputs[2] ?? attributes.Number("weight") ?? throw new AutogradException(ErrorKind.Value, "lerp_() needs 'weight'"), self,
            new Op.Lerp<float>(), new Op.Lerp<double>()),
        [
            // A weight that is a number is no tensor to keep: a second backward is no error.
            new Rule(Saved.Input2, (g, c) => g * (1 - Weight(c))),
            new Rule(Saved.Input2, (g, c) => g * Weight(c)),
            new Rule(Saved.Input0 | Saved.Input1, (g, c) => g * (c.Input(1) - c.Input(0))),
        ])
    {
        Arity = 2,
        Keywords = ["weight"],
        KeptOrder = [1, 0],
        Variant = a => a.Has("weight") ? "LerpBackward0" : "LerpBackward1",
        CheckArguments = OfOneType,
        Shape = inputs => Broadcast(inputs),
        Bind = call => [call.Tensor(0), call.Tensor(1), call.TensorOrNull(2)],
    };

    public static readonly CompositeOperator SetItem = new(
        "setitem_",
        call =>
        {
            var value = call.TensorOrNull(1) ?? call.Attributes.Number("value")
                ?? throw new AutogradException(ErrorKind.Value, "setitem_ needs a value");
            return call.Tensor(0).SetItemInPlace(Slicing.IndexList(call.Attributes), value);
        })
    { Keywords = ["index", "value"] };

    public static IEnumerable<Operator> All => [Zero, FillWith, Copy, AddProduct, AddQuotient, Lerp, SetItem];

    /// <summary>What is read as a number before it is written has to lie among the integers that it is written to.</summary>
    public static void CheckLiesAmong(DType dtype, Tensor number)
    {
        if (dtype == DType.Int64 && number.DType.IsFloat() && number.Item() is not (>= long.MinValue and < -(double)long.MinValue))
            throw new AutogradException(ErrorKind.Value, "value cannot be converted to type int64_t without overflow");
    }

    private static void OfOneType(Tensor?[] inputs)
    {
        Check(inputs[1], "end");
        Check(inputs[2], "weight");

        void Check(Tensor? other, string name)
        {
            if (other is not null && other.DType != inputs[0]!.DType)
                throw new AutogradException(ErrorKind.Dtype, $"expected dtype {inputs[0]!.DType.CName()} for `{name}` but got dtype {other.DType.CName()}");
        }
    }

    private static void DividesNoIntegers(Tensor?[] inputs)
    {
        if (inputs[1]!.DType.IsFloat() || inputs[2]!.DType.IsFloat()) return;
        throw new AutogradException(
            ErrorKind.Dtype,
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true division of tensor1 and tensor2.");
    }

    private static Tensor Weight(BackwardContext c) => c.Attributes.Number("weight") ?? c.Input(2);

    // A whole number leaves integers what they are, so that what they are multiplied with decides the type.
    private static Tensor Value(BackwardContext c) => c.Attributes.Number("value") ?? Tensor.Number(1L);

    private static int[] Broadcast(Tensor?[] inputs) => inputs.OfType<Tensor>().Select(t => t.Sizes).Aggregate(Shapes.Broadcast);
}

public sealed partial class Tensor
{
    /// <summary>Writes zeros.</summary>
    public Tensor ZeroInPlace() => Writes.Zero.Apply([this], Attributes.None);

    /// <summary>Writes one number everywhere.</summary>
    public Tensor FillInPlace(double value) => Writes.FillWith.Apply([this], Attributes.Of("value", value));

    /// <summary>Writes one scalar tensor everywhere; the gradient flows to it.</summary>
    public Tensor FillInPlace(Tensor value) => Writes.FillWith.Apply([this, value], Attributes.None);

    /// <summary>Writes another tensor's elements, broadcast and converted, over this one's; the gradient flows to it.</summary>
    public Tensor CopyInPlace(Tensor source) => Writes.Copy.Apply([this, source], Attributes.None);

    /// <summary>Adds value t1 t2, broadcast, to this tensor.</summary>
    public Tensor AddcmulInPlace(Tensor tensor1, Tensor tensor2, double value = 1) => Writes.AddProduct.Apply([this, tensor1, tensor2], Attributes.Of("value", value));

    /// <summary>Adds value t1 / t2, broadcast, to this tensor.</summary>
    public Tensor AddcdivInPlace(Tensor tensor1, Tensor tensor2, double value = 1) => Writes.AddQuotient.Apply([this, tensor1, tensor2], Attributes.Of("value", value));

    /// <summary>Goes a part of the way, given by a number, to another tensor.</summary>
    public Tensor LerpInPlace(Tensor end, double weight) => Writes.Lerp.Apply([this, end, null], Attributes.Of("weight", weight));

    /// <summary>Goes a part of the way, given element by element, to another tensor.</summary>
    public Tensor LerpInPlace(Tensor end, Tensor weight) => Writes.Lerp.Apply([this, end, weight], Attributes.None);

    /// <summary>Writes a value, broadcast, into the view that an index names (see <see cref="GetItem"/>), and gives this tensor back.</summary>
    public Tensor SetItemInPlace(object?[] index, Tensor value)
    {
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(value);
        var target = Slicing.WritesOutTheWhole(this, index) ? this : Slicing.Indexed(this, index);
        if (Shapes.Same(value.Sizes, target.Sizes))
        {
            target.CopyInPlace(value);
            return this;
        }
        // As PyTorch does: a scalar is filled in, which reads it before anything is written.
        if (value.Rank == 0)
        {
            target.FillInPlace(value);
            return this;
        }
        // Of a value of another shape all leading dimensions of size one are dropped.
        var ones = value.Sizes.TakeWhile(size => size == 1).Count();
        if (ones > 0) value = value.View(value.Sizes[ones..]);
        target.CopyInPlace(Shapes.Same(value.Sizes, target.Sizes) ? value : value.Expand(target.Sizes));
        return this;
    }

    /// <summary>Writes a number into the view that an index names.</summary>
    public Tensor SetItemInPlace(object?[] index, double value) => SetItemInPlace(index, Number(value));
}
