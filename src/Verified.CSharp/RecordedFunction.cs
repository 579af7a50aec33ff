using System.Diagnostics;
using Verified.Engine;
using Verified.Oracle;
using Verified.Spec;
using Tensor = Verified.Engine.Tensor;

namespace Verified;

/// <summary>One application of a custom function in a recording; what its forward called are the steps from <see cref="First"/> up to <see cref="End"/>.</summary>
internal sealed class RecordedFunction
{
    private RecordedFunction(Function function, Tensor?[] point, string?[] inputs, string[] results, bool[] flows, int first, int end) =>
        (Function, Point, Inputs, Results, Flows, First, End) = (function, point, inputs, results, flows, first, end);

    public Function Function { get; }

    /// <summary>Copies of what it was applied to.</summary>
    public Tensor?[] Point { get; }

    /// <summary>The names of its inputs; null where one was left out.</summary>
    public IReadOnlyList<string?> Inputs { get; }

    /// <summary>The names of those results that a gradient flows from.</summary>
    public IReadOnlyList<string> Results { get; }

    /// <summary>Of all its results, which a gradient flows from.</summary>
    public IReadOnlyList<bool> Flows { get; }

    public int First { get; }

    public int End { get; }

    /// <summary>Whether no recorded step leads to a result from the inputs: the forward computes on numbers that it read out of them.</summary>
    public bool IsUnwritten { get; init; }

    /// <summary>The gradients that its backward gave for its inputs, after summing to their shapes; null where it did not run.</summary>
    public IReadOnlyList<Literal?>? GivenBack { get; private set; }

    /// <summary>Its place on the tape.</summary>
    public required Node Node { get; init; }

    /// <summary>What its backward raised in the model; null where it raised nothing.</summary>
    public Exception? Failure { get; set; }

    /// <summary>An application that has begun.</summary>
    public sealed record Begun(Tensor?[] Point, string?[] Inputs, int First);

    public static RecordedFunction Of(Function function, Begun begun, IReadOnlyList<Tensor> results, Func<Tensor, string> name, int end, bool unwritten)
    {
        var recorded = new RecordedFunction(
            function, begun.Point, begun.Inputs, [.. results.Where(t => t.RequiresGrad).Select(name)], [.. results.Select(t => t.RequiresGrad)], begun.First, end)
        {
            IsUnwritten = unwritten,
            Node = results.First(t => t.RequiresGrad).GradFn!,
        };
        recorded.Node.RegisterHook((given, _) =>
        {
            recorded.GivenBack = [.. given.Select(g => g is null ? null : Literals.ToLiteral(g))];
            return null;
        });
        return recorded;
    }

    /// <summary>As it is written: <c>Cube(sin_1)</c>.</summary>
    public override string ToString() => $"{Function.Name}({string.Join(", ", Inputs.Select(input => input ?? "null"))})";
}

/// <summary>What came of examining a custom function by itself: <see cref="GradCheck"/> where the model applied it.</summary>
/// <param name="Function">The function.</param>
/// <param name="Application">How it was applied, with the program's names: <c>Cube(sin_1)</c>.</param>
/// <param name="Check">The check; null where it could not be run.</param>
/// <param name="Finding">The verdict.</param>
public sealed record FunctionCheck(Function Function, string Application, GradCheckReport? Check, Finding Finding)
{
    internal static FunctionCheck Of(RecordedFunction applied)
    {
        // Copies, since a function may write to what it is given.
        Tensor[] Call(Tensor[] varied)
        {
            var next = 0;
            var results = applied.Function.ApplyAll([.. applied.Point.Select(t => t is null ? null : varied[next++].Clone())]);
            return [.. results.Where((_, i) => applied.Flows[i])];
        }

        var what = $"the custom function {applied}";
        if (applied.Failure is { } failure)
        {
            return new(applied.Function, applied.ToString(), null, new Finding(applied.Function.Name, Verdict.Fail, Difference.Raised)
            {
                Note = $"the backward of {what} raises {failure.GetType().Name}: {failure.Message.TrimEnd('.')}{Place(failure)}",
            });
        }

        try
        {
            var check = GradCheck.CheckAll(Call, [.. applied.Point.OfType<Tensor>()], new GradCheckOptions { Seed = 1 });
            var (verdict, message) = check.Verdict switch
            {
                GradCheckVerdict.Passed => (Verdict.Pass, $"the backward of {what} is the derivative of its forward"),
                GradCheckVerdict.Failed => (Verdict.Fail, $"the backward of {what} is wrong: {check.Findings[0].Message}"),
                _ => (Verdict.Inconclusive, $"whether the backward of {what} is right could not be decided numerically ({check.Undecided} derivatives undecided)"),
            };
            return new(applied.Function, applied.ToString(), check, new Finding(applied.Function.Name, verdict, verdict == Verdict.Pass ? Difference.None : Difference.Value) { Note = message });
        }
        catch (Exception error)
        {
            // A user's code may raise anything; what it did in the model is examined all the same.
            return new(applied.Function, applied.ToString(), null, new Finding(applied.Function.Name, Verdict.Inconclusive, Difference.Raised) { Note = $"{what} could not be checked by itself: {error.Message}" });
        }
    }

    /// <summary>Where in the user's code an exception comes from, in words to be added to a sentence.</summary>
    private static string Place(Exception error)
    {
        if (UserCode.FramesOf(new StackTrace(error, fNeedFileInfo: true)) is not [var frame, ..] || DiagnosticMethodInfo.Create(frame) is not { } method) return "";
        var full = method.DeclaringTypeName ?? "";
        var type = full[(full.LastIndexOfAny(['.', '+']) + 1)..];
        type = type.IndexOfAny(['<', '@']) >= 0 ? "" : type + ".";
        var line = frame.GetFileName() is { } file ? $", {Path.GetFileName(file)}:{frame.GetFileLineNumber()}" : "";
        return $" (in {type}{UserCode.NameOf(method)}{line})";
    }
}
