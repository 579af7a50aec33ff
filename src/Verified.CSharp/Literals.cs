using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Engine;
using Verified.Spec;
using DType = Verified.Spec.DType;
using Tensor = Verified.Engine.Tensor;

namespace Verified;

/// <summary>Between the program language's values and the engine's.</summary>
internal static class Literals
{
    public static Tensor ToTensor(Literal literal, bool requiresGrad)
    {
        if (requiresGrad && !literal.DType.IsFloat)
            throw new AutogradException(Engine.ErrorKind.RequiresGradDtype, "Only Tensors of floating point and complex dtype can require gradients");
        return literal.Data switch
        {
            Data.Floats { Item: var values } when literal.DType.IsFloat32 =>
                Tensor.Create(Array.ConvertAll(values, value => (float)value), literal.Shape, requiresGrad),
            Data.Floats { Item: var values } => Tensor.Create(values, literal.Shape, requiresGrad),
            Data.Ints { Item: var values } when literal.DType.IsBool => Tensor.Create(Array.ConvertAll(values, value => value != 0), literal.Shape),
            Data.Ints { Item: var values } => Tensor.Create(values, literal.Shape),
            _ => throw new MalformedProgramException("a literal without data"),
        };
    }

    public static Report ToReport(Tensor tensor, bool gradient) => new(
        ToLiteral(tensor),
        FSharpOption<bool>.Some(tensor.RequiresGrad),
        History(tensor, t => FSharpOption<bool>.Some(t.IsLeaf)),
        gradient || tensor.IsInference ? null : FSharpOption<int>.Some(tensor.Version),
        History(tensor, t => FSharpOption<FSharpOption<string>?>.Some(t.GradFn is { } node ? FSharpOption<string>.Some(node.Name) : null)));

    /// <summary>What a tensor's history tells, or nothing where asking for it is itself an error (a forbidden view of memory that was written to since).</summary>
    private static T? History<T>(Tensor tensor, Func<Tensor, T> read)
        where T : class
    {
        try
        {
            return read(tensor);
        }
        catch (AutogradException)
        {
            return null;
        }
    }

    public static Literal ToLiteral(Tensor tensor)
    {
        var shape = tensor.Shape.ToArray();
        return tensor.DType switch
        {
            Engine.DType.Float32 => new Literal(DType.Float32, shape, Data.NewFloats(Array.ConvertAll(tensor.ToFloats(), value => (double)value))),
            Engine.DType.Float64 => new Literal(DType.Float64, shape, Data.NewFloats(tensor.ToDoubles())),
            Engine.DType.Int64 => new Literal(DType.Int64, shape, Data.NewInts(tensor.ToLongs())),
            _ => new Literal(DType.Bool, shape, Data.NewInts(Array.ConvertAll(tensor.ToBools(), value => value ? 1L : 0L))),
        };
    }

    public static Engine.Attributes ToAttributes(FSharpMap<string, Attr> attrs) => attrs.Count == 0
        ? Engine.Attributes.None
        : Engine.Attributes.From(attrs.Select(entry => KeyValuePair.Create(entry.Key, ToObject(entry.Value))));

    private static object? ToObject(Attr attr) => attr switch
    {
        Attr.Flag flag => flag.Item,
        Attr.Integer integer => integer.Item,
        Attr.Float number => number.Item,
        Attr.Text text => text.Item,
        Attr.Items items => items.Item.Select(ToObject).ToArray(),
        _ => null,
    };
}

/// <summary>The engine's kinds of errors as the protocol's.</summary>
internal static class Kinds
{
    private static readonly Dictionary<string, Spec.ErrorKind> ByName = new Spec.ErrorKind[]
    {
        Spec.ErrorKind.NonScalarBackward, Spec.ErrorKind.NoGradFn, Spec.ErrorKind.FreedGraph, Spec.ErrorKind.ModifiedInPlace, Spec.ErrorKind.LeafInPlace,
        Spec.ErrorKind.ViewOfLeafInPlace, Spec.ErrorKind.OverlappingWrite, Spec.ErrorKind.MultiOutputViewInPlace, Spec.ErrorKind.NoGradViewInPlace,
        Spec.ErrorKind.DetachView, Spec.ErrorKind.GradientShape, Spec.ErrorKind.UnusedInput, Spec.ErrorKind.InputWithoutGrad, Spec.ErrorKind.RequiresGradDType,
        Spec.ErrorKind.NonleafRequiresGrad, Spec.ErrorKind.RetainGradWithoutGrad, Spec.ErrorKind.ShapeError, Spec.ErrorKind.DTypeError, Spec.ErrorKind.IndexError,
        Spec.ErrorKind.ValueError, Spec.ErrorKind.Unsupported, Spec.ErrorKind.OtherError,
    }.ToDictionary(kind => kind.Name);

    public static Spec.ErrorKind Of(AutogradException e) => ByName.TryGetValue(e.KindName, out var kind) ? kind : Spec.ErrorKind.OtherError;
}
