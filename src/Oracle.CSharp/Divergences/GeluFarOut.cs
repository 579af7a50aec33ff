using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>gelu as oneDNN has it in float32: of an infinity NaN, since its erf of one is; of more than half the largest number infinite, since it is doubled before it is halved.</summary>
internal sealed class GeluFarOut : Forward
{
    private static readonly Forward Exact = ((Behaviour.Computes)RegistryModule.all["gelu"].Behaviour).Item;

    private static FSharpMap<string, Operator> Registry { get; } = RegistryModule.computing("gelu", new GeluFarOut(), RegistryModule.all);

    /// <summary>Whether a finding is that NaN, or what comes of it: a comparison that it decides, say.</summary>
    internal static bool ExplainsNaN(Sighting seen) => seen.Depends(0, ProgramFacts.TakesGeluOfInfinity) && (seen.HasNaN || IsRight(seen));

    /// <summary>Whether a finding is that infinity, or what comes of it.</summary>
    internal static bool ExplainsInfinity(Sighting seen) => seen.Depends(0, ProgramFacts.TakesGeluOfMoreThanHalf) && IsRight(seen);

    private static bool IsRight(Sighting seen) => seen.HasWrongElements && seen.IsRightBy(Expectation.Of(seen.Program, seen.Engine.Ulp, Registry));

    /// <inheritdoc/>
    public FSharpResult<FSharpList<Value<S>>, Complaint> Of<S>(Call<S> call)
        where S : IScalar<S>
    {
        var exact = Exact.Of(call);
        if (exact.IsError || call.In[0]?.Value is not { } input || !input.DType.Equals(DType.Float32)) return exact;
        var y = exact.ResultValue.Head;
        var byTanh = call.Attrs.TryGetValue("approximate", out var named) && named is Attr.Text { Item: "tanh" };
        var values = ((Elements<S>.Floats)y.Elements).Item.Zip(
            ((Elements<S>.Floats)input.Elements).Item,
            (v, x) => double.IsInfinity(S.Value(x)) ? S.Constant(double.NaN) : S.Value(x) > float.MaxValue / 2 && !byTanh ? S.Constant(double.PositiveInfinity) : v);
        return FSharpResult<FSharpList<Value<S>>, Complaint>.NewOk(ListModule.OfSeq([new Value<S>(y.DType, y.Shape, Elements<S>.NewFloats([.. values]))]));
    }
}
