using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Oracle;
using Verified.Spec;

namespace Verified;

/// <summary>
/// A recording cut at every tensor: each step is judged on the values that it was given, each derivative on the gradients that arrived. What earlier steps rounded is no longer in doubt, so bounds do not
/// grow with the depth of a model, and all is right where every step is.
/// </summary>
/// <remarks>
/// The cut program has an input for each tensor that is used, with the value that was recorded, and pulls the recorded gradients back from all results at once. A tensor at which no gradient was caught
/// (inside a custom function) is not cut: its gradient flows through it.
/// </remarks>
internal sealed class StepByStep
{
    private readonly ProgramRecorder _recorder;
    private readonly Dictionary<string, Literal> _arrived;
    private readonly Dictionary<string, Literal> _now = [];
    private readonly Dictionary<string, string> _given = [];
    private readonly HashSet<string> _needs = [];
    private readonly HashSet<string> _made = [];
    private readonly List<Input> _inputs = [];
    private readonly List<Step> _steps = [];
    private readonly List<(Observed Observed, Literal? Actual)> _observed = [];

    private StepByStep(ProgramRecorder recorder, Dictionary<string, Literal> arrived) => (_recorder, _arrived) = (recorder, arrived);

    /// <summary>The verdict on each step; null for a recording that is more than a forward and one backward at its end, or that writes into what it differentiates.</summary>
    public static Judgement? Examine(ProgramRecorder recorder, EngineInfo live)
    {
        var last = recorder.Steps.Count - 1;
        if (recorder.Error is not null || last < 0 || recorder.Steps[last].Step is not { Op: "backward", Wrt: null } backward) return null;
        if (recorder.Gradients.Arrived is not [var arrived]) return null;
        var cut = new StepByStep(recorder, new Dictionary<string, Literal>(arrived));
        return cut.Cut(last) && cut.Pull(backward) ? cut.Judged(live) : null;
    }

    /// <summary>The same for a program, which an engine with these operators runs.</summary>
    public static Judgement? Examine(Program program, Engine.OperatorRegistry registry, EngineInfo live)
    {
        using var recorder = new ProgramRecorder();
        _ = new ProgramRun(registry, StructuralSteps.Default).Run(program);
        recorder.Dispose();
        return Examine(recorder, live);
    }

    private bool Cut(int count)
    {
        foreach (var input in _recorder.ToProgram([], []).Inputs)
        {
            _now[input.Name] = input.Tensor;
            if (input.RequiresGrad) _needs.Add(input.Name);
        }

        return _recorder.Steps.Take(count).All(Cut);
    }

    private bool Cut(RecordedStep recorded)
    {
        var step = recorded.Step;
        if (StructuralSteps.Default.Names.Contains(step.Op) && step.Op is not ("detach" or "data")) return false;
        var used = step.In.SelectMany(NamesOf).ToList();
        if (!used.TrueForAll(_now.ContainsKey)) return false;
        if (step.Op.EndsWith('_')) return Write(recorded);
        var made = recorded.Values.Keys.ToList();
        // What gave back its argument computed nothing.
        if (made.Exists(_now.ContainsKey)) return made.TrueForAll(used.Contains);
        _steps.Add(With(step, Given));
        foreach (var (name, value) in recorded.Values)
        {
            _now[name] = value;
            _made.Add(name);
            _observed.Add((Observed.NewValue(name), value));
            if (recorded.Block is null && step.Op is not ("detach" or "data") && value.DType.IsFloat && used.Exists(_needs.Contains)) _needs.Add(name);
        }

        // What is written to without counting as a write was not recorded: such values are not known any more.
        if (RegistryModule.all.TryGetValue(step.Op, out var op))
            foreach (var (place, _) in op.Updates)
                foreach (var name in step.In.Skip(place).Take(1).SelectMany(NamesOf)) _now.Remove(name);
        return true;
    }

    /// <summary>A write into a constant that shares its memory with nothing else, on a copy.</summary>
    private bool Write(RecordedStep recorded)
    {
        if (recorded.Values.Count != 1) return false;
        var (name, value) = recorded.Values.Single();
        if (_needs.Contains(name) || (recorded.Block is null && recorded.Step.In.SelectMany(NamesOf).Any(_needs.Contains))) return false;
        var copy = Fresh(name + "_written");
        _inputs.Add(new Input(copy, _now[name], false));
        _steps.Add(With(recorded.Step, other => other == name ? copy : Given(other)));
        _observed.Add((Observed.NewValue(copy), value));
        _now[name] = value;
        _made.Add(name);
        _given.Remove(name);
        return true;
    }

    private bool Pull(Step backward)
    {
        var roots = backward.In.SelectMany(NamesOf).ToList();
        for (var i = 0; i < roots.Count; i++)
        {
            var gradient = backward.Gradients?.Value[i]?.Value;
            if (!_now.TryGetValue(gradient ?? roots[i], out var value)) return false;
            _arrived.TryAdd(roots[i], gradient is not null ? value : new Literal(value.DType, value.Shape, Data.NewFloats([1.0])));
        }

        var pulled = _made.Where(name => _needs.Contains(name) && _arrived.ContainsKey(name)).ToList();
        var gradients = new List<FSharpOption<string>?>();
        foreach (var name in pulled)
        {
            var gradient = Fresh(name + "_arrived");
            _inputs.Add(new Input(gradient, _arrived[name], false));
            gradients.Add(FSharpOption<string>.Some(gradient));
        }

        if (pulled.Count > 0)
            _steps.Add(new Step(
                "backward", ListModule.OfSeq(pulled.Select(Arg.NewName)), MapModule.Empty<string, Attr>(), Out.Nothing, null,
                FSharpOption<FSharpList<FSharpOption<string>?>>.Some(ListModule.OfSeq(gradients)), FSharpList<Step>.Empty));
        return true;
    }

    private Judgement Judged(EngineInfo live)
    {
        var program = new Program(ListModule.OfSeq(_inputs), ListModule.OfSeq(_steps), ListModule.OfSeq(_observed.Select(o => o.Observed)));
        var values = _observed.Select(o => Tuple.Create(
            o.Observed.Text, o.Actual is null ? null : FSharpOption<Report>.Some(new Report(o.Actual, null, null, null, null))));
        return Judge.Outcome(Expectation.Of(program), new Outcome(ListModule.OfSeq(values)!, null), live);
    }

    /// <summary>The input that holds what a name holds now; the name itself where it is not cut.</summary>
    private string Given(string name)
    {
        if (_made.Contains(name) && _needs.Contains(name) && !_arrived.ContainsKey(name)) return name;
        if (_given.TryGetValue(name, out var given)) return given;
        given = _given[name] = _made.Contains(name) ? Fresh(name + "_given") : name;
        _inputs.Add(new Input(given, _now[name], _needs.Contains(name)));
        if (_needs.Contains(name)) _observed.Add((Observed.NewGradient(given), _arrived.GetValueOrDefault(name)));
        return given;
    }

    private string Fresh(string wanted)
    {
        var name = wanted;
        for (var i = 2; _now.ContainsKey(name) || _inputs.Exists(input => input.Name == name); i++) name = $"{wanted}{i}";
        return name;
    }

    internal static IEnumerable<string> NamesOf(Arg arg) => arg switch
    {
        Arg.Name one => [one.Item],
        Arg.Names list => list.Item.Where(item => item is not null).Select(item => item!.Value),
        _ => [],
    };

    private static Step With(Step step, Func<string, string> name) => new(
        step.Op,
        ListModule.OfSeq(step.In.Select(arg => arg switch
        {
            Arg.Name one => Arg.NewName(name(one.Item)),
            Arg.Names list => Arg.NewNames(ListModule.OfSeq(list.Item.Select(item => item is null ? null : FSharpOption<string>.Some(name(item.Value))))),
            _ => arg,
        })),
        step.Attrs, step.Out, step.Wrt, step.Gradients, step.Steps);
}
