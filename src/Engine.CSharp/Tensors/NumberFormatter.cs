using System.Globalization;

namespace Verified.Engine;

/// <summary>How PyTorch writes the elements of one tensor: integers with a point, four decimals, or scientific, all padded to one width.</summary>
internal sealed class NumberFormatter
{
    private const int Precision = 4;

    private readonly bool isFloat;
    private readonly bool integers = true;
    private readonly bool scientific;

    /// <summary>Chooses the form that fits the given elements.</summary>
    public NumberFormatter(DType dtype, double[] values)
    {
        isFloat = dtype.IsFloat();
        Width = 1;
        if (!isFloat)
        {
            foreach (var value in values) Width = Math.Max(Width, Plain(dtype, value).Length);
            return;
        }
        var shown = Array.FindAll(values, v => double.IsFinite(v) && v != 0);
        if (shown.Length == 0) return;
        integers = Array.TrueForAll(shown, v => v == Math.Ceiling(v));
        double least = shown.Min(Math.Abs), most = shown.Max(Math.Abs);
        scientific = most / least > 1000 || most > 1e8 || (!integers && least < 1e-4);
        foreach (var value in shown) Width = Math.Max(Width, Raw(value).Length);
    }

    /// <summary>The characters of the widest element.</summary>
    public int Width { get; }

    /// <summary>One element, padded.</summary>
    public string Format(DType dtype, double value) => (isFloat ? Raw(value) : Plain(dtype, value)).PadLeft(Width);

    private static string Plain(DType dtype, double value) =>
        dtype == DType.Bool ? (value != 0 ? "True" : "False") : ((long)value).ToString(CultureInfo.InvariantCulture);

    private string Raw(double value)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        if (scientific) return Scientific(value);
        return integers ? value.ToString("F0", CultureInfo.InvariantCulture) + "." : Fixed(value);
    }

    private static string Fixed(double value)
    {
        var digits = Math.Abs(value).ToString("F40", CultureInfo.InvariantCulture);
        return Sign(value) + RoundHalfEven(digits, digits.IndexOf('.') + 1 + Precision, out _);
    }

    private static string Scientific(double value)
    {
        var text = Math.Abs(value).ToString("E40", CultureInfo.InvariantCulture);
        var at = text.IndexOf('E');
        var exponent = int.Parse(text[(at + 1)..], CultureInfo.InvariantCulture);
        var mantissa = RoundHalfEven(text[..at], 2 + Precision, out var carried);
        if (carried)
        {
            mantissa = "1." + new string('0', Precision);
            exponent++;
        }
        return $"{Sign(value)}{mantissa}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    private static string Sign(double value) => double.IsNegative(value) ? "-" : "";

    /// <summary>Cuts a decimal number to its first characters; an exact half goes to the even digit, as in Python (.NET rounds it away from zero).</summary>
    private static string RoundHalfEven(string number, int keep, out bool carried)
    {
        carried = false;
        var head = number[..keep].ToCharArray();
        var tail = number.AsSpan(keep);
        var half = tail[0].CompareTo('5');
        if (half == 0 && tail[1..].TrimEnd('0').Length > 0) half = 1;
        var up = half > 0 || (half == 0 && (head[^1] - '0') % 2 == 1);
        for (var i = head.Length - 1; up && i >= 0; i--)
        {
            if (head[i] == '.') continue;
            up = head[i] == '9';
            head[i] = up ? '0' : (char)(head[i] + 1);
        }
        carried = up;
        return up ? "1" + new string(head) : new string(head);
    }
}
