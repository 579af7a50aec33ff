using Verified.Oracle.Generation;
using Verified.Oracle.Shrinking;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>
/// PyTorch keeps the hooks of a tensor in a dictionary that it makes at the first of them, and hands to the history that the tensor has then. One that had no
/// history, and gets its first by a write to a view of it, keeps the dictionary: what is hooked from then on is never run.
/// </summary>
internal static class LostHook
{
    /// <summary>Whether a finding has the value that the program gives without the hooks that are lost.</summary>
    internal static bool Explains(Sighting seen)
    {
        var program = seen.Program;
        var lost = Lost(program).ToHashSet();
        if (lost.Count == 0) return false;
        var handles = lost.SelectMany(at => StepNames.Bound(program.Steps[at])).ToHashSet();
        bool IsInVain(Step step, int at) => lost.Contains(at) || (step.Op == "remove_hook" && StepNames.Read(step).Any(handles.Contains));
        // A block of nothing in its place, so that the others keep theirs.
        return seen.IsRightFor(program.WithSteps([.. program.Steps.Select((step, at) => IsInVain(step, at) ? Steps.Block("no_grad", []) : step)]));
    }

    // The places of steps that hook a tensor in vain.
    private static IEnumerable<int> Lost(Program program)
    {
        var states = Run.states<Real>(RegistryModule.all, program).ToList();
        var hooked = new HashSet<int>();
        var deaf = new HashSet<int>();
        for (var i = 0; i + 1 < states.Count; i++)
        {
            var step = program.Steps[i];
            if (StepNames.Read(step).FirstOrDefault() is not { } first || !states[i].Names.TryGetValue(first, out var id) || id is null) continue;
            if (step.Op == "register_hook")
            {
                if (deaf.Contains(id.Value)) yield return i;
                hooked.Add(id.Value);
            }
            else if (step.Op.EndsWith('_'))
            {
                bool HasHistory(int tensor, int at) => State.tensor(states[at], tensor).GradFn is not null;
                // A write to the tensor itself makes it begin another dictionary.
                if (HasHistory(id.Value, i) && step.Op is not ("t_" or "squeeze_" or "setitem_") && ProgramFacts.BeginsAnotherHistory(states[i], states[i + 1], id.Value))
                {
                    deaf.Remove(id.Value);
                    hooked.Remove(id.Value);
                }
                deaf.UnionWith(hooked.Where(tensor => !HasHistory(tensor, i) && HasHistory(tensor, i + 1) && (tensor != id.Value || step.Op == "setitem_")));
            }
        }
    }
}
