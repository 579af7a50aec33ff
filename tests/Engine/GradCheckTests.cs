using Xunit;
using Xunit.Abstractions;

namespace Verified.Engine.Tests;

/// <summary>The public gradient check: it must find what PyTorch's gradcheck lets pass, and must not cry where nothing is wrong.</summary>
public sealed class GradCheckTests(ITestOutputHelper output)
{
    private static readonly Tensor Point = Tensor.Create([0.7, -1.3, 2.1]);

    [Fact]
    public void Right_derivatives_pass_in_first_and_second_order()
    {
        Passes(x => x.Sin() * x.Exp(), Point, order: 2);
        Passes(x => x.Matmul(x.T()).Tanh(), Tensor.Create([0.1, -0.4, 0.8, 0.3, 1.2, -0.9], [2, 3]), order: 2);
        Passes(x => (x.Softmax(0) * Point).Sum(), Point, order: 2);
        Passes(x => x * 3, Point, order: 2);
        Passes(_ => Tensor.Scalar(3, DType.Float64), Point);
    }

    [Fact]
    public void Several_inputs_and_results_pass_and_constants_are_left_alone()
    {
        var a = Tensor.Create([1.0, 2.0], requiresGrad: true);
        var b = Tensor.Create([3.0, 0.5], requiresGrad: true);
        var index = Tensor.Create([1L, 0L]);
        var report = GradCheck.CheckAll(x => [x[0] * x[1], x[0].IndexSelect(0, x[2]), x[0].Gt(1)], [a, b, index], new GradCheckOptions { Order = 2 });
        Assert.True(report.Passed, report.ToString());
        Assert.True(report.Agreed > 16);
        Assert.Null(a.Grad);
    }

    // ---- What PyTorch's gradcheck lets pass (the reference's table) ----

    [Fact]
    public void One_wrong_element_of_five_thousand_is_found_and_named()
    {
        var x = Tensor.Create([.. Enumerable.Range(0, 5000).Select(i => Math.Sin(i) + 0.1)]);
        var f = Function.Create("Square", (context, t) =>
        {
            context.SaveForBackward(t);
            return t * t;
        }, (context, g) =>
        {
            var result = g * 2 * context.Saved(0);
            var mask = Tensor.Ones([5000], DType.Float64);
            mask.SetItemInPlace([3217L], 0.5);
            return result * mask;
        });
        var finding = Fails(t => f.Apply(t), x, GradCheckRule.Jacobian);
        Assert.Equal((0, 3217, 0, 3217), (finding.Input, finding.InputElement![0], finding.Output, finding.OutputElement![0]));
        var exact = 2 * (Math.Sin(3217) + 0.1);
        Assert.Equal(exact / 2, finding.Analytic!.Value, 6);
        Assert.Equal(exact, finding.Numeric!.Value, 6);
        Passes(t => t * t, x);
    }

    [Theory]
    [InlineData(128, 64, false, 1500)]
    [InlineData(128, 64, true, 1000)]
    [InlineData(64, 64, true, 1000)]
    public void A_large_function_that_is_wrong_everywhere_is_called_some_hundred_times_and_no_more(int rows, int columns, bool summed, int calls)
    {
        var x = Tensor.Create([.. Enumerable.Range(0, rows * columns).Select(i => Math.Sin(i) + 0.1)], [rows, columns]);
        var f = Tripled(g => g * 2);
        var called = 0;
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var finding = Fails(
            t =>
            {
                called++;
                return summed ? f(t).Sum() : f(t);
            },
            x,
            GradCheckRule.Jacobian);
        output.WriteLine($"{called} calls, {watch.Elapsed.TotalSeconds:F2} s");
        Assert.Equal(2, finding.Analytic!.Value, 6);
        Assert.Equal(3, finding.Numeric!.Value, 6);
        Assert.NotNull(finding.InputElement);
        Assert.True(called <= calls, $"{called} calls");
        // A quadratic cost in the number of elements took 20 s.
        Assert.True(watch.Elapsed.TotalSeconds < 10, watch.Elapsed.ToString());
    }

    [Fact]
    public void A_rule_that_loses_the_sign_of_what_arrives() => Fails(Tripled(g => g.Abs() * 3), Point, GradCheckRule.Linearity);

    [Fact]
    public void A_rule_that_is_not_linear_in_what_arrives() => Fails(Tripled(g => g * g * g * 3), Point, GradCheckRule.Linearity);

    [Fact]
    public void A_rule_that_saturates_in_what_arrives() => Fails(Tripled(g => g.Clamp(-1, 1) * 3), Point, GradCheckRule.Linearity);

    [Fact]
    public void A_rule_that_adds_something_to_what_arrives() => Fails(Tripled(g => g * 3 + 1e-6), Point, GradCheckRule.ZeroUpstream);

    [Fact]
    public void A_rule_that_writes_to_what_arrives()
    {
        var finding = Fails(Tripled(g => g.MulInPlace(3)), Point, GradCheckRule.UpstreamChanged);
        Assert.Equal(0, finding.Output);
    }

    [Fact]
    public void A_rule_that_takes_what_arrives_for_contiguous()
    {
        static Tensor Blind(Tensor g)
        {
            // Reads the memory in order, as a kernel does that forgets the strides.
            var flat = new Tensor(g.Storage, g.DType, g.Sizes, Shapes.ContiguousStrides(g.Sizes), g.StorageOffset);
            var last = g.Sizes.Select((size, d) => (long)(size - 1) * g.Strides[d]).Sum();
            return last + 1 < g.Count ? Tensor.Zeros(g.Sizes, g.DType) : flat * 3;
        }
        var x = Tensor.Create([0.7, -1.3, 2.1, 0.2, 0.4, -0.3], [2, 3]);
        var finding = Fails(Tripled(Blind), x, GradCheckRule.StridedUpstream);
        Assert.Contains("column order", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rule_that_computes_in_float32() => Fails(Tripled(g => (g.To(DType.Float32) * 3).To(DType.Float64)), Point, GradCheckRule.Linearity);

    [Fact]
    public void A_rule_that_is_off_by_a_thousandth() => Fails(Tripled(g => g * (3 * 1.0009)), Point, GradCheckRule.Jacobian);

    [Fact]
    public void A_rule_that_is_off_by_a_millionth() => Fails(Tripled(g => g * (3 * 1.000001)), Point, GradCheckRule.Jacobian);

    [Theory]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(double.NaN)]
    public void A_rule_that_gives_what_is_not_finite(double factor)
    {
        Fails(Tripled(g => g * factor), Point, GradCheckRule.Jacobian);
        Fails(Tripled(g => g * Tensor.Create([3, factor, 3])), Point, GradCheckRule.Jacobian);
        var corner = Function.Create("Corner", (_, x) => x.Abs(), (_, g) => g * factor);
        Fails(x => corner.Apply(x), Tensor.Create([0.0]), GradCheckRule.Kink);
        var large = Tensor.Create([.. Enumerable.Range(0, 200).Select(i => Math.Cos(i))]);
        var mask = Enumerable.Range(0, 200).Select(i => i == 77 ? factor : 3).ToArray();
        var finding = Fails(Tripled(g => g * Tensor.Create(mask)), large, GradCheckRule.Jacobian);
        Assert.Equal(77, finding.InputElement![0]);
    }

    [Fact]
    public void The_trap_of_a_choice_behind_which_the_root_of_a_negative_number_stands()
    {
        var finding = Fails(x => Tensor.Where(x.Gt(0), x.Sqrt(), x * 2), Tensor.Create([0.5, -1.0]), GradCheckRule.Jacobian);
        Assert.Equal((double.NaN, 1), (finding.Analytic, finding.InputElement![0]));
    }

    [Fact]
    public void A_small_derivative_that_is_taken_for_zero()
    {
        var f = Function.Create("Small", (_, x) => x * 1e-6 + 1, (_, g) => g * 0);
        var finding = Fails(t => f.Apply(t), Point, GradCheckRule.Jacobian);
        Assert.Equal(1e-6, finding.Numeric!.Value, 10);
    }

    [Fact]
    public void A_function_that_writes_to_its_own_input()
    {
        var finding = Fails(
            x =>
            {
                using (Autograd.NoGrad()) x.AddInPlace(1);
                return x * 3;
            },
            Point,
            GradCheckRule.InputChanged);
        Assert.Equal(0, finding.Input);
        Fails(
            x =>
            {
                x.Data.AddInPlace(1);
                return x * 3;
            },
            Point,
            GradCheckRule.InputChanged);
    }

    [Fact]
    public void A_wrong_rule_of_the_second_order()
    {
        var rule = Function.CreateMany("SquareRule", (context, t) =>
        {
            context.SaveForBackward(t);
            return [t[0]! * t[1]! * 2];
        }, (context, g) => [g[0]! * context.Saved(1) * 2, g[0]! * context.Saved(0)]);
        var square = Function.Create("Square", (context, t) =>
        {
            context.SaveForBackward(t);
            return t * t;
        }, (context, g) => rule.Apply(g, context.SavedTensors[0]));
        Passes(t => square.Apply(t), Point);
        var report = GradCheck.Check(t => square.Apply(t), Point, new GradCheckOptions { Order = 2, Seed = 1 });
        Assert.Contains(report.Findings, finding => finding.Rule == GradCheckRule.Jacobian && finding.Message.StartsWith("of the derivative: ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_gradient_that_does_not_arrive_and_is_not_taken_for_zero()
    {
        Function Two(double forMissing) => Function.CreateMany("Two", (context, x) =>
        {
            context.MaterializeGrads = false;
            return [x[0]! * 2, x[0]! * 3];
        }, (_, g) => [(g[0] is { } a ? a * 2 : Tensor.Full([3], forMissing, DType.Float64)) + (g[1] is { } b ? b * 3 : Tensor.Full([3], 0, DType.Float64))]);
        Assert.True(GradCheck.CheckAll(t => Two(0).ApplyAll(t[0]), [Point]).Passed);
        Fails(GradCheck.CheckAll(t => Two(1).ApplyAll(t[0]), [Point]), GradCheckRule.UndefinedUpstream);
    }

    [Fact]
    public void Noise_in_the_value_or_in_the_derivative()
    {
        var random = new Random(1);
        Fails(x => x * random.NextDouble(), Point, GradCheckRule.Deterministic);
        Fails(Tripled(g => g * (3 + 1e-15 * random.Next(1, 100))), Point, GradCheckRule.Deterministic);
        var report = GradCheck.Check(Tripled(g => g * (3 + 4.5e-16 * random.Next(2))), Point, new GradCheckOptions { NondeterminismTolerance = 1e-12 });
        Assert.True(report.Passed, report.ToString());
    }

    [Fact]
    public void Shapes_that_depend_on_values_and_gradients_of_wrong_shapes()
    {
        Fails(x => x[0].Item() > 0.7 ? x : x.Sum(), Point, GradCheckRule.FormChanged);
        var finding = Fails(Tripled(_ => Tensor.Ones([4], DType.Float64)), Point, GradCheckRule.Raised);
        Assert.Contains("got [4] but expected shape compatible with [3]", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_result_that_is_cut_off_although_it_varies() => Fails(x => x.Detach() * 3, Point, GradCheckRule.Jacobian);

    [Fact]
    public void In_place_functions_are_checked_like_others()
    {
        Passes(
            x =>
            {
                var y = x * 1;
                y.MulInPlace(3);
                y.Slice(0, 0, 2).MulInPlace(y.Slice(0, 1, 3).Clone());
                return y;
            },
            Point,
            order: 2);
        var silent = Function.Create("Silent", (_, x) => x.MulInPlace(2), (_, g) => g * 2);
        Fails(x => silent.Apply(x.View([3])) * 1, Point, GradCheckRule.InputChanged);
    }

    // ---- What PyTorch's gradcheck cries about although nothing is wrong ----

    [Fact]
    public void Kinks_at_the_point_or_near_it_are_no_alarm()
    {
        var report = Passes(x => x.Relu() + x.Abs() + x.Clamp(-1, 1), Tensor.Create([0.0, 1e-9, -1e-7, 1.0, -1 + 1e-8, 0.3]));
        Assert.Equal((2, 34), (report.AtKinks, report.Agreed));
    }

    [Fact]
    public void At_a_kink_what_lies_outside_both_slopes_is_wrong()
    {
        var f = Function.Create("Relu", (_, x) => x.Relu(), (_, g) => g * 2);
        var finding = Fails(t => f.Apply(t), Tensor.Create([0.0]), GradCheckRule.Kink);
        Assert.Equal(2.0, finding.Analytic);
    }

    [Fact]
    public void Large_and_small_arguments_are_no_alarm()
    {
        Passes(x => x.Sin(), Tensor.Create([1e8, 3.0]));
        Passes(x => x.Reciprocal(), Tensor.Create([1e-5, 2.0, -1e-9]));
        Passes(x => x.Sqrt() + x.Log(), Tensor.Create([1e-9, 1e-3, 5.0]));
        Passes(x => x.Exp(), Tensor.Create([-30.0, 20.0]));
    }

    [Fact]
    public void Float32_is_checked_in_float64_where_that_is_allowed_and_by_honest_errors_where_not()
    {
        var x = Tensor.Create([0.7f, -1.3f, 2.1f]);
        Passes(t => t.Sin() * t.Exp() * 3, x);
        var report = Passes(t => t.To(DType.Float32).Exp(), x);
        Assert.True(report.Agreed > 0);
        Fails(Tripled(g => g * 3.1), x, GradCheckRule.Jacobian);
        Fails(t => Tripled(g => g * 3.3)(t.To(DType.Float32)), x, GradCheckRule.Jacobian);
        var coarse = Function.Create("Coarse", (context, t) =>
        {
            context.SaveForBackward(t);
            return t * t;
        }, (context, g) => g * 2 * context.Saved(0) * (g.DType == DType.Float32 ? 1.001 : 1));
        Fails(t => coarse.Apply(t), x, GradCheckRule.Precision);
    }

    [Fact]
    public void What_is_not_wholly_decided_is_not_passed()
    {
        var partly = GradCheck.Check(x => Tensor.Where(x.Ge(0), x * 2, Tensor.Scalar(double.NaN, DType.Float64)), Tensor.Create([0.0, 4.0]));
        Assert.Equal((GradCheckVerdict.Inconclusive, 1), (partly.Verdict, partly.Undecided));
        Assert.Equal(3, partly.Agreed);
        // The slope of a root is infinite at zero, and the rule says so.
        Assert.Equal(GradCheckVerdict.Inconclusive, GradCheck.Check(x => x.Abs().Sqrt(), Tensor.Create([0.0])).Verdict);
        var report = GradCheck.Check(x => x.Sqrt(), Tensor.Create([0.0]));
        Assert.Equal(GradCheckVerdict.Inconclusive, report.Verdict);
        Assert.StartsWith("gradcheck inconclusive", Assert.Throws<AutogradException>(report.ThrowUnlessPassed).Message, StringComparison.Ordinal);
    }

    // ---- What cannot be checked ----

    [Fact]
    public void Inputs_that_cannot_be_varied_are_refused()
    {
        Assert.Equal(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have requires_grad=True.",
            Assert.Throws<AutogradException>(() => GradCheck.Check(t => t, Tensor.Create([1L]))).Message);
        Assert.StartsWith(
            "The 0th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping",
            Assert.Throws<AutogradException>(() => GradCheck.Check(t => t, Tensor.Ones([1], DType.Float64).Expand(3))).Message,
            StringComparison.Ordinal);
        var overlapping = new Tensor(Storage.CreateZeroed(100), DType.Float64, [3, 3], [2, 1], 0);
        Assert.StartsWith("elements of input 0 share memory", Assert.Throws<AutogradException>(() => GradCheck.Check(t => t, overlapping)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Inputs_keep_their_strides()
    {
        int[]? seen = null;
        var x = Tensor.Create([1.0, 2, 3, 4, 5, 6, 7, 8], [2, 4]).T().Slice(0, 0, 3);
        Passes(
            t =>
            {
                seen = [.. t.Strides];
                return t * t;
            },
            x);
        Assert.Equal([1, 4], seen!);
    }

    [Fact]
    public void A_seed_repeats_a_check()
    {
        var x = Tensor.Create([.. Enumerable.Range(0, 200).Select(i => Math.Cos(i))]);
        var f = Tripled(g => g * 3.001);
        var options = new GradCheckOptions { Seed = 5 };
        Assert.Equal(GradCheck.Check(f, x, options).ToString(), GradCheck.Check(f, x, options).ToString());
        Assert.NotEqual(GradCheck.Check(f, x).Seed, GradCheck.Check(f, x).Seed);
    }

    [Fact]
    public void The_engines_own_derivatives_pass_at_random_points_every_time()
    {
        var functions = new Dictionary<string, Func<Tensor, Tensor>>
        {
            ["tanh"] = x => x.Tanh(),
            ["sigmoid"] = x => x.Sigmoid(),
            ["log_softmax"] = x => x.LogSoftmax(1),
            ["matmul"] = x => x.Matmul(x.T()),
            ["mean"] = x => x.Square().Mean(),
            ["view"] = x => x.T().Reshape([12]) * x.View([12]),
            ["max"] = x => x.Max(),
            ["prod"] = x => x.Prod(),
            ["relu"] = x => x.Relu(),
        };
        for (var trial = 0; trial < 5; trial++)
        {
            var random = new Random(trial);
            var x = Tensor.Create([.. Enumerable.Range(0, 12).Select(_ => random.NextDouble() * 4 - 2)], [3, 4]);
            foreach (var (name, f) in functions)
            {
                var report = GradCheck.Check(f, x, new GradCheckOptions { Order = trial == 0 ? 2 : 1 });
                Assert.True(report.Passed, $"{name}, trial {trial}: {report}");
                Assert.True(report.Undecided * 20 <= report.Agreed, $"{name}, trial {trial}: {report}");
            }
        }
    }

    /// <summary>Three times its argument, with a rule of its own.</summary>
    private static Func<Tensor, Tensor> Tripled(Func<Tensor, Tensor> rule)
    {
        var f = Function.Create("Tripled", (_, x) => x * 3, (_, g) => rule(g));
        return x => f.Apply(x);
    }

    private GradCheckReport Passes(Func<Tensor, Tensor> f, Tensor x, int order = 1)
    {
        var report = GradCheck.Check(f, x, new GradCheckOptions { Order = order });
        output.WriteLine(report.ToString());
        Assert.True(report.Passed, report.ToString());
        return report;
    }

    private GradCheckFinding Fails(Func<Tensor, Tensor> f, Tensor x, GradCheckRule rule) => Fails(GradCheck.Check(f, x), rule);

    private GradCheckFinding Fails(GradCheckReport report, GradCheckRule rule)
    {
        output.WriteLine(report.ToString());
        Assert.Equal(GradCheckVerdict.Failed, report.Verdict);
        Assert.Contains(report.Findings, finding => finding.Rule == rule);
        return report.Findings.First(finding => finding.Rule == rule);
    }

    [Fact]
    public void Many_wrong_kinks_hide_no_wrong_slope()
    {
        // 5 at each kink, and twice the slope far out.
        var wrong = Function.Create("Relu", (context, x) =>
        {
            context.SaveForBackward(x);
            return x.Relu();
        }, (context, g) => g * (context.Saved(0).Gt(0).To(g.DType) + context.Saved(0).Eq(0).To(g.DType) * 5 + context.Saved(0).Gt(7).To(g.DType)));
        var report = GradCheck.Check(x => wrong.Apply(x), Tensor.Create([0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 8.0, 9.0]));
        Assert.Contains(report.Findings, finding => finding.Rule == GradCheckRule.Kink);
        Assert.Contains(report.Findings, finding => finding.Rule == GradCheckRule.Jacobian);
    }
}
