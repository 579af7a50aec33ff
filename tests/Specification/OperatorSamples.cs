using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Specification.Tests;

/// <summary>One call of an operator that the specification accepts: tensors (lists spliced in) and attributes.</summary>
internal sealed record OperatorSample(Operator Op, Literal?[] Inputs, FSharpMap<string, Attr> Attrs)
{
    /// <summary>Float inputs that the operator does not differentiate.</summary>
    internal int[] Constants { get; init; } = [];

    /// <summary>Which inputs are differentiated.</summary>
    internal IEnumerable<int> Floats => Numbered.Except(Constants);

    /// <summary>Which inputs are of a float dtype.</summary>
    internal IEnumerable<int> Numbered => Enumerable.Range(0, Inputs.Length).Where(i => Inputs[i]?.DType.IsFloat == true);

    /// <summary>Whether the result may be written into the first input.</summary>
    internal bool KeepsShape =>
        Forward(i => Array.ConvertAll(Numbers(i), x => new Real(x))) is [var only] && only.Shape.SequenceEqual(Inputs[0]!.Shape);

    /// <summary>The same call with a zero in the first place of each float input.</summary>
    internal OperatorSample WithZero() => this with
    {
        Inputs = [.. Inputs.Select(x => x?.Data is Data.Floats { Item.Length: > 0 } floats ? new Literal(x.DType, x.Shape, Data.NewFloats([0, .. floats.Item.Skip(1)])) : x)],
    };

    internal double[] Numbers(int input) => ((Data.Floats)Inputs[input]!.Data).Item;

    public override string ToString() =>
        $"{Op.Name}({string.Join(", ", Inputs.Select(x => x is null ? "null" : $"{x.DType.Name}{Shape.show(x.Shape)}"))}) {Attrs}";

    /// <summary>The operator's float results over a number system, each a shape and its elements; None where it complains.</summary>
    internal List<(int[] Shape, S[] Elements)>? Forward<S>(Func<int, S[]> floats)
        where S : IScalar<S>
    {
        var values = Inputs.Select((x, i) => x is null ? null : FSharpOption<Value<S>>.Some(new Value<S>(
            x.DType,
            x.Shape,
            x.Data is Data.Ints ints ? Elements<S>.NewInts(ints.Item, true) : Elements<S>.NewFloats(floats(i))))).ToArray();

        switch (Op.Behaviour)
        {
            case Behaviour.Computes computes:
                return Floats(computes.Item.Of(new Call<S>(values!, Attrs)));
            case Behaviour.Composes:
                return Floats(Compositions.evaluate(RegistryModule.all, Op, values!, Attrs));
            case Behaviour.Aliases aliases:
                var x = values[0]!.Value;
                if (!x.Elements.IsFloats) return null;
                var aliasing = aliases.Item.Invoke(Layout.dense(x.Shape)).Invoke(Attrs);
                if (aliasing.IsError) return null;
                var elements = ((Elements<S>.Floats)x.Elements).Item;
                return aliasing.ResultValue switch
                {
                    Aliasing.View view => [Shown(view.Item)],
                    Aliasing.Views views => [.. views.Item.Select(Shown)],
                    Aliasing.Copied copied => [(copied.Item, elements)],
                    _ => [(x.Shape, elements)],
                };

                (int[] Shape, S[] Elements) Shown(Geometry g) => (g.Shape, [.. Positions.ofGeometry(g).Select(p => elements[p])]);
            default:
                throw new InvalidOperationException(Op.Name);
        }

        List<(int[] Shape, S[] Elements)>? Floats(FSharpResult<FSharpList<Value<S>>, Complaint> result) => result.IsError
            ? null
            : [.. result.ResultValue.Take(Op.Results.Invoke(Attrs)).Where(v => v.Elements.IsFloats).Select(v => (v.Shape, ((Elements<S>.Floats)v.Elements).Item))];
    }
}

/// <summary>
/// Random calls of any operator, found from its record alone: arguments, attributes, domain and shapes are tried, and what the
/// operator accepts, away from its kinks, is a sample.
/// </summary>
internal sealed class OperatorSamples(int seed)
{
    private static readonly int[][] Sizes = [[], [1], [2], [3], [2, 2], [2, 3], [3, 2], [3, 1], [1, 3], [2, 1, 2], [1, 2, 3], [2, 2, 2], [1, 1, 2, 2], [2, 2, 3], [0, 2]];

    private const double FromKinks = 1e-3;

    private readonly Random _random = new(seed);

    internal OperatorSample? Next(Operator op)
    {
        var inputs = Inputs(op);
        var first = inputs.FirstOrDefault(x => x is not null)?.Shape ?? [];
        var sample = new OperatorSample(op, inputs, Attributes(op, first));
        if (!sample.Floats.Any() || sample.Inputs.Sum(x => x is null ? 0 : Shape.count(x.Shape)) > 40) return null;

        var (results, distance) = Margins.Of(() => sample.Forward(i => Array.ConvertAll(sample.Numbers(i), x => new Margins(x))));
        return results is { Count: > 0 } && results.Sum(r => r.Elements.Length) is > 0 and <= 40
            && results.All(r => r.Elements.All(x => double.IsFinite(x.V))) && distance > FromKinks
            ? sample
            : null;
    }

    private bool Chance(double probability) => _random.NextDouble() < probability;

    private T Pick<T>(IReadOnlyList<T> items) => items[_random.Next(items.Count)];

    private Literal?[] Inputs(Operator op)
    {
        var kinds = new List<ArgKind?>();
        foreach (var kind in op.Args)
        {
            var wanted = kind;
            if (kind is ArgKind.Optional optional)
            {
                wanted = optional.Item;
                if (Chance(0.5))
                {
                    kinds.Add(null);
                    continue;
                }
            }

            if (wanted is ArgKind.List list)
                for (var count = _random.Next(1, 4); count > 0; count--)
                    kinds.Add(list.Item is ArgKind.Optional item ? Chance(0.3) ? null : item.Item : list.Item);
            else
                kinds.Add(wanted);
        }

        while (kinds.Count > 0 && kinds[^1] is null) kinds.RemoveAt(kinds.Count - 1);

        var shapes = op.Shapes.IsEmpty || Chance(0.1) ? null : Pick(op.Shapes.ToList()).ToList();
        var all = Pick(Sizes);
        return [.. kinds.Select((kind, i) => kind is null ? null : One(op, kind, shapes is { } s && i < s.Count ? s[i] : ShapeLike(all)))];
    }

    // The same shape, one that broadcasts to it, or any.
    private int[] ShapeLike(int[] shape) => _random.Next(6) switch
    {
        0 => [.. shape.Select(n => Chance(0.5) ? 1 : n)],
        1 => [.. shape.Skip(_random.Next(shape.Length + 1))],
        2 => Pick(Sizes),
        _ => shape,
    };

    private Literal One(Operator op, ArgKind kind, int[] shape)
    {
        var count = Shape.count(shape);
        if (kind.IsIndex || kind.IsClasses) return new Literal(DType.Int64, shape, Data.NewInts([.. Enumerable.Range(0, count).Select(_ => (long)_random.Next(2))]));
        if (kind.IsMask) return new Literal(DType.Bool, shape, Data.NewInts([.. Enumerable.Range(0, count).Select(_ => (long)_random.Next(2))]));
        return new Literal(DType.Float64, shape, Data.NewFloats([.. Enumerable.Range(0, count).Select(_ => Number(op.Domain))]));
    }

    private double Number(Domain domain)
    {
        var x = 0.15 + 1.7 * _random.NextDouble();
        var signed = Chance(0.5) ? x : -x;
        return domain switch
        {
            { IsPositive: true } => x,
            Domain.Above above => above.Item + x,
            Domain.Between between => between.Item1 + (between.Item2 - between.Item1) * x / 2,
            _ => signed,
        };
    }

    private FSharpMap<string, Attr> Attributes(Operator op, int[] shape)
    {
        var attrs = new List<Tuple<string, Attr>>();
        foreach (var spec in op.Attrs)
            if ((spec.Required || Chance(0.5)) && Attribute(spec.Kind, shape) is { } value)
                attrs.Add(Tuple.Create(spec.Name, value));
        return MapModule.OfSeq(attrs);
    }

    private Attr? Attribute(AttrKind kind, int[] shape) => kind switch
    {
        { IsDim: true } => Attr.NewInteger(Dim(shape)),
        { IsDims: true } => Chance(0.3) ? Attr.NewInteger(Dim(shape)) : Items(Shuffled(shape.Length).Take(_random.Next(1, shape.Length + 1))),
        { IsSize: true } => Items(Size(shape)),
        { IsPermutation: true } => Items(Shuffled(shape.Length)),
        { IsFlag: true } => Attr.NewFlag(Chance(0.5)),
        AttrKind.Integer integer => Attr.NewInteger(Pick(integer.Item.ToList())),
        AttrKind.Number number => Attr.NewFloat(Pick(number.Item.ToList())),
        AttrKind.Integers lists => Items(Pick(lists.Item.ToList()).Select(n => (int)n)),
        AttrKind.Choice choice => Attr.NewText(Pick(choice.Item.ToList())),
        { IsIndex: true } => Attr.NewItems(ListModule.OfSeq(shape.Take(_random.Next(shape.Length + 1)).Select(Part))),
        _ => Attr.NewText("float64"),
    };

    private int Dim(int[] shape) => _random.Next(-Math.Max(1, shape.Length), Math.Max(1, shape.Length));

    private int[] Shuffled(int count)
    {
        var items = Enumerable.Range(0, count).ToArray();
        _random.Shuffle(items);
        return items;
    }

    private static Attr Items(IEnumerable<int> items) => Attr.NewItems(ListModule.OfSeq(items.Select(n => Attr.NewInteger(n))));

    private IEnumerable<int> Size(int[] shape) => _random.Next(8) switch
    {
        0 => [-1],
        1 => shape.Reverse(),
        2 => shape.Prepend(2),
        3 => shape.Select(n => n == 1 ? 3 : n),
        4 => shape.Select(n => Chance(0.5) ? 1 : n),
        5 => shape.Skip(1),
        6 => Shape.strides(shape),
        _ => shape,
    };

    private Attr Part(int size) => _random.Next(3) switch
    {
        0 when size > 0 => Attr.NewInteger(_random.Next(-size, size)),
        1 => Attr.NewItems(ListModule.OfSeq([Attr.NewInteger(_random.Next(size + 1)), Attr.Null, Attr.NewInteger(_random.Next(1, 3))])),
        _ => Attr.Null,
    };
}
