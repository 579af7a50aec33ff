using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Oracle.Generation;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>How a program ended: whether it raised, where, of which kind, and with which text.</summary>
internal static partial class Endings
{
    /// <summary>The verdict on the end, and what the rest is to be held against: null where it cannot be, since the states differ.</summary>
    internal static (Finding Ending, Expectation? Against) Judge(Expectation expectation, Outcome outcome, EngineInfo engine)
    {
        var (expected, actual) = (expectation.Ran.Raised?.Value, outcome.Raised?.Value);
        if (expected is null && actual is null) return (Pass(), expectation);
        if (expected is not null && actual is not null && expected.Step.Equals(actual.Step) && IsSameKind(expectation, expected, actual))
            return (Text(expectation, expected, actual, engine), expectation);
        if (actual is not null && ZeroDerivatives.MayRaise(actual.Kind) && (expected is null || Paths.Earlier(actual.Step, expected.Step)))
            return Stopped(expectation, expected, actual);
        if (expected is not null && ZeroDerivatives.MayRaise(expected.Kind) && (actual is null || Paths.Earlier(expected.Step, actual.Step))
            && ZeroDerivatives.AreBehind(expectation.Ran, Paths.At(expectation.Program.Steps, expected.Step)!))
            return WentOn(expectation, expected, outcome, engine);
        return (Of(Verdict.Fail, Difference.Raised, expected, actual), null);
    }

    /// <summary>Whether the specification lacks an operator of the program, and so says nothing of its outcome.</summary>
    internal static bool IsUndefined(Ran<Bounded> ran) => ran.Raised?.Value is { } raised && raised.Kind.IsUnsupported;

    /// <summary>
    /// The observed names that are left open: how far a backward had accumulated before it raised is
    /// nobody's promise, nor is what a grad left in retained gradients. One that raises before it begins has accumulated nothing.
    /// </summary>
    internal static IReadOnlySet<string> LeftOpen(Program program, Ran<Bounded> ran) =>
        ran.Raised?.Value is { } raised && Paths.At(program.Steps, raised.Step) is { Op: "backward" or "grad" } step && IsRaisedDuringThePass(ran, raised.Kind, step)
            ? Reach.ofStep(ran.Last, step, program.Observe).ToHashSet()
            : new HashSet<string>();

    /// <summary>
    /// What the values are to be held against where the program ended otherwise than it should have: the specification before the step at which
    /// the two part, and what that step may have changed. Null where the engine went on with steps of which nothing can be said.
    /// </summary>
    internal static (Expectation Until, IReadOnlySet<string> Open)? Parted(Expectation expectation, Outcome outcome)
    {
        var program = expectation.Program;
        var (expected, actual) = (expectation.Ran.Raised?.Value.Step, outcome.Raised?.Value.Step);
        var path = actual is not null && (expected is null || !Paths.Earlier(expected, actual)) ? actual
            : expected is not null && Paths.IsLast(program.Steps, expected) ? expected
            : null;
        if (path is null || Paths.At(program.Steps, path) is not { } step) return null;
        var until = expectation.Until(path);
        return until.Ran.Raised is null ? (until, ChangedBy(step, until.Ran.Last, program.Observe, wentOn: actual is null)) : null;
    }

    // The observed names that a step, and what stands in it, may change before it ends or raises.
    private static HashSet<string> ChangedBy(Step step, State<Bounded> state, FSharpList<Observed> observed, bool wentOn)
    {
        var changed = new HashSet<string>();
        foreach (var each in Steps.All([step]))
        {
            changed.UnionWith(StepNames.Bound(each).SelectMany(name => new[] { name, name + ".grad" }));
            if (each.Op is "backward" or "grad") changed.UnionWith(Reach.ofStep(state, each, observed));
            foreach (var written in Written(each, wentOn)) changed.UnionWith(Run.sharing(state, written, observed));
            if (each.Op == "zero_grad") changed.UnionWith(StepNames.Read(each).SelectMany(name => Run.sharingGradient(state, name, observed)));
        }

        return changed;
    }

    // A flag is set, or a history cut, at once; elements are written one by one.
    private static IEnumerable<string> Written(Step step, bool wentOn)
    {
        var record = Needs.Record(step);
        if (step.Op.EndsWith('_') && (wentOn || record is not null) && StepNames.Read(step).FirstOrDefault() is { } target) yield return target;
        foreach (var (place, _) in record?.Updates ?? [])
            if (step.In.ElementAtOrDefault(place) is Arg.Name { Item: var updated }) yield return updated;
    }

    // That an input was not used a grad finds out at its end; that a kept view may not be asked for its history, where it is read; that a gradient does not fit
    // where it is written, there, but that one does not fit its root, before.
    private static bool IsRaisedDuringThePass(Ran<Bounded> ran, ErrorKind kind, Step step) =>
        kind.IsModifiedInPlace || kind.IsFreedGraph || kind.IsOtherError || kind.IsOverlappingWrite || kind.IsNoGradViewInPlace || kind.IsMultiOutputViewInPlace
        || (kind.IsUnusedInput && step.Op == "grad")
        || ((kind.IsShapeError || kind.IsGradientShape) && Reach.seedsFit(ran.Last, step));

    // The engine stopped where a derivative is identically zero: the rest is held against what the specification has there.
    private static (Finding, Expectation?) Stopped(Expectation expectation, Raised? expected, Raised actual) =>
        ZeroDerivatives.Explain(expectation, actual) switch
        {
            Verdict.Pass => (Pass(), expectation.Until(actual.Step)),
            Verdict.Inconclusive => (Of(Verdict.Inconclusive, Difference.None, null, actual), expectation.Until(actual.Step)),
            _ => (Of(Verdict.Fail, Difference.Raised, expected, actual), null),
        };

    // The engine went on where a derivative is identically zero: what it adds there is null or zeros.
    private static (Finding, Expectation?) WentOn(Expectation expectation, Raised expected, Outcome outcome, EngineInfo engine)
    {
        if (expectation.WithNull(expected.Step) is { } without && Judge(without, outcome, engine) is { Ending.Verdict: not Verdict.Fail, Against: not null } rest) return rest;
        return (Of(Verdict.Inconclusive, Difference.None, expected, null), null);
    }

    private static bool IsSameKind(Expectation expectation, Raised expected, Raised actual) =>
        expected.Kind.Equals(actual.Kind)
        || ZeroDerivatives.MayRaise(expected.Kind) && ZeroDerivatives.MayRaise(actual.Kind)
            && ZeroDerivatives.AreBehind(expectation.Ran, Paths.At(expectation.Program.Steps, expected.Step)!);

    private static Finding Text(Expectation expectation, Raised expected, Raised actual, EngineInfo engine) =>
        expected.Kind.Equals(actual.Kind) && engine.Features.Contains("messages") && HasPyTorchsText(expected)
        && Normal(expectation.Program, actual.Message) != Normal(expectation.Program, expected.Message)
            ? new Finding("raised", Verdict.Fail, Difference.Message) { Expected = new Side.Text(expected.Message), Actual = new Side.Text(actual.Message) }
            : Pass();

    // Of a grad_fn only whether there is one counts: its name is left out of a text that names it. So are the shape and the maker of what was
    // kept where it may have been given another shape in place since. How often a gradient's buffer was written to while it was made is no
    // engine's promise: where the program computes with one, or writes to one, what counts is by how much the versions differ.
    private static string Normal(Program program, string message)
    {
        var named = NodeName().Replace(message, "NODE");
        if (program.Steps.Any(Reshapes)) named = KeptShape().Replace(named, "Tensor SHAPE");
        return ComputesWithGradients(program)
            ? Versions().Replace(named, versions => $"{int.Parse(versions.Groups[1].Value, CultureInfo.InvariantCulture) - int.Parse(versions.Groups[2].Value, CultureInfo.InvariantCulture)} versions later")
            : named;
    }

    private static bool ComputesWithGradients(Program program)
    {
        var (gradients, taken) = (StepNames.Gradients(program.Steps), StepNames.Gradients(program.Steps, given: false));
        bool Computes(Step step) =>
            (step.Op.EndsWith('_') && StepNames.Read(step).FirstOrDefault() is { } written && gradients.Contains(written))
            || (RegistryModule.all.ContainsKey(step.Op.TrimEnd('_')) && StepNames.Read(step).Any(taken.Contains))
            || step.Steps.Any(Computes);
        return program.Steps.Any(Computes);
    }

    [GeneratedRegex(@"is at version (\d+); expected version (\d+) instead")]
    private static partial Regex Versions();

    private static bool Reshapes(Step step) =>
        (step.Op.EndsWith('_') && RegistryModule.all.TryGetValue(step.Op.TrimEnd('_'), out var op) && op.Behaviour.IsAliases) || step.Steps.Any(Reshapes);

    [GeneratedRegex(@"Tensor \[[\d, ]*\]\](, which is output \d+ of NODE,)?")]
    private static partial Regex KeptShape();

    [GeneratedRegex(@"[\w:]+Backwards?\d*")]
    private static partial Regex NodeName();

    // Of the other kinds, and of a name bound to null, the text is each project's own.
    private static bool HasPyTorchsText(Raised raised) => HasPyTorchsText(raised.Kind) && !raised.Message.Contains(" is null", StringComparison.Ordinal);

    private static bool HasPyTorchsText(ErrorKind kind) =>
        !(kind.IsShapeError || kind.IsDTypeError || kind.IsIndexError || kind.IsValueError || kind.IsUnsupported || kind.IsOtherError);

    private static Finding Pass() => new("raised", Verdict.Pass, Difference.None);

    private static Finding Of(Verdict verdict, Difference difference, Raised? expected, Raised? actual) => new("raised", verdict, difference)
    {
        Expected = expected is null ? null : new Side.Error(expected),
        Actual = actual is null ? null : new Side.Error(actual),
    };
}
