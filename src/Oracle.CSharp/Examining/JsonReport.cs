using System.Text.Json;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>The report as JSON, for programs.</summary>
public static class JsonReport
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The whole report.</summary>
    public static string Text(ExaminationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return JsonSerializer.Serialize(
            new
            {
                engine = new { name = report.Engine.Name, version = report.Engine.Version, language = report.Engine.Language, notes = report.Engine.Notes },
                outcome = report.Outcome,
                holds = report.Holds,
                interrupted = report.Interrupted,
                givenUp = report.GivenUp,
                complaints = report.Complaints,
                seed = report.Options.Seed,
                seconds = Math.Round(report.Elapsed.TotalSeconds, 1),
                total = Counts(report.Total),
                phases = report.Phases.ToDictionary(entry => entry.Key, entry => Counts(entry.Value)),
                laws = report.Laws.ToDictionary(entry => entry.Key.Name, entry => new { statement = entry.Key.Statement, programs = entry.Value.Total, held = entry.Value.Passed }),
                operators = report.Operators.ToDictionary(entry => entry.Key, entry => Counts(entry.Value)),
                unsupported = new { random = Counts(report.UnsupportedRandom), given = Counts(report.UnsupportedGiven), undeclared = Counts(report.Undeclared) },
                failures = report.Failures.Select(failure => new
                {
                    signature = failure.Signature,
                    message = failure.Message,
                    trace = failure.Trace,
                    law = failure.Shrunk.Law?.Name,
                    found = failure.Original.Id,
                    hash = failure.Hash,
                    steps = failure.Shrunk.Program.Steps.Length,
                    first = failure.First is { } first ? new { step = first.Index, op = first.Step.Op, message = first.Finding.Message } : null,
                    program = JsonDocument.Parse(Json.writeProgram(failure.Shrunk.Program)).RootElement,
                    pytorch = PrintPyTorch.print(failure.Shrunk.Program),
                }),
                goldenDisagreements = report.GoldenDisagreements.Select(item => item.Id),
            },
            Indented);
    }

    private static IEnumerable<object> Counts(Reasons reasons) => reasons.All.Select(entry => new { reason = entry.Reason, programs = entry.Count });

    private static object Counts(Tally tally) => new
    {
        cases = tally.Total,
        pass = tally.Passed,
        fail = tally.Failed,
        lessAccurate = tally.LessAccurate,
        knownDivergence = tally.Known,
        inconclusive = tally.Inconclusive,
        unsupported = tally.Unsupported,
        broken = tally.Broken,
        largestRatio = tally.Ratio,
        nearest = tally.Nearest,
        inconclusiveExamples = tally.Undecided,
    };
}
