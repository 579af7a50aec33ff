namespace Verified.Engine;

/// <summary>Where a gradient flows to: an output of an earlier node, or nowhere.</summary>
/// <param name="Node">The node that made the input; null where the input requires no gradient.</param>
/// <param name="Output">Which of that node's outputs the input was.</param>
public readonly record struct Edge(Node? Node, int Output);
