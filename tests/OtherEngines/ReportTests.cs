using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Oracle;
using Verified.Oracle.Generation;
using Verified.Oracle.Laws;
using Verified.Spec;
using Xunit;

namespace Verified.OtherEngines.Tests;

/// <summary>The report: what is wrong stands in each of its forms, and the page needs nothing beside it.</summary>
public sealed class ReportTests
{
    private static readonly ExaminationReport Failed =
        new Examination(new WrongExp(), new ExaminationOptions { Random = 200, Operators = ["exp", "add"] }).Run();

    [Fact]
    public void The_page_says_what_is_wrong_and_how_to_see_it_again()
    {
        var page = HtmlReport.Text(Failed, "a machine", failure => $"again <{failure.Hash}>");
        Assert.NotEmpty(Failed.Failures);
        foreach (var failure in Failed.Failures) Assert.Contains($"again &lt;{failure.Hash}&gt;", page, StringComparison.Ordinal);
        foreach (var part in new[] { "FAIL", "&lt;wrong &amp; proud&gt;", "a machine", ".exp()", "First differs after", "expected", "&quot;op&quot;:&quot;exp&quot;" })
            Assert.Contains(part, page, StringComparison.Ordinal);
        Assert.DoesNotContain("<wrong", page, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_refers_to_nothing_outside_itself()
    {
        var page = HtmlReport.Text(Failed, "a machine");
        foreach (var reference in new[] { "http:", "https:", "src=", "href=", "url(", "@import", "<script" })
            Assert.DoesNotContain(reference, page, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_the_operator_at_fault_is_red()
    {
        var page = HtmlReport.Text(Failed, "a machine");
        Assert.Contains("class=\"fail\" data-tip=\"exp:", page, StringComparison.Ordinal);
        Assert.DoesNotContain("class=\"fail\" data-tip=\"add:", page, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_expected_is_said_once()
    {
        // Where another value differs first, it is said of both.
        var failures = Failed.Failures.Where(f => f.Finding?.Numbers is not null && f.First?.Finding.Message == f.Message).ToList();
        Assert.NotEmpty(failures);
        foreach (var failure in failures)
            foreach (var text in new[] { FailureDescription.Text(failure), MarkdownReport.Text(Failed, "").Split("\n## ").First(part => part.Contains(failure.Message, StringComparison.Ordinal)) })
                Assert.Single(Regex.Matches(text, "expected ", RegexOptions.IgnoreCase));
    }

    [Theory]
    [InlineData(12.5, "largest distance over bound: 12.5")]
    [InlineData(double.PositiveInfinity, "")]
    [InlineData(0.5, "")]
    public void How_far_outside_the_bound_is_said_where_there_is_one(double ratio, string line)
    {
        var finding = new Finding("y", Verdict.Fail, Difference.Value) { Index = 0, Expected = new Side.Element(1), Actual = new Side.Element(2), Bound = 1e-6, Ratio = ratio };
        var result = new CaseResult("case", Failed.Findings[0].Program, Failed.Findings[0].Result, new Judgement([finding]));
        Assert.Equal(line.Length == 0 ? [] : [line], FailureDescription.Details(new Failure(result, result, null)));
    }

    [Fact]
    public void A_sound_engine_passes_in_every_form()
    {
        var report = new Examination(new SpecEngine(), new ExaminationOptions { Random = 64, Operators = ["exp", "add"] }).Run();
        Assert.Contains("PASS", HtmlReport.Text(report, ""), StringComparison.Ordinal);
        Assert.StartsWith("# PASS", MarkdownReport.Text(report, ""), StringComparison.Ordinal);
        Assert.True(JsonDocument.Parse(JsonReport.Text(report)).RootElement.GetProperty("holds").GetBoolean());
    }

    [Fact]
    public void What_an_engine_does_not_declare_is_said_in_one_line()
    {
        var report = new Examination(new Forwards(), new ExaminationOptions { Random = 20, Operators = ["exp", "add"] }).Run();
        const string line = "Not asked for, since the engine does not declare it: accumulate, attributes, broadcasting, create_graph, detach, errors, grad_fn, gradient_memory, hooks, in_place, inference_mode, is_leaf, layouts, messages, no_grad, requires_grad, retain_graph, versions, views, bool, float64, int64.";
        Assert.Contains(line, ReportNotes.Of(report));
        Assert.Contains(line, MarkdownReport.Text(report, ""), StringComparison.Ordinal);
        Assert.Contains(line, HtmlReport.Text(report, ""), StringComparison.Ordinal);
        var all = new Examination(new SpecEngine(), new ExaminationOptions { Random = 20, Operators = ["exp", "add"] }).Run();
        Assert.DoesNotContain(ReportNotes.Of(all), note => note.StartsWith("Not asked for", StringComparison.Ordinal));
    }

    [Fact]
    public void Why_programs_are_unsupported_is_counted_and_said_in_every_form()
    {
        var engine = new Lacking();
        var corpus = Path.Combine(AppContext.BaseDirectory, "unsupported.jsonl");
        const string program = """{"inputs": {"a": {"dtype": "DTYPE", "shape": [1], "data": [1]}}, "steps": [{"op": "add", "in": ["a", "a"], "out": "y"}], "observe": ["y"]}""";
        File.WriteAllLines(corpus, new[] { "float32", "float64", "float64" }.Select((dtype, i) => $$"""{"id": "{{i}}", "program": {{program.Replace("DTYPE", dtype, StringComparison.Ordinal)}}}"""));
        var report = new Examination(engine, new ExaminationOptions { Random = 60, Operators = ["exp", "add"], Corpora = [corpus] }).Run();
        var said = engine.Said.CountBy(reason => reason).ToDictionary();
        // The corpus's one is not a random program.
        said["there is no add"]--;
        Assert.Equal(said.OrderByDescending(entry => entry.Value).Select(entry => (entry.Key, entry.Value)), report.UnsupportedRandom.All);
        Assert.Equal(report.Phases[Examination.RandomPhase].Unsupported, report.UnsupportedRandom.All.Sum(entry => entry.Count));
        var parts = new[]
        {
            $"Unsupported, as the engine says (random programs): {string.Join(", ", report.UnsupportedRandom.All.Select(entry => $"{entry.Reason} ({entry.Count})"))}.",
            "Unsupported, as the engine says (goldens and corpora): there is no add (1).",
            "Not asked, for what the engine does not declare (goldens and corpora): float64 (2).",
        };
        Assert.All(parts, part => Assert.Contains(part, ReportNotes.Of(report)));
        Assert.All(parts, part => Assert.Contains(part, MarkdownReport.Text(report, ""), StringComparison.Ordinal));
        Assert.All(parts, part => Assert.Contains(part, HtmlReport.Text(report, ""), StringComparison.Ordinal));
        var json = JsonDocument.Parse(JsonReport.Text(report)).RootElement.GetProperty("unsupported");
        Assert.Equal(report.UnsupportedRandom.All, json.GetProperty("random").EnumerateArray().Select(each => (each.GetProperty("reason").GetString()!, each.GetProperty("programs").GetInt32())));
        Assert.Equal("float64", json.GetProperty("undeclared")[0].GetProperty("reason").GetString());
    }

    [Fact]
    public void Reasons_are_grouped_and_the_most_frequent_come_first()
    {
        var reasons = new Reasons();
        foreach (var reason in "b a a g f e d c c".Split(' ')) reasons.Add(reason);
        Assert.Equal("a (2), c (2), b (1), d (1), e (1) and 2 more", reasons.ToString());
        reasons.Add("\n");
        reasons.Add(new string('x', 100));
        Assert.Contains(("no reason given", 1), reasons.All);
        Assert.Contains((new string('x', 100), 1), reasons.All);
    }

    /// <summary>The specification without add, and without an exp of what has no elements.</summary>
    private sealed class Lacking : IEngine
    {
        private readonly SpecEngine _spec = new();

        public ConcurrentQueue<string> Said { get; } = [];

        public EngineInfo Info { get; } = new() { Name = "lacking", Features = new HashSet<string>(), DTypes = new HashSet<string> { "float32" } };

        public RunResult Run(Program program)
        {
            if (program.Steps.Any(step => step.Op == "add")) return Unsupported("there is no add");
            return program.Inputs.Any(input => input.Tensor.Shape.Length == 0) ? Unsupported("there is no tensor without dimensions") : _spec.Run(program);
        }

        public void Dispose() => _spec.Dispose();

        private RunResult.Unsupported Unsupported(string reason)
        {
            Said.Enqueue(reason);
            return new RunResult.Unsupported(reason);
        }
    }

    [Fact]
    public void An_inconclusive_case_can_be_found_again_from_every_form()
    {
        var engine = new SpecEngine();
        string[] operators = ["sub", "div", "sum", "relu"];
        var report = new Examination(engine, new ExaminationOptions { Random = 400, Operators = operators }).Run();
        var tokens = report.Total.Undecided;
        Assert.Equal(3, tokens.Count);
        var generator = new ProgramGenerator(RegistryModule.all, Examination.For(engine.Info, operators));
        var again = tokens.Select(token => new Examiner(engine).Examine(token, generator.Generate(ReplayToken.Parse(token)!.Seed))).ToList();
        Assert.All(again, result => Assert.Equal(Verdict.Inconclusive, result.Judgement!.Verdict));
        Assert.Equal(again.Select(result => result.Program.Steps.Length).Order(), again.Select(result => result.Program.Steps.Length));
        var line = $"Inconclusive, for example: {string.Join(", ", tokens)}.";
        Assert.Contains(ReportNotes.Of(report), note => note.StartsWith(line, StringComparison.Ordinal));
        Assert.Contains(line, MarkdownReport.Text(report, ""), StringComparison.Ordinal);
        var page = HtmlReport.Text(report, "");
        Assert.Contains(line, page, StringComparison.Ordinal);
        Assert.Contains($"\ninconclusive, for example: {string.Join(", ", report.Operators["div"].Undecided)}", System.Net.WebUtility.HtmlDecode(page), StringComparison.Ordinal);
        var json = JsonDocument.Parse(JsonReport.Text(report)).RootElement;
        Assert.Equal(tokens, json.GetProperty("total").GetProperty("inconclusiveExamples").EnumerateArray().Select(each => each.GetString()!));
        Assert.Equal(report.Operators["div"].Undecided, json.GetProperty("operators").GetProperty("div").GetProperty("inconclusiveExamples").EnumerateArray().Select(each => each.GetString()!));
    }

    [Fact]
    public void Of_inconclusive_cases_random_programs_come_first_then_the_short_ones()
    {
        var tally = new Tally();
        void Count(string id, int steps)
        {
            var program = Json.readProgram($$"""{"inputs": {}, "steps": [{{string.Join(", ", Enumerable.Repeat("""{"op": "detach", "in": ["a"], "out": "a"}""", steps))}}], "observe": []}""").ResultValue;
            tally.Count(new CaseResult(id, program, new RunResult.Unsupported(""), new Judgement([new Finding("y", Verdict.Inconclusive, Difference.None)])));
        }

        string Token(ulong seed) => new ReplayToken(seed, null).ToString();
        Count("corpus/short", 1);
        Count(Token(1), 9);
        Count(Token(2), 4);
        Count("V1-0000000000000001", 1);
        Assert.Equal([Token(2), Token(1), "corpus/short"], tally.Undecided);
        Count(Token(3), 4);
        Assert.Equal([Token(2), Token(3), Token(1)], tally.Undecided);
    }

    [Fact]
    public void Where_an_engine_threw_stands_in_every_form_up_to_where_the_oracle_called_it()
    {
        var report = new Examination(new Throwing(), new ExaminationOptions { Random = 20, Operators = ["exp", "add"] }).Run();
        var failure = Assert.Single(report.Failures);
        Assert.Equal("Crash in exp", failure.Signature);
        Assert.Equal("Crash: the engine threw InvalidOperationException: the table (KeyNotFoundException: no exp)", failure.Message);
        Assert.Equal(2, failure.Trace.Count);
        Assert.Contains($"{nameof(Throwing)}.{nameof(Throwing.LookUp)}(", failure.Trace[0], StringComparison.Ordinal);
        var page = System.Net.WebUtility.HtmlDecode(HtmlReport.Text(report, ""));
        foreach (var text in new[] { FailureDescription.Text(failure), page, MarkdownReport.Text(report, "") })
        {
            Assert.Contains(failure.Trace[0], text, StringComparison.Ordinal);
            Assert.Contains(failure.Trace[1], text, StringComparison.Ordinal);
            Assert.DoesNotContain("Examiner.", text, StringComparison.Ordinal);
        }

        var json = JsonDocument.Parse(JsonReport.Text(report)).RootElement.GetProperty("failures")[0].GetProperty("trace");
        Assert.Equal(failure.Trace, json.EnumerateArray().Select(frame => frame.GetString()!));
    }

    /// <summary>The specification with an exp that is not there, which it says in an exception round another.</summary>
    private sealed class Throwing : IEngine
    {
        private readonly SpecEngine _spec = new();

        public EngineInfo Info { get; } = new() { Name = "throwing", Features = new HashSet<string>() };

        public RunResult Run(Program program) => program.Steps.Any(step => step.Op == "exp") ? Wrapped() : _spec.Run(program);

        public void Dispose() => _spec.Dispose();

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static RunResult Wrapped()
        {
            try
            {
                return LookUp();
            }
            catch (KeyNotFoundException e)
            {
                throw new InvalidOperationException("the table", e);
            }
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static RunResult LookUp() => throw new KeyNotFoundException("no exp");
    }

    private sealed class Forwards : IEngine
    {
        private readonly SpecEngine _spec = new();

        public EngineInfo Info { get; } = new() { Name = "forwards", Features = new HashSet<string>(), DTypes = new HashSet<string> { "float32" } };

        public RunResult Run(Program program) => _spec.Run(program);

        public void Dispose() => _spec.Dispose();
    }

    [Fact]
    public void Every_form_explains_its_words()
    {
        string page = HtmlReport.Text(Failed, ""), text = MarkdownReport.Text(Failed, "");
        Assert.All(ReportWords.All, entry =>
        {
            Assert.Contains($"<dt>{entry.Word}</dt>", page, StringComparison.Ordinal);
            Assert.Contains($"- **{entry.Word}**: {entry.Meaning}", text, StringComparison.Ordinal);
        });
        // Each count that a table shows has its word.
        foreach (var word in new[] { "pass", "fail", "less accurate", "known", "inconclusive", "unsupported", "broken" }) Assert.Contains(word, ReportWords.All.Select(entry => entry.Word));
    }

    [Fact]
    public void Markdown_shows_the_program()
    {
        var text = MarkdownReport.Text(Failed, "a machine");
        Assert.StartsWith("# FAIL", text, StringComparison.Ordinal);
        Assert.Contains("```python\nimport torch", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Doctor_names_every_backend_and_how_to_pin_it()
    {
        var result = Command.Run("doctor");
        Assert.Equal(0, result.Code);
        foreach (var part in new[] { "processor", "Managed", "Mkl", "OpenBlas", "MathNet", "used for", "VERIFIED_BLAS=mkl", "VERIFIED_BLAS=managed" })
            Assert.Contains(part, result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_law_is_a_finding_with_both_programs_in_every_form_and_comes_back_on_its_shrunk_program()
    {
        var engine = new Drifting();
        var report = new Examination(engine, new ExaminationOptions { Random = 64, Operators = ["exp", "add"] }).Run();
        Assert.False(report.Holds);
        Assert.True(report.Total.Holds, string.Join("\n", report.Failures.Select(FailureDescription.Text)));
        var failure = report.Failures.First(f => f.Shrunk.Law == RunTwice.Law);
        Assert.InRange(failure.Shrunk.Program.Steps.Length, 0, 1);
        foreach (var text in new[] { FailureDescription.Text(failure), HtmlReport.Text(report, ""), MarkdownReport.Text(report, "") })
            foreach (var part in new[] { "Its twin:", RunTwice.Law.Statement, "run twice: " })
                Assert.Contains(part, text, StringComparison.Ordinal);
        Assert.Equal("run twice", JsonDocument.Parse(JsonReport.Text(report)).RootElement.GetProperty("failures")[0].GetProperty("law").GetString());
        Assert.True(new Examiner(engine).Hold(RunTwice.Law, "again", failure.Shrunk.Program)!.IsFinding);
    }

    [Fact]
    public void Laws_that_need_what_an_engine_does_not_declare_are_not_asked_of_it()
    {
        var modest = new EngineInfo { Name = "modest", Features = new HashSet<string>(), DTypes = new HashSet<string> { "float32" } };
        Assert.Equal(["run twice"], Law.All.Where(law => law.Concerns(modest)).Select(law => law.Name));
        Assert.Equal(Law.All, Law.All.Where(law => law.Concerns(new SpecEngine().Info)));
    }

    /// <summary>The specification in float32 with a memory: its values are a last bit larger in every second run of a program, within every bound.</summary>
    private sealed class Drifting : IEngine
    {
        private readonly MachineEngine _right = MachineEngine.All[0];
        private readonly ConcurrentDictionary<string, int> _runs = [];

        public EngineInfo Info { get; } = new() { Name = "drifting", Operators = new HashSet<string> { "exp", "add" }, Features = new HashSet<string>(), DTypes = new HashSet<string> { "float32" } };

        public RunResult Run(Program program)
        {
            var result = _right.Run(program);
            return _runs.AddOrUpdate(Hash.ofProgram(program), 1, (_, n) => n + 1) % 2 == 1 || result is not RunResult.Ran { Outcome: var outcome }
                ? result
                : new RunResult.Ran(new Outcome(ListModule.OfSeq(outcome.Values.Select(entry => Tuple.Create(entry.Item1, Grown(program, entry.Item1, entry.Item2)))), outcome.Raised));
        }

        public void Dispose() => _right.Dispose();

        // What exp gives has room in its bound, but for what it gives exactly.
        private static FSharpOption<Report>? Grown(Program program, string name, FSharpOption<Report>? report) =>
            report?.Value is { Tensor.Data: Data.Floats { Item: var values } } found && program.Steps.Any(step => step.Op == "exp" && step.Out is Out.Name { Item: var made } && made == name)
                ? FSharpOption<Report>.Some(new Report(
                    new Literal(found.Tensor.DType, found.Tensor.Shape, Data.NewFloats([.. values.Select(v => v == 1 || !float.IsNormal((float)v) ? v : MathF.BitIncrement((float)v))])), found.RequiresGrad, found.IsLeaf, found.Version, found.GradFn))
                : report;
    }

    /// <summary>The specification with one fault: its exp is expm1.</summary>
    private sealed class WrongExp : IEngine
    {
        private readonly SpecEngine _right = new();

        public EngineInfo Info { get; } = new() { Name = "<wrong & proud>", Operators = new HashSet<string> { "exp", "add" }, Features = new HashSet<string>() };

        public RunResult Run(Program program) => _right.Run(new Program(program.Inputs, ListModule.OfSeq(program.Steps.Select(Changed)), program.Observe));

        public void Dispose() => _right.Dispose();

        private static Step Changed(Step step) =>
            step.Op == "exp" ? new Step("expm1", step.In, step.Attrs, step.Out, step.Wrt, step.Gradients, step.Steps) : step;
    }
}
