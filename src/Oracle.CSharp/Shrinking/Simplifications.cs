using Microsoft.FSharp.Collections;
using Verified.Spec;

namespace Verified.Oracle.Shrinking;

/// <summary>Candidates of the same steps over simpler inputs.</summary>
internal static class Simplifications
{
    /// <summary>Inputs that do not require a gradient.</summary>
    public static IEnumerable<Program> Flags(Program program) =>
        Inputs(program, input => input.RequiresGrad ? [new Input(input.Name, input.Tensor, false)] : []);

    /// <summary>One size made smaller wherever it occurs, in inputs and in attributes that name it; or a dimension dropped from one input.</summary>
    public static IEnumerable<Program> Shapes(Program program)
    {
        var sizes = program.Inputs.SelectMany(input => input.Tensor.Shape).Where(size => size > 1).Distinct().OrderDescending();
        foreach (var size in sizes)
            foreach (var smaller in new[] { 1, 2, size / 2, size - 1 }.Where(n => n >= 1 && n < size).Distinct())
            {
                var inputs = program.Inputs.Select(input => input.With(Cut(input.Tensor, d => d == size ? smaller : d))).ToList();
                yield return program.WithInputs(inputs);
                yield return program.WithInputs(inputs).WithSteps(program.Steps.Select(step => Resized(step, size, smaller)));
            }

        foreach (var candidate in Inputs(program, input => Dropped(input.Tensor).Select(tensor => input.With(tensor)))) yield return candidate;
    }

    /// <summary>Simple values: all ones, small integers in order, fewer bits; one input at a time, then one element.</summary>
    public static IEnumerable<Program> Values(Program program) => Inputs(program, input => Simpler(input.Tensor).Select(tensor => input.With(tensor)));

    private static IEnumerable<Program> Inputs(Program program, Func<Input, IEnumerable<Input>> candidates)
    {
        var inputs = program.Inputs.ToList();
        for (var i = 0; i < inputs.Count; i++)
            foreach (var candidate in candidates(inputs[i]))
                yield return program.WithInputs([.. inputs.Take(i), candidate, .. inputs.Skip(i + 1)]);
    }

    private static IEnumerable<Literal> Dropped(Literal tensor) =>
        Enumerable.Range(0, tensor.Shape.Length).Where(d => tensor.Shape[d] == 1)
            .Select(d => new Literal(tensor.DType, [.. tensor.Shape.Where((_, i) => i != d)], tensor.Data));

    private static Step Resized(Step step, int size, int smaller)
    {
        Attr Change(Attr attr) => attr switch
        {
            Attr.Integer n when n.Item == size => Attr.NewInteger(smaller),
            Attr.Items items => Attr.NewItems(ListModule.OfSeq(items.Item.Select(Change))),
            _ => attr,
        };
        return step.WithAttrs(MapModule.Map(FuncConvert.Change(Change), step.Attrs)).WithSteps(step.Steps.Select(inner => Resized(inner, size, smaller)));
    }

    /// <summary>The corner of a tensor that a smaller shape keeps.</summary>
    private static Literal Cut(Literal tensor, Func<int, int> smaller)
    {
        var shape = tensor.Shape.Select(smaller).ToArray();
        if (shape.AsSpan().SequenceEqual(tensor.Shape)) return tensor;
        var strides = Shape.strides(tensor.Shape);
        var kept = new List<int>();
        var index = new int[shape.Length];
        for (var left = Shape.count(shape); left > 0; left--)
        {
            kept.Add(index.Zip(strides, (i, s) => i * s).Sum());
            for (var d = shape.Length - 1; d >= 0 && ++index[d] == shape[d]; d--) index[d] = 0;
        }

        return new Literal(tensor.DType, shape, tensor.Data switch
        {
            Data.Floats floats => Data.NewFloats([.. kept.Select(i => floats.Item[i])]),
            Data.Ints ints => Data.NewInts([.. kept.Select(i => ints.Item[i])]),
            _ => tensor.Data,
        });
    }

    private static IEnumerable<Literal> Simpler(Literal tensor)
    {
        switch (tensor.Data)
        {
            case Data.Floats { Item: var values }:
                foreach (var candidate in Floats(values).Select(Data.NewFloats))
                    if (Length.OfValues(candidate) < Length.OfValues(tensor.Data))
                        yield return new Literal(tensor.DType, tensor.Shape, candidate);
                break;
            case Data.Ints { Item: var values } when values.Any(v => v != 0):
                yield return new Literal(tensor.DType, tensor.Shape, Data.NewInts(new long[values.Length]));
                for (var i = 0; i < values.Length; i++)
                    if (values[i] != 0)
                        yield return new Literal(tensor.DType, tensor.Shape, Data.NewInts([.. values.Select((v, j) => j == i ? 0 : v)]));
                break;
        }
    }

    private static IEnumerable<double[]> Floats(double[] values)
    {
        yield return [.. values.Select(_ => 1.0)];
        yield return [.. values.Select((_, i) => i + 1.0)];
        yield return [.. values.Select(v => Math.Round(v))];
        yield return [.. values.Select(v => Math.Round(v * 4) / 4)];
        if (values.Length > 16) yield break;
        for (var i = 0; i < values.Length; i++)
            foreach (var simple in new[] { 0.0, 1.0, Math.Round(values[i]), Math.Round(values[i] * 4) / 4 })
                yield return [.. values.Select((v, j) => j == i ? simple : v)];
    }
}

/// <summary>Functions as F# takes them.</summary>
internal static class FuncConvert
{
    public static Microsoft.FSharp.Core.FSharpFunc<string, Microsoft.FSharp.Core.FSharpFunc<Attr, Attr>> Change(Func<Attr, Attr> change) =>
        Microsoft.FSharp.Core.FuncConvert.FromFunc((string _, Attr attr) => change(attr));
}
