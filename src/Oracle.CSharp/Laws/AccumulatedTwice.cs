namespace Verified.Oracle.Laws;

/// <summary>Gradients accumulate.</summary>
public static class AccumulatedTwice
{
    /// <summary>The law.</summary>
    public static Law Law { get; } = new("accumulated twice", "Two backwards over one graph leave twice the gradients of one.", given =>
        ForwardPart.WithRoot(ForwardPart.Of(given.Program), given.Rng) is { } pullback
            ? new Twins(pullback.Backward(), pullback.Backward(times: 2), pullback.Gradients(2))
            : null)
    {
        Needs = ["accumulate", "retain_graph"],
    };
}
