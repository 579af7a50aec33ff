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

    // Whose gradient arrives at its first operand as it is.
    private static readonly HashSet<string> Passing = ["add", "sub", "cat"];

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
                var before = new Stack<Step>(KnownDivergences.Steps(steps.Take(at)));
                while (before.TryPop(out var made))
                {
                    if (!(made.Out is Out.Name { Item: var result } && result == name) && !(made.Op.EndsWith('_') && First(made) == name)) continue;
                    if (First(made) is not { } source) break;
                    if (View(made) is { } view) chain.Insert(0, view);
                    else if (!Passing.Contains(made.Op)) break;
                    name = source;
                }

                if (chain.Count > 0) yield return new Given(at, gradient, name, chain);
            }
        }
    }

    // The only tensor that a step reads first.
    private static string? First(Step step) => step.In.IsEmpty ? null : step.In.Head switch
    {
        Arg.Name { Item: var name } => name,
        Arg.Names { Item: [{ Value: var name }] } => name,
        _ => null,
    };

    // The view that a step takes, written out of place; null where it takes none.
    private static Step? View(Step step) =>
        step.Op == "stack" ? new Step("unsqueeze", step.In, step.Attrs.ContainsKey("dim") ? step.Attrs : step.Attrs.Add("dim", Attr.NewInteger(0)), step.Out, step.Wrt, step.Gradients, step.Steps)
        : Views.Contains(step.Op.TrimEnd('_')) ? new Step(step.Op.TrimEnd('_'), step.In, step.Attrs, step.Out, step.Wrt, step.Gradients, step.Steps)
        : null;

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
