using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>Holds the elements of one tensor against the specification's (value, bound) pairs.</summary>
internal static class Elementwise
{
    /// <summary>A bound wider than this part of the value says nothing useful.</summary>
    internal const double Useless = 1e-2;

    /// <summary>Beside a tensor's largest element, a value counts as at least this part of it.</summary>
    internal const double Small = 1e-3;

    // Below this a bound is only what may be flushed to zero: it is never called useless.
    private const double Negligible = 1e-30;

    /// <summary>The verdict on a tensor's elements.</summary>
    /// <param name="name">What was observed.</param>
    /// <param name="expected">The specification's elements.</param>
    /// <param name="actual">The engine's elements, as many.</param>
    /// <param name="zeroSigns">Whether the sign of a zero counts where every order of summation gives the same.</param>
    /// <param name="secondOrder">Whether they are of second order: there a formula's terms may cancel to NaN where another's give the infinity.</param>
    internal static Finding Judge(string name, IReadOnlyList<Bounded> expected, double[] actual, bool zeroSigns, bool secondOrder)
    {
        var scale = 0.0;
        foreach (var b in expected)
            if (double.IsFinite(b.V) && !b.IsUnknown) scale = Math.Max(scale, Math.Abs(b.V));

        var ratio = 0.0;
        int? failed = null, open = null;
        var difference = Difference.None;
        var how = Difference.None;
        for (var i = 0; i < actual.Length; i++)
        {
            var b = expected[i];
            var verdict = secondOrder && IsNaNForInfinity(b.V, actual[i])
                ? Verdict.Inconclusive
                : One(b, actual[i], scale, zeroSigns, ref ratio, out how);
            if (verdict == Verdict.Fail && Worse(expected, actual, i, failed)) (failed, difference) = (i, how);
            else if (verdict == Verdict.Inconclusive) open ??= i;
        }

        if (failed is { } f)
            return Of(name, Verdict.Fail, difference, f, expected[f], actual[f], ratio);
        if (open is { } o)
            return Of(name, Verdict.Inconclusive, Difference.None, o, expected[o], actual[o], ratio);
        return new Finding(name, Verdict.Pass, Difference.None) { Ratio = ratio };
    }

    private static bool IsNaNForInfinity(double a, double b) => double.IsNaN(a) && double.IsInfinity(b) || double.IsInfinity(a) && double.IsNaN(b);

    private static Verdict One(Bounded b, double a, double scale, bool zeroSigns, ref double ratio, out Difference how)
    {
        how = Difference.None;
        if (b.IsUnknown) return Verdict.Inconclusive;
        var distance = Math.Abs(a - b.V);
        if (b.E == 0)
        {
            var same = b.V == 0 && a == 0 ? !zeroSigns || b.IsEitherZero || double.IsNegative(b.V) == double.IsNegative(a) : b.V.Equals(a);
            if (same) return Verdict.Pass;
            how = b.V != 0 && double.IsFinite(b.V) && double.IsFinite(a) ? Difference.Value
                : a == 0 || !double.IsFinite(a) || !double.IsFinite(b.V) ? Difference.Class : Difference.Value;
            return Verdict.Fail;
        }

        if (!double.IsFinite(a))
        {
            how = Difference.Class;
            return Verdict.Fail;
        }

        ratio = Math.Max(ratio, distance / b.E);
        if (distance > b.E)
        {
            how = Difference.Value;
            return Verdict.Fail;
        }

        return b.E > Math.Max(Negligible, Useless * Math.Max(Math.Abs(b.V), Small * scale)) ? Verdict.Inconclusive : Verdict.Pass;
    }

    // Of several failing elements the one furthest outside is reported.
    private static bool Worse(IReadOnlyList<Bounded> expected, double[] actual, int i, int? before) =>
        before is not { } j || Excess(expected[i], actual[i]) > Excess(expected[j], actual[j]);

    private static double Excess(Bounded b, double a)
    {
        var distance = Math.Abs(a - b.V);
        return double.IsFinite(distance) ? (b.E > 0 ? distance / b.E : distance) : double.PositiveInfinity;
    }

    private static Finding Of(string name, Verdict verdict, Difference difference, int index, Bounded b, double a, double ratio) =>
        new(name, verdict, difference) { Index = index, Expected = new Side.Element(b.V), Actual = new Side.Element(a), Bound = b.E, Ratio = ratio };
}
