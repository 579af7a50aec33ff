using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Oracle.Generation;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle.Shrinking;

/// <summary>Steps whose results become inputs of the same value: what led to a value need not be shown.</summary>
internal static class Cuts
{
    /// <summary>Programs in which one step is an input instead: one that requires a gradient where the result did, or a constant.</summary>
    public static IEnumerable<Program> Steps(Program program)
    {
        var steps = program.Steps.ToList();
        var states = Run.states<Real>(RegistryModule.all, program).ToList();
        for (var i = Math.Min(steps.Count, states.Count - 1) - 1; i >= 0; i--)
        {
            if (steps[i].Out is not Out.Name { Item: var name } || program.Inputs.Any(input => input.Name == name)) continue;
            var alone = program.WithSteps(steps.Take(i + 1)).WithObserve([Observed.NewValue(name)]);
            if (Run.outcome(RegistryModule.all, alone).Values is not { IsEmpty: false } values || values.Head.Item2 is not { } report) continue;
            var requires = report.Value.RequiresGrad is { Value: true } && report.Value.Tensor.DType.IsFloat;
            var from = StepNames.Read(steps[i]).FirstOrDefault();
            var observe = requires ? program.Observe.Append(Observed.NewGradient(name)).Distinct() : program.Observe;
            Program With(bool requiresGrad) => program
                .WithInputs([.. program.Inputs, new Input(name, report.Value.Tensor, requiresGrad)])
                .WithSteps([.. steps.Take(i), .. steps.Skip(i + 1).Select(step => requiresGrad ? WithRespectTo(step, from, name) : step)])
                .WithObserve(observe);
            yield return With(requires);
            // A leaf may not be written to where the step's result might.
            if (requires) yield return With(false);
        }
    }

    /// <summary>Programs in which an input has from the start the flag that a step gives it.</summary>
    public static IEnumerable<Program> Flags(Program program)
    {
        var steps = program.Steps.ToList();
        foreach (var (at, step) in steps.Index())
        {
            if (step is not { Op: "requires_grad_", Out.IsNothing: true }) continue;
            var requires = !(step.Attrs.TryGetValue("requires_grad", out var flag) && flag is Attr.Flag { Item: false });
            if (program.Inputs.FirstOrDefault(input => input.Name == StepNames.Read(step).FirstOrDefault()) is not { Tensor.DType.IsFloat: true } named) continue;
            yield return program
                .WithInputs(program.Inputs.Select(input => input == named ? new Input(input.Name, input.Tensor, requires) : input))
                .WithSteps([.. steps.Take(at), .. steps.Skip(at + 1)]);
        }
    }

    /// <summary>A gradient by what the step was made from becomes one by its result.</summary>
    private static Step WithRespectTo(Step step, string? from, string to) => step.Wrt is not { } wrt
        ? step
        : new Step(
            step.Op, step.In, step.Attrs, step.Out, FSharpOption<FSharpList<string>>.Some(ListModule.OfSeq(wrt.Value.Select(name => name == from ? to : name))), step.Gradients, step.Steps);
}
