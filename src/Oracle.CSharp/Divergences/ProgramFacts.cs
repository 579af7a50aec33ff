using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>What a program does, as far as a divergence depends on it: found by running the specification over it.</summary>
internal static class ProgramFacts
{
    /// <summary>Whether an in-place step reads a tensor that shares memory with what it writes, laid out in another way.</summary>
    internal static bool ReadsWhatItWrites(Program program) => Before(program).Any(at => SharedOperand(at.State, at.Step) is not null);

    /// <summary>The first operand of an in-place step that shares memory with what the step writes, laid out in another way.</summary>
    internal static string? SharedOperand(State<Real> state, Step step)
    {
        if (!step.Op.EndsWith('_')) return null;
        var operands = step.In.OfType<Arg.Name>().Select(arg => arg.Item).ToList();
        return operands.Skip(1).FirstOrDefault(operand =>
            Find(state, operands[0]) is { } written && Find(state, operand) is { } read
            && written.Storage == read.Storage && !written.Geometry.Equals(read.Geometry));
    }

    /// <summary>The views retained while they had only their base's history: it is given to them when something asks for it.</summary>
    internal static IEnumerable<string> RetainedBeforeItsHistoryWasAskedFor(Program program) =>
        from at in Before(program)
        where at.Step.Op == "retain_grad"
        let name = at.Step.In.OfType<Arg.Name>().First().Item
        where Find(at.State, name) is { GradFn: null, RequiresGrad: false } view && History.requiresGrad(at.State, view)
        select name;

    /// <summary>Whether an index_put writes several values to one place.</summary>
    internal static bool WritesAPlaceTwice(Program program) => Before(program).Any(at =>
        at.Step.Op is "index_put" or "index_put_"
        && !(at.Step.Attrs.TryGetValue("accumulate", out var flag) && flag is Attr.Flag { Item: true })
        && at.Step.In.Length > 1 && at.Step.In[1] is Arg.Names { Item: var names }
        && Places(at.State, [.. names.Where(n => n is not null).Select(n => n!.Value)]) is { } places
        && places.Distinct().Count() < places.Count);

    /// <summary>The steps at the top of a program, each with the state before it.</summary>
    internal static IEnumerable<(State<Real> State, Step Step)> Before(Program program) =>
        Run.states<Real>(RegistryModule.all, program).Zip(program.Steps);

    // What integer tensors of indices name together, where they are broadcast from one another; a mask names nothing twice.
    private static List<string>? Places(State<Real> state, List<string> names)
    {
        var indices = names.Select(name => Find(state, name)).OfType<Tensor<Real>>().Where(t => t.DType.IsInt64).Select(t => State.read(state, t)).ToList();
        var count = indices.Select(i => Shape.count(i.Shape)).DefaultIfEmpty(0).Max();
        return [.. Enumerable.Range(0, count).Select(k => string.Join(',', indices.Select(i => i.Elements is Elements<Real>.Ints { Item1: var x } ? x[k % x.Length] : 0)))];
    }

    private static Tensor<Real>? Find(State<Real> state, string name) =>
        state.Names.TryGetValue(name, out var id) && id is not null ? State.tensor(state, id.Value) : null;
}
