namespace Verified.Engine;

/// <summary>Copies and conversions.</summary>
internal static class Copies
{
    public static readonly FunctionOperator Clone = new(
        "clone",
        (x, attributes) =>
        {
            var copy = attributes.Ints("strides") is { } strides ? new Tensor(Storage.Create((long)x.Count * x.DType.Size()), x.DType, x.Sizes, strides, 0)
                : attributes["memory_format"] is "contiguous_format" ? Tensor.Empty(x.Sizes, x.DType)
                : Tensor.EmptyLike(x, x.DType);
            Copying.Copy(x, copy);
            return copy;
        },
        new Rule(g => g))
    {
        Keywords = ["memory_format"],
        Arity = 1,
        Written = call => call.Attributes.Has("strides") ? ("clone", new OperatorCall(call.Inputs, Attributes.None)) : call.Attributes.Has("memory_format") ? ("contiguous", new OperatorCall(call.Inputs, Attributes.None)) : ("clone", call),
    };

    /// <summary>A copy, whose gradient is a copy of what arrives: what is on one side of it keeps nothing of the other side.</summary>
    public static readonly FunctionOperator Apart = new("apart", (x, _) => Clone.Apply(x.Detach()), new Rule(g => Apart!.Apply(g)), "CloneBackward0");

    public static readonly FunctionOperator ToCopy = new(
        "_to_copy",
        (x, attributes) => Copying.Cast(x, attributes.DType("dtype")!.Value),
        new Rule(g => g),
        "ToCopyBackward0")
    { Keywords = ["dtype"], Arity = 1, Written = call => ("to", call) };

    public static readonly CompositeOperator To = new(
        "to", call => call.Attributes.DType("dtype") is { } dtype
            ? call.Tensor(0).To(dtype)
            : throw new AutogradException(ErrorKind.Value, "to() needs 'dtype'"))
    { Keywords = ["dtype"] };

    public static readonly CompositeOperator Contiguous = new("contiguous", call => call.Tensor(0).Contiguous());

    public static IEnumerable<Operator> All => [Clone, ToCopy, To, Contiguous];
}

public sealed partial class Tensor
{
    /// <summary>A copy in memory of its own.</summary>
    public Tensor Clone() => Copies.Clone.Apply(this);

    /// <summary>The elements converted; the tensor itself where it has the type.</summary>
    public Tensor To(DType dtype) => dtype == DType ? this : Copies.ToCopy.Apply(this, Attributes.Of("dtype", dtype.Name()));

    /// <summary>The elements in row-major order; the tensor itself where they are.</summary>
    public Tensor Contiguous() => IsContiguous ? this : ContiguousCopy();
}
