using Microsoft.FSharp.Collections;
using Verified.Oracle.Generation;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>
/// What depends on certain steps of a program, and by derivatives of which order: what is computed of their results by 0, the gradients
/// that are pulled back from there by 1, what is pulled back from those by 2.
/// </summary>
internal sealed class Influence
{
    private const int None = -1;

    private readonly Dictionary<string, int> _orders = [];
    private readonly Func<State<Real>, Step, bool> _begins;

    private Influence(Func<State<Real>, Step, bool> begins) => _begins = begins;

    /// <summary>What depends on the steps that a predicate names; it is asked with the state before the step.</summary>
    internal static Influence Of(Program program, Func<State<Real>, Step, bool> begins)
    {
        var influence = new Influence(begins);
        var states = Run.states<Real>(RegistryModule.all, program).ToList();
        foreach (var (i, step) in program.Steps.Take(states.Count).Index()) influence.Visit(states[i], states[Math.Min(i + 1, states.Count - 1)], step);
        return influence;
    }

    /// <summary>Whether a variable, or <c>NAME.grad</c>, depends on the steps by derivatives of at least this order.</summary>
    internal bool Reaches(string name, int order) => Order(name) >= order;

    private int Order(string name) => _orders.GetValueOrDefault(name, None);

    // The state after a step knows what a block inside it makes.
    private void Visit(State<Real> state, State<Real> after, Step step)
    {
        foreach (var inner in step.Steps) Visit(state, after, inner);
        switch (step.Op)
        {
            case "backward":
            case "grad":
                var into = Reach.ofStep(state, step, Run.everything(after)).Concat(StepNames.Bound(step)).ToList();
                if (Pulled(step) is not None and var pulled)
                    foreach (var gradient in into) Raise(gradient, pulled + 1);
                if (_begins(state, step))
                    foreach (var gradient in into) Raise(gradient, 0);
                break;
            case "get_grad":
                foreach (var gradient in StepNames.Bound(step)) Raise(gradient, StepNames.Read(step).Max(name => Order(name + ".grad")));
                break;
            default:
                foreach (var (name, same) in StepNames.Bound(step).SelectMany(name => Same(after, name).Select(same => (name, same))))
                    Raise(name + ".grad", Order(same + ".grad"));
                var known = StepNames.Read(step).Select(Order).Append(_begins(state, step) ? 0 : None).Max();
                if (known == None) break;
                foreach (var name in StepNames.Bound(step).Concat(step.Op.EndsWith('_') ? Sharing(after, ProgramFacts.First(step)) : [])) Raise(name, known);
                break;
        }
    }

    private int Pulled(Step step) => StepNames.Roots(step)
        .Concat(step.Gradients?.Value.OfType<Microsoft.FSharp.Core.FSharpOption<string>>().Select(g => g.Value) ?? [])
        .Select(Order).Append(None).Max();

    // A write shows in everything that shares the memory.
    private static IEnumerable<string> Sharing(State<Real> state, string written) =>
        ProgramFacts.Find(state, written) is { } target
            ? state.Names.Keys.Where(name => ProgramFacts.Find(state, name)?.Storage == target.Storage)
            : [written];

    // An operator may give its operand itself, with its gradient.
    private static IEnumerable<string> Same(State<Real> state, string name) =>
        state.Names.TryGetValue(name, out var tensor) && tensor is not null ? state.Names.Where(other => other.Key != name && tensor.Equals(other.Value)).Select(other => other.Key) : [];

    private void Raise(string name, int order) => _orders[name] = Math.Max(Order(name), order);
}
