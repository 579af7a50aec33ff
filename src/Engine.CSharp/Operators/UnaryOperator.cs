using System.Runtime.CompilerServices;

namespace Verified.Engine;

/// <summary>Computes a pointwise function of one tensor.</summary>
/// <param name="x">The operand.</param>
/// <param name="attributes">What else was given.</param>
/// <param name="into">Where to write, with the operand's shape; or null for a new tensor.</param>
public delegate Tensor UnaryForward(Tensor x, Attributes attributes, Tensor? into);

/// <summary>A pointwise function of one tensor, with its derivative; the in-place twin follows from it.</summary>
public sealed class UnaryOperator : Operator
{
    private readonly UnaryForward forward;
    private readonly Rule rule;

    /// <summary>An operator and its derivative.</summary>
    public UnaryOperator(string name, UnaryForward forward, Rule rule, string? nodeName = null)
        : base(name, nodeName)
    {
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentNullException.ThrowIfNull(rule);
        this.forward = forward;
        this.rule = rule;
        HasInPlaceTwin = true;
    }

    /// <summary>The derivative.</summary>
    public Rule Rule => rule;

    /// <summary>The same operator with another derivative.</summary>
    public UnaryOperator WithRule(Rule other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new(Name, forward, other, NodeName) { Keywords = Keywords, HasInPlaceTwin = HasInPlaceTwin, Variant = Variant };
    }

    /// <inheritdoc/>
    public override Tensor[] Invoke(OperatorCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        CheckKeywords(this, call.Attributes);
        CheckCount(this, call, 1);
        return [Apply(call.Tensor(0), call.Attributes)];
    }

    /// <inheritdoc/>
    public override Tensor[] InvokeInPlace(OperatorCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        CheckKeywords(this, call.Attributes);
        CheckCount(this, call, 1);
        return [ApplyInPlace(call.Tensor(0), call.Attributes)];
    }

    /// <summary>The function's value, recorded where the operand requires a gradient.</summary>
    /// <param name="x">The operand.</param>
    /// <param name="attributes">What else is given.</param>
    /// <param name="named">What the caller calls the operand, for the error where it is null.</param>
    public Tensor Apply(Tensor x, Attributes? attributes = null, [CallerArgumentExpression(nameof(x))] string? named = null)
    {
        ArgumentNullException.ThrowIfNull(x, named ?? nameof(x));
        return Calls.Heard ? Heard(x, attributes) : Compute(x, attributes);
    }

    /// <summary>Writes the function's value over its operand.</summary>
    public Tensor ApplyInPlace(Tensor x, Attributes? attributes = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Calls.Heard ? HeardInPlace(x, attributes) : Write(x, attributes);
    }

    private Tensor Heard(Tensor x, Attributes? attributes) => Heard(false, [x], attributes, () => [Compute(x, attributes)])[0];

    private Tensor HeardInPlace(Tensor x, Attributes? attributes) => Heard(true, [x], attributes, () => [Write(x, attributes)])[0];

    private Tensor Compute(Tensor x, Attributes? attributes)
    {
        var records = GradMode.Records && x.RequiresGrad && rule.Derivative is not null;
        // A history that cannot be told is an error before any of the arguments is.
        var edge = records ? x.GradEdge : default;
        var y = forward(x, attributes ?? Attributes.None, null);
        if (!records || !y.DType.IsFloat()) return y;
        SavedValues? saved = null;
        // Also where no gradient will get any further (a view made with recording off): PyTorch keeps it, and notices writes to it.
        if (rule.Saves != Saved.None)
        {
            saved = new SavedValues(1);
            if ((rule.Saves & Saved.Input0) != 0) saved.SaveInput(0, x);
            if ((rule.Saves & Saved.Output) != 0) saved.SaveOutput(0, y);
        }
        y.SetNode(new Node(this, attributes, edge, default, 1, new OutputForm(y.Sizes, y.DType), saved), 0);
        return y;
    }

    private Tensor Write(Tensor x, Attributes? attributes)
    {
        var write = new InPlaceWrite(this, x, x.RequiresGrad);
        SavedValues? saved = null;
        var edge = write.Records ? x.GradEdge : default;
        if (write.Records && rule.Saves != Saved.None)
        {
            saved = new SavedValues(1);
            // The value before the write is needed, so it is kept as a copy, as PyTorch does.
            if ((rule.Saves & Saved.Input0) != 0) saved.SaveInput(0, x.Clone());
        }
        Overlap.CheckWritable(x);
        forward(x, attributes ?? Attributes.None, x);
        return write.Finish(new EdgeList(edge), attributes, saved, (rule.Saves & Saved.Output) != 0);
    }

    /// <inheritdoc/>
    internal override void Backward(BackwardContext context)
    {
        if (context.Needs(0) && context.Gradient(0) is { } g && rule.Derivative is { } derivative) context.Set(0, derivative(g, context));
    }
}
