namespace Verified.Engine;

/// <summary>
/// The history of a base after one of its views was written to: the gradient of the base passes unchanged except for the window that was written, which goes back
/// through the node of the write.
/// </summary>
internal static class CopySlices
{
    /// <summary>The operator of such nodes.</summary>
    public static readonly Operator Definition = new SlicesOperator();

    /// <summary>The base's new node after <paramref name="write"/> on <paramref name="view"/>.</summary>
    public static Node Wrap(Tensor @base, Tensor view, Node write)
    {
        var edges = new Edge[write.InputCount];
        edges[0] = @base.GradEdge;
        for (var i = 1; i < edges.Length; i++) edges[i] = write.Input(i);
        return new Node(
            Definition, AsStrided.Describe(view), edges, [new OutputForm(@base.Sizes, @base.DType)],
            // PyTorch lets go of the inner node once it has run, so a second backward is an error whether the write kept anything or not.
            write.Saved is { IsLazy: false } saved ? saved : new SavedValues(0), new State(write, new AsStrided.Window(view, @base)));
    }

    /// <summary>The node of the write, of which this node is the wrapping; null for other nodes.</summary>
    public static Node? Inner(Node node) => (node.State as State)?.Write;

    private sealed record State(Node Write, AsStrided.Window Window);

    private sealed class SlicesOperator : Operator
    {
        public SlicesOperator()
            : base("copy_slices", "torch::autograd::CopySlices")
        {
        }

        public override Tensor[] Invoke(OperatorCall call) => throw new AutogradException(ErrorKind.Unsupported, "copy_slices cannot be called");

        internal override void Backward(BackwardContext context)
        {
            if (context.Gradient(0) is not { } g) return;
            var (write, window) = (State)context.Node.State!;
            var whole = window.BaseLike(g.DType);
            whole.CopyInPlace(g);
            var slice = AsStrided.Apply(whole, window);

            var inner = new BackwardContext();
            inner.Open(write);
            // In row-major order, however the slice lies.
            inner.SetGradient(0, slice.IsContiguous ? slice.Clone() : slice.Contiguous());
            for (var i = 0; i < write.InputCount; i++) inner.SetNeeds(i, context.Needs(i));
            write.Operator.Backward(inner);

            for (var i = 1; i < write.InputCount; i++) context.Set(i, inner.Result(i));
            if (!context.Needs(0)) return;
            // The write's own rule may answer in the shape that broadcasting gave it, or with nothing.
            if (inner.Result(0) is { } before) slice.CopyInPlace(GradientShape.Fit(before, new OutputForm(window.Sizes, g.DType), write, 0));
            else slice.ZeroInPlace();
            context.Set(0, whole);
        }
    }
}
