using Verified.Oracle;
using Verified.Spec;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>A user's own model, written down as a program and held against the specification.</summary>
public class VerifyModelTests
{
    private static Tensor Random(int seed, params int[] shape)
    {
        var random = new Random(seed);
        var data = new float[shape.Aggregate(1, (n, d) => n * d)];
        for (var i = 0; i < data.Length; i++) data[i] = (float)((random.NextDouble() * 2) - 1);
        return Tensor.Create(data, shape);
    }

    private static Tensor Weight(int seed, params int[] shape) => Random(seed, shape).RequiresGradInPlace();

    private static void Holds(ModelReport report)
    {
        Assert.True(report.Holds, report.ToString());
        Assert.Null(report.First);
    }

    [Fact]
    public void A_right_model_holds_and_leaves_everything_as_it_was()
    {
        Tensor w = Weight(1, 4, 3), b = Weight(2, 4), x = Random(3, 5, 3);
        var report = Verify.Model(t => t.Linear(w, b).Tanh().Square(), x);
        Holds(report);
        Assert.Null(w.Grad);
        Assert.False(x.RequiresGrad);
        Assert.Equal(["linear", "tanh", "square", "backward"], report.Program.Steps.Select(s => s.Op));
        Assert.Equal(["square_1", "x1.grad", "p1.grad", "p2.grad"], report.Program.Observe.Select(o => o.Text));
        foreach (var language in (string[])["pytorch", "csharp", "fsharp", "json"]) Assert.Contains("linear", report.Printed(language), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("holds", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_lists_slices_and_conversions_are_written_as_in_PyTorch()
    {
        var report = Verify.Model(
            t =>
            {
                var y = (2.5 - t) / (t + 3) + (t * t + 1).Pow(1.5) + Tensor.Pow(2.0, t) + (1.0 / (t + 4));
                var joined = Tensor.Cat([y.Slice(0, 1), y.Select(0, 0).Unsqueeze(0), Tensor.Stack([y[0], y[1]])]);
                return joined.Clamp(-1, 5).MaskedFill(joined.Gt(3), 0.5).T().Reshape([-1]).To(DType.Float64)
                    * Tensor.Where(joined.Lt(2), joined, joined * 2).T().Contiguous().View([-1]);
            },
            Random(4, 3, 2));
        Holds(report);
    }

    [Fact]
    public void Views_and_writes_in_place_hold()
    {
        var report = Verify.Model(
            t =>
            {
                var y = t * 2;
                y.Slice(0, 1).MulInPlace(3);
                y[0].FillInPlace(0.25);
                y.SetItemInPlace([1L, null], t[2] * 5);
                y.Select(1, 1).CopyInPlace(t.Select(1, 0));
                var z = y.Exp();
                z.Detach();
                return z + y.Data;
            },
            Random(5, 3, 2));
        Holds(report);
    }

    [Fact]
    public void A_training_step_with_an_update_under_no_grad_holds_in_time()
    {
        Tensor Layer(int seed, params int[] shape) => Random(seed, shape).To(DType.Float64).RequiresGradInPlace();
        Tensor w1 = Layer(1, 16, 20), b1 = Layer(2, 16), w2 = Layer(3, 5, 16), b2 = Layer(4, 5);
        Tensor[] weights = [w1, b1, w2, b2];
        Tensor x = Random(5, 8, 20).To(DType.Float64), target = Tensor.Create([.. Enumerable.Range(0, 8).Select(i => (long)(i % 5))]), mask = Random(6, 8, 16).Gt(-0.5);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var report = Verify.Step(() =>
        {
            foreach (var w in weights) w.ZeroGrad();
            var hidden = x.Linear(w1, b1).Relu() * mask.To(DType.Float64) * 2;
            hidden.Linear(w2, b2).CrossEntropy(target).Backward();
            using var _ = Autograd.NoGrad();
            foreach (var w in weights) w.AddInPlace(w.Grad! * -0.1);
        });
        Holds(report);
        Assert.True(watch.Elapsed.TotalSeconds < 60, watch.Elapsed.ToString());
        Assert.Contains(report.Program.Steps, s => s.Op == "no_grad");
        Assert.Contains("p1", report.Program.Observe.Select(o => o.Text));
        Assert.Contains("p1.grad", report.Program.Observe.Select(o => o.Text));
    }

    [Fact]
    public void A_small_U_net_holds()
    {
        // In float64: among hundreds of float32 sums one lies so near to relu's kink that its side cannot be decided.
        Tensor Kernel(int seed, params int[] shape) => Random(seed, shape).To(DType.Float64).RequiresGradInPlace();
        Tensor down = Kernel(1, 4, 1, 3, 3), middle = Kernel(2, 6, 4, 3, 3), up = Kernel(3, 6, 4, 2, 2), last = Kernel(4, 1, 8, 3, 3);
        var report = Verify.Model(
            image =>
            {
                var skip = image.Conv2d(down, null, 1, 1).Relu();
                var low = skip.MaxPool2d(2).Conv2d(middle, null, 1, 1).Relu();
                var high = low.ConvTranspose2d(up, stride: [2, 2]);
                return Tensor.Cat([skip, high], 1).Conv2d(last, null, 1, 1).BinaryCrossEntropyWithLogits(Random(7, 1, 1, 8, 8).Gt(0).To(DType.Float64));
            },
            Random(6, 1, 1, 8, 8).To(DType.Float64));
        Holds(report);
    }

    [Fact]
    public void A_loss_over_captured_weights_holds_with_the_mask_that_was_drawn_as_an_input()
    {
        Tensor w = Weight(1, 4, 6), b = Weight(2, 4), x = Random(3, 2, 6), labels = Tensor.Create([1L, 3]);
        var before = w.Grad = Random(7, 4, 6);
        var random = new Random(9);
        var report = Verify.Step(() =>
        {
            var mask = Tensor.Create([.. Enumerable.Range(0, 8).Select(_ => random.Next(2) * 2f)], [2, 4]);
            return (x.Linear(w, b).Tanh() * mask).CrossEntropy(labels);
        });
        Holds(report);
        Assert.Same(before, w.Grad);
        Assert.Null(b.Grad);
        Assert.Empty(report.Notes);
        Assert.Equal(["cross_entropy_1", "p1.grad", "p2.grad"], report.Program.Observe.Select(o => o.Text));
        Assert.Equal(["c1", "p1", "p2", "c2", "c3"], report.Program.Inputs.Select(i => i.Name));
    }

    /// <summary>Their float32 sum is zero, the sum of what they are 7.5e-9: on which side of a kink it lies float32 cannot tell.</summary>
    private static Tensor Cancelling => Tensor.Create([-0.1f, -0.2f, 0.3f]);

    [Fact]
    public void What_float32_cannot_decide_is_undecided_and_examined_in_float64()
    {
        var report = Verify.Model(t => t.Sum().Relu() + t.Exp().Sum(), Cancelling);
        Assert.Equal(Verdict.Inconclusive, report.Verdict);
        Assert.False(report.Holds);
        Assert.True(report.HoldsInFloat64, report.ToString());
        Assert.Contains("x1.grad", report.Undecided.Select(f => f.Name));
        Assert.Contains("holds in float64", report.ToString(), StringComparison.Ordinal);
        Assert.Contains("cannot be decided", report.ToString(), StringComparison.Ordinal);
        Assert.True(Verify.Model(t => t.Exp(), Random(1, 2)) is { Holds: true, HoldsInFloat64: true, InFloat64: null });
    }

    [Fact]
    public void What_is_wrong_where_float32_cannot_decide_is_found_in_float64()
    {
        var exp = ((UnaryOperator)OperatorRegistry.Default.Operators["exp"]).WithRule(new Rule(Saved.Output, (g, c) => g * c.Output() * 2));
        var report = Verify.Model(t => exp.Apply(t.Sum().Relu()), Cancelling);
        Assert.Equal(Verdict.Inconclusive, report.Judgement.Verdict);
        Assert.Equal(Verdict.Fail, report.Verdict);
        Assert.False(report.HoldsInFloat64);
        Assert.Contains("exp", report.Shortest!.Shrunk.Operators);
    }

    [Fact]
    public void A_model_too_deep_for_bounds_on_the_whole_is_decided_step_by_step()
    {
        static ModelReport Deep(Func<Tensor, Tensor> layer) => Verify.Model(
            t =>
            {
                // Each layer multiplies the error by up to 200 where the signs are unfavourable, the values by less than one.
                for (var i = 0; i < 9; i++) t = layer((t - t * 0.99) * 100 - 0.5);
                return t;
            },
            Random(5, 3, 2));
        var right = Deep(t => t.Tanh());
        Assert.Equal(Verdict.Inconclusive, right.InFloat64!.Judgement!.Verdict);
        Assert.True(right.HoldsInFloat64, right.ToString());
        Assert.False(right.Holds);
        Assert.Contains("step by step", right.ToString(), StringComparison.Ordinal);
        var tanh = ((UnaryOperator)OperatorRegistry.Default.Operators["tanh"]).WithRule(new Rule(Saved.Output, (g, c) => g * (1 - c.Output() * c.Output() * 0.9)));
        var wrong = Deep(t => tanh.Apply(t));
        Assert.Equal(Verdict.Fail, wrong.Verdict);
        Assert.False(wrong.HoldsInFloat64);
    }

    [Fact]
    public void A_wrong_derivative_in_an_operator_of_ones_own_is_found_and_the_step_named()
    {
        var sigmoid = ((UnaryOperator)OperatorRegistry.Default.Operators["sigmoid"]).WithRule(new Rule(Saved.Output, (g, c) => g * c.Output()));
        var w = Weight(1, 3, 3);
        var report = Verify.Model(t => sigmoid.Apply(t.Matmul(w).Exp()).Sin() * 2, Random(2, 2, 3));
        Assert.Equal(Verdict.Fail, report.Verdict);
        Assert.NotNull(report.First);
        Assert.Equal("sigmoid", report.First.Step.Op);
        Assert.True(report.First.Backward);
        Assert.Contains("sigmoid", report.ToString(), StringComparison.Ordinal);
        // It shows when the program is run again with the operator, and is then made short.
        Assert.NotNull(report.Shortest);
        Assert.True(report.Shortest.Shrunk.Program.Steps.Length <= 3, report.ToString());
    }

    [Fact]
    public void A_wrong_value_in_an_operator_of_ones_own_is_found_and_the_step_named()
    {
        var exp = new UnaryOperator("exp", (x, _, _) => x.Exp() * 1.001, new Rule(Saved.Output, (g, c) => g * c.Output()));
        var report = Verify.Model(t => (exp.Apply(t * 2) + 1).Log(), Random(2, 4));
        Assert.Equal("exp", report.First?.Step.Op);
        Assert.False(report.First!.Backward);
    }

    [Fact]
    public void A_bug_planted_in_an_engine_is_found_and_shrunk()
    {
        var bug = PlantedBugs.All.First(b => b.Name == "mul-factor");
        using var engine = bug.Engine();
        var report = Verify.Model(t => (t.Exp() * t.Sin()).Sum(), Random(2, 4), new VerifyOptions { Engine = engine });
        Assert.False(report.Holds);
        Assert.Equal(Verdict.Pass, report.Judgement.Verdict);
        Assert.Contains("mul", report.Shortest!.Shrunk.Operators);
    }

    [Fact]
    public void An_error_of_the_model_is_examined_too()
    {
        var report = Verify.Model(
            t =>
            {
                var y = t.Exp();
                y.ZeroInPlace();
                return y.Sum();
            },
            Random(2, 4));
        Assert.Equal(Verdict.Pass, report.Verdict);
        Assert.False(report.Holds);
        Assert.StartsWith("The model ends in an error, as it must, at steps[3]: one of the variables", report.ToString(), StringComparison.Ordinal);
        Assert.Equal("the model ends in an error", report.WhyNoGradient);
        Assert.Equal("backward", report.Program.Steps[report.Program.Steps.Length - 1].Op);
        Assert.Contains("modified by an inplace operation", report.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_program_leaves_out_is_said()
    {
        var w = Weight(1, 3);
        var early = w * 2;
        var report = Verify.Model(
            t =>
            {
                var y = t * early;
                y.RegisterHook(g => null);
                return y.Sum();
            },
            Random(2, 3));
        Holds(report);
        Assert.Contains(report.Notes, note => note.Contains("hook", StringComparison.Ordinal));
        Assert.Contains(report.Notes, note => note.Contains("before the recording", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_a_listener_nothing_is_heard_and_a_disposed_one_hears_no_more()
    {
        Program program;
        Tensor x = Random(1, 2), y;
        using (var recorder = new ProgramRecorder())
        {
            y = x + 1;
            program = recorder.ToProgram([y], []);
        }

        _ = y * 2;
        Assert.Single(program.Steps);
        Assert.Equal("add", program.Steps[0].Op);
    }

    [Fact]
    public void That_no_gradient_was_compared_is_said_in_the_verdict_and_why()
    {
        var w = Weight(1, 3);
        foreach (var model in (Func<Tensor, Tensor>[])[t => (t * w).Detach().Sum(), _ => Random(3, 2), t => (t * w).Argmax()])
        {
            var report = Verify.Model(model, Random(2, 2, 3));
            Holds(report);
            Assert.Equal("no recorded way leads from what requires one to the result", report.WhyNoGradient);
            Assert.Contains("but no gradient was compared: no recorded way leads from what requires one to the result.", report.ToString().Split('\n')[0], StringComparison.Ordinal);
            Assert.DoesNotContain("values and gradients", report.ToString(), StringComparison.Ordinal);
        }

        Assert.Null(Verify.Model(t => (t * w).Sum(), Random(2, 2, 3)).WhyNoGradient);
        Assert.Equal("the code pulls none back", Verify.Step(() => { _ = (w * 2).Exp(); }).WhyNoGradient);
        Assert.Null(Verify.Step(() => w.Exp().Sum().Backward()).WhyNoGradient);
        // An undecided model says it too.
        Assert.Contains("no gradient was compared", Verify.Model(t => t.Sum().Gt(0).To(DType.Float32), Cancelling).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_input_that_no_gradient_reaches_is_named_and_a_constant_is_not()
    {
        var w = Weight(1, 3);
        var report = Verify.Model(x => (x[0] * w + x[1].Detach() * 2).Sum(), [Random(2, 3), Random(3, 3), Random(4, 3), Tensor.Create([1L])]);
        Holds(report);
        Assert.Equal(
            [
                "no gradient reaches x2 (float32 [3]): it leads to the result only where no gradient flows, such as through detach, a comparison or a block without recording",
                "no gradient reaches x3 (float32 [3]): it does not lead to the result",
            ],
            report.Notes);
        Assert.Null(report.WhyNoGradient);
    }

    [Fact]
    public void Numbers_that_were_read_before_something_is_recorded_are_noted()
    {
        Tensor w = Weight(1, 3), early = Weight(5, 3);
        void Says(string what, Func<Tensor, Tensor> model)
        {
            var report = Verify.Model(model, Random(2, 3));
            Holds(report);
            Assert.Equal($"numbers were read out of {what}: where they come back they are constants, no gradient flows through them", Assert.Single(report.Notes));
        }

        Says("sum_1", t => { var y = t * w; return y * (1 / y.Exp().Sum().Item()); });
        Says("square_1", t => t * w.Square().ToFloats()[1] * w.Sum());
        Says("a tensor of shape [3] that the program does not have", t => t * early.ToDoubles()[2] * w);
    }

    [Fact]
    public void Numbers_that_are_read_at_the_end_or_out_of_constants_are_not_noted()
    {
        var w = Weight(1, 3);
        var shown = new List<string>();
        var report = Verify.Model(
            t =>
            {
                var z = (t * w).Sum() * w.Detach().Sum().Item();
                shown.Add($"{z.Item()} {string.Join(' ', w.ToDoubles())}");
                // In a block without recording, and as a constant by intent.
                using (Autograd.NoGrad()) _ = t * z.Item();
                return z;
            },
            Random(2, 3));
        Holds(report);
        Assert.Single(shown);
        Assert.Empty(report.Notes);
    }

    [Fact]
    public void An_input_whose_numbers_went_around_the_program_is_named()
    {
        var w = Weight(1, 3);
        var report = Verify.Model(t => (Tensor.Create(Array.ConvertAll((t * 3).ToFloats(), v => v * v * v + 1)) * w).Sum(), Random(2, 3));
        Holds(report);
        Assert.Equal("no gradient reaches x1 (float32 [3]): it does not lead to the result; numbers were read out of mul_1: what is computed of them counts as constant", report.Notes[^1]);
        // What is a gradient itself depends on what it was taken by.
        var slope = Verify.Model(t => Autograd.Grad([t.Exp().Sum()], [t])[0]!, Random(2, 3));
        Assert.DoesNotContain(slope.Notes, note => note.Contains("does not lead to the result", StringComparison.Ordinal));
    }
}
