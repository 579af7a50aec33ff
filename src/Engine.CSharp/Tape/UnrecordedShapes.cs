using System.Runtime.CompilerServices;

namespace Verified.Engine;

/// <summary>
/// The shapes of tensors with a history that were given another geometry in place while recording was off (<c>t_</c> under no_grad). Their node still has the old shape, as in
/// PyTorch; what is computed of them from then on has the new one.
/// </summary>
internal static class UnrecordedShapes
{
    private static readonly ConditionalWeakTable<Node, List<Change>> Changes = [];
    private static volatile bool any;

    /// <summary>Notes a change that has just been made to the tensor that an edge leads to.</summary>
    public static void Add(Edge edge, int[] shape)
    {
        var changes = Changes.GetOrCreateValue(edge.Node!);
        lock (changes) changes.Add(new Change(edge.Output, Node.LastSequence, shape));
        any = true;
    }

    /// <summary>The shape that a node's input had when the node was recorded.</summary>
    public static int[] Of(Edge edge, Node consumer)
    {
        var shape = edge.Node!.Form(edge.Output).Shape;
        if (!any || !Changes.TryGetValue(edge.Node, out var changes)) return shape;
        lock (changes)
        {
            foreach (var change in changes)
                if (change.Output == edge.Output && change.After < consumer.Sequence) shape = change.Shape;
        }
        return shape;
    }

    private readonly record struct Change(int Output, long After, int[] Shape);
}
