using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Spectre.Console;
using Verified.Oracle;
using Verified.Spec;

namespace Verified.Cli;

/// <summary>The report as a stranger reads it on a terminal.</summary>
internal static class ConsoleReport
{
    /// <summary>Writes the report.</summary>
    /// <param name="report">What was found.</param>
    /// <param name="engine">The engine as it was named on the command line.</param>
    /// <param name="folder">Where the report's files go; null for nowhere.</param>
    public static void Write(ExaminationReport report, string engine, string? folder)
    {
        var console = Terminal.Out;
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]{report.Engine.Name}[/] {report.Engine.Version} [grey]{report.Engine.Language}[/] examined against the specification");
        console.MarkupLineInterpolated($"[grey]{Machine()}, seed {report.Options.Seed}, {report.Elapsed.TotalSeconds:0} s{(report.Interrupted ? ", interrupted" : "")}[/]");
        console.WriteLine();

        var table = new Table().Border(TableBorder.Simple).AddColumn("what");
        foreach (var column in new[] { "cases", "pass", "fail", "less accurate", "known", "inconclusive", "unsupported", "broken" }) table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var (phase, tally) in report.Phases) Row(table, phase, tally);
        if (report.Phases.Count > 1) Row(table, "all", report.Total);
        console.Write(table);

        WriteLaws(console, report);
        WriteOperators(console, report);
        foreach (var failure in report.Failures) FailureText.Write(console, failure, ReplayLine.Of(failure, engine, folder) ?? "");
        foreach (var note in ReportNotes.Of(report)) console.MarkupLineInterpolated($"[grey]{note}[/]");
        console.MarkupLine(Headline(report));
    }

    private static string Headline(ExaminationReport report)
    {
        var total = report.Total;
        if (total.Total == 0) return "[yellow]Nothing was examined.[/]";
        var rest = $"{total.Judged} cases judged, {total.Inconclusive} inconclusive ({total.InconclusiveShare:P1})";
        var broken = report.Laws.Values.Sum(law => law.Total - law.Passed);
        return report.Outcome switch
        {
            "FAIL" => $"[red bold]FAIL[/]  {report.Findings.Count - broken} cases and {broken} laws count against the engine; {rest}{(report.Interrupted ? ", interrupted" : "")}.",
            "INTERRUPTED" => $"[yellow bold]INTERRUPTED[/]  nothing wrong was found so far, in {rest}.",
            "NOT DONE" => $"[yellow bold]NOT DONE[/]  nothing wrong was found in {rest}, but the engine was given up.",
            _ => $"[green bold]PASS[/]  nothing wrong was found in {rest}.",
        };
    }

    private static void Row(Table table, string name, Tally tally)
    {
        static string Number(int n, string colour) => n == 0 ? "[grey]0[/]" : $"[{colour}]{n}[/]";
        table.AddRow(Markup.Escape(name), tally.Total.ToString(), Number(tally.Passed, "green"), Number(tally.Failed, "red"), Number(tally.LessAccurate, "red"), Number(tally.Known, "yellow"),
            Number(tally.Inconclusive, "yellow"), Number(tally.Unsupported, "grey"), Number(tally.Broken, "red"));
    }

    private static void WriteLaws(IAnsiConsole console, ExaminationReport report)
    {
        if (report.Laws.Count == 0) return;
        var table = new Table().Border(TableBorder.Simple).AddColumn("law that needs no tolerance");
        foreach (var column in new[] { "programs", "held", "broken" }) table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var (law, tally) in report.Laws)
        {
            var broken = tally.Total - tally.Passed;
            table.AddRow(Markup.Escape(law.Statement), tally.Total.ToString(), $"[green]{tally.Passed}[/]", broken == 0 ? "[grey]0[/]" : $"[red]{broken}[/]");
        }

        console.Write(table);
    }

    /// <summary>Operators with something to say of: findings, or many inconclusive cases.</summary>
    private static void WriteOperators(IAnsiConsole console, ExaminationReport report)
    {
        var judged = report.Operators.Count(entry => entry.Value.Judged > 0);
        console.MarkupLineInterpolated($"{judged} operators and steps were judged. Largest distance over bound among the passes: {report.Total.Ratio:0.000} (a correct engine may reach 1).");
        var wide = report.Operators.Where(entry => entry.Value.Judged >= 20 && entry.Value.InconclusiveShare > 0.4).ToList();
        if (wide.Count > 0)
            console.MarkupLineInterpolated($"[yellow]Often inconclusive:[/] {string.Join(", ", wide.Select(entry => $"{entry.Key} {entry.Value.InconclusiveShare:P0}"))}");
        var unsupported = report.Operators.Where(entry => entry.Value.Judged == 0 && entry.Value.Unsupported > 0).Select(entry => entry.Key).ToList();
        if (unsupported.Count > 0) console.MarkupLineInterpolated($"[grey]Not supported by the engine, and skipped: {string.Join(", ", unsupported)}[/]");
        console.WriteLine();
    }

    /// <summary>The processor as .NET sees it, for reports.</summary>
    public static string Machine()
    {
        var width = Vector512.IsHardwareAccelerated ? "AVX-512" : Vector256.IsHardwareAccelerated ? "256-bit vectors" : "128-bit vectors";
        return $"{RuntimeInformation.ProcessArchitecture} {width}, {Environment.ProcessorCount} processors, {RuntimeInformation.FrameworkDescription}";
    }
}

/// <summary>One finding as text: what is wrong, the shortest program that shows it, where it begins, and how to see it again.</summary>
internal static class FailureText
{
    /// <summary>Writes it; <paramref name="replay"/> is the command that shows it again, empty for none.</summary>
    public static void Write(IAnsiConsole console, Failure failure, string replay, string language = "pytorch")
    {
        console.Write(new Rule($"[red]{Markup.Escape(failure.Signature)}[/]").LeftJustified());
        console.WriteLine(FailureDescription.Printed(failure, language));
        console.WriteLine();
        console.MarkupLineInterpolated($"[red]{failure.Message}[/]");
        foreach (var line in FailureDescription.Details(failure)) console.WriteLine(line);
        console.MarkupLineInterpolated($"[grey]found in {failure.Original.Id}{(replay.Length == 0 ? "; --report DIR keeps its program" : $"; again: {replay}")}[/]");
        console.WriteLine();
    }
}
