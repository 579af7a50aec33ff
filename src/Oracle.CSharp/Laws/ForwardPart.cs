using Microsoft.FSharp.Collections;
using Verified.Oracle.Generation;
using Verified.Oracle.Shrinking;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle.Laws;

/// <summary>The forward part of a program, and backwards put behind it: what laws of gradients are stated on.</summary>
public static class ForwardPart
{
    private static readonly HashSet<string> GradientSteps = ["backward", "grad", "get_grad", "zero_grad", "retain_grad", "register_hook", "remove_hook"];

    /// <summary>The program without steps on gradients and without what depends on them.</summary>
    public static Program Of(Program program)
    {
        ArgumentNullException.ThrowIfNull(program);
        var gone = new HashSet<string>();
        var steps = Kept(program.Steps, gone);
        return program.WithSteps(steps).WithObserve(program.Observe.Where(o => o is Observed.Value value && !gone.Contains(value.Item)));
    }

    /// <summary>The same program with every float32 a float64.</summary>
    public static Program InFloat64(Program program)
    {
        ArgumentNullException.ThrowIfNull(program);
        return new(
            ListModule.OfSeq(program.Inputs.Select(input => input.With(input.Tensor.DType.IsFloat32 ? new Literal(DType.Float64, input.Tensor.Shape, input.Tensor.Data) : input.Tensor))),
            ListModule.OfSeq(program.Steps.Select(Wide)),
            program.Observe);
    }

    /// <summary>A tensor that gradients can be pulled back from, an upstream gradient for it, and the leaves below; null where there is none.</summary>
    public static Pullback? WithRoot(Program forward, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentNullException.ThrowIfNull(rng);
        var ran = Run.run<Real>(RegistryModule.all, forward.WithObserve([]));
        if (ran.Raised is not null) return null;
        var variables = Run.variables(ran.Last).Where(v => v.DType.IsFloat && v.RequiresGrad).ToList();
        var roots = variables.Where(v => !v.IsLeaf && Shape.count(v.Shape) > 0).ToList();
        if (roots.Count == 0) return null;
        var root = rng.Pick(roots);
        var upstream = new Input("upstream", Values.Floats(rng, root.DType, root.Shape, ValueStyle.Ordinary, Domain.Everywhere), false);
        return new Pullback(forward, root.Name, upstream, [.. variables.Where(v => v.IsLeaf).Select(v => v.Name)]);
    }

    private static List<Step> Kept(IEnumerable<Step> steps, HashSet<string> gone)
    {
        var kept = new List<Step>();
        foreach (var step in steps)
        {
            if (GradientSteps.Contains(step.Op) || StepNames.Read(step).Any(gone.Contains))
            {
                gone.UnionWith(StepNames.Bound(step));
                continue;
            }

            gone.ExceptWith(StepNames.Bound(step));
            if (step.Steps.IsEmpty) kept.Add(step);
            else if (Kept(step.Steps, gone) is { Count: > 0 } inner) kept.Add(step.WithSteps(inner));
        }

        return kept;
    }

    private static Step Wide(Step step) => step
        .WithAttrs(MapModule.Map(Microsoft.FSharp.Core.FuncConvert.FromFunc<string, Attr, Attr>((_, attr) => attr is Attr.Text { Item: "float32" } ? Attr.NewText("float64") : attr), step.Attrs))
        .WithSteps(step.Steps.Select(Wide));
}

/// <summary>A forward program and where to pull back from.</summary>
/// <param name="Forward">The program.</param>
/// <param name="Root">The tensor that gradients start at.</param>
/// <param name="Upstream">The gradient that arrives there, an input.</param>
/// <param name="Leaves">The leaves that require a gradient.</param>
public sealed record Pullback(Program Forward, string Root, Input Upstream, IReadOnlyList<string> Leaves)
{
    /// <summary>The program with so many backwards behind it, and every leaf's gradient observed besides what was.</summary>
    /// <param name="times">How many; all but the last keep the graph.</param>
    /// <param name="upstream">Another upstream gradient of the same shape.</param>
    public Program Backward(int times = 1, Literal? upstream = null)
    {
        var step = Steps.Act("backward", Root).Gradients(Upstream.Name);
        var backwards = Enumerable.Range(1, times).Select(i => i < times ? step.With("retain_graph", Attr.NewFlag(true)) : step);
        return Forward
            .WithInputs([.. Forward.Inputs, upstream is null ? Upstream : Upstream.With(upstream)])
            .WithSteps([.. Forward.Steps, .. backwards])
            .WithObserve([.. Forward.Observe, .. Leaves.Select(Observed.NewGradient)]);
    }

    /// <summary>The leaves' gradients as pairs that differ by a factor.</summary>
    public IReadOnlyList<Pair> Gradients(double factor) => [.. Leaves.Select(leaf => new Pair(leaf + ".grad", leaf + ".grad", factor))];
}
