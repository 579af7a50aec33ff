namespace Verified.Oracle;

/// <summary>Why programs were not run, each reason with how often it was given: identical texts are one.</summary>
public sealed class Reasons
{
    private const int Shown = 5;
    private const int Letters = 80;

    // Beyond so many texts an engine writes another one for each program.
    private const int Kept = 1000;

    private readonly Dictionary<string, int> _counts = [];

    /// <summary>The reasons, the most frequent first.</summary>
    public IReadOnlyList<(string Reason, int Count)> All =>
        [.. _counts.OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (entry.Key, entry.Value))];

    /// <summary>Counts one.</summary>
    public void Add(string reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        var line = reason.ReplaceLineEndings(" ").Trim();
        if (line.Length == 0) line = "no reason given";
        if (_counts.Count >= Kept && !_counts.ContainsKey(line)) line = "other reasons";
        _counts[line] = _counts.GetValueOrDefault(line) + 1;
    }

    /// <summary>The most frequent with their counts, as <c>keepdim (212), broadcasting (101) and 3 more</c>; empty where there is none.</summary>
    public override string ToString()
    {
        var all = All;
        var shown = string.Join(", ", all.Take(Shown).Select(entry => $"{Short(entry.Reason)} ({ReportText.Number(entry.Count)})"));
        return all.Count > Shown ? $"{shown} and {ReportText.Number(all.Count - Shown)} more" : shown;
    }

    private static string Short(string reason) => reason.Length <= Letters ? reason : reason[..(Letters - 3)] + "...";
}
