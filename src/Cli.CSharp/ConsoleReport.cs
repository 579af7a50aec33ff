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

        if (report.Total.Total > 0)
        {
            var table = new Table().Border(TableBorder.Simple).AddColumn("what");
            foreach (var column in new[] { "cases", "pass", "fail", "less accurate", "known", "inconclusive", "unsupported", "broken" }) table.AddColumn(new TableColumn(column).RightAligned());
            foreach (var (phase, tally) in report.Phases) Row(table, phase, tally);
            if (report.Phases.Count > 1) Row(table, "all", report.Total);
            console.Write(table);
        }

        WriteLaws(console, report);
        if (report.Total.Judged > 0) WriteOperators(console, report);
        foreach (var group in FailureGroups.Of(report.Failures))
            foreach (var failure in group)
                FailureText.Write(console, failure, ReplayLine.Of(failure, engine, folder), likely: failure != group[0]);
        if (report.Total.Total > 0) WriteWords(console);
        foreach (var note in ReportNotes.Of(report)) console.MarkupLineInterpolated($"[grey]{note}[/]");
        foreach (var note in ReportText.Notes(report)) console.MarkupLineInterpolated($"[yellow]{note}[/]");
        var colour = report.Outcome switch { "PASS" => "green", "FAIL" => "red", _ => "yellow" };
        console.MarkupLine($"[{colour} bold]{report.Outcome}[/]  {Markup.Escape(ReportText.Headline(report))}");
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
            table.AddRow(Markup.Escape(law.Statement), tally.Total.ToString(), $"[green]{tally.Passed}[/]", tally.Against == 0 ? "[grey]0[/]" : $"[red]{tally.Against}[/]");
        }

        console.Write(table);
    }

    /// <summary>Operators with something to say of: findings, or many inconclusive cases.</summary>
    private static void WriteOperators(IAnsiConsole console, ExaminationReport report)
    {
        var judged = report.Operators.Count(entry => entry.Value.Judged > 0);
        console.MarkupLineInterpolated($"{judged} operators and steps were judged. {ReportText.Headroom(report.Total)}");
        var wide = report.Operators.Where(entry => entry.Value.Judged >= 20 && entry.Value.InconclusiveShare > 0.4).ToList();
        if (wide.Count > 0)
            console.MarkupLineInterpolated($"[yellow]Often inconclusive:[/] {string.Join(", ", wide.Select(entry => $"{entry.Key} {entry.Value.InconclusiveShare:P0} (such as {entry.Value.Undecided[0]})"))}");
        var unsupported = report.Operators.Where(entry => entry.Value.Judged == 0 && entry.Value.Unsupported > 0).Select(entry => entry.Key).ToList();
        if (unsupported.Count > 0) console.MarkupLineInterpolated($"[grey]Not supported by the engine, and skipped: {Listed(unsupported)}[/]");
        console.WriteLine();
    }

    /// <summary>Names, the first of them where there are many: the report's files have all.</summary>
    private static string Listed(List<string> names) => names.Count <= 20 ? string.Join(", ", names) : $"{string.Join(", ", names.Take(12))} and {names.Count - 12} more";

    private static void WriteWords(IAnsiConsole console)
    {
        console.Write(new Rule("[grey]words[/]").LeftJustified().RuleStyle("grey"));
        var grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        foreach (var (word, meaning) in ReportWords.All) grid.AddRow($"[grey]{Markup.Escape(word)}[/]", $"[grey]{Markup.Escape(meaning)}[/]");
        console.Write(grid);
        console.WriteLine();
    }

    /// <summary>The processor as .NET sees it, for reports.</summary>
    public static string Machine()
    {
        var width = Vector512.IsHardwareAccelerated ? "AVX-512" : Vector256.IsHardwareAccelerated ? "256-bit vectors" : "128-bit vectors";
        return $"{RuntimeInformation.ProcessArchitecture} {width}, {Environment.ProcessorCount} processors, {RuntimeInformation.FrameworkDescription}";
    }
}
