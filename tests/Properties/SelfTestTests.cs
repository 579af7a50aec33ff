using System.Collections;
using Verified.Oracle;
using Xunit;
using Xunit.Abstractions;

namespace Verified.Properties;

/// <summary>The oracle itself, in small: <c>./verify self-test</c> is the whole.</summary>
public sealed class SelfTestTests(ITestOutputHelper output)
{
    private const ulong Seed = 6000;

    public static TheoryData<string> Bugs => [.. PlantedBugs.All.Concat(PlantedBugs.Rules).Select(bug => bug.Name)];

    [Theory]
    [MemberData(nameof(Bugs))]
    public void A_planted_bug_is_found_by_FAIL_and_made_short(string name)
    {
        var bug = PlantedBugs.All.Concat(PlantedBugs.Rules).Single(b => b.Name == name);
        var search = BugSearch.Run(bug.Engine(), Sound.Engine, Seed, BugSearch.DefaultBudget);
        output.WriteLine($"seed {Seed}: {(search.Found ? "found" : "missed")} after {search.Programs} programs; it shows in {search.Showing}");
        Assert.True(search.Found, $"{bug.What}: missed in {search.Programs} programs; it shows in {search.Showing}, {search.Inconclusive} of them inconclusive");
        output.WriteLine($"{search.OriginalSteps} steps made {search.ShrunkSteps}: {Show.Text(search.Failure!.Shrunk.Program)}");
        Assert.InRange(search.ShrunkSteps, 0, bug.Steps);
    }

    [Fact]
    public void The_specification_on_the_machines_that_it_permits_raises_no_false_alarm()
    {
        var measure = FalseAlarms.Measure(Seed, 400, MachineEngine.Few);
        output.WriteLine($"seed {Seed}: {measure.Found.Count} in {measure.Programs} programs, {measure.Judgements} verdicts");
        Assert.True(measure.Judgements >= measure.Programs);
        Assert.True(measure.Found.Count == 0, string.Join("\n", measure.Found.Select(alarm => $"{alarm.Token} on {alarm.Machine}: {alarm.Judgement.Worst?.Message}")));
    }

    [Fact]
    public void A_measure_that_is_ended_ends_within_a_batch_of_programs_and_counts_those_that_were_judged()
    {
        using var source = new CancellationTokenSource();
        var measure = FalseAlarms.Measure(Seed, 10_000, new EndingMachines(source), cancel: source.Token);
        // A batch is 256 programs; those that were on their way are finished.
        Assert.InRange(measure.Programs, 1, 255);
        Assert.Equal(measure.Programs, measure.Total.Total);
    }

    /// <summary>One machine, which asks for the end as soon as it is looked for.</summary>
    private sealed class EndingMachines(CancellationTokenSource source) : IReadOnlyList<MachineEngine>
    {
        public int Count => 1;

        public MachineEngine this[int index] => MachineEngine.All[index];

        public IEnumerator<MachineEngine> GetEnumerator()
        {
            source.Cancel();
            yield return MachineEngine.All[0];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    [Fact]
    public void The_few_machines_hold_every_order_arithmetic_and_formula()
    {
        Assert.Equal(4, MachineEngine.Few.Select(machine => machine.Order).Distinct().Count());
        Assert.Equal(3, MachineEngine.Few.Select(machine => machine.Arithmetic).Distinct().Count());
        Assert.Equal([0, 1, 2], MachineEngine.Few.Select(machine => machine.Formula).Distinct().Order());
        Assert.Equal(36, MachineEngine.All.Select(machine => machine.Info.Name).Distinct().Count());
    }
}
