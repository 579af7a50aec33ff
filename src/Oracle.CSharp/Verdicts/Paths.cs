using Microsoft.FSharp.Collections;
using Verified.Oracle.Generation;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>Steps found and replaced by their path: an index for each block that they lie in, and their own.</summary>
internal static class Paths
{
    /// <summary>The step at a path; null where there is none.</summary>
    internal static Step? At(FSharpList<Step> steps, FSharpList<int> path)
    {
        if (path.IsEmpty || path.Head < 0 || path.Head >= steps.Length) return null;
        var step = steps[path.Head];
        return path.Tail.IsEmpty ? step : At(step.Steps, path.Tail);
    }

    /// <summary>Whether the step at one path runs before that at another.</summary>
    internal static bool Earlier(FSharpList<int> a, FSharpList<int> b) =>
        !a.IsEmpty && !b.IsEmpty && (a.Head < b.Head || a.Head == b.Head && Earlier(a.Tail, b.Tail));

    /// <summary>Whether nothing follows the step at a path.</summary>
    internal static bool IsLast(FSharpList<Step> steps, FSharpList<int> path) =>
        path.Head == steps.Length - 1 && (path.Tail.IsEmpty || IsLast(steps[path.Head].Steps, path.Tail));

    /// <summary>The program up to a step, which is left out or replaced.</summary>
    internal static Program Until(Program program, FSharpList<int> path, Step? last = null) =>
        new(program.Inputs, Changed(program.Steps, path, last is null ? [] : [last], andAfter: false), program.Observe);

    /// <summary>The program with one step replaced.</summary>
    internal static Program Replaced(Program program, FSharpList<int> path, Step step) =>
        new(program.Inputs, Changed(program.Steps, path, [step], andAfter: true), program.Observe);

    private static FSharpList<Step> Changed(FSharpList<Step> steps, FSharpList<int> path, IReadOnlyList<Step> by, bool andAfter)
    {
        var at = steps[path.Head];
        var changed = path.Tail.IsEmpty ? by : [Steps.Block(at.Op, Changed(at.Steps, path.Tail, by, andAfter))];
        return ListModule.OfSeq(steps.Take(path.Head).Concat(changed).Concat(andAfter ? steps.Skip(path.Head + 1) : []));
    }
}
