using Verified.Oracle.Shrinking;
using Verified.Spec;
using Xunit;

namespace Verified.Properties;

/// <summary>What shrinking promises whatever it is that fails.</summary>
public sealed class ShrinkerTests
{
    private const int Budget = 3000;

    private static readonly Program Long = Json.readProgram(
        """
        {"inputs": {"x": {"dtype": "float32", "shape": [2, 1], "data": [2.875, 0], "requires_grad": true}, "g": {"dtype": "float32", "shape": [2, 1], "data": [3, 0.25]}},
         "steps": [
            {"op": "abs", "in": ["x"], "out": "y"},
            {"op": "lt", "in": ["y"], "attrs": {"other": -0.5}, "out": "m"},
            {"op": "tril", "in": ["y"], "out": "t"},
            {"op": "reshape", "in": ["t"], "attrs": {"shape": [1, 2]}, "out": "r"},
            {"op": "clone", "in": ["y"], "out": "c"},
            {"op": "backward", "in": ["y"], "gradients": ["g"]}],
         "observe": ["x.grad", "r", "m"]}
        """).ResultValue;

    [Fact]
    public void Only_what_the_failure_needs_is_left()
    {
        var (shrunk, tried) = Shrunk(TwoRowsThroughAbs);
        Assert.Equal(["abs", "backward"], shrunk.Steps.Select(step => step.Op));
        Assert.Equal([2, 1], shrunk.Inputs.First(input => input.Name == "x").Tensor.Shape);
        Assert.Equal([Observed.NewGradient("x")], shrunk.Observe);
        Assert.True(tried < Budget / 4, $"{tried} candidates");
    }

    [Fact]
    public void A_repair_that_restores_what_was_taken_is_no_progress()
    {
        // A gradient without its last dimension no longer fits, and repaired is what it was, under a longer name.
        var (shrunk, tried) = Shrunk(TwoRowsThroughAbs);
        Assert.All(shrunk.Inputs, input => Assert.True(input.Name.Length < 10, input.Name));
        Assert.True(tried < Budget, "the budget ended the search");
    }

    [Fact]
    public void A_flag_that_a_step_gives_an_input_is_the_inputs_own()
    {
        var program = Json.readProgram(
            """
            {"inputs": {"x": {"dtype": "float32", "shape": [2], "data": [1, 1]}},
             "steps": [{"op": "requires_grad_", "in": ["x"]}, {"op": "exp", "in": ["x"], "out": "y"}, {"op": "backward", "in": ["y"], "gradients": ["x"]}],
             "observe": ["x.grad"]}
            """).ResultValue;
        var shrunk = new Shrinker(candidate => Run.outcome(RegistryModule.all, candidate).Values.Any(value => value.Item1 == "x.grad" && value.Item2 is not null), Budget).Shrink(program);
        Assert.DoesNotContain(shrunk.Steps, step => step.Op == "requires_grad_");
        Assert.True(shrunk.Inputs.First(input => input.Name == "x").RequiresGrad);
    }

    [Fact]
    public void A_program_that_always_fails_becomes_nothing() => Assert.Empty(Shrunk(_ => true).Program.Steps);

    [Fact]
    public void A_program_whose_every_change_holds_stays() => Assert.Equal(Long, Shrunk(Long.Equals).Program);

    private static (Program Program, int Tried) Shrunk(Func<Program, bool> fails)
    {
        var shrinker = new Shrinker(fails, Budget);
        return (shrinker.Shrink(Long), shrinker.Tried);
    }

    private static bool TwoRowsThroughAbs(Program program) =>
        Run.outcome(RegistryModule.all, program).Raised is null
        && program.Steps.Any(step => step.Op == "abs")
        && program.Steps.Any(step => step.Op == "backward" && step.In.Head is Arg.Name { Item: "y" })
        && program.Inputs.Any(input => input.Name == "x" && input.Tensor.Shape is [2, 1])
        && program.Observe.Contains(Observed.NewGradient("x"));
}
