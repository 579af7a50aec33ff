using Verified.Spec;

namespace Verified.Oracle.Laws;

/// <summary>Pulling back is linear; by a power of two exactly so, in float64, where nothing ordinary underflows.</summary>
public static class LinearInUpstream
{
    /// <summary>The law.</summary>
    public static Law Law { get; } = new("linear", "An upstream gradient times a power of two gives gradients times that power of two.", given =>
    {
        var forward = ForwardPart.InFloat64(ForwardPart.Of(given.Program));
        if (!forward.Inputs.All(IsOrdinary) || ForwardPart.WithRoot(forward, given.Rng) is not { } pullback) return null;
        var factor = Math.ScaleB(1, given.Rng.Pick([-3, -1, 1, 2, 5]));
        var values = ((Data.Floats)pullback.Upstream.Tensor.Data).Item;
        var scaled = new Literal(pullback.Upstream.Tensor.DType, pullback.Upstream.Tensor.Shape, Data.NewFloats(Array.ConvertAll(values, v => v * factor)));
        return new Twins(pullback.Backward(), pullback.Backward(upstream: scaled), pullback.Gradients(factor));
    })
    {
        Needs = ["float64"],
    };

    // Very large and very small numbers may overflow or underflow on one side alone.
    private static bool IsOrdinary(Input input) => input.Tensor.Data is not Data.Floats { Item: var values }
        || values.All(v => v == 0 || (Math.Abs(v) > 1e-4 && Math.Abs(v) < 1e4));
}
