using Microsoft.FSharp.Core;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Specification.Tests;

/// <summary>An expression that can be evaluated over any number system: the material of the number systems' tests.</summary>
internal abstract record Tree
{
    internal abstract S Eval<S>(S[] inputs)
        where S : IScalar<S>;

    internal sealed record Leaf(int Index) : Tree
    {
        internal override S Eval<S>(S[] inputs) => inputs[Index];
    }

    internal sealed record Number(double C) : Tree
    {
        internal override S Eval<S>(S[] inputs) => S.Constant(C);
    }

    internal sealed record Call(Elementary F, Tree X) : Tree
    {
        internal override S Eval<S>(S[] inputs) => S.Apply(F, X.Eval(inputs));
    }

    internal sealed record One(string Op, Tree X) : Tree
    {
        internal override S Eval<S>(S[] inputs)
        {
            var x = X.Eval(inputs);
            return Op switch
            {
                "neg" => S.Neg(x),
                "abs" => S.Abs(x),
                "floor" => S.Floor(x),
                "round" => S.Round(x),
                "cast" => S.Cast(Format.Double, S.Mul(S.Cast(Format.Single, x), x)),
                "square" => S.Permitted([S.Mul(x, x), S.Pow(x, S.Constant(2))]),
                _ => throw new ArgumentException(Op),
            };
        }
    }

    internal sealed record Two(string Op, Tree X, Tree Y) : Tree
    {
        internal override S Eval<S>(S[] inputs)
        {
            var x = X.Eval(inputs);
            var y = Y.Eval(inputs);
            return Op switch
            {
                "add" => S.Add(x, y),
                "sub" => S.Sub(x, y),
                "mul" => S.Mul(x, y),
                "div" => S.Div(x, y),
                "pow" => S.Pow(x, y),
                "max" => Pick(S.Compare(x, y), x, y),
                _ => throw new ArgumentException(Op),
            };
        }

        private static S Pick<S>(Comparison c, S x, S y)
            where S : IScalar<S> =>
            c.IsUndecided ? S.Unknown(x) : c.IsUnordered ? S.Add(x, y) : c.IsLess ? y : x;
    }

    internal sealed record Many(bool Products, Tree[] Terms) : Tree
    {
        internal override S Eval<S>(S[] inputs)
        {
            var terms = Terms.Select(t => t.Eval(inputs)).ToArray();
            return Products ? S.Dot(terms, [.. terms.Reverse()]) : S.Sum(terms);
        }
    }

    internal static readonly Elementary[] Functions =
    [
        Elementary.Exp, Elementary.Expm1, Elementary.Log, Elementary.Log1p, Elementary.Sqrt, Elementary.Rsqrt,
        Elementary.Sin, Elementary.Cos, Elementary.Tanh, Elementary.Sigmoid, Elementary.Erf,
    ];

    private static readonly string[] Ones = ["neg", "abs", "floor", "round", "square"];
    private static readonly string[] Twos = ["add", "sub", "mul", "div", "max", "add", "sub", "mul"];
    private static readonly double[] Numbers = [0, 1, -1, 2, 0.5, 0.1, 3, 1e-5, 1.0 / 3, 0.7978845608028654, 1e10];

    /// <summary>A random tree of at most the given depth over the inputs; smooth ones have no kinks, steps or poles near.</summary>
    internal static Tree Random(Random r, int inputs, int depth, bool smooth = false)
    {
        Tree Next() => Random(r, inputs, depth - 1, smooth);
        if (depth == 0 || r.Next(6) == 0)
        {
            return r.Next(5) == 0 ? new Number(Numbers[r.Next(Numbers.Length - (smooth ? 1 : 0))]) : new Leaf(r.Next(inputs));
        }

        return r.Next(10) switch
        {
            < 2 => new Call(Functions[r.Next(Functions.Length)], Next()),
            2 when !smooth => new One(Ones[r.Next(Ones.Length)], Next()),
            3 => new Many(r.Next(2) == 0, [.. Enumerable.Range(0, r.Next(1, 40)).Select(_ => Random(r, inputs, Math.Min(1, depth - 1), smooth))]),
            4 => new Two("pow", Next(), new Number(new[] { 2, 3, 0.5, -1, 1.5, 0.1, 0 }[r.Next(7)])),
            _ => new Two(Twos[r.Next(Twos.Length)], Next(), Next()),
        };
    }
}

/// <summary>Random numbers of a format: ordinary ones, and at times the whole range with zeros, subnormals, powers of two,
/// infinities and NaN.</summary>
internal static class Samples
{
    internal static double Ordinary(Random r, Format f) =>
        Held(f, (r.NextDouble() * 2 - 1) * Math.Pow(10, r.Next(-2, 3)));

    internal static double Any(Random r, Format f) => r.Next(12) switch
    {
        0 => new[] { 0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0 }[r.Next(7)],
        1 => r.Next(-20, 20),
        2 => Held(f, Math.ScaleB(r.NextDouble() * 2 - 1, f.IsSingle ? r.Next(-149, 128) : r.Next(-1074, 1024))),
        3 when r.Next(4) == 0 => new[] { double.PositiveInfinity, double.NegativeInfinity, double.NaN }[r.Next(3)],
        4 => Held(f, 1 + Math.ScaleB(r.NextDouble() - 0.5, -r.Next(50))),
        5 => f.IsSingle ? BitConverter.UInt32BitsToSingle((uint)r.NextInt64()) : BitConverter.Int64BitsToDouble(r.NextInt64()),
        _ => Ordinary(r, f),
    };

    private static double Held(Format f, double x) => f.IsSingle ? (float)x : x;
}
