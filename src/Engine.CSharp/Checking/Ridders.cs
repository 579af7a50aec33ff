namespace Verified.Engine;

/// <summary>A numerical derivative.</summary>
/// <param name="Value">The derivative.</param>
/// <param name="Error">What it may be off by: ten times the method's own estimate, and rounding.</param>
internal readonly record struct Numerical(double Value, double Error)
{
    /// <summary>No derivative: the function is not smooth there, or not finite.</summary>
    public static readonly Numerical None = new(double.NaN, double.PositiveInfinity);

    /// <summary>Whether the differences to the two sides do not agree however small the step.</summary>
    public bool IsKink { get; init; }

    /// <summary>At a kink the slope to the left.</summary>
    public double Left { get; init; }

    /// <summary>At a kink the slope to the right.</summary>
    public double Right { get; init; }

    /// <summary>At a kink: what the two slopes may be off by.</summary>
    public double SlopeError { get; init; }
}

/// <summary>How exact a function's values and its argument are.</summary>
/// <param name="Values">What a value may be off by, relative to the largest one.</param>
/// <param name="Argument">What the argument may be off by, in its own unit.</param>
internal readonly record struct Rounding(double Values, double Argument);

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
    public static Numerical Derivative(Func<double, double> f, double start, int operations) =>
        Derivatives(t => [f(t)], [f(0)], start, new Rounding(8 * operations * Math.ScaleB(1, -53), 0))[0];

    /// <summary>The derivatives at 0 of all components of a function.</summary>
    /// <param name="f">The function.</param>
    /// <param name="middle">Its value at 0.</param>
    /// <param name="start">The first and largest step.</param>
    /// <param name="rounding">How exact f and its argument are.</param>
    public static Numerical[] Derivatives(Func<double, double[]> f, double[] middle, double start, Rounding rounding)
    {
        var right = new double[Rows][];
        var left = new double[Rows][];
        for (var i = 0; i < Rows; i++)
        {
            var h = Math.ScaleB(start, -i);
            (right[i], left[i]) = (f(h), f(-h));
        }
        var results = new Numerical[middle.Length];
        for (var k = 0; k < results.Length; k++)
        {
            var component = k;
            results[k] = Extrapolate(middle[k], Array.ConvertAll(right, values => values[component]), Array.ConvertAll(left, values => values[component]), start, rounding);
        }
        return results;
    }

    private static Numerical Extrapolate(double middle, double[] right, double[] left, double start, Rounding rounding)
    {
        if (!double.IsFinite(middle) || !right.All(double.IsFinite) || !left.All(double.IsFinite)) return Numerical.None;
        var table = new double[Rows, Rows];
        var best = Numerical.None;
        var largest = Math.Abs(middle);
        for (var i = 0; i < Rows; i++)
        {
            var h = Math.ScaleB(start, -i);
            largest = Math.Max(largest, Math.Max(Math.Abs(right[i]), Math.Abs(left[i])));
            table[i, 0] = (right[i] - left[i]) / (2 * h);
            for (var j = 0; j <= i; j++)
            {
                if (j == 0) continue;
                var power = Math.ScaleB(1, 2 * j);
                table[i, j] = (power * table[i, j - 1] - table[i - 1, j - 1]) / (power - 1);
                var estimate = Math.Max(Math.Abs(table[i, j] - table[i, j - 1]), Math.Abs(table[i, j] - table[i - 1, j - 1]));
                var error = 10 * estimate + (rounding.Values * largest + rounding.Argument * Math.Abs(table[i, j])) / h;
                if (error < best.Error) best = new Numerical(table[i, j], error);
            }
        }

        // The slopes to the two sides differ by a step's worth of curvature, which halves with the step, or at a corner by the same however small the step.
        var step = Math.ScaleB(start, 1 - Rows);
        var (r1, r2) = ((right[Rows - 1] - middle) / step, (right[Rows - 2] - middle) / (2 * step));
        var (l1, l2) = ((middle - left[Rows - 1]) / step, (middle - left[Rows - 2]) / (2 * step));
        var noise = rounding.Values * largest / step;
        var bend = Math.Abs(r1 - l1);
        if (!(bend > 0.75 * Math.Abs(r2 - l2) && bend > 100 * best.Error)) return best;
        return Numerical.None with
        {
            IsKink = true,
            Left = 2 * l1 - l2,
            Right = 2 * r1 - r2,
            SlopeError = Math.Abs(r1 - r2) + Math.Abs(l1 - l2) + noise,
        };
    }
}
