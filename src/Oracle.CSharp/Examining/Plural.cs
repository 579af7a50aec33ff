using System.Globalization;

namespace Verified.Oracle;

/// <summary>A count with its noun: <c>1 program</c>, <c>2,000 programs</c>.</summary>
public static class Plural
{
    /// <summary>The count, its thousands set apart, and the noun in the number that it asks for.</summary>
    /// <param name="count">How many.</param>
    /// <param name="noun">The noun for one.</param>
    /// <param name="several">The noun for any other number; by default with an s.</param>
    public static string Of(long count, string noun, string? several = null)
    {
        ArgumentNullException.ThrowIfNull(noun);
        return $"{count.ToString("N0", CultureInfo.InvariantCulture)} {(count == 1 ? noun : several ?? noun + "s")}";
    }
}
