namespace Verified.Properties;

/// <summary>A numerical derivative.</summary>
/// <param name="Value">The derivative.</param>
/// <param name="Error">What it may be off by: ten times the method's own estimate, and rounding.</param>
internal readonly record struct Numerical(double Value, double Error)
{
    public static readonly Numerical None = new(double.NaN, double.PositiveInfinity);
}

/// <summary>
/// Ridders' method: central differences at halved steps, extrapolated to step zero by Neville's scheme. Its own estimate covers the true
/// error only half of the time; ten times the estimate and the rounding of the differences covers it nearly always, which is why a miss is
/// tried again elsewhere before it counts.
/// </summary>
internal static class Ridders
{
    private const int Rows = 8;

    /// <summary>The derivative of f at 0, from a first step; none where f is not smooth there or not finite.</summary>
    /// <param name="f">The function.</param>
    /// <param name="start">The first and largest step.</param>
    /// <param name="operations">How many roundings a value of f may have gone through.</param>
    public static Numerical Derivative(Func<double, double> f, double start, int operations)
    {
        var middle = f(0);
        var table = new double[Rows, Rows];
        var best = Numerical.None;
        var largest = Math.Abs(middle);
        for (var i = 0; i < Rows; i++)
        {
            var h = Math.ScaleB(start, -i);
            var (right, left) = (f(h), f(-h));
            if (!double.IsFinite(right) || !double.IsFinite(left) || !double.IsFinite(middle)) return Numerical.None;
            largest = Math.Max(largest, Math.Max(Math.Abs(right), Math.Abs(left)));
            table[i, 0] = (right - left) / (2 * h);
            var rounding = 8 * operations * Math.ScaleB(1, -53) * largest / h;
            for (var j = 1; j <= i; j++)
            {
                var power = Math.ScaleB(1, 2 * j);
                table[i, j] = (power * table[i, j - 1] - table[i - 1, j - 1]) / (power - 1);
                var estimate = Math.Max(Math.Abs(table[i, j] - table[i, j - 1]), Math.Abs(table[i, j] - table[i - 1, j - 1]));
                if (10 * estimate + rounding < best.Error) best = new Numerical(table[i, j], 10 * estimate + rounding);
            }
        }

        // At a corner the differences to the two sides do not agree, however small the step.
        var step = Math.ScaleB(start, -Rows);
        var bend = Math.Abs((f(step) - middle) / step - (middle - f(-step)) / step);
        var curved = Math.Abs((f(2 * step) - middle) / step - (middle - f(-2 * step)) / step) / 2;
        return bend > 0.9 * curved && bend > 100 * best.Error ? Numerical.None : best;
    }
}
