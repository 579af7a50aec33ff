namespace Verified.Engine.Kernels;

/// <summary>What the elementary functions promise.</summary>
internal static class Elementary
{
    /// <summary>
    /// The largest error, in units of the last place of the result's type, that the tests hold each function to: float32's first, then
    /// float64's. Measured over all exponents against higher precision.
    /// </summary>
    public static IReadOnlyDictionary<string, (double Float32, double Float64)> Ulp { get; } = new Dictionary<string, (double, double)>
    {
        ["exp"] = (0.51, 1.05),
        ["expm1"] = (0.51, 2),
        ["log"] = (0.51, 1),
        ["log1p"] = (0.51, 1),
        ["sin"] = (0.51, 1.6),
        ["cos"] = (0.51, 1.6),
        ["tanh"] = (0.51, 2.6),
        ["sigmoid"] = (0.51, 2.5),
        ["erf"] = (0.51, 2),
        ["rsqrt"] = (0.51, 1.5),
        ["pow"] = (0.51, 1),
        ["gelu"] = (0.51, 6.5),
        ["silu"] = (0.51, 3),
        ["softplus"] = (0.51, 2),
    };
}
