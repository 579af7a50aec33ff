using Microsoft.FSharp.Collections;
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
    private Ran<Bounded>? _widest;
    private IReadOnlySet<string>? _gradients;

    private Expectation(Program program, Ran<Bounded> ran, FSharpMap<string, Operator> registry) =>
        (Program, Ran, _registry) = (program, ran, registry);

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
        registry ??= RegistryModule.all;
        Ran<Bounded> Run() => Spec.Run.run<Bounded>(registry, program);
        return new Expectation(program, ulp is null || ulp.Count == 0 ? Run() : Allowance.With(ulp, Run), registry);
    }

    // What is a gradient, or follows from one: there the sign of a zero is an accident of how the rule is written.
    internal IReadOnlySet<string> Gradients => _gradients ??= Tainted.ByGradients(Program);

    // The same with the most ulp that can be declared: what explains an inaccuracy that is no wrong formula.
    internal Ran<Bounded> Widest => _widest ??= Allowance.WithMost(() => Spec.Run.run<Bounded>(_registry, Program));
}

/// <summary>The verdict: an engine's outcome against the specification's values and bounds.</summary>
public static class Judge
{
    /// <summary>Runs the specification and gives the verdict on an engine's outcome.</summary>
    public static Judgement Outcome(Program program, Outcome outcome, EngineInfo engine) =>
        Outcome(Expectation.Of(program, engine.Ulp), outcome, engine);

    /// <summary>The verdict on an engine's outcome; a feature that the engine does not declare is not compared.</summary>
    public static Judgement Outcome(Expectation expectation, Outcome outcome, EngineInfo engine)
    {
        if (Endings.IsUndefined(expectation.Ran))
            return new Judgement([new Finding("raised", Verdict.Inconclusive, Difference.None, $"the specification has not got it: {expectation.Ran.Raised!.Value.Message}")]);
        var ending = Endings.Judge(expectation, outcome, engine);
        var findings = new List<Finding>();
        // After an ending that differs nothing else can be compared: the states differ.
        if (ending.Verdict == Verdict.Fail && ending.Difference != Difference.Message || Endings.Differ(expectation.Ran, outcome))
            return new Judgement([ending]);
        var actual = new Dictionary<string, Report?>();
        foreach (var (name, report) in outcome.Values) actual[name] = report?.Value;
        foreach (var (name, expected) in expectation.Ran.Values)
        {
            if (Endings.LeavesOpen(expectation, name)) continue;
            findings.Add(Value(expectation, name, expected?.Value, actual, engine));
        }

        var known = expectation.Ran.Values.Select(v => v.Item1).ToHashSet();
        foreach (var name in actual.Keys)
            if (!known.Contains(name) && !Endings.LeavesOpen(expectation, name))
                findings.Add(new Finding(name, Verdict.Fail, Difference.Presence, $"{name} is reported, but does not exist at that point"));
        findings.Add(ending);
        return new Judgement(findings);
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
            return zeros && expectation.Ran.SecondOrder
                ? new Finding(name, Verdict.Pass, Difference.None, "")
                : new Finding(name, Verdict.Fail, Difference.Null, $"{name} is {(zeros ? "zeros" : "a tensor")}, expected null: no path leads to it");
        }

        var mayBeZeros = expected.SecondOrder && expected.Value.Elements is Elements<Bounded>.Floats { Item: var e } && e.All(b => !b.IsUnknown && Math.Abs(b.V) <= b.E);
        return mayBeZeros
            ? new Finding(name, Verdict.Pass, Difference.None, "")
            : new Finding(name, Verdict.Fail, Difference.Null, $"{name} is null, expected a tensor of shape {Shape.show(expected.Value.Shape)}");
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
        bool Compares(string feature) => engine.Features.Contains(feature);
        if (Compares("versions") && !isGradient && expected.Version is { } version && actual.Version is { } v && v.Value != version.Value)
            return Fail(Difference.Version, "version", v.Value, version.Value);
        // Of second order either value of requires_grad is right, and with it of what follows from it.
        if (expected.SecondOrder) return null;
        if (Compares("requires_grad") && actual.RequiresGrad is { } r && r.Value != expected.RequiresGrad)
            return Fail(Difference.RequiresGrad, "requires_grad", r.Value, expected.RequiresGrad);
        if (Compares("is_leaf") && expected.IsLeaf is { } leaf && actual.IsLeaf is { } l && l.Value != leaf.Value)
            return Fail(Difference.IsLeaf, "is_leaf", l.Value, leaf.Value);
        if (Compares("grad_fn") && expected.GradFn is { } node && actual.GradFn is { } n && n.Value is null != node.Value is null)
            return Fail(Difference.GradFn, "grad_fn", n.Value?.Value ?? "None", node.Value?.Value ?? "None");
        return null;
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
