namespace Verified.Oracle;

/// <summary>The registry of PyTorch's known divergences.</summary>
public static class KnownDivergences
{
    /// <summary>All of them, in the order in which they are tried.</summary>
    public static IReadOnlyList<Divergence> All { get; } =
    [
        .. KnownFarOut.Entries,
        .. KnownOfDerivatives.Entries,
        .. KnownOfGradients.Entries,
        .. KnownOfOperands.Entries,
        .. KnownOfHistories.Entries,
        .. KnownOfInference.Entries,
        .. KnownOfChecks.Entries,
        .. KnownOfIndexPut.Entries,
        .. KnownAssertions.Entries,
    ];

    /// <summary>The version of PyTorch of which the registry holds: what another one does is not excused.</summary>
    public const string Version = "2.6";

    /// <summary>What a report says of an engine that the registry is not for; null where there is nothing to say.</summary>
    public static string? Note(EngineInfo engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        return engine.Name == PyTorch && !Concerns(engine)
            ? $"The registry of PyTorch's known divergences holds of version {Version}: none is excused in {engine.Version}."
            : null;
    }

    /// <summary>The divergence that explains what an engine was seen to do, if it is PyTorch's and known; null otherwise.</summary>
    public static Divergence? Explaining(Sighting seen)
    {
        ArgumentNullException.ThrowIfNull(seen);
        return Concerns(seen.Engine) ? KeptGradient.Elsewhere(seen).Prepend(seen).Select(Covering).FirstOrDefault(divergence => divergence is not null) : null;
    }

    private static Divergence? Covering(Sighting seen) => All.FirstOrDefault(divergence => divergence.Covers(seen));

    private const string PyTorch = "PyTorch";

    // Whether the registry is for an engine: PyTorch of the version that was measured.
    internal static bool Concerns(EngineInfo engine) =>
        engine.Name == PyTorch && (engine.Version == Version || engine.Version.StartsWith(Version + ".", StringComparison.Ordinal));
}
