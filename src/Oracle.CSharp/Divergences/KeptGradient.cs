using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>
/// What PyTorch's gradient that is kept from the user gives: the leaf's gradient is a view of what the user gave, so that what later backwards add shows in it, and
/// what the user writes to it in the leaf's. The specification does the same without one of its rules, and a finding has to be what it then says.
/// </summary>
internal static class KeptGradient
{
    /// <summary>Whether a finding is what the specification says without the rule.</summary>
    internal static bool Explains(Program program, Finding finding) => AsPyTorch(program).Predicts(finding);

    /// <summary>What a finding in a tensor is in the leaves' gradients that have its memory.</summary>
    internal static IEnumerable<Finding> Seen(Program program, Finding finding)
    {
        if (finding.Difference is not (Difference.Value or Difference.Class)) yield break;
        var state = AsPyTorch(program).Ran.Last;
        if (!state.Names.TryGetValue(finding.Name, out var id) || id is null) yield break;
        foreach (var (name, leaf) in state.Names)
            if (leaf is not null && State.tensor(state, leaf.Value).Grad is { } gradient && State.tensor(state, gradient.Value).Storage == State.tensor(state, id.Value).Storage)
                yield return finding with { Name = name + ".grad" };
    }

    private static Expectation AsPyTorch(Program program) => Expectation.Without(Spec.Rules.Gradients.viewsAreNotShared, program);
}
