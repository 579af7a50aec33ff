using System.Globalization;
using System.Text;

namespace Verified.Benchmarks.Measuring;

/// <summary>Tables in Markdown, and the list of what was lost, which stands before them.</summary>
internal sealed class Report
{
    /// <summary>Below this much a difference is noise.</summary>
    public const double Margin = 1.03;

    private readonly StringBuilder body = new();
    private readonly List<(double Ratio, string Text)> lost = [];
    private int compared;

    /// <summary>A table's title and what it shows.</summary>
    public void Section(string title, string text) => Line($"\n## {title}\n\n{text}\n");

    /// <summary>A table's head.</summary>
    public void Head(params string[] names)
    {
        Row(names);
        Row([.. names.Select((_, i) => i == 0 ? "---" : "---:")]);
    }

    /// <summary>A table's row; also shown at once.</summary>
    public void Row(params string[] cells) => Line($"| {string.Join(" | ", cells)} |");

    /// <summary>Text between tables.</summary>
    public void Line(string text)
    {
        body.AppendLine(text);
        Console.WriteLine(text);
    }

    /// <summary>Notes who won: a ratio of times, ours to the other's.</summary>
    public void Compare(string what, string other, double ratio, double spread)
    {
        compared++;
        if (ratio > Margin) lost.Add((ratio, $"{what}: {Number(ratio)} times the time of {other} (samples' middle half within {spread * 100:0} %)"));
    }

    /// <summary>The whole text.</summary>
    public string Text(string introduction)
    {
        var text = new StringBuilder(introduction);
        text.AppendLine($"\n## Lost\n\n{lost.Count} of {compared} comparisons were lost by more than {(Margin - 1) * 100:0} %, the worst first.\n");
        foreach (var (_, line) in lost.OrderByDescending(l => l.Ratio)) text.AppendLine($"- {line}");
        return text.Append(body).ToString();
    }

    /// <summary>Three significant digits.</summary>
    public static string Number(double value) => value switch
    {
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        >= 1 => value.ToString("0.00", CultureInfo.InvariantCulture),
        _ => value.ToString("0.000", CultureInfo.InvariantCulture),
    };
}
