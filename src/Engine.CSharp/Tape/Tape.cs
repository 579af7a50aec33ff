namespace Verified.Engine;

/// <summary>A neutral walk over what was recorded: the nodes below some tensors, in the order of recording, inputs before what uses them. Nothing is computed and nothing changes.</summary>
public static class Tape
{
    /// <summary>The nodes that lead to the given tensors, the oldest first; leaves are nodes too (see <see cref="LeafOf"/>).</summary>
    public static IReadOnlyList<Node> Nodes(params Tensor[] outputs)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        var seen = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var stack = new Stack<Node>();
        foreach (var output in outputs)
            if (output.GradEdge.Node is { } root && seen.Add(root)) stack.Push(root);
        while (stack.TryPop(out var node))
        {
            foreach (var below in Below(node))
                if (seen.Add(below)) stack.Push(below);
        }
        var nodes = seen.ToArray();
        Array.Sort(nodes, (a, b) => a.Sequence.CompareTo(b.Sequence));
        return nodes;
    }

    /// <summary>The tape below some tensors as something to look at: text, DOT, Mermaid.</summary>
    public static TapeView View(params Tensor[] outputs) => new(outputs);

    /// <summary>The edge of a tensor: its node, or the node that stands for it as a leaf; no node where it requires no gradient.</summary>
    public static Edge EdgeOf(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.GradEdge;
    }

    /// <summary>The leaf that a node stands for; null for the node of an operation.</summary>
    public static Tensor? LeafOf(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return ReferenceEquals(node.Operator, Accumulation.Definition) ? node.State as Tensor : null;
    }

    /// <summary>The saved values that a node still holds: whether each is an output, its index among the inputs or outputs, and the value. None after a backward released them.</summary>
    public static IReadOnlyList<(bool IsOutput, int Index, Tensor Value)> SavedOf(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Saved is { Ended: false } saved ? [.. saved.All()] : [];
    }

    /// <summary>The node of the write that a rewritten history wraps (see PyTorch's CopySlices); null for other nodes.</summary>
    public static Node? WriteOf(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return CopySlices.Inner(node);
    }

    private static IEnumerable<Node> Below(Node node)
    {
        for (var i = 0; i < node.InputCount; i++)
            if (node.Input(i).Node is { } below) yield return below;
    }
}
