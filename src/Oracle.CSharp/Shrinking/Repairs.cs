using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle.Shrinking;

/// <summary>
/// What an omission broke further down, mended: a backward whose root has another shape now gets an upstream gradient that fits, and one
/// whose root is a constant now is left out.
/// </summary>
internal static class Repairs
{
    private const int Most = 4;

    /// <summary>The program repaired; null where there is nothing of the kind to repair.</summary>
    public static Program? Of(Program program)
    {
        Program? repaired = null;
        for (var i = 0; i < Most; i++)
        {
            var ran = Run.run<Real>(RegistryModule.all, program.WithObserve([]));
            if (ran.Raised?.Value is not { Step: { Length: 1 } path } raised || Mended(program, path.Head, raised.Kind, ran.Last) is not { } mended) break;
            repaired = program = mended;
        }

        return repaired;
    }

    private static Program? Mended(Program program, int at, ErrorKind kind, State<Real> before)
    {
        var steps = program.Steps.ToList();
        if (steps[at].Op is not ("backward" or "grad")) return null;
        if (kind.IsNoGradFn) return Deletions.Without(program, steps, at, 1, rewire: false);
        return kind.IsGradientShape || kind.IsNonScalarBackward ? Fitted(program, steps, at, before) : null;
    }

    /// <summary>The step with upstream gradients in the shapes of its roots.</summary>
    private static Program? Fitted(Program program, List<Step> steps, int at, State<Real> before)
    {
        var shapes = Run.variables(before).ToDictionary(variable => variable.Name);
        var inputs = program.Inputs.ToList();
        var given = steps[at].Gradients?.Value.ToList();
        var gradients = new List<FSharpOption<string>?>();
        foreach (var (i, root) in steps[at].In.Index())
        {
            if (root is not Arg.Name { Item: var name } || !shapes.TryGetValue(name, out var variable)) return null;
            var old = given is not null && i < given.Count ? given[i]?.Value : null;
            if (old is not null && shapes.TryGetValue(old, out var fits) && fits.Shape.AsSpan().SequenceEqual(variable.Shape))
            {
                gradients.Add(FSharpOption<string>.Some(old));
                continue;
            }

            var fresh = $"{old ?? "g"}_{i}";
            while (shapes.ContainsKey(fresh) || inputs.Exists(input => input.Name == fresh)) fresh += "_";
            var values = inputs.Find(input => input.Name == old)?.Tensor.Data is Data.Floats { Item: { Length: > 0 } floats } ? floats : [1.0];
            var data = Enumerable.Range(0, Shape.count(variable.Shape)).Select(j => values[j % values.Length]);
            inputs.Add(new Input(fresh, new Literal(variable.DType, variable.Shape, Data.NewFloats([.. data])), false));
            gradients.Add(FSharpOption<string>.Some(fresh));
        }

        var step = steps[at];
        var fitted = new Step(step.Op, step.In, step.Attrs, step.Out, step.Wrt, FSharpOption<FSharpList<FSharpOption<string>?>>.Some(ListModule.OfSeq<FSharpOption<string>?>(gradients)), step.Steps);
        return program.WithInputs(inputs).WithSteps([.. steps.Take(at), fitted, .. steps.Skip(at + 1)]);
    }
}
