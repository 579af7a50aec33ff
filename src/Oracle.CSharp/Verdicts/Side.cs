using Verified.Spec;

namespace Verified.Oracle;

/// <summary>One side of a comparison: what the specification, or what the engine, has in the respect in which they are compared.</summary>
public abstract record Side
{
    private Side() { }

    /// <summary>An element of a float tensor.</summary>
    public sealed record Element(double Value) : Side;

    /// <summary>An element of a tensor of integers or booleans.</summary>
    public sealed record Whole(long Value) : Side;

    /// <summary>No tensor: a gradient that no path leads to.</summary>
    public sealed record Null : Side;

    /// <summary>A tensor, in the place of null.</summary>
    public sealed record Present(Shape Of, bool IsZeros) : Side;

    /// <summary>A tensor's dtype.</summary>
    public sealed record Type(DType DType) : Side;

    /// <summary>A tensor's shape.</summary>
    public sealed record Shape(IReadOnlyList<int> Sizes) : Side
    {
        /// <inheritdoc/>
        public bool Equals(Shape? other) => other is not null && Sizes.SequenceEqual(other.Sizes);

        /// <inheritdoc/>
        public override int GetHashCode() => Sizes.Aggregate(Sizes.Count, HashCode.Combine);
    }

    /// <summary>requires_grad, or is_leaf.</summary>
    public sealed record Flag(bool Value) : Side;

    /// <summary>How often a tensor was written to.</summary>
    public sealed record Version(int Writes) : Side;

    /// <summary>Whether a tensor has a grad_fn: its name does not count.</summary>
    public sealed record GradFn(bool IsNode) : Side;

    /// <summary>The error that a program ended in.</summary>
    public sealed record Error(Raised Raised) : Side;

    /// <summary>The text of that error.</summary>
    public sealed record Text(string Message) : Side;
}
