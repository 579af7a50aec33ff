namespace Verified.Engine;

/// <summary>An operator that is made of others: its derivative is theirs, and so are its nodes, as with PyTorch's composite functions. A call of it is heard as one.</summary>
public sealed class CompositeOperator : Operator
{
    private readonly Func<OperatorCall, Tensor[]> apply;

    /// <summary>A function of a call.</summary>
    public CompositeOperator(string name, Func<OperatorCall, Tensor[]> apply)
        : base(name, null)
    {
        ArgumentNullException.ThrowIfNull(apply);
        this.apply = apply;
    }

    /// <summary>A function of a call with one result.</summary>
    public CompositeOperator(string name, Func<OperatorCall, Tensor> apply)
        : this(name, call => [apply(call)]) => ArgumentNullException.ThrowIfNull(apply);

    /// <summary>The in-place twin, where there is one.</summary>
    public Func<OperatorCall, Tensor>? InPlace { get; init; }

    /// <inheritdoc/>
    public override Tensor[] Invoke(OperatorCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        CheckKeywords(this, call.Attributes);
        return Calls.Heard ? Calls.Run(new MadeCall(Name, call) { Operator = this }, () => apply(call)) : apply(call);
    }

    /// <inheritdoc/>
    public override Tensor[] InvokeInPlace(OperatorCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        CheckKeywords(this, call.Attributes);
        if (InPlace is null) return base.InvokeInPlace(call);
        return Calls.Heard ? Calls.Run(new MadeCall(Name + "_", call) { Operator = this }, () => (Tensor[])[InPlace(call)]) : [InPlace(call)];
    }

    /// <summary>Applies the operator to tensors; its one result.</summary>
    internal Tensor Apply(Tensor?[] inputs, Attributes? attributes = null) => Invoke(new OperatorCall(inputs, attributes ?? Attributes.None))[0];
}
