namespace Verified.Engine;

/// <summary>An operator whose results are windows on its input's memory.</summary>
public sealed class ViewOperator : Operator
{
    private readonly Func<Tensor, Attributes, Tensor[]> window;
    private readonly Action<BackwardContext> backward;
    private readonly bool multiple;

    /// <summary>A view.</summary>
    /// <param name="name">PyTorch's name.</param>
    /// <param name="window">The window, made with <see cref="Tensor.Window"/>.</param>
    /// <param name="rule">The derivative; it saves nothing.</param>
    /// <param name="nodeName">PyTorch's name of the node, where it is not the usual one.</param>
    public ViewOperator(string name, Func<Tensor, Attributes, Tensor> window, Func<Tensor, BackwardContext, Tensor?> rule, string? nodeName = null)
        : base(name, nodeName)
    {
        ArgumentNullException.ThrowIfNull(window);
        ArgumentNullException.ThrowIfNull(rule);
        this.window = (x, attributes) => [window(x, attributes)];
        backward = context =>
        {
            if (context.Gradient(0) is { } g) context.Set(0, rule(g, context));
        };
    }

    /// <summary>Several views of one tensor, which may not be written to.</summary>
    public ViewOperator(string name, Func<Tensor, Attributes, Tensor[]> windows, Action<BackwardContext> backward, string? nodeName = null)
        : base(name, nodeName)
    {
        ArgumentNullException.ThrowIfNull(windows);
        ArgumentNullException.ThrowIfNull(backward);
        window = windows;
        this.backward = backward;
        multiple = true;
    }

    /// <inheritdoc/>
    public override Tensor[] Invoke(OperatorCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        CheckKeywords(this, call.Attributes);
        CheckCount(this, call, 1);
        return ApplyAll(call.Tensor(0), call.Attributes);
    }

    /// <summary>The single view.</summary>
    public Tensor Apply(Tensor x, Attributes? attributes = null) => ApplyAll(x, attributes ?? Attributes.None)[0];

    /// <summary>The views, recorded where the input requires a gradient.</summary>
    public Tensor[] ApplyAll(Tensor x, Attributes attributes)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(attributes);
        return Calls.Heard ? Heard(x, attributes) : Compute(x, attributes);
    }

    private Tensor[] Heard(Tensor x, Attributes attributes) => Heard(false, [x], attributes, () => Compute(x, attributes));

    private Tensor[] Compute(Tensor x, Attributes attributes)
    {
        // A history that cannot be told is an error before any of the arguments is.
        Edge? history = GradMode.Records && x.RequiresGrad && x.DType.IsFloat() ? x.GradEdge : null;
        var views = window(x, attributes);
        var node = history is not null && views.Length > 0
            ? new Node(this, attributes, [history.Value], Array.ConvertAll(views, v => new OutputForm(v.Sizes, v.DType)), null)
            : null;
        for (var i = 0; i < views.Length; i++)
        {
            if (node is not null) views[i].SetNode(node, i);
            Views.Register(views[i], x, multiple);
        }
        return views;
    }

    /// <inheritdoc/>
    internal override void Backward(BackwardContext context)
    {
        if (context.Needs(0)) backward(context);
    }
}
