using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.FSharp.Collections;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>The report as one HTML file that needs nothing beside it: the verdict, what is wrong, the operators, the counts.</summary>
public static class HtmlReport
{
    /// <summary>The whole page.</summary>
    /// <param name="report">The report of an examination.</param>
    /// <param name="machine">What it ran on, in one line.</param>
    /// <param name="replay">The command that shows a failure again; by default <c>./verify replay</c> with the case it was found in.</param>
    /// <param name="methods">The built-in engine's methods, which the programs in C# and F# call; by default they call operators by name.</param>
    public static string Text(ExaminationReport report, string machine, Func<Failure, string>? replay = null, FSharpList<EngineMethod>? methods = null)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(machine);
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>{report.Outcome}: {Escape(report.Engine.Name)}</title>
            <style>{HtmlStyle.Text}</style>
            </head>
            <body>
            <main>

            """);
        Headline(page, report, machine);
        Failures(page, report, replay ?? (failure => $"./verify replay {failure.Original.Id}"), methods);
        Operators(page, report);
        Phases(page, report);
        Laws(page, report);
        Disagreements(page, report);
        Words(page);
        page.Append("</main>\n</body>\n</html>\n");
        return page.ToString();
    }

    /// <summary>Text as it stands in HTML.</summary>
    internal static string Escape(string text) => WebUtility.HtmlEncode(text);

    /// <summary>A count with its thousands set apart.</summary>
    internal static string Number(int n) => n.ToString("N0", CultureInfo.InvariantCulture).Replace(',', '\u202f');

    private static void Headline(StringBuilder page, ExaminationReport report, string machine)
    {
        var total = report.Total;
        var kind = report.Outcome switch { "PASS" => "pass", "FAIL" => "fail", "NOTHING EXAMINED" => "none", _ => "unsure" };
        page.Append(CultureInfo.InvariantCulture, $"""
            <header class="{kind}">
            <p class="engine"><b>{Escape(report.Engine.Name)}</b> {Escape(report.Engine.Version)} <span>{Escape(report.Engine.Language)}</span></p>
            <h1><span class="word">{report.Outcome}</span> {Escape(ReportText.Headline(report))}</h1>
            {Bar(total)}
            <dl class="counts">
            {Count("pass", total.Passed, "pass")}{Count("fail", total.Failed, "fail")}{Count("less accurate", total.LessAccurate, "fail")}{Count("broken", total.Broken, "fail")}
            {(total.Known > 0 ? Count("known divergence", total.Known, "unsure") : "")}{Count("inconclusive", total.Inconclusive, "unsure")}{Count("unsupported", total.Unsupported, "none")}
            </dl>
            <p class="where">{Escape(machine)}; seed {report.Options.Seed}; {report.Elapsed.TotalSeconds:0} s{(report.Interrupted ? "; <b>interrupted before it was done</b>" : "")}</p>
            {string.Concat(ReportText.Notes(report).Append(report.GivenUp).OfType<string>().Select(note => $"<p class=\"where\">{Escape(note)}</p>"))}
            </header>

            """);
    }

    private static string Count(string name, int n, string kind) =>
        $"<div class=\"{(n == 0 ? "zero" : kind)}\"><dt>{name}</dt><dd>{Number(n)}</dd></div>";

    /// <summary>The parts of a tally as a bar; what fails is never thinner than can be seen.</summary>
    private static string Bar(Tally tally)
    {
        static string Part(string kind, int n) => n == 0 ? "" : $"<i class=\"{kind}\" style=\"flex-grow:{n}\"></i>";
        return $"<div class=\"bar\" aria-hidden=\"true\">{Part("fail", tally.Against)}{Part("unsure", tally.Known + tally.Inconclusive)}{Part("pass", tally.Passed)}{Part("none", tally.Unsupported)}</div>";
    }

    private static void Failures(StringBuilder page, ExaminationReport report, Func<Failure, string> replay, FSharpList<EngineMethod>? methods)
    {
        if (report.Failures.Count == 0) return;
        page.Append("<section>\n<h2>What is wrong</h2>\n<p class=\"note\">As the shortest programs found that show it, each kind once.</p>\n");
        var groups = FailureGroups.Of(report.Failures);
        for (var i = 0; i < groups.Count; i++)
        {
            HtmlFailure.Write(page, groups[i][0], replay(groups[i][0]), methods, open: i < 2);
            if (groups[i].Count == 1) continue;
            page.Append(CultureInfo.InvariantCulture, $"<details class=\"alike\"><summary>likely the same, shown in another way: {groups[i].Count - 1}</summary>\n");
            foreach (var alike in groups[i].Skip(1)) HtmlFailure.Write(page, alike, replay(alike), methods, open: false);
            page.Append("</details>\n");
        }

        page.Append("</section>\n");
    }

    private static void Operators(StringBuilder page, ExaminationReport report)
    {
        if (report.Operators.Count == 0) return;
        var suspects = FailureGroups.Of(report.Failures).SelectMany(group => group[0].Shrunk.Operators).ToHashSet();
        page.Append("<section>\n<h2>Operators</h2>\n<p class=\"note\">Each case counts for every operator in it. ");
        if (suspects.Count > 0) page.Append("Red: in one of the programs above. Striped: only in longer programs that failed. ");
        page.Append("Point at one for its counts.</p>\n");
        Tiles(page, report.Operators.Where(entry => IsOperator(entry.Key)), suspects);
        page.Append("<h3>Steps that are no operators</h3>\n");
        Tiles(page, report.Operators.Where(entry => !IsOperator(entry.Key)), suspects);
        page.Append("</section>\n");
    }

    private static bool IsOperator(string name) => RegistryModule.all.ContainsKey(name.TrimEnd('_'));

    private static void Tiles(StringBuilder page, IEnumerable<KeyValuePair<string, Tally>> tallies, HashSet<string> suspects)
    {
        page.Append("<div class=\"tiles\">\n");
        foreach (var (name, tally) in tallies)
        {
            var state = tally.Against > 0 ? suspects.Contains(name) ? "fail" : "near"
                : tally.Judged == 0 ? "none"
                : tally.InconclusiveShare > 0.4 ? "unsure"
                : "pass";
            page.Append(CultureInfo.InvariantCulture, $"<span tabindex=\"0\" class=\"{state}\" data-tip=\"{Escape(Tip(name, tally))}\"><b>{Escape(name)}</b></span>\n");
        }

        page.Append("</div>\n");
    }

    private static string Tip(string name, Tally tally)
    {
        var parts = new List<string>();
        void Add(int n, string what)
        {
            if (n > 0) parts.Add($"{Number(n)} {what}");
        }

        Add(tally.Failed, "fail");
        Add(tally.LessAccurate, "less accurate");
        Add(tally.Broken, "broken");
        Add(tally.Known, "known divergence");
        Add(tally.Passed, "pass");
        Add(tally.Inconclusive, "inconclusive");
        Add(tally.Unsupported, "unsupported");
        var ratio = tally.Nearest is not null ? string.Create(CultureInfo.InvariantCulture, $"\nlargest distance over bound among passes: {tally.Ratio:0.#####}, in {tally.Nearest}") : "";
        var undecided = tally.Undecided is { Count: > 0 } examples ? $"\ninconclusive, for example: {string.Join(", ", examples)}" : "";
        return $"{name}: {string.Join(", ", parts)}{ratio}{undecided}";
    }

    private static void Phases(StringBuilder page, ExaminationReport report)
    {
        page.Append("<section>\n<h2>Counts</h2>\n<div class=\"wide\"><table>\n<tr><th>phase</th><th></th><th>cases</th><th>pass</th><th>fail</th><th>less accurate</th><th>broken</th><th>known</th><th>inconclusive</th><th>unsupported</th></tr>\n");
        foreach (var (phase, tally) in report.Phases) Row(page, phase, tally);
        if (report.Phases.Count > 1) Row(page, "all", report.Total);
        page.Append("</table></div>\n");
        page.Append(CultureInfo.InvariantCulture, $"<p class=\"note\">{Escape(ReportText.Headroom(report.Total))}</p>\n</section>\n");
    }

    private static void Row(StringBuilder page, string name, Tally tally)
    {
        static string Cell(int n, string kind) => $"<td class=\"{(n == 0 ? "zero" : kind)}\">{Number(n)}</td>";
        page.Append(CultureInfo.InvariantCulture, $"<tr><th>{Escape(name)}</th><td>{Bar(tally)}</td>{Cell(tally.Total, "")}{Cell(tally.Passed, "")}{Cell(tally.Failed, "fail")}{Cell(tally.LessAccurate, "fail")}{Cell(tally.Broken, "fail")}{Cell(tally.Known, "unsure")}{Cell(tally.Inconclusive, "unsure")}{Cell(tally.Unsupported, "")}</tr>\n");
    }

    private static void Laws(StringBuilder page, ExaminationReport report)
    {
        if (report.Laws.Count == 0) return;
        page.Append("<section>\n<h2>Laws that need no tolerance</h2>\n<p class=\"note\">Two programs whose outcomes must agree to the last bit, made from random ones. Counted apart: they say that the engine agrees with itself.</p>\n<div class=\"wide\"><table>\n<tr><th>law</th><th>programs</th><th>held</th><th>broken</th></tr>\n");
        foreach (var (law, tally) in report.Laws)
            page.Append(CultureInfo.InvariantCulture, $"<tr><th>{Escape(law.Statement)}</th><td>{Number(tally.Total)}</td><td>{Number(tally.Passed)}</td><td class=\"{(tally.Against == 0 ? "zero" : "fail")}\">{Number(tally.Against)}</td></tr>\n");
        page.Append("</table></div>\n</section>\n");
    }

    private static void Disagreements(StringBuilder page, ExaminationReport report)
    {
        foreach (var note in ReportNotes.Of(report)) page.Append(CultureInfo.InvariantCulture, $"<p>{Escape(note)}</p>\n");
        if (report.GoldenDisagreements.Count == 0) return;
        page.Append("<section>\n<h2>Goldens on which PyTorch and the specification disagree</h2>\n<ul>\n");
        foreach (var item in report.GoldenDisagreements) page.Append(CultureInfo.InvariantCulture, $"<li><code>{Escape(item.Id)}</code></li>\n");
        page.Append("</ul>\n</section>\n");
    }

    private static void Words(StringBuilder page)
    {
        page.Append("<section class=\"words\">\n<h2>Words</h2>\n<dl>\n");
        foreach (var (word, meaning) in ReportWords.All) page.Append(CultureInfo.InvariantCulture, $"<dt>{Escape(word)}</dt><dd>{Escape(meaning)}</dd>\n");
        page.Append("</dl>\n</section>\n");
    }
}
