using Verified.Spec;
using Verified.Spec.Numbers;
using Xunit;

namespace Verified.Specification.Tests;

/// <summary>Whatever an honest machine computes lies inside the bound.</summary>
public sealed class NumbersBoundTests
{
    public static TheoryData<string> Formats => ["Single", "Double"];

    private static Format Of(string name) => name == "Single" ? Format.Single : Format.Double;

    internal static bool Inside(Bounded bound, double engine) =>
        bound.IsUnknown
        || (bound.E > 0 ? Math.Abs(engine - bound.V) <= bound.E
            : bound.V == 0 && engine == 0 ? bound.IsEitherZero || double.IsNegative(bound.V) == double.IsNegative(engine)
            : bound.V.Equals(engine));

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_machine_lies_inside_the_bound_of_a_random_expression(string format)
    {
        var f = Of(format);
        var r = new Random(7);
        for (var sample = 0; sample < 12_000; sample++)
        {
            var tree = Tree.Random(r, 4, 1 + r.Next(5));
            var inputs = new double[4];
            var wild = r.Next(2) == 0;
            for (var i = 0; i < 4; i++)
            {
                inputs[i] = wild ? Samples.Any(r, f) : Samples.Ordinary(r, f);
            }

            var bound = Run<Bounded>(tree, inputs, f);
            Check<Machine<ForwardsOrder, SeparateArithmetic, FirstFormula>>(tree, inputs, f, bound);
            Check<Machine<BackwardsOrder, FusedArithmetic, SecondFormula>>(tree, inputs, f, bound);
            Check<Machine<PairwiseOrder, SeparateArithmetic, SecondFormula>>(tree, inputs, f, bound);
            Check<Machine<LanesOrder, FlushingArithmetic, FirstFormula>>(tree, inputs, f, bound);
            Check<Machine<LanesOrder, FusedArithmetic, ThirdFormula>>(tree, inputs, f, bound);
        }
    }

    [Fact]
    public void The_sign_of_a_product_that_underflows_is_certain_in_no_sum()
    {
        static S Dot<S>(double a, double b)
            where S : IScalar<S> => S.Dot([S.Input(Format.Double, a)], [S.Input(Format.Double, b)]);
        Assert.True(Dot<Bounded>(-6e-164, 1e-266).E > 0);
    }

    [Fact]
    public void A_result_cast_between_formats_lies_inside_the_bound()
    {
        var r = new Random(11);
        for (var sample = 0; sample < 8_000; sample++)
        {
            Tree tree = new Tree.One("cast", Tree.Random(r, 4, r.Next(3)));
            double[] inputs = [.. Enumerable.Range(0, 4).Select(_ => Samples.Any(r, Format.Single))];
            var bound = Run<Bounded>(tree, inputs, Format.Single);
            Check<Machine<ForwardsOrder, SeparateArithmetic, FirstFormula>>(tree, inputs, Format.Single, bound);
            Check<Machine<PairwiseOrder, FlushingArithmetic, FirstFormula>>(tree, inputs, Format.Single, bound);
        }
    }

    [Fact]
    public void Vector_units_lie_inside_the_bound()
    {
        var r = new Random(13);
        for (var sample = 0; sample < 5_000; sample++)
        {
            var n = r.Next(1, 100);
            float[] a = [.. Enumerable.Range(0, n).Select(_ => (float)Samples.Ordinary(r, Format.Single))];
            float[] b = [.. Enumerable.Range(0, n).Select(_ => (float)Samples.Ordinary(r, Format.Single))];
            var x = a.Select(v => Input(v)).ToArray();
            var y = b.Select(v => Input(v)).ToArray();
            Assert.True(Inside(Total(x), VectorSum(a)));
            Assert.True(Inside(Inner(x, y), VectorDot(a, b)));
        }

        static Bounded Input(float v) => Bounded.Of(Format.Single, v, 0);
        static Bounded Total(Bounded[] x) => Scalar.sum(x);
        static Bounded Inner(Bounded[] x, Bounded[] y) => Scalar.dot(x, y);
    }

    [Fact]
    public void The_bound_is_reached_to_a_good_part_and_is_seldom_lost()
    {
        var r = new Random(17);
        var widths = new List<double>();
        var reached = 0.0;
        var lost = 0;
        const int Samples_ = 4_000;
        for (var sample = 0; sample < Samples_; sample++)
        {
            var tree = Tree.Random(r, 4, 3, smooth: true);
            double[] inputs = [.. Enumerable.Range(0, 4).Select(_ => (double)(float)(0.25 + r.NextDouble()))];
            var bound = Run<Bounded>(tree, inputs, Format.Single);
            if (bound.IsUnknown)
            {
                lost++;
            }
            else if (bound.E > 0 && double.IsFinite(bound.V) && bound.V != 0)
            {
                widths.Add(bound.E / Math.Abs(bound.V));
                var engine = Run<Machine<BackwardsOrder, SeparateArithmetic, FirstFormula>>(tree, inputs, Format.Single);
                reached = Math.Max(reached, Math.Abs(Value(engine) - bound.V) / bound.E);
            }
        }

        widths.Sort();
        Assert.InRange(lost, 0, Samples_ / 5);
        Assert.InRange(widths[widths.Count / 2], 1e-8, 3e-6);
        Assert.InRange(reached, 0.5, 1.0);
    }

    internal static S Run<S>(Tree tree, double[] inputs, Format f)
        where S : IScalar<S> =>
        tree.Eval([.. inputs.Select(x => S.Input(f, x))]);

    internal static double Value<S>(S s)
        where S : IScalar<S> => S.Value(s);

    private static void Check<S>(Tree tree, double[] inputs, Format f, Bounded bound)
        where S : IScalar<S>
    {
        var engine = Value(Run<S>(tree, inputs, f));
        Assert.True(
            Inside(bound, engine),
            $"{typeof(S).Name}: {engine:R} is not {bound.V:R} within {bound.E:R} (format {bound.F})\n{Show(tree)}\nof {string.Join(", ", inputs.Select(x => x.ToString("R")))}");
    }

    private static string Show(Tree tree) => tree switch
    {
        Tree.Leaf l => $"x{l.Index}",
        Tree.Number n => n.C.ToString("R"),
        Tree.Call c => $"{c.F}({Show(c.X)})",
        Tree.One o => $"{o.Op}({Show(o.X)})",
        Tree.Two t => $"{t.Op}({Show(t.X)}, {Show(t.Y)})",
        Tree.Many m => $"{(m.Products ? "dot" : "sum")}({string.Join(", ", m.Terms.Select(Show))})",
        _ => "?",
    };

    private static float VectorSum(float[] a)
    {
        var width = System.Numerics.Vector<float>.Count;
        var lanes = System.Numerics.Vector<float>.Zero;
        var i = 0;
        for (; i + width <= a.Length; i += width)
        {
            lanes += new System.Numerics.Vector<float>(a, i);
        }

        var s = System.Numerics.Vector.Sum(lanes);
        for (; i < a.Length; i++)
        {
            s += a[i];
        }

        return s;
    }

    private static float VectorDot(float[] a, float[] b)
    {
        var width = System.Numerics.Vector<float>.Count;
        var lanes = System.Numerics.Vector<float>.Zero;
        var i = 0;
        for (; i + width <= a.Length; i += width)
        {
            lanes = System.Numerics.Vector.FusedMultiplyAdd(new(a, i), new(b, i), lanes);
        }

        var s = System.Numerics.Vector.Sum(lanes);
        for (; i < a.Length; i++)
        {
            s += a[i] * b[i];
        }

        return s;
    }

    /// <summary>The whole range of the format, where a factor of a bound may overflow or underflow though the bound itself does not.</summary>
    [Fact]
    public void Far_out_bounds_cover_what_they_come_of()
    {
        var r = new Random(41);
        double FarOut() => (r.Next(2) == 0 ? 1 : -1) * Math.ScaleB(1 + r.NextDouble(), r.Next(-1000, 1000));
        Bounded Near(double x) => Bounded.Of(Format.Double, x, Math.Abs(x) * Math.ScaleB(1, -40));
        double Ended(double x) => x * (1 + Math.ScaleB(r.Next(2) == 0 ? 1 : -1, -41));
        static T Function<T>(Elementary f, T x) where T : IScalar<T> => T.Apply(f, x);
        static T Product<T>(T a, T b) where T : IScalar<T> => T.Mul(a, b);
        static T Quotient<T>(T a, T b) where T : IScalar<T> => T.Div(a, b);
        static T Power<T>(T a, T b) where T : IScalar<T> => T.Pow(a, b);
        static void Covers(Bounded bound, double value, string what) =>
            Assert.True(!(bound.E < double.PositiveInfinity) || value.Equals(bound.V) || Math.Abs(value - bound.V) <= bound.E, $"{what} = {value:R} lies beyond {bound.V:R} by more than {bound.E:R}");

        for (var i = 0; i < 20_000; i++)
        {
            double x = FarOut(), y = FarOut(), small = r.NextDouble() * 4 - 2;
            foreach (var f in Tree.Functions) Covers(Function(f, Near(x)), Elementary64.apply(f, Ended(x)), $"{f}({x:R})");
            Covers(Product(Near(x), Near(y)), Ended(x) * Ended(y), $"{x:R} * {y:R}");
            Covers(Quotient(Near(x), Near(y)), Ended(x) / Ended(y), $"{x:R} / {y:R}");
            Covers(Power(Near(Math.Abs(x)), Near(small)), Math.Pow(Ended(Math.Abs(x)), Ended(small)), $"{Math.Abs(x):R} ^ {small:R}");
        }
    }
}
