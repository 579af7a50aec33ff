using Microsoft.FSharp.Collections;
using Verified.Oracle.Generation;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>
/// What PyTorch's gradient that is kept from the user gives: the leaf's gradient is the tensor that the user gave, so that what later
/// backwards add shows in it. The program is written with that spelled out, and a finding has to have the value that it then gives.
/// </summary>
internal static class KeptGradient
{
    private static readonly HashSet<string> Views =
        ["view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "transpose", "t", "permute", "movedim", "swapaxes", "contiguous", "to", "expand", "broadcast_to"];

    /// <summary>Whether a finding has the value that one kept gradient, or all of them, give.</summary>
    internal static bool Explains(Program program, Finding finding)
    {
        var kept = Kept(program).ToList();
        var choices = kept.Count > 1 ? kept.Select(k => new[] { k }).Append([.. kept]) : kept.Select(k => new[] { k });
        return choices.Any(choice => Expectation.Of(SpelledOut(program, choice)).Predicts(finding));
    }

    // A gradient given to a backward whose root is a leaf but for views.
    private sealed record Given(int Backward, string Gradient, string Leaf, IReadOnlyList<Step> Chain);

    private static IEnumerable<Given> Kept(Program program)
    {
        var steps = program.Steps.ToList();
        for (var at = 0; at < steps.Count; at++)
        {
            if (steps[at].Op != "backward") continue;
            for (var i = 0; i < steps[at].In.Length; i++)
            {
                if (steps[at].In[i] is not Arg.Name { Item: var root } || steps[at].Gradients?.Value[i]?.Value is not { } gradient) continue;
                var chain = new List<Step>();
                var name = root;
                while (steps.Take(at).LastOrDefault(s => s.Out is Out.Name { Item: var result } && result == name) is { } made && Views.Contains(made.Op) && made.In[0] is Arg.Name { Item: var source })
                {
                    chain.Insert(0, made);
                    name = source;
                }

                if (chain.Count > 0) yield return new Given(at, gradient, name, chain);
            }
        }
    }

    // After each later backward the gradient that was given is what the leaf's gradient has become, seen through the same views.
    private static Program SpelledOut(Program program, IReadOnlyList<Given> kept)
    {
        var steps = program.Steps.SelectMany((step, at) =>
            step.Op == "backward" ? kept.Where(k => k.Backward < at).Select(Written).Prepend(step) : [step]);
        return new Program(program.Inputs, ListModule.OfSeq(steps), program.Observe);
    }

    private static Step Written(Given given)
    {
        const string seen = "kept gradient";
        var views = given.Chain.Select(s => new Step(s.Op, ListModule.OfSeq(s.In.Select((arg, i) => i == 0 ? Arg.NewName(seen) : arg)), s.Attrs, Out.NewName(seen), s.Wrt, s.Gradients, s.Steps));
        return Steps.Block("no_grad", [Steps.Call("get_grad", [given.Leaf], seen), .. views, Steps.Act("copy_", given.Gradient, seen)]);
    }
}
