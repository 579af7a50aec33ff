using Verified.Oracle.Generation;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>The names of a program that a person wrote: one that nothing before it binds is a slip of the pen.</summary>
public static class ProgramNames
{
    /// <summary>The first place that reads a name which no input and no earlier step binds, as <c>steps[0] (exp): nothing before binds 'z'</c>; null where there is none.</summary>
    public static string? Complaint(Program program)
    {
        ArgumentNullException.ThrowIfNull(program);
        var bound = program.Inputs.Select(input => input.Name).ToHashSet();
        if (In(program.Steps, "steps", bound) is { } complaint) return complaint;
        var observed = program.Observe.Select(each => each is Observed.Gradient gradient ? gradient.Item : ((Observed.Value)each).Item).ToList();
        var missing = observed.FindIndex(name => !bound.Contains(name));
        return missing < 0 ? null : $"observe[{missing}]: nothing binds '{observed[missing]}'";
    }

    private static string? In(IEnumerable<Step> steps, string path, HashSet<string> bound)
    {
        foreach (var (index, step) in steps.Index())
        {
            if (StepNames.Read(step).FirstOrDefault(name => !bound.Contains(name)) is { } missing) return $"{path}[{index}] ({step.Op}): nothing before binds '{missing}'";
            if (In(step.Steps, $"{path}[{index}].steps", bound) is { } complaint) return complaint;
            bound.UnionWith(StepNames.Bound(step));
        }

        return null;
    }
}
