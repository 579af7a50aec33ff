using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Oracle;
using Verified.Spec;
using Xunit;

namespace Verified.Specification.Tests;

/// <summary>The verdict on outcomes that are right, and on outcomes that are wrong in one way each.</summary>
public sealed class VerdictTests
{
    private const string Sigmoid = """
        {"inputs": {"a": {"dtype": "float32", "shape": [3], "data": [1, 2, -3], "requires_grad": true}, "b": {"dtype": "float32", "shape": [2], "data": [0, 1], "requires_grad": true}},
         "steps": [{"op": "exp", "in": ["a"], "out": "y"}, {"op": "mul", "in": ["y", "y"], "out": "z"}, {"op": "sum", "in": ["z"], "out": "s"}, {"op": "backward", "in": ["s"]}, {"op": "gt", "in": ["a"], "attrs": {"other": 0}, "out": "m"}],
         "observe": ["y", "s", "a.grad", "b.grad", "m", "a"]}
        """;

    private static readonly EngineInfo Engine = new() { Name = "engine under test" };

    [Fact]
    public void The_specifications_own_outcome_passes()
    {
        var judgement = Judged(Sigmoid, o => o);
        Assert.Equal(Verdict.Pass, judgement.Verdict);
        Assert.Null(judgement.Worst);
        Assert.InRange(judgement.Ratio, 0, 1);
    }

    [Theory]
    [InlineData("y", 1.0001, Difference.Value)]
    [InlineData("a.grad", 1.0001, Difference.Value)]
    [InlineData("a", 1.0000001, Difference.Value)]
    [InlineData("s", double.NaN, Difference.Class)]
    [InlineData("s", double.PositiveInfinity, Difference.Class)]
    public void A_value_outside_the_bound_fails_with_its_element(string name, double factor, Difference difference)
    {
        var worst = Judged(Sigmoid, o => Changed(o, name, x => [.. x.Select((v, i) => i == x.Length - 1 ? (double)(float)(v * factor) : v)])).Worst!;
        Assert.Equal((Verdict.Fail, difference, name), (worst.Verdict, worst.Difference, worst.Name));
        // A tensor without dimensions has no places.
        Assert.StartsWith(name == "s" ? "s is " : $"{name}[2] is ", worst.Message, StringComparison.Ordinal);
        var (expected, actual) = worst.Numbers!.Value;
        Assert.NotEqual(expected, actual);
        Assert.True(worst.Bound < 1e-3 * Math.Abs(expected));
    }

    [Theory]
    [InlineData("y", "y[1, 0, 2] is 0, expected")]
    [InlineData("m", "m[1, 0, 2] is 0, expected 1")]
    public void An_element_is_named_by_its_place_in_the_tensor(string name, string sentence)
    {
        const string program = """
            {"inputs": {"a": {"dtype": "float32", "shape": [2, 1, 3], "data": [1, 2, 3, 4, 5, 6]}},
             "steps": [{"op": "exp", "in": ["a"], "out": "y"}, {"op": "gt", "in": ["a"], "attrs": {"other": 0}, "out": "m"}], "observe": ["y", "m"]}
            """;
        var worst = Judged(program, o => name == "m" ? Replaced(o, "m", With(Find(o, "m")!, Data.NewInts([1, 1, 1, 1, 1, 0]))) : Changed(o, name, x => [.. x[..5], 0])).Worst!;
        Assert.StartsWith(sentence, worst.Message, StringComparison.Ordinal);
        Assert.Equal(5, worst.Index);
    }

    [Fact]
    public void Ten_ulp_of_an_elementary_function_are_less_accurate_unless_declared()
    {
        static Outcome Off(Outcome o) => Changed(o, "y", x => [.. x.Select(v => (double)((float)v * (1 + 10 * 1.2e-7f)))]);
        var worst = Judged(Sigmoid, Off).Worst!;
        Assert.Equal((Verdict.LessAccurate, "y"), (worst.Verdict, worst.Name));
        Assert.True(worst.Ratio > 1);
        var declared = Engine with { Ulp = new Dictionary<string, double> { ["exp"] = 16 } };
        Assert.Equal(Verdict.Pass, Judge.Outcome(Program(Sigmoid), Off(Right(Sigmoid)), declared).Verdict);
    }

    [Fact]
    public void A_null_gradient_and_zeros_differ()
    {
        Assert.Equal(Difference.Null, Judged(Sigmoid, o => Replaced(o, "a.grad", null)).Worst!.Difference);
        var zeros = Find(Right(Sigmoid), "a.grad")!;
        Assert.Equal(Difference.Null, Judged(Sigmoid, o => Replaced(o, "b.grad", zeros)).Worst!.Difference);
        Assert.Equal(Difference.Presence, Judged(Sigmoid, o => Without(o, "y")).Worst!.Difference);
    }

    [Fact]
    public void A_mask_with_one_wrong_element_fails()
    {
        var worst = Judged(Sigmoid, o => Replaced(o, "m", With(Find(o, "m")!, Data.NewInts([1, 0, 0])))).Worst!;
        Assert.Equal((Difference.Value, 1), (worst.Difference, worst.Index));
    }

    [Fact]
    public void Properties_are_compared_only_where_the_engine_declares_them()
    {
        Report Wrong(Report r) => new(r.Tensor, FSharpOption<bool>.Some(false), FSharpOption<bool>.Some(true), FSharpOption<int>.Some(7), FSharpOption<FSharpOption<string>?>.Some(null));
        var outcome = Replaced(Right(Sigmoid), "y", Wrong(Find(Right(Sigmoid), "y")!));
        Difference? For(params string[] features) =>
            Judge.Outcome(Program(Sigmoid), outcome, Engine with { Features = features.ToHashSet() }).Worst?.Difference;
        Assert.Null(For());
        Assert.Equal(Difference.Version, For("versions"));
        Assert.Equal(Difference.RequiresGrad, For("requires_grad"));
        Assert.Equal(Difference.IsLeaf, For("is_leaf"));
        Assert.Equal(Difference.GradFn, For("grad_fn"));
    }

    private const string Twice = """
        {"inputs": {"a": {"dtype": "float32", "shape": [], "data": [2], "requires_grad": true}},
         "steps": [{"op": "exp", "in": ["a"], "out": "y"}, {"op": "backward", "in": ["y"]}, {"op": "backward", "in": ["y"]}],
         "observe": ["y", "a.grad"]}
        """;

    [Fact]
    public void An_error_must_come_at_its_step_of_its_kind_and_with_its_text_where_declared()
    {
        var right = Right(Twice).Raised!.Value;
        Assert.True(right.Kind.IsFreedGraph);
        Finding? With(Raised? raised, EngineInfo? engine = null) => Judge.Outcome(
            Program(Twice),
            new Outcome(Right(Twice).Values, raised is null ? FSharpOption<Raised>.None : FSharpOption<Raised>.Some(raised)),
            engine ?? Engine).Worst;
        Assert.Null(With(right));
        Assert.Equal(Difference.Raised, With(null)!.Difference);
        Assert.Equal(Difference.Raised, With(new Raised(right.Step, ErrorKind.NoGradFn, right.Message))!.Difference);
        Assert.Equal(Difference.Raised, With(new Raised(ListModule.OfSeq([1]), right.Kind, right.Message))!.Difference);
        Assert.Equal(Difference.Message, With(new Raised(right.Step, right.Kind, "no"))!.Difference);
        Assert.Null(With(new Raised(right.Step, right.Kind, "no"), Engine with { Features = new HashSet<string>() }));
        Assert.Equal(Difference.Raised, Judged(Sigmoid, o => new Outcome(o.Values, FSharpOption<Raised>.Some(right))).Worst!.Difference);
    }

    [Fact]
    public void A_wrong_end_hides_no_value_that_was_wrong_before_it()
    {
        var right = Right(Twice);
        var early = new Raised(ListModule.OfSeq([1]), right.Raised!.Value.Kind, right.Raised.Value.Message);
        string[] Wrong(Raised? raised, params string[] off) =>
        [
            .. Judge.Outcome(
                Program(Twice),
                off.Aggregate(
                    new Outcome(right.Values, raised is null ? FSharpOption<Raised>.None : FSharpOption<Raised>.Some(raised)),
                    (outcome, name) => Replaced(outcome, name, With(Find(right, name)!, Data.NewFloats([41])))),
                Engine).Findings.Where(finding => finding.Verdict == Verdict.Fail).Select(finding => finding.Name),
        ];
        // It raised too early, or did not raise at all: what the backward in question may have changed is left open, what stands before it is not.
        foreach (var raised in new[] { early, null })
        {
            Assert.Equal(["raised"], Wrong(raised));
            Assert.Equal(["raised", "y"], Wrong(raised, "y"));
            Assert.Equal(["raised"], Wrong(raised, "a.grad"));
        }
    }

    [Theory]
    // What the pass reaches, and of that only what it is asked for.
    [InlineData("""{"op": "backward", "in": ["y"]}""", "a.grad", "b.grad")]
    [InlineData("""{"op": "backward", "in": ["y"], "wrt": ["a"]}""", "a.grad")]
    [InlineData("""{"op": "backward", "in": ["y"], "wrt": ["a", "c"]}""", "a.grad")]
    [InlineData("""{"op": "backward", "in": ["y"], "wrt": ["e"]}""", "e.grad")]
    [InlineData("""{"op": "grad", "in": ["y"], "wrt": ["a"], "out": ["d"]}""")]
    public void A_pass_that_raises_leaves_open_what_it_adds_to(string step, params string[] open)
    {
        var program = $$$"""
            {"inputs": {"a": {"dtype": "float32", "shape": [1], "data": [2], "requires_grad": true}, "b": {"dtype": "float32", "shape": [1], "data": [3], "requires_grad": true}, "c": {"dtype": "float32", "shape": [1], "data": [5], "requires_grad": true}},
             "steps": [{"op": "add", "in": ["a", "b"], "out": "s"}, {"op": "sum", "in": ["s"], "out": "t"}, {"op": "backward", "in": ["t"]}, {"op": "sum", "in": ["c"], "out": "u"}, {"op": "backward", "in": ["u"]},
                       {"op": "mul", "in": ["a", "b"], "out": "e"}, {"op": "exp", "in": ["e"], "out": "y"}, {"op": "mul_", "in": ["y"], "attrs": {"other": 2.0}}, {"op": "mul", "in": ["y", "e"], "out": "y"}, {{{step}}}],
             "observe": ["a.grad", "b.grad", "c.grad", "e.grad"]}
            """;
        var right = Right(program);
        Assert.True(right.Raised!.Value.Kind.IsModifiedInPlace);
        foreach (var name in new[] { "a.grad", "b.grad", "c.grad", "e.grad" })
        {
            var wrong = Replaced(right, name, With(Find(right, "c.grad")!, Data.NewFloats([41])));
            Assert.Equal(open.Contains(name) ? Verdict.Pass : Verdict.Fail, Judge.Outcome(Program(program), wrong, Engine).Verdict);
        }
    }

    [Theory]
    // It writes without an underscore, to what it normalises with.
    [InlineData("""{"op": "batch_norm", "in": ["x", "m", "v"], "attrs": {"training": true}, "out": "y"}""", "m")]
    // The engine names the block.
    [InlineData("""{"op": "no_grad", "steps": [{"op": "exp_", "in": ["x"]}]}""", "x")]
    public void What_the_last_step_writes_to_is_left_open_where_it_raises(string step, string written)
    {
        var program = $$$"""
            {"inputs": {"x": {"dtype": "float32", "shape": [2, 1], "data": [3, 5]}, "m": {"dtype": "float32", "shape": [1], "data": [0]}, "v": {"dtype": "float32", "shape": [1], "data": [1]}, "z": {"dtype": "float32", "shape": [1], "data": [1]}},
             "steps": [{{{step}}}], "observe": ["{{{written}}}", "z"]}
            """;
        var raised = new Outcome(Right(program).Values, FSharpOption<Raised>.Some(new Raised(ListModule.OfSeq([0]), ErrorKind.OtherError, "no")));
        string[] Wrong(Outcome outcome) => [.. Judge.Outcome(Program(program), outcome, Engine).Findings.Where(finding => finding.Verdict == Verdict.Fail).Select(finding => finding.Name)];
        Assert.Equal(["raised"], Wrong(raised));
        Assert.Equal(["raised", "z"], Wrong(Replaced(raised, "z", With(Find(raised, "z")!, Data.NewFloats([41])))));
    }

    [Theory]
    [InlineData("""{"op": "sub", "in": ["b", "a"], "out": "y"}""", "y")]
    [InlineData("""{"op": "gt", "in": ["b", "a"], "out": "y"}""", "y")]
    [InlineData("""{"op": "floor", "in": ["b"], "out": "y"}""", "y")]
    public void What_cannot_be_decided_is_inconclusive_and_no_pass(string step, string observed)
    {
        // b is a, after a detour that rounds; floor of it stands on a step.
        var program = $$$"""
            {"inputs": {"a": {"dtype": "float32", "shape": [2], "data": [3, 5]}},
             "steps": [{"op": "log", "in": ["a"], "out": "l"}, {"op": "exp", "in": ["l"], "out": "b"}, {{{step}}}],
             "observe": ["{{{observed}}}"]}
            """;
        Assert.Equal(Verdict.Inconclusive, Judged(program, o => o).Verdict);
    }

    [Fact]
    public void Under_create_graph_null_and_zeros_are_one_class()
    {
        const string Linear = """
            {"inputs": {"a": {"dtype": "float32", "shape": [2], "data": [3, 5], "requires_grad": true}, "w": {"dtype": "float32", "shape": [2], "data": [1, 2], "requires_grad": true}},
             "steps": [{"op": "mul", "in": ["a", "w"], "out": "y"}, {"op": "sum", "in": ["y"], "out": "s"},
                       {"op": "grad", "in": ["s"], "wrt": ["a"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "sum", "in": ["d"], "out": "t"}, {"op": "backward", "in": ["t"]}],
             "observe": ["d", "a.grad", "w.grad"]}
            """;
        var zeros = With(Find(Right(Linear), "d")!, Data.NewFloats([0, 0]));
        var ones = With(Find(Right(Linear), "d")!, Data.NewFloats([1, 1]));
        Assert.Equal(Verdict.Pass, Judged(Linear, o => Replaced(o, "a.grad", null)).Verdict);
        Assert.Equal(Verdict.Pass, Judged(Linear, o => Replaced(o, "a.grad", zeros)).Verdict);
        Assert.Equal(Verdict.Fail, Judged(Linear, o => Replaced(o, "a.grad", ones)).Verdict);
        Assert.Equal(Verdict.Fail, Judged(Linear, o => Replaced(o, "w.grad", null)).Verdict);
    }

    private const string SecondOrder = """
        {"inputs": {"a": {"dtype": "float32", "shape": [2], "data": [3, 5], "requires_grad": true}, "g": {"dtype": "float32", "shape": [2], "data": [1, 1]}},
         "steps": [{"op": "OP", "in": ["a"], "out": "y"}, {"op": "grad", "in": ["y"], "gradients": ["g"], "wrt": ["a"], "attrs": {"create_graph": true}, "out": ["d"]},
                   {"op": "backward", "in": ["d"], "gradients": ["g"]}, {"op": "exp", "in": ["g"], "out": "z"}],
         "observe": ["y", "z", "a.grad"]}
        """;

    [Theory]
    [InlineData("relu", Verdict.Pass)]
    [InlineData("square", Verdict.Fail)]
    public void That_nothing_can_be_pulled_back_from_a_gradient_is_right_where_its_derivative_is_zero(string op, Verdict verdict)
    {
        var program = SecondOrder.Replace("OP", op, StringComparison.Ordinal);
        Outcome Stopped(Outcome o) => new(ListModule.OfSeq(Without(o, "z").Values), FSharpOption<Raised>.Some(new Raised(ListModule.OfSeq([2]), ErrorKind.NoGradFn, "")));
        Assert.Equal(verdict, Judged(program, o => Stopped(Replaced(o, "a.grad", null))).Verdict);
        // What was computed before it still counts.
        Assert.Equal(Verdict.Fail, Judged(program, o => Stopped(Replaced(Changed(o, "y", _ => [1, 1]), "a.grad", null))).Verdict);
    }

    [Fact]
    public void An_engine_that_goes_on_where_a_derivative_is_zero_adds_zeros_and_is_held_to_the_rest()
    {
        // The derivative of a sum by its operand is constant: it has no history.
        var program = SecondOrder.Replace("\"OP\", \"in\": [\"a\"]", "\"add\", \"in\": [\"a\"], \"attrs\": {\"other\": 1}", StringComparison.Ordinal);
        Assert.True(Right(program).Raised?.Value.Kind.IsNoGradFn);
        var zeros = With(Find(Right(program), "y")!, Data.NewFloats([0, 0]));
        Outcome WentOn(Outcome o, double gradient, double z)
        {
            var after = Replaced(o, "a.grad", With(zeros, Data.NewFloats([gradient, gradient])));
            var last = Tuple.Create("z", (FSharpOption<Report>?)FSharpOption<Report>.Some(With(zeros, Data.NewFloats([z, z]))));
            return new Outcome(ListModule.OfSeq(after.Values.Append(last)), null);
        }

        var engine = Engine with { Features = new HashSet<string>() };
        Verdict Of(double gradient, double z) => Judge.Outcome(Program(program), WentOn(Right(program), gradient, z), engine).Verdict;
        Assert.Equal(Verdict.Pass, Of(0, (float)Math.E));
        Assert.Equal(Verdict.Fail, Of(1, (float)Math.E));
        Assert.Equal(Verdict.Fail, Of(0, 3));
    }

    [Fact]
    public void What_an_engine_declares_it_reports()
    {
        var silent = Replaced(Right(Sigmoid), "y", new Report(Find(Right(Sigmoid), "y")!.Tensor, null, null, null, null));
        foreach (var feature in new[] { "versions", "requires_grad", "is_leaf", "grad_fn" })
        {
            var worst = Judge.Outcome(Program(Sigmoid), silent, Engine with { Features = new HashSet<string> { feature } }).Worst;
            Assert.Contains("is not reported", worst?.Message, StringComparison.Ordinal);
        }

        Assert.Null(Judge.Outcome(Program(Sigmoid), silent, Engine with { Features = new HashSet<string>() }).Worst);
    }

    [Fact]
    public void Only_what_a_backward_that_raises_may_have_accumulated_is_left_open()
    {
        const string Apart = """
            {"inputs": {"a": {"dtype": "float32", "shape": [], "data": [2], "requires_grad": true}, "b": {"dtype": "float32", "shape": [], "data": [2], "requires_grad": true}},
             "steps": [{"op": "exp", "in": ["a"], "out": "y"}, {"op": "exp", "in": ["b"], "out": "z"}, {"op": "backward", "in": ["z"]}, {"op": "zero_", "in": ["y"]}, {"op": "backward", "in": ["y"]}],
             "observe": ["a.grad", "b.grad"]}
            """;
        var five = With(Find(Right(Apart), "b.grad")!, Data.NewFloats([5]));
        Assert.True(Right(Apart).Raised?.Value.Kind.IsModifiedInPlace);
        Assert.Equal(Verdict.Pass, Judged(Apart, o => Replaced(o, "a.grad", five)).Verdict);
        Assert.Equal(Verdict.Fail, Judged(Apart, o => Replaced(o, "b.grad", null)).Verdict);
        // A backward that is refused before it begins has accumulated nothing.
        var refused = Apart.Replace("{\"op\": \"zero_\", \"in\": [\"y\"]}", "{\"op\": \"detach\", \"in\": [\"y\"], \"out\": \"y\"}", StringComparison.Ordinal);
        Assert.True(Right(refused).Raised?.Value.Kind.IsNoGradFn);
        Assert.Equal(Verdict.Fail, Judged(refused, o => Replaced(o, "a.grad", five)).Verdict);
    }

    [Theory]
    [InlineData("float32", "sum", "[1e-40, 0, 0]")]
    [InlineData("float32", "sum", "[1e-40]")]
    [InlineData("float64", "sum", "[1e-310, 0]")]
    [InlineData("float32", "neg", "[1e-40, 3]")]
    [InlineData("float32", "relu", "[1e-40, 3]")]
    [InlineData("float64", "log1p", "[1.5e306, 1e300, 1e17]")]
    public void No_machine_is_failed_at_the_ends_of_a_formats_range(string dtype, string op, string data)
    {
        var text = $$$"""{"inputs": {"x": {"dtype": "{{{dtype}}}", "shape": [{{{data.Split(',').Length}}}], "data": {{{data}}}}}, "steps": [{"op": "{{{op}}}", "in": ["x"], "out": "y"}], "observe": ["y"]}""";
        var program = Json.readProgram(text).ResultValue;
        foreach (var machine in MachineEngine.All)
            Assert.Equal(Verdict.Pass, Judge.Outcome(program, ((RunResult.Ran)machine.Run(program)).Outcome, machine.Info).Verdict);
    }

    [Fact]
    public void What_a_grad_that_raises_had_left_in_retained_gradients_is_left_open()
    {
        const string Unused = """
            {"inputs": {"a": {"dtype": "float32", "shape": [], "data": [2], "requires_grad": true}, "b": {"dtype": "float32", "shape": [], "data": [2], "requires_grad": true}},
             "steps": [{"op": "exp", "in": ["a"], "out": "y"}, {"op": "retain_grad", "in": ["y"]}, {"op": "backward", "in": ["b"]}, {"op": "grad", "in": ["y"], "wrt": ["b"], "out": ["d"]}],
             "observe": ["y.grad", "b.grad"]}
            """;
        Assert.True(Right(Unused).Raised?.Value.Kind.IsUnusedInput);
        var two = With(Find(Right(Unused), "b.grad")!, Data.NewFloats([2]));
        Assert.Equal(Verdict.Pass, Judged(Unused, o => Replaced(o, "y.grad", null)).Verdict);
        Assert.Equal(Verdict.Pass, Judged(Unused, o => Replaced(o, "y.grad", two)).Verdict);
        Assert.Equal(Verdict.Fail, Judged(Unused, o => Replaced(o, "b.grad", two)).Verdict);
    }

    [Fact]
    public void Of_second_order_NaN_may_stand_for_an_infinity_but_not_one_infinity_for_the_other()
    {
        const string Infinite = """
            {"inputs": {"a": {"dtype": "float32", "shape": [1], "data": [0], "requires_grad": true}, "g": {"dtype": "float32", "shape": [1], "data": [1]}},
             "steps": [{"op": "sqrt", "in": ["a"], "out": "y"}, {"op": "grad", "in": ["y"], "gradients": ["g"], "wrt": ["a"], "attrs": {"create_graph": true}, "out": ["d"]}],
             "observe": ["d"]}
            """;
        Verdict Of(double d) => Judged(Infinite, o => Changed(o, "d", _ => [d])).Verdict;
        Assert.Equal(Verdict.Pass, Of(double.PositiveInfinity));
        Assert.Equal(Verdict.Inconclusive, Of(double.NaN));
        Assert.Equal(Verdict.Fail, Of(double.NegativeInfinity));
    }

    [Fact]
    public void The_sign_of_a_zero_is_compared_where_it_is_certain()
    {
        const string Copy = """{"inputs": {"a": {"dtype": "float32", "shape": [1], "data": [-0.0]}}, "steps": [{"op": "clone", "in": ["a"], "out": "y"}], "observe": ["y"]}""";
        Assert.Equal(Difference.Class, Judged(Copy, o => Changed(o, "y", _ => [0.0])).Worst!.Difference);
        const string Sum = """{"inputs": {"a": {"dtype": "float32", "shape": [2], "data": [-0.0, -0.0]}}, "steps": [{"op": "sum", "in": ["a"], "out": "y"}], "observe": ["y"]}""";
        Assert.Equal(Verdict.Pass, Judged(Sum, o => Changed(o, "y", _ => [0.0])).Verdict);
        Assert.Equal(Verdict.Pass, Judged(Sum, o => Changed(o, "y", _ => [-0.0])).Verdict);
    }

    private static Judgement Judged(string program, Func<Outcome, Outcome> change) =>
        Judge.Outcome(Program(program), change(Right(program)), Engine);

    private static Program Program(string json)
    {
        var read = Json.readProgram(json);
        Assert.True(read.IsOk, read.IsError ? read.ErrorValue.ToString() : "");
        return read.ResultValue;
    }

    private static Outcome Right(string program) => Run.outcome(RegistryModule.all, Program(program));

    private static Report? Find(Outcome o, string name) => o.Values.First(v => v.Item1 == name).Item2?.Value;

    private static Report With(Report r, Data data) =>
        new(new Literal(r.Tensor.DType, r.Tensor.Shape, data), r.RequiresGrad, r.IsLeaf, r.Version, r.GradFn);

    private static Outcome Replaced(Outcome o, string name, Report? report) => new(
        ListModule.OfSeq(o.Values.Select(v => v.Item1 == name ? Tuple.Create(name, report is null ? null : FSharpOption<Report>.Some(report)) : v)),
        o.Raised);

    private static Outcome Without(Outcome o, string name) => new(ListModule.OfSeq(o.Values.Where(v => v.Item1 != name)), o.Raised);

    private static Outcome Changed(Outcome o, string name, Func<double[], double[]> change)
    {
        var report = Find(o, name)!;
        return Replaced(o, name, With(report, Data.NewFloats(change(((Data.Floats)report.Tensor.Data).Item))));
    }
}
