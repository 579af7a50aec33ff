using System.Globalization;

namespace Verified.Oracle;

/// <summary>What every form of the report says in the same words and with the same numbers.</summary>
public static class ReportText
{
    /// <summary>What came of the examination, in one sentence.</summary>
    public static string Headline(ExaminationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var total = report.Total;
        var examined = $"{Programs(total.Examined)}, {Number(total.Inconclusive)} of them inconclusive ({Percent(total.InconclusiveShare)})";
        return report.Outcome switch
        {
            "FAIL" => $"{Against(report)} against the engine, in {examined}{(report.Interrupted ? ", interrupted" : "")}.",
            "NOTHING EXAMINED" => total.Unsupported == 0 ? "Nothing was examined." : $"Nothing was examined: the engine supports none of {Programs(total.Unsupported)}.",
            "INTERRUPTED" => $"Nothing wrong was found so far, in {examined}.",
            "NOT DONE" => $"The examination was given up; no wrong value was found in {Programs(total.Judged)} until then.",
            _ => $"Nothing wrong was found in {examined}.",
        };
    }

    /// <summary>What a reader must know to take the counts rightly, a sentence each.</summary>
    public static IEnumerable<string> Notes(ExaminationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (report.Complaints.Count > 0)
            yield return $"{Programs(report.Complaints.Count)} {(report.Complaints.Count == 1 ? "is" : "are")} out of form, or {(report.Complaints.Count == 1 ? "names" : "name")} what is not there, and {(report.Complaints.Count == 1 ? "was" : "were")} not examined.";
        if (report.EndedEarly is { } run)
            yield return $"The random programs ended at {Plural.Of(report.Findings.Count, "finding")}: {Number(run)}{(report.Options.Random is { } asked ? $" of {Number(asked)}" : "")} were run.";
        if (report.Total is { Examined: > 0 } total && total.Unsupported > 9 * total.Examined)
            yield return $"Only {Number(total.Examined)} of {Programs(total.Total)} could be examined: the engine does not support the others.";
        if (report.NotShrunk > 0)
            yield return $"{Plural.Of(report.NotShrunk, "finding is", "findings are")} counted and not shown: making them short took too long.";
    }

    /// <summary>How near the passes come to their bounds, and where.</summary>
    public static string Headroom(Tally tally)
    {
        ArgumentNullException.ThrowIfNull(tally);
        return tally.Nearest is { } nearest
            ? string.Create(CultureInfo.InvariantCulture, $"Largest distance over bound among the passes: {tally.Ratio:0.#####}, in {nearest}. Bounds are sharp: a right engine may come near to 1, and reaches 1 where only one rounding is allowed for.")
            : "No value was near to its bound.";
    }

    /// <summary>A count with its thousands set apart.</summary>
    public static string Number(int n) => n.ToString("N0", CultureInfo.InvariantCulture);

    private static string Against(ExaminationReport report)
    {
        var (programs, laws) = (report.Total.Against, report.Laws.Values.Sum(law => law.Against));
        var parts = new[] { (programs, Programs(programs)), (laws, Plural.Of(laws, "broken law")) }.Where(part => part.Item1 > 0).Select(part => part.Item2);
        return $"{string.Join(" and ", parts)} {(programs + laws == 1 ? "counts" : "count")}";
    }

    private static string Programs(int n) => Plural.Of(n, "program");

    private static string Percent(double share) => share.ToString("P1", CultureInfo.InvariantCulture);
}
