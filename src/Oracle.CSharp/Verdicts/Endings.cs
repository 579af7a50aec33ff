using System.Text.RegularExpressions;
using Microsoft.FSharp.Collections;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>How a program ended: whether it raised, where, of which kind, and with which text.</summary>
internal static partial class Endings
{
    internal static Finding Judge(Expectation expectation, Outcome outcome, EngineInfo engine)
    {
        var (expected, actual) = (expectation.Ran.Raised?.Value, outcome.Raised?.Value);
        if (expected is null && actual is null || SameClass(expectation, expected, actual)) return Pass();
        if (actual is null)
            return Fail(Difference.Raised, $"nothing was raised, expected {Show(expected!)}");
        if (expected is null)
            return Fail(Difference.Raised, $"{Show(actual)} was raised, expected nothing");
        if (!actual.Step.Equals(expected.Step) || !actual.Kind.Equals(expected.Kind))
            return Fail(Difference.Raised, $"{Show(actual)} was raised, expected {Show(expected)}");
        return engine.Features.Contains("messages") && HasPyTorchsText(expected) && Normal(expectation.Program, actual.Message) != Normal(expectation.Program, expected.Message)
            ? Fail(Difference.Message, $"the message is \"{actual.Message}\", expected \"{expected.Message}\"")
            : Pass();
    }

    /// <summary>Whether the specification lacks an operator of the program, and so says nothing of its outcome.</summary>
    internal static bool IsUndefined(Ran<Bounded> ran) => ran.Raised?.Value is { } raised && raised.Kind.IsUnsupported;

    /// <summary>Whether the two ended at different places, be it within one class.</summary>
    internal static bool Differ(Ran<Bounded> ran, Outcome outcome) =>
        (ran.Raised?.Value, outcome.Raised?.Value) switch
        {
            (null, null) => false,
            ({ } a, { } b) => !a.Step.Equals(b.Step),
            _ => true,
        };

    /// <summary>Whether a gradient is left open: how far a backward that raised had accumulated is nobody's promise.</summary>
    internal static bool LeavesOpen(Expectation expectation, string name) =>
        expectation.Ran.Raised?.Value is { } raised
        && name.EndsWith(".grad", StringComparison.Ordinal)
        && StepAt(expectation.Program.Steps, raised.Step)?.Op == "backward";

    // A derivative that is identically zero may be null in one engine, and then unused, or without a grad_fn.
    private static bool SameClass(Expectation expectation, Raised? expected, Raised? actual)
    {
        var first = expected is null ? actual! : actual is null ? expected : Earlier(actual.Step, expected.Step) ? actual : expected;
        var other = ReferenceEquals(first, actual) ? expected : actual;
        return OfZeroDerivative(first.Kind)
            && (other is null || OfZeroDerivative(other.Kind) || Earlier(first.Step, other.Step))
            && IsAfterCreateGraph(expectation.Program.Steps, first.Step);
    }

    private static bool Earlier(FSharpList<int> a, FSharpList<int> b) => !a.IsEmpty && !b.IsEmpty && a.Head < b.Head;

    private static bool OfZeroDerivative(ErrorKind kind) => kind.IsNoGradFn || kind.IsUnusedInput;

    private static bool IsAfterCreateGraph(FSharpList<Step> steps, FSharpList<int> path) =>
        !path.IsEmpty && steps.Take(path.Head).Any(MakesGraph);

    private static bool MakesGraph(Step step) =>
        (step.Attrs.TryGetValue("create_graph", out var flag) && flag is Attr.Flag { Item: true }) || step.Steps.Any(MakesGraph);

    private static Step? StepAt(FSharpList<Step> steps, FSharpList<int> path)
    {
        if (path.IsEmpty || path.Head >= steps.Length) return null;
        var step = steps[path.Head];
        return path.Tail.IsEmpty ? step : StepAt(step.Steps, path.Tail);
    }

    // Of a grad_fn only whether there is one counts: its name is left out of a text that names it. So are the shape and the maker of what was
    // kept where it may be what an operator folded its operand to.
    private static string Normal(Program program, string message)
    {
        var named = NodeName().Replace(message, "NODE");
        return program.Steps.Any(Folds) ? KeptShape().Replace(named, "Tensor SHAPE") : named;
    }

    private static bool Folds(Step step) => (RegistryModule.all.TryGetValue(step.Op, out var op) && op.Folds) || step.Steps.Any(Folds);

    [GeneratedRegex(@"Tensor \[[\d, ]*\]\](, which is output \d+ of NODE,)?")]
    private static partial Regex KeptShape();

    [GeneratedRegex(@"[\w:]+Backwards?\d*")]
    private static partial Regex NodeName();

    // Of the other kinds, and of a name bound to null, the text is each project's own.
    private static bool HasPyTorchsText(Raised raised) => HasPyTorchsText(raised.Kind) && !raised.Message.Contains(" is null", StringComparison.Ordinal);

    private static bool HasPyTorchsText(ErrorKind kind) =>
        !(kind.IsShapeError || kind.IsDTypeError || kind.IsIndexError || kind.IsValueError || kind.IsUnsupported || kind.IsOtherError);

    private static string Show(Raised raised) => $"{raised.Kind.Name} at step [{string.Join(", ", raised.Step)}] ({raised.Message.Split('\n')[0]})";

    private static Finding Pass() => new("raised", Verdict.Pass, Difference.None, "");

    private static Finding Fail(Difference difference, string message) => new("raised", Verdict.Fail, difference, message);
}
