using Verified.Oracle;
using Verified.Spec;
using Xunit;

namespace Verified.OtherEngines.Tests;

/// <summary>Programs as C# and F#: the engine's methods where it has them in that form, otherwise the call by name.</summary>
public sealed class PrinterTests
{
    [Theory]
    [InlineData("""{"op": "log_softmax", "in": ["a"], "attrs": {"dim": -1}, "out": "y"}""", "var y = a.LogSoftmax(dim: -1);", "let y = a.LogSoftmax(dim = -1)")]
    [InlineData("""{"op": "sum", "in": ["a"], "attrs": {"dim": 1, "keepdim": true}, "out": "y"}""", "var y = a.Sum(dim: [1], keepdim: true);", "let y = a.Sum(dim = [| 1 |], keepdim = true)")]
    [InlineData("""{"op": "mul", "in": ["a"], "attrs": {"other": 2.0}, "out": "y"}""", "var y = a.Mul(2.0);", "let y = a.Mul(2.0)")]
    [InlineData("""{"op": "sigmoid_", "in": ["b"]}""", "b.SigmoidInPlace();", "b.SigmoidInPlace() |> ignore")]
    [InlineData("""{"op": "add", "in": ["a", "b"], "attrs": {"alpha": 0.5}, "out": "in"}""", "var in1 = a.Add(b, alpha: 0.5);", "let in1 = a.Add(b, alpha = 0.5)")]
    [InlineData("""{"op": "cat", "in": [["a", "b"]], "attrs": {"dim": 0}, "out": "y"}""", "var y = Tensor.Cat([a, b], dim: 0);", "let y = Tensor.Cat([| a; b |], dim = 0)")]
    [InlineData("""{"op": "backward", "in": ["a"], "gradients": ["b"], "attrs": {"retain_graph": true}}""", "Autograd.Backward([a], gradients: [b], retainGraph: true);", "Autograd.Backward([| a |], gradients = [| b |], retainGraph = true)")]
    [InlineData("""{"op": "grad", "in": ["a"], "wrt": ["b"], "out": ["d"]}""", "var d = Autograd.Grad([a], [b])[0]!;", "let d = Autograd.Grad([| a |], [| b |])[0]")]
    [InlineData("""{"op": "max", "in": ["a"], "attrs": {"dim": 0}, "out": ["v", "i"]}""", "var v = allV[0];", "let v = allV[0]")]
    [InlineData("""{"op": "max", "in": ["a"], "out": "y"}""", "var y = a.Max();", "let y = a.Max()")]
    [InlineData("""{"op": "pow", "in": ["a"], "attrs": {"self": 2.5}, "out": "y"}""", "var y = Tensor.Pow(2.5, a);", "let y = Tensor.Pow(2.5, a)")]
    [InlineData("""{"op": "gather", "in": ["a", "b"], "attrs": {"dim": 0}, "out": "y"}""", "var y = a.Gather(dim: 0, index: b);", "let y = a.Gather(dim = 0, index = b)")]
    [InlineData("""{"op": "batch_norm", "in": ["a", null, null, "b"], "attrs": {"training": true}, "out": "y"}""", "var y = a.BatchNorm(null, null, b, training: true);", "let y = a.BatchNorm(null, null, b, training = true)")]
    [InlineData("""{"op": "index", "in": ["a", [null, "b"]], "out": "y"}""", "var y = a.Index([null, b]);", "let y = a.Index([| null; b |])")]
    [InlineData("""{"op": "unbind", "in": ["a"], "out": ["y", "z"]}""", "var allY = a.Unbind();", "let allY = a.Unbind()")]
    [InlineData("""{"op": "to", "in": ["a"], "attrs": {"dtype": "float64"}, "out": "y"}""", "var y = a.To(dtype: DType.Float64);", "let y = a.To(dtype = DType.Float64)")]
    [InlineData("""{"op": "register_hook", "in": ["a"], "attrs": {"scale": 2.0}, "out": "h"}""", "var h = a.RegisterHook(g => g * 2.0);", "let h = a.RegisterHook(fun g -> g * 2.0)")]
    [InlineData("""{"op": "no_grad", "steps": [{"op": "exp", "in": ["a"], "out": "y"}]}""", "    y = a.Exp();", "        let y = a.Exp()")]
    [InlineData("""{"op": "mul", "in": ["a"], "attrs": {"other": 2}, "out": "y"}""", "(\"other\", 2L)", "struct (\"other\", box 2L)")]
    public void A_step_is_printed_in_both_languages(string step, string csharp, string fsharp)
    {
        var program = Read(step);
        Assert.Contains(csharp, PrintDotNet.printCSharp(EngineMethods.All, program), StringComparison.Ordinal);
        Assert.Contains(fsharp, PrintDotNet.printFSharp(EngineMethods.All, program), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"op": "flip", "in": ["a"], "attrs": {"dims": 0}, "out": "y"}""", "y = a.flip(dims=[0])")]
    [InlineData("""{"op": "max", "in": ["a"], "attrs": {"dim": null}, "out": "y"}""", "y = a.max()")]
    public void What_Pythons_PyTorch_refuses_is_printed_as_it_takes_it(string step, string python) =>
        Assert.Contains(python, PrintPyTorch.print(Read(step)), StringComparison.Ordinal);

    [Fact]
    public void Without_the_engines_methods_operators_are_called_by_name()
    {
        var program = Read("""{"op": "exp", "in": ["a"], "out": "y"}""");
        Assert.Contains("var y = OperatorRegistry.Default.Invoke(\"exp\", new OperatorCall(new object?[] { a }, Attributes.None))[0];", FailureDescription.Printed(program, "csharp"), StringComparison.Ordinal);
    }

    [Fact]
    public void Inputs_and_observations_keep_every_bit()
    {
        var program = Read("""{"op": "exp", "in": ["a"], "out": "y"}""");
        Assert.StartsWith(
            """
            using Verified.Engine;

            var a = Tensor.Create(new float[] { 0.1f, -0f, float.NaN, -float.PositiveInfinity }, [2, 2], requiresGrad: true);
            """,
            PrintDotNet.printCSharp(EngineMethods.All, program),
            StringComparison.Ordinal);
        Assert.Contains("Tensor.Create([| 0.1f; -0.0f; nanf; -infinityf |], [| 2; 2 |], requiresGrad = true)", PrintDotNet.printFSharp(EngineMethods.All, program), StringComparison.Ordinal);
        Assert.Contains("Console.WriteLine($\"a.grad = {a.Grad}\");", PrintDotNet.printCSharp(EngineMethods.All, program), StringComparison.Ordinal);
    }

    [Fact]
    public void Random_programs_are_printed_without_error_in_every_language()
    {
        var generator = new Oracle.Generation.ProgramGenerator(RegistryModule.all);
        for (ulong seed = 1; seed <= 200; seed++)
            foreach (var language in new[] { "pytorch", "csharp", "fsharp", "json" })
                Assert.NotEmpty(FailureDescription.Printed(generator.Generate(seed), language, EngineMethods.All));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("[\"a\"]")]
    [InlineData("[null]")]
    [InlineData("[[\"a\", null]]")]
    public void Steps_out_of_form_are_printed_without_error_in_every_language(string inputs)
    {
        string[] others = ["backward", "grad", "get_grad", "zero_grad", "detach", "detach_", "data", "requires_grad_", "retain_grad", "no_grad", "register_hook", "remove_hook", "setitem_", "unknown"];
        foreach (var op in RegistryModule.all.Select(known => known.Key).Concat(others))
            foreach (var language in new[] { "pytorch", "csharp", "fsharp", "json" })
                Assert.NotEmpty(FailureDescription.Printed(Read($$"""{"op": "{{op}}", "in": {{inputs}}, "out": "y"}"""), language, EngineMethods.All));
    }

    private static Program Read(string step) => Json.readProgram($$"""
        {"inputs": {"a": {"dtype": "float32", "shape": [2, 2], "data": [0.1, -0.0, "nan", "-inf"], "requires_grad": true}, "b": {"dtype": "float32", "shape": [2, 2], "data": [1, 2, 3, 4]} },
         "steps": [{{step}}], "observe": ["a.grad"]}
        """).ResultValue;
}
