using Verified.Engine;
using Verified.Oracle;
using Verified.Spec;

namespace Verified;

/// <summary>The built-in engine under examination: programs run through its registry, in process.</summary>
public sealed class BuiltInEngine : IEngine
{
    private readonly OperatorRegistry _registry;
    private readonly StructuralSteps _structural;

    /// <summary>The engine with its own operators, or with a registry in which some are replaced.</summary>
    /// <param name="registry">The operators; the engine's own where null.</param>
    /// <param name="structural">The structural steps; the engine's own where null. Planted bugs replace them.</param>
    public BuiltInEngine(OperatorRegistry? registry = null, StructuralSteps? structural = null)
    {
        _registry = registry ?? OperatorRegistry.Default;
        _structural = structural ?? StructuralSteps.Default;
        Info = new EngineInfo
        {
            Name = "Verified.Engine",
            Version = typeof(Tensor).Assembly.GetName().Version?.ToString(3) ?? "",
            Language = "C#",
            // Not those by which the engine makes its derivatives: no program names them.
            Operators = _registry.Names.Concat(_structural.Names).Where(ProgramNames.Exists).ToHashSet(),
        };
    }

    /// <inheritdoc/>
    public EngineInfo Info { get; }

    /// <inheritdoc/>
    public RunResult Run(Program program)
    {
        ArgumentNullException.ThrowIfNull(program);
        try
        {
            return new RunResult.Ran(new ProgramRun(_registry, _structural).Run(program));
        }
        catch (UnsupportedStepException e)
        {
            return new RunResult.Unsupported(e.Message);
        }
        catch (MalformedProgramException e)
        {
            return new RunResult.Failed(e.Message);
        }
#pragma warning disable CA1031 // Whatever else an engine under examination throws is a finding, and must not end the examination.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return new RunResult.Broken(BreakKind.Crash, $"{e.GetType().Name}: {e.Message} {Place(e)}");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static string Place(Exception e) => e.StackTrace?.Split('\n').FirstOrDefault()?.Trim() ?? "";
}

/// <summary>A step whose operator the engine does not have.</summary>
internal sealed class UnsupportedStepException(string op) : Exception(op);

/// <summary>A program that no engine could run, such as one that uses a name which nothing has defined.</summary>
internal sealed class MalformedProgramException(string message) : Exception(message);
