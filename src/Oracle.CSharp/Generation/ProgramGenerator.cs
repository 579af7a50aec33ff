using Microsoft.FSharp.Collections;
using Verified.Spec;

namespace Verified.Oracle.Generation;

/// <summary>
/// Random programs. The generator has no rules of shapes or of autograd: it proposes a step from the registry's records and keeps it
/// where the specification accepts it in the state that the program has reached.
/// </summary>
public sealed class ProgramGenerator
{
    private readonly OperatorChoice _choice;
    private readonly GeneratorOptions _options;
    private readonly Func<IScene> _start;

    /// <summary>A generator over a registry.</summary>
    public ProgramGenerator(FSharpMap<string, Operator> registry, GeneratorOptions? options = null)
        : this(registry, options ?? new GeneratorOptions(), () => SpecScene.Empty(registry))
    {
    }

    internal ProgramGenerator(FSharpMap<string, Operator> registry, GeneratorOptions options, Func<IScene> start)
    {
        ArgumentNullException.ThrowIfNull(registry);
        _options = options;
        _start = start;
        _choice = new OperatorChoice(registry, options);
    }

    /// <summary>The program of a seed. The same seed gives the same program. Where operators are named it holds one of them, if a few tries give such a program.</summary>
    public Program Generate(ulong seed)
    {
        var program = Drafted(seed);
        for (var again = 1; again < MostTries && _options.Operators is not null && !HoldsAnOperator(program); again++) program = Drafted(Rng.CaseSeed(seed, again));
        return program;
    }

    private const int MostTries = 20;

    private Program Drafted(ulong seed) => new Draft(new Rng(seed), _options, _choice, _start()).Write();

    private bool HoldsAnOperator(Program program) => Steps.All(program.Steps).Any(step => Needs.Record(step) is { } op && _options.Operators!.Contains(op.Name));
}

/// <summary>One program in the making.</summary>
internal sealed partial class Draft
{
    private const int Tries = 12;
    private const int MinSteps = 2;

    private readonly Rng _rng;
    private readonly GeneratorOptions _options;
    private readonly OperatorChoice _choice;
    private readonly List<Input> _inputs = [];
    private readonly List<Step> _steps = [];
    private readonly DType _dtype;
    private readonly ValueStyle _style;
    private readonly bool _wantsBackward;
    private readonly bool _wantsSecondOrder;
    private readonly bool _wantsInPlace;
    private readonly bool _wantsHeavy;
    private readonly bool _wantsError;
    private readonly bool _wantsIntegers;
    private readonly bool _observesInputs;
    private readonly bool _writesToGradients;
    private readonly bool _isLarge;
    private readonly int _scale;
    private IScene _scene;
    private int _names;
    private bool _records = true;
    private DType _ofFirst;

    public Draft(Rng rng, GeneratorOptions options, OperatorChoice choice, IScene scene)
    {
        _rng = rng;
        _options = options;
        _choice = choice;
        _scene = scene;
        _ofFirst = options.FloatTypes[0];
        _dtype = rng.Chance(0.75) ? options.FloatTypes[0] : rng.Pick(options.FloatTypes);
        var style = rng.Pick<ValueStyle>([(0.6, ValueStyle.Ordinary), (0.27, ValueStyle.Nice), (0.1, ValueStyle.Kinks), (0.02, ValueStyle.Wide), (0.01, ValueStyle.Full)]);
        _wantsBackward = rng.Chance(options.Backward);
        _wantsSecondOrder = _wantsBackward && Has("create_graph") && rng.Chance(options.SecondOrder / Math.Max(options.Backward, 1e-9));
        _style = style == ValueStyle.Full && _wantsSecondOrder ? ValueStyle.Wide : style;
        _wantsInPlace = Has("in_place") && rng.Chance(options.InPlace);
        _wantsHeavy = rng.Chance(options.Heavy);
        _wantsIntegers = rng.Chance(options.Integers);
        _observesInputs = rng.Chance(0.1);
        _writesToGradients = Has(EngineFeatures.GradientMemory) && rng.Chance(0.3);
        // Most errors are a backward's.
        _wantsError = Has("errors") && rng.Chance(options.Errors * (_wantsBackward ? 1.8 : 0.2));
        _isLarge = rng.Chance(options.Large);
        _scale = _isLarge ? rng.Pick(Scales) : 1;
    }

    /// <summary>The steps so far, nested ones included.</summary>
    private int Count => _steps.Sum(Length);

    private static int Length(Step step) => 1 + step.Steps.Sum(Length);

    private bool Has(string feature) => _options.Features.Contains(feature);

    // Whether the engine has what a step of this name needs.
    private bool May(string op) => Needs.Of(op).All(Has);

    public Program Write()
    {
        var length = Length();
        for (var i = _rng.Between(1, 3); i > 0; i--) NewFloat(RandomShape(), leaf: _wantsBackward && (i == 1 || _rng.Chance(0.5)));
        for (var i = _wantsIntegers ? _rng.Between(1, 2) : 0; i > 0; i--) NewInteger(RandomShape());

        // What the program is to have is placed somewhere in it, and tried for a while once that place is reached.
        var goals = new List<(int At, Func<bool> Reach)>();
        if (_wantsHeavy) goals.Add((_rng.Below(1 + length / 2), () => Keep(Call(heavy: true))));
        if (_wantsInPlace) goals.Add((_rng.Below(length), () => Keep(InPlace())));
        if (_wantsBackward)
        {
            var at = _rng.Between(length / 2, length - 1);
            goals.Add((at, _wantsSecondOrder ? SecondOrder : Backward));
            if (_rng.Chance(0.4) && Has("accumulate")) goals.Add((at + _rng.Between(1, 4), Backward));
            if (_wantsInPlace && _writesToGradients) goals.Add((at + _rng.Between(1, 3), () => Keep(InPlace())));
        }

        for (var attempts = 0; Count < length && attempts < length * Tries; attempts++)
        {
            if (goals.FindIndex(goal => Count >= goal.At) is var next and >= 0)
            {
                var (_, reach) = goals[next];
                goals.RemoveAt(next);
                for (var tries = 0; tries < Tries && !reach(); tries++) attempts++;
            }
            else
            {
                Ordinary();
            }
        }

        foreach (var (_, reach) in goals)
            for (var tries = 0; tries < Tries && !reach(); tries++) { }

        for (var attempts = 0; Count < MinSteps && attempts < 20 * Tries; attempts++) Ordinary();
        if (_wantsError && Count < _options.MaxSteps) EndInError();
        return new Program(ListModule.OfSeq(Used()), ListModule.OfSeq(_steps), ListModule.OfSeq(Observed()));
    }

    /// <summary>2 to 25 steps, median 10 with what goals add at the end, where no fewer are wanted.</summary>
    private int Length() => _options.MaxSteps < 25
        ? _rng.Between(1, _options.MaxSteps)
        : _rng.Chance(0.56) ? _rng.Between(2, 10) : Math.Min(_rng.Between(10, 25), _rng.Between(10, 25));

    // ---- Inputs -----------------------------------------------------------------------------------------------------

    private static readonly int[][] Shapes =
        [[], [1], [2], [3], [4], [5], [8], [9], [16], [17], [0], [2, 3], [3, 2], [1, 3], [3, 1], [2, 2], [4, 4], [3, 3], [8, 4], [2, 3, 4], [2, 1, 3], [2, 2, 2], [0, 3], [1, 1], [2, 3, 2, 2]];

    // Odd, so that what is cut into vectors and tiles leaves a rest.
    private static readonly int[] Scales = [5, 9, 15, 17, 33, 65, 129];

    private int[] RandomShape() => ToScale([_rng.Pick(Shapes)])[0];

    private int MaxElements => _isLarge ? _options.MaxElementsOfLarge : _options.MaxElements;

    /// <summary>Shapes that go together, each dimension above one so many times as long, as far as the elements allow.</summary>
    private int[][] ToScale(IReadOnlyList<int[]> shapes)
    {
        for (var scale = _scale; ; scale /= 2)
        {
            var scaled = shapes.Select(shape => shape.Select(size => size > 1 && scale > 1 ? size * scale : size).ToArray()).ToArray();
            if (scale <= 1 || scaled.All(shape => shape.Aggregate(1L, (count, size) => count * size) <= MaxElements)) return scaled;
        }
    }

    private string NewName(string prefix) => prefix + _names++;

    private string AddInput(string prefix, Literal tensor, bool requiresGrad)
    {
        var input = new Input(NewName(prefix), tensor, requiresGrad);
        _inputs.Add(input);
        _scene = _scene.WithInput(input);
        return input.Name;
    }

    private string NewFloat(int[] shape, bool leaf, Domain? domain = null) =>
        AddInput(leaf ? "p" : "c", Values.Floats(_rng, _rng.Chance(0.95) ? _dtype : _rng.Pick(_options.FloatTypes), shape, _style, domain ?? Domain.Everywhere), leaf);

    private string NewInteger(int[] shape) => AddInput("n", _rng.Chance(0.7) ? Values.Whole(_rng, shape) : Values.Booleans(_rng, shape), false);

    /// <summary>Inputs that nothing uses say nothing.</summary>
    private IEnumerable<Input> Used()
    {
        var used = new HashSet<string>();
        void Visit(IEnumerable<Step> steps)
        {
            foreach (var step in steps)
            {
                foreach (var name in StepNames.Read(step)) used.Add(name);
                Visit(step.Steps);
            }
        }

        Visit(_steps);
        return _inputs.Where(input => used.Contains(input.Name));
    }

    // ---- Steps ------------------------------------------------------------------------------------------------------

    /// <summary>Keeps a proposed step where the specification accepts it and no tensor becomes too large.</summary>
    private bool Keep(Step? step)
    {
        if (step is null) return false;
        if (Count + Length(step) > _options.MaxSteps) return false;
        var (next, _) = _scene.After(step);
        if (next is null || next.Variables.Any(v => v.Count > MaxElements)) return false;
        _scene = next;
        _steps.Add(step);
        return true;
    }

    private List<Variable> Floats => [.. _scene.Variables.Where(v => v.IsFloat)];

    /// <summary>
    /// What is written to: leaves only where nothing is recorded, and gradients or what was given as one only where the engine promises with what these share memory.
    /// </summary>
    private List<Variable> Writable
    {
        get
        {
            var gradients = Gradients;
            return [.. _scene.Variables.Where(v => (v.IsFloat || _wantsIntegers) && !(_records && v.IsLeaf && v.RequiresGrad) && !gradients.Contains(v.Name))];
        }
    }

    /// <summary>What may share memory with a gradient, and is let alone for that; nothing where the program may write to it.</summary>
    private HashSet<string> Gradients => _writesToGradients ? [] : StepNames.Gradients(_steps);

    /// <summary>A variable, recent ones more often, so that programs hang together.</summary>
    private Variable? Recent(IReadOnlyList<Variable> variables)
    {
        if (variables.Count == 0) return null;
        var back = Math.Min(_rng.Below(variables.Count), _rng.Below(variables.Count));
        return variables[variables.Count - 1 - back];
    }

    private void Ordinary()
    {
        var step = _rng.Pick<Func<Step?>>(
        [
            (_wantsHeavy ? 60 : 66, () => Call(heavy: false)),
            (_wantsHeavy ? 10 : 0, () => Call(heavy: true)),
            (Has("views") ? 12 : 0, () => Call(heavy: false, views: true)),
            (_wantsInPlace ? 16 : 0, InPlace),
            (May("detach") ? 3 : 0, () => Unary(_rng.Chance(0.8) ? "detach" : "data")),
            (May("detach_") ? 0.5 : 0, () => Unary("detach_")),
            (May("requires_grad_") ? 0.7 : 0, RequireGrad),
            (May("no_grad") ? 4 : 0, Block),
            (_wantsBackward && May("retain_grad") ? 2 : 0, () => Unary("retain_grad")),
            (_wantsBackward && May("register_hook") ? 2 : 0, Hook),
            (_hooks.Count > 0 ? 2 : 0, () => Steps.Act("remove_hook", _rng.Pick(_hooks))),
            (_wantsBackward && May("get_grad") ? 2 : 0, GradientStep),
        ])();
        Keep(step);
    }

    private Step? Unary(string op)
    {
        // Whether a gradient is a view is not every engine's promise, and a view may not be detached in place.
        var gradients = op == "detach_" ? Gradients : [];
        var target = Recent([.. Floats.Where(v => !gradients.Contains(v.Name))]);
        if (target is null) return null;
        return op is "retain_grad" or "detach_" ? Steps.Act(op, target.Name) : Steps.Call(op, [target.Name], NewName("v"));
    }

    private Step? Block()
    {
        var kind = _rng.Pick<string>([(0.7, "no_grad"), (0.2, "enable_grad"), (May("inference_mode") ? 0.1 : 0, "inference_mode")]);
        var inner = new List<Step>();
        Step? best = null;
        _records = kind == "enable_grad";
        for (var i = _rng.Between(1, 3) + 2; i > 0; i--)
        {
            if (Inner() is not { } step) continue;
            if (kind == "no_grad" && _rng.Chance(0.1)) step = Steps.Block("enable_grad", [step]);
            var block = Steps.Block(kind, [.. inner, step]);
            if (_scene.After(block).Next is null) continue;
            inner.Add(step);
            best = block;
        }

        _records = true;
        return best;
    }

    /// <summary>A step of a block: most often an operator's.</summary>
    private Step? Inner() => _rng.Pick<Func<Step?>>(
    [
        (_wantsInPlace ? 40 : 0, InPlace),
        (40, () => Call(heavy: false, views: _rng.Chance(0.3))),
        (May("detach") ? 5 : 0, () => Unary(_rng.Chance(0.7) ? "detach" : "data")),
        (May("detach_") ? 1 : 0, () => Unary("detach_")),
        (May("requires_grad_") ? 2 : 0, RequireGrad),
        (_wantsBackward && May("retain_grad") ? 2 : 0, () => Unary("retain_grad")),
        (_wantsBackward && May("get_grad") ? 3 : 0, GradientStep),
        (_wantsBackward && May("register_hook") ? 1 : 0, Hook),
        (_wantsBackward ? 4 : 0, () => From("backward")),
    ])();

    /// <summary>An operator's call that the specification accepts.</summary>
    private Step? Call(bool heavy, bool views = false, bool inPlace = false)
    {
        if (_choice.Pick(_rng, heavy, views, inPlace) is not { } op || Proposed(op, inPlace) is not { } plain) return null;
        if (inPlace || op.OnlyInPlace) return plain;
        foreach (var outputs in new[] { 1, 2, 3, 4 })
        {
            // How many results there are is for the specification to say: a list of another length is refused.
            var step = outputs == 1 ? plain.Binding(NewName("v")) : plain.Binding([.. Enumerable.Range(0, outputs).Select(_ => NewName("v"))]);
            if (_scene.After(step).Next is not null) return step;
            if (!OperatorChoice.MayHaveSeveralResults(op)) return null;
        }

        return null;
    }

    /// <summary>An operator's call, with arguments found among the variables, reshaped from them, or made anew.</summary>
    private Step? Proposed(Operator op, bool inPlace)
    {
        var shapes = op.Shapes.IsEmpty || _rng.Chance(0.2) ? null : ToScale([.. _rng.Pick(op.Shapes.ToList())]);
        var args = new List<Arg>();
        int[]? first = null;
        var at = 0;
        foreach (var kind in op.Args)
        {
            var wanted = shapes is not null && at < shapes.Length ? shapes[at] : null;
            var (arg, shape, count) = Argument(op, kind, first, wanted, shapes, inPlace && at == 0);
            if (arg is null) return null;
            if (first is null && arg is Arg.Name { Item: var name })
            {
                // Whether strides allow a view shows the layout of a gradient, which is no engine's promise.
                if (op.Name == "view" && StepNames.Gradients(_steps).Contains(name)) return null;
                _ofFirst = Named(name).DType;
            }
            first ??= shape;
            args.Add(arg);
            at += count;
        }

        while (args.Count > 0 && args[^1].IsMissing) args.RemoveAt(args.Count - 1);
        var called = inPlace || op.OnlyInPlace ? op.Name + "_" : op.Name;
        // A number may stand for the first tensor only where nothing is written to that, and the exponent then is the one tensor.
        bool Given(int place) => place == 0 ? inPlace || args.Count > 1 : place < args.Count && !args[place].IsMissing;
        var step = new Step(called, ListModule.OfSeq(args), Attributes.Propose(_rng, op, first ?? [], Given, Has(EngineFeatures.Attributes)), Out.Nothing, null, null, FSharpList<Step>.Empty);
        return !Has(EngineFeatures.Broadcasting) && Broadcasting.Of(step, name => Named(name).Shape) ? null : step;
    }

    private (Arg? Arg, int[]? Shape, int Count) Argument(Operator op, ArgKind kind, int[]? first, int[]? wanted, int[][]? shapes, bool target)
    {
        switch (kind)
        {
            case ArgKind.Optional optional:
                return _rng.Chance(0.5) ? (Arg.Missing, null, 1) : Argument(op, optional.Item, first, wanted, shapes, false);
            case ArgKind.List list:
                var count = _rng.Between(1, 3);
                var names = new List<Microsoft.FSharp.Core.FSharpOption<string>?>();
                int[]? shape = null;
                for (var i = 0; i < count; i++)
                {
                    if (Found(op, list.Item, shape, wanted, shapes, false) is not { } item) return default;
                    names.Add(item.Name);
                    shape ??= item.Shape;
                }

                return (Arg.NewNames(ListModule.OfSeq(names!)), shape, count);
            default:
                var found = Found(op, kind, first, wanted, shapes, target);
                return found is null ? default : (Arg.NewName(found.Name), found.Shape, 1);
        }
    }

    private Variable? Found(Operator op, ArgKind kind, int[]? first, int[]? wanted, int[][]? shapes, bool target)
    {
        switch (kind)
        {
            case ArgKind.Optional optional:
                return Found(op, optional.Item, first, wanted, shapes, target);
            case { IsClasses: true } when first is not null && _ofFirst.IsFloat && _rng.Chance(0.35):
                // Of the logits' dtype: PyTorch smooths probabilities of another one in theirs.
                var alike = Floats.Where(v => v.DType.Equals(_ofFirst) && v.Shape.AsSpan().SequenceEqual(first)).ToList();
                if (alike.Count > 0 && _rng.Chance(0.3)) return Recent(alike);
                var leaf = NewLeaf();
                return Named(AddInput(leaf ? "p" : "c", Values.Floats(_rng, _ofFirst, first, _style, Domain.NewBetween(0, 1)), leaf));
            case { IsIndex: true } or { IsClasses: true }:
                var sizes = (shapes ?? [first ?? []]).SelectMany(s => s).Append(2).ToList();
                var bound = _rng.Chance(0.25) ? 1 : _rng.Pick(sizes);
                return Named(AddInput("i", Values.Indices(_rng, wanted ?? (_rng.Chance(0.5) ? first ?? [] : [_rng.Between(1, 4)]), bound, negative: _rng.Chance(0.2)), false));
            case { IsMask: true }:
                var known = _scene.Variables.Where(v => v.DType.IsBool && (wanted ?? first ?? v.Shape).AsSpan().SequenceEqual(v.Shape)).ToList();
                return known.Count > 0 && _rng.Chance(0.6) ? Recent(known) : Named(AddInput("m", Values.Booleans(_rng, wanted ?? first ?? RandomShape()), false));
            case { IsAny: true } when wanted is null && !target && _rng.Chance(0.1):
                return Recent(_scene.Variables);
            default:
                return FoundFloat(op, first, wanted, target);
        }
    }

    /// <summary>
    /// A float argument: an existing variable for the most part, or programs fall apart into pieces. An operator's domain is kept nine
    /// times in ten: outside of it values are NaN or infinite, which says little.
    /// </summary>
    private Variable? FoundFloat(Operator op, int[]? first, int[]? wanted, bool target)
    {
        var floats = Floats;
        if (target) return Target();
        if (_wantsIntegers && _rng.Chance(0.5)) return FoundInteger(wanted ?? first);

        if (!op.Domain.IsEverywhere && _rng.Chance(0.9)) floats = [.. floats.Where(v => _scene.LiesIn(v, op.Domain))];
        const double fresh = 0.1;
        if (wanted is not null)
        {
            var same = floats.Where(v => v.Shape.AsSpan().SequenceEqual(wanted)).ToList();
            if (same.Count > 0 && !_rng.Chance(fresh)) return Recent(same);
            var count = wanted.Aggregate(1, (n, d) => n * d);
            var reshaped = floats.Where(v => v.Count == count && v.Count > 0).ToList();
            if (reshaped.Count > 0 && !_rng.Chance(fresh) && Reshaped(Recent(reshaped)!, wanted) is { } made) return made;
            return Named(NewFloat(wanted, NewLeaf(), op.Domain));
        }

        var broadcasts = Has(EngineFeatures.Broadcasting);
        if (first is not null && (_rng.Chance(0.8) || !broadcasts))
        {
            // Operands that are broadcast, so that gradients have to be summed again.
            var narrower = floats.Where(v => v.Shape.Length <= first.Length && !v.Shape.AsSpan().SequenceEqual(first) && Broadcasts(v.Shape, first)).ToList();
            if (narrower.Count > 0 && broadcasts && _rng.Chance(0.2)) return Recent(narrower);
            var same = floats.Where(v => v.Shape.AsSpan().SequenceEqual(first)).ToList();
            if (same.Count > 0 && !_rng.Chance(fresh + 0.1)) return Recent(same);
            return Named(NewFloat(broadcasts ? Broadcastable(first) : first, NewLeaf(), op.Domain));
        }

        return floats.Count > 0 && !_rng.Chance(fresh) ? Recent(floats) : Named(NewFloat(first ?? RandomShape(), NewLeaf(), op.Domain));
    }

    /// <summary>What an operator in place writes to: gradients often, where they may be written to.</summary>
    private Variable? Target()
    {
        var writable = Writable;
        var gradients = _writesToGradients && _rng.Chance(0.5) ? StepNames.Gradients(_steps) : [];
        return Recent([.. writable.Where(v => gradients.Contains(v.Name))]) ?? Recent(writable);
    }

    /// <summary>An integer or a bool in the place of a float: of the shape that is asked for, or any.</summary>
    private Variable? FoundInteger(int[]? shape)
    {
        var known = _scene.Variables.Where(v => !v.IsFloat && (shape is null || v.Shape.AsSpan().SequenceEqual(shape))).ToList();
        return known.Count > 0 && _rng.Chance(0.8) ? Recent(known) : Named(NewInteger(shape ?? RandomShape()));
    }

    private bool NewLeaf() => _wantsBackward && _rng.Chance(0.4);

    private Variable? Reshaped(Variable variable, int[] shape)
    {
        var step = Steps.Call("reshape", [variable.Name], NewName("v"))
            .With("shape", Attr.NewItems(ListModule.OfSeq(shape.Select(d => Attr.NewInteger(d)))));
        return _choice.Allows("reshape") && Keep(step) ? _scene.Variables[^1] : null;
    }

    /// <summary>A shape that broadcasts with this one: itself, with some dimensions 1, or without the first.</summary>
    private int[] Broadcastable(int[] shape) => _rng.Below(4) switch
    {
        0 when shape.Length > 0 => [.. shape.Skip(1)],
        1 => [.. shape.Select(d => _rng.Chance(0.5) ? 1 : d)],
        _ => shape,
    };

    private static bool Broadcasts(int[] from, int[] to) =>
        Enumerable.Range(1, from.Length).All(i => from[^i] == 1 || from[^i] == to[^i]);

    private Variable Named(string name) => _scene.Variables.First(v => v.Name == name);

    private Step? InPlace() => _rng.Chance(0.1) && _choice.Allows("getitem") ? SetItem() : Call(heavy: false, inPlace: true);

    private Step? SetItem()
    {
        var target = Recent([.. Writable.Where(v => v.Shape.Length > 0)]);
        if (target is null) return null;
        var index = Attributes.Propose(_rng, _choice["getitem"], target.Shape, _ => true, optional: false);
        var source = _rng.Chance(0.5) ? Named(NewFloat([], NewLeaf())) : Recent(Floats)!;
        return Steps.Act("setitem_", target.Name, source.Name).With(index);
    }

    // ---- Observation ------------------------------------------------------------------------------------------------

    private List<Observed> Observed()
    {
        var observed = Wanted().Distinct().ToList();
        // Something has to be seen of every program: else of its first input, which it writes to.
        return observed.Count > 0 || !Used().Any() ? observed : [Spec.Observed.NewValue(Used().First().Name)];
    }

    private static IEnumerable<Step> Nested(Step step) => step.Steps.SelectMany(Nested).Prepend(step);

    private IEnumerable<Observed> Wanted()
    {
        var used = Used().Select(input => input.Name).ToHashSet();
        var steps = _steps.SelectMany(Nested).ToList();
        // Retained gradients, and those that were asked for by name.
        var kept = steps.Where(step => step.Op == "retain_grad").SelectMany(StepNames.Read)
            .Concat(steps.Where(step => step.Op == "backward" && step.Wrt is not null).SelectMany(step => step.Wrt!.Value)).ToHashSet();
        var updated = steps.Where(step => _choice.Updates(step.Op)).SelectMany(StepNames.Read).ToHashSet();
        // What grad gives may be null, and is then no variable of the scene.
        foreach (var name in steps.Where(step => step.Op == "grad").SelectMany(StepNames.Bound)) yield return Spec.Observed.NewValue(name);
        foreach (var variable in _scene.Variables)
        {
            // An input may be written to, and is then as good as made.
            var made = !_inputs.Any(input => input.Name == variable.Name) || ((_wantsInPlace || _observesInputs) && used.Contains(variable.Name));
            if (updated.Contains(variable.Name) || (made && (_observesInputs || _rng.Chance(0.6) || variable == _scene.Variables[^1])))
                yield return Spec.Observed.NewValue(variable.Name);
            if (_wantsBackward && variable.IsFloat && (kept.Contains(variable.Name) || (variable.IsLeaf && variable.RequiresGrad && (made || used.Contains(variable.Name)))))
                yield return Spec.Observed.NewGradient(variable.Name);
        }
    }
}
