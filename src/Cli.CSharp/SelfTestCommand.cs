using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Verified.Oracle;
using Verified.Oracle.Generation;
using Verified.Spec;

namespace Verified.Cli;

/// <summary><c>verify self-test</c>: the oracle itself examined. Does it find planted bugs, and does it leave right engines alone?</summary>
internal static class SelfTestCommand
{
    private static readonly Option<int> Budget = new("--budget") { Description = "How many random programs each planted bug gets at most.", DefaultValueFactory = _ => BugSearch.DefaultBudget };
    private static readonly Option<int> Alarms = new("--false-alarms") { Description = "How many random programs the specification itself runs, on every machine that it permits; 0 for none.", DefaultValueFactory = _ => 1000 };
    private static readonly Option<int> Distribution = new("--distribution") { Description = "Over how many programs the distribution is counted.", DefaultValueFactory = _ => 2000 };
    private static readonly Option<string?> Bugs = new("--bugs") { Description = "Only these planted bugs, separated by commas; none for none." };
    private static readonly Option<bool> Programs = new("--programs") { Description = "Print the shortest program that shows each planted bug." };
    private static readonly Option<ulong> Seed = new("--seed") { Description = "The seed of the random programs.", DefaultValueFactory = _ => 1 };

    public static Command Create()
    {
        var command = new Command("self-test", "Examines the oracle: planted bugs must be found by FAIL, and the specification as an engine must not fail.");
        foreach (var option in new Option[] { Budget, Alarms, Distribution, Bugs, Programs, Seed }) command.Options.Add(option);
        command.SetAction((parsed, cancel) => Task.FromResult(Run(parsed, cancel)));
        return command;
    }

    private static int Run(ParseResult parsed, CancellationToken cancel)
    {
        var (seed, bugs) = (parsed.GetValue(Seed), Chosen(parsed.GetValue(Bugs)));
        Console.WriteLine($"{ConsoleReport.Machine()}, generator version {GeneratorOptions.Version}, seed {seed}");
        Console.WriteLine();
        Distribute(seed, parsed.GetValue(Distribution), cancel);
        var held = Plant(bugs, seed, parsed.GetValue(Budget), parsed.GetValue(Programs), cancel);
        if (parsed.GetValue(Alarms) is > 0 and var count && !cancel.IsCancellationRequested) held &= Alarm(seed, count, cancel);
        // What was done until then stands above.
        cancel.ThrowIfCancellationRequested();
        return held ? ExitCodes.Held : ExitCodes.Failed;
    }

    private static IReadOnlyList<PlantedBug> Chosen(string? names)
    {
        IReadOnlyList<PlantedBug> all = [.. PlantedBugs.All, .. PlantedBugs.Rules];
        if (names is null) return all;
        var wanted = names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(name => name != "none").ToList();
        if (wanted.Find(name => all.All(bug => bug.Name != name)) is { } unknown)
            throw new CorpusException($"--bugs: there is no planted bug '{unknown}'; there are {string.Join(", ", all.Select(bug => bug.Name))}");
        return [.. all.Where(bug => wanted.Contains(bug.Name))];
    }

    private static void Distribute(ulong seed, int count, CancellationToken cancel)
    {
        if (count <= 0) return;
        var generator = new ProgramGenerator(RegistryModule.all);
        var distribution = new Distribution();
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < count && !cancel.IsCancellationRequested; i++) distribution.Add(generator.Generate(Rng.CaseSeed(seed, i)));
        Console.WriteLine($"Standard distribution: {distribution}");
        Console.WriteLine(Invariant($"  generated and counted on one thread at {distribution.Programs / watch.Elapsed.TotalSeconds:0} programs a second"));
        Console.WriteLine();
    }

    private static bool Plant(IReadOnlyList<PlantedBug> bugs, ulong seed, int budget, bool programs, CancellationToken cancel)
    {
        if (bugs.Count == 0) return true;
        Console.WriteLine("Planted bugs, each sought in standard random programs until a FAIL:");
        var (held, sought, found, longest) = (true, 0, 0, 0);
        foreach (var bug in bugs)
        {
            if (cancel.IsCancellationRequested) break;
            var search = BugSearch.Run(bug.Engine(), new BuiltInEngine(), seed, budget, cancel);
            // A search that was cut short has missed nothing.
            if (cancel.IsCancellationRequested && !search.Found) break;
            sought++;
            held &= search.Found && search.ShrunkSteps <= bug.Steps;
            if (search.Found) (found, longest) = (found + 1, Math.Max(longest, search.ShrunkSteps));
            Console.WriteLine($"  {bug.Name,-28} {Result(search),-58} {bug.What}");
            if (programs && search.Failure is { } failure) Console.WriteLine($"{FailureDescription.Printed(failure)}\n\n{failure.Message}\n{Json.writeProgram(failure.Shrunk.Program)}\n");
        }

        Console.WriteLine($"  {found} of {sought} found by FAIL; the shortest programs have at most {Plural.Of(longest, "step")}{(sought < bugs.Count ? $"; {bugs.Count - sought} not sought to the end" : "")}");
        Console.WriteLine();
        return held;
    }

    private static string Result(BugSearch search) => search.Failure is { } failure
        ? $"FAIL after {Plural.Of(search.Programs, "program")}, {Plural.Of(search.OriginalSteps, "step")} made {search.ShrunkSteps} ({string.Join(" ", failure.Shrunk.Operators)})"
        : $"MISSED in {Plural.Of(search.Programs, "program")}; it shows in {search.Showing}, {search.Inconclusive} of them inconclusive";

    private static bool Alarm(ulong seed, int count, CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        var measure = Progress.Steps("false alarms", progress => FalseAlarms.Measure(seed, count, done: done => progress(done, count), cancel: cancel));
        Console.WriteLine(Invariant($"False alarms: {measure.Found.Count} in {Plural.Of(measure.Programs, "program")}, {Plural.Of(measure.Judgements, "verdict")} ({measure.Programs / watch.Elapsed.TotalSeconds:0} programs a second); ")
            + Invariant($"inconclusive {measure.Total.InconclusiveShare:P1} of the programs, unsupported {measure.Total.Unsupported}"));
        var often = measure.Operators.Where(entry => entry.Value.Judged >= 20).OrderByDescending(entry => entry.Value.InconclusiveShare).Take(10);
        if (measure.Operators.Values.Any(tally => tally.Judged >= 20)) Console.WriteLine("  most often inconclusive: " + string.Join(", ", often.Select(entry => Invariant($"{entry.Key} {entry.Value.InconclusiveShare:P0}"))));
        foreach (var alarm in measure.Found.Take(20))
            Console.WriteLine($"  {alarm.Token} ({Plural.Of(alarm.Program.Steps.Length, "step")}) on {alarm.Machine}: {alarm.Judgement.Worst?.Message}");
        return measure.Found.Count == 0;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
