using Microsoft.FSharp.Collections;
using Verified.Spec;

namespace Verified.Oracle.Generation;

/// <summary>
/// Proposes attributes by their kind. There are no shape rules here: a proposal that does not fit is refused by the specification.
/// </summary>
internal static class Attributes
{
    /// <summary>
    /// Attributes for a call; <paramref name="given"/> says whether the tensor argument of a place is given already, <paramref name="optional"/> whether any may be given that need not be.
    /// </summary>
    public static FSharpMap<string, Attr> Propose(Rng rng, Operator op, int[] shape, Func<int, bool> given, bool optional)
    {
        var attrs = new List<Tuple<string, Attr>>();
        foreach (var spec in op.Attrs)
        {
            if (spec.StandsFor is { Value: var place } && given(place)) continue;
            if (spec.Required || (rng.Chance(0.5) && (optional || spec.OneOf)))
                if (Value(rng, spec, shape) is { } value) attrs.Add(Tuple.Create(spec.Name, value));
        }

        // PyTorch has keepdim only beside dim.
        if (attrs.All(a => a.Item1 != "dim")) attrs.RemoveAll(a => a.Item1 == "keepdim");
        return MapModule.OfSeq(attrs);
    }

    private static Attr? Value(Rng rng, AttrSpec spec, int[] shape) => spec.Kind switch
    {
        { IsDim: true } => Attr.NewInteger(Dim(rng, shape)),
        { IsDims: true } => Dims(rng, shape, asList: spec.Required),
        { IsSize: true } => Items(Size(rng, shape)),
        { IsPermutation: true } => Items(rng.Shuffled(Enumerable.Range(0, shape.Length)).Select(d => (long)d)),
        { IsFlag: true } => Attr.NewFlag(rng.Chance(0.5)),
        AttrKind.Integer integer => Attr.NewInteger(rng.Pick(integer.Item.ToList())),
        AttrKind.Number number => Number(rng, rng.Pick(number.Item.ToList())),
        AttrKind.Integers lists => Items(rng.Pick(lists.Item.ToList())),
        AttrKind.Choice choice => Attr.NewText(rng.Pick(choice.Item.ToList())),
        { IsIndex: true } => Index(rng, shape),
        { IsDType: true } => Attr.NewText(rng.Pick<string>([(0.45, "float32"), (0.45, "float64"), (0.1, "int64")])),
        _ => null,
    };

    /// <summary>A whole number is an integer half the time: it promotes otherwise than a float.</summary>
    private static Attr Number(Rng rng, double value) =>
        double.IsInteger(value) && !double.IsNegative(value) && rng.Chance(0.5) ? Attr.NewInteger((long)value) : Attr.NewFloat(value);

    /// <summary>An attribute that may no longer fit: a number far off, a list with one item more, a flag as it is.</summary>
    public static Attr Spoiled(Rng rng, Attr value) => value switch
    {
        Attr.Integer number => Attr.NewInteger(number.Item + rng.Pick([-9L, -1, 1, 9])),
        // A list within a list is a slice, and of another length no index at all.
        Attr.Items { Item: { IsEmpty: false } items } => Attr.NewItems(ListModule.OfSeq(items.Append(items.Head is Attr.Items ? items.Head : Spoiled(rng, items.Head)))),
        _ => value,
    };

    private static Attr Items(IEnumerable<long> values) => Attr.NewItems(ListModule.OfSeq(values.Select(Attr.NewInteger)));

    private static int Dim(Rng rng, int[] shape) => rng.Between(-Math.Max(1, shape.Length), Math.Max(1, shape.Length) - 1);

    /// <summary>Dimensions; PyTorch takes a single one without a list only where they may be left out.</summary>
    private static Attr Dims(Rng rng, int[] shape, bool asList)
    {
        if (shape.Length == 0 || rng.Chance(0.3)) return asList ? Items([Dim(rng, shape)]) : Attr.NewInteger(Dim(rng, shape));
        var dims = rng.Shuffled(Enumerable.Range(0, shape.Length)).Take(rng.Between(1, shape.Length));
        return Items(dims.Select(d => (long)(rng.Chance(0.5) ? d : d - shape.Length)));
    }

    /// <summary>A shape for <c>view</c>, <c>reshape</c>, <c>expand</c>, <c>repeat</c>: some fit the one, some the other.</summary>
    private static List<long> Size(Rng rng, int[] shape)
    {
        var sizes = shape.Select(d => (long)d).ToList();
        switch (rng.Below(5))
        {
            case 0:
                return [-1];
            case 1: // Split one dimension in two.
                if (sizes.Count == 0) return [1];
                var at = rng.Below(sizes.Count);
                var divisors = Enumerable.Range(1, (int)Math.Max(1, sizes[at])).Where(n => sizes[at] % n == 0).ToList();
                var divisor = rng.Pick(divisors);
                return [.. sizes.Take(at), divisor, sizes[at] / divisor, .. sizes.Skip(at + 1)];
            case 2: // Merge two.
                if (sizes.Count < 2) return [.. sizes, 1];
                var merged = rng.Below(sizes.Count - 1);
                return [.. sizes.Take(merged), sizes[merged] * sizes[merged + 1], .. sizes.Skip(merged + 2)];
            case 3: // Widen the ones, and perhaps a dimension in front.
                var widened = sizes.Select(d => d == 1 ? rng.Between(1, 3) : d);
                return rng.Chance(0.5) ? [rng.Between(1, 3), .. widened] : [.. widened];
            default:
                return rng.Shuffled(sizes);
        }
    }

    private static Attr Index(Rng rng, int[] shape)
    {
        var items = new List<Attr>();
        for (var d = 0; d < shape.Length && (d == 0 || rng.Chance(0.6)); d++)
            items.Add(rng.Below(4) switch
            {
                0 when shape[d] > 0 => Attr.NewInteger(rng.Between(-shape[d], shape[d] - 1)),
                1 => Attr.Null,
                _ => Slice(rng, shape[d]),
            });
        return Attr.NewItems(ListModule.OfSeq(items));
    }

    private static Attr Slice(Rng rng, int size)
    {
        var start = rng.Below(size + 1);
        var stop = rng.Between(start, size);
        Attr Bound(int value, bool whole) => whole && rng.Chance(0.5) ? Attr.Null : Attr.NewInteger(value);
        return Attr.NewItems(ListModule.OfSeq(
            [Bound(start, start == 0), Bound(stop, stop == size), rng.Chance(0.7) ? Attr.Null : Attr.NewInteger(rng.Between(1, 3))]));
    }
}
