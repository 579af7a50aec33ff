using System.Globalization;
using System.Text;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>The report as Markdown, for a pull request or a job's summary: the verdict, counts by phase, each fault with its program, what the words mean.</summary>
public static class MarkdownReport
{
    /// <summary>The whole text.</summary>
    /// <param name="report">The report of an examination.</param>
    /// <param name="machine">What it ran on, in one line.</param>
    /// <param name="replay">The command that shows a failure again; by default <c>./verify replay</c> with the case it was found in.</param>
    public static string Text(ExaminationReport report, string machine, Func<Failure, string>? replay = null)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(machine);
        replay ??= failure => $"./verify replay {failure.Original.Id}";
        var total = report.Total;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {report.Outcome}: {report.Engine.Name} {report.Engine.Version}\n\n");
        text.Append(CultureInfo.InvariantCulture, $"{ReportText.Headline(report)}\n");
        foreach (var note in ReportText.Notes(report)) text.Append(CultureInfo.InvariantCulture, $"{note}\n");
        text.Append(CultureInfo.InvariantCulture, $"{machine}; seed {report.Options.Seed}; {report.Elapsed.TotalSeconds:0} s{(report.Interrupted ? "; interrupted" : "")}{(report.GivenUp is { } why ? $"; {why}" : "")}.\n\n");
        text.Append("| phase | cases | pass | fail | less accurate | broken | known | inconclusive | unsupported |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        foreach (var (phase, tally) in report.Phases) Row(text, phase, tally);
        if (report.Phases.Count > 1) Row(text, "**all**", total);
        if (report.Laws.Count > 0) text.Append("\n| law that needs no tolerance | programs | held | broken |\n|---|--:|--:|--:|\n");
        foreach (var (law, tally) in report.Laws) text.Append(CultureInfo.InvariantCulture, $"| {law.Name}: {law.Statement} | {tally.Total} | {tally.Passed} | {tally.Against} |\n");
        foreach (var note in ReportNotes.Of(report)) text.Append(CultureInfo.InvariantCulture, $"\n{note}\n");

        foreach (var failure in FailureGroups.Of(report.Failures).SelectMany(group => group))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {HtmlFailure.Badge(failure)}: {string.Join(" ", failure.Shrunk.Operators)}\n\n{failure.Message}\n\n");
            if (failure.Trace.Count > 0) text.Append(CultureInfo.InvariantCulture, $"```\n{string.Join("\n", failure.Trace)}\n```\n\n");
            if (failure.Finding is { Ratio: > 1 } finding && double.IsFinite(finding.Ratio)) text.Append(CultureInfo.InvariantCulture, $"Largest distance over bound: {finding.Ratio:G3}.\n\n");
            if (failure.Shrunk.Law is { } law) text.Append(CultureInfo.InvariantCulture, $"The law: {law.Statement}\n\n");
            if (failure.First is { } first)
                text.Append(CultureInfo.InvariantCulture, $"First differs after `{FailureDescription.Line(first.Step)}`{(first.Finding.Message == failure.Message ? "." : $": {first.Finding.Message}")}\n\n");
            text.Append(CultureInfo.InvariantCulture, $"```python\n{FailureDescription.Printed(failure)}\n```\n\nAgain: `{replay(failure)}`\n");
        }

        text.Append("\n## Words\n\n");
        foreach (var (word, meaning) in ReportWords.All) text.Append(CultureInfo.InvariantCulture, $"- **{word}**: {meaning}\n");
        return text.ToString();
    }

    private static void Row(StringBuilder text, string name, Tally tally) =>
        text.Append(CultureInfo.InvariantCulture, $"| {name} | {tally.Total} | {tally.Passed} | {tally.Failed} | {tally.LessAccurate} | {tally.Broken} | {tally.Known} | {tally.Inconclusive} | {tally.Unsupported} |\n");
}
