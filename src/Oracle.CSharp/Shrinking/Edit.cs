using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Spec;

namespace Verified.Oracle.Shrinking;

/// <summary>Small changes to programs, as new values.</summary>
internal static class Edit
{
    public static Program WithInputs(this Program program, IEnumerable<Input> inputs) =>
        new(ListModule.OfSeq(inputs), program.Steps, program.Observe);

    public static Program WithSteps(this Program program, IEnumerable<Step> steps) =>
        new(program.Inputs, ListModule.OfSeq(steps), program.Observe);

    public static Program WithObserve(this Program program, IEnumerable<Observed> observe) =>
        new(program.Inputs, program.Steps, ListModule.OfSeq(observe));

    public static Input With(this Input input, Literal tensor) => new(input.Name, tensor, input.RequiresGrad);

    /// <summary>The step with every name it reads replaced, nested steps included.</summary>
    public static Step Renamed(this Step step, Func<string, string> to)
    {
        FSharpOption<string>? Optional(FSharpOption<string>? name) => name is null ? null : FSharpOption<string>.Some(to(name.Value));
        Arg Argument(Arg arg) => arg switch
        {
            Arg.Name name => Arg.NewName(to(name.Item)),
            Arg.Names names => Arg.NewNames(ListModule.OfSeq<FSharpOption<string>?>(names.Item.Select(Optional))),
            _ => arg,
        };
        return new Step(
            step.Op,
            ListModule.OfSeq(step.In.Select(Argument)),
            step.Attrs,
            step.Out,
            step.Wrt is null ? null : FSharpOption<FSharpList<string>>.Some(ListModule.OfSeq(step.Wrt.Value.Select(to))),
            step.Gradients is null ? null : FSharpOption<FSharpList<FSharpOption<string>?>>.Some(ListModule.OfSeq<FSharpOption<string>?>(step.Gradients.Value.Select(Optional))),
            ListModule.OfSeq(step.Steps.Select(inner => inner.Renamed(to))));
    }

    public static Step WithSteps(this Step step, IEnumerable<Step> steps) =>
        new(step.Op, step.In, step.Attrs, step.Out, step.Wrt, step.Gradients, ListModule.OfSeq(steps));

    public static Step WithAttrs(this Step step, FSharpMap<string, Attr> attrs) =>
        new(step.Op, step.In, attrs, step.Out, step.Wrt, step.Gradients, step.Steps);
}
