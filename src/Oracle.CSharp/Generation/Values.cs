using Verified.Spec;

namespace Verified.Oracle.Generation;

/// <summary>Which kind of values a random tensor holds.</summary>
public enum ValueStyle
{
    /// <summary>Full mantissas, magnitudes from 1/8 to 4.</summary>
    Ordinary,

    /// <summary>Few bits: sums and products of them are often exact.</summary>
    Nice,

    /// <summary>Zeros of both signs, ones, twos and halves: ties and kinks.</summary>
    Kinks,

    /// <summary>Exponents from very small to very large.</summary>
    Wide,

    /// <summary>
    /// Half of the exponents anywhere in the dtype's range, subnormal numbers included. Not of second order: there which products overflow
    /// depends on the order in which a formula multiplies, which no engine promises.
    /// </summary>
    Full,
}

/// <summary>Random tensors: values that the dtype holds exactly.</summary>
internal static class Values
{
    private static readonly double[] KinkValues = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, 0.0];

    public static Literal Floats(Rng rng, DType dtype, int[] shape, ValueStyle style, Domain domain)
    {
        if (!dtype.IsFloat) throw new ArgumentException($"{dtype.Name} holds no floats", nameof(dtype));
        var data = new double[Shape.count(shape)];
        for (var i = 0; i < data.Length; i++)
        {
            var value = Into(domain, One(rng, dtype, style));
            data[i] = dtype.IsFloat32 ? (float)Math.Clamp(value, float.MinValue, float.MaxValue) : value;
        }

        return new Literal(dtype, shape, Data.NewFloats(data));
    }

    /// <summary>Indices below a bound; counted from the end too where that is asked for.</summary>
    public static Literal Indices(Rng rng, int[] shape, int bound, bool negative) =>
        Integers(shape, () => rng.Between(negative ? -bound : 0, Math.Max(1, bound) - 1));

    /// <summary>Small whole numbers.</summary>
    public static Literal Whole(Rng rng, int[] shape) => Integers(shape, () => rng.Between(-4, 6));

    private static Literal Integers(int[] shape, Func<int> one) =>
        new(DType.Int64, shape, Data.NewInts([.. Enumerable.Range(0, Shape.count(shape)).Select(_ => (long)one())]));

    public static Literal Booleans(Rng rng, int[] shape) =>
        new(DType.Bool, shape, Data.NewInts([.. Enumerable.Range(0, Shape.count(shape)).Select(_ => rng.Chance(0.5) ? 1L : 0L)]));

    private static double One(Rng rng, DType dtype, ValueStyle style) => style switch
    {
        ValueStyle.Nice => rng.Between(-24, 24) / 8.0,
        ValueStyle.Kinks => rng.Pick(KinkValues),
        ValueStyle.Wide => Sign(rng) * (1 + rng.Unit()) * Math.ScaleB(1, rng.Between(-60, 40)),
        ValueStyle.Full => Sign(rng) * (1 + rng.Unit()) * Math.ScaleB(1, rng.Chance(0.5) ? rng.Between(-60, 40) : dtype.IsFloat32 ? rng.Between(-149, 127) : rng.Between(-1074, 1023)),
        _ => Sign(rng) * (1 + rng.Unit()) * Math.ScaleB(1, rng.Between(-3, 1)),
    };

    private static double Sign(Rng rng) => rng.Chance(0.5) ? 1 : -1;

    private static double Into(Domain domain, double value) => domain switch
    {
        { IsPositive: true } => Math.Abs(value) + 0.0625,
        { IsNonZero: true } => value == 0 ? 0.5 : value,
        Domain.Above above => above.Item + Math.Abs(value) + 0.0625,
        Domain.Between between => between.Item1 + (between.Item2 - between.Item1) * (0.5 + Math.Atan(value) / Math.PI),
        _ => value,
    };
}
