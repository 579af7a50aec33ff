using Microsoft.FSharp.Collections;
using Verified.Oracle.Generation;
using Verified.Oracle.Shrinking;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle.Laws;

/// <summary>Broadcasting is expanding; un-broadcasting is summing.</summary>
public static class BroadcastTwin
{
    /// <summary>The law.</summary>
    public static Law Law { get; } = new("broadcast twin", "An operand that is broadcast gives what it gives when it is expanded first.", given =>
    {
        var steps = given.Program.Steps.ToList();
        if (!steps.Exists(Broadcasts)) return null;
        var states = Run.states<Real>(RegistryModule.all, given.Program).ToList();
        var places = new List<(int At, int Arg, int[] Shape)>();
        for (var i = 0; i + 1 < states.Count; i++)
            if (Broadcasts(steps[i])) places.AddRange(Narrower(states[i], states[i + 1], steps[i]).Select(found => (i, found.Arg, found.Shape)));
        if (places.Count == 0) return null;

        var (at, arg, shape) = given.Rng.Pick(places);
        var step = steps[at];
        var operand = ((Arg.Name)step.In[arg]).Item;
        var wide = operand + "_expanded";
        var expand = Steps.Call("expand", [operand], wide).With("size", Attr.NewItems(ListModule.OfSeq(shape.Select(d => Attr.NewInteger(d)))));
        var twin = new Step(
            step.Op, ListModule.OfSeq(step.In.Select((a, k) => k == arg ? Arg.NewName(wide) : a)), step.Attrs, step.Out, step.Wrt, step.Gradients, step.Steps);
        var second = given.Program.WithSteps([.. steps.Take(at), expand, twin, .. steps.Skip(at + 1)]);
        return new Twins(given.Program, second, [.. given.Program.Observe.Select(o => new Pair(o.Text, o.Text))]);
    })
    {
        Needs = [EngineFeatures.Layouts, EngineFeatures.Broadcasting, "views", "expand"],
    };

    /// <summary>Pointwise on several tensors: shapes that broadcast are all that it asks for.</summary>
    private static bool Broadcasts(Step step) =>
        RegistryModule.all.TryGetValue(step.Op, out var op) && !op.Behaviour.IsAliases && !op.OnlyInPlace && op.Shapes.IsEmpty && step.Out.IsName
        && step.In.Length > 1 && step.In.All(arg => arg.IsName) && op.Args.All(kind => kind.IsFloat || kind.IsAny)
        && !op.Attrs.Any(attr => attr.Kind.IsDim || attr.Kind.IsDims || attr.Kind.IsSize);

    private static IEnumerable<(int Arg, int[] Shape)> Narrower(State<Real> before, State<Real> after, Step step)
    {
        var result = Tensor(after, ((Out.Name)step.Out).Item);
        var operands = step.In.Select(arg => Tensor(before, ((Arg.Name)arg).Item)).ToList();
        // Of several dtypes a tensor without dimensions counts less: expanded, it would count in full.
        if (result is null || operands.Exists(operand => operand is null || !operand.DType.Equals(operands[0]!.DType))) yield break;
        for (var i = 0; i < operands.Count; i++)
            if (operands.All(o => Fits(o!.Shape, result.Shape)) && !operands[i]!.Shape.AsSpan().SequenceEqual(result.Shape))
                yield return (i, result.Shape);
    }

    private static bool Fits(int[] from, int[] to) =>
        from.Length <= to.Length && Enumerable.Range(1, from.Length).All(i => from[^i] == 1 || from[^i] == to[^i]);

    private static Tensor<Real>? Tensor(State<Real> state, string name) =>
        state.Names.TryGetValue(name, out var id) && id is not null ? State.tensor(state, id.Value) : null;
}
