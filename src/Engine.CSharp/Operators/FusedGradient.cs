namespace Verified.Engine;

/// <summary>The gradients of an operator's inputs.</summary>
/// <param name="inputs">The gradient that arrived and, behind it, what the operator saved; null where that was left out.</param>
/// <param name="attributes">The operator's attributes.</param>
/// <param name="needs">Which gradients are wanted; others may be left null.</param>
/// <returns>A gradient for each of the operator's inputs, of recorded operators where recording is on; by whatever kernel where it is off.</returns>
internal delegate Tensor?[] GradientFormula(Tensor?[] inputs, Attributes attributes, bool[] needs);

/// <summary>
/// A derivative that PyTorch records as one node, such as <c>native_layer_norm_backward</c>. It saves all that it is computed from. Its own derivative is given, or found by computing it once
/// more, recorded, and going back through that.
/// </summary>
internal sealed class FusedGradient : Operator
{
    private readonly GradientFormula formula;

    /// <summary>One node for the gradients of all inputs.</summary>
    public FusedGradient(string name, GradientFormula formula)
        : base(name, null) => this.formula = formula;

    /// <summary>The gradient of one input.</summary>
    public FusedGradient(string name, Func<Tensor?[], Attributes, Tensor> formula)
        : this(name, (inputs, attributes, _) => [formula(inputs, attributes)])
    {
    }

    /// <summary>Its derivative where it is given: called with a context of this node, and with what arrives at the gradient of each input of the operator.</summary>
    public Action<BackwardContext, Func<int, Tensor?>>? Again { get; init; }

    /// <summary>How many of the last inputs are neither read nor saved: as PyTorch's, the node is recorded where one of them requires a gradient.</summary>
    public int Unread { get; init; }

    /// <summary>Gives the gradients of a node's inputs.</summary>
    public void Pull(BackwardContext context, params Tensor?[] inputs)
    {
        var needs = new bool[context.Node.InputCount];
        for (var i = 0; i < needs.Length; i++) needs[i] = context.Needs(i);
        var results = Of(inputs, context.Attributes, needs);
        for (var i = 0; i < results.Length && i < needs.Length; i++)
            if (needs[i]) context.Set(i, results[i]);
    }

    /// <summary>The gradient of one input.</summary>
    public Tensor Of(BackwardContext context, params Tensor?[] inputs) => Of(inputs, context.Attributes, [true])[0]!;

    /// <inheritdoc/>
    public override Tensor[] Invoke(OperatorCall call) => throw new AutogradException(ErrorKind.Unsupported, $"{Name} is a part of a backward");

    private Tensor?[] Of(Tensor?[] inputs, Attributes attributes, bool[] needs)
    {
        if (!GradMode.Records || !Array.Exists(inputs, t => t is { RequiresGrad: true })) return formula(inputs, attributes, needs);
        Tensor?[] results;
        using (Autograd.NoGrad()) results = Array.ConvertAll(formula(inputs, attributes, needs), Own);
        var saved = new SavedValues(inputs.Length);
        for (var i = 0; i < inputs.Length - Unread; i++)
            if (inputs[i] is { } input) saved.SaveInput(i, input);
        int[] made = [.. Enumerable.Range(0, results.Length).Where(i => results[i] is not null)];
        if (made.Length == 0) return results;
        var node = new Node(
            this,
            attributes,
            Array.ConvertAll(inputs, t => t is { RequiresGrad: true } ? t.GradEdge : default),
            Array.ConvertAll(made, i => new OutputForm(results[i]!.Sizes, results[i]!.DType)),
            saved,
            made);
        for (var k = 0; k < made.Length; k++) results[made[k]]!.SetNode(node, k);
        return results;

        // A result of a node is neither a view nor one of its inputs.
        Tensor? Own(Tensor? result) => result is null || (!result.IsView && !inputs.Contains(result)) ? result : result.Clone();
    }

    /// <inheritdoc/>
    internal override void Backward(BackwardContext context)
    {
        var joined = GradMode.Records;
        var made = (int[])context.Node.State!;
        var arrived = Array.FindAll([.. Enumerable.Range(0, made.Length)], k => context.Gradient(k) is not null);
        if (arrived.Length == 0) return;
        if (Again is not null)
        {
            // Nothing is recorded to be gone back through here: the mode is the caller's.
            Again(context, input => Array.IndexOf(made, input) is >= 0 and var k ? context.Gradient(k) : null);
            return;
        }
        var needs = new bool[made[^1] + 1];
        foreach (var k in arrived) needs[made[k]] = true;
        using var recording = Autograd.InferenceMode(enabled: false);
        var inputs = new Tensor?[context.Node.InputCount];
        for (var i = 0; i < inputs.Length; i++)
        {
            if (context.InputOrNull(i) is not { } input) continue;
            // Under create_graph what is made of it depends also on what is not asked for now.
            inputs[i] = (joined, context.Needs(i)) switch
            {
                (true, true) => input.View(input.Sizes),
                (true, false) => input,
                (false, true) => input.Detach().RequiresGradInPlace(),
                _ => input.Detach(),
            };
        }
        var results = formula(inputs, context.Attributes, needs);
        int[] roots = Array.FindAll(arrived, k => results[made[k]] is { RequiresGrad: true });
        int[] wanted = Array.FindAll([.. Enumerable.Range(0, inputs.Length)], i => context.Needs(i) && inputs[i] is { RequiresGrad: true });
        if (roots.Length == 0 || wanted.Length == 0) return;
        var found = Autograd.Grad(
            Array.ConvertAll(roots, k => results[made[k]]!),
            Array.ConvertAll(wanted, i => inputs[i]!),
            Array.ConvertAll(roots, context.Gradient),
            retainGraph: true,
            createGraph: joined,
            allowUnused: true);
        for (var i = 0; i < wanted.Length; i++) context.Set(wanted[i], found[i]);
    }
}
