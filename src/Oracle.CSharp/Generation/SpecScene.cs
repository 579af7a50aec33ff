using System.Collections.Immutable;
using Microsoft.FSharp.Collections;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle.Generation;

/// <summary>The specification's state at plain float64 as the scene of a generator.</summary>
internal sealed class SpecScene : IScene
{
    private readonly FSharpMap<string, Operator> _registry;
    private readonly State<Real> _state;
    private readonly ImmutableList<string> _order;

    private SpecScene(FSharpMap<string, Operator> registry, State<Real> state, ImmutableList<string> order)
    {
        _registry = registry;
        _state = state;
        _order = order;
        var variables = Run.variables(state).ToDictionary(v => v.Name);
        Variables = [.. order.Where(variables.ContainsKey).Select(name => variables[name]).Select(v => new Variable(v.Name, v.DType, v.Shape, v.RequiresGrad, v.IsLeaf))];
    }

    /// <inheritdoc/>
    public IReadOnlyList<Variable> Variables { get; }

    /// <summary>Before the first input.</summary>
    public static SpecScene Empty(FSharpMap<string, Operator> registry) => new(registry, State.empty<Real>(), []);

    /// <inheritdoc/>
    public bool LiesIn(Variable variable, Domain domain)
    {
        var tensor = State.tensor(_state, _state.Names[variable.Name]!.Value);
        return State.read(_state, tensor).Elements is Elements<Real>.Floats floats && floats.Item.All(value => Contains(domain, value.V));
    }

    private static bool Contains(Domain domain, double value) => double.IsFinite(value) && domain switch
    {
        { IsPositive: true } => value > 0,
        { IsNonZero: true } => value != 0,
        Domain.Above above => value > above.Item,
        Domain.Between between => value > between.Item1 && value < between.Item2,
        _ => true,
    };

    /// <inheritdoc/>
    public IScene WithInput(Input input)
    {
        var next = State.addInput(input, _state);
        return next.IsOk
            ? new SpecScene(_registry, next.ResultValue, _order.Add(input.Name))
            : throw new InvalidOperationException(next.ErrorValue.Message);
    }

    /// <inheritdoc/>
    public (IScene? Next, Raised? Error) After(Step step)
    {
        var next = Autograd.step(_registry, _state, step);
        return next.IsOk ? (new SpecScene(_registry, next.ResultValue, Bound(step).Aggregate(_order, Last)), null) : (null, next.ErrorValue);
    }

    private static ImmutableList<string> Last(ImmutableList<string> order, string name) => order.Remove(name).Add(name);

    private static IEnumerable<string> Bound(Step step) => StepNames.Bound(step).Concat(step.Steps.SelectMany(Bound));
}
