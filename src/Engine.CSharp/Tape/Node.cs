namespace Verified.Engine;

/// <summary>What a node knows about one of its outputs: a gradient that flows into it is brought to this shape and type.</summary>
/// <param name="Shape">The output's sizes.</param>
/// <param name="DType">The output's element type.</param>
internal readonly record struct OutputForm(int[] Shape, DType DType);

/// <summary>
/// One recorded operation. It never changes: what changes over time (hooks, retained gradients, which node a tensor points at) belongs to the tensor's handle,
/// and the values that the derivative needs are held through a <see cref="SavedValues"/> lease that a backward may end.
/// </summary>
public sealed class Node
{
    private static long counter;

    private readonly Edge first;
    private readonly Edge second;
    private readonly Edge[]? edges;
    private readonly OutputForm form;
    private readonly OutputForm[]? forms;

    /// <summary>A node of one or two inputs and one output.</summary>
    internal Node(Operator op, Attributes? attributes, Edge first, Edge second, int inputs, OutputForm form, SavedValues? saved)
    {
        Operator = op;
        Attributes = attributes;
        this.first = first;
        this.second = second;
        InputCount = inputs;
        this.form = form;
        Saved = saved;
        Sequence = Interlocked.Increment(ref counter);
        if (GradMode.DetectsAnomalies) Anomaly.Remember(this);
    }

    /// <summary>A node of any numbers of inputs and outputs.</summary>
    internal Node(Operator op, Attributes? attributes, Edge[] edges, OutputForm[] forms, SavedValues? saved, object? state = null)
    {
        Operator = op;
        Attributes = attributes;
        this.edges = edges;
        InputCount = edges.Length;
        this.forms = forms;
        form = forms[0];
        Saved = saved;
        State = state;
        Sequence = Interlocked.Increment(ref counter);
        if (GradMode.DetectsAnomalies) Anomaly.Remember(this);
    }

    /// <summary>The number of the node that was recorded last.</summary>
    internal static long LastSequence => Interlocked.Read(ref counter);

    /// <summary>The operator that was applied.</summary>
    public Operator Operator { get; }

    /// <summary>What the operator was given besides tensors; null where nothing was.</summary>
    public Attributes? Attributes { get; }

    /// <summary>The node's place in the order of recording: later nodes have larger numbers.</summary>
    public long Sequence { get; }

    /// <summary>PyTorch's name of the node, such as <c>MulBackward0</c>.</summary>
    public string Name => Operator.NameOf(this);

    /// <summary>The number of tensor inputs, those without a gradient included.</summary>
    public int InputCount { get; }

    /// <summary>The number of outputs.</summary>
    public int OutputCount => forms?.Length ?? 1;

    /// <summary>The saved values, or null where the derivative needs none.</summary>
    internal SavedValues? Saved { get; }

    /// <summary>What only the operator itself understands, such as the inner node of a rewritten history.</summary>
    internal object? State { get; }

    /// <summary>Whether the derivative is a user's code, that of the write which it wraps included: what it was given or gave it may have kept.</summary>
    internal bool IsForeign => Operator.IsForeign || CopySlices.Inner(this) is { Operator.IsForeign: true };

    /// <summary>
    /// Calls a function with the gradients of this node's outputs before its derivative is computed, after the hooks on the outputs themselves; what it returns, if not null,
    /// takes their place. Not called where a gradient is only asked for at this node (<see cref="Autograd.Grad"/>).
    /// </summary>
    public HookHandle RegisterPrehook(Func<IReadOnlyList<Tensor?>, IReadOnlyList<Tensor?>?> hook)
    {
        ArgumentNullException.ThrowIfNull(hook);
        return HookTable.For(this).AddBefore(hook);
    }

    /// <summary>
    /// Calls a function with the gradients that this node's derivative gave for its inputs, and the gradients of its outputs from which it did; what it returns, if not null,
    /// takes the place of the former.
    /// </summary>
    public HookHandle RegisterHook(Func<IReadOnlyList<Tensor?>, IReadOnlyList<Tensor?>, IReadOnlyList<Tensor?>?> hook)
    {
        ArgumentNullException.ThrowIfNull(hook);
        return HookTable.For(this).AddAfter(hook);
    }

    /// <summary>Where the gradient of an input flows to.</summary>
    public Edge Input(int index) => edges is not null ? edges[index] : index == 0 ? first : second;

    /// <summary>The sizes of an output.</summary>
    public ReadOnlySpan<int> OutputShape(int output) => Form(output).Shape;

    /// <summary>The element type of an output.</summary>
    public DType OutputDType(int output) => Form(output).DType;

    internal OutputForm Form(int output) => forms is null ? form : forms[output];

    /// <inheritdoc/>
    public override string ToString() => $"<{Name}>";
}
