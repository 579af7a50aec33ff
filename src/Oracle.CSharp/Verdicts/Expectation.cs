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
    private readonly FSharpSet<string> _off;
    private Ran<Bounded>? _widest;
    private IReadOnlySet<string>? _gradients;
    private IReadOnlySet<string>? _leftOpen;
    private IReadOnlySet<string>? _nearGradients;

    private Expectation(Program program, FSharpMap<string, Operator> registry, IReadOnlyDictionary<string, double>? ulp, FSharpSet<string> off)
    {
        (Program, _registry, _ulp, _off) = (program, registry, ulp, off);
        Ran = ulp is null || ulp.Count == 0 ? Again() : Allowance.With(ulp, Again);
    }

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
        return new Expectation(program, registry ?? RegistryModule.all, ulp, SetModule.Empty<string>());
    }

    // What it says without some of the rules.
    internal static Expectation Without(IEnumerable<AutogradRule> rules, Program program, IReadOnlyDictionary<string, double>? ulp = null) =>
        new(program, RegistryModule.all, ulp, SetModule.OfSeq(rules.Select(rule => rule.Name)));

    // What is a gradient, or follows from one: there the sign of a zero is an accident of how the rule is written.
    internal IReadOnlySet<string> Gradients => _gradients ??= Tainted.ByGradients(Program);

    // What was bound to a gradient, or may share its memory: how often a gradient's buffer was written to while it was made is no engine's promise.
    internal IReadOnlySet<string> NearGradients => _nearGradients ??= Near();

    // Whether a gradient of second order was asked for: a null gradient may then as well be zeros.
    internal bool AsksForSecondOrder { get => field || Ran.SecondOrder; private init; }

    // What is not compared, since a backward raised in the midst of its pass.
    internal IReadOnlySet<string> LeftOpen => _leftOpen ??= Endings.LeftOpen(Program, Ran);

    // What the specification says of another program, for the same engine.
    internal Expectation OfAnother(Program program) => new(program, _registry, _ulp, _off);

    // Of the program up to a step.
    internal Expectation Until(FSharpList<int> path) => OfAnother(Paths.Until(Program, path));

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
        var program = new Program(ListModule.OfSeq(without.Inputs.Where(input => input.Name != none).Append(constant)), without.Steps, without.Observe);
        return new Expectation(program, _registry, _ulp, _off) { AsksForSecondOrder = true };
    }

    private HashSet<string> Near()
    {
        var gradients = StepNames.Gradients(Program.Steps);
        // A name that is bound again stands for something else at the end.
        var bound = Program.Inputs.Select(input => input.Name).Concat(Steps.All(Program.Steps).SelectMany(StepNames.Bound)).ToList();
        var states = bound.Count == bound.Distinct().Count() ? [Ran.Last] : Run.states<Bounded>(_registry, Program).Append(Ran.Last);
        foreach (var state in states)
            foreach (var name in gradients.ToList())
                foreach (var shown in Run.sharing(state, name, Program.Observe).Where(text => !text.EndsWith(".grad", StringComparison.Ordinal))) gradients.Add(shown);
        return gradients;
    }

    private Ran<Bounded> Again() => Run.runWithout<Bounded>(_off, _registry, Program);

    // The same with the most ulp that can be declared: what explains an inaccuracy that is no wrong formula.
    internal Ran<Bounded> Widest => _widest ??= Allowance.WithMost(Again);
}
