using Microsoft.FSharp.Collections;
using Verified.Oracle.Generation;
using Verified.Oracle.Shrinking;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle.Laws;

/// <summary>A write to memory that nobody else sees is the same as a new tensor.</summary>
public static class InPlaceTwin
{
    /// <summary>The law.</summary>
    public static Law Law { get; } = new("in-place twin", "op_ on a tensor whose memory nothing shares gives what op gives.", given =>
    {
        var steps = given.Program.Steps.ToList();
        if (!steps.Exists(IsTwin)) return null;
        var states = Run.states<Real>(RegistryModule.all, given.Program).ToList();
        if (states.Count != steps.Count + 1) return null;
        // What an engine's gradients share memory with it need not promise.
        var gradients = StepNames.Gradients(steps);
        var places = Enumerable.Range(0, steps.Count)
            .Where(i => IsTwin(steps[i]) && !gradients.Contains(Written(steps[i])) && IsAlone(states[i], steps[i]) && !BoundLater(steps, i)).ToList();
        if (places.Count == 0) return null;

        var at = given.Rng.Pick(places);
        var name = Written(steps[at]);
        var fresh = name + "_new";
        var twin = new Step(steps[at].Op[..^1], steps[at].In, steps[at].Attrs, Out.NewName(fresh), null, null, FSharpList<Step>.Empty);
        string To(string read) => read == name ? fresh : read;
        var second = given.Program
            .WithSteps([.. steps.Take(at), twin, .. steps.Skip(at + 1).Select(step => step.Renamed(To))])
            .WithObserve(given.Program.Observe.Select(o => o is Observed.Value { Item: var seen } && seen == name ? Observed.NewValue(fresh) : o));
        var pairs = given.Program.Observe
            .Where(o => o.Text != name + ".grad")
            .Select(o => new Pair(o.Text, o.Text == name ? fresh : o.Text));
        return new Twins(given.Program, second, [.. pairs]);
    })
    {
        Needs = ["in_place"],
    };

    private static string Written(Step step) => ((Arg.Name)step.In.Head).Item;

    private static bool IsTwin(Step step) =>
        step.Op.EndsWith('_') && step.Out.IsNothing && !step.In.IsEmpty && step.In.Head.IsName
        && RegistryModule.all.TryGetValue(step.Op[..^1], out var op) && op.InPlace && op.Behaviour.IsComputes;

    private static bool BoundLater(List<Step> steps, int at) =>
        steps.Skip(at + 1).SelectMany(All).Any(step => StepNames.Bound(step).Contains(Written(steps[at])))
        || steps.SelectMany(All).Any(step => step.Op is "register_hook" or "retain_grad" or "get_grad" or "zero_grad" && StepNames.Read(step).Contains(Written(steps[at])));

    private static IEnumerable<Step> All(Step step) => step.Steps.SelectMany(All).Prepend(step);

    // No other variable, and no gradient, lies in the same memory; and every operand has the written tensor's dtype.
    private static bool IsAlone(State<Real> state, Step step)
    {
        var name = Written(step);
        if (!Found(state, name, out var written) || written.View is not null || written.RetainsGrad) return false;
        foreach (var (other, id) in state.Names)
        {
            if (id is null) continue;
            var tensor = State.tensor(state, id.Value);
            if (other != name && tensor.Storage == written.Storage) return false;
            if (tensor.Grad is { } grad && State.tensor(state, grad.Value).Storage == written.Storage) return false;
        }

        return StepNames.Read(step).All(read => Found(state, read, out var operand) && (!operand.DType.IsFloat || operand.DType.Equals(written.DType)))
            && written.DType.IsFloat;
    }

    private static bool Found(State<Real> state, string name, out Tensor<Real> tensor)
    {
        tensor = null!;
        if (!state.Names.TryGetValue(name, out var id) || id is null) return false;
        tensor = State.tensor(state, id.Value);
        return true;
    }
}
