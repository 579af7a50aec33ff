using System.CommandLine;
using Verified.Engine.Blas;
using Verified.Examples.BesidePyTorch;
using Verified.Oracle;

namespace Verified.Cli;

/// <summary><c>verify beside-pytorch</c>: trains three networks and holds them to what PyTorch recorded; exit code 0 where all are near enough.</summary>
internal static class BesidePyTorchCommand
{
    public static Command Create()
    {
        var name = new Argument<string?>("NETWORK") { Description = $"One of {Names}; without it, all of them.", Arity = ArgumentArity.ZeroOrOne };
        var folder = new Option<string?>("--out") { Description = "Where the page training-beside-pytorch.md is written, with its pictures; docs is where the repository has it.", HelpName = "DIR" };
        var command = new Command("beside-pytorch", "Trains networks from PyTorch's initial weights on its batches, and says how far from PyTorch's they end.") { name, folder };
        command.SetAction((parsed, cancellation) => Task.FromResult(Run(parsed.GetValue(name), parsed.GetValue(folder), cancellation)));
        return command;
    }

    private static string Names => string.Join(", ", SeededTraining.All.Select(t => t.Name));

    private static int Run(string? name, string? folder, CancellationToken cancellation)
    {
        var trainings = SeededTraining.All.Where(t => name is null || t.Name == name).ToArray();
        if (trainings.Length == 0) throw new CorpusException($"there is no network '{name}'; there are {Names}");
        if (folder is not null && name is not null) throw new CorpusException("the page that --out writes is of all networks; leave the network's name out");
        if (folder is not null) ReportFolder.Check("--out", folder);

        var pytorch = PyTorchRun.Read(EngineNames.Root);
        var comparisons = trainings.Select(t => Comparison.Run(t, pytorch[t.Name], losses => Watched(losses, t.Name, pytorch[t.Name].Float32Losses.Length, cancellation))).ToArray();
        Console.Write(ComparisonDocument.Tables(comparisons));
        if (folder is not null) ComparisonDocument.Write(comparisons, folder, Machine());
        return comparisons.All(c => c.Holds) ? ExitCodes.Held : ExitCodes.Failed;
    }

    private static IEnumerable<double> Watched(IEnumerable<double> losses, string name, int count, CancellationToken cancellation)
    {
        foreach (var loss in Training.Progress.Bar(losses, name, count))
        {
            cancellation.ThrowIfCancellationRequested();
            yield return loss;
        }
    }

    private static string Machine()
    {
        var report = BlasReport.Make();
        return string.Join("; ", [report.Processor.ToString(), .. report.Backends.Where(b => b.Available && b.UsedFor.Count > 0).Select(b => b.Version)]);
    }
}
