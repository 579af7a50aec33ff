namespace Verified.Engine.Tests;

/// <summary>
/// The a-priori error bound of an inner product in any order of summation, with or without fused multiply-add:
/// gamma(k) sum |a||b| with gamma(k) = k u / (1 - k u); one term more where it is added to a start value.
/// </summary>
internal static class BlasBound
{
    /// <summary>Half the distance from 1 to the next number of the type.</summary>
    public static double UnitRoundoff<T>() => typeof(T) == typeof(float) ? Math.Pow(2, -24) : Math.Pow(2, -53);

    /// <summary>Element (i, j) of C + A B to twice double's precision, and the bound for type T.</summary>
    public static (double Value, double Bound) Element<T>(BlasMatrix<T> a, BlasMatrix<T> b, int i, int j, double? start)
        where T : unmanaged
    {
        double high = start ?? 0, low = 0, absolute = Math.Abs(high);
        var terms = a.Columns + (start is null ? 0 : 1);
        for (var p = 0; p < a.Columns; p++)
        {
            var (x, y) = (a[i, p], b[p, j]);
            var product = x * y;
            var productError = Math.FusedMultiplyAdd(x, y, -product);
            var sum = high + product;
            var part = sum - high;
            low += high - (sum - part) + (product - part) + productError;
            high = sum;
            absolute += Math.Abs(product);
        }

        var u = UnitRoundoff<T>();
        var gamma = terms * u / (1 - terms * u);
        // The reference is itself rounded, to double.
        return (high + low, gamma * absolute * (1 + 1e-12) + Math.Pow(2, -52) * Math.Abs(high + low));
    }
}
