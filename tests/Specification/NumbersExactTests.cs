using Verified.Spec;
using Verified.Spec.Numbers;
using Xunit;

namespace Verified.Specification.Tests;

/// <summary>What the bound must know exactly, and what it must not claim to know.</summary>
public sealed class NumbersExactTests
{
    private static Bounded Single(double x, double e = 0) => Bounded.Of(Format.Single, x, e);

    private static Bounded Double_(double x, double e = 0) => Bounded.Of(Format.Double, x, e);

    [Theory]
    [InlineData(1.0, 0.0, double.PositiveInfinity)]
    [InlineData(-1.0, 0.0, double.NegativeInfinity)]
    [InlineData(1.0, -0.0, double.NegativeInfinity)]
    [InlineData(0.0, 0.0, double.NaN)]
    [InlineData(3.0, double.PositiveInfinity, 0.0)]
    [InlineData(6.0, 3.0, 2.0)]
    public void A_quotient_of_exact_numbers_that_needs_no_rounding_is_certain(double a, double b, double quotient)
    {
        var q = Divide(Single(a), Single(b));
        Assert.Equal(quotient, q.V);
        Assert.Equal(0, q.E);
    }

    [Theory]
    [InlineData("Log", 0.0, double.NegativeInfinity)]
    [InlineData("Log", -1.0, double.NaN)]
    [InlineData("Log", 1.0, 0.0)]
    [InlineData("Sqrt", -1.0, double.NaN)]
    [InlineData("Rsqrt", 0.0, double.PositiveInfinity)]
    [InlineData("Exp", 0.0, 1.0)]
    [InlineData("Exp", 1000.0, double.PositiveInfinity)]
    [InlineData("Exp", double.NegativeInfinity, 0.0)]
    [InlineData("Tanh", double.PositiveInfinity, 1.0)]
    [InlineData("Sin", double.PositiveInfinity, double.NaN)]
    [InlineData("Log1p", -1.0, double.NegativeInfinity)]
    public void Poles_limits_and_fixed_points_are_certain(string function, double x, double y)
    {
        var f = Tree.Functions.Single(e => e.ToString() == function);
        foreach (var input in new[] { Single(x), Double_(x) })
        {
            var result = Apply(f, input);
            Assert.Equal(y, result.V);
            Assert.Equal(0, result.E);
        }
    }

    [Fact]
    public void Sums_of_integers_are_exact_and_sums_of_tenths_are_not()
    {
        Bounded[] integers = [.. Enumerable.Range(-20, 60).Select(i => Single(i))];
        Assert.Equal((570.0, 0.0), (Sum(integers).V, Sum(integers).E));
        Assert.Equal(0, Dot(integers, integers).E);
        Bounded[] tenths = [.. Enumerable.Range(1, 60).Select(i => Single((float)(i / 10.0)))];
        Assert.InRange(Sum(tenths).E, 1e-7, 1e-2);
        Assert.True(Dot(tenths, tenths).E > 0);
        Bounded[] doubles = [.. Enumerable.Range(1, 60).Select(i => Double_(i / 10.0))];
        Assert.InRange(Sum(doubles).E, 1e-16, 1e-10);
    }

    [Fact]
    public void A_constant_enters_with_the_rounding_of_the_format_it_meets()
    {
        Assert.Equal(0, Add(Single(0), Constant(0.5)).E);
        Assert.Equal(0, Add(Double_(0), Constant(0.1)).E);
        var tenth = Add(Single(0), Constant(0.1));
        Assert.InRange(tenth.E, Math.Abs((float)0.1 - 0.1), 2e-8);
        // A third, computed of constants, is rounded too.
        Assert.True(Multiply(Single(1), Divide(Constant(1), Constant(3))).E > 0);
        Assert.Equal(0, Multiply(Single(1), Divide(Constant(6), Constant(3))).E);
    }

    [Fact]
    public void A_comparison_is_decided_exactly_or_outside_the_bounds_or_not_at_all()
    {
        Assert.True(Compare(Single(1), Single(1)).IsEqual);
        Assert.True(Compare(Single(1, 1e-9), Single(1)).IsUndecided);
        Assert.True(Compare(Single(1, 1e-9), Single(1.1)).IsLess);
        Assert.True(Compare(Single(2, 0.4), Single(1, 0.5)).IsGreater);
        Assert.True(Compare(Single(2, 0.6), Single(1, 0.5)).IsUndecided);
        Assert.True(Compare(Single(double.NaN), Single(1, 0.5)).IsUnordered);
        Assert.True(Compare(Single(1, double.PositiveInfinity), Single(1)).IsUndecided);
        Assert.True(Compare(Single(double.PositiveInfinity), Single(1, 0.1)).IsGreater);
    }

    [Fact]
    public void Rounding_to_an_integer_is_unknown_within_the_bound_of_a_step()
    {
        Assert.Equal((2.0, 0.0), (Floor(Single(2.5, 0.1)).V, Floor(Single(2.5, 0.1)).E));
        Assert.True(Floor(Single(3, 1e-7)).IsUnknown);
        Assert.Equal(3, Floor(Single(3)).V);
        Assert.True(Round(Single(2.5, 1e-7)).IsUnknown);
        Assert.Equal(2, Round(Single(2.5)).V);
    }

    [Fact]
    public void Overflow_is_certain_or_unknown_and_never_silently_finite()
    {
        Assert.True(double.IsPositiveInfinity(Multiply(Single(1e30), Single(1e30)).V));
        Assert.Equal(0, Multiply(Single(1e30), Single(1e30)).E);
        var edge = Multiply(Single(float.MaxValue), Single(1, 1e-6));
        Assert.True(edge.IsUnknown);
        Assert.True(Multiply(Double_(1e300), Double_(1e300)).E == 0);
        // An infinity times what may be zero is unknown, an infinity times zero certainly NaN.
        Assert.True(Multiply(Single(double.PositiveInfinity), Single(0, 1e-10)).IsUnknown);
        Assert.True(double.IsNaN(Multiply(Single(double.PositiveInfinity), Single(0)).V));
        Assert.Equal(0, Multiply(Single(double.PositiveInfinity), Single(0)).E);
    }

    [Fact]
    public void Underflow_may_be_flushed()
    {
        var tiny = Multiply(Single(1e-20), Single(1e-20));
        Assert.True(tiny.E >= 1e-40);
        Assert.True(tiny.E < 2.4e-38);
    }

    [Fact]
    public void An_infinite_error_times_zero_is_infinite()
    {
        var unknown = Single(1, double.PositiveInfinity);
        Assert.True(Multiply(unknown, Single(0)).IsUnknown);
        Assert.True(Dot([unknown, Single(1)], [Single(0), Single(2)]).IsUnknown);
        Assert.True(Add(unknown, Single(1)).IsUnknown);
        Assert.True(Apply(Elementary.Tanh, unknown).IsUnknown);
        // What is certainly NaN stays so.
        Assert.Equal(0, Add(unknown, Single(double.NaN)).E);
    }

    [Fact]
    public void The_sign_of_a_zero_is_known_only_where_every_order_gives_it()
    {
        Assert.False(Subtract(Single(1), Single(1)).IsEitherZero);
        Assert.True(Sum([Single(-0.0), Single(-0.0)]).IsEitherZero);
        Assert.False(Sum([Single(0), Single(0)]).IsEitherZero);
        Assert.True(Multiply(Single(0), Single(0.5, 1)).IsEitherZero);
        Assert.True(Divide(Single(1), Multiply(Single(0), Single(0.5, 1))).IsUnknown);
    }

    [Fact]
    public void The_bound_covers_every_permitted_formula()
    {
        var both = Permitted([Single(1, 0.1), Single(1.5, 0.2)]);
        Assert.Equal(1, both.V);
        Assert.InRange(both.E, 0.7, 0.70001);
        Assert.Equal(0, Permitted([Single(double.NaN), Single(double.NaN)]).E);
        Assert.True(Permitted([Single(1), Single(double.PositiveInfinity)]).IsUnknown);
    }

    [Fact]
    public void A_declared_ulp_widens_the_bound_up_to_sixteen()
    {
        static double With(double ulp) =>
            Allowance.With(new Dictionary<string, double> { ["exp"] = ulp }, () => Apply(Elementary.Exp, Single(1)).E);

        var usual = Apply(Elementary.Exp, Single(1)).E;
        Assert.Equal(usual, With(4));
        Assert.True(With(1) < usual);
        Assert.InRange(With(16) / usual, 3, 4);
        Assert.Equal(With(16), With(4000));
        Assert.Equal(With(16), Allowance.WithMost(() => Apply(Elementary.Exp, Single(1)).E));
        Assert.Equal(usual, Apply(Elementary.Exp, Single(1)).E);
    }

    private static S Add_<S>(S a, S b)
        where S : IScalar<S> => S.Add(a, b);

    private static Bounded Add(Bounded a, Bounded b) => Add_(a, b);

    private static Bounded Subtract(Bounded a, Bounded b) => Of<Bounded>.Sub(a, b);

    private static Bounded Multiply(Bounded a, Bounded b) => Of<Bounded>.Mul(a, b);

    private static Bounded Divide(Bounded a, Bounded b) => Of<Bounded>.Div(a, b);

    private static Bounded Constant(double c) => Of<Bounded>.Constant(c);

    private static Bounded Apply(Elementary f, Bounded a) => Of<Bounded>.Apply(f, a);

    private static Bounded Sum(Bounded[] terms) => Of<Bounded>.Sum(terms);

    private static Bounded Dot(Bounded[] a, Bounded[] b) => Of<Bounded>.Dot(a, b);

    private static Bounded Permitted(Bounded[] terms) => Of<Bounded>.Permitted(terms);

    private static Bounded Floor(Bounded a) => Of<Bounded>.Floor(a);

    private static Bounded Round(Bounded a) => Of<Bounded>.Round(a);

    private static Comparison Compare(Bounded a, Bounded b) => Of<Bounded>.Compare(a, b);

    /// <summary>The members of a number system, reachable outside generic code.</summary>
    private static class Of<S>
        where S : IScalar<S>
    {
        internal static S Constant(double c) => S.Constant(c);

        internal static S Sub(S a, S b) => S.Sub(a, b);

        internal static S Mul(S a, S b) => S.Mul(a, b);

        internal static S Div(S a, S b) => S.Div(a, b);

        internal static S Apply(Elementary f, S a) => S.Apply(f, a);

        internal static S Sum(S[] terms) => S.Sum(terms);

        internal static S Dot(S[] a, S[] b) => S.Dot(a, b);

        internal static S Permitted(S[] terms) => S.Permitted(terms);

        internal static S Floor(S a) => S.Floor(a);

        internal static S Round(S a) => S.Round(a);

        internal static Comparison Compare(S a, S b) => S.Compare(a, b);
    }
}
