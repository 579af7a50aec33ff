using Verified.Oracle;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>Custom functions in a model: a wrong one is named itself, and all else is examined whatever it does.</summary>
public class VerifyFunctionTests
{
    private static readonly double[] Values = [0.3, -0.7, 1.1, -1.6, 0.9, 0.2];

    private static Tensor Input(DType dtype = DType.Float32) => Tensor.Create(Values, [2, 3]).To(dtype);

    private static Tensor Weight() => Tensor.Create([0.5f, -0.25f, 1f, 2f, 0.75f, -1f], [2, 3]).RequiresGradInPlace();

    /// <summary>x^3, with a derivative that may lack a factor.</summary>
    private sealed class Cube(bool wrong = false) : Function
    {
        public override Tensor[] Forward(FunctionContext context, Tensor?[] inputs)
        {
            var x = inputs[0]!;
            context.SaveForBackward(x);
            return [x * x * x];
        }

        public override Tensor?[] Backward(FunctionContext context, Tensor?[] gradients)
        {
            var x = context.Saved(0);
            return [wrong ? gradients[0]! * x * x : gradients[0]! * x * x * 3];
        }
    }

    /// <summary>The same on numbers that it reads out of its input: nothing of it is in the program.</summary>
    private sealed class CubeOfNumbers(double factor = 3) : Function
    {
        public override Tensor[] Forward(FunctionContext context, Tensor?[] inputs)
        {
            var x = inputs[0]!;
            context.SaveForBackward(x);
            var cubes = Array.ConvertAll(x.ToDoubles(), v => v * v * v);
            // Through a step that starts from them, and directly.
            return [x.DType == DType.Float64 ? Tensor.Create(cubes, x.Shape.ToArray()) : Tensor.Create(cubes, x.Shape.ToArray()).To(x.DType)];
        }

        public override Tensor?[] Backward(FunctionContext context, Tensor?[] gradients) => [gradients[0]! * context.Saved(0).Square() * factor];
    }

    private static void IsWrong(ModelReport report, string function)
    {
        Assert.Equal(Verdict.Fail, report.Verdict);
        Assert.Null(report.First);
        Assert.Contains(function, Assert.Single(report.Functions, f => f.Finding.Verdict == Verdict.Fail).Application, StringComparison.Ordinal);
        var lines = report.ToString().Split('\n');
        Assert.Contains($"the backward of the custom function {function}", lines[0], StringComparison.Ordinal);
        Assert.DoesNotContain("First wrong", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_right_function_holds_with_the_steps_that_its_forward_consists_of()
    {
        var report = Verify.Model(t => new Cube().Apply(t.Sin()).Sum(), Input());
        Assert.True(report.Holds, report.ToString());
        Assert.Empty(report.Functions);
        Assert.Equal(["sin", "mul", "mul", "sum", "backward"], report.Program.Steps.Select(s => s.Op));
    }

    [Fact]
    public void A_wrong_backward_is_named_by_its_functions_name_and_all_else_is_right()
    {
        var w = Weight();
        var report = Verify.Model(t => new Cube(wrong: true).Apply(t.Linear(w)).Exp().Sum(), Input());
        IsWrong(report, "Cube(linear_1)");
        Assert.Contains("All else is right", report.ToString(), StringComparison.Ordinal);
        Assert.All(report.Judgement.Findings.Skip(1), finding => Assert.Equal(Verdict.Pass, finding.Verdict));
        Assert.Contains("x1.grad", report.Judgement.Findings.Select(f => f.Name));
        Assert.Contains("mul_2.grad", report.Judgement.Findings.Select(f => f.Name));
    }

    [Fact]
    public void A_right_operator_that_uses_the_same_tensor_is_not_blamed()
    {
        var report = Verify.Model(
            t =>
            {
                var x = t * 2;
                return (new Cube(wrong: true).Apply(x) + x.Sin() * x.Tanh()).Sum();
            },
            Input());
        IsWrong(report, "Cube(mul_1)");
    }

    [Fact]
    public void Beside_a_wrong_function_a_wrong_operator_is_found_too()
    {
        var sigmoid = ((UnaryOperator)OperatorRegistry.Default.Operators["sigmoid"]).WithRule(new Rule(Saved.Output, (g, c) => g * c.Output()));
        // Before the function, so that its gradient comes out of the function.
        var report = Verify.Model(t => new Cube(wrong: true).Apply(sigmoid.Apply(t)).Sum(), Input());
        Assert.Contains("Cube(sigmoid_1)", report.ToString().Split('\n')[0], StringComparison.Ordinal);
        Assert.True(report.First is { Backward: true, Step.Op: "sigmoid" }, report.ToString());
        Assert.Contains("Not it alone", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_several_functions_the_wrong_one_is_named()
    {
        var report = Verify.Model(t => (new Cube().Apply(t) + new Cube(wrong: true).Apply(t.Cos())).Sum(), Input());
        IsWrong(report, "Cube(cos_1)");
        Assert.Contains("1 of 2", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_function_on_numbers_is_examined_numerically_and_the_model_around_it_as_a_program()
    {
        var w = Weight();
        var right = Verify.Model(t => new CubeOfNumbers().Apply(t.Linear(w)).Exp().Sum(), Input());
        Assert.True(right.Holds, right.ToString());
        Assert.Single(right.Functions);
        Assert.Empty(right.Notes);
        Assert.Contains("to_1.grad", right.Judgement.Findings.Select(f => f.Name));
        var wide = Verify.Model(t => new CubeOfNumbers().Apply(t.Sin()).Exp().Sum(), Input(DType.Float64));
        Assert.True(wide.Holds, wide.ToString());
        Assert.Contains("CubeOfNumbers_1.grad", wide.Judgement.Findings.Select(f => f.Name));
        IsWrong(Verify.Model(t => new CubeOfNumbers(2).Apply(t.Linear(w)).Exp().Sum(), Input()), "CubeOfNumbers(linear_1)");
    }

    [Fact]
    public void A_gradient_that_is_meant_to_be_another_one_leaves_the_rest_examined()
    {
        var reversal = Function.Create("Reversal", (_, x) => x, (_, g) => g.Neg());
        var w = Weight();
        var report = Verify.Model(t => reversal.Apply(t.Linear(w)).Tanh().Sum(), Input());
        IsWrong(report, "Reversal(linear_1)");
        Assert.Contains("All else is right", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_backward_that_is_summed_to_its_inputs_shape_and_one_that_gives_none_can_be_cut()
    {
        var scaled = Function.CreateMany(
            "Scaled",
            (c, inputs) => { c.SaveForBackward(inputs); return [inputs[0]! * inputs[1]!, inputs[0]!.Exp()]; },
            (c, gradients) => [gradients[0]! * c.Saved(1), gradients[0]! * c.Saved(0) * 2]);
        var factor = Tensor.Create([0.5f, 2f, -1f]).RequiresGradInPlace();
        var report = Verify.Model(t => { var y = scaled.ApplyAll(t.Sin(), factor); return (y[0] * y[1].Detach()).Sum(); }, Input());
        Assert.Equal(Verdict.Fail, report.Functions.Single().Finding.Verdict);
        Assert.All(report.Judgement.Findings.Skip(1), finding => Assert.Equal(Verdict.Pass, finding.Verdict));
    }

    [Fact]
    public void Where_the_program_cannot_be_cut_nothing_else_is_blamed()
    {
        var wrong = new Cube(wrong: true);
        var written = Verify.Model(t => wrong.Apply(t.Sin()).MulInPlace(2).Sum(), Input());
        IsWrong(written, "Cube(sin_1)");
        Assert.Contains("shows once it is right", written.ToString(), StringComparison.Ordinal);
        var w = Weight();
        IsWrong(Verify.Step(() => { wrong.Apply(w.Sin()).Sum().Backward(); w.Exp().Sum().Backward(); }), "Cube(sin_1)");
        var unfollowed = Verify.Step(() => { new CubeOfNumbers().Apply(w.Sin()).Sum().Backward(); w.Exp().Sum().Backward(); });
        Assert.Equal(Verdict.Inconclusive, unfollowed.Verdict);
        Assert.False(unfollowed.HoldsInFloat64);
        Assert.Contains("cannot be followed", unfollowed.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_function_that_cannot_be_applied_again_is_undecided_not_wrong()
    {
        var times = 0;
        var once = Function.Create("Once", (c, x) => times++ == 0 ? x * 2 : throw new InvalidOperationException("only once"), (c, g) => g * 3);
        var report = Verify.Model(t => once.Apply(t.Sin()).Sum(), Input());
        Assert.Equal(Verdict.Inconclusive, report.Verdict);
        Assert.Contains("only once", report.ToString(), StringComparison.Ordinal);
        Assert.False(report.HoldsInFloat64);
    }

    [Fact]
    public void What_float32_cannot_decide_is_examined_in_float64_around_a_right_function_and_not_around_a_wrong_one()
    {
        // Their float32 sum is zero, the sum of what they are is not.
        var cancelling = Tensor.Create([-0.1f, -0.2f, 0.3f]);
        var right = Verify.Model(t => new Cube().Apply(t.Sum().Relu() + 1), cancelling);
        Assert.Equal(Verdict.Inconclusive, right.Verdict);
        Assert.True(right.HoldsInFloat64, right.ToString());
        IsWrong(Verify.Model(t => new Cube(wrong: true).Apply(t.Sum().Relu() + 1), cancelling), "Cube(add_1)");
    }

    /// <summary>x^3, whose backward raises.</summary>
    private sealed class Raising(Exception error) : Function
    {
        public override Tensor[] Forward(FunctionContext context, Tensor?[] inputs) => [inputs[0]! * inputs[0]! * inputs[0]!];

        public override Tensor?[] Backward(FunctionContext context, Tensor?[] gradients) => throw error;
    }

    private static void IsNamed(ModelReport report, string application, string error)
    {
        Assert.Equal(Verdict.Fail, report.Verdict);
        Assert.Null(report.Error);
        var line = report.ToString().Split('\n')[0];
        Assert.Contains($"the backward of the custom function {application} raises {error} (in Raising.Backward", line, StringComparison.Ordinal);
        Assert.Null(Assert.Single(report.Functions, f => f.Finding.Verdict == Verdict.Fail).Check);
    }

    [Fact]
    public void A_backward_that_raises_is_a_finding_and_all_else_is_examined()
    {
        var w = Weight();
        foreach (var (error, text) in new (Exception, string)[] { (new FormatException("mine"), "FormatException: mine"), (new AutogradException(Engine.ErrorKind.Other, "its own"), "AutogradException: its own") })
        {
            var report = Verify.Model(t => (new Raising(error).Apply(t.Linear(w)).Exp() + t.Sin().Sum()).Sum(), Input());
            IsNamed(report, "Raising(linear_1)", text);
            Assert.Contains("All else is right", report.ToString(), StringComparison.Ordinal);
            Assert.Empty(report.Notes);
            Assert.Contains("x1.grad", report.Judgement.Findings.Select(f => f.Name));
            Assert.Contains("mul_2.grad", report.Judgement.Findings.Select(f => f.Name));
        }

        var sigmoid = ((UnaryOperator)OperatorRegistry.Default.Operators["sigmoid"]).WithRule(new Rule(Saved.Output, (g, c) => g * c.Output()));
        var beside = Verify.Model(t => (new Raising(new FormatException("mine")).Apply(t.Sin()) + sigmoid.Apply(t)).Sum(), Input());
        IsNamed(beside, "Raising(sin_1)", "FormatException: mine");
        Assert.True(beside.First is { Backward: true, Step.Op: "sigmoid" }, beside.ToString());
    }

    [Fact]
    public void A_backward_that_raises_in_code_that_differentiates_by_itself_is_a_finding_and_ends_it()
    {
        var w = Weight();
        var after = false;
        foreach (var error in (Exception[])[new FormatException("mine"), new AutogradException(Engine.ErrorKind.Other, "mine")])
        {
            var report = Verify.Step(() =>
            {
                new Raising(error).Apply(w.Sin()).Sum().Backward();
                after = true;
            });
            IsNamed(report, "Raising(sin_1)", $"{error.GetType().Name}: mine");
            Assert.All(report.Judgement.Findings.Skip(1), f => Assert.Equal(Verdict.Pass, f.Verdict));
            Assert.Contains("sum_1", report.Judgement.Findings.Select(f => f.Name));
            var inside = Verify.Model(t => { var y = new Raising(error).Apply(t.Sin()).Sum(); return y * Autograd.Grad([y], [t])[0]!.Sum(); }, Input());
            IsNamed(inside, "Raising(sin_1)", $"{error.GetType().Name}: mine");
            Assert.Contains("sum_1", inside.Judgement.Findings.Select(f => f.Name));
        }

        Assert.False(after);
        // What is not a custom function's own goes on to the caller, with its type.
        Assert.Throws<FormatException>(() => Verify.Model(_ => throw new FormatException("the model's"), Input()));
    }

    [Fact]
    public void A_backward_with_a_wrong_number_of_gradients_is_a_finding_of_the_function()
    {
        var two = Function.CreateMany("Two", (_, x) => [x[0]! * x[1]!], (_, g) => [g[0]]);
        var report = Verify.Model(t => two.Apply(t.Sin(), t.Cos()).Sum(), Input());
        Assert.Contains(
            "the backward of the custom function Two(sin_1, cos_1) raises AutogradException: function TwoBackward returned an incorrect number of gradients (expected 2, got 1)",
            report.ToString().Split('\n')[0], StringComparison.Ordinal);
        Assert.Contains("All else is right", report.ToString(), StringComparison.Ordinal);
        var shape = Function.Create("Shape", (_, x) => x * 2, (_, g) => Tensor.Ones([4]));
        var misshapen = Verify.Model(t => (shape.Apply(t.Sin()) + t.Exp()).Sum(), Input());
        Assert.Contains("the backward of the custom function Shape(sin_1) raises AutogradException: Function ShapeBackward returned an invalid gradient at index 0", misshapen.ToString().Split('\n')[0], StringComparison.Ordinal);
        Assert.Contains("All else is right", misshapen.ToString(), StringComparison.Ordinal);
        var both = Verify.Model(t => (shape.Apply(t.Sin()) + new Cube(wrong: true).Apply(t.Exp())).Sum(), Input());
        Assert.Equal(2, both.Functions.Count(f => f.Finding.Verdict == Verdict.Fail));
    }
}
