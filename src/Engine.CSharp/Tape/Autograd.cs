namespace Verified.Engine;

/// <summary>The two ways to pull gradients back, and the modes of recording.</summary>
public static class Autograd
{
    /// <summary>Whether operations on tensors that require gradients are recorded now.</summary>
    public static bool IsGradEnabled => GradMode.Records;

    /// <summary>Whether new tensors are inference tensors now.</summary>
    public static bool IsInferenceModeEnabled => GradMode.Inference;

    /// <summary>Whether anomalies are detected now.</summary>
    public static bool IsAnomalyEnabled => GradMode.DetectsAnomalies;

    /// <summary>Nothing is recorded until the scope is disposed.</summary>
    public static GradScope NoGrad() => new(GradMode.Current | Modes.NoGrad);

    /// <summary>Recording is on again until the scope is disposed; inside an inference scope it stays off.</summary>
    public static GradScope EnableGrad() => new(GradMode.Current & ~Modes.NoGrad);

    /// <summary>Recording as told until the scope is disposed.</summary>
    public static GradScope SetGradEnabled(bool enabled) => enabled ? EnableGrad() : NoGrad();

    /// <summary>
    /// Nothing is recorded and new tensors are inference tensors, without versions, until the scope is disposed. With <paramref name="enabled"/> false: as outside of all
    /// inference scopes, with recording on.
    /// </summary>
    public static GradScope InferenceMode(bool enabled = true) =>
        new(enabled ? GradMode.Current | Modes.NoGrad | Modes.Inference : GradMode.Current & ~(Modes.NoGrad | Modes.Inference));

    /// <summary>
    /// Until the scope is disposed, recording remembers the call that recorded each node, and an error in a backward tells it (<see cref="ForwardTrace"/>). Slow: for debugging.
    /// </summary>
    /// <param name="checkNan">Whether a NaN among the gradients that a derivative gives is an error.</param>
    public static GradScope DetectAnomaly(bool checkNan = true) =>
        new((GradMode.Current & ~Modes.CheckNan) | Modes.Anomaly | (checkNan ? Modes.CheckNan : Modes.None));

    /// <summary>The forward call whose derivative raised an error in anomaly mode, with its stack trace; null for other errors.</summary>
    public static string? ForwardTrace(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return Anomaly.ForwardTraceOf(error);
    }

    /// <summary>Computes gradients of the roots and adds them to the <see cref="Tensor.Grad"/> of the leaves.</summary>
    /// <param name="roots">The tensors to start at; one given twice counts twice.</param>
    /// <param name="gradients">The gradient of each root, of its shape; null for a root of one element, whose gradient is then one.</param>
    /// <param name="inputs">Only these are accumulated into, computed ones among them included; null for all leaves.</param>
    /// <param name="retainGraph">Whether saved values are kept for another backward; by default as <paramref name="createGraph"/>.</param>
    /// <param name="createGraph">Whether the derivatives are recorded, to be differentiated again.</param>
    /// <exception cref="AutogradException">With PyTorch's text for each rule that is broken.</exception>
    public static void Backward(
        IReadOnlyList<Tensor> roots,
        IReadOnlyList<Tensor?>? gradients = null,
        IReadOnlyList<Tensor>? inputs = null,
        bool? retainGraph = null,
        bool createGraph = false)
    {
        ArgumentNullException.ThrowIfNull(roots);
        if (Calls.Heard)
        {
            var call = Structural("backward", roots, ("retain_graph", retainGraph), ("create_graph", createGraph)) with { Gradients = gradients, Wrt = inputs };
            _ = Calls.Run<Tensor?[]>(call, () =>
            {
                Accumulate(roots, gradients, inputs, retainGraph, createGraph);
                return [];
            });
            return;
        }
        Accumulate(roots, gradients, inputs, retainGraph, createGraph);
    }

    private static void Accumulate(
        IReadOnlyList<Tensor> roots, IReadOnlyList<Tensor?>? gradients, IReadOnlyList<Tensor>? inputs, bool? retainGraph, bool createGraph)
    {
        if (inputs is { Count: 0 }) throw new AutogradException(ErrorKind.Value, "`inputs` argument to `backward()` cannot be empty.");
        var seeds = Seeds(roots, gradients);
        var edges = RootEdges(roots, seeds);
        Edge[]? targets = null;
        if (inputs is not null)
        {
            targets = new Edge[inputs.Count];
            for (var i = 0; i < targets.Length; i++)
            {
                var input = inputs[i];
                input.RetainGrad();
                targets[i] = Target(input);
            }
        }
        BackwardPass.Run(new BackwardPass.Request
        {
            Roots = edges,
            Gradients = seeds!,
            AreGiven = gradients is not null,
            Targets = targets,
            Keep = retainGraph ?? createGraph,
            CreateGraph = createGraph,
        });
    }

    /// <summary>Computes gradients of the outputs with respect to the inputs and returns them; no <see cref="Tensor.Grad"/> changes.</summary>
    /// <param name="outputs">The tensors to start at.</param>
    /// <param name="inputs">The tensors, leaves or computed, to differentiate by.</param>
    /// <param name="gradOutputs">The gradient of each output, of its shape; null for an output of one element, whose gradient is then one.</param>
    /// <param name="retainGraph">Whether saved values are kept for another backward; by default as <paramref name="createGraph"/>.</param>
    /// <param name="createGraph">Whether the derivatives are recorded, to be differentiated again.</param>
    /// <param name="allowUnused">Whether an input that no path leads to gives null in the place of an error; by default as <paramref name="materializeGrads"/>.</param>
    /// <param name="materializeGrads">Whether such an input gives zeros in the place of null.</param>
    /// <exception cref="AutogradException">With PyTorch's text for each rule that is broken.</exception>
    public static Tensor?[] Grad(
        IReadOnlyList<Tensor> outputs,
        IReadOnlyList<Tensor> inputs,
        IReadOnlyList<Tensor?>? gradOutputs = null,
        bool? retainGraph = null,
        bool createGraph = false,
        bool? allowUnused = null,
        bool materializeGrads = false)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        ArgumentNullException.ThrowIfNull(inputs);
        if (materializeGrads && allowUnused == false)
            throw new AutogradException(ErrorKind.Value, "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False.");
        if (!Calls.Heard) return Computed(outputs, inputs, gradOutputs, retainGraph, createGraph, allowUnused, materializeGrads);
        var call = Structural("grad", outputs, ("retain_graph", retainGraph), ("create_graph", createGraph), ("allow_unused", allowUnused ?? materializeGrads));
        return Calls.Run(
            call with { Gradients = gradOutputs, Wrt = inputs }, () => Computed(outputs, inputs, gradOutputs, retainGraph, createGraph, allowUnused, materializeGrads));
    }

    private static MadeCall Structural(string name, IReadOnlyList<Tensor> tensors, params (string Name, bool? Value)[] flags) =>
        new(name, new OperatorCall([.. tensors], Attributes.Of([.. flags.Where(f => f.Value is not null).Select(f => (f.Name, (object?)f.Value))])));

    private static Tensor?[] Computed(
        IReadOnlyList<Tensor> outputs,
        IReadOnlyList<Tensor> inputs,
        IReadOnlyList<Tensor?>? gradOutputs,
        bool? retainGraph,
        bool createGraph,
        bool? allowUnused,
        bool materializeGrads)
    {
        if (inputs.Count == 0) throw new AutogradException(ErrorKind.Value, "grad requires non-empty inputs.");
        var seeds = Seeds(outputs, gradOutputs);
        var edges = RootEdges(outputs, seeds);
        var targets = new Edge[inputs.Count];
        for (var i = 0; i < targets.Length; i++) targets[i] = Target(inputs[i]);
        var captured = new Tensor?[targets.Length];
        BackwardPass.Run(new BackwardPass.Request
        {
            Roots = edges,
            Gradients = seeds!,
            Targets = targets,
            Captured = captured,
            Keep = retainGraph ?? createGraph,
            CreateGraph = createGraph,
        });
        if (materializeGrads)
        {
            for (var i = 0; i < captured.Length; i++) captured[i] ??= Tensor.Zeros(inputs[i].Sizes, inputs[i].DType, requiresGrad: true);
        }
        else if (allowUnused != true && Array.IndexOf(captured, null) >= 0)
        {
            throw new AutogradException(
                ErrorKind.UnusedInput,
                "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.");
        }
        return captured;
    }

    private static Tensor?[] Seeds(IReadOnlyList<Tensor> roots, IReadOnlyList<Tensor?>? gradients)
    {
        if (gradients is not null && gradients.Count < roots.Count)
            throw new AutogradException(ErrorKind.Other, $"got {roots.Count} tensors and {gradients.Count} gradients");
        var seeds = new Tensor?[roots.Count];
        for (var i = 0; i < seeds.Length; i++)
        {
            var root = roots[i];
            if (gradients?[i] is { } given)
            {
                if (!Shapes.Same(given.Sizes, root.Sizes))
                {
                    throw new AutogradException(
                        ErrorKind.GradientShape,
                        $"Mismatch in shape: grad_output[{i}] has a shape of torch.Size({Shapes.Text(given.Sizes)}) and output[{i}] has a shape of torch.Size({Shapes.Text(root.Sizes)}).");
                }
                seeds[i] = given;
            }
            else if (root.RequiresGrad)
            {
                if (root.Count != 1) throw new AutogradException(ErrorKind.NonScalarBackward, "grad can be implicitly created only for scalar outputs");
                seeds[i] = Tensor.Ones(root.Sizes, root.DType);
            }
        }
        return seeds;
    }

    private static Edge[] RootEdges(IReadOnlyList<Tensor> roots, Tensor?[] seeds)
    {
        var edges = new Edge[roots.Count];
        for (var i = 0; i < edges.Length; i++)
        {
            edges[i] = roots[i].GradEdge;
            if (edges[i].Node is null)
                throw new AutogradException(ErrorKind.NoGradFn, $"element {i} of tensors does not require grad and does not have a grad_fn");
            if (seeds[i] is { } seed && seed.DType != roots[i].DType) seeds[i] = seed.To(roots[i].DType);
        }
        return edges;
    }

    private static Edge Target(Tensor input)
    {
        if (!input.RequiresGrad) throw new AutogradException(ErrorKind.InputWithoutGrad, "One of the differentiated Tensors does not require grad");
        return input.GradEdge;
    }
}
