using Microsoft.FSharp.Collections;
using Verified.Oracle.Generation;
using Verified.Oracle.Shrinking;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>
/// PyTorch keeps the hooks of a tensor in a dictionary that it makes at the first of them, and hands to the history that the tensor has then. A write makes it begin
/// another one; <c>t_</c> and <c>squeeze_</c> do not, though they give the tensor another history: what is hooked from then on runs with what was hooked before.
/// </summary>
internal static class EarlierHook
{
    /// <summary>Whether a finding has the value that the program gives with such hooks before the step that gave the tensor another history.</summary>
    internal static bool Explains(Sighting seen)
    {
        var program = seen.Program;
        var moved = Moved(program).ToLookup(hook => hook.To, hook => hook.From);
        if (moved.Count == 0) return false;
        var gone = moved.SelectMany(hooks => hooks).ToHashSet();
        // Blocks in the places of steps, so that the others keep theirs.
        return seen.IsRightFor(program.WithSteps([.. program.Steps.Select((step, at) =>
            gone.Contains(at) ? Steps.Block("no_grad", [])
            : moved.Contains(at) ? Steps.Block("enable_grad", [.. moved[at].Select(from => program.Steps[from].On(ListModule.OfSeq(step.In.Take(1)), null)), step])
            : step)]));
    }

    // The places of steps that hook a tensor, each with that of the step before which it is as good as hooked.
    private static IEnumerable<(int From, int To)> Moved(Program program)
    {
        var states = Run.states<Real>(RegistryModule.all, program).ToList();
        var hooked = new HashSet<int>();
        var since = new Dictionary<int, int>();
        for (var i = 0; i + 1 < states.Count; i++)
        {
            var step = program.Steps[i];
            var first = StepNames.Read(step).FirstOrDefault() is { } name && states[i].Names.TryGetValue(name, out var id) ? id?.Value : null;
            if (step.Op == "register_hook" && first is { } tensor)
            {
                if (since.TryGetValue(tensor, out var at)) yield return (i, at);
                else hooked.Add(tensor);
                continue;
            }

            var again = hooked.Where(each => ProgramFacts.BeginsAnotherHistory(states[i], states[i + 1], each)).ToList();
            foreach (var each in again)
                if (step.Op is "t_" or "squeeze_" && each == first) since.TryAdd(each, i);
                else if (hooked.Remove(each)) since.Remove(each);
        }
    }
}
