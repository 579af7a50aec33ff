using Microsoft.FSharp.Collections;
using Verified.Oracle;
using Verified.Spec;
using Verified.Spec.Numbers;
using Xunit;

namespace Verified.OtherEngines.Tests;

/// <summary>A small engine that declares no features gets programs that it can run: no attributes that may be left out, no operands of several shapes.</summary>
public sealed class SmallEngineTests
{
    private static readonly string[] Operators = ["add", "sub", "mul", "div", "neg", "exp", "tanh", "sigmoid", "relu", "sum", "mean", "matmul"];

    [Fact]
    public void An_engine_is_asked_for_no_attributes_and_no_broadcasting_that_it_does_not_declare()
    {
        var report = new Examination(new Small(Right), new ExaminationOptions { Random = 600 }).Run();
        Assert.Equal(0, report.Total.Unsupported);
        Assert.Equal("PASS", report.Outcome);
    }

    [Fact]
    public void A_wrong_derivative_of_a_small_engine_is_found()
    {
        var report = new Examination(new Small(program => Right(WithoutTheDerivativeOf("tanh", program))), new ExaminationOptions { Random = 600 }).Run();
        Assert.Contains(report.Failures, failure => failure.Shrunk.Operators.Contains("tanh") && failure.Shrunk.Program.Steps.Length <= 3);
    }

    [Theory]
    [InlineData("view")]
    [InlineData("reshape")]
    [InlineData("split")]
    [InlineData("interpolate")]
    [InlineData("clamp")]
    [InlineData("clamp_min")]
    [InlineData("fill")]
    [InlineData("masked_fill")]
    [InlineData("mse_loss")]
    public void An_operator_that_needs_one_of_its_attributes_is_examined_all_the_same(string op) => new Modest().Operator(op);

    private sealed class Modest : Testing.EngineExamination
    {
        protected override Testing.EngineExaminationOptions Options { get; } = new() { ProgramsPerOperator = 40 };

        protected override IEngine CreateEngine() => new WithFewFeatures();
    }

    private sealed class WithFewFeatures : IEngine
    {
        private readonly SpecEngine _right = new();

        public EngineInfo Info { get; } = new() { Name = "modest", Features = new HashSet<string> { "in_place", "views" } };

        public RunResult Run(Program program) => _right.Run(program);

        public void Dispose() => _right.Dispose();
    }

    [Theory]
    [InlineData("plain", null, """{"op": "add", "in": ["a", "a"], "out": "y"}""")]
    [InlineData("of a number", "attributes", """{"op": "add", "in": ["a"], "attrs": {"other": 1.5}, "out": "y"}""")]
    [InlineData("over a dimension", "attributes", """{"op": "sum", "in": ["a"], "attrs": {"dim": 0}, "out": "y"}""")]
    [InlineData("of two shapes", "broadcasting", """{"op": "mul", "in": ["a", "s"], "out": "y"}""")]
    [InlineData("of two shapes in a block", "broadcasting", """{"op": "no_grad", "steps": [{"op": "neg", "in": ["s"], "out": "t"}, {"op": "mul", "in": ["a", "t"], "out": "y"}]}""")]
    [InlineData("into another shape", null, """{"op": "reshape", "in": ["a"], "attrs": {"shape": [4]}, "out": "y"}""")]
    [InlineData("of a loss of two shapes", "broadcasting", """{"op": "l1_loss", "in": ["a", "b"], "out": "y"}""")]
    [InlineData("filled with one number", null, """{"op": "masked_fill", "in": ["a", "m", "s"], "out": "y"}""")]
    [InlineData("of matrices", null, """{"op": "matmul", "in": ["a", "b"], "out": "y"}""")]
    public void A_corpus_is_asked_by_what_is_declared(string id, string? lacking, string step)
    {
        var path = Path.Combine(AppContext.BaseDirectory, $"small-{Guid.NewGuid():N}.jsonl");
        const string inputs = """{"a": {"dtype": "float32", "shape": [2, 2], "data": [1, 2, 3, 4]}, "b": {"dtype": "float32", "shape": [2, 1], "data": [1, 2]}, "s": {"dtype": "float32", "shape": [], "data": [2]}, "m": {"dtype": "bool", "shape": [2, 2], "data": [true, false, true, false]}}""";
        File.WriteAllText(path, $$"""{"id": "{{id}}", "program": {"inputs": {{inputs}}, "steps": [""" + step + """], "observe": ["y"]}}""");
        var asked = 0;
        using var small = new Small(program =>
        {
            asked++;
            return new SpecEngine().Run(program);
        }, hasAll: true);
        var report = new Examination(small, new ExaminationOptions { Corpora = [path], Random = 0 }).Run();
        Assert.Equal(lacking is null ? 1 : 0, asked);
        Assert.Equal(1, lacking is null ? report.Total.Passed : report.Total.Unsupported);
    }

    /// <summary>The specification, as an engine that lacks what small engines lack.</summary>
    private static RunResult Right(Program program) => Lacks(program) is { } lacking ? new RunResult.Unsupported(lacking) : new SpecEngine().Run(program);

    /// <summary>What a program asks for that the engine has not, read off the program itself.</summary>
    private static string? Lacks(Program program)
    {
        var states = Run.states<Real>(RegistryModule.all, program).ToList();
        foreach (var (at, step) in program.Steps.Index())
        {
            if (step.Op is "backward" or "grad") continue;
            if (!step.Attrs.IsEmpty) return $"{step.Op} with {step.Attrs.First().Key}";
            var shapes = Run.variables(states[at]).ToDictionary(v => v.Name, v => v.Shape);
            var operands = step.In.OfType<Arg.Name>().Select(arg => shapes[arg.Item]).ToList();
            if (step.Op != "matmul" && operands.Exists(shape => !shape.SequenceEqual(operands[0]))) return "broadcasting";
        }

        return null;
    }

    /// <summary>The program in which an operator's results are constants.</summary>
    private static Program WithoutTheDerivativeOf(string op, Program program)
    {
        static Step Detached(string name) => new(
            "detach", ListModule.OfSeq([Arg.NewName(name)]), MapModule.Empty<string, Attr>(), Out.NewName(name), null, null, FSharpList<Step>.Empty);

        return new Program(
            program.Inputs,
            ListModule.OfSeq(program.Steps.SelectMany(step => step.Op == op && step.Out is Out.Name { Item: var name } ? [step, Detached(name)] : new[] { step })),
            program.Observe);
    }

    private sealed class Small(Func<Program, RunResult> run, bool hasAll = false) : IEngine
    {
        public EngineInfo Info { get; } = new()
        {
            Name = "small",
            Operators = hasAll ? null : Operators.ToHashSet(),
            DTypes = hasAll ? new EngineInfo { Name = "" }.DTypes : new HashSet<string> { "float32" },
            Features = new HashSet<string> { "no_grad" },
        };

        public RunResult Run(Program program) => run(program);

        public void Dispose()
        {
        }
    }
}
