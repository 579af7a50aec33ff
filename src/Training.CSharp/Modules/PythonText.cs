using System.Globalization;

namespace Verified.Training;

/// <summary>Values in Python's notation.</summary>
internal static class PythonText
{
    public static string Of(bool value) => value ? "True" : "False";

    /// <summary>The shortest digits that give the number back, with a point or an exponent: <c>1e-05</c>, <c>0.1</c>, <c>2.0</c>.</summary>
    public static string Of(double value)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        var magnitude = Math.Abs(value);
        if (magnitude != 0 && magnitude is < 1e-4 or >= 1e16)
        {
            var text = value.ToString("E16", CultureInfo.InvariantCulture);
            for (var digits = 0; digits <= 16; digits++)
            {
                text = value.ToString("E" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
                if (double.Parse(text, CultureInfo.InvariantCulture) == value) break;
            }
            var at = text.IndexOf('E', StringComparison.Ordinal);
            var exponent = int.Parse(text[(at + 1)..], CultureInfo.InvariantCulture);
            return $"{text[..at]}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }
        var plain = value.ToString("R", CultureInfo.InvariantCulture);
        if (plain.Contains('E', StringComparison.Ordinal)) plain = value.ToString("F0", CultureInfo.InvariantCulture);
        return plain.Contains('.', StringComparison.Ordinal) ? plain : plain + ".0";
    }

    /// <summary>A tuple; of one element with the comma that makes it one.</summary>
    public static string Tuple(ReadOnlySpan<int> values) => $"({string.Join(", ", values.ToArray())}{(values.Length == 1 ? "," : "")})";

    /// <inheritdoc cref="Tuple(ReadOnlySpan{int})"/>
    public static string Tuple(ReadOnlySpan<double> values) => $"({string.Join(", ", values.ToArray().Select(Of))}{(values.Length == 1 ? "," : "")})";
}
