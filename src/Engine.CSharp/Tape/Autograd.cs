namespace Verified.Engine;

/// <summary>The two ways to pull gradients back, and the modes of recording.</summary>
public static class Autograd
{
    /// <summary>Whether this thread records operations on tensors that require gradients.</summary>
    public static bool IsGradEnabled => GradMode.Records;

    /// <summary>Nothing is recorded on this thread until the scope is disposed.</summary>
    public static GradScope NoGrad() => new(enabled: false, GradMode.Inference);

    /// <summary>Recording is on again until the scope is disposed; inside an inference scope it stays off.</summary>
    public static GradScope EnableGrad() => new(enabled: true, GradMode.Inference);

    /// <summary>Recording as told until the scope is disposed.</summary>
    public static GradScope SetGradEnabled(bool enabled) => new(enabled, GradMode.Inference);

    /// <summary>Nothing is recorded and new tensors are inference tensors, without versions, until the scope is disposed.</summary>
    public static GradScope InferenceMode() => new(enabled: false, inference: true);

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
                if (input.RequiresGrad) input.RetainGrad();
                targets[i] = Target(input);
            }
        }
        BackwardPass.Run(new BackwardPass.Request
        {
            Roots = edges,
            Gradients = seeds!,
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
    /// <param name="allowUnused">Whether an input that no path leads to gives null in the place of an error.</param>
    /// <exception cref="AutogradException">With PyTorch's text for each rule that is broken.</exception>
    public static Tensor?[] Grad(
        IReadOnlyList<Tensor> outputs,
        IReadOnlyList<Tensor> inputs,
        IReadOnlyList<Tensor?>? gradOutputs = null,
        bool? retainGraph = null,
        bool createGraph = false,
        bool allowUnused = false)
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
        if (!allowUnused && Array.IndexOf(captured, null) >= 0)
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
            throw new AutogradException(ErrorKind.GradientShape, $"got {roots.Count} tensors and {gradients.Count} gradients");
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
