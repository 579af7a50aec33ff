namespace Verified.Engine;

/// <summary>Operators that exist in place only. What they overwrite gets a gradient of zeros.</summary>
internal static class Writes
{
    public static readonly InPlaceOperator Zero = new(
        "zero_", (self, _, _) => Fill.With(self, 0), [new Rule(ZerosLike)])
    { ChecksOverlap = false };

    public static readonly InPlaceOperator FillWith = new(
        "fill_",
        (self, inputs, attributes) =>
        {
            var value = inputs.Length > 1 && inputs[1] is { } tensor ? tensor : attributes.Number("value")
                ?? throw new AutogradException(ErrorKind.Value, "fill_() needs 'value'");
            if (value.Rank != 0)
                throw new AutogradException(ErrorKind.Shape, $"fill_ only supports 0-dimension value tensor but got tensor with {value.Rank} dimensions.");
            Copying.Copy(value, self);
        },
        [new Rule(ZerosLike), new Rule(g => g.Sum())])
    { Keywords = ["value"], ChecksOverlap = false };

    public static readonly InPlaceOperator Copy = new(
        "copy_",
        (self, inputs, _) =>
        {
            var source = inputs[1] ?? throw new AutogradException(ErrorKind.Value, "copy_() needs a source");
            if (!Shapes.CanExpand(source.Sizes, self.Sizes))
            {
                InPlaceChecks.Shape(self, Shapes.Broadcast(self.Sizes, source.Sizes));
            }
            Copying.Copy(source.SharesMemoryWith(self) ? Copying.Duplicate(source) : source, self);
        },
        [new Rule(ZerosLike), new Rule(g => g)],
        "CopyBackwards")
    { Keywords = ["non_blocking"] };

    public static readonly CompositeOperator SetItem = new(
        "setitem_",
        call =>
        {
            var value = call.TensorOrNull(1) ?? call.Attributes.Number("value")
                ?? throw new AutogradException(ErrorKind.Value, "setitem_ needs a value");
            return call.Tensor(0).SetItemInPlace(Slicing.IndexList(call.Attributes), value);
        })
    { Keywords = ["index", "value"] };

    public static IEnumerable<Operator> All => [Zero, FillWith, Copy, SetItem];

    private static Tensor ZerosLike(Tensor g) => Tensor.Zeros(g.Sizes, g.DType);
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

    /// <summary>Writes a value, broadcast, into the view that an index names (see <see cref="GetItem"/>), and gives this tensor back.</summary>
    public Tensor SetItemInPlace(object?[] index, Tensor value)
    {
        var target = Slicing.Indexed(this, index);
        // PyTorch drops leading dimensions of size one from the value.
        while (value.Rank > target.Rank && value.Sizes[0] == 1) value = value.Select(0, 0);
        target.CopyInPlace(value);
        return this;
    }

    /// <summary>Writes a number into the view that an index names.</summary>
    public Tensor SetItemInPlace(object?[] index, double value) => SetItemInPlace(index, Number(value));
}
