using System.Globalization;
using Verified.Oracle.Generation;

namespace Verified.Oracle;

/// <summary>
/// What brings a random program back: the generator's version, the case's seed, and the operators where they were restricted. As text:
/// V, the version, a dash and sixteen hexadecimal digits; behind a plus sign the operators, separated by commas.
/// </summary>
public sealed record ReplayToken(ulong Seed, IReadOnlyList<string>? Operators)
{
    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"V{GeneratorOptions.Version}-{Seed:x16}") + (Operators is null ? "" : "+" + string.Join(",", Operators));

    /// <summary>Reads a token; null where the text is none.</summary>
    /// <exception cref="CorpusException">The token was made by another version of the generator.</exception>
    public static ReplayToken? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Read(text) is not var (version, token)) return null;
        return version == GeneratorOptions.Version
            ? token
            : throw new CorpusException($"{text} is a token of generator version {version}, this is version {GeneratorOptions.Version}: replay the program file instead");
    }

    /// <summary>Whether a text is a token of this version of the generator.</summary>
    public static bool IsOne(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text) is (GeneratorOptions.Version, _);
    }

    private static (int Version, ReplayToken Token)? Read(string text)
    {
        var parts = text.Split('+', 2);
        var head = parts[0].Split('-');
        return head.Length == 2 && head[0].StartsWith('V') && int.TryParse(head[0].AsSpan(1), CultureInfo.InvariantCulture, out var version)
            && ulong.TryParse(head[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var seed)
            ? (version, new ReplayToken(seed, parts.Length == 2 ? parts[1].Split(',') : null))
            : null;
    }
}
