using System.Globalization;
using Verified.Oracle;
using Verified.Oracle.Generation;

namespace Verified.Cli;

/// <summary>
/// The record of long runs: a table in Markdown, a line for each engine, number and seed. A run that is made again replaces its line.
/// </summary>
internal static class RecordFile
{
    private const string Head =
        """
        # Records
        Random programs, engine against specification, in runs too long for every day. Each line is written by the command that makes the run again:
        `./verify check --engine ENGINE --random PROGRAMS --seed SEED --record docs/records.md`. The same seed gives the same programs with the same version of the generator.

        | engine | programs | seed | generator | pass | inconclusive | known divergences | findings | seconds | on |
        |---|---|---|---|---|---|---|---|---|---|

        """;

    /// <summary>Adds the random programs of a report that was not interrupted.</summary>
    public static void Add(ExaminationReport report, string path, string engine)
    {
        if (report.Interrupted || !report.Phases.TryGetValue(Examination.RandomPhase, out var tally))
        {
            Console.Error.WriteLine($"verify: nothing was recorded in {path}: no random programs were run to the end.");
            return;
        }

        var options = report.Options;
        var shard = options.Shard.Count > 1 ? $" ({options.Shard.Index + 1}/{options.Shard.Count})" : "";
        var key = string.Create(CultureInfo.InvariantCulture, $"| {engine} {report.Engine.Version} | {tally.Total}{shard} | {options.Seed} | {GeneratorOptions.Version} |");
        var line = key + string.Create(
            CultureInfo.InvariantCulture,
            $" {tally.Passed} | {tally.Inconclusive} | {tally.Known} | {tally.Failed + tally.LessAccurate + tally.Broken} | {report.Elapsed.TotalSeconds:0} | {ConsoleReport.Machine()} |");
        try
        {
            var text = File.Exists(path) ? File.ReadAllText(path) : Head;
            var others = text.Split('\n').Where(other => !other.StartsWith(key, StringComparison.Ordinal));
            WholeFile.Write(path, string.Join('\n', others).TrimEnd('\n') + "\n" + line + "\n");
        }
        catch (Exception e) when (WholeFile.IsNoPlace(e))
        {
            throw new CorpusException($"the record could not be written to {path}: {WholeFile.Reason(e)}", e);
        }
    }
}
