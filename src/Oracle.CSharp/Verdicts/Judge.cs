using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Oracle.Generation;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>
/// What the specification says of a program, with its bounds: run once, held against the outcomes of as many engines as declare the
/// same accuracy.
/// </summary>
public sealed class Expectation
{
    private readonly FSharpMap<string, Operator> _registry;
    private readonly IReadOnlyDictionary<string, double>? _ulp;
    private Ran<Bounded>? _widest;
    private IReadOnlySet<string>? _gradients;
    private IReadOnlySet<string>? _leftOpen;

    private Expectation(Program program, Ran<Bounded> ran, FSharpMap<string, Operator> registry, IReadOnlyDictionary<string, double>? ulp) =>
        (Program, Ran, _registry, _ulp) = (program, ran, registry, ulp);

    /// <summary>The program.</summary>
    public Program Program { get; }

    /// <summary>The specification's run of it.</summary>
    public Ran<Bounded> Ran { get; }

    /// <summary>Runs the specification over a program, for an engine of the declared accuracy.</summary>
    /// <param name="program">The program.</param>
    /// <param name="ulp">What the engine declares of its elementary functions, in ulp; null: nothing.</param>
    /// <param name="registry">The operators; null: the specification's.</param>
    public static Expectation Of(Program program, IReadOnlyDictionary<string, double>? ulp = null, FSharpMap<string, Operator>? registry = null)
    {
        ArgumentNullException.ThrowIfNull(program);
        registry ??= RegistryModule.all;
        Ran<Bounded> Run() => Spec.Run.run<Bounded>(registry, program);
        return new Expectation(program, ulp is null || ulp.Count == 0 ? Run() : Allowance.With(ulp, Run), registry, ulp);
    }

    // What it says without a rule, for an engine that declares nothing.
    internal static Expectation Without(AutogradRule rule, Program program) =>
        new(program, Spec.Run.runWithout<Bounded>(SetModule.Singleton(rule.Name), RegistryModule.all, program), RegistryModule.all, null);

    // What is a gradient, or follows from one: there the sign of a zero is an accident of how the rule is written.
    internal IReadOnlySet<string> Gradients => _gradients ??= Tainted.ByGradients(Program);

    // Whether a gradient of second order was asked for: a null gradient may then as well be zeros.
    internal bool AsksForSecondOrder { get => field || Ran.SecondOrder; private init; }

    // What is not compared, since a backward raised in the midst of its pass.
    internal IReadOnlySet<string> LeftOpen => _leftOpen ??= Endings.LeftOpen(Program, Ran);

    // What the specification says of another program, for the same engine.
    internal Expectation Again(Program program) => Of(program, _ulp, _registry);

    // Of the program up to a step.
    internal Expectation Until(FSharpList<int> path) => Again(Paths.Until(Program, path));

    /// <summary>
    /// Of the program in which the backward or grad at a path gives nothing but null; null where another step stands there.
    /// </summary>
    internal Expectation? WithNull(FSharpList<int> path)
    {
        if (Paths.At(Program.Steps, path) is not { Op: "backward" or "grad" } step) return null;
        const string none = "?";
        var nulls = Steps.Block("no_grad", StepNames.Bound(step).Select(name => Steps.Call("get_grad", [none], name)));
        var without = Paths.Replaced(Program, path, nulls);
        var constant = new Input(none, new Literal(DType.Float32, [], Data.NewFloats([0])), false);
        var again = Again(new Program(ListModule.OfSeq(without.Inputs.Where(input => input.Name != none).Append(constant)), without.Steps, without.Observe));
        return new Expectation(again.Program, again.Ran, _registry, _ulp) { AsksForSecondOrder = true };
    }

    // The same with the most ulp that can be declared: what explains an inaccuracy that is no wrong formula.
    internal Ran<Bounded> Widest => _widest ??= Allowance.WithMost(() => Spec.Run.run<Bounded>(_registry, Program));
}

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
            return new Judgement([new Finding("raised", Verdict.Inconclusive, Difference.None, $"the specification has not got it: {expectation.Ran.Raised!.Value.Message}")]);
        var (ending, against) = Endings.Judge(expectation, outcome, engine);
        return against is null ? new Judgement([ending]) : new Judgement([.. Values(against, outcome, engine), ending]);
    }

    private static IEnumerable<Finding> Values(Expectation expectation, Outcome outcome, EngineInfo engine)
    {
        var actual = new Dictionary<string, Report?>();
        foreach (var (name, report) in outcome.Values) actual[name] = report?.Value;
        foreach (var (name, expected) in expectation.Ran.Values)
            if (!expectation.LeftOpen.Contains(name)) yield return Value(expectation, name, expected?.Value, actual, engine);
        var known = expectation.Ran.Values.Select(v => v.Item1).ToHashSet();
        foreach (var name in actual.Keys)
            if (!known.Contains(name)) yield return new Finding(name, Verdict.Fail, Difference.Presence, $"{name} is reported, but does not exist at that point");
    }

    private static Finding Value(Expectation expectation, string name, Reported<Bounded>? expected, Dictionary<string, Report?> reported, EngineInfo engine)
    {
        if (!reported.TryGetValue(name, out var actual))
            return new Finding(name, Verdict.Fail, Difference.Presence, $"{name} is not reported");
        if (expected is null || actual is null)
            return Nulls(expectation, name, expected, actual);
        if (Properties(name, expected, actual, engine, IsGradient(expectation.Program.Steps, name)) is { } difference) return difference;
        var zeroSigns = !expectation.Gradients.Contains(name);
        var finding = Elements(name, expected, actual, zeroSigns);
        if (finding.Verdict != Verdict.Fail || finding.Difference != Difference.Value || finding.Bound == 0) return finding;
        var wider = expectation.Widest.Values.FirstOrDefault(v => v.Item1 == name)?.Item2?.Value;
        return wider is not null && Elements(name, wider, actual, zeroSigns).Verdict == Verdict.Pass
            ? finding with
            {
                Verdict = Verdict.LessAccurate,
                Message = $"{finding.Message}: it lies within {Allowance.Most} ulp of each elementary function",
            }
            : finding;
    }

    // Under create_graph null and zeros are one class.
    private static Finding Nulls(Expectation expectation, string name, Reported<Bounded>? expected, Report? actual)
    {
        if (expected is null && actual is null) return new Finding(name, Verdict.Pass, Difference.None, "");
        if (expected is null)
        {
            var zeros = actual!.Tensor.Data is Data.Floats { Item: var x } && x.All(v => v == 0);
            return zeros && expectation.AsksForSecondOrder
                ? new Finding(name, Verdict.Pass, Difference.None, "")
                : new Finding(name, Verdict.Fail, Difference.Null, $"{name} is {(zeros ? "zeros" : "a tensor")}, expected null: no path leads to it");
        }

        return (expected.SecondOrder ? ZeroDerivatives.ZeroVerdict(expected.Value) : Verdict.Fail) switch
        {
            Verdict.Pass => new Finding(name, Verdict.Pass, Difference.None, ""),
            Verdict.Inconclusive => new Finding(name, Verdict.Inconclusive, Difference.None, $"{name} is null, which is right if it is zeros: they lie within the bound"),
            _ => new Finding(name, Verdict.Fail, Difference.Null, $"{name} is null, expected a tensor of shape {Shape.show(expected.Value.Shape)}"),
        };
    }

    /// <summary>
    /// Whether a variable was bound to a gradient, or may be a view of one: how often its buffer was written to while it was made is no
    /// engine's promise.
    /// </summary>
    private static bool IsGradient(IEnumerable<Step> steps, string name) => StepNames.Gradients(steps).Contains(name);

    private static Finding? Properties(string name, Reported<Bounded> expected, Report actual, EngineInfo engine, bool isGradient)
    {
        Finding Fail(Difference difference, string what, object? is_, object? should) =>
            new(name, Verdict.Fail, difference, $"{name} has {what} {is_}, expected {should}");

        var (value, tensor) = (expected.Value, actual.Tensor);
        if (!tensor.DType.Equals(value.DType)) return Fail(Difference.DType, "dtype", tensor.DType.Name, value.DType.Name);
        if (!tensor.Shape.AsSpan().SequenceEqual(value.Shape)) return Fail(Difference.Shape, "shape", Shape.show(tensor.Shape), Shape.show(value.Shape));
        // What an engine declares it has to report.
        Finding? Compared<T>(string feature, Difference difference, string what, T? is_, T? should, Func<T, string> show)
            where T : class =>
            should is null || !engine.Features.Contains(feature) ? null
            : is_ is null ? new Finding(name, Verdict.Fail, difference, $"{name}'s {what} is not reported, expected {show(should)}")
            : show(is_) == show(should) ? null : Fail(difference, what, show(is_), show(should));

        if (!isGradient && Compared("versions", Difference.Version, "version", actual.Version, expected.Version, v => $"{v.Value}") is { } version) return version;
        // Of second order either value of requires_grad is right, and with it of what follows from it.
        if (expected.SecondOrder) return null;
        return Compared("requires_grad", Difference.RequiresGrad, "requires_grad", actual.RequiresGrad, FSharpOption<bool>.Some(expected.RequiresGrad), r => $"{r.Value}")
            ?? Compared("is_leaf", Difference.IsLeaf, "is_leaf", actual.IsLeaf, expected.IsLeaf, l => $"{l.Value}")
            // Of a grad_fn only whether there is one counts.
            ?? Compared("grad_fn", Difference.GradFn, "grad_fn", actual.GradFn, expected.GradFn, n => n.Value is null ? "None" : "a node");
    }

    private static Finding Elements(string name, Reported<Bounded> expected, Report actual, bool zeroSigns) =>
        (expected.Value.Elements, actual.Tensor.Data) switch
        {
            (Elements<Bounded>.Floats { Item: var e }, Data.Floats { Item: var a }) => Elementwise.Judge(name, e, a, zeroSigns, expected.SecondOrder),
            (Elements<Bounded>.Ints { decided: false }, _) => new Finding(name, Verdict.Inconclusive, Difference.None, $"{name} follows from a comparison within the bound"),
            (Elements<Bounded>.Ints { Item1: var e }, Data.Ints { Item: var a }) => Integers(name, e, a),
            _ => new Finding(name, Verdict.Fail, Difference.DType, $"{name} does not hold elements of its dtype"),
        };

    private static Finding Integers(string name, long[] expected, long[] actual)
    {
        for (var i = 0; i < expected.Length; i++)
            if (expected[i] != actual[i])
                return new Finding(name, Verdict.Fail, Difference.Value, $"{name}[{i}] is {actual[i]}, expected {expected[i]}")
                {
                    Index = i,
                    Expected = expected[i],
                    Actual = actual[i],
                    Ratio = double.PositiveInfinity,
                };
        return new Finding(name, Verdict.Pass, Difference.None, "");
    }
}
