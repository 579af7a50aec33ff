using Microsoft.FSharp.Collections;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>Failures that are likely the same fault, together: the shortest first, then those whose programs contain its steps.</summary>
public static class FailureGroups
{
    /// <summary>The groups; wrong values first, then the shortest.</summary>
    public static IReadOnlyList<IReadOnlyList<Failure>> Of(IEnumerable<Failure> failures)
    {
        ArgumentNullException.ThrowIfNull(failures);
        var groups = new List<List<Failure>>();
        foreach (var failure in failures.OrderBy(f => Steps(f).Length).ThenBy(Rank).ThenBy(f => f.Signature, StringComparer.Ordinal))
        {
            if (groups.Find(group => IsLike(group[0], failure)) is { } known) known.Add(failure);
            else groups.Add([failure]);
        }

        return [.. groups.OrderBy(group => Rank(group[0]))];
    }

    /// <summary>
    /// The longer program has all steps of the shorter, and differs in the same way; or in another where the shorter has no operator at all,
    /// since what is wrong with autograd itself shows in many ways.
    /// </summary>
    private static bool IsLike(Failure shorter, Failure longer)
    {
        if (shorter.Shrunk.Judgement is null != longer.Shrunk.Judgement is null) return false;
        var alike = Rank(shorter) == Rank(longer) && shorter.Shrunk.Law == longer.Shrunk.Law && shorter.Finding?.Difference == longer.Finding?.Difference
            && Equals(shorter.Key.Errors, longer.Key.Errors);
        // An error that is missing explains no wrong value.
        if (!alike && Rank(shorter) > Rank(longer)) return false;
        if (!alike && Steps(shorter).Any(step => RegistryModule.all.ContainsKey(step.Op.TrimEnd('_')))) return false;
        // As many of each: two backwards are more than one.
        var steps = Steps(longer).CountBy(step => step.Op).ToDictionary();
        return Steps(shorter).CountBy(step => step.Op).All(entry => steps.GetValueOrDefault(entry.Key) >= entry.Value);
    }

    /// <summary>The steps that show it; of a law those of the longer twin.</summary>
    private static FSharpList<Step> Steps(Failure failure) => failure.Shrunk.Twins is { } twins
        ? twins.First.Steps.Length > twins.Second.Steps.Length ? twins.First.Steps : twins.Second.Steps
        : failure.Shrunk.Program.Steps;

    private static int Rank(Failure failure) => failure switch
    {
        { Shrunk.Judgement: null } => 3,
        { Finding.Difference: Difference.Value or Difference.Class } => 0,
        { Finding.Difference: Difference.Raised or Difference.Message } => 2,
        _ => 1,
    };
}
