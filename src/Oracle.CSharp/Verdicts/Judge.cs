using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Oracle.Generation;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>The verdict: an engine's outcome against the specification's values and bounds.</summary>
public static class Judge
{
    /// <summary>Runs the specification and gives the verdict on an engine's outcome.</summary>
    public static Judgement Outcome(Program program, Outcome outcome, EngineInfo engine)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(engine);
        return Outcome(Expectation.Of(program, engine.Ulp), outcome, engine);
    }

    /// <summary>The verdict on an engine's outcome; a feature that the engine does not declare is not compared.</summary>
    public static Judgement Outcome(Expectation expectation, Outcome outcome, EngineInfo engine)
    {
        ArgumentNullException.ThrowIfNull(expectation);
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(engine);
        if (Endings.IsUndefined(expectation.Ran))
            return new Judgement([new Finding("raised", Verdict.Inconclusive, Difference.None) { Note = $"the specification has not got it: {expectation.Ran.Raised!.Value.Message}" }]);
        var (ending, against, open) = Held(expectation, outcome, engine);
        var values = against is null ? [] : Values(against, outcome, engine).Where(finding => !open.Contains(finding.Name));
        return new Judgement(ending.Difference == Difference.Raised ? [ending, .. values] : [.. values, ending]);
    }

    // The verdict on one of its names alone, whether that is left open or not; null where the expectation has no such name, or nothing can be held against it.
    internal static Finding? OfOne(string name, Expectation expectation, Outcome outcome, EngineInfo engine)
    {
        var (ending, against, _) = Held(expectation, outcome, engine);
        return name == ending.Name ? ending : against is null ? null : Values(against, outcome, engine).FirstOrDefault(finding => finding.Name == name);
    }

    // The verdict on the end, what the values are held against, and which of them are left open. A wrong end says nothing of what was computed before.
    private static (Finding Ending, Expectation? Against, IReadOnlySet<string> Open) Held(Expectation expectation, Outcome outcome, EngineInfo engine)
    {
        var (ending, against) = Endings.Judge(expectation, outcome, engine);
        return against is not null ? (ending, against, against.LeftOpen)
            : ending.Verdict == Verdict.Fail && Endings.Parted(expectation, outcome) is var (until, open) ? (ending, until, open)
            : (ending, null, new HashSet<string>());
    }

    private static IEnumerable<Finding> Values(Expectation expectation, Outcome outcome, EngineInfo engine)
    {
        var actual = new Dictionary<string, Report?>();
        foreach (var (name, report) in outcome.Values) actual[name] = report?.Value;
        foreach (var (name, expected) in expectation.Ran.Values)
            yield return Value(expectation, name, expected?.Value, actual, engine);
        var known = expectation.Ran.Values.Select(v => v.Item1).ToHashSet();
        foreach (var (name, report) in actual)
            if (!known.Contains(name))
                yield return new Finding(name, Verdict.Fail, Difference.Presence) { Actual = report is null ? new Side.Null() : new Side.Present(new Side.Shape(report.Tensor.Shape), IsZeros(report)) };
    }

    private static Finding Value(Expectation expectation, string name, Reported<Bounded>? expected, Dictionary<string, Report?> reported, EngineInfo engine)
    {
        if (!reported.TryGetValue(name, out var actual))
            return new Finding(name, Verdict.Fail, Difference.Presence);
        if (expected is null || actual is null)
            return Nulls(expectation, name, expected, actual);
        if (Properties(name, expected, actual, engine, expectation.NearGradients.Contains(name)) is { } difference) return difference;
        var zeroSigns = !expectation.Gradients.Contains(name);
        var finding = Elements(name, expected, actual, zeroSigns);
        if (finding.Verdict != Verdict.Fail || finding.Difference != Difference.Value || finding.Bound == 0) return finding;
        var wider = expectation.Widest.Values.FirstOrDefault(v => v.Item1 == name)?.Item2?.Value;
        return wider is not null && Elements(name, wider, actual, zeroSigns).Verdict == Verdict.Pass
            ? finding with { Verdict = Verdict.LessAccurate }
            : finding;
    }

    // Under create_graph null and zeros are one class.
    private static Finding Nulls(Expectation expectation, string name, Reported<Bounded>? expected, Report? actual)
    {
        var verdict = (expected, actual) switch
        {
            (null, null) => Verdict.Pass,
            (null, _) => IsZeros(actual) && expectation.AsksForSecondOrder ? Verdict.Pass : Verdict.Fail,
            _ => expected.SecondOrder ? ZeroDerivatives.ZeroVerdict(expected.Value) : Verdict.Fail,
        };
        return verdict == Verdict.Pass ? new Finding(name, Verdict.Pass, Difference.None) : new Finding(name, verdict, verdict == Verdict.Fail ? Difference.Null : Difference.None)
        {
            Expected = expected is null ? new Side.Null() : new Side.Present(new Side.Shape(expected.Value.Shape), IsZeros: false),
            Actual = actual is null ? new Side.Null() : new Side.Present(new Side.Shape(actual.Tensor.Shape), IsZeros(actual)),
        };
    }

    private static bool IsZeros(Report report) => report.Tensor.Data is Data.Floats { Item: var x } && x.All(v => v == 0);

    private static Finding? Properties(string name, Reported<Bounded> expected, Report actual, EngineInfo engine, bool isGradient)
    {
        Finding? Compared(Difference difference, Side? is_, Side? should) =>
            should is null || should.Equals(is_) ? null : new Finding(name, Verdict.Fail, difference) { Expected = should, Actual = is_ };
        // What an engine declares it has to report.
        Finding? Declared(string feature, Difference difference, Side? is_, Side? should) => engine.Features.Contains(feature) ? Compared(difference, is_, should) : null;

        var (value, tensor) = (expected.Value, actual.Tensor);
        var differs = Compared(Difference.DType, new Side.Type(tensor.DType), new Side.Type(value.DType))
            ?? Compared(Difference.Shape, new Side.Shape(tensor.Shape), new Side.Shape(value.Shape))
            ?? (isGradient ? null : Declared("versions", Difference.Version, Version(actual.Version), Version(expected.Version)));
        // Of second order either value of requires_grad is right, and with it of what follows from it.
        return differs is not null || expected.SecondOrder ? differs
            : Declared("requires_grad", Difference.RequiresGrad, Flag(actual.RequiresGrad), new Side.Flag(expected.RequiresGrad))
            ?? Declared("is_leaf", Difference.IsLeaf, Flag(actual.IsLeaf), Flag(expected.IsLeaf))
            ?? Declared("grad_fn", Difference.GradFn, GradFn(actual.GradFn), GradFn(expected.GradFn));
    }

    private static Side.Version? Version(FSharpOption<int>? writes) => writes is null ? null : new Side.Version(writes.Value);

    private static Side.Flag? Flag(FSharpOption<bool>? flag) => flag is null ? null : new Side.Flag(flag.Value);

    private static Side.GradFn? GradFn(FSharpOption<FSharpOption<string>?>? node) => node is null ? null : new Side.GradFn(node.Value is not null);

    private static Finding Elements(string name, Reported<Bounded> expected, Report actual, bool zeroSigns) =>
        (expected.Value.Elements, actual.Tensor.Data) switch
        {
            (Elements<Bounded>.Floats { Item: var e }, Data.Floats { Item: var a }) => Elementwise.Judge(name, e, a, zeroSigns, expected.SecondOrder).In(expected.Value.Shape),
            (Elements<Bounded>.Ints { decided: false }, _) => new Finding(name, Verdict.Inconclusive, Difference.None) { Note = $"{name} follows from a comparison within the bound" },
            (Elements<Bounded>.Ints { Item1: var e }, Data.Ints { Item: var a }) => Integers(name, e, a).In(expected.Value.Shape),
            _ => new Finding(name, Verdict.Fail, Difference.DType) { Note = $"{name} does not hold elements of its dtype" },
        };

    private static Finding Integers(string name, long[] expected, long[] actual)
    {
        for (var i = 0; i < expected.Length; i++)
            if (expected[i] != actual[i])
                return new Finding(name, Verdict.Fail, Difference.Value) { Index = i, Expected = new Side.Whole(expected[i]), Actual = new Side.Whole(actual[i]), Ratio = double.PositiveInfinity };
        return new Finding(name, Verdict.Pass, Difference.None);
    }
}
