using System.Diagnostics;
using Verified.Oracle;
using Verified.Spec;
using Xunit;

namespace Verified.OtherEngines.Tests;

/// <summary>Engines in other processes that misbehave: each is reported for what it did, on the program it did it on, and the rest goes on.</summary>
public sealed class ProcessEngineTests
{
    private static readonly ProcessEngineOptions Quick = new() { Timeout = TimeSpan.FromSeconds(3), StartTimeout = TimeSpan.FromSeconds(10), MaxRestarts = 5 };

    private static readonly Program Plain = Json.readProgram(
        """{"inputs": {"a": {"dtype": "float32", "shape": [1], "data": [1]}}, "steps": [{"op": "add", "in": ["a", "a"], "out": "y"}], "observe": ["y"]}""").ResultValue;

    [Fact]
    public void An_engine_that_behaves_answers_every_program_in_order()
    {
        using var engine = new ProcessEngine(Adapter.Loop("""echo "{\"seq\": $seq, \"unsupported\": \"$seq\"}" """), Quick);
        Assert.Equal("scripted", engine.Info.Name);
        var results = engine.RunAll(Enumerable.Repeat(Plain, 40)).ToList();
        Assert.Equal(Enumerable.Range(0, 40).Select(i => (RunResult)new RunResult.Unsupported($"{i}")), results);
        Assert.Equal(0, engine.Restarts);
    }

    [Fact]
    public void What_an_engine_notes_of_itself_stands_in_every_report()
    {
        const string Greeting = """echo '{"engine": {"name": "scripted"}, "ops": ["add"], "features": [], "notes": ["sums run without carry"]}'""";
        using var engine = new ProcessEngine(Adapter.Loop(Adapter.Answer, Greeting), Quick);
        Assert.Equal(["sums run without carry"], engine.Info.Notes);
        var report = new Examination(engine, new ExaminationOptions { Random = 4, Operators = ["add"] }).Run();
        Assert.Contains("scripted says: sums run without carry.", ReportNotes.Of(report));
        foreach (var text in new[] { MarkdownReport.Text(report, ""), HtmlReport.Text(report, ""), JsonReport.Text(report) })
            Assert.Contains("sums run without carry", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_ends_a_wait_and_no_finding_comes_of_it()
    {
        using var cancel = new CancellationTokenSource();
        using var engine = new ProcessEngine(Adapter.Loop("sleep 600"), Quick with { Timeout = TimeSpan.FromMinutes(5), Cancel = cancel.Token });
        cancel.CancelAfter(TimeSpan.FromSeconds(1));
        var watch = Stopwatch.StartNew();
        var report = await Task.Run(() => new Examination(engine, new ExaminationOptions { Random = 4, Operators = ["add"] }).Run(cancel: cancel.Token));
        Assert.True(report.Interrupted);
        Assert.Empty(report.Failures);
        Assert.True(watch.Elapsed < TimeSpan.FromMinutes(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Run(() => new ProcessEngine("sleep 600", Quick with { Cancel = cancel.Token })));
    }

    [Theory]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(8192)]
    public void An_answer_that_fills_a_buffer_exactly_is_not_waited_on(int bytes)
    {
        using var engine = new ProcessEngine(
            Adapter.Loop($$"""printf "{\"seq\": $seq, \"unsupported\": \"%0$(({{bytes - 29}} - ${#seq}))d\"}\n" 0"""), Quick);
        Assert.All(engine.RunAll(Enumerable.Repeat(Plain, 3)), result => Assert.IsType<RunResult.Unsupported>(result));
        Assert.Equal(0, engine.Restarts);
    }

    [Theory]
    [InlineData("verified-no-such-command", "not found")]
    [InlineData("exit 7", "exit code 7")]
    [InlineData("echo the library is missing >&2; exit 1", "the library is missing")]
    [InlineData("echo Loading...", "not a JSON object on one line: Loading...")]
    [InlineData("echo '{\"engine\": 3}'", "the answer to hello wants")]
    [InlineData("echo '[1]'", "the answer to hello wants")]
    [InlineData("printf '{\"engine\": {\"name\"'", "not a JSON object")]
    public void An_engine_that_cannot_greet_cannot_be_run(string command, string reason)
    {
        var error = Assert.Throws<EngineException>(() => new ProcessEngine(command, Quick));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Contains("could not be run as an engine", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void An_engine_that_never_greets_is_not_waited_for_endlessly()
    {
        var watch = Stopwatch.StartNew();
        var error = Assert.Throws<EngineException>(() => new ProcessEngine("sleep 600", Quick with { StartTimeout = TimeSpan.FromSeconds(1) }));
        Assert.Contains("no answer in 1 s", error.Message, StringComparison.Ordinal);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60));
    }

    // Programs are numbered from 0; program 2 is the one that goes wrong, in the first life and, run alone, under its new number 100.
    [Theory]
    [InlineData("echo out of memory >&2; exit 3", BreakKind.Crash, "exit code 3: out of memory")]
    [InlineData("kill -9 $$", BreakKind.Crash, "exit code 137")]
    [InlineData("sleep 600", BreakKind.Timeout, "no answer in 3 s")]
    [InlineData("echo Traceback", BreakKind.Protocol, "not a JSON object on one line: Traceback")]
    [InlineData("""echo "{\"seq\": 1234567, \"unsupported\": \"x\"}" """, BreakKind.Protocol, "an answer to 1234567, which was not asked")]
    [InlineData("""echo "{\"seq\": \"one\"}" """, BreakKind.Protocol, "wants the request's \"seq\"")]
    [InlineData("""echo "{\"seq\": $seq}" """, BreakKind.Protocol, "wants \"outcome\", \"unsupported\" or \"failed\"")]
    [InlineData("""echo "{\"seq\": $seq, \"outcome\": {\"values\": {\"y\"" """, BreakKind.Protocol, "not a JSON object on one line")]
    [InlineData("""echo "{\"seq\": $seq, \"outcome\": {\"values\": {\"y\": {\"dtype\": \"float32\", \"shape\": [2], \"data\": [1]}}}}" """, BreakKind.Protocol, "the outcome is malformed")]
    [InlineData("""echo "{\"seq\": $seq, \"outcome\": {\"values\": {\"y\": {\"dtype\": \"float32\", \"shape\": [1], \"data\": [-Infinity]}}}}" """, BreakKind.Protocol, "the strings \"inf\", \"-inf\" and \"nan\"")]
    public void A_breakdown_is_reported_for_its_program_and_the_rest_goes_on(string breakdown, BreakKind kind, string detail)
    {
        using var engine = new ProcessEngine(Adapter.Loop($"case $line in *boom*) {breakdown};; *) {Adapter.Answer};; esac"), Quick);
        var boom = new Program(Plain.Inputs, Plain.Steps, Microsoft.FSharp.Collections.ListModule.OfSeq([Observed.NewValue("boom")]));
        var results = engine.RunAll([Plain, Plain, boom, Plain, Plain]).ToList();
        Assert.Equal(5, results.Count);
        foreach (var i in new[] { 0, 1, 3, 4 }) Assert.IsType<RunResult.Unsupported>(results[i]);
        var broken = Assert.IsType<RunResult.Broken>(results[2]);
        Assert.Equal(kind, broken.Kind);
        Assert.Contains(detail, broken.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', broken.Detail);
        // An answer that says which program it is for leaves the engine in step.
        Assert.InRange(engine.Restarts, kind == BreakKind.Protocol ? 0 : 1, 2);
    }

    // The last engine answers with a debug line before each answer: out of form, every time.
    [Theory]
    [InlineData("exit 9", "it broke down 3 times and answered no program, the last time with crash: it ended with exit code 9")]
    [InlineData("sleep 600", "timeout: no answer in 3 s (are its answers flushed, one a line?)")]
    [InlineData("echo debug; " + Adapter.Answer, "protocol: not a JSON object on one line: debug")]
    [InlineData("""echo "{\"seq\": $seq}" """, "it broke down 3 times and answered no program")]
    public void An_engine_that_always_breaks_is_given_up_soon(string each, string why)
    {
        using var engine = new ProcessEngine(Adapter.Loop(each), Quick);
        var watch = Stopwatch.StartNew();
        var error = Assert.Throws<EngineException>(() => engine.RunAll(Enumerable.Repeat(Plain, 20)).Count());
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.InRange(engine.Restarts, 0, 2);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(40), $"{watch.Elapsed}");
        Assert.Throws<EngineException>(() => engine.Run(Plain));
    }

    [Fact]
    public void An_engine_that_breaks_down_again_and_again_in_between_its_answers_is_given_up_in_the_end()
    {
        using var engine = new ProcessEngine(Adapter.Loop($"case $line in *boom*) exit 9;; *) {Adapter.Answer};; esac"), Quick);
        var boom = new Program(Plain.Inputs, Plain.Steps, Microsoft.FSharp.Collections.ListModule.OfSeq([Observed.NewValue("boom")]));
        var error = Assert.Throws<EngineException>(() => engine.RunAll(Enumerable.Range(0, 40).Select(i => i % 2 == 0 ? Plain : boom)).Count());
        Assert.Contains("it broke down 6 times", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_flood_on_standard_error_neither_blocks_nor_hides_the_last_words()
    {
        const string flood = "i=0; while [ $i -lt 2000 ]; do printf 'warning warning warning warning warning warning warning warning' >&2; i=$((i+1)); done; echo the end >&2";
        using var engine = new ProcessEngine(Adapter.Loop($"{flood}; {Adapter.Answer}"), Quick with { Timeout = TimeSpan.FromSeconds(60) });
        Assert.IsType<RunResult.Unsupported>(engine.Run(Plain));
        // The answer may be read before the last of the other stream.
        SpinWait.SpinUntil(() => engine.StandardError.EndsWith("the end", StringComparison.Ordinal), TimeSpan.FromSeconds(20));
        Assert.EndsWith("the end", engine.StandardError, StringComparison.Ordinal);
        Assert.True(engine.StandardError.Length < 5000);
    }

    [Fact]
    public void An_engine_that_does_not_read_its_requests_does_not_block_the_run()
    {
        var data = string.Join(", ", Enumerable.Repeat("0.123456789", 20_000));
        var large = Json.readProgram("""{"inputs": {"a": {"dtype": "float64", "shape": [20000], "data": [DATA]}}, "steps": [], "observe": ["a"]}""".Replace("DATA", data, StringComparison.Ordinal)).ResultValue;
        using var engine = new ProcessEngine($"read line; {Adapter.Hello}; sleep 600", Quick with { Timeout = TimeSpan.FromSeconds(1) });
        var broken = Assert.IsType<RunResult.Broken>(engine.RunAll([large, large]).First());
        Assert.Equal(BreakKind.Timeout, broken.Kind);
    }

    [Fact]
    public void What_is_said_beside_the_answers_is_a_breakdown_but_no_answer_is_lost()
    {
        using var engine = new ProcessEngine(Adapter.Loop($"[ $seq = 1 ] && echo debug; {Adapter.Answer}"), Quick);
        var results = engine.RunAll(Enumerable.Repeat(Plain, 4)).ToList();
        Assert.Equal(4, results.Count);
        Assert.IsType<RunResult.Unsupported>(results[0]);
        Assert.All(results.Skip(2), result => Assert.IsType<RunResult.Unsupported>(result));
    }
}
