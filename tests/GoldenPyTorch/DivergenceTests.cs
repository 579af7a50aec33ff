using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Oracle;
using Verified.Spec;
using Xunit;

namespace Verified.GoldenPyTorch;

/// <summary>The registry of PyTorch's divergences: each entry still shows, has a witness, and is no wider than what it states.</summary>
public sealed class DivergenceTests
{
    public static TheoryData<string> Divergences => [.. KnownDivergences.All.Select(d => d.Id)];

    [Theory]
    [MemberData(nameof(Divergences))]
    public void A_known_divergence_still_shows_and_its_witness_sides_with_the_specification(string id)
    {
        var divergence = KnownDivergences.All.Single(d => d.Id == id);
        Assert.NotEmpty(divergence.Goldens.Concat(divergence.Examples));
        foreach (var prefix in divergence.Goldens)
        {
            var goldens = Concerned.Value.Where(g => g.Id.StartsWith(prefix, StringComparison.Ordinal)).ToList();
            Assert.NotEmpty(goldens);
            StillShows(divergence, goldens);
        }

        foreach (var example in divergence.Examples) StillShows(divergence, [Case(example)]);
    }

    private static void StillShows(Divergence divergence, List<Json.Case> goldens)
    {
        var shown = goldens.Where(g => Judge.Outcome(g.Program, g.Golden!.Value, Goldens.PyTorch).Verdict == Verdict.Fail).ToList();
        Assert.True(shown.Count > 0, $"{goldens[0].Id}: PyTorch lies inside the bound; the entry is not needed");
        foreach (var golden in shown)
        {
            Assert.Null(divergence.Witness(golden));
            foreach (var finding in Wrong(golden))
                Assert.True(divergence.Covers(Seen(golden, finding)), $"{golden.Id}: {finding.Message} is not what the entry covers");
        }
    }

    [Theory]
    [MemberData(nameof(Divergences))]
    public void What_has_nothing_to_do_with_a_known_divergence_is_not_excused(string id)
    {
        var divergence = KnownDivergences.All.Single(d => d.Id == id);
        foreach (var golden in Shown(divergence))
        {
            var (program, outcome) = WithSomethingElse(golden);
            var elsewhere = FSharpList<int>.Cons(program.Steps.Length - 1, FSharpList<int>.Empty);
            foreach (var finding in Wrong(golden))
            {
                if (finding.Raised is { } raised)
                {
                    var there = new Raised(elsewhere, raised.Kind, raised.Message);
                    var raising = new Outcome(outcome.Values, FSharpOption<Raised>.Some(there));
                    // An assertion of PyTorch's own that fails is its fault wherever it does.
                    if (id != "internal-assertion")
                        Assert.False(divergence.Covers(new Sighting(program, raising, Goldens.PyTorch, finding with { Actual = new Side.Error(there) })), $"{golden.Id}: an error of another step");
                }
                else
                {
                    var first = finding.Index is null ? finding : finding with { Index = 0 };
                    foreach (var name in new[] { Else, Else + ".grad" })
                        Assert.False(divergence.Covers(new Sighting(program, outcome, Goldens.PyTorch, first with { Name = name })), $"{golden.Id}: {name} depends on nothing in question");
                }
            }
        }
    }

    [Fact]
    public void A_step_without_its_operands_breaks_no_recognition_down()
    {
        foreach (var op in RegistryModule.all.Values.Where(op => !op.Internal).SelectMany(op => new[] { op.Name, op.Name + "_" }).Concat(["backward", "grad", "get_grad", "zero_grad", "setitem_"]))
        {
            foreach (var operands in new[] { "[]", "[null]" })
            {
                var read = Json.readCase($$$"""
                    {"id": "bare", "program": {"inputs": {"x": {"dtype": "float32", "shape": [1], "data": [1]}}, "steps": [{"op": "neg", "in": ["x"], "out": "y"}, {"op": "{{{op}}}", "in": {{{operands}}}, "attrs": {"min": "nan", "dim": []}}], "observe": ["y"]},
                     "outcome": {"values": {"y": {"dtype": "float32", "shape": [1], "data": [7]} }, "raised": {"step": [1], "kind": "other", "message": "ZeroTensors are immutable"} } }
                    """.ReplaceLineEndings(" "));
                if (read is not { IsOk: true, ResultValue: var golden }) continue;
                foreach (var finding in Wrong(golden)) Assert.Null(KnownDivergences.Explaining(Seen(golden, finding)));
            }
        }
    }

    /// <summary>What an engine might get wrong right beside a known divergence, which is not its cause.</summary>
    public static TheoryData<string, string, string> Beside => new()
    {
        // Neither s (s - 1) nor its rounding.
        { "logsigmoid-second", Again("logsigmoid", 1), """{"values": {"a.grad": {"dtype": "float64", "shape": [1], "data": [-0.1965]}}}""" },
        { "logsigmoid-second", Again("logsigmoid", 40), """{"values": {"a.grad": {"dtype": "float64", "shape": [1], "data": [-1e-10]}}}""" },
        // The derivative of a square is no sign: it is not known to be zero.
        { "gradient-without-storage", Again("square", 1, """, {"op": "backward", "in": ["v"], "gradients": ["g"]}"""), """{"values": {}, "raised": {"step": [3], "kind": "other", "message": "ZeroTensors are immutable."}}""" },
        { "gradient-without-storage", Again("square", 1), """{"values": {}, "raised": {"step": [2], "kind": "other", "message": "hook 'h' has changed the type of value (was torch.FloatTensor got torch.DoubleTensor)"}}""" },
        // It is one, but of what is written to nothing is known.
        { "gradient-without-storage", Again("abs", 1, """, {"op": "zero_", "in": ["v"]}"""), """{"values": {}, "raised": {"step": [3], "kind": "other", "message": "ZeroTensors are immutable."}}""" },
        // No NaN decides the element at 0.
        { "gelu-of-infinity", """{"inputs": {"x": {"dtype": "float32", "shape": [2], "data": ["inf", 0]}}, "steps": [{"op": "gelu", "in": ["x"], "out": "t"}, {"op": "ge", "in": ["t", "x"], "out": "y"}], "observe": ["y"]}""", """{"values": {"y": {"dtype": "bool", "shape": [2], "data": [true, false]}}}""" },
        // Two values, and one that is added, are written as by indices.
        { "index-put-of-one-value-by-a-mask", PutByAMask("[2]", "[5, 6]", ""), Nothing("float32", "[2]", "[5, 6]") },
        { "index-put-of-one-value-by-a-mask", PutByAMask("[]", "[5]", """, "attrs": {"accumulate": true}"""), Nothing("float32", "[2]", "[6, 7]") },
        // There are elements, or dimensions.
        { "batch-norm-of-nothing", """{"inputs": {"x": {"dtype": "float32", "shape": [1, 1], "data": [1]}}, "steps": [{"op": "batch_norm", "in": ["x"], "attrs": {"training": false}, "out": "y"}], "observe": ["y"]}""", Nothing("float32", "[1, 1]", "[1]") },
        { "batch-norm-without-channels", """{"inputs": {"x": {"dtype": "float32", "shape": [2, 1], "data": [1, 2]}, "w": {"dtype": "float32", "shape": [1], "data": [1]}}, "steps": [{"op": "batch_norm", "in": ["x", null, null, "w"], "attrs": {"training": true}, "out": "y"}], "observe": ["y"]}""", """{"values": {}, "raised": {"step": [0], "kind": "index", "message": "select(): index 0 out of range for tensor of size [0] at dimension 0"}}""" },
        { "mask-of-no-dimension", """{"inputs": {"x": {"dtype": "float32", "shape": [1], "data": [1]}, "m": {"dtype": "bool", "shape": [], "data": [true]}}, "steps": [{"op": "index", "in": ["x", ["m"]], "out": "y"}], "observe": ["y"]}""", Nothing("float32", "[1]", "[1]") },
        { "mask-of-no-dimension", """{"inputs": {"x": {"dtype": "float32", "shape": [0], "data": []}, "m": {"dtype": "int64", "shape": [], "data": [0]}}, "steps": [{"op": "index", "in": ["x", ["m"]], "out": "y"}], "observe": ["y"]}""", Nothing("float32", "[]", "[1]") },
        { "mask-of-no-dimension", MaskBeside, Nothing("float32", "[1, 2]", "[4, 3]") },
        { "mask-of-no-dimension", MaskBeside, """{"values": {}, "raised": {"step": [0], "kind": "dtype", "message": "tensors used as indices must be long, int, byte or bool tensors"}}""" },
        // Neither NaN nor what was clamped.
        { "clamp-by-nan-alone", """{"inputs": {"x": {"dtype": "float32", "shape": [1], "data": [3]}}, "steps": [{"op": "clamp", "in": ["x"], "attrs": {"min": "nan"}, "out": "y"}], "observe": ["y"]}""", Nothing("float32", "[1]", "[0]") },
        // It counts two.
        { "variance-over-no-named-dimension", """{"inputs": {"y": {"dtype": "float32", "shape": [3], "data": [1, 2, 3], "requires_grad": true}}, "steps": [{"op": "var", "in": ["y"], "attrs": {"dim": [], "correction": 0}, "out": "v"}, {"op": "backward", "in": ["v"]}], "observe": ["y.grad"]}""", """{"values": {"y.grad": {"dtype": "float32", "shape": [3], "data": [-1, 0, 1]}}}""" },
        // Another error at the step itself, or one before it.
        { "index-put-into-shared-memory", PutIntoShared, """{"values": {}, "raised": {"step": [1], "kind": "index", "message": "index 0 is out of bounds"}}""" },
        { "index-put-into-shared-memory", PutIntoShared, """{"values": {}, "raised": {"step": [0], "kind": "shape", "message": "expand"}}""" },
        // It does not call itself a bug.
        { "internal-assertion", Filled("int64", "true"), """{"values": {}, "raised": {"step": [0], "kind": "other", "message": "iter.numel() INTERNAL ASSERT FAILED"}}""" },
    };

    [Theory]
    [MemberData(nameof(Beside))]
    public void What_stands_beside_a_known_divergence_is_not_excused(string id, string program, string outcome)
    {
        var divergence = KnownDivergences.All.Single(d => d.Id == id);
        var golden = Json.readCase($$"""{"id": "{{id}}", "program": {{program}}, "outcome": {{outcome}}}""").ResultValue;
        var wrong = Wrong(golden);
        Assert.NotEmpty(wrong);
        foreach (var finding in wrong) Assert.False(divergence.Covers(Seen(golden, finding)), finding.Message);
    }

    [Fact]
    public void A_rule_is_said_to_be_broken_by_PyTorch_where_a_known_divergence_shows_it()
    {
        var shown = KnownDivergences.All.SelectMany(divergence => divergence.Goldens);
        Assert.Equal(
            AutogradRules.all.Where(rule => rule.BrokenByPyTorch).Select(rule => rule.Name).Order(),
            AutogradRules.all.Where(rule => shown.Contains($"semantics/{rule.Name}/")).Select(rule => rule.Name).Order());
    }

    [Fact]
    public void What_is_raised_after_a_step_that_should_have_been_refused_is_known_with_it()
    {
        var divergence = KnownDivergences.All.Single(d => d.Id == "index-put-into-shared-memory");
        var golden = Json.readCase($$$$"""{"id": "later", "program": {{{{PutIntoShared}}}}, "outcome": {"values": {}, "raised": {"step": [3], "kind": "no_grad_fn", "message": "element 0 of tensors does not require grad and does not have a grad_fn"}}}""").ResultValue;
        var finding = Assert.Single(Wrong(golden), finding => finding.Name == "raised");
        Assert.True(divergence.Covers(Seen(golden, finding)), finding.Message);
    }

    private const string MaskBeside = """
        {"inputs": {"x": {"dtype": "float32", "shape": [2, 2], "data": [1, 2, 3, 4]}, "m": {"dtype": "bool", "shape": [], "data": [true]}, "i": {"dtype": "int64", "shape": [1], "data": [1]}}, "steps": [{"op": "index", "in": ["x", ["m", "i"]], "out": "y"}], "observe": ["y"]}
        """;

    private static string PutByAMask(string shape, string data, string attributes) => $$$"""
        {"inputs": {"x": {"dtype": "float32", "shape": [2], "data": [1, 2]}, "m": {"dtype": "bool", "shape": [2], "data": [true, true]}, "v": {"dtype": "float64", "shape": {{{shape}}}, "data": {{{data}}}}}, "steps": [{"op": "index_put", "in": ["x", ["m"], "v"]{{{attributes}}}, "out": "y"}], "observe": ["y"]}
        """;

    private const string PutIntoShared = """
        {"inputs": {"x": {"dtype": "float32", "shape": [1], "data": [1]}, "i": {"dtype": "int64", "shape": [1], "data": [0]}, "v": {"dtype": "float32", "shape": [], "data": [5]}}, "steps": [{"op": "expand", "in": ["x"], "attrs": {"size": [2]}, "out": "y"}, {"op": "index_put_", "in": ["y", ["i"], "v"]}, {"op": "sum", "in": ["y"], "out": "s"}, {"op": "backward", "in": ["s"]}], "observe": ["y"]}
        """;

    // An outcome in which nothing is raised.
    private static string Nothing(string dtype, string shape, string data) => $$$$"""{"values": {"y": {"dtype": "{{{{dtype}}}}", "shape": {{{{shape}}}}, "data": {{{{data}}}}}}}""";

    // A second derivative, and what comes after it.
    private static string Again(string op, int at, string after = "") => $$$"""
        {"inputs": {"a": {"dtype": "float64", "shape": [1], "data": [{{{at}}}], "requires_grad": true}, "g": {"dtype": "float64", "shape": [1], "data": [1]}}, "steps": [{"op": "{{{op}}}", "in": ["a"], "out": "v"}, {"op": "grad", "in": ["v"], "gradients": ["g"], "wrt": ["a"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "backward", "in": ["d"], "gradients": ["g"]}{{{after}}}], "observe": ["a.grad"]}
        """;

    private static string Filled(string dtype, string requires) => $$$"""
        {"inputs": {"x": {"dtype": "{{{dtype}}}", "shape": [2], "data": [1, 2]}, "m": {"dtype": "bool", "shape": [2], "data": [true, false]}, "p": {"dtype": "float64", "shape": [], "data": [0.5], "requires_grad": {{{requires}}}}}, "steps": [{"op": "masked_fill", "in": ["x", "m", "p"], "out": "y"}], "observe": ["y"]}
        """;

    /// <summary>Examples that end in a known divergence, each with a value that the last step has nothing to do with.</summary>
    public static TheoryData<string> EndingInOne =>
    [
        .. KnownDivergences.All.SelectMany(d => d.Examples).Where(example => Case(example) is { Golden.Value.Raised: not null } item && Altered(item) is not null && Wrong(item).Exists(finding => finding.Name == "raised"))
            .Select(example => Case(example).Id),
    ];

    [Theory]
    [MemberData(nameof(EndingInOne))]
    public void A_value_that_is_wrong_before_a_known_end_is_not_excused(string id)
    {
        var item = Case(KnownDivergences.All.SelectMany(d => d.Examples).First(example => Case(example).Id == id));
        bool IsFinding(Outcome outcome) => new Examiner(new Recorded(outcome)).Examine(id, item.Program).IsFinding;
        Assert.False(IsFinding(item.Golden!.Value));
        Assert.True(IsFinding(Altered(item)!));
    }

    // With 41 in all elements of the first value that is no gradient, and neither read nor given by the step that raises.
    private static Outcome? Altered(Json.Case item)
    {
        var outcome = item.Golden!.Value;
        var step = item.Program.Steps[outcome.Raised!.Value.Step.Head];
        var concerned = step.In.OfType<Arg.Name>().Select(arg => arg.Item).Concat((step.Gradients?.Value ?? []).OfType<FSharpOption<string>>().Select(given => given.Value)).ToHashSet();
        bool IsFree(string name) => !name.Contains('.', StringComparison.Ordinal) && !concerned.Contains(name);
        var at = outcome.Values.ToList().FindIndex(value => value is { Item1: var name, Item2.Value.Tensor: { Data: Data.Floats, Shape: var shape } } && IsFree(name) && !shape.Contains(0));
        return at < 0 ? null : new Outcome(ListModule.OfSeq(outcome.Values.Select((value, i) => i == at ? Tuple.Create(value.Item1, Off(value.Item2!.Value)) : value)), outcome.Raised);
    }

    private static FSharpOption<Report>? Off(Report report) => FSharpOption<Report>.Some(new Report(
        new Literal(report.Tensor.DType, report.Tensor.Shape, Data.NewFloats([.. ((Data.Floats)report.Tensor.Data).Item.Select(_ => 41.0)])), report.RequiresGrad, report.IsLeaf, report.Version, report.GradFn));

    private static Json.Case Case(string example) => Json.readCase(example.ReplaceLineEndings(" ")).ResultValue;

    private sealed class Recorded(Outcome outcome) : IEngine
    {
        public EngineInfo Info => Goldens.PyTorch;

        public RunResult Run(Program program) => new RunResult.Ran(outcome);

        public void Dispose()
        {
        }
    }

    [Fact]
    public void A_prediction_is_compared_as_accurately_as_the_engine_declares()
    {
        // Both backwards add to what the user gave, as PyTorch's do; the exponential of that is six ulp off.
        const string Kept = """
            {"inputs": {"p": {"dtype": "float32", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float32", "shape": [2, 1], "data": [1, 2]}},
             "steps": [{"op": "unsqueeze", "in": ["p"], "attrs": {"dim": 1}, "out": "v"}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "exp", "in": ["g"], "out": "e"}],
             "observe": ["e"]}
            """;
        var program = Json.readProgram(Kept).ResultValue;
        double[] off = [.. new[] { 2.0, 4.0 }.Select(x => (double)(float)(Math.Exp(x) * (1 + (6 * 1.2e-7))))];
        var report = new Report(new Literal(DType.Float32, [2, 1], Data.NewFloats(off)), null, null, null, null);
        var outcome = new Outcome(ListModule.OfSeq([Tuple.Create("e", (FSharpOption<Report>?)FSharpOption<Report>.Some(report))]), null);
        string? Known(double ulp)
        {
            var engine = Goldens.PyTorch with { Ulp = new Dictionary<string, double> { ["exp"] = ulp }, Features = new HashSet<string>() };
            return KnownDivergences.Explaining(new Sighting(program, outcome, engine, Judge.Outcome(program, outcome, engine).Worst!))?.Id;
        }

        Assert.Null(Known(2));
        Assert.Equal("gradient-kept-from-the-user", Known(8));
    }

    [Fact]
    public void Another_version_of_PyTorch_has_no_entries_and_the_report_says_so()
    {
        var golden = Shown(KnownDivergences.All[0])[0];
        Divergence? Explaining(string version) => KnownDivergences.Explaining(Seen(golden, Wrong(golden)[0]) with { Engine = Goldens.PyTorch with { Version = version } });
        string? Note(string version) => KnownDivergences.Note(Goldens.PyTorch with { Version = version });
        Assert.NotNull(Explaining("2.6.0"));
        Assert.Null(Note("2.6.0"));
        foreach (var other in new[] { "2.7.0", "2.60.0", "1.13.1", "" })
        {
            Assert.Null(Explaining(other));
            Assert.Contains("2.6", Note(other), StringComparison.Ordinal);
        }

        Assert.Null(KnownDivergences.Note(Goldens.PyTorch with { Name = "mine", Version = "1" }));
    }

    private static readonly Lazy<List<Json.Case>> Concerned = new(() =>
        [.. Goldens.Files().SelectMany(Goldens.Read).Where(golden => KnownDivergences.All.Any(divergence => divergence.Shows(golden.Id)))]);

    private const string Else = "something else";

    // One more leaf and one more step at the end, of which the outcome has nothing right.
    private static (Program Program, Outcome Outcome) WithSomethingElse(Json.Case golden)
    {
        var (program, outcome) = (golden.Program, golden.Golden!.Value);
        var other = Json.readCase(
            $$$"""
            {"id": "else", "program": {"inputs": {"another leaf": {"dtype": "float32", "shape": [1], "data": [1], "requires_grad": true}}, "steps": [{"op": "neg", "in": ["another leaf"], "out": "{{{Else}}}"}], "observe": ["{{{Else}}}", "{{{Else}}}.grad"]},
             "outcome": {"values": {"{{{Else}}}": {"dtype": "float32", "shape": [1], "data": ["nan"], "version": 1}, "{{{Else}}}.grad": {"dtype": "float32", "shape": [1], "data": ["nan"]} } } }
            """.ReplaceLineEndings(" ")).ResultValue;
        return (
            new Program(ListModule.Append(program.Inputs, other.Program.Inputs), ListModule.Append(program.Steps, other.Program.Steps), ListModule.Append(program.Observe, other.Program.Observe)),
            new Outcome(ListModule.Append(outcome.Values, other.Golden!.Value.Values), outcome.Raised));
    }

    private static Sighting Seen(Json.Case golden, Finding finding) => new(golden.Program, golden.Golden!.Value, Goldens.PyTorch, finding);

    private static List<Json.Case> Shown(Divergence divergence) =>
    [
        .. Concerned.Value.Where(golden => divergence.Shows(golden.Id))
            .Concat(divergence.Examples.Select(example => Case(example)))
            .Where(golden => Wrong(golden).Count > 0),
    ];

    private static List<Finding> Wrong(Json.Case golden) =>
        [.. Judge.Outcome(golden.Program, golden.Golden!.Value, Goldens.PyTorch).Findings.Where(finding => finding.Verdict >= Verdict.LessAccurate)];
}
