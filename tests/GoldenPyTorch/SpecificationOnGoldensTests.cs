using Verified.Oracle;
using Verified.Spec;
using Verified.Spec.Numbers;
using Xunit;

namespace Verified.GoldenPyTorch;

/// <summary>PyTorch's outcomes lie inside the specification's bounds, or stand in the divergence registry with a witness.</summary>
public sealed class SpecificationOnGoldensTests
{
    public static TheoryData<string> Files => [.. Goldens.Files()];

    [Theory]
    [MemberData(nameof(Files))]
    public void PyTorch_lies_inside_the_bound_or_is_a_known_divergence(string file)
    {
        var wrong = new List<string>();
        var inconclusive = 0;
        var count = 0;
        foreach (var golden in Goldens.Read(file))
        {
            count++;
            var judgement = Judge.Outcome(golden.Program, golden.Golden!.Value, Goldens.PyTorch);
            if (judgement.Verdict == Verdict.Inconclusive) inconclusive++;
            if (judgement.Verdict < Verdict.LessAccurate || KnownDivergences.All.Any(d => d.Shows(golden.Id))) continue;
            wrong.Add($"{golden.Id}: {judgement.Verdict}: {judgement.Worst!.Message}");
        }

        Assert.True(count > 0, $"{file} is empty");
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {count} goldens:\n{string.Join('\n', wrong.Take(40))}");
        Assert.True(inconclusive * 4 <= count, $"{inconclusive} of {count} inconclusive");
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void The_specification_at_machine_arithmetic_is_never_failed(string file)
    {
        var wrong = new List<string>();
        foreach (var golden in Goldens.Read(file))
        {
            var expectation = Expectation.Of(golden.Program);
            foreach (var (machine, outcome) in Machines.Run(golden.Program))
            {
                var judgement = Judge.Outcome(expectation, outcome, Goldens.PyTorch);
                if (judgement.Verdict >= Verdict.LessAccurate)
                    wrong.Add($"{golden.Id}, {machine}: {judgement.Worst!.Message}");
            }
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} false alarms:\n{string.Join('\n', wrong.Take(40))}");
    }
}

/// <summary>The specification as an engine, at each arithmetic that an honest machine may have.</summary>
internal static class Machines
{
    internal static IEnumerable<(string Name, Outcome Outcome)> Run(Program program)
    {
        yield return ("forwards", At<ForwardsOrder, SeparateArithmetic, FirstFormula>(program));
        yield return ("backwards, fused, second formula", At<BackwardsOrder, FusedArithmetic, SecondFormula>(program));
        yield return ("pairwise, third formula", At<PairwiseOrder, SeparateArithmetic, ThirdFormula>(program));
        yield return ("lanes, flushing", At<LanesOrder, FlushingArithmetic, FirstFormula>(program));
        yield return ("lanes, fused, second formula", At<LanesOrder, FusedArithmetic, SecondFormula>(program));
    }

    private static Outcome At<TOrder, TArithmetic, TFormula>(Program program)
        where TOrder : IOrder
        where TArithmetic : IArithmetic
        where TFormula : IFormula =>
        Spec.Run.outcomeOf(Spec.Run.run<Machine<TOrder, TArithmetic, TFormula>>(RegistryModule.all, program));
}
