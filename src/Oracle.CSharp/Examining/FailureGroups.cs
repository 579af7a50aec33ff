namespace Verified.Oracle;

/// <summary>Failures that are likely the same fault, together: the shortest first, then those whose programs contain its steps and differ in the same way.</summary>
internal static class FailureGroups
{
    /// <summary>The groups; wrong values first, then the shortest.</summary>
    public static IReadOnlyList<IReadOnlyList<Failure>> Of(IEnumerable<Failure> failures)
    {
        var groups = new List<List<Failure>>();
        foreach (var failure in failures.OrderBy(f => f.Shrunk.Program.Steps.Length).ThenBy(f => f.Signature, StringComparer.Ordinal))
        {
            if (groups.Find(group => IsLike(group[0], failure)) is { } known) known.Add(failure);
            else groups.Add([failure]);
        }

        return [.. groups.OrderBy(group => Rank(group[0]))];
    }

    private static bool IsLike(Failure shorter, Failure longer)
    {
        if (Rank(shorter) != Rank(longer) || shorter.Shrunk.Law != longer.Shrunk.Law || shorter.Finding?.Difference != longer.Finding?.Difference) return false;
        // As many of each: two backwards are more than one.
        var steps = longer.Shrunk.Program.Steps.CountBy(step => step.Op).ToDictionary();
        return shorter.Shrunk.Program.Steps.CountBy(step => step.Op).All(entry => steps.GetValueOrDefault(entry.Key) >= entry.Value);
    }

    private static int Rank(Failure failure) => failure switch
    {
        { Shrunk.Judgement: null } => 3,
        { Finding.Difference: Difference.Value or Difference.Class } => 0,
        { Finding.Difference: Difference.Raised or Difference.Message } => 2,
        _ => 1,
    };
}
