using FsCheck.Xunit;
using Verified.Oracle.Generation;
using Verified.Oracle.Laws;
using Verified.Spec;
using Xunit;
using Xunit.Abstractions;

namespace Verified.Properties;

/// <summary>The laws that need no tolerance, on random programs.</summary>
public sealed class LawProperties(ITestOutputHelper output)
{
    private const int Cases = 300;

    [Property(MaxTest = Cases, Replay = "1401,1", Arbitrary = [typeof(RandomPrograms)])]
    public void A_program_run_twice_gives_the_same_bits(StandardProgram p) => Holds(RunTwice.Law, p.Program);

    [Property(MaxTest = Cases, Replay = "1402,1", Arbitrary = [typeof(RandomPrograms)])]
    public void An_upstream_gradient_times_a_power_of_two_gives_gradients_times_it(SmoothProgram p) => Holds(LinearInUpstream.Law, p.Program);

    [Property(MaxTest = Cases, Replay = "1403,1", Arbitrary = [typeof(RandomPrograms)])]
    public void Two_backwards_leave_twice_the_gradients_of_one(StandardProgram p) => Holds(AccumulatedTwice.Law, p.Program);

    [Property(MaxTest = Cases, Replay = "1404,1", Arbitrary = [typeof(RandomPrograms)])]
    public void A_write_that_nobody_else_sees_gives_what_a_new_tensor_gives(StandardProgram p) => Holds(InPlaceTwin.Law, p.Program);

    [Property(MaxTest = Cases, Replay = "1405,1", Arbitrary = [typeof(RandomPrograms)])]
    public void A_detached_tensor_is_a_constant(StandardProgram p) => Holds(DetachTwin.Law, p.Program);

    [Property(MaxTest = Cases, Replay = "1406,1", Arbitrary = [typeof(RandomPrograms)])]
    public void Strided_tensors_give_what_contiguous_ones_give(StandardProgram p) => Holds(StridedTwin.Law, p.Program);

    [Property(MaxTest = Cases, Replay = "1407,1", Arbitrary = [typeof(RandomPrograms)])]
    public void An_operand_that_is_broadcast_gives_what_it_gives_expanded(StandardProgram p) => Holds(BroadcastTwin.Law, p.Program);

    [Fact]
    public void What_underflows_on_the_way_is_not_held_to_a_power_of_two()
    {
        // exp(-725) has a few bits left, and so has a gradient through it.
        const string Underflowing = """
            {"inputs": {"x": {"dtype": "float64", "shape": [2], "data": [-725, 1], "requires_grad": true}}, "steps": [{"op": "silu", "in": ["x"], "out": "y"}], "observe": ["y"]}
            """;
        Assert.True(LinearInUpstream.Law.Check(Sound.Engine, Json.readProgram(Underflowing).ResultValue) is { Applies: true, Holds: true });
    }

    [Fact]
    public void Twice_a_gradient_that_is_near_the_largest_number_is_an_infinity()
    {
        const string Overflowing = """
            {"inputs": {"x": {"dtype": "float32", "shape": [1], "data": [1], "requires_grad": true}, "c": {"dtype": "float32", "shape": [1], "data": [3e38]}}, "steps": [{"op": "mul", "in": ["x", "c"], "out": "y"}, {"op": "backward", "in": ["y"]}], "observe": ["x.grad"]}
            """;
        Assert.True(AccumulatedTwice.Law.Check(Sound.Engine, Json.readProgram(Overflowing).ResultValue) is { Applies: true, Holds: true });
    }

    [Fact]
    public void A_detached_tensor_that_becomes_a_running_mean_is_no_constant()
    {
        const string Moved = """
            {"inputs": {"x": {"dtype": "float64", "shape": [2, 1], "data": [1, 3]}, "v": {"dtype": "float64", "shape": [1], "data": [0]}}, "steps": [{"op": "detach", "in": ["v"], "out": "m"}, {"op": "batch_norm", "in": ["x", "m", null], "attrs": {"training": true}, "out": "y"}], "observe": ["v"]}
            """;
        Assert.False(DetachTwin.Law.Check(Sound.Engine, Json.readProgram(Moved).ResultValue).Applies);
    }

    [Fact]
    public void Every_law_says_something_of_enough_standard_programs()
    {
        var generator = new ProgramGenerator(RegistryModule.all, Oracle.Examination.For(Sound.Engine.Info));
        var applied = Law.All.ToDictionary(law => law.Name, _ => 0);
        const int programs = 300;
        for (var i = 0; i < programs; i++)
        {
            var program = generator.Generate(Rng.CaseSeed(1408, i));
            foreach (var law in Law.All)
                if (law.Check(Sound.Engine, program) is { Applies: true } result)
                {
                    Assert.True(result.Holds, $"{result.Violation} (program {i} of seed 1408) {Show.Text(program)}");
                    applied[law.Name]++;
                }
        }

        output.WriteLine(string.Join(", ", applied.Select(entry => $"{entry.Key} {entry.Value}")) + $" of {programs}");
        Assert.All(applied, entry => Assert.True(entry.Value >= programs / 50, $"'{entry.Key}' applied to {entry.Value} of {programs} programs only"));
    }

    private static void Holds(Law law, Program program)
    {
        var result = law.Check(Sound.Engine, program);
        Assert.True(result.Holds, $"{result.Violation}\nfirst: {(result.Twins is null ? "" : Show.Text(result.Twins.First))}\ntwin:  {(result.Twins is null ? "" : Show.Text(result.Twins.Second))}");
    }
}
