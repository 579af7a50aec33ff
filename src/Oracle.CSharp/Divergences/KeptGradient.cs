using Microsoft.FSharp.Collections;
using Verified.Oracle.Generation;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>
/// What PyTorch's gradient that is kept from the user gives: the leaf's gradient is the tensor that the user gave, so that what later
/// backwards add shows in it. The program is written with that spelled out, and a finding has to have the value that it then gives.
/// </summary>
internal static class KeptGradient
{
    // A sum of one element passes its gradient on as a view of it; what is predicted from a longer one fits no finding.
    private static readonly HashSet<string> Views =
        ["view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "transpose", "t", "permute", "movedim", "swapaxes", "contiguous", "to", "expand", "broadcast_to", "clone", "sum"];

    // Whose gradient arrives at its first operand as it is.
    private static bool Passes(Step step) =>
        step is { Op: "cat", In: [Arg.Names { Item: [_] }] } || step.Op is "add" or "sub" or "add_" or "sub_" or "copy_" or "requires_grad_" || (step.Op.TrimEnd('_') == "index_put" && KnownDivergences.IsSet(step, "accumulate"));

    /// <summary>Whether a finding has the value that one kept gradient, or all of them, give, or is the error that a derivative kept one and finds it written to.</summary>
    internal static bool Explains(Program program, Finding finding)
    {
        var kept = Kept(program).ToList();
        var choices = kept.Count > 1 ? kept.Select(k => new[] { k }).Append([.. kept]) : kept.Select(k => new[] { k });
        return finding.Raised is { } raised
            ? raised.Kind.IsModifiedInPlace && kept.Exists(k => IsKeptAndAddedTo(program, k))
            : choices.Any(choice => Expectation.Of(SpelledOut(program, choice)).Predicts(finding));
    }

    /// <summary>What a finding in a tensor that was given as a gradient is in the leaves' gradients that it has become.</summary>
    internal static IEnumerable<Finding> Seen(Program program, Finding finding) =>
        finding.Difference is Difference.Value or Difference.Class
            ? Kept(program).Where(kept => kept.Gradient == finding.Name).Select(kept => finding with { Name = kept.Leaf + ".grad" })
            : [];

    // A gradient given to a backward whose root is a leaf but for views; where the root is several tensors joined, the leaf's part of it.
    private sealed record Given(int Backward, string Gradient, string Leaf, IReadOnlyList<Step> Chain, Step? Part);

    private static IEnumerable<Given> Kept(Program program)
    {
        var steps = program.Steps.ToList();
        for (var at = 0; at < steps.Count; at++)
        {
            if (steps[at].Op != "backward") continue;
            for (var i = 0; i < steps[at].In.Length; i++)
            {
                if (steps[at].In[i] is not Arg.Name { Item: var root } || steps[at].Gradients?.Value[i]?.Value is not { } gradient) continue;
                foreach (var given in From(program, at, root, gradient)) yield return given;
            }
        }
    }

    private static IEnumerable<Given> From(Program program, int at, string root, string gradient)
    {
        var joined = KnownDivergences.Steps(program.Steps.Take(at)).LastOrDefault(step => IsJoin(step) && step.Out is Out.Name { Item: var result } && result == root);
        IEnumerable<(string Name, Step? Part)> parts = joined is null ? [(root, null)] : Parts(program, joined);
        foreach (var (part, narrowed) in parts)
        {
            var chain = new List<Step>();
            var name = part;
            var before = new Stack<Step>(KnownDivergences.Steps(program.Steps.Take(at)));
            while (before.TryPop(out var made))
            {
                if (!(made.Out is Out.Name { Item: var result } && result == name) && !(made.Op.EndsWith('_') && First(made) == name)) continue;
                if (IsJoin(made) && chain.Count > 0)
                {
                    foreach (var given in OfOneElement(program, at, made, gradient)) yield return given;
                    chain.Clear();
                    break;
                }

                if (Source(made) is not { } source) break;
                if (View(made) is { } view) chain.Insert(0, view);
                else if (!Passes(made)) break;
                name = source;
            }

            if (chain.Count > 0 || narrowed is not null) yield return new Given(at, gradient, name, chain, narrowed);
        }
    }

    // Joins several tensors, or gives one another dimension.
    private static bool IsJoin(Step step) => step.Op == "stack" || step is { Op: "cat", In: not [Arg.Names { Item: [_] }] };

    // Of a gradient of one element, which views have made that of several tensors joined, each has that element.
    private static IEnumerable<Given> OfOneElement(Program program, int at, Step joined, string gradient)
    {
        if (program.Inputs.FirstOrDefault(input => input.Name == gradient) is not { Tensor.Shape: var shape } || shape.Any(n => n != 1)) yield break;
        var alike = Steps.Call("reshape", [gradient], gradient).With("shape", Attr.NewItems(ListModule.OfSeq(shape.Select(n => Attr.NewInteger(n)))));
        foreach (var (part, _) in Parts(program, joined))
            foreach (var given in From(program, at, part, gradient).DefaultIfEmpty(new Given(at, gradient, part, [], null)))
                yield return given with { Chain = [alike], Part = null };
    }

    // What cat or stack joins, each with the step that takes its part out of the result.
    private static IEnumerable<(string Name, Step? Part)> Parts(Program program, Step joined)
    {
        var states = Run.states<Real>(RegistryModule.all, program).ToList();
        if (joined.In is not [Arg.Names { Item: var names }] || states is not [.., var state]) yield break;
        var dim = joined.Attrs.TryGetValue("dim", out var given) && given is Attr.Integer { Item: var d } ? (int)d : 0;
        if (joined.Op == "stack")
        {
            foreach (var (i, name) in names.Select(n => n?.Value).Index().Where(part => part.Item is not null))
                yield return (name!, Steps.Call("select", [name!], name!).With("dim", Attr.NewInteger(dim)).With("index", Attr.NewInteger(i)));
            yield break;
        }

        var start = 0;
        foreach (var name in names.Select(n => n?.Value))
        {
            if (name is null || ProgramFacts.Find(state, name) is not { Shape: var shape } || dim >= shape.Length || dim < -shape.Length) yield break;
            var length = shape[dim < 0 ? dim + shape.Length : dim];
            yield return (name, Steps.Call("narrow", [name], name).With("dim", Attr.NewInteger(dim)).With("start", Attr.NewInteger(start)).With("length", Attr.NewInteger(length)));
            start += length;
        }
    }

    // What a step passes the gradient that arrives at its result on to: the only tensor that it reads first, or what a copy is made from.
    private static string? Source(Step step) => step is { Op: "copy_", In: [_, Arg.Name { Item: var copied }] } ? copied : First(step);

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

    // After each later backward the gradient that was given is what the leaf's gradient has become, seen through the same views, and so it is after a write to the
    // leaf's gradient; after any other write the leaf's gradient is what was given.
    private static Program SpelledOut(Program program, IReadOnlyList<Given> kept)
    {
        var read = new HashSet<string>();
        var steps = program.Steps.SelectMany((step, at) =>
        {
            if (step.Op == "get_grad" || StepNames.Read(step).Any(read.Contains)) read.UnionWith(StepNames.Bound(step));
            var before = kept.Where(k => k.Backward < at);
            return step.Op == "backward" || IsZeroed(step) || (step.Op.EndsWith('_') && First(step) is { } target && read.Contains(target))
                ? before.Select(k => Written(k, toLeaf: false)).Prepend(step)
                : step.Op.EndsWith('_') ? before.Select(k => Written(k, toLeaf: true)).Prepend(step) : [step];
        });
        return new Program(program.Inputs, ListModule.OfSeq(steps), program.Observe);
    }

    // A step after the backward that kept it reads the gradient, and behind that step another writes to the leaf's.
    private static bool IsKeptAndAddedTo(Program program, Given kept)
    {
        var after = program.Steps.Skip(kept.Backward + 1).SkipWhile(step => step.Op == "backward" || !StepNames.Read(step).Contains(kept.Gradient));
        return after.Skip(1).Any(step => step.Op == "backward" || IsZeroed(step));
    }

    // zero_grad that writes zeros, of all leaves' gradients or of those it names.
    private static bool IsZeroed(Step step) => step.Op == "zero_grad" && step.Attrs.TryGetValue("set_to_none", out var dropped) && dropped is Attr.Flag { Item: false };

    private static Step Written(Given given, bool toLeaf)
    {
        const string seen = "kept gradient", part = "its part";
        List<Step> steps = [Steps.Call("get_grad", [given.Leaf], seen)];
        var kept = given.Gradient;
        if (given.Part is { } narrow)
        {
            steps.Add(new Step(narrow.Op, [Arg.NewName(given.Gradient)], narrow.Attrs, Out.NewName(part), null, null, narrow.Steps));
            kept = part;
        }

        if (given.Part is null && !given.Chain.Any(view => Reordering.Contains(view.Op)))
        {
            // In one row, since they have as many elements in the same order.
            steps.AddRange([Row(seen, seen), Row(kept, part)]);
            kept = part;
        }
        else
        {
            steps.AddRange(given.Chain.Where(s => s.Op is not ("clone" or "contiguous" or "to")).Select(s => new Step(s.Op, ListModule.OfSeq(s.In.Select((arg, i) => i == 0 ? Arg.NewName(seen) : arg)), s.Attrs, Out.NewName(seen), s.Wrt, s.Gradients, s.Steps)));
        }

        return Steps.Block("no_grad", [.. steps, toLeaf ? Steps.Act("copy_", seen, kept) : Steps.Act("copy_", kept, seen)]);
    }

    private static readonly HashSet<string> Reordering = ["transpose", "t", "permute", "movedim", "swapaxes", "expand", "broadcast_to"];

    private static Step Row(string name, string row) => Steps.Call("view", [name], row).With("size", Attr.NewItems([Attr.NewInteger(-1)]));
}
