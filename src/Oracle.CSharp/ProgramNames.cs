using Microsoft.FSharp.Collections;
using Verified.Oracle.Generation;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>
/// The names of a program that a person wrote: one that nothing before it binds, an operator that nobody has, and an attribute or a tensor too many are slips of the
/// pen.
/// </summary>
public static class ProgramNames
{
    /// <summary>
    /// The first place that reads a name which no input and no earlier step binds, as <c>steps[0] (exp): nothing before binds 'z'</c>, or that holds what its operator does not take, as
    /// <c>steps[0] (sum): sum has no attribute 'dims'; it has dim, keepdim, dtype</c>; null where there is none.
    /// </summary>
    public static string? Complaint(Program program)
    {
        ArgumentNullException.ThrowIfNull(program);
        var bound = program.Inputs.Select(input => input.Name).ToHashSet();
        if (In(program.Steps, "steps", bound) is { } complaint) return complaint;
        var observed = program.Observe.Select(each => each is Observed.Gradient gradient ? gradient.Item : ((Observed.Value)each).Item).ToList();
        var missing = observed.FindIndex(name => !bound.Contains(name));
        return missing < 0 ? null : $"observe[{missing}]: nothing binds '{observed[missing]}'";
    }

    /// <summary>The first place at which the specification lacks something, as <c>steps[0]: there is no operator 'expp'</c>; null where there is none.</summary>
    /// <param name="program">The program.</param>
    /// <param name="namesAlone">Whether a known operator that lacks an option is passed over.</param>
    public static string? Unknown(Program program, bool namesAlone = false)
    {
        ArgumentNullException.ThrowIfNull(program);
        if (Spec.Run.run<Real>(RegistryModule.all, program).Raised?.Value is not { Kind.IsUnsupported: true } raised) return null;
        var steps = program.Steps;
        foreach (var index in raised.Step.Take(raised.Step.Length - 1)) steps = steps[index].Steps;
        if (namesAlone && RegistryModule.all.ContainsKey(steps[raised.Step[raised.Step.Length - 1]].Op.TrimEnd('_'))) return null;
        return $"steps[{string.Join("].steps[", raised.Step)}]: {raised.Message}";
    }

    /// <summary>Whether the specification has an operator, in place or not, or a structural step of this name.</summary>
    public static bool Exists(string op)
    {
        ArgumentNullException.ThrowIfNull(op);
        return Unknown(new Program(FSharpList<Input>.Empty, ListModule.Singleton(Steps.Act(op)), FSharpList<Observed>.Empty), namesAlone: true) is null;
    }

    private static string? In(IEnumerable<Step> steps, string path, HashSet<string> bound)
    {
        foreach (var (index, step) in steps.Index())
        {
            if (StepForms.complaint(RegistryModule.all, step)?.Value is { } form) return $"{path}[{index}] ({step.Op}): {form}";
            if (StepNames.Read(step).FirstOrDefault(name => !bound.Contains(name)) is { } missing) return $"{path}[{index}] ({step.Op}): nothing before binds '{missing}'";
            if (In(step.Steps, $"{path}[{index}].steps", bound) is { } complaint) return complaint;
            bound.UnionWith(StepNames.Bound(step));
        }

        return null;
    }
}
