using System.Globalization;

namespace Verified.GoldenPyTorch;

/// <summary>Where in the specification a rule is followed: its source asks for it by name.</summary>
internal static class SpecificationSource
{
    private static readonly string Root = Path.Combine(Goldens.Root(), "src", "Spec.FSharp");
    private static readonly Dictionary<string, string> Files = Directory.EnumerateFiles(Root, "*.fs", SearchOption.AllDirectories)
        .Where(f => Path.GetFileName(Path.GetDirectoryName(f)) != "Rules")
        .ToDictionary(f => Path.GetRelativePath(Root, f).Replace('\\', '/'), File.ReadAllText);

    /// <summary>The files that ask for a rule: "views/share-memory" is Rules.Views.shareMemory.</summary>
    internal static IReadOnlyList<string> FilesThatAsk(string rule)
    {
        var parts = rule.Split('/');
        var words = parts[1].Split('-');
        var asked = $"Rules.{Capital(parts[0])}.{words[0]}{string.Concat(words[1..].Select(Capital))}";
        return [.. Files.Where(f => Mentions(f.Value, asked)).Select(f => f.Key).Order(StringComparer.Ordinal)];
    }

    private static bool Mentions(string text, string name)
    {
        for (var at = text.IndexOf(name, StringComparison.Ordinal); at >= 0; at = text.IndexOf(name, at + 1, StringComparison.Ordinal))
            if (at + name.Length == text.Length || !char.IsLetterOrDigit(text[at + name.Length])) return true;
        return false;
    }

    private static string Capital(string word) => char.ToUpper(word[0], CultureInfo.InvariantCulture) + word[1..];
}
