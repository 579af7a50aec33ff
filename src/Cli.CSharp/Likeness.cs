namespace Verified.Cli;

/// <summary>The names that a mistyped one may have been meant for.</summary>
internal static class Likeness
{
    /// <summary>The nearest, if one letter, or two of a long name, make the difference; case, and what stands before a point (<c>torch.relu</c>), make none.</summary>
    public static IEnumerable<string> Nearest(IEnumerable<string> names, string typed)
    {
        var meant = typed[(typed.LastIndexOf('.') + 1)..].TrimEnd('_').ToLowerInvariant();
        return names.Where(name => Distance(name, meant) <= (name.Length < 6 ? 1 : 2)).GroupBy(name => Distance(name, meant)).MinBy(group => group.Key) ?? Enumerable.Empty<string>();
    }

    /// <summary>The number of letters to be put in, left out or replaced (Levenshtein).</summary>
    private static int Distance(string a, string b)
    {
        var before = Enumerable.Range(0, b.Length + 1).ToArray();
        foreach (var (i, letter) in a.Index())
        {
            var row = new int[b.Length + 1];
            row[0] = i + 1;
            for (var j = 1; j <= b.Length; j++) row[j] = Math.Min(Math.Min(row[j - 1], before[j]) + 1, before[j - 1] + (letter == b[j - 1] ? 0 : 1));
            before = row;
        }
        return before[^1];
    }
}
