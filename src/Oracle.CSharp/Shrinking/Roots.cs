using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Oracle.Generation;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle.Shrinking;

/// <summary>Backwards that start nearer to the leaves, so that what lies between can be left out.</summary>
internal static class Roots
{
    /// <summary>Programs in which one backward or grad starts at an earlier tensor, with ones for its upstream gradient.</summary>
    public static IEnumerable<Program> Earlier(Program program)
    {
        var steps = program.Steps.ToList();
        if (!steps.Exists(IsBackward)) yield break;
        var states = Run.states<Real>(RegistryModule.all, program).ToList();
        for (var i = 0; i < Math.Min(steps.Count, states.Count); i++)
        {
            if (!IsBackward(steps[i]) || steps[i].In.Length != 1 || steps[i].In.Head is not Arg.Name root) continue;
            var limit = MadeAt(steps, i, root.Item);
            foreach (var variable in Run.variables(states[i]).Where(v => v.DType.IsFloat && v.RequiresGrad && MadeAt(steps, i, v.Name) < limit))
                yield return From(program, steps, i, variable);
        }
    }

    /// <summary>How late the tensors were made at which backwards start, in all.</summary>
    public static int Lateness(Program program)
    {
        var steps = program.Steps.ToList();
        return steps.Index().Where(at => IsBackward(at.Item)).Sum(at => at.Item.In.OfType<Arg.Name>().Sum(root => 1 + MadeAt(steps, at.Index, root.Item)));
    }

    private static bool IsBackward(Step step) => step.Op is "backward" or "grad";

    /// <summary>Where a name was last bound before a step; -1 for an input.</summary>
    private static int MadeAt(List<Step> steps, int before, string name) => before == 0 ? -1 : steps.FindLastIndex(before - 1, before, step => Binds(step, name));

    private static bool Binds(Step step, string name) => StepNames.Bound(step).Contains(name) || step.Steps.Any(inner => Binds(inner, name));

    private static Program From(Program program, List<Step> steps, int at, Spec.Variable root)
    {
        var ones = new double[Shape.count(root.Shape)];
        Array.Fill(ones, 1.0);
        var upstream = "ones" + at;
        while (program.Inputs.Any(input => input.Name == upstream)) upstream += "_";
        var old = steps[at];
        var step = new Step(
            old.Op, ListModule.OfSeq([Arg.NewName(root.Name)]), old.Attrs, old.Out, old.Wrt,
            ListModule.OfSeq<FSharpOption<string>?>([FSharpOption<string>.Some(upstream)]), old.Steps);
        return program
            .WithInputs([.. program.Inputs, new Input(upstream, new Literal(root.DType, root.Shape, Data.NewFloats(ones)), false)])
            .WithSteps([.. steps.Take(at), step, .. steps.Skip(at + 1)]);
    }
}
