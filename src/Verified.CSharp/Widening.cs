using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Spec;

namespace Verified;

/// <summary>
/// A program with float64 in the place of float32. Its numbers are the same, and its bounds so much narrower that hardly a comparison or a cancelled sum is left undecided.
/// </summary>
internal static class Widening
{
    public static Program Widen(Program program) => new(
        ListModule.OfSeq(program.Inputs.Select(input => new Input(input.Name, Widen(input.Tensor), input.RequiresGrad))),
        Widen(program.Steps),
        program.Observe);

    private static Literal Widen(Literal literal) => literal.DType.IsFloat32 ? new Literal(DType.Float64, literal.Shape, literal.Data) : literal;

    private static FSharpList<Step> Widen(IEnumerable<Step> steps) => ListModule.OfSeq(steps.Select(step => new Step(
        step.Op, step.In, MapModule.Map(FuncConvert.FromFunc<string, Attr, Attr>((_, attr) => Widen(attr)), step.Attrs), step.Out, step.Wrt, step.Gradients, Widen(step.Steps))));

    private static Attr Widen(Attr attr) => attr is Attr.Text { Item: "float32" } ? Attr.NewText(DType.Float64.Name) : attr;
}
