using System.Runtime.CompilerServices;

namespace Verified.Engine;

/// <summary>
/// The hooks on nodes and on their outputs: kept beside the tape, so that registering one changes no node. Hooks belong to the node that the tensor had when they were
/// registered; the retained gradient moves on with the tensor when it is written to.
/// </summary>
internal static class HookTable
{
    private static readonly ConditionalWeakTable<object, NodeHooks> Table = [];
    private static volatile bool any;

    /// <summary>The hooks of a node, or null.</summary>
    public static NodeHooks? Of(Node node) => any && Table.TryGetValue(Owner(node), out var hooks) ? hooks : null;

    /// <summary>The hooks of a node, to be added to.</summary>
    public static NodeHooks For(Node node)
    {
        any = true;
        return Table.GetOrCreateValue(Owner(node));
    }

    /// <summary>The hooks of a leaf, to be added to: they need no node at which its gradients arrive.</summary>
    public static NodeHooks For(Tensor leaf)
    {
        any = true;
        return Table.GetOrCreateValue(leaf);
    }

    private static object Owner(Node node) => Accumulation.LeafOf(node) ?? (object)node;

    /// <summary>
    /// After a write: what the tensor retained at its old node it now retains at the new one. What was hooked of a leaf was of the tensor as it was before, and is forgotten.
    /// </summary>
    public static void Move(Tensor tensor, Node? from, Node to, int output = 0)
    {
        if (from is null)
        {
            if (any && Table.TryGetValue(tensor, out var hooks)) hooks.Clear();
            return;
        }
        if (!tensor.RetainsGrad) return;
        Of(from)?.Forget(tensor);
        For(to).Retain(output, tensor);
    }

    /// <summary>What was hooked of a tensor with a history is hooked of the leaf that it becomes.</summary>
    public static void KeepForLeaf(Node from, int output, Tensor leaf)
    {
        if (Of(from)?.On(output) is { Length: > 0 } kept) For(leaf).Add(kept);
    }
}
