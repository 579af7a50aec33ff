using FsCheck.Xunit;
using Verified.Oracle;
using Verified.Oracle.Generation;
using Verified.Oracle.Laws;
using Verified.Spec;
using Verified.Spec.Numbers;
using Ridders = Verified.Engine.Ridders;
using Xunit;
using Xunit.Abstractions;

namespace Verified.Properties;

/// <summary>The engine's gradients against numerical differentiation of its own float64 forward: no rule of anybody's is believed.</summary>
public sealed class FiniteDifferenceProperties(ITestOutputHelper output)
{
    /// <summary>What holding one program to its numerical derivatives came to.</summary>
    private enum Found
    {
        /// <summary>The derivative says nothing: no leaf, a decision too near, no informative difference.</summary>
        Nothing,

        /// <summary>They agree.</summary>
        Agrees,
    }

    [Property(MaxTest = 250, Replay = "3001,1", Arbitrary = [typeof(RandomPrograms)])]
    public void Gradients_are_what_finite_differences_of_the_forward_give(SmoothProgram p) => Check(p.Program);

    [Fact]
    public void Enough_programs_can_be_held_to_their_differences()
    {
        const int programs = 200;
        var agree = Enumerable.Range(0, programs).Count(i => Check(RandomPrograms.SmoothGenerator.Generate(Rng.CaseSeed(3002, i))) == Found.Agrees);
        output.WriteLine($"seed 3002: {agree} of {programs} programs had informative differences, and agreed");
        Assert.True(agree >= programs / 5, $"only {agree} of {programs}");
    }

    [Fact]
    public void A_wrong_rule_is_caught()
    {
        var wrong = PlantedBugs.All.Single(bug => bug.Name == "tanh-inaccurate").Engine();
        var caught = 0;
        for (var i = 0; i < 3000 && caught == 0; i++)
            if (Miss(wrong, RandomPrograms.SmoothGenerator.Generate(Rng.CaseSeed(3003, i)), out _) is not null) caught++;
        Assert.Equal(1, caught);
    }

    private static Found Check(Program program)
    {
        var miss = Miss(Sound.Engine, program, out var found);
        Assert.True(miss is null, miss);
        return found;
    }

    /// <summary>What does not agree at any of several steps along any of several directions; null where something agrees or nothing is known.</summary>
    private static string? Miss(IEngine engine, Program program, out Found found)
    {
        found = Found.Nothing;
        var rng = new Rng(Convert.ToUInt64(Hash.ofProgram(program)[..16], 16));
        var forward = ForwardPart.InFloat64(ForwardPart.Of(program));
        if (forward.Steps.Any(DiffersOnPurpose)) return null;
        if (ForwardPart.WithRoot(forward, rng) is not { } pullback || Margin(pullback.Forward) is not (> 1e-2 and var margin)) return null;
        var whole = pullback.Backward();
        if (engine.Run(whole) is not RunResult.Ran { Outcome: { Raised: null } outcome }) return null;
        var gradients = outcome.Values.Where(v => v.Item2 is not null && v.Item2.Value.Tensor.DType.IsFloat).ToDictionary(v => v.Item1, v => ((Data.Floats)v.Item2!.Value.Tensor.Data).Item);
        var bounds = Expectation.Of(whole).Ran.Values.Where(v => v.Item2 is not null && v.Item2.Value.Value.Elements.IsFloats)
            .ToDictionary(v => v.Item1, v => ((Elements<Bounded>.Floats)v.Item2!.Value.Value.Elements).Item);

        string? miss = null;
        for (var direction = 0; direction < 3; direction++)
        {
            var along = pullback.Leaves.Where(leaf => pullback.Forward.Inputs.Any(input => input.Name == leaf)).ToDictionary(leaf => leaf, leaf => Direction(rng, Input(pullback.Forward, leaf)));
            var (slope, bound) = (0.0, 0.0);
            foreach (var (leaf, v) in along)
            {
                if (!gradients.TryGetValue(leaf + ".grad", out var g)) continue;
                for (var i = 0; i < v.Length; i++)
                {
                    slope += g[i] * v[i];
                    bound += Math.Abs(v[i]) * bounds[leaf + ".grad"][i].E + Math.Abs(g[i] * v[i]) * 1e-14;
                }
            }

            if (!double.IsFinite(slope) || !double.IsFinite(bound)) return null;
            double F(double t) => Value(engine, pullback, along, t);
            foreach (var start in new[] { 0.2, 0.02, 0.002 })
            {
                var numerical = Ridders.Derivative(F, Math.Min(start, margin / 10), 50);
                if (!(numerical.Error < 1e-6 * Math.Max(1, Math.Abs(slope)))) continue;
                if (Math.Abs(numerical.Value - slope) <= numerical.Error + bound)
                {
                    found = Found.Agrees;
                    return null;
                }

                miss = $"along a direction the gradient is {slope:R} within {bound:G3}, differences of the forward give {numerical.Value:R} within {numerical.Error:G3}: {Show.Text(whole)}";
            }
        }

        return miss;
    }

    // PyTorch gives the class weights of cross_entropy no gradient, nor the padding row of an embedding.
    private static bool DiffersOnPurpose(Step step) =>
        (step.Op == "cross_entropy" && step.In.Length > 2) || (step.Op == "embedding" && step.Attrs.ContainsKey("padding_idx"));

    /// <summary>How near the forward comes to a decision; steps stay well inside.</summary>
    private static double Margin(Program forward)
    {
        var (ran, margin) = Margins.Of(new Func<Ran<Margins>>(() => Run.run<Margins>(RegistryModule.all, forward)));
        return ran.Raised is null ? Math.Min(margin, 1) : 0;
    }

    private static Input Input(Program program, string name) => program.Inputs.First(input => input.Name == name);

    private static double[] Direction(Rng rng, Input leaf) => [.. Enumerable.Range(0, Shape.count(leaf.Tensor.Shape)).Select(_ => 2 * rng.Unit() - 1)];

    /// <summary>The inner product of the root and the upstream gradient, at a point along the direction.</summary>
    private static double Value(IEngine engine, Pullback pullback, Dictionary<string, double[]> along, double t)
    {
        var inputs = pullback.Forward.Inputs.Select(input => along.TryGetValue(input.Name, out var v)
            ? new Input(input.Name, new Literal(input.Tensor.DType, input.Tensor.Shape, Data.NewFloats([.. ((Data.Floats)input.Tensor.Data).Item.Zip(v, (x, d) => x + t * d)])), false)
            : input);
        var moved = new Program(
            Microsoft.FSharp.Collections.ListModule.OfSeq(inputs), pullback.Forward.Steps, Microsoft.FSharp.Collections.ListModule.OfSeq([Observed.NewValue(pullback.Root)]));
        if (engine.Run(moved) is not RunResult.Ran { Outcome: { Raised: null } outcome }) return double.NaN;
        var root = ((Data.Floats)outcome.Values.Head.Item2!.Value.Tensor.Data).Item;
        var upstream = ((Data.Floats)pullback.Upstream.Tensor.Data).Item;
        return root.Zip(upstream, (y, u) => y * u).Sum();
    }
}
