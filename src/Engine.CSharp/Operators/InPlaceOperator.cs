using System.Runtime.CompilerServices;

namespace Verified.Engine;

/// <summary>An operator that exists in place only: <c>zero_</c>, <c>fill_</c>, <c>copy_</c>. Its name ends with an underscore.</summary>
public sealed class InPlaceOperator : Operator
{
    private readonly Action<Tensor, Tensor?[], Attributes> write;
    private readonly Rule[] rules;
    private readonly Saved shared;

    /// <summary>A write and its derivatives.</summary>
    /// <param name="name">PyTorch's name, with the underscore.</param>
    /// <param name="write">Writes into the first argument, given all arguments.</param>
    /// <param name="rules">The derivative for each argument, the written one first; they save inputs other than the first.</param>
    /// <param name="nodeName">PyTorch's name of the node, where it is not the usual one.</param>
    public InPlaceOperator(string name, Action<Tensor, Tensor?[], Attributes> write, Rule[] rules, string? nodeName = null)
        : base(name, nodeName)
    {
        ArgumentNullException.ThrowIfNull(write);
        ArgumentNullException.ThrowIfNull(rules);
        this.write = write;
        this.rules = rules;
        shared = Rule.Shared(rules);
    }

    /// <summary>Whether a write to memory that several elements share is refused; not for those that write one value everywhere.</summary>
    public bool ChecksOverlap { get; init; } = true;

    /// <summary>Whether what lies where the tensor does may be its second argument whatever its memory, since that changes nothing (<c>copy_</c>).</summary>
    public bool TakesItself { get; init; }

    /// <summary>The number of tensor arguments that must be there.</summary>
    public int Arity { get; init; }

    /// <summary>How PyTorch's arguments become inputs; by default as they stand.</summary>
    public Func<OperatorCall, Tensor?[]>? Bind { get; init; }

    /// <summary>What is asked of the arguments before it is seen whether memory overlaps.</summary>
    internal Action<Tensor?[]>? CheckArguments { get; init; }

    /// <summary>The shape of what is written, which the first argument must have; null where the write itself sees to it.</summary>
    public Func<Tensor?[], int[]>? Shape { get; init; }

    /// <inheritdoc/>
    public override Tensor[] Invoke(OperatorCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        CheckKeywords(this, call.Attributes);
        var inputs = Bind is not null ? Bind(call) : [.. call.Inputs.Select((_, i) => call.TensorOrNull(i))];
        return [Apply(inputs, call.Attributes)];
    }

    /// <summary>Writes into the first input and gives it back.</summary>
    /// <param name="inputs">The tensor written to, and what else the operator takes; null where one is left out.</param>
    /// <param name="attributes">What else is given.</param>
    /// <param name="named">The inputs as the caller writes them, for the error where one that must be there is null.</param>
    public Tensor Apply(Tensor?[] inputs, Attributes attributes, [CallerArgumentExpression(nameof(inputs))] string? named = null)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(attributes);
        CheckGiven(inputs, Arity, named);
        return Calls.Heard ? Heard(inputs, attributes) : Write(inputs, attributes);
    }

    private Tensor Heard(Tensor?[] inputs, Attributes attributes) => Heard(true, inputs, attributes, () => [Write(inputs, attributes)])[0];

    private Tensor Write(Tensor?[] inputs, Attributes attributes)
    {
        var self = inputs[0] ?? throw new AutogradException(ErrorKind.Value, $"{Name} needs a tensor to write to");
        var write = new InPlaceWrite(this, self, Array.Exists(inputs, t => t is { RequiresGrad: true }));
        var edges = new Edge[inputs.Length];
        SavedValues? saved = null;
        if (write.Records)
        {
            var saves = shared;
            for (var i = 0; i < inputs.Length; i++)
            {
                if (inputs[i] is not { RequiresGrad: true } input || rules[i].Derivative is null) continue;
                edges[i] = input.GradEdge;
                if (edges[i].Node is not null) saves |= rules[i].Saves;
            }
            if (Enumerable.Range(0, inputs.Length).Any(i => (saves & (Saved)(1 << i)) != 0 && inputs[i] is not null))
            {
                saved = new SavedValues(inputs.Length);
                for (var i = 0; i < inputs.Length; i++)
                    if ((saves & (Saved)(1 << i)) != 0 && inputs[i] is { } input) saved.SaveInput(i, i == 0 ? input.Clone() : input);
            }
        }
        CheckArguments?.Invoke(inputs);
        if (ChecksOverlap && !(TakesItself && inputs is [_, { } source] && Overlap.IsInTheSamePlace(self, source)))
        {
            Overlap.CheckWritable(self);
            for (var i = 1; i < inputs.Length; i++)
                if (inputs[i] is { } other) Overlap.CheckReadable(self, other);
        }
        if (Shape is not null) InPlaceChecks.Shape(self, Shape(inputs));
        this.write(self, inputs, attributes);
        return write.Finish(new EdgeList(edges), attributes, saved, savesOutput: false);
    }

    /// <inheritdoc/>
    internal override void Backward(BackwardContext context)
    {
        if (context.Gradient(0) is not { } g) return;
        for (var i = 0; i < context.Node.InputCount; i++)
            if (context.Needs(i) && rules[i].Derivative is { } derivative) context.Set(i, derivative(g, context));
    }
}
