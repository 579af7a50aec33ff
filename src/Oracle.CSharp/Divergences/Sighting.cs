using System.Text.RegularExpressions;
using Verified.Oracle.Generation;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>A finding with all that it was seen in: what a divergence is recognised by.</summary>
/// <param name="Program">The program.</param>
/// <param name="Outcome">What the engine made of it.</param>
/// <param name="Engine">The engine.</param>
/// <param name="Finding">What is wrong.</param>
public sealed record Sighting(Program Program, Outcome Outcome, EngineInfo Engine, Finding Finding)
{
    /// <summary>Whether elements are wrong.</summary>
    internal bool HasWrongElements => Finding.Difference is Difference.Value or Difference.Class;

    /// <summary>Whether an element is NaN that should be none.</summary>
    internal bool HasNaN => Finding is { Difference: Difference.Class, Actual: Side.Element { Value: double.NaN } };

    /// <summary>Whether an element is not finite that should be.</summary>
    internal bool HasNoFiniteElement => Finding is { Difference: Difference.Class, Actual: Side.Element { Value: var value } } && !double.IsFinite(value);

    /// <summary>Whether nothing was raised where something should have been.</summary>
    internal bool RaisesNothing => Finding is { Name: "raised", Difference: Difference.Raised, Actual: null };

    /// <summary>Whether nothing was raised at the step where something should have been: neither later nor at all.</summary>
    internal bool GoesOn =>
        RaisesNothing || Finding is { Name: "raised", Expected: Side.Error { Raised.Step: var refused }, Raised.Step: var raised } && Paths.Earlier(refused, raised);

    /// <summary>Whether nothing was raised at such a step, which should have raised an error of this kind.</summary>
    internal bool TakesAt(ErrorKind kind, Func<State<Real>, Step, bool> isIt) =>
        GoesOn && Finding.Expected is Side.Error { Raised: { Step: var path, Kind: var expected } } && expected.Equals(kind)
        && Paths.At(Program.Steps, path) is { } step && Run.run<Real>(RegistryModule.all, Paths.Until(Program, path)) is { Raised: null, Last: var state } && isIt(state, step);

    /// <summary>Whether a view was refused that should not have been, or taken though it should have been refused, of what depends on such a step by derivatives of at least this order.</summary>
    internal bool ViewsOtherwise(int order, Func<State<Real>, Step, bool> begins)
    {
        bool Depends(Step step) => step.Op == "view" && Influence.Of(Program, begins).Reaches(ProgramFacts.First(step), order);
        return (RaisedAt("view size is not compatible with input tensor's size and stride") is { } refused && Depends(refused)) || TakesAt(ErrorKind.ShapeError, (_, step) => Depends(step));
    }

    /// <summary>Whether a version counts writes that were not expected.</summary>
    internal bool CountsMore => Finding is { Expected: Side.Version { Writes: var expected }, Actual: Side.Version { Writes: var actual } } && actual > expected;

    /// <summary>Whether a version counts fewer writes than were expected.</summary>
    internal bool CountsLess => Finding is { Expected: Side.Version { Writes: var expected }, Actual: Side.Version { Writes: var actual } } && actual < expected;

    /// <summary>Whether the error is right, and its text but for such parts.</summary>
    internal bool HasAnotherTextBut(string parts) =>
        Finding is { Expected: Side.Text { Message: var expected }, Actual: Side.Text { Message: var actual } }
        && Regex.Replace(expected, parts, "") == Regex.Replace(actual, parts, "");

    /// <summary>Whether what was found depends on such a step, by derivatives of at least this order.</summary>
    internal bool Depends(int order, Func<State<Real>, Step, bool> begins) => Influence.Of(Program, begins).Reaches(Finding.Name, order);

    /// <summary>Whether it is an error with one of these texts, raised in pulling back from what depends on such a step.</summary>
    internal bool RaisesPulling(int order, Func<State<Real>, Step, bool> begins, params string[] texts) =>
        RaisedAt(texts) is { Op: "backward" or "grad" } step
        && Influence.Of(Program, begins) is var influence && StepNames.Roots(step).Any(root => influence.Reaches(root, order));

    /// <summary>Whether it is an error with one of these texts, raised by such a step.</summary>
    internal bool RaisesAt(Func<State<Real>, Step, bool> isIt, params string[] texts) => RaisedAt(texts) is { } step && Before is { } state && isIt(state, step);

    /// <summary>The specification's state before the step at which the engine raised; null where it does not come so far.</summary>
    private State<Real>? Before =>
        Run.run<Real>(RegistryModule.all, Paths.Until(Program, Finding.Raised!.Step)) is { Raised: null, Last: var state } ? state : null;

    /// <summary>The step at which an error with one of these texts was raised; null where that is not what was found.</summary>
    internal Step? RaisedAt(params string[] texts) =>
        Finding is { Difference: Difference.Raised, Raised: { } raised } && texts.Any(text => raised.Message.Contains(text, StringComparison.Ordinal))
            ? Paths.At(Program.Steps, raised.Step)
            : null;

    /// <summary>
    /// Whether what was found is right by the specification without one of the rules that PyTorch breaks: without it alone, or without all of them, this one among
    /// those that it takes.
    /// </summary>
    internal bool IsRightWithout(AutogradRule rule)
    {
        bool Without(params IEnumerable<AutogradRule> rules) => IsRightBy(Expectation.Without(rules, Program, Engine.Ulp));
        return Without(rule) || (Without(BrokenByPyTorch) && !Without(BrokenByPyTorch.Where(other => other != rule)));
    }

    private static readonly AutogradRule[] BrokenByPyTorch = [.. AutogradRules.all.Where(rule => rule.BrokenByPyTorch)];

    /// <summary>Whether what was found is right by the specification of a program that does what PyTorch really does.</summary>
    internal bool IsRightFor(Program program) => IsRightBy(Expectation.Of(program, Engine.Ulp));

    /// <summary>Whether the whole outcome is right by the specification of such a program.</summary>
    internal bool IsRightInAllFor(Program program) => Judge.Outcome(program, Outcome, Engine).Findings.All(finding => IsRight(finding));

    /// <summary>Whether what was found is right by a prediction: the examiner's own verdict, with that in the specification's place, or what the prediction leaves open.</summary>
    internal bool IsRightBy(Expectation prediction) =>
        (prediction.LeftOpen.Contains(Finding.Name) && Endings.Judge(prediction, Outcome, Engine).Ending.Verdict == Verdict.Pass)
        || IsRight(Judge.OfOne(Finding.Name, prediction, Outcome, Engine));

    // Open are an element that cannot be decided, and integers of which nothing is known.
    private static bool IsRight(Finding? finding) =>
        finding is { Verdict: Verdict.Pass } or { Verdict: Verdict.Inconclusive, Index: not null } or { Verdict: Verdict.Inconclusive, Note: not null };
}
