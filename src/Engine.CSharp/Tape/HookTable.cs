using System.Runtime.CompilerServices;

namespace Verified.Engine;

/// <summary>
/// The hooks on the outputs of nodes: kept beside the tape, so that registering one changes no node. Hooks belong to the node that the tensor had when they were
/// registered; the retained gradient moves on with the tensor when it is written to.
/// </summary>
internal static class HookTable
{
    private static readonly ConditionalWeakTable<Node, NodeHooks> Table = [];
    private static volatile bool any;

    /// <summary>The hooks of a node, or null.</summary>
    public static NodeHooks? Of(Node node) => any && Table.TryGetValue(node, out var hooks) ? hooks : null;

    /// <summary>Adds a hook on an output of a node; it runs after those that are there.</summary>
    public static HookHandle Add(Node node, int output, Func<Tensor, Tensor?> hook)
    {
        any = true;
        return Table.GetOrCreateValue(node).Add(output, hook);
    }

    /// <summary>Collects an output's gradient, after all hooks, into the tensor's <see cref="Tensor.Grad"/>.</summary>
    public static void Retain(Node node, int output, Tensor tensor)
    {
        any = true;
        Table.GetOrCreateValue(node).Retain(output, tensor);
    }

    /// <summary>After a write: what the tensor retained at its old node it now retains at the new one.</summary>
    public static void MoveRetain(Tensor tensor, Node? from, Node to)
    {
        if (!tensor.RetainsGrad || from is null) return;
        Of(from)?.Forget(tensor);
        Retain(to, 0, tensor);
    }
}

/// <summary>The hooks on one node's outputs.</summary>
internal sealed class NodeHooks
{
    private readonly List<(int Output, HookHandle Handle)> hooks = [];
    private readonly List<(int Output, Tensor Tensor)> retained = [];

    public HookHandle Add(int output, Func<Tensor, Tensor?> hook)
    {
        var handle = new HookHandle(hook);
        lock (hooks) hooks.Add((output, handle));
        return handle;
    }

    public void Retain(int output, Tensor tensor)
    {
        lock (hooks) retained.Add((output, tensor));
    }

    public void Forget(Tensor tensor)
    {
        lock (hooks) retained.RemoveAll(r => ReferenceEquals(r.Tensor, tensor));
    }

    /// <summary>Runs the hooks of one output on its gradient, the retained gradient last.</summary>
    public Tensor Run(int output, Tensor gradient)
    {
        (int Output, HookHandle Handle)[] now;
        (int Output, Tensor Tensor)[] keep;
        lock (hooks)
        {
            now = [.. hooks];
            keep = [.. retained];
        }
        foreach (var (target, handle) in now)
            if (target == output) gradient = handle.Run(gradient);
        foreach (var (target, tensor) in keep)
            if (target == output) Accumulation.Retain(tensor, gradient);
        return gradient;
    }
}

/// <summary>A registered hook; <see cref="Remove"/> takes it away again.</summary>
public sealed class HookHandle
{
    private readonly Func<Tensor, Tensor?> hook;
    private volatile bool removed;

    internal HookHandle(Func<Tensor, Tensor?> hook) => this.hook = hook;

    /// <summary>Takes the hook away; removing it twice does nothing.</summary>
    public void Remove() => removed = true;

    internal Tensor Run(Tensor gradient)
    {
        if (removed || hook(gradient) is not { } replaced) return gradient;
        if (!Shapes.Same(replaced.Sizes, gradient.Sizes))
            throw new AutogradException(ErrorKind.Other, $"hook '{hook.Method.Name}' has changed the size of value");
        if (replaced.DType != gradient.DType)
        {
            throw new AutogradException(
                ErrorKind.Other,
                $"hook '{hook.Method.Name}' has changed the type of value (was torch.{gradient.DType.ScalarType()}Tensor got torch.{replaced.DType.ScalarType()}Tensor)");
        }
        return replaced;
    }
}
