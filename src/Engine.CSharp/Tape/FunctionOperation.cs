namespace Verified.Engine;

/// <summary>The operator behind a custom function: how its results are recorded and its backward is called, as PyTorch does it.</summary>
internal sealed class FunctionOperation : Operator
{
    private const string ViewAmongSeveral =
        "If your Function modifies inplace an input that is a view of another Tensor, your Function cannot return more than one Tensor. This is not supported by the current "
        + "autograd engine. You should either make sure the input is not a view (using .clone() for example) or make your Function only return one Tensor (potentially splitting "
        + "it into two Functions: one doing the inplace that returns a single Tensor and a second one that does the other operations). You can ask on the forum "
        + "https://discuss.pytorch.org/ if you need help to do this change.";

    private readonly Function function;

    public FunctionOperation(Function function)
        : base(function.Name, function.Name + "Backward") => this.function = function;

    internal override bool IsForeign => true;

    public override Tensor[] Invoke(OperatorCall call) => function.ApplyAll([.. call.Inputs.Select((_, i) => call.TensorOrNull(i))]);

    /// <summary>Runs the forward and gives its results their place on the tape.</summary>
    public Tensor[] Apply(Tensor?[] inputs)
    {
        var needs = Array.ConvertAll(inputs, t => t is { RequiresGrad: true });
        var context = new FunctionContext(needs);
        // Taken before the forward, which may write to what they belong to.
        var edges = GradMode.Records && Array.IndexOf(needs, true) >= 0 ? Array.ConvertAll(inputs, t => t is { RequiresGrad: true } ? t.GradEdge : default) : null;
        var mode = Calls.ForwardMode;
        var told = mode is null && Calls.Heard;
        if (told) Calls.Tell(listener => listener.Applying(function, inputs));
        try
        {
            Calls.ForwardMode ??= GradMode.Enabled;
            Tensor[] raw;
            using (Autograd.NoGrad()) raw = function.Forward(context, inputs);
            var results = Record(context, inputs, raw, edges is null ? null : Make(context, inputs, raw, edges));
            if (told && Calls.Heard) Calls.Tell(listener => listener.Applied(function, inputs, results));
            return results;
        }
        finally
        {
            Calls.ForwardMode = mode;
        }
    }

    internal override void Backward(BackwardContext context)
    {
        var node = context.Node;
        var needs = new bool[node.InputCount];
        for (var i = 0; i < needs.Length; i++) needs[i] = context.Needs(i);
        var forward = (Recorded)node.State!;
        var gradients = new Tensor?[node.OutputCount];
        for (var i = 0; i < gradients.Length; i++)
        {
            gradients[i] = context.Gradient(i);
            if (gradients[i] is null && forward.Context.MaterializeGrads) gradients[i] = Tensor.Zeros(node.Form(i).Shape, node.Form(i).DType);
        }
        var results = Results(node, forward, needs, gradients);
        for (var i = 0; i < needs.Length; i++) context.Set(i, results[i]);
    }

    /// <summary>A gradient or null for each input; nulls alone where the backward raises and a listener lets that pass.</summary>
    private Tensor?[] Results(Node node, Recorded forward, bool[] needs, Tensor?[] gradients)
    {
        try
        {
            var results = Checked(node, forward, Call(new FunctionContext(forward.Context, node, needs), gradients));
            if (!Calls.IsMade) return results;
            // The pass will see a wrong shape too, but does not say to a listener whose it is.
            for (var i = 0; i < needs.Length; i++)
                if (needs[i] && results[i] is { } result && node.Input(i) is { Node: { } target } edge) GradientShape.Check(result, target.Form(edge.Output).Shape, node, i);
            return results;
        }
        catch (Exception error) when (Calls.GoesOnAfter(function, node, error))
        {
            return new Tensor?[needs.Length];
        }
    }

    /// <summary>As many gradients as there are inputs, none for one that was left out.</summary>
    private static Tensor?[] Checked(Node node, Recorded forward, Tensor?[] results)
    {
        var count = node.InputCount;
        if (results.Length < count || Array.Exists(results[count..], t => t is not null))
        {
            throw new AutogradException(
                ErrorKind.Other, $"function {node.Name} returned an incorrect number of gradients (expected {count}, got {results.Length})");
        }
        for (var i = 0; i < count; i++)
        {
            if (results[i] is null || forward.Given[i]) continue;
            throw new AutogradException(
                ErrorKind.Other,
                $"function {node.Name} returned a gradient different than None at position {i + 1}, but the corresponding forward input was not a Variable");
        }
        return results[..count];
    }

    private static Tensor[] Record(FunctionContext context, Tensor?[] inputs, Tensor[] raw, Node? node)
    {
        var outputs = new Tensor[raw.Length];
        var differentiable = 0;
        for (var i = 0; i < raw.Length; i++)
        {
            var flows = node is not null && raw[i].DType.IsFloat() && !Has(context.NonDifferentiable, raw[i]);
            if (flows) differentiable++;
            outputs[i] = Place(context, inputs, raw, i, flows ? node : null);
            if (outputs[i].ViewOf is { } view && !(Has(inputs, raw[i]) && Has(context.Dirty, raw[i]))) view.Origin = ViewOrigin.CustomFunction;
        }
        if (differentiable > 1)
        {
            foreach (var output in outputs)
                if (output.ViewOf is { } view) view.Origin = ViewOrigin.MultipleOutputs;
        }
        if (!Array.TrueForAll(context.Dirty, t => Has(raw, t)))
        {
            throw new AutogradException(
                ErrorKind.Other,
                "Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified inplace must all be outputs of the Function.");
        }
        if (node is not null) Save(context, node);
        context.LetGo();
        return outputs;
    }

    private Node Make(FunctionContext context, Tensor?[] inputs, Tensor[] raw, Edge[] edges) => new(
        this,
        null,
        edges,
        raw.Length == 0 ? [default] : Array.ConvertAll(raw, t => new OutputForm(t.Sizes, t.DType)),
        new SavedValues(0, context.ToSave.Length) { IsLazy = true },
        new Recorded(context, Array.ConvertAll(inputs, t => t is not null)));

    /// <summary>One result, as the caller gets it; <paramref name="node"/> is null where no gradient flows from it.</summary>
    private static Tensor Place(FunctionContext context, Tensor?[] inputs, Tensor[] raw, int output, Node? node)
    {
        var result = raw[output];
        var isInput = Has(inputs, result);
        var isDirty = Has(context.Dirty, result);
        if (node is null)
        {
            if (!result.RequiresGrad) return isInput && !isDirty ? ViewOf(result) : result;
            if (isInput) return result.Detach();
            return result.IsView ? result : result.DetachInPlace();
        }
        if (isDirty)
        {
            if (result.RequiresGrad && result.IsLeaf)
                throw new AutogradException(ErrorKind.LeafInPlace, "a leaf Variable that requires grad has been used in an in-place operation.");
            if (result.IsView && raw.Length > 1) throw new AutogradException(ErrorKind.Unsupported, ViewAmongSeveral);
            // The history of a base that is written to through a view goes through the first input.
            if (result.IsView && !ReferenceEquals(inputs[0], result))
                throw new AutogradException(ErrorKind.Unsupported, $"{node.Operator.Name} writes to a view, which must then be its first input");
            Views.Rebase(result, node, output);
            return result;
        }
        if (isInput) result = ViewOf(result);
        result.SetNode(node, output);
        if (result.ViewOf is { } view) view.Version = result.Storage.Version;
        return result;
    }

    private static Tensor ViewOf(Tensor input)
    {
        using (Autograd.NoGrad()) return input.View(input.Sizes);
    }

    private static void Save(FunctionContext context, Node node)
    {
        for (var i = 0; i < context.ToSave.Length; i++)
        {
            if (context.ToSave[i] is not { } value) continue;
            if (ReferenceEquals(value.NodeWithoutChecks, node)) node.Saved!.SaveOutput(i, value, node, value.OutputNumber);
            else node.Saved!.SaveInput(i, value);
        }
    }

    private Tensor?[] Call(FunctionContext context, Tensor?[] gradients)
    {
        if (!function.OnceDifferentiable) return function.Backward(context, gradients);
        Tensor?[] results;
        using (Autograd.NoGrad()) results = function.Backward(context, gradients);
        return GradMode.Records && Array.Exists(gradients, g => g is { RequiresGrad: true }) ? DelayedError.Behind(results) : results;
    }

    private static bool Has(Tensor?[] tensors, Tensor tensor) => Array.Exists(tensors, t => ReferenceEquals(t, tensor));

    private sealed record Recorded(FunctionContext Context, bool[] Given);
}

/// <summary>The end of the way behind a derivative that may not be differentiated: pulling back through it raises.</summary>
internal sealed class DelayedError : Operator
{
    private static readonly DelayedError Definition = new();

    private DelayedError()
        : base("error", "Error")
    {
    }

    public override Tensor[] Invoke(OperatorCall call) => throw new AutogradException(ErrorKind.Unsupported, "error cannot be called");

    /// <summary>The same values, with the error as their node.</summary>
    public static Tensor?[] Behind(Tensor?[] values) => Array.ConvertAll(values, value =>
    {
        if (value is null) return null;
        var alias = value.Detach();
        alias.SetNode(new Node(Definition, null, [Tensor.Zeros(value.Sizes, value.DType, requiresGrad: true).GradEdge], [new OutputForm(value.Sizes, value.DType)], null), 0);
        return alias;
    });

    internal override void Backward(BackwardContext context) =>
        throw new AutogradException(ErrorKind.Other, "trying to differentiate twice a function that was marked with @once_differentiable");
}
