namespace Verified.Engine;

/// <summary>An operator that is made of others: its derivative is theirs, and so are its nodes, as with PyTorch's composite functions.</summary>
public sealed class CompositeOperator : Operator
{
    private readonly Func<OperatorCall, Tensor[]> apply;

    /// <summary>A function of a call.</summary>
    public CompositeOperator(string name, Func<OperatorCall, Tensor[]> apply)
        : base(name, null) => this.apply = apply;

    /// <summary>A function of a call with one result.</summary>
    public CompositeOperator(string name, Func<OperatorCall, Tensor> apply)
        : this(name, call => [apply(call)])
    {
    }

    /// <summary>The in-place twin, where there is one.</summary>
    public Func<OperatorCall, Tensor>? InPlace { get; init; }

    /// <inheritdoc/>
    public override Tensor[] Invoke(OperatorCall call)
    {
        CheckKeywords(this, call.Attributes);
        return apply(call);
    }

    /// <inheritdoc/>
    public override Tensor[] InvokeInPlace(OperatorCall call)
    {
        CheckKeywords(this, call.Attributes);
        return InPlace is null ? base.InvokeInPlace(call) : [InPlace(call)];
    }
}
