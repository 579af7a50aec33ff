namespace Verified.Engine.Tests;

/// <summary>
/// An unevaluated sum of two doubles, about 31 digits, and the elementary functions in it by plain series: the reference for float64 kernels.
/// </summary>
internal readonly struct DoubleDouble(double high, double low = 0)
{
    public readonly double High = high;
    public readonly double Low = low;

    private static readonly DoubleDouble Ln2 = new(0.6931471805599453, 2.3190468138462996e-17);
    private static readonly DoubleDouble HalfPi = new(1.5707963267948966, 6.123233995736766e-17);
    private const double HalfPiRest = -1.4973849048591698e-33;
    private static readonly DoubleDouble RootPi = new(1.772453850905516, -7.666586499825799e-17);

    public static implicit operator DoubleDouble(double value) => new(value);

    public static DoubleDouble operator +(DoubleDouble a, DoubleDouble b)
    {
        var (s, e) = TwoSum(a.High, b.High);
        var (t, f) = TwoSum(a.Low, b.Low);
        (s, e) = FastTwoSum(s, e + t);
        (s, e) = FastTwoSum(s, e + f);
        return new(s, e);
    }

    public static DoubleDouble operator -(DoubleDouble a) => new(-a.High, -a.Low);

    public static DoubleDouble operator -(DoubleDouble a, DoubleDouble b) => a + -b;

    public static DoubleDouble operator *(DoubleDouble a, DoubleDouble b)
    {
        var p = a.High * b.High;
        var e = Math.FusedMultiplyAdd(a.High, b.High, -p) + ((a.High * b.Low) + (a.Low * b.High));
        var (s, t) = FastTwoSum(p, e);
        return new(s, t);
    }

    public static DoubleDouble operator /(DoubleDouble a, DoubleDouble b)
    {
        DoubleDouble q = a.High / b.High;
        q += (a - (q * b)).High / b.High;
        return q + ((a - (q * b)).High / b.High);
    }

    public static DoubleDouble Expm1(DoubleDouble x)
    {
        var n = Math.Round(x.High / Ln2.High);
        var r = x - (n * Ln2);
        // The series of a 512th, then (1 + p)^2 - 1 = p (2 + p) nine times.
        r = new(r.High / 512, r.Low / 512);
        DoubleDouble p = r, term = r;
        for (var k = 2; k < 14; k++)
        {
            term = term * r / k;
            p += term;
        }
        for (var i = 0; i < 9; i++) p *= 2 + p;
        if (n == 0) return p;
        // Half of 2^n, since 2^n itself may overflow.
        var scale = Math.ScaleB(1, (int)n - 1);
        var half = new DoubleDouble(p.High * scale, p.Low * scale) + (scale - (DoubleDouble)0.5);
        return new(2 * half.High, 2 * half.Low);
    }

    public static DoubleDouble Exp(DoubleDouble x) => 1 + Expm1(x);

    public static DoubleDouble Log(DoubleDouble x)
    {
        DoubleDouble y = Math.Log(x.High);
        for (var i = 0; i < 2; i++) y += (x * Exp(-y)) - 1;
        return y;
    }

    public static DoubleDouble Log1p(DoubleDouble x)
    {
        if (Math.Abs(x.High) > 0.25) return Log(1 + x);
        // 2 atanh(x / (2 + x)).
        var s = x / (2 + x);
        DoubleDouble sum = 0, power = s;
        for (var k = 1; k < 60; k += 2, power *= s * s) sum += power / k;
        return 2 * sum;
    }

    public static DoubleDouble Tanh(DoubleDouble x)
    {
        var t = Expm1(2 * x);
        return Math.Abs(x.High) > 100 ? Math.Sign(x.High) : t / (t + 2);
    }

    public static DoubleDouble Sigmoid(DoubleDouble x) => x.High > 0 ? 1 / (1 + Exp(-x)) : Exp(x) / (1 + Exp(x));

    public static DoubleDouble Softplus(DoubleDouble x) => x.High > 0 ? x + Log1p(Exp(-x)) : Log1p(Exp(x));

    /// <summary>sin(x + quarters pi/2) of moderate x.</summary>
    public static DoubleDouble Circular(double x, int quarters)
    {
        var n = Math.Round(x / HalfPi.High);
        // Exact products: near a multiple of pi/2 all leading digits cancel.
        var r = x - Product(n, HalfPi.High) - Product(n, HalfPi.Low) - (n * HalfPiRest);
        var quarter = (int)((long)(n + quarters) & 3);
        DoubleDouble sum = 0, term = quarter % 2 == 0 ? r : 1;
        for (var k = quarter % 2 == 0 ? 1 : 0; k < 34; k += 2)
        {
            sum += term;
            term = -term * r * r / ((k + 1) * (k + 2));
        }
        return quarter >= 2 ? -sum : sum;
    }

    /// <summary>erf by its series of positive terms.</summary>
    public static DoubleDouble Erf(double x)
    {
        if (Math.Abs(x) > 6) return Math.Sign(x);
        DoubleDouble sum = 0, term = x, square = (DoubleDouble)x * x;
        for (var k = 1; k < 260; k++)
        {
            sum += term;
            term = term * (2 * square) / ((2 * k) + 1);
        }
        return 2 * sum * Exp(-square) / RootPi;
    }

    /// <summary>The normal distribution function: from erf, and far below zero by the continued fraction of the tail.</summary>
    public static DoubleDouble NormalDistribution(double x)
    {
        var square = (DoubleDouble)x * x;
        if (x > -4)
        {
            DoubleDouble sum = 0, term = x;
            for (var k = 1; k < 400 && Math.Abs(term.High) > 1e-40; k++)
            {
                sum += term;
                term = term * square / ((2 * k) + 1);
            }
            return 0.5 + (sum * Density(square));
        }
        DoubleDouble fraction = -x;
        for (var k = 400; k > 0; k--) fraction = -x + (k / fraction);
        return Density(square) / fraction;
    }

    private static DoubleDouble Density(DoubleDouble square) =>
        Exp(-0.5 * square) / (RootPi * new DoubleDouble(1.4142135623730951, -9.667293313452913e-17));

    private static DoubleDouble Product(double a, double b)
    {
        var p = a * b;
        return new(p, Math.FusedMultiplyAdd(a, b, -p));
    }

    private static (double, double) TwoSum(double a, double b)
    {
        var s = a + b;
        var v = s - a;
        return (s, (a - (s - v)) + (b - v));
    }

    private static (double, double) FastTwoSum(double a, double b)
    {
        var s = a + b;
        return (s, b - (s - a));
    }
}
