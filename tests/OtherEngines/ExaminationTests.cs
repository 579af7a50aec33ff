using Verified.Oracle;
using Verified.Spec;
using Verified.Testing;
using Xunit;
using Xunit.Sdk;

namespace Verified.OtherEngines.Tests;

/// <summary>The class to derive from, held against the specification as the engine: right as it is, and wrong in one operator.</summary>
public sealed class ExaminationTests
{
    [Theory]
    [InlineData("exp")]
    [InlineData("matmul")]
    [InlineData("transpose")]
    [InlineData("zero")]
    [InlineData("where")]
    public void The_specification_passes_its_own_examination(string op) => new Sound().Operator(op);

    [Theory]
    [InlineData("in place through views")]
    [InlineData("second order")]
    public void The_rules_hold_for_the_specification(string rule) => new Sound().Rule(rule);

    [Fact]
    public void A_wrong_operator_fails_its_row_with_the_shortest_program()
    {
        var failure = Assert.ThrowsAny<XunitException>(() => new WrongTanh().Operator("tanh")).Message;
        foreach (var part in new[] { ".tanh()", "import torch", "expected", "within", "first differs after '", "found in tanh/V", "\"steps\":[{\"op\":\"tanh\"" })
            Assert.Contains(part, failure, StringComparison.Ordinal);
        Assert.Equal(1, failure.Split("\"op\":").Length - 1);
        new WrongTanh().Operator("exp");
    }

    [Fact]
    public void A_failure_comes_back_by_its_token_and_by_its_program()
    {
        var engine = new WrongTanh();
        var failure = Assert.ThrowsAny<XunitException>(() => engine.Operator("tanh")).Message;
        var token = failure.Split("found in ")[1].Split(';')[0];
        Assert.ThrowsAny<XunitException>(() => engine.Again(token));
        Assert.ThrowsAny<XunitException>(() => engine.Again(failure[failure.IndexOf("{\"inputs\"", StringComparison.Ordinal)..]));
        Assert.Throws<ArgumentException>(() => engine.Again("nonsense"));
    }

    [Fact]
    public void An_engine_that_throws_is_failed_with_the_program()
    {
        var failure = Assert.ThrowsAny<XunitException>(() => new Throwing().Operator("exp")).Message;
        Assert.Contains("the engine threw DivideByZeroException", failure, StringComparison.Ordinal);
        Assert.Contains($"{nameof(ExaminationTests)}.{nameof(Divided)}(", failure, StringComparison.Ordinal);
        Assert.DoesNotContain("Verified.Oracle.Examiner.", failure, StringComparison.Ordinal);
        Assert.Contains(".exp()", failure, StringComparison.Ordinal);
    }

    [Fact]
    public void An_operator_at_which_an_engine_throws_has_a_row_where_the_engine_names_none()
    {
        var names = new ThrowingUnnamed().RowsOf(nameof(EngineExamination.Operator));
        Assert.Contains("exp", names);
        Assert.DoesNotContain("tanh", names);
    }

    [Fact]
    public void A_row_that_judged_nothing_fails()
    {
        var failure = Assert.ThrowsAny<XunitException>(() => new Empty().Operator("exp")).Message;
        Assert.Contains("no program could be judged: the engine does not support everything (20)", failure, StringComparison.Ordinal);
        // More of what it does not support would help nobody.
        Assert.DoesNotContain("more programs", failure, StringComparison.Ordinal);
    }

    [Fact]
    public void No_row_passes_where_nothing_was_examined()
    {
        var rows = new Empty().Rows;
        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.Contains("no program could be judged", Assert.ThrowsAny<XunitException>(() => new Empty().Rule(row)).Message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_corpus_is_a_row_and_fails_where_nothing_of_it_was_examined()
    {
        File.WriteAllText(EmptyOn.Corpus, """{"id": "one", "program": {"inputs": {"a": {"dtype": "float32", "shape": [1], "data": [1]}}, "steps": [{"op": "exp", "in": ["a"], "out": "y"}], "observe": ["y"]}}""");
        Assert.Contains(EmptyOn.Corpus, new EmptyOn().Rows);
        Assert.Contains("no program could be judged", Assert.ThrowsAny<XunitException>(() => new EmptyOn().Rule(EmptyOn.Corpus)).Message, StringComparison.Ordinal);
        Assert.DoesNotContain(EmptyOn.Corpus, new Empty().Rows);
        // Nothing else in the class is a test: a fact would be one with or without a corpus.
        Assert.DoesNotContain(typeof(EngineExamination).GetMethods(), method => method.GetCustomAttributes(true).Any(each => each.GetType() == typeof(FactAttribute)));
    }

    [Fact]
    public void A_row_that_is_inconclusive_says_of_one_program_what_cannot_be_decided()
    {
        // Which side of the kink the sum lies on float32 cannot tell.
        const string program = """{"inputs": {"a": {"dtype": "float32", "shape": [3], "data": [-0.1, -0.2, 0.3]}}, "steps": [{"op": "sum", "in": ["a"], "out": "s"}, {"op": "relu", "in": ["s"], "out": "y"}], "observe": ["y"]}""";
        var failure = Assert.ThrowsAny<XunitException>(() => new Sound().Again(program)).Message;
        Assert.StartsWith("the replayed program: of 1 program judged 0 passed and 1 was inconclusive, which shows nothing. For example replay: y", failure, StringComparison.Ordinal);
        Assert.Contains("cannot be decided", failure, StringComparison.Ordinal);
    }

    private abstract class Quick : EngineExamination
    {
        protected override EngineExaminationOptions Options { get; } = new() { ProgramsPerOperator = 20, ProgramsPerRule = 20, ShrinkBudget = 500 };

        public void Again(string text) => Replay(text);

        public IReadOnlyList<string> Rows => RowsOf(nameof(Rule));

        public IReadOnlyList<string> RowsOf(string theory)
        {
            var method = GetType().GetMethod(theory)!;
            return [.. method.GetCustomAttributes(true).OfType<DataAttribute>().SelectMany(each => each.GetData(method)).Select(row => (string)row[0])];
        }
    }

    private sealed class Sound : Quick
    {
        protected override IEngine CreateEngine() => new SpecEngine();
    }

    private sealed class WrongTanh : Quick
    {
        protected override IEngine CreateEngine() => new Changed(program => Uses(program, "tanh") ? Raised(new SpecEngine().Run(program)) : new SpecEngine().Run(program));
    }

    private sealed class Throwing : Quick
    {
        protected override IEngine CreateEngine() => new Changed(program => Uses(program, "exp") ? Divided() : new SpecEngine().Run(program));
    }

    /// <summary>It names no operators, has one, and throws at that.</summary>
    private sealed class ThrowingUnnamed : Quick
    {
        protected override IEngine CreateEngine() => new Changed(program => program.Steps.Any(step => step.Op == "exp") ? Divided() : new RunResult.Unsupported("everything else"), named: false);
    }

    private sealed class Empty : Quick
    {
        protected override IEngine CreateEngine() => new Changed(_ => new RunResult.Unsupported("everything"));
    }

    private sealed class EmptyOn : Quick
    {
        public static readonly string Corpus = Path.Combine(AppContext.BaseDirectory, "one.jsonl");

        protected override EngineExaminationOptions Options { get; } = new() { Corpora = [Corpus] };

        protected override IEngine CreateEngine() => new Changed(_ => new RunResult.Unsupported("everything"));
    }

    private sealed class Changed(Func<Program, RunResult> run, bool named = true) : IEngine
    {
        public EngineInfo Info { get; } = new() { Name = "changed", Operators = named ? new HashSet<string> { "exp", "tanh" } : null, Features = new HashSet<string>() };

        public RunResult Run(Program program) => run(program);

        public void Dispose()
        {
        }
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static RunResult Divided() => throw new DivideByZeroException();

    private static bool Uses(Program program, string op) => program.Steps.Any(step => step.Op == op);

    /// <summary>Every computed value 1 too large.</summary>
    private static RunResult Raised(RunResult result) => result is RunResult.Ran { Outcome: var outcome }
        ? new RunResult.Ran(new Outcome(
            Microsoft.FSharp.Collections.ListModule.OfSeq(outcome.Values.Select(entry => Tuple.Create(entry.Item1, entry.Item1.EndsWith(".grad", StringComparison.Ordinal) ? entry.Item2 : Larger(entry.Item2)))), outcome.Raised))
        : result;

    private static Microsoft.FSharp.Core.FSharpOption<Report>? Larger(Microsoft.FSharp.Core.FSharpOption<Report>? report) =>
        report?.Value is { Tensor.Data: Data.Floats { Item: var values } } found
            ? Microsoft.FSharp.Core.FSharpOption<Report>.Some(new Report(
                new Literal(found.Tensor.DType, found.Tensor.Shape, Data.NewFloats([.. values.Select(v => v + 1)])), found.RequiresGrad, found.IsLeaf, found.Version, found.GradFn))
            : report;
}
