using System.Globalization;

namespace Verified.Training;

/// <summary>Round numbers along an axis.</summary>
internal static class Ticks
{
    /// <summary>Multiples of 1, 2 or 5 times a power of ten that lie in a range, about <paramref name="count"/> of them.</summary>
    public static double[] Between(double low, double high, int count)
    {
        var rough = (high - low) / Math.Max(1, count);
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
        var first = (long)Math.Ceiling((low / step) - 1e-9);
        var last = (long)Math.Floor((high / step) + 1e-9);
        return [.. Enumerable.Range(0, (int)(last - first + 1)).Select(i => (first + i) * step)];
    }

    /// <summary>A number without the noise of its last binary digits.</summary>
    public static string Text(double value) => (Math.Abs(value) < 1e-12 ? 0 : value).ToString("G6", CultureInfo.InvariantCulture);
}
