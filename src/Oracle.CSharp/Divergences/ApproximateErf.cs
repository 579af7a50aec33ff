using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>
/// gelu and its derivative as oneDNN has them in float32: their erf is the rational approximation 7.1.26 of Abramowitz and Stegun, "Handbook of Mathematical
/// Functions", of which they state an error of at most 1.5e-7.
/// </summary>
internal sealed class ApproximateErf : Forward
{
    // Theirs, and that of the last subtraction from 1 and what leads to it, in float32.
    private const double Error = 1.5e-7 + (4.0 / (1 << 23));

    private readonly Forward _exact;
    private readonly bool _isGelu;

    // Of gelu, or of the erf that its derivative is made of.
    private ApproximateErf(string name)
    {
        _exact = ((Behaviour.Computes)RegistryModule.all[name].Behaviour).Item;
        _isGelu = name == "gelu";
    }

    private static FSharpMap<string, Operator> Registry { get; } = new[] { "gelu", "erf" }
        .Aggregate(RegistryModule.all, (registry, name) => RegistryModule.computing(name, new ApproximateErf(name), registry));

    /// <summary>Whether a finding lies within what that error may give.</summary>
    internal static bool Explains(Sighting seen) =>
        seen.Finding.Difference == Difference.Value && seen.IsRightBy(Expectation.Of(seen.Program, seen.Engine.Ulp, Registry));

    /// <inheritdoc/>
    public FSharpResult<FSharpList<Value<S>>, Complaint> Of<S>(Call<S> call)
        where S : IScalar<S>
    {
        var exact = _exact.Of(call);
        var isTanh = call.Attrs.TryGetValue("approximate", out var named) && named is Attr.Text { Item: "tanh" };
        if (isTanh || exact.IsError || call.In[0]?.Value is not { } input || !input.DType.Equals(DType.Float32)) return exact;
        var y = exact.ResultValue.Head;
        var values = ((Elements<S>.Floats)y.Elements).Item.Zip(((Elements<S>.Floats)input.Elements).Item, (v, x) =>
        {
            var most = _isGelu ? S.Mul(S.Constant(0.5 * Error), x) : S.Constant(Error);
            return S.Permitted([v, S.Add(v, most), S.Sub(v, most)]);
        });
        var approximate = new Value<S>(y.DType, y.Shape, Elements<S>.NewFloats([.. values]));
        return FSharpResult<FSharpList<Value<S>>, Complaint>.NewOk(ListModule.OfSeq([approximate]));
    }
}
