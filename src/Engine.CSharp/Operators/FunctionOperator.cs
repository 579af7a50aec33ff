using System.Runtime.CompilerServices;

namespace Verified.Engine;

/// <summary>Computes an operator of any number of tensors.</summary>
/// <param name="inputs">The tensor arguments; null where one was left out.</param>
/// <param name="attributes">What else was given.</param>
/// <returns>New tensors, off the tape.</returns>
public delegate Tensor[] FunctionForward(Tensor?[] inputs, Attributes attributes);

/// <summary>An operator of any number of tensors, with a derivative for each: reductions, products, indexing, fused functions.</summary>
public sealed class FunctionOperator : Operator
{
    private readonly FunctionForward forward;
    // Set on a copy alone (WithRules).
    private Rule[] rules;

    /// <summary>An operator of several results.</summary>
    /// <param name="name">PyTorch's name.</param>
    /// <param name="forward">The kernel.</param>
    /// <param name="rules">The derivative for each input; the last one serves all inputs behind it.</param>
    /// <param name="nodeName">PyTorch's name of the node, where it is not the usual one.</param>
    public FunctionOperator(string name, FunctionForward forward, Rule[] rules, string? nodeName = null)
        : base(name, nodeName)
    {
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentNullException.ThrowIfNull(rules);
        this.forward = forward;
        this.rules = rules;
    }

    /// <summary>An operator of one input and one result.</summary>
    public FunctionOperator(string name, Func<Tensor, Attributes, Tensor> forward, Rule rule, string? nodeName = null)
        : this(name, (inputs, attributes) => [forward(inputs[0]!, attributes)], [rule], nodeName)
    {
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentNullException.ThrowIfNull(rule);
    }

    /// <summary>An operator of several inputs and one result.</summary>
    public FunctionOperator(string name, Func<Tensor?[], Attributes, Tensor> forward, Rule[] rules, string? nodeName = null)
        : this(name, (inputs, attributes) => [forward(inputs, attributes)], rules, nodeName) => ArgumentNullException.ThrowIfNull(forward);

    /// <summary>How PyTorch's arguments become inputs; by default as they stand, a list spread out.</summary>
    public Func<OperatorCall, Tensor?[]>? Bind { get; init; }

    /// <summary>The inverse of <see cref="Bind"/>, and of spreading a list out: how a program writes the inputs; by default as they stand.</summary>
    public Func<Tensor?[], object?[]>? Unbind { get; init; }

    /// <summary>
    /// Where one formula gives the gradients of all inputs (<c>cat</c>, <c>layer_norm</c>): called in the place of the rules, whose <see cref="Rule.Saves"/> still say what is saved.
    /// It uses <see cref="BackwardContext.Needs"/> and <see cref="BackwardContext.Set"/>.
    /// </summary>
    public Action<BackwardContext>? BackwardAll { get; init; }

    /// <summary>Whether an in-place write to memory that several elements share is refused. Where it is not, a number is read before anything is written.</summary>
    public bool ChecksOverlap { get; init; } = true;

    /// <summary>
    /// For an in-place write: what is asked of the arguments first, and that they lie apart from what is written, where it is not the usual check that they
    /// are the very same elements or none of them.
    /// </summary>
    public Action<Tensor?[], Attributes>? CheckArguments { get; init; }

    /// <summary>What is asked of the arguments before the histories of the inputs, as PyTorch does before it calls what records; the rest is for the kernel to ask.</summary>
    internal Action<Tensor?[], Attributes>? CheckFirst { get; init; }

    /// <summary>What a node keeps of its inputs besides saved values, such as their shapes; found again as the node's state.</summary>
    internal Func<Tensor?[], object>? Remember { get; init; }

    /// <summary>The number of tensor arguments that must be there; -1 where any number may.</summary>
    public int Arity { get; init; } = -1;

    /// <summary>The number of tensor arguments that may follow those.</summary>
    public int Optional { get; init; }

    /// <summary>What is saved where that depends on the call; by default what the rules of the inputs that require a gradient say.</summary>
    internal Func<Tensor?[], Attributes, Saved>? Keeps { get; init; }

    /// <summary>How many of the last inputs are not saved, whatever the rules name.</summary>
    internal int NeverSaved { get; init; }

    /// <summary>What is saved whichever input requires a gradient: PyTorch's derivatives of derivatives keep what they read even where nothing comes of it.</summary>
    internal Saved KeepsAnyway { get; init; }

    /// <summary>Inputs that must not require a gradient, since there is none for them, each with PyTorch's name of it.</summary>
    public IReadOnlyList<(int Input, string Name)> Undifferentiated { get; init; } = [];

    /// <summary>How many of the results a caller sees; those behind them are kept for the derivative alone (<c>max_pool2d</c>'s places).</summary>
    public int Visible { get; init; } = int.MaxValue;

    /// <summary>The derivative for the first input where it depends on the attributes, as for <c>max</c> with and without a dimension; null: the usual one.</summary>
    public Func<Attributes, Rule?>? RuleOf { get; init; }

    /// <summary>How to write in place into memory that several elements may share, where that is allowed; null: as anywhere else.</summary>
    internal Action<Tensor, Tensor?[]>? WriteShared { get; init; }

    /// <summary>The derivatives.</summary>
    public IReadOnlyList<Rule> Rules => rules;

    /// <summary>The same operator with other derivatives.</summary>
    public FunctionOperator WithRules(params Rule[] others)
    {
        ArgumentNullException.ThrowIfNull(others);
        var copy = (FunctionOperator)MemberwiseClone();
        copy.rules = others;
        return copy;
    }

    /// <inheritdoc/>
    public override Tensor[] Invoke(OperatorCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        CheckKeywords(this, call.Attributes);
        var results = Apply(Inputs(call), call.Attributes);
        return results.Length > Visible ? results[..Visible] : results;
    }

    /// <inheritdoc/>
    public override Tensor[] InvokeInPlace(OperatorCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        if (!HasInPlaceTwin) return base.InvokeInPlace(call);
        CheckKeywords(this, call.Attributes);
        return [ApplyInPlace(Inputs(call), call.Attributes)];
    }

    /// <summary>The single result of an operator of one input.</summary>
    public Tensor Apply(Tensor input, Attributes? attributes = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Apply([input], attributes ?? Attributes.None)[0];
    }

    /// <summary>The results, recorded where an input requires a gradient.</summary>
    /// <param name="inputs">The tensors; null where one is left out.</param>
    /// <param name="attributes">What else is given.</param>
    /// <param name="named">The inputs as the caller writes them, for the error where one that must be there is null.</param>
    public Tensor[] Apply(Tensor?[] inputs, Attributes attributes, [CallerArgumentExpression(nameof(inputs))] string? named = null)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(attributes);
        CheckGiven(inputs, Arity, named);
        return Calls.Heard ? Heard(inputs, attributes) : Compute(inputs, attributes);
    }

    /// <summary>Writes the single result over the first input.</summary>
    /// <inheritdoc cref="Apply(Tensor?[], Attributes, string?)"/>
    public Tensor ApplyInPlace(Tensor?[] inputs, Attributes attributes, [CallerArgumentExpression(nameof(inputs))] string? named = null)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(attributes);
        CheckGiven(inputs, Math.Max(Arity, 1), named);
        return Calls.Heard ? HeardInPlace(inputs, attributes) : Write(inputs, attributes);
    }

    private Tensor[] Heard(Tensor?[] inputs, Attributes attributes) => Heard(false, inputs, attributes, () => Compute(inputs, attributes));

    private Tensor HeardInPlace(Tensor?[] inputs, Attributes attributes) => Heard(true, inputs, attributes, () => [Write(inputs, attributes)])[0];

    private Tensor[] Compute(Tensor?[] inputs, Attributes attributes)
    {
        CheckFirst?.Invoke(inputs, attributes);
        var records = GradMode.Records && AnyRequiresGrad(inputs);
        // A history that cannot be told is an error before any of the arguments is.
        var (edges, saves) = records ? Edges(inputs, attributes) : ([], Saved.None);
        // PyTorch keeps, and so complains, before it computes.
        var saved = SaveInputs(ref saves, inputs, attributes);
        var results = forward(inputs, attributes);
        if (!records || !Array.Exists(results, r => r.DType.IsFloat())) return results;
        var node = new Node(this, attributes, edges, Array.ConvertAll(results, r => new OutputForm(r.Sizes, r.DType)), saved, Remember?.Invoke(inputs));
        for (var i = 0; i < results.Length; i++)
        {
            if (saved is not null && (saves & (Saved)((int)Saved.Output << i)) != 0) saved.SaveOutput(i, results[i]);
            if (results[i].DType.IsFloat()) results[i].SetNode(node, i);
        }
        return results;
    }

    private Tensor Write(Tensor?[] inputs, Attributes attributes)
    {
        var self = inputs[0]!;
        var write = new InPlaceWrite(this, self, AnyRequiresGrad(inputs));
        Edge[] edges = [];
        var saves = Saved.None;
        SavedValues? saved = null;
        if (write.Records)
        {
            (edges, saves) = Edges(inputs, attributes);
            saved = SaveInputs(ref saves, inputs, attributes, copySelf: true);
        }
        CheckArguments?.Invoke(inputs, attributes);
        if (ChecksOverlap) Overlap.CheckWritable(self);
        if (CheckArguments is null)
            for (var i = 1; i < inputs.Length; i++)
                if (inputs[i] is { } other && (ChecksOverlap || other.Rank > 0)) Overlap.CheckReadable(self, other);
        var result = forward(inputs, attributes)[0];
        InPlaceChecks.Shape(self, result.Sizes);
        InPlaceChecks.DType(self, result.DType);
        if (WriteShared is not null && !Overlap.IsNonOverlappingAndDense(self)) WriteShared(self, inputs);
        else Copying.Copy(result, self);
        return write.Finish(new EdgeList(edges), attributes, saved, (saves & Saved.Output) != 0);
    }

    /// <inheritdoc/>
    internal override void Backward(BackwardContext context)
    {
        if (BackwardAll is not null)
        {
            for (var i = 0; i < context.Node.OutputCount; i++)
            {
                if (context.Gradient(i) is null) continue;
                BackwardAll(context);
                return;
            }
            return;
        }
        if (context.Gradient(0) is not { } g) return;
        for (var k = 0; k < context.Node.InputCount; k++)
        {
            var i = k < KeptOrder.Length ? KeptOrder[k] : k;
            if (context.Needs(i) && RuleFor(i, context.Node.Attributes).Derivative is { } derivative) context.Set(i, derivative(g, context));
        }
    }

    private protected override IReadOnlyList<object?> ToArguments(Tensor?[] inputs) => Unbind?.Invoke(inputs) ?? inputs;

    private protected override int VisibleResults => Visible;

    private void CheckDifferentiated(Tensor?[] inputs)
    {
        foreach (var (input, name) in Undifferentiated)
        {
            if (input >= inputs.Length || inputs[input] is not { RequiresGrad: true }) continue;
            throw new AutogradException(
                ErrorKind.Unsupported, $"The function '{Name}' is not differentiable with respect to argument '{name}'. This input cannot have requires_grad True.");
        }
    }

    private static bool AnyRequiresGrad(Tensor?[] inputs)
    {
        foreach (var input in inputs)
            if (input is { RequiresGrad: true }) return true;
        return false;
    }

    private SavedValues? SaveInputs(ref Saved saves, Tensor?[] inputs, Attributes attributes, bool copySelf = false)
    {
        if (Keeps is not null && saves != Saved.None) saves = Keeps(inputs, attributes);
        if (saves == Saved.None) return null;
        var saved = new SavedValues(inputs.Length);
        for (var i = 0; i < inputs.Length - NeverSaved; i++)
        {
            // The eighth stands for all behind it too: of the inputs of these operators, indices, there may be any number.
            if ((saves & (Saved)(1 << Math.Min(i, 7))) == 0 || inputs[i] is not { } input) continue;
            saved.SaveInput(i, copySelf && i == 0 ? input.Clone() : input);
        }
        return saved;
    }

    private Rule RuleFor(int input, Attributes? attributes) =>
        input == 0 && RuleOf?.Invoke(attributes ?? Attributes.None) is { } special ? special : rules[Math.Min(input, rules.Length - 1)];

    private (Edge[] Edges, Saved Saves) Edges(Tensor?[] inputs, Attributes attributes)
    {
        CheckDifferentiated(inputs);
        var edges = new Edge[inputs.Length];
        var saves = KeepsAnyway;
        Saved? shared = null;
        for (var i = 0; i < inputs.Length; i++)
        {
            if (inputs[i] is not { RequiresGrad: true } input) continue;
            var rule = RuleFor(i, attributes);
            if (rule.Derivative is null && BackwardAll is null) continue;
            edges[i] = input.GradEdge;
            if (edges[i].Node is null) shared ??= KeptAnyway(inputs, attributes);
            saves |= edges[i].Node is null ? rule.Saves & shared!.Value : rule.Saves;
        }
        return (edges, saves);
    }

    /// <summary>
    /// What is kept even where no gradient will get any further (a view made with recording off): as in PyTorch what more than one input's derivative reads, and all of the only
    /// input's.
    /// </summary>
    private Saved KeptAnyway(Tensor?[] inputs, Attributes attributes)
    {
        var differentiable = Enumerable.Range(0, inputs.Length)
            .Where(i => inputs[i] is { } input && input.DType.IsFloat())
            .Select(i => RuleFor(i, attributes))
            .Where(rule => rule.Derivative is not null || BackwardAll is not null).ToList();
        return differentiable is [var only] ? only.Saves : Rule.Shared(differentiable);
    }

    private Tensor?[] Inputs(OperatorCall call)
    {
        CheckNumbers(call);
        if (Bind is not null) return Bind(call);
        if (Arity >= 0) CheckCount(this, call, Arity + Optional);
        var inputs = new List<Tensor?>();
        foreach (var input in call.Inputs)
        {
            if (input is IReadOnlyList<Tensor?> list) inputs.AddRange(list);
            else inputs.Add((Tensor?)input);
        }
        if (Arity >= 0 && (inputs.Count < Arity || inputs.Take(Arity).Any(t => t is null)))
            throw new AutogradException(ErrorKind.Value, $"{Name}() needs {Arity} tensors but got {inputs.Count(t => t is not null)}");
        return [.. inputs];
    }
}
