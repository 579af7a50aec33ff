namespace Verified.Oracle;

/// <summary>The specification itself broke down on a program: a mistake in it, which ends an examination and says nothing of the engine.</summary>
public sealed class SpecificationException(string program, Exception inner)
    : Exception($"the specification broke down on {program} ({inner.GetType().Name}: {inner.Message.ReplaceLineEndings(" ").TrimEnd('.')}); what was examined before stands", inner)
{
    /// <summary>What the specification says, or this where it throws.</summary>
    internal static T Guard<T>(string program, Func<T> said)
    {
        try
        {
            return said();
        }
        catch (Exception e) when (e is not (EngineException or SpecificationException or OperationCanceledException))
        {
            throw new SpecificationException(program, e);
        }
    }
}
