namespace Verified.Engine;

/// <summary>How gradients arrive in <see cref="Tensor.Grad"/>: PyTorch's AccumulateGrad.</summary>
internal static class Accumulation
{
    /// <summary>The operator of the nodes that stand for leaves; their state is the leaf.</summary>
    public static readonly Operator Definition = new LeafOperator();

    /// <summary>The leaf that a node stands for; null where it stands for none.</summary>
    public static Tensor? LeafOf(Node node) => ReferenceEquals(node.Operator, Definition) ? (Tensor?)node.State : null;

    /// <summary>
    /// Adds a gradient to a leaf's: in place while nothing records, out of place under createGraph. The first one is taken over if nobody else can hold it
    /// (<paramref name="exclusive"/>) and it lies in memory as the leaf does, otherwise copied.
    /// </summary>
    public static void Add(Tensor leaf, Tensor gradient, bool exclusive)
    {
        if (leaf.GradNode is not null) throw new AutogradException(ErrorKind.Other, "leaf variable has been moved into the graph interior");
        if (!leaf.RequiresGrad) return;
        var state = leaf.State;
        lock (state)
        {
            if (!GradMode.Records || state.Grad is null) gradient = Fitted(gradient, state.Grad ?? leaf);
            if (state.Grad is not { } old)
            {
                state.Grad = !GradMode.Records && exclusive && HasLayoutOf(gradient, leaf) && IsWhole(gradient) ? gradient.Detach() : CopyLike(gradient, leaf);
            }
            else if (!GradMode.Records)
            {
                // Only a gradient that was assigned can repeat elements; a scalar cannot.
                if (old.Rank > 0) Overlap.CheckWritable(old);
                Elementwise.AddInto(old, gradient);
                Views.CountWrite(old);
            }
            else
            {
                state.Grad = old + gradient;
            }
        }
        foreach (var hook in state.AfterAccumulation) hook.Of<Action<Tensor>>()?.Invoke(leaf);
    }

    /// <summary>Adds the gradient of a computed tensor that retains it: the first as a copy in row-major order.</summary>
    public static void Retain(Tensor tensor, Tensor gradient)
    {
        var state = tensor.State;
        lock (state) state.Grad = state.Grad is null ? Laid(gradient, Shapes.ContiguousStrides(gradient.Sizes)) : state.Grad + gradient;
    }

    /// <summary>A gradient as what it is written to can take it: the leaf, or the gradient that it has, may have been given another shape since the graph was made.</summary>
    private static Tensor Fitted(Tensor gradient, Tensor target)
    {
        if (Shapes.Same(target.Sizes, gradient.Sizes)) return gradient;
        InPlaceChecks.Shape(target, Shapes.Broadcast(target.Sizes, gradient.Sizes));
        return gradient.Expand(target.Sizes);
    }

    private static Tensor CopyLike(Tensor gradient, Tensor leaf)
    {
        if (HasLayoutOf(gradient, leaf)) return gradient.Clone();
        return Laid(gradient, Overlap.IsNonOverlappingAndDense(leaf) ? leaf.Steps : Shapes.ContiguousStrides(leaf.Sizes));
    }

    private static Tensor Laid(Tensor gradient, int[] strides) => Copies.Clone.Apply(gradient, Attributes.Of("strides", strides));

    /// <summary>PyTorch's layout contract: a dense leaf's gradient has its strides, any other leaf's is row-major.</summary>
    private static bool HasLayoutOf(Tensor gradient, Tensor leaf)
    {
        if (!leaf.IsContiguous && Overlap.IsNonOverlappingAndDense(leaf)) return gradient.Steps.AsSpan().SequenceEqual(leaf.Steps);
        return gradient.IsContiguous;
    }

    /// <summary>Whether the gradient is all of its memory: a part would keep the rest alive.</summary>
    private static bool IsWhole(Tensor gradient) => (long)gradient.Count * gradient.DType.Size() == gradient.Storage.ByteLength;

    private sealed class LeafOperator : Operator
    {
        public LeafOperator()
            : base("accumulate_grad", "torch::autograd::AccumulateGrad")
        {
        }

        public override Tensor[] Invoke(OperatorCall call) => throw new AutogradException(ErrorKind.Unsupported, "accumulate_grad cannot be called");
    }
}
