using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Specification.Tests;

/// <summary>A call of an operator as a program, differentiated by the interpreter up to three times.</summary>
internal sealed class GradientProgram(OperatorSample sample, FSharpMap<string, Operator> registry, bool throughView)
{
    private readonly List<Input> _inputs = [];
    private readonly List<Step> _steps = [];
    private readonly List<string> _upstream = [];

    private static string X(int i) => $"x{i}";

    private static FSharpList<FSharpOption<string>?> Optional(IEnumerable<string?> names) =>
        ListModule.OfSeq(names.Select(name => name is null ? null : FSharpOption<string>.Some(name)));

    /// <summary>The gradients of the float inputs for these gradients of the results.</summary>
    internal Dictionary<int, double[]?> Gradients(List<double[]> g, List<int[]> shapes)
    {
        var op = sample.Op;
        for (var i = 0; i < sample.Inputs.Length; i++)
            if (sample.Inputs[i] is { } x) _inputs.Add(new Input(X(i), x, sample.Floats.Contains(i)));
        for (var o = 0; o < g.Count; o++)
        {
            _upstream.Add($"g{o}");
            Add($"g{o}", shapes[o], g[o], true);
        }

        var outs = Outs(g.Count);
        if (op.OnlyInPlace || throughView)
        {
            _steps.Add(Plain("clone", ["x0"], Out.NewName("y0")));
            if (throughView) _steps.Add(new Step("getitem", ListModule.OfSeq([Arg.NewName("y0")]), WholeIndex, Out.NewName("view"), null, null, FSharpList<Step>.Empty));
            _steps.Add(Call(op.Name + "_", Names(throughView ? "view" : "y0"), Out.Nothing));
        }
        else
        {
            _steps.Add(Call(op.Name, Names(X(0)), outs));
        }

        Differentiate([.. Enumerable.Range(0, g.Count).Select(o => $"y{o}")], [.. _upstream], [.. sample.Floats.Select(X)], "d");
        return ByInput("d");
    }

    /// <summary>The gradients of the gradients' inner product with v: in the inputs, and in the upstream gradients.</summary>
    internal (Dictionary<int, double[]?> Inputs, List<double[]?> Upstream) OfGradients(Dictionary<int, double[]> v)
    {
        Again(v, "v", "d", [.. sample.Floats.Select(X), .. _upstream], "s");
        var ran = Run(["s"]);
        var floats = sample.Floats.ToList();
        return (ByInput("s"), [.. _upstream.Select((_, o) => ran.GetValueOrDefault($"s{floats.Count + o}"))]);
    }

    /// <summary>The gradients of the second gradients' inner product with w.</summary>
    internal Dictionary<int, double[]?> OfSecond(Dictionary<int, double[]> w)
    {
        Again(w, "w", "s", [.. sample.Floats.Select(X)], "t");
        return ByInput("t");
    }

    /// <summary>
    /// The second gradients in the upstream gradients are the Jacobian times v; their own gradients in v are its transpose again.
    /// </summary>
    internal Dictionary<int, double[]?> OfJacobian(List<double[]> u)
    {
        var live = Live("s");
        var first = sample.Floats.Count();
        var roots = Enumerable.Range(0, u.Count).Where(o => live.Contains($"s{first + o}")).ToList();
        foreach (var o in roots) Add($"u{o}", _inputs.First(x => x.Name == $"g{o}").Tensor.Shape, u[o], false);
        var directions = sample.Floats.Select((_, k) => $"v{k}").Where(name => _inputs.Any(x => x.Name == name)).ToList();
        if (roots.Count > 0)
            Differentiate([.. roots.Select(o => $"s{first + o}")], [.. roots.Select(o => $"u{o}")], [.. directions], "j");
        var ran = Run(["j"]);
        return sample.Floats.Select((input, k) => (input, k)).ToDictionary(p => p.input, p => ran.GetValueOrDefault($"j{directions.IndexOf($"v{p.k}")}"));
    }

    // Gradients that are constant, or that do not exist, have no gradient themselves; if none has, nothing is asked.
    private void Again(Dictionary<int, double[]> cotangents, string name, string of, string[] wrt, string to)
    {
        var live = Live(of);
        var roots = sample.Floats.Select((input, k) => (input, k)).Where(r => live.Contains($"{of}{r.k}")).ToList();
        foreach (var (input, k) in roots) Add($"{name}{k}", sample.Inputs[input]!.Shape, cotangents[input], true);
        if (roots.Count > 0)
            Differentiate([.. roots.Select(r => $"{of}{r.k}")], [.. roots.Select(r => $"{name}{r.k}")], wrt, to);
    }

    private void Add(string name, int[] shape, double[] numbers, bool requiresGrad) =>
        _inputs.Add(new Input(name, new Literal(DType.Float64, shape, Data.NewFloats(numbers)), requiresGrad));

    private void Differentiate(string[] roots, string[] gradients, string[] wrt, string to) =>
        _steps.Add(new Step(
            "grad",
            ListModule.OfSeq(roots.Select(Arg.NewName)),
            MapModule.OfSeq([Tuple.Create("create_graph", Attr.NewFlag(true)), Tuple.Create("allow_unused", Attr.NewFlag(true))]),
            Out.NewNames(Optional(wrt.Select((_, k) => $"{to}{k}"))),
            FSharpOption<FSharpList<string>>.Some(ListModule.OfSeq(wrt)),
            FSharpOption<FSharpList<FSharpOption<string>?>>.Some(Optional(gradients)),
            FSharpList<Step>.Empty));

    private static FSharpMap<string, Attr> WholeIndex => MapModule.OfSeq([Tuple.Create("index", Attr.NewItems(FSharpList<Attr>.Empty))]);

    // The float results come first; integer ones behind them are not differentiated.
    private Out Outs(int floats)
    {
        var count = !sample.Op.Behaviour.IsAliases ? sample.Op.Results.Invoke(sample.Attrs) : floats;
        return count == 1 ? Out.NewName("y0") : Out.NewNames(Optional(Enumerable.Range(0, count).Select(o => o < floats ? $"y{o}" : $"integers{o}")));
    }

    // The arguments as the record has them: a list is a list again.
    private FSharpList<Arg> Names(string first)
    {
        string? Name(int i) => sample.Inputs[i] is null ? null : i == 0 ? first : X(i);
        var args = new List<Arg>();
        var next = 0;
        var after = sample.Op.Args.Length;
        foreach (var kind in sample.Op.Args)
        {
            after--;
            var lists = kind is ArgKind.List or ArgKind.Optional { Item: ArgKind.List };
            if (lists)
            {
                // What follows a list takes the last of the inputs.
                var end = sample.Inputs.Length - after;
                args.Add(Arg.NewNames(Optional(Enumerable.Range(next, end - next).Select(Name))));
                next = end;
            }
            else if (next < sample.Inputs.Length)
            {
                args.Add(Name(next++) is { } n ? Arg.NewName(n) : Arg.Missing);
            }
        }

        return ListModule.OfSeq(args);
    }

    private Step Call(string op, FSharpList<Arg> args, Out @out) => new(op, args, sample.Attrs, @out, null, null, FSharpList<Step>.Empty);

    private static Step Plain(string op, string[] args, Out @out) =>
        new(op, ListModule.OfSeq(args.Select(Arg.NewName)), MapModule.Empty<string, Attr>(), @out, null, null, FSharpList<Step>.Empty);

    private Dictionary<int, double[]?> ByInput(string prefix)
    {
        var ran = Run([prefix]);
        return sample.Floats.Select((input, k) => (input, k)).ToDictionary(p => p.input, p => ran.GetValueOrDefault($"{prefix}{p.k}"));
    }

    private Outcome Outcome()
    {
        var names = _steps.SelectMany(s => s.Out switch
        {
            Out.Name name => [name.Item],
            Out.Names several => several.Item.Select(n => n!.Value),
            _ => Enumerable.Empty<string>(),
        });
        var program = new Program(ListModule.OfSeq(_inputs), ListModule.OfSeq(_steps), ListModule.OfSeq(names.Select(Observed.NewValue)));
        var outcome = Spec.Run.outcomeOf(Spec.Run.run<Real>(registry, program));
        if (outcome.Raised is { } raised) throw new InvalidOperationException($"{sample}: {raised.Value.Kind.Name}: {raised.Value.Message}");
        return outcome;
    }

    private HashSet<string> Live(string prefix) =>
        [.. Outcome().Values.Where(v => v.Item1.StartsWith(prefix, StringComparison.Ordinal) && v.Item2?.Value.RequiresGrad?.Value == true).Select(v => v.Item1)];

    private Dictionary<string, double[]?> Run(string[] prefixes) =>
        Outcome().Values
            .Where(v => prefixes.Any(p => v.Item1.StartsWith(p, StringComparison.Ordinal)))
            .ToDictionary(v => v.Item1, v => v.Item2 is { } report ? ((Data.Floats)report.Value.Tensor.Data).Item : null);
}
