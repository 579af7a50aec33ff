using Microsoft.FSharp.Collections;
using Verified.Oracle.Generation;
using Verified.Oracle.Shrinking;
using Verified.Spec;

namespace Verified.Oracle.Laws;

/// <summary>How elements lie in memory does not matter.</summary>
public static class StridedTwin
{
    /// <summary>The law.</summary>
    public static Law Law { get; } = new("strided twin", "A strided tensor gives what its contiguous copy gives.", given =>
    {
        if (given.Program.Steps.Any(DetachTwin.Writes)) return null;
        // Whether they hand on their operand or a copy of it is the layout's affair, and shows where nothing is recorded or its own gradient is asked for.
        if (given.Program.Steps.Any(step => step.Steps.Length > 0 || step.Wrt is not null || step.Op is "retain_grad" or "register_hook") && given.Program.Steps.Any(MayHandOn)) return null;
        // Whether gradients meet at the operand, or at the copy first, is then the order in which they are added.
        if (given.Program.Steps.Any(step => MayHandOn(step) && StepNames.Read(step).Any(operand => given.Program.Steps.Count(other => StepNames.Read(other).Contains(operand)) > 1))) return null;
        // By the layout of its input PyTorch adds a bias before or after the product is rounded.
        if (given.Program.Steps.Any(AddsABias)) return null;
        var inputs = given.Program.Inputs.Where(input => input.Tensor.DType.IsFloat && input.Tensor.Shape.Length > 0 && Shape.count(input.Tensor.Shape) > 1).ToList();
        if (inputs.Count == 0) return null;

        var input = given.Rng.Pick(inputs);
        var (memory, view) = input.Tensor.Shape.Length == 1 ? Spaced(input) : Transposed(input);
        var bound = view.Binding(input.Name);
        var strided = input.Name + "_strided";
        var program = given.Program
            .WithInputs(given.Program.Inputs.Select(i => i.Name == input.Name ? memory : i))
            .WithObserve(given.Program.Observe.Select(o => o.Text == input.Name + ".grad" ? Observed.NewGradient(memory.Name) : o));
        var first = program.WithSteps([view.Binding(strided), Steps.Call("contiguous", [strided], input.Name), .. program.Steps]);
        var second = program.WithSteps([bound, .. program.Steps]);
        return new Twins(first, second, [.. program.Observe.Select(o => new Pair(o.Text, o.Text))]) { MayBeRefused = true };
    })
    {
        Needs = [EngineFeatures.Layouts, "views", "permute", "select", "contiguous"],
    };

    private static bool MayHandOn(Step step) => step.Op is "contiguous" or "reshape" or "flatten" || step.Steps.Any(MayHandOn);

    private static bool AddsABias(Step step) => (step.Op == "linear" && step.In.Length > 2) || step.Steps.Any(AddsABias);

    /// <summary>The dimensions in reverse order in memory.</summary>
    private static (Input Memory, Step View) Transposed(Input input)
    {
        var shape = input.Tensor.Shape;
        var data = ((Data.Floats)input.Tensor.Data).Item;
        var reversed = shape.Reverse().ToArray();
        var strides = Shape.strides(reversed).Reverse().ToArray();
        var own = Shape.strides(shape);
        var memory = new double[data.Length];
        for (var i = 0; i < data.Length; i++)
        {
            var at = 0;
            for (var d = 0; d < shape.Length; d++) at += i / own[d] % shape[d] * strides[d];
            memory[at] = data[i];
        }

        var dims = Attr.NewItems(ListModule.OfSeq(Enumerable.Range(0, shape.Length).Reverse().Select(d => Attr.NewInteger(d))));
        return (Memory(input, reversed, memory), Steps.Act("permute", input.Name + "_memory").With("dims", dims));
    }

    /// <summary>Every second element in memory.</summary>
    private static (Input Memory, Step View) Spaced(Input input)
    {
        var data = ((Data.Floats)input.Tensor.Data).Item;
        var memory = data.SelectMany(v => new[] { v, 7.0 }).ToArray();
        var view = Steps.Act("select", input.Name + "_memory").With("dim", Attr.NewInteger(1)).With("index", Attr.NewInteger(0));
        return (Memory(input, [data.Length, 2], memory), view);
    }

    private static Input Memory(Input input, int[] shape, double[] data) =>
        new(input.Name + "_memory", new Literal(input.Tensor.DType, shape, Data.NewFloats(data)), input.RequiresGrad);
}
