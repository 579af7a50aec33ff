using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Verified.Engine;

/// <summary>
/// Anomaly mode: which call recorded a node is remembered beside the tape, and an error in a backward is joined by the call whose derivative raised it, PyTorch's texts throughout.
/// </summary>
internal static class Anomaly
{
    private const string Key = "Verified.Engine.ForwardTrace";

    private static readonly ConditionalWeakTable<Node, Trace> Traces = [];

    [ThreadStatic]
    private static Node? evaluated;

    /// <summary>What <see cref="Explain"/> left with an exception; null where it came from no watched backward.</summary>
    public static string? ForwardTraceOf(Exception error) => error.Data[Key] as string;

    /// <summary>Remembers the call that records a node, and the node whose derivative is being computed if it is recorded by that.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Remember(Node node) => Traces.AddOrUpdate(node, new Trace(Calls(), evaluated));

    /// <summary>Notes which node's derivative is computed from now on; returns the one before.</summary>
    public static Node? Evaluate(Node? node)
    {
        var before = evaluated;
        evaluated = node;
        return before;
    }

    /// <summary>Leaves the forward call of a node with the error that its derivative raised.</summary>
    public static void Explain(Node node, Exception error)
    {
        if (error.Data.Contains(Key)) return;
        if (!Traces.TryGetValue(node, out var trace))
        {
            error.Data[Key] = $"Error detected in {node.Name}. No forward pass information available. Enable detect anomaly during forward pass for more information.";
            return;
        }
        var text = $"Error detected in {node.Name}. Traceback of forward call that caused the error:\n{trace.Calls}";
        for (var parent = trace.Parent; parent is not null; parent = trace.Parent)
        {
            if (!Traces.TryGetValue(parent, out trace))
            {
                text += $"\n\nPrevious calculation was induced by {parent.Name}. No forward pass information available. Enable detect anomaly during forward pass for more information.";
                break;
            }
            text += $"\n\nPrevious calculation was induced by {parent.Name}. Traceback of forward call that induced the previous calculation:\n{trace.Calls}";
        }
        error.Data[Key] = text;
    }

    /// <summary>Raises PyTorch's error where a gradient that a node gives has a NaN.</summary>
    public static void Check(Node node, BackwardContext context)
    {
        for (var i = 0; i < node.InputCount; i++)
        {
            if (context.Result(i) is not { } result || !result.DType.IsFloat() || !Array.Exists(result.ToDoubles(), double.IsNaN)) continue;
            throw new AutogradException(ErrorKind.Other, $"Function '{node.Name}' returned nan values in its {i}th output.");
        }
    }

    /// <summary>The calls that led here, from the first one that is the user's on.</summary>
    private static string Calls()
    {
        var lines = new StackTrace(UserCode.FramesOf(new StackTrace(fNeedFileInfo: true))).ToString().ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
        // What F# Interactive calls a script through is not the user's.
        var last = Array.FindIndex(lines, line => line.Contains("FSharp.Compiler.Interactive"));
        if (last < 0) return string.Join('\n', lines);
        while (last > 0 && lines[last - 1].Contains("at System.")) last--;
        return string.Join('\n', lines[..last]);
    }

    private sealed record Trace(string Calls, Node? Parent);
}
