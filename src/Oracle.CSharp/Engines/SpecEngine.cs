using Verified.Spec;

namespace Verified.Oracle;

/// <summary>The specification itself as an engine: it computes in float64 and rounds each value to its dtype once, when it is observed.</summary>
public sealed class SpecEngine : IEngine
{
    /// <inheritdoc/>
    public EngineInfo Info { get; } = new()
    {
        Name = "specification",
        Language = "F#",
        Operators = RegistryModule.all.Values.Where(op => !op.Internal).Select(op => op.Name).ToHashSet(),
    };

    /// <inheritdoc/>
    public RunResult Run(Program program)
    {
        ArgumentNullException.ThrowIfNull(program);
        var outcome = Spec.Run.outcome(RegistryModule.all, program);
        return outcome.Raised is { Value: { Kind.IsUnsupported: true } raised }
            ? new RunResult.Unsupported(raised.Message)
            : new RunResult.Ran(outcome);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
