using Microsoft.FSharp.Collections;
using Verified.Oracle.Generation;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>
/// PyTorch's tensor without storage: the derivative of a sign, which is zero whatever its value (torch/csrc/autograd/FunctionsManual.cpp, sgn_backward). Nothing can
/// be written to it, nor to what was computed of it, and a number of Python's turns it to float64.
/// </summary>
internal static class ZeroTensor
{
    private const string Immutable = "ZeroTensors are immutable";
    private const string Turned = "has changed the type of value (was torch.FloatTensor got torch.DoubleTensor)";

    /// <summary>
    /// Whether an error is that of such a tensor, at a step that meets one: a backward through a sign, or one that adds to such a gradient, or a write to it.
    /// </summary>
    internal static bool Explains(Sighting seen) =>
        seen.RaisesAt((state, step) => step.Op is "backward" or "grad" && PullsThroughASign(state, step), Immutable, Turned) || seen.RaisesAt(WritesToZeros, Immutable);

    private static bool WritesToZeros(State<Real> state, Step step) => step.Op switch
    {
        "backward" => Reach.ofStep(state, step, Run.everything(state)).Any(name => IsZero(state, Kept(state, name))),
        "zero_grad" => IsZero(state, Kept(state, ProgramFacts.First(step))),
        var op => op.EndsWith('_') && IsZero(state, ProgramFacts.Find(state, ProgramFacts.First(step))),
    };

    // Zeros, of second order since a sign is met in no other derivative.
    private static bool IsZero(State<Real> state, Tensor<Real>? tensor) =>
        tensor is not null && State.secondOrder(state, tensor) && State.read(state, tensor).Elements is Elements<Real>.Floats { Item: var values } && values.All(value => value.V == 0);

    // The gradient that NAME, or NAME.grad, has.
    private static Tensor<Real>? Kept(State<Real> state, string name) =>
        ProgramFacts.Find(state, name.EndsWith(".grad", StringComparison.Ordinal) ? name[..^".grad".Length] : name)?.Grad is { } gradient ? State.tensor(state, gradient.Value) : null;

    private static bool PullsThroughASign(State<Real> state, Step step)
    {
        var seen = new HashSet<int>();
        var waiting = new Stack<Node<Real>>(StepNames.Roots(step).Select(root => NodeOf(state, root)).OfType<Node<Real>>());
        while (waiting.TryPop(out var node))
        {
            if (!seen.Add(node.Sequence)) continue;
            if (node.Name.StartsWith("SgnBackward", StringComparison.Ordinal)) return true;
            foreach (var edge in node.Edges)
                if (edge is not null) waiting.Push(edge.Value.Node);
            if (node.Kind is NodeKind<Real>.WriteThrough write) waiting.Push(write.inner);
        }

        return false;
    }

    private static Node<Real>? NodeOf(State<Real> state, string name) =>
        state.Names.TryGetValue(name, out var id) && id is not null && History.gradFn(state, id.Value) is { IsOk: true, ResultValue: var (_, edge) } ? edge?.Value.Node : null;
}
