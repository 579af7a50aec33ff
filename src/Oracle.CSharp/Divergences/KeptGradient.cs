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
    internal static bool Explains(Sighting seen) => seen.IsRightWithout(Spec.Rules.Gradients.viewsAreNotShared);

    /// <summary>What a finding in an element of a tensor is in the leaves' gradients that have its memory.</summary>
    internal static IEnumerable<Sighting> Elsewhere(Sighting seen)
    {
        if (seen is not { HasWrongElements: true, Finding: { Index: { } index } finding }) yield break;
        var state = AsPyTorch(seen).Ran.Last;
        if (!state.Names.TryGetValue(finding.Name, out var id) || id is null) yield break;
        var tensor = State.tensor(state, id.Value);
        var places = Positions.ofGeometry(tensor.Geometry);
        foreach (var (name, leaf) in state.Names)
        {
            if (leaf is null || State.tensor(state, leaf.Value).Grad is not { } kept || State.tensor(state, kept.Value) is not { } gradient || gradient.Storage != tensor.Storage) continue;
            var at = Array.IndexOf(Positions.ofGeometry(gradient.Geometry), places[index]);
            if (at >= 0) yield return seen with { Finding = finding with { Name = name + ".grad", Index = at } };
        }
    }

    private static Expectation AsPyTorch(Sighting seen) => Expectation.Without([Spec.Rules.Gradients.viewsAreNotShared], seen.Program, seen.Engine.Ulp);
}
