using System.Runtime.CompilerServices;

namespace Verified.Engine;

/// <summary>Computes a pointwise function of two tensors that broadcast.</summary>
/// <param name="a">The first operand.</param>
/// <param name="b">The second operand.</param>
/// <param name="attributes">What else was given.</param>
/// <param name="into">Where to write, with the broadcast shape; or null for a new tensor.</param>
public delegate Tensor BinaryForward(Tensor a, Tensor b, Attributes attributes, Tensor? into);

/// <summary>A pointwise function of two tensors, with its two derivatives; broadcasting backwards and the in-place twin follow from it.</summary>
public sealed class BinaryOperator : Operator
{
    private readonly BinaryForward forward;
    // Set on a copy alone (WithRules).
    private Rule left;
    private Rule right;

    /// <summary>An operator and its derivatives.</summary>
    /// <param name="name">PyTorch's name.</param>
    /// <param name="forward">The kernel.</param>
    /// <param name="left">The derivative for the first operand.</param>
    /// <param name="right">The derivative for the second.</param>
    /// <param name="nodeName">PyTorch's name of the node, where it is not the usual one.</param>
    public BinaryOperator(string name, BinaryForward forward, Rule left, Rule right, string? nodeName = null)
        : base(name, nodeName)
    {
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        this.forward = forward;
        this.left = left;
        this.right = right;
        HasInPlaceTwin = true;
        NumberKeywords = [null, "other"];
    }

    /// <summary>What is asked of the operands before it is seen whether the first one can be written to.</summary>
    internal Action<Tensor, Tensor>? CheckOperands { get; init; }

    /// <summary>What is saved where it depends on the second operand, from what the rules name.</summary>
    internal Func<Tensor, Saved, Saved>? Keeps { get; init; }

    // Null where no number may stand for an operand.
    private string? NumberKeyword => NumberKeywords.Count > 1 ? NumberKeywords[1] : null;

    /// <summary>The derivative for the first operand.</summary>
    public Rule Left => left;

    /// <summary>The derivative for the second operand.</summary>
    public Rule Right => right;

    /// <summary>The same operator with other derivatives.</summary>
    public BinaryOperator WithRules(Rule first, Rule second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        var copy = (BinaryOperator)MemberwiseClone();
        (copy.left, copy.right) = (first, second);
        return copy;
    }

    /// <inheritdoc/>
    public override Tensor[] Invoke(OperatorCall call)
    {
        var (a, b, attributes) = Bind(call);
        return [Apply(a, b, attributes)];
    }

    /// <inheritdoc/>
    public override Tensor[] InvokeInPlace(OperatorCall call)
    {
        var (a, b, attributes) = Bind(call);
        return [ApplyInPlace(a, b, attributes)];
    }

    /// <summary>The function's value, recorded where an operand requires a gradient.</summary>
    /// <param name="a">The first operand.</param>
    /// <param name="b">The second operand, of a shape that broadcasts with the first one's.</param>
    /// <param name="attributes">What else is given.</param>
    /// <param name="namedA">What the caller calls the first operand, for the error where it is null.</param>
    /// <param name="namedB">The same of the second.</param>
    public Tensor Apply(
        Tensor a,
        Tensor b,
        Attributes? attributes = null,
        [CallerArgumentExpression(nameof(a))] string? namedA = null,
        [CallerArgumentExpression(nameof(b))] string? namedB = null)
    {
        ArgumentNullException.ThrowIfNull(a, namedA ?? nameof(a));
        ArgumentNullException.ThrowIfNull(b, namedB ?? nameof(b));
        return Calls.Heard ? Heard(a, b, attributes) : Compute(a, b, attributes);
    }

    /// <summary>Writes the function's value over its first operand, whose shape and type must hold it.</summary>
    /// <inheritdoc cref="Apply"/>
    public Tensor ApplyInPlace(
        Tensor a,
        Tensor b,
        Attributes? attributes = null,
        [CallerArgumentExpression(nameof(a))] string? namedA = null,
        [CallerArgumentExpression(nameof(b))] string? namedB = null)
    {
        ArgumentNullException.ThrowIfNull(a, namedA ?? nameof(a));
        ArgumentNullException.ThrowIfNull(b, namedB ?? nameof(b));
        return Calls.Heard ? HeardInPlace(a, b, attributes) : Write(a, b, attributes);
    }

    private Tensor Heard(Tensor a, Tensor b, Attributes? attributes) => Heard(false, [a, b], attributes, () => [Compute(a, b, attributes)])[0];

    private Tensor HeardInPlace(Tensor a, Tensor b, Attributes? attributes) => Heard(true, [a, b], attributes, () => [Write(a, b, attributes)])[0];

    private Tensor Compute(Tensor a, Tensor b, Attributes? attributes)
    {
        bool records = GradMode.Records && IsDifferentiable, needsA = records && a.RequiresGrad, needsB = records && b.RequiresGrad;
        // A history that cannot be told is an error before any of the arguments is.
        var edgeA = needsA ? a.GradEdge : default;
        var edgeB = needsB ? b.GradEdge : default;
        if (!(needsA || needsB)) return forward(a, b, attributes ?? Attributes.None, null);
        var saves = Kept(edgeA, edgeB);
        if (Keeps is not null) saves = Keeps(b, saves);
        // PyTorch keeps, and so complains, before it computes.
        var saved = SaveOperands(saves, a, b);
        var y = forward(a, b, attributes ?? Attributes.None, null);
        if (!y.DType.IsFloat()) return y;
        if (NumberKeyword is { } named && (a.IsWrappedNumber || b.IsWrappedNumber)) attributes = WithNumber(a, b, named, attributes);
        if ((saves & Saved.Output) != 0) saved!.SaveOutput(0, y);
        y.SetNode(new Node(this, attributes, edgeA, edgeB, 2, new OutputForm(y.Sizes, y.DType), saved), 0);
        return y;
    }

    private Tensor Write(Tensor a, Tensor b, Attributes? attributes)
    {
        bool needsA = a.RequiresGrad, needsB = b.RequiresGrad;
        var write = new InPlaceWrite(this, a, needsA || needsB);
        SavedValues? saved = null;
        Edge edgeA = default, edgeB = default;
        var saves = Saved.None;
        if (write.Records)
        {
            if (NumberKeyword is { } named && b.IsWrappedNumber) attributes = WithNumber(a, b, named, attributes);
            edgeA = needsA ? a.GradEdge : default;
            edgeB = needsB ? b.GradEdge : default;
            saves = Kept(edgeA, edgeB);
            if (Keeps is not null) saves = Keeps(b, saves);
            saved = SaveOperands(saves, (saves & Saved.Input0) != 0 ? a.Clone() : a, b);
        }
        CheckOperands?.Invoke(a, b);
        Overlap.CheckWritable(a);
        Overlap.CheckReadable(a, b);
        InPlaceChecks.Shape(a, Shapes.Broadcast(a.Sizes, b.Sizes));
        forward(a, b, attributes ?? Attributes.None, a);
        return write.Finish(new EdgeList(edgeA, edgeB), attributes, saved, (saves & Saved.Output) != 0);
    }

    /// <inheritdoc/>
    internal override void Backward(BackwardContext context)
    {
        if (context.Gradient(0) is not { } g) return;
        // In the order in which PyTorch makes them, which is that of its names for the operands.
        var first = KeptOrder is [1, 0] ? 1 : 0;
        for (var k = 0; k < 2; k++)
        {
            var i = first ^ k;
            if (context.Needs(i) && (i == 0 ? left : right).Derivative is { } derivative) context.Set(i, derivative(g, context));
        }
    }

    private bool IsDifferentiable => left.Derivative is not null || right.Derivative is not null;

    /// <summary>As PyTorch keeps it: what one operand's derivative alone reads, where its gradient gets any further; what both read, always.</summary>
    private Saved Kept(Edge a, Edge b) =>
        (left.Saves & right.Saves) | (a.Node is null ? Saved.None : left.Saves) | (b.Node is null ? Saved.None : right.Saves);

    private static SavedValues? SaveOperands(Saved saves, Tensor a, Tensor b)
    {
        if (saves == Saved.None) return null;
        var saved = new SavedValues(2);
        if ((saves & Saved.Input0) != 0) saved.SaveInput(0, a);
        if ((saves & Saved.Input1) != 0) saved.SaveInput(1, b);
        return saved;
    }

    /// <summary>A node's attributes name the number that stood for an operand, so that the tape tells the whole call.</summary>
    private static Attributes WithNumber(Tensor a, Tensor b, string named, Attributes? attributes)
    {
        var (keyword, number) = b.IsWrappedNumber ? (named, b) : ("self", a);
        if (attributes is not null && attributes.Has(keyword)) return attributes;
        var value = number.AsAttribute();
        return attributes is null
            ? Attributes.Of(keyword, value)
            : Attributes.From(attributes.Append(new KeyValuePair<string, object?>(keyword, value)));
    }

    private (Tensor A, Tensor B, Attributes Attributes) Bind(OperatorCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        CheckCount(this, call, 2);
        var attributes = call.Attributes;
        foreach (var (name, _) in attributes)
        {
            if ((NumberKeyword is null || (name != NumberKeyword && name != "self")) && !Keywords.Contains(name))
                throw new AutogradException(ErrorKind.Value, $"{Name}() got an unexpected keyword argument '{name}'");
        }
        if (NumberKeyword is not { } named) return (call.Tensor(0), call.Tensor(1), attributes);
        CheckNumbers(call);
        if (attributes.Number("self") is { } number) return (number, call.Tensor(0), attributes);
        var b = call.TensorOrNull(1) ?? attributes.Number(named)
            ?? throw new AutogradException(ErrorKind.Value, $"{Name}() needs a second operand: a tensor or '{named}'");
        return (call.Tensor(0), b, attributes);
    }
}
