using System.Globalization;
using System.Numerics;
using Verified.Spec;
using Verified.Spec.Numbers;
using Xunit;

namespace Verified.Specification.Tests;

/// <summary>The elementary functions in double-double against known digits, those in float64 against double-double, and the
/// dual numbers' derivatives against difference quotients in double-double.</summary>
public sealed class NumbersPrecisionTests
{
    // Digits computed with mpmath at 40 places.
    [Theory]
    [InlineData("Exp", 1, "2.71828182845904523536028747135266")]
    [InlineData("Exp", -30.25, "7.28772409581969241934317748697795e-14")]
    [InlineData("Log", 10, "2.30258509299404568401799145468436")]
    [InlineData("Log1p", 9.5367431640625e-07, "0.000000953673861659188233908415514963336")]
    [InlineData("Expm1", 9.5367431640625e-07, "0.000000953674771153745446788249556874284")]
    [InlineData("Sin", 1, "0.841470984807896506652502321630299")]
    [InlineData("Sin", 1e6, "-0.349993502171292952117652486780771")]
    [InlineData("Cos", 1, "0.540302305868139717400936607442977")]
    [InlineData("Cos", 22, "-0.999960826394637126454174739212694")]
    [InlineData("Tanh", 1, "0.761594155955764888119458282604794")]
    [InlineData("Tanh", 0.0009765625, "0.000976562189559260218584075270146772")]
    [InlineData("Erf", 1, "0.842700792949714869341220635082609")]
    [InlineData("Erf", 0.5, "0.520499877813046537682746653891965")]
    [InlineData("Erf", 3, "0.999977909503001414558627223870418")]
    [InlineData("Sigmoid", 1, "0.731058578630004879251159241821836")]
    [InlineData("Sigmoid", -50, "1.92874984796391778301697080892941e-22")]
    [InlineData("Sqrt", 2, "1.4142135623730950488016887242097")]
    [InlineData("Rsqrt", 3, "0.577350269189625764509148780501957")]
    public void Double_double_functions_have_the_known_digits(string function, double x, string digits)
    {
        var f = Tree.Functions.Single(e => e.ToString() == function);
        Near(digits, DoubleDoubleModule.apply(f, DoubleDouble.Of(x)), 2e-30);
    }

    [Fact]
    public void Double_double_power_has_the_known_digits() =>
        Near("31.065262842462916608354206079174", DoubleDoubleModule.pow(DoubleDouble.Of(2.5), DoubleDouble.Of(3.75)), 1e-28);

    [Fact]
    public void Float64_functions_lie_within_four_units_of_double_double()
    {
        var r = new Random(5);
        foreach (var f in Tree.Functions)
        {
            for (var i = 0; i < 3_000; i++)
            {
                var x = (r.NextDouble() * 2 - 1) * Math.Pow(10, r.Next(-8, 3));
                if (f.IsLog || f.IsSqrt || f.IsRsqrt || (f.IsLog1p && x <= -1))
                {
                    x = Math.Abs(x);
                }

                var exact = DoubleDoubleModule.apply(f, DoubleDouble.Of(x));
                var plain = Elementary64.apply(f, x);
                if (double.IsFinite(exact.Hi) && Math.Abs(exact.Hi) > 1e-300)
                {
                    Assert.True(
                        Math.Abs((DoubleDouble.Of(plain) - exact).Hi) <= 4 * Math.ScaleB(1, -52) * Math.Abs(exact.Hi),
                        $"{f}({x:R}) = {plain:R}, should be {exact.Hi:R}");
                }
            }
        }
    }

    [Fact]
    public void Dual_numbers_give_first_and_second_derivatives_of_random_expressions()
    {
        var r = new Random(23);
        var compared = 0;
        for (var sample = 0; sample < 3_000; sample++)
        {
            var tree = Tree.Random(r, 2, 1 + r.Next(3), smooth: true);
            double[] at = [0.3 + r.NextDouble(), 0.3 + r.NextDouble()];
            double[] v = [r.NextDouble() - 0.5, r.NextDouble() - 0.5];

            var (_, margin) = Margins.Of(() => NumbersBoundTests.Value(NumbersBoundTests.Run<Margins>(tree, at, Format.Double)));
            if (!(margin > 0.05))
            {
                continue;
            }

            var first = Directional(tree, at, v);
            var second = Curvature(tree, at, v);
            var h = Math.ScaleB(1, -30);
            var (low, mid, high) = (Along(tree, at, v, -h), Along(tree, at, v, 0), Along(tree, at, v, h));
            var d1 = ((high - low) / DoubleDouble.Of(2 * h)).Hi;
            var d2 = ((high - mid - (mid - low)) / DoubleDouble.Of(h * h)).Hi;
            var scale = Math.Abs(d1) + Math.Abs(mid.Hi) + Math.Abs(d2) + 1e-3;
            if (!(scale < 1e6))
            {
                continue;
            }

            compared++;
            Assert.True(Math.Abs(first - d1) <= 1e-11 * scale, $"{tree}: {first:R}, differences give {d1:R}");
            Assert.True(Math.Abs(second - d2) <= 1e-9 * scale * (1 + scale), $"{tree}: second {second:R}, differences give {d2:R}");
        }

        Assert.True(compared > 1_000, $"only {compared} compared");
    }

    [Theory]
    [InlineData(0.0, 2.0, 0.0, 0.0)]
    [InlineData(0.0, 0.0, 0.0, 0.0)]
    [InlineData(0.0, 1.0, 1.0, 0.0)]
    [InlineData(0.0, 0.5, double.PositiveInfinity, 0.0)]
    [InlineData(-2.0, 2.0, -4.0, double.NaN)]
    [InlineData(2.0, 0.0, 0.0, 0.6931471805599453)]
    public void The_power_follows_PyTorchs_conventions_at_zero(double x, double y, double inBase, double inExponent)
    {
        Assert.Equal(inBase, Power(Dual<Real>.Along(Of(x), Of(1)), Still(y)).T.V);
        Assert.Equal(inExponent, Power(Still(x), Dual<Real>.Along(Of(y), Of(1))).T.V);
        static Real Of(double v) => Real_<Real>(v);
        static Dual<Real> Still(double v) => Real_<Dual<Real>>(v);
        static Dual<Real> Power(Dual<Real> a, Dual<Real> b) => Scalar.pow(a, b);
    }

    [Fact]
    public void The_derivatives_of_tanh_and_sigmoid_do_not_vanish_in_the_tails()
    {
        var x = Dual<Real>.Along(Real_<Real>(20), Real_<Real>(1));
        Assert.InRange(Scalar.apply(Elementary.Tanh, x).T.V, 1.69e-17, 1.70e-17);
        var z = Dual<Real>.Along(Real_<Real>(40), Real_<Real>(1));
        Assert.InRange(Scalar.apply(Elementary.Sigmoid, z).T.V, 4.24e-18, 4.25e-18);
    }

    [Fact]
    public void Margins_are_the_smallest_distance_of_a_decision()
    {
        static Margins In(double x) => Real_<Margins>(x);
        var (_, none) = Margins.Of(() => Scalar.exp(In(1)));
        Assert.Equal(double.PositiveInfinity, none);
        var (_, near) = Margins.Of(() => Scalar.abs(Scalar.op_Addition(In(-0.25), Scalar.abs(In(3)))));
        Assert.Equal(1, near);
        var (_, tie) = Margins.Of(() => Scalar.abs(Scalar.abs(In(0.125))));
        Assert.Equal(0.125, tie);
    }

    private static S Real_<S>(double x)
        where S : IScalar<S> => S.Input(Format.Double, x);

    private static double Directional(Tree tree, double[] at, double[] v) =>
        tree.Eval<Dual<Real>>([.. at.Zip(v, (x, t) => Dual<Real>.Along(Real_<Real>(x), Real_<Real>(t)))]).T.V;

    private static double Curvature(Tree tree, double[] at, double[] v)
    {
        Dual<Dual<Real>> Moving(double x, double t) => Dual<Dual<Real>>.Along(
            Dual<Real>.Along(Real_<Real>(x), Real_<Real>(t)),
            Real_<Dual<Real>>(t));
        return tree.Eval<Dual<Dual<Real>>>([.. at.Zip(v, Moving)]).T.T.V;
    }

    private static DoubleDouble Along(Tree tree, double[] at, double[] v, double h) =>
        Precise_(tree.Eval<Precise>([.. at.Zip(v, (x, t) => Shifted(x, t, h))]));

    private static DoubleDouble Precise_(Precise p) => p.X;

    private static Precise Shifted(double x, double t, double h) =>
        Scalar.op_Addition(Real_<Precise>(x), Scalar.op_Multiply(Real_<Precise>(t), Real_<Precise>(h)));

    /// <summary>The decimal digits as an exact fraction, held against the exact fraction of the double-double.</summary>
    private static void Near(string digits, DoubleDouble actual, double relative)
    {
        var parts = digits.Split('e');
        var point = parts[0].IndexOf('.', StringComparison.Ordinal);
        var whole = BigInteger.Parse(parts[0].Replace(".", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        var places = parts[0].Length - point - 1 - (parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0);
        // actual = n / 2^1200 exactly enough: both parts are whole multiples of it here.
        var scaled = Exact(actual.Hi) + Exact(actual.Lo);
        var left = scaled * BigInteger.Pow(10, places);
        var right = whole << 1200;
        var error = Math.Exp(BigInteger.Log(BigInteger.Abs(left - right) + 1) - BigInteger.Log(BigInteger.Abs(right)));
        Assert.True(error <= relative, $"{actual.Hi:R} + {actual.Lo:R} differs from {digits} by {error:R} relative");

        static BigInteger Exact(double x)
        {
            if (x == 0)
            {
                return BigInteger.Zero;
            }

            var k = Math.ILogB(x);
            return new BigInteger(Math.ScaleB(x, 52 - k)) << (1200 + k - 52);
        }
    }
}
