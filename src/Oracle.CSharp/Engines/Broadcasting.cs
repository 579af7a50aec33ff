using Verified.Oracle.Generation;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>Whether operands of several shapes meet in an operator for which any shapes that broadcast will do.</summary>
internal static class Broadcasting
{
    // Losses of input and target, which torch.nn.functional expands to one shape.
    private static readonly HashSet<string> Losses = ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy_with_logits"];

    /// <summary>Whether a step broadcasts, given the shapes of its operands; null where a name has none.</summary>
    internal static bool Of(Step step, Func<string, int[]?> shape)
    {
        if (Needs.Record(step) is not { } op || op.Behaviour.IsAliases || op.Args.Any(IsList) || op.Attrs.Any(attr => attr.Kind.IsIndex)) return false;
        if (!op.Shapes.IsEmpty && !Losses.Contains(op.Name)) return false;
        // A value that fills is one number by what it is.
        var filling = op.Attrs.Where(attr => attr is { OneOf: true, StandsFor: not null }).Select(attr => attr.StandsFor!.Value).ToHashSet();
        var shapes = step.In.Index().Where(arg => arg.Item is Arg.Name).Select(arg => (arg.Index, Shape: shape(((Arg.Name)arg.Item).Item)))
            .Where(operand => operand.Shape is { } known && !(known.Length == 0 && filling.Contains(operand.Index))).Select(operand => operand.Shape!).ToList();
        return shapes.Exists(other => !other.AsSpan().SequenceEqual(shapes[0]));
    }

    /// <summary>Whether a step of a program does.</summary>
    internal static bool In(Program program)
    {
        var states = Run.states<Real>(RegistryModule.all, program).ToList();
        for (var i = 0; i < states.Count && i < program.Steps.Length; i++)
        {
            // The state after a step knows what a block inside it makes.
            var (before, after) = (states[i], states[Math.Min(i + 1, states.Count - 1)]);
            int[]? Shape(string name) => (ProgramFacts.Find(before, name) ?? ProgramFacts.Find(after, name))?.Shape;
            if (Steps.All([program.Steps[i]]).Any(step => Of(step, Shape))) return true;
        }

        return false;
    }

    private static bool IsList(ArgKind kind) => kind is ArgKind.List || (kind is ArgKind.Optional optional && IsList(optional.Item));
}
