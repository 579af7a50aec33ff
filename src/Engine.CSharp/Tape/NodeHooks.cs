namespace Verified.Engine;

/// <summary>
/// The hooks of one node, in PyTorch's order: those on its outputs' gradients as they were registered, then the retained gradients, then the node's own before its derivative
/// runs, then the node's own after it.
/// </summary>
internal sealed class NodeHooks
{
    private readonly Lock gate = new();
    private (int Output, HookHandle Handle)[] onOutputs = [];
    private (int Output, Tensor Tensor)[] retained = [];
    private HookHandle[] before = [];
    private HookHandle[] after = [];

    /// <summary>Whether a hook of the node itself sees what its derivative gave.</summary>
    public bool HasAfter => after.Length > 0;

    /// <summary>Adds a hook on the gradient of an output.</summary>
    public HookHandle Add(int output, Func<Tensor, Tensor?> hook)
    {
        var handle = new HookHandle(hook);
        lock (gate) onOutputs = [.. onOutputs.Where(h => !h.Handle.Removed), (output, handle)];
        return handle;
    }

    /// <summary>The hooks on the gradient of an output.</summary>
    public HookHandle[] On(int output) => [.. onOutputs.Where(h => h.Output == output && !h.Handle.Removed).Select(h => h.Handle)];

    /// <summary>Adds hooks of another node on the gradient of the only output.</summary>
    public void Add(IEnumerable<HookHandle> handles)
    {
        lock (gate) onOutputs = [.. onOutputs.Where(h => !h.Handle.Removed), .. handles.Select(handle => (0, handle))];
    }

    /// <summary>Forgets the hooks on outputs' gradients.</summary>
    public void Clear()
    {
        lock (gate) onOutputs = [];
    }

    /// <summary>Adds a hook that sees the gradients of all outputs before the derivative runs.</summary>
    public HookHandle AddBefore(Func<IReadOnlyList<Tensor?>, IReadOnlyList<Tensor?>?> hook)
    {
        var handle = new HookHandle(hook);
        lock (gate) before = [.. before.Where(h => !h.Removed), handle];
        return handle;
    }

    /// <summary>Adds a hook that sees what the derivative gave, and from what.</summary>
    public HookHandle AddAfter(Func<IReadOnlyList<Tensor?>, IReadOnlyList<Tensor?>, IReadOnlyList<Tensor?>?> hook)
    {
        var handle = new HookHandle(hook);
        lock (gate) after = [.. after.Where(h => !h.Removed), handle];
        return handle;
    }

    /// <summary>Collects an output's gradient, after all hooks on it, into the tensor's <see cref="Tensor.Grad"/>.</summary>
    public void Retain(int output, Tensor tensor)
    {
        lock (gate) retained = [.. retained, (output, tensor)];
    }

    /// <summary>Collects no gradient for a tensor any more.</summary>
    public void Forget(Tensor tensor)
    {
        lock (gate) retained = [.. retained.Where(r => !ReferenceEquals(r.Tensor, tensor))];
    }

    /// <summary>Runs the hooks on one output's gradient, the retained gradient last.</summary>
    public Tensor Run(int output, Tensor gradient)
    {
        foreach (var (target, handle) in onOutputs)
            if (target == output) gradient = handle.Run(gradient);
        foreach (var (target, tensor) in retained)
            if (target == output) Accumulation.Retain(tensor, gradient);
        return gradient;
    }

    /// <summary>Runs the node's own hooks before its derivative.</summary>
    public Tensor?[] RunBefore(Tensor?[] gradients)
    {
        foreach (var handle in before)
            if (handle.Of<Func<IReadOnlyList<Tensor?>, IReadOnlyList<Tensor?>?>>() is { } hook) gradients = HookHandle.Replace(hook, gradients, hook(gradients));
        return gradients;
    }

    /// <summary>Runs the node's own hooks after its derivative.</summary>
    public Tensor?[] RunAfter(Tensor?[] results, Tensor?[] gradients)
    {
        foreach (var handle in after)
        {
            if (handle.Of<Func<IReadOnlyList<Tensor?>, IReadOnlyList<Tensor?>, IReadOnlyList<Tensor?>?>>() is { } hook)
                results = HookHandle.Replace(hook, results, hook(results, gradients));
        }
        return results;
    }
}
