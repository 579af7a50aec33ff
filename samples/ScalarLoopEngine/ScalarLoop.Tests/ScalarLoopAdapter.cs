using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Oracle;
using Verified.Spec;

namespace ScalarLoop.Tests;

/// <summary>Runs the language of the examination on the engine.</summary>
public sealed class ScalarLoopAdapter : IEngine
{
    private static readonly Dictionary<string, Func<Tensor, Tensor>> Unary = new()
    {
        ["neg"] = Operators.Neg, ["exp"] = Operators.Exp, ["sigmoid"] = Operators.Sigmoid, ["relu"] = Operators.Relu, ["tanh"] = Operators.Tanh,
        ["sum"] = Operators.Sum, ["mean"] = Operators.Mean,
    };

    private static readonly Dictionary<string, Func<Tensor, Tensor, Tensor>> Binary = new()
    {
        ["add"] = Operators.Add, ["sub"] = Operators.Sub, ["mul"] = Operators.Mul, ["div"] = Operators.Div, ["matmul"] = Operators.Matmul,
    };

    public EngineInfo Info { get; } = new()
    {
        Name = "ScalarLoop",
        Language = "C#",
        Operators = Unary.Keys.Concat(Binary.Keys).ToHashSet(),
        DTypes = new HashSet<string> { "float32", "float64" },
        Features = new HashSet<string> { "accumulate", "broadcasting" },
    };

    public RunResult Run(Program program)
    {
        var variables = program.Inputs.ToDictionary(input => input.Name, ToTensor);
        foreach (var step in program.Steps)
            if (Missing(step, variables) is { } what) return new RunResult.Unsupported(what);
            else Take(step, variables);
        var values = program.Observe.Select(o => o is Observed.Gradient gradient
            ? Tuple.Create(o.Text, Reported(variables[gradient.Item], variables[gradient.Item].Grad))
            : Tuple.Create(o.Text, Reported(variables[o.Text], variables[o.Text].Data)));
        return new RunResult.Ran(new Outcome(ListModule.OfSeq(values)!, null));
    }

    public void Dispose()
    {
    }

    /// <summary>What the engine lacks for a step: an attribute, a mixture of types, a product of other than matrices.</summary>
    private static string? Missing(Step step, Dictionary<string, Tensor> variables)
    {
        if (step.Op == "backward" && step.In.Length > 1) return "backward from several tensors";
        if (step.Op is "backward" or "zero_grad") return step.Attrs.Count == 0 && step.Wrt is null ? null : $"attributes of {step.Op}";
        var operands = Names(step).Select(name => variables[name]).ToList();
        if (!Unary.ContainsKey(step.Op) && !(Binary.ContainsKey(step.Op) && operands.Count == 2)) return step.Op;
        if (step.Attrs.Count > 0) return $"attributes of {step.Op}";
        if (operands.Any(x => x.Single != operands[0].Single)) return "mixed types";
        return step.Op == "matmul" && operands.Any(x => x.Shape.Length != 2) ? "matmul of other than matrices" : null;
    }

    private static void Take(Step step, Dictionary<string, Tensor> variables)
    {
        var operands = Names(step).Select(name => variables[name]).ToList();
        if (step.Op == "zero_grad") operands[0].Grad = null;
        else if (step.Op == "backward") operands[0].Backward(step.Gradients?.Value.Head is { } seed ? variables[seed.Value].Data : null);
        else variables[((Out.Name)step.Out).Item] = operands.Count == 1 ? Unary[step.Op](operands[0]) : Binary[step.Op](operands[0], operands[1]);
    }

    private static IEnumerable<string> Names(Step step) => step.In.OfType<Arg.Name>().Select(name => name.Item);

    private static Tensor ToTensor(Input input) =>
        new(((Data.Floats)input.Tensor.Data).Item, input.Tensor.Shape, input.Tensor.DType.IsFloat32, input.RequiresGrad);

    private static FSharpOption<Report>? Reported(Tensor tensor, double[]? data) => data is null
        ? null
        : FSharpOption<Report>.Some(new Report(
            new Literal(tensor.Single ? DType.Float32 : DType.Float64, tensor.Shape, Data.NewFloats(data)), null, null, null, null));
}
