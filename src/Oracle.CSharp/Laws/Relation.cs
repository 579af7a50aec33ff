using System.Globalization;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Spec;

namespace Verified.Oracle.Laws;

/// <summary>Compares the outcomes of twins: the same bits, where zeros of both signs and all NaN count as one.</summary>
internal static class Relation
{
    public static LawResult Compare(Law law, Twins twins, Outcome first, Outcome second)
    {
        LawResult Violated(string what) => new(true, $"{law.Name}: {what}", twins);
        var (a, b) = (first.Raised?.Value, second.Raised?.Value);
        if (twins.MayBeRefused && (a is { Kind.IsShapeError: true } || b is { Kind.IsShapeError: true })) return LawResult.DoesNotApply;
        if (a is not null && b is not null)
            return a.Kind.Equals(b.Kind) ? LawResult.DoesNotApply : Violated($"the first raises {a.Kind.Name}, its twin {b.Kind.Name}");
        if (a is not null) return Violated($"the first raises {a.Kind.Name} ({a.Message}), its twin nothing");
        if (b is not null)
            return Violated($"the twin raises {b.Kind.Name} ({b.Message}), the first nothing");

        var (left, right) = (Values(first), Values(second));
        foreach (var pair in twins.Pairs)
        {
            if (!left.TryGetValue(pair.First, out var x) || !right.TryGetValue(pair.Second, out var y)) continue;
            if (Difference(pair, x, y) is { } difference) return Violated(difference);
        }

        return new LawResult(true, null, twins);
    }

    private static Dictionary<string, Literal?> Values(Outcome outcome) =>
        outcome.Values.ToDictionary(value => value.Item1, value => value.Item2?.Value.Tensor);

    private static string? Difference(Pair pair, Literal? x, Literal? y)
    {
        if (x is null || y is null) return x is null == y is null ? null : $"{(x is null ? pair.First : pair.Second)} is null, the other is not";
        if (!x.DType.Equals(y.DType)) return $"{pair.Second} has dtype {y.DType.Name}, the first {x.DType.Name}";
        if (!x.Shape.AsSpan().SequenceEqual(y.Shape)) return $"{pair.Second} has shape {Shape.show(y.Shape)}, the first {Shape.show(x.Shape)}";
        if (x.Data is Data.Floats { Item: var p } && y.Data is Data.Floats { Item: var q })
        {
            for (var i = 0; i < p.Length; i++)
            {
                var expected = pair.Factor == 1 ? p[i] : OfType(x.DType, p[i] * pair.Factor);
                if (!expected.Equals(q[i]) && !(expected == 0 && q[i] == 0) && !(pair.Factor != 1 && IsUnderflow(expected) && IsUnderflow(q[i])))
                    return string.Create(CultureInfo.InvariantCulture, $"{pair.Second}{Place.Of(i, y.Shape)} is {q[i]:R}, expected {expected:R}");
            }

            return null;
        }

        return x.Data.Equals(y.Data) ? null : $"{pair.Second} holds other elements";
    }

    // Twice a large float32 is an infinity.
    private static double OfType(DType dtype, double value) => dtype.IsFloat32 ? (float)value : value;

    // So small that something on the way may have been rounded as no power of two times it is: below the smallest normal number by some factors.
    private static bool IsUnderflow(double value) => Math.Abs(value) < 1e-290;
}
