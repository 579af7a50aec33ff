using Verified.Oracle.Shrinking;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle.Laws;

/// <summary>To gradients a detached tensor is a constant.</summary>
public static class DetachTwin
{
    /// <summary>The law.</summary>
    public static Law Law { get; } = new("detach twin", "A detached tensor that nobody writes to gives what a constant of the same value gives.", given =>
    {
        // In float64, since the specification as an engine keeps more than float32 shows of a value.
        var program = ForwardPart.InFloat64(given.Program);
        var steps = program.Steps.ToList();
        if (steps.Exists(Writes)) return null;
        var places = Enumerable.Range(0, steps.Count).Where(i => steps[i].Op is "detach" or "data" && steps[i].Out.IsName).ToList();
        if (places.Count == 0) return null;

        var at = given.Rng.Pick(places);
        var name = ((Out.Name)steps[at].Out).Item;
        var before = program.WithSteps(steps.Take(at + 1)).WithObserve([Observed.NewValue(name)]);
        if (!IsContiguous(before, name) || given.Run(before) is not { Raised: null } outcome || outcome.Values.IsEmpty || outcome.Values.Head.Item2 is not { } value) return null;
        var second = program
            .WithInputs([.. program.Inputs, new Input(name, value.Value.Tensor, false)])
            .WithSteps([.. steps.Take(at), .. steps.Skip(at + 1)]);
        return new Twins(program, second, [.. program.Observe.Select(o => new Pair(o.Text, o.Text))]);
    })
    {
        Needs = ["detach", "float64"],
    };

    // An operator may write to an argument by the way, as training batch_norm does to its running statistics.
    internal static bool Writes(Step step) => step.Op.EndsWith('_') || Needs.Record(step) is { Updates.IsEmpty: false } || step.Steps.Any(Writes);

    // That strides do not matter is another law.
    private static bool IsContiguous(Program program, string name)
    {
        var ran = Run.run<Real>(RegistryModule.all, program);
        if (ran.Raised is not null || !ran.Last.Names.TryGetValue(name, out var id) || id is null) return false;
        var geometry = State.tensor(ran.Last, id.Value).Geometry;
        return geometry.Strides.AsSpan().SequenceEqual(Shape.strides(geometry.Shape));
    }
}
