using System.IO.Compression;
using System.Text;
using Verified.Oracle.Generation;
using Xunit;

namespace Verified.OtherEngines.Tests;

/// <summary>The command's exit codes and its one sentence for whatever is wrong with what it is given.</summary>
public sealed class CommandTests : IDisposable
{
    private const string Program = """{"inputs": {"a": {"dtype": "float32", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "exp", "in": ["a"], "out": "y"}], "observe": ["y"]}""";

    private readonly string _folder = Directory.CreateTempSubdirectory("verified-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("check", "--nonsense")]
    [InlineData("check", "--random", "many")]
    [InlineData("check", "--random", "-1")]
    [InlineData("check", "--ops", "no_such_operator")]
    [InlineData("check", "--shard", "3/2")]
    [InlineData("check", "--corpus", "no-such-file.jsonl")]
    [InlineData("run", "no-such-file.json")]
    [InlineData("check", "--corpus", "/")]
    [InlineData("check", "--random", "0", "--report", "/dev/null/report")]
    [InlineData("check", "--random", "0", "--record", "/dev/null/records.md")]
    [InlineData("check", "--random", "0", "--record", "/")]
    [InlineData("run", "/")]
    [InlineData("tune", "--write", "/")]
    [InlineData("tune", "--write", "/dev/null/rule")]
    [InlineData("replay", "no-token")]
    [InlineData("explain", "no_such_operator")]
    [InlineData("check", "--random", "0", "--engine", "python3 engine.py")]
    [InlineData("check", "--random", "0", "--engine", "$ ")]
    [InlineData("check", "--timeout", "-1")]
    [InlineData("check", "--timeout", "soon")]
    [InlineData("train", "unet", "--epochs", "few")]
    [InlineData("train", "unet", "--epochs", "0")]
    [InlineData("checkpoint", "no-such-file.pt")]
    [InlineData("checkpoint", "/")]
    [InlineData("check", "--seed", "-1")]
    [InlineData("explain", "no/such-rule")]
    [InlineData("train", "conv-edge", "--resume")]
    [InlineData("train", "conv-edge", "--data", ".")]
    [InlineData("train", "conv-edge", "--small")]
    [InlineData("train", "autograd-basics", "--epochs", "2")]
    [InlineData("train", "linear-regression", "--out", "elsewhere")]
    [InlineData("self-test", "--bugs", "no_such_bug")]
    public void A_wrong_command_line_is_2_and_one_sentence(params string[] args)
    {
        var result = Command.Run(args);
        Assert.Equal(2, result.Code);
        Assert.StartsWith("verify: ", result.Error, StringComparison.Ordinal);
        foreach (var foreign in new[] { "   at ", "System.", "Could not find" }) Assert.DoesNotContain(foreign, result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Theory]
    [InlineData(10, 0, "REACHED  the kernel within 0.1 of [1, -1]")]
    [InlineData(2, 1, "MISSED  the kernel within 0.1 of [1, -1]")]
    public void An_example_says_whether_it_reached_its_target_and_ends_accordingly(int epochs, int code, string last)
    {
        var result = Command.Run("train", "conv-edge", "--epochs", $"{epochs}");
        Assert.Equal(code, result.Code);
        Assert.Contains(last, result.Output.TrimEnd().Split('\n')[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("replay", "exp", "sigmoidd", "steps[0]: there is no operator 'sigmoidd'")]
    [InlineData("replay", "[\"a\"]", "[\"z\"]", "steps[0] (exp): nothing before binds 'z'")]
    [InlineData("replay", "[\"a\"]", "[\"a\", \"a\"]", "steps[0] (exp): exp takes at most 1 tensor, got 2")]
    [InlineData("replay", "\"out\"", "\"wrt\": [\"a\"], \"out\"", "steps[0] (exp): exp has no 'wrt'")]
    [InlineData("replay", "\"y\"}", "[\"y\", \"u\"]}", "steps[0] (exp): exp has 1 result, 'out' names 2")]
    [InlineData("replay", "exp\", \"in\": [\"a\"]", "detach\", \"in\": [[\"a\"]]", "steps[0] (detach): detach takes names of tensors, not lists or null")]
    [InlineData("run", "\"out\"", "\"attrs\": {\"dims\": 0}, \"out\"", "steps[0] (exp): exp has no attribute 'dims'; it has none")]
    [InlineData("run", "exp\", \"in\": [\"a\"]", "add\", \"attrs\": {\"other\": 2}, \"in\": [\"a\", \"a\"]", "steps[0] (add): 'other' is given both as a tensor and as a number")]
    [InlineData("run", "exp\", \"in\": [\"a\"]", "pow\", \"attrs\": {\"self\": 2}, \"in\": [\"a\", \"a\"]", "steps[0] (pow): 'self' is given both as a tensor and as a number")]
    [InlineData("run", "exp\"", "cumsum\", \"attrs\": {\"dim\": null}", "steps[0] (cumsum): cumsum needs the attribute 'dim'")]
    [InlineData("check --random 0 --corpus", "[\"a\"]", "[\"z\"]", "steps[0] (exp): nothing before binds 'z'")]
    [InlineData("check --random 0 --corpus", "[\"y\"]", "[\"z\"]", "observe[0]: nothing binds 'z'")]
    public void A_program_of_which_nothing_can_be_said_is_2_and_names_the_place(string command, string right, string wrong, string why)
    {
        var result = Command.Run([.. command.Split(' '), Written("program.json", Program.Replace(right, wrong, StringComparison.Ordinal))]);
        Assert.Equal(2, result.Code);
        Assert.Contains("program.json: " + why, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void A_program_over_several_lines_is_a_corpus_of_one()
    {
        var result = Command.Run("check", "--random", "0", "--corpus", Written("program.json", Program.Replace(", ", ",\n  ", StringComparison.Ordinal)));
        Assert.Equal(0, result.Code);
        Assert.Contains("PASS", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(GeneratorOptions.Version, "no_such_operator", "no_such_operator")]
    [InlineData(GeneratorOptions.Version + 1, "exp", "generator")]
    public void A_token_that_means_nothing_here_is_2_and_says_why(int version, string op, string why)
    {
        var result = Command.Run("replay", $"V{version}-0123456789abcdef+{op}");
        Assert.Equal(2, result.Code);
        Assert.Contains(why, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("{\"inputs\": {\"a\": {\"dtype\": \"float32\", \"shape\": [3], \"data\": [1, 2]}}, \"steps\": [], \"observe\": []}", "shape")]
    [InlineData("{\"inputs\": {}, \"steps\": [{\"op\": 7}], \"observe\": []}", "op")]
    [InlineData("{\"inputs\": {}, \"steps\": [", "")]
    [InlineData("not JSON", "")]
    public void A_malformed_program_is_2_and_names_its_file_and_place(string text, string place)
    {
        var result = Command.Run("run", Written("program.json", text));
        Assert.Equal(2, result.Code);
        Assert.Contains("program.json", result.Error, StringComparison.Ordinal);
        Assert.Contains(place, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("spec")]
    [InlineData("engine")]
    public void An_operator_or_a_name_that_there_is_not_is_2_and_names_line_and_place_and_the_rest_is_run(string engine)
    {
        string Case(string id, string right, string wrong) => $$"""{"id": "{{id}}", "program": {{Program.Replace(right, wrong, StringComparison.Ordinal)}}}""";
        var lines = new[]
        {
            Case("good", "exp", "exp"), Case("operator", "exp", "no_such_operator"), "",
            Case("nested", "{\"op\": \"exp\", \"in\": [\"a\"], \"out\": \"y\"}", "{\"op\": \"no_grad\", \"steps\": [{\"op\": \"expp\", \"in\": [\"a\"], \"out\": \"y\"}]}"),
            Case("name", "[\"a\"]", "[\"z\"]"), Case("shape", "\"exp\", \"in\": [\"a\"]", "\"view\", \"in\": [\"a\"], \"attrs\": {\"size\": [7]}"), Case("last", "exp", "exp"),
        };
        var result = Command.Run("run", "--engine", engine, Written("programs.jsonl", string.Join('\n', lines)));
        Assert.Equal(2, result.Code);
        var said = result.Error.TrimEnd().Split('\n');
        Assert.Equal(3, said.Length);
        Assert.EndsWith("programs.jsonl, line 2 (operator): steps[0]: there is no operator 'no_such_operator'", said[0]);
        Assert.EndsWith("programs.jsonl, line 4 (nested): steps[0].steps[0]: there is no operator 'expp'", said[1]);
        Assert.EndsWith("programs.jsonl, line 5 (name): steps[0] (exp): nothing before binds 'z'", said[2]);
        var written = result.Output.TrimEnd().Split('\n');
        Assert.Equal(6, written.Length);
        Assert.Contains("\"unsupported\":", written[1], StringComparison.Ordinal);
        Assert.StartsWith("{\"id\":\"last\",\"outcome\":{\"values\":{\"y\"", written[5], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(",\n  ")]
    [InlineData(", ")]
    public void Standard_input_may_be_one_program(string between)
    {
        var result = Command.Feed(Program.Replace(", ", between, StringComparison.Ordinal) + "\n", "run", "-");
        Assert.True(result.Code == 0, result.Error);
        Assert.StartsWith("{\"id\":\"standard-input\",\"outcome\":{\"values\":{\"y\"", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"id\": \"a\", \"program\": 7}", "verify: standard input, line 1, column 24 (program): ")]
    [InlineData("{\"inputs\": {},\n \"steps\": [{\"op\": 7}], \"observe\": []}", "verify: standard input, line 2, ")]
    [InlineData("", "verify: standard input: there is no program in it")]
    public void Standard_input_that_is_wrong_is_2_and_is_called_that(string text, string why)
    {
        var result = Command.Feed(text, "run", "-");
        Assert.Equal(2, result.Code);
        Assert.StartsWith(why, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_conversation_is_answered_line_by_line()
    {
        using var process = Command.Open("run", "-");
        for (var i = 0; i < 3; i++)
        {
            await process.StandardInput.WriteLineAsync($$"""{"id": "case/{{i}}", "program": {{Program}}}""");
            await process.StandardInput.FlushAsync();
            var answer = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1));
            Assert.StartsWith($"{{\"id\":\"case/{i}\",\"outcome\":", answer, StringComparison.Ordinal);
        }

        process.StandardInput.Close();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }

    [Theory]
    [InlineData("engine")]
    [InlineData("spec")]
    public void An_operator_that_there_is_not_is_2_in_an_examination_too_and_the_rest_is_examined(string engine)
    {
        var corpus = $$"""{"id": "typo", "program": {{Program.Replace("exp", "expp", StringComparison.Ordinal)}}}""" + "\n" + $$"""{"id": "good", "program": {{Program}}}""";
        var result = Command.Run("check", "--engine", engine, "--random", "0", "--corpus", Written("two.jsonl", corpus));
        Assert.Equal(2, result.Code);
        Assert.Contains("two.jsonl, line 1 (typo): steps[0]: there is no operator 'expp'\n", result.Error, StringComparison.Ordinal);
        Assert.Contains("1 program is out of form, or names what is not there", result.Output, StringComparison.Ordinal);
        Assert.Contains("PASS  Nothing wrong was found in 1 program,", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_nothing_binds_is_2_in_an_examination_with_its_line_and_the_rest_is_examined()
    {
        var lines = new[] { "", $$"""{"id": "unbound", "program": {{Program.Replace("[\"a\"]", "[\"z\"]", StringComparison.Ordinal)}}}""", $$"""{"id": "good", "program": {{Program}}}""" };
        var result = Command.Run("check", "--random", "0", "--corpus", Written("two.jsonl", string.Join('\n', lines)));
        Assert.Equal(2, result.Code);
        Assert.Contains("two.jsonl, line 2 (unbound): steps[0] (exp): nothing before binds 'z'\n", result.Error, StringComparison.Ordinal);
        Assert.Contains("1 program is out of form, or names what is not there, and was not examined.", result.Output.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.Contains("PASS  Nothing wrong was found in 1 program,", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void An_examination_and_a_replay_read_standard_input()
    {
        var corpus = $$"""{"id": "one", "program": {{Program}}}""" + "\n" + $$"""{"id": "typo", "program": {{Program.Replace("exp", "expp", StringComparison.Ordinal)}}}""";
        var examined = Command.Feed(corpus, "check", "--random", "0", "--corpus", "-");
        Assert.Equal(2, examined.Code);
        Assert.Contains("standard input: 1 case, 100", examined.Error, StringComparison.Ordinal);
        Assert.Contains("verify: standard input, line 2 (typo): steps[0]: there is no operator 'expp'\n", examined.Error, StringComparison.Ordinal);
        Assert.Contains("PASS  Nothing wrong was found in 1 program,", examined.Output, StringComparison.Ordinal);
        var again = Command.Feed(Program.Replace(", ", ",\n", StringComparison.Ordinal), "replay", "-");
        Assert.True(again.Code == 0, again.Error);
        Assert.Contains("standard-input: Pass", again.Output, StringComparison.Ordinal);
        var nothing = Command.Feed("", "replay", "-");
        Assert.Equal((2, "verify: standard input: nothing was examined\n"), (nothing.Code, nothing.Error));
    }

    [Fact]
    public void A_corpus_without_the_operators_asked_for_is_named()
    {
        var result = Command.Run("check", "--random", "0", "--ops", "tanh,add", "--corpus", Written("one.jsonl", $$"""{"id": "good", "program": {{Program}}}"""));
        Assert.Equal(2, result.Code);
        Assert.EndsWith("one.jsonl: no program in it has tanh or add\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_in_the_answer_to_hello_that_there_is_not_is_said()
    {
        const string hello = """echo '{"engine": {"name": "slip"}, "ops": ["exp", "tamh", "exp_", "backward"], "opps": [], "dtypes": ["float32", "float16"], "features": ["acumulate"], "numerics": {"ulp": {"tamh": 2}, "upl": 1}}'""";
        var result = Command.Run("check", "--random", "0", "--corpus", Written("one.jsonl", $$"""{"id": "good", "program": {{Program}}}"""), "--engine", "$ " + Adapter.Loop(Adapter.Answer, hello));
        var said = result.Output.ReplaceLineEndings(" ");
        foreach (var part in new[] { "the feature 'acumulate'", "the dtype 'float16'", "the ulp of 'tamh'", "the field 'opps'", "the field 'numerics.upl'" })
            Assert.Contains($"slip declares {part}, which there is not: there are ", said, StringComparison.Ordinal);
        Assert.Matches("slip declares operators that the specification does not have, which are not examined: +tamh\\.", said);
    }

    [Theory]
    [InlineData("[\"float16\"]", "\"dtypes\" in the answer to hello wants float32, float64 or both among them")]
    [InlineData("[]", "\"dtypes\" in the answer to hello wants float32, float64 or both among them")]
    [InlineData("\"float32\"", "\"dtypes\" in the answer to hello wants a list")]
    public void An_engine_without_float_dtypes_is_refused_at_its_greeting(string dtypes, string why)
    {
        var result = Command.Run("check", "--random", "5", "--engine", "$ " + Adapter.Loop(Adapter.Answer, Adapter.Hello.Replace("[\"float32\"]", dtypes, StringComparison.Ordinal)));
        Assert.Equal(3, result.Code);
        Assert.Contains(why, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void An_example_without_a_checkpoint_cannot_go_on()
    {
        var result = Command.Run("train", "unet", "--resume", "--small", "--out", _folder);
        Assert.Equal(2, result.Code);
        Assert.EndsWith($"verify: there is no checkpoint to go on from in {Path.Combine(_folder, "unet")}\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_error_of_PyTorchs_and_what_an_engine_lacks_are_outcomes_of_a_run()
    {
        var shape = Program.Replace("\"exp\", \"in\": [\"a\"]", "\"view\", \"in\": [\"a\"], \"attrs\": {\"size\": [7]}", StringComparison.Ordinal);
        var raised = Command.Run("run", Written("program.json", shape));
        Assert.True(raised.Code == 0 && raised.Error.Length == 0, raised.Error);
        Assert.Contains("\"kind\":\"shape\"", raised.Output, StringComparison.Ordinal);
        var lacking = Command.Run("run", Written("program.json", Program), "--engine", "$ " + Adapter.Loop(Adapter.Answer));
        Assert.True(lacking.Code == 0 && lacking.Error.Length == 0, lacking.Error);
        Assert.Contains("\"unsupported\":", lacking.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_corpus_of_nothing_is_2_and_no_pass()
    {
        var result = Command.Run("check", "--random", "0", "--corpus", Written("empty.jsonl", ""));
        Assert.Equal(2, result.Code);
        Assert.Contains("Nothing was examined", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("PASS", result.Output, StringComparison.Ordinal);
    }

    // A gzip stream may break off in its data, in its last bytes, or right behind its header.
    [Theory]
    [InlineData(0.5)]
    [InlineData(0.999)]
    [InlineData(0.02)]
    public void A_truncated_corpus_is_2_and_names_the_file(double part)
    {
        var lines = string.Join('\n', Enumerable.Range(0, 500).Select(i => $$"""{"id": "case/{{i}}", "program": {{Program}}}"""));
        var bytes = Zipped(lines);
        var path = Path.Combine(_folder, "corpus.jsonl.gz");
        File.WriteAllBytes(path, bytes[..(int)(bytes.Length * part)]);
        var result = Command.Run("run", "--engine", "spec", path);
        Assert.Equal(2, result.Code);
        Assert.Contains("corpus.jsonl.gz", result.Error, StringComparison.Ordinal);
        Assert.Contains("truncated", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Fact]
    public void A_whole_compressed_corpus_is_read_to_its_end()
    {
        var path = Path.Combine(_folder, "corpus.jsonl.gz");
        File.WriteAllBytes(path, Zipped($$"""{"id": "case/0", "program": {{Program}}}"""));
        var result = Command.Run("run", "--engine", "spec", path);
        Assert.Equal(0, result.Code);
        Assert.StartsWith("{\"id\":\"case/0\",\"outcome\":", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("verified-no-such-command", "not found")]
    [InlineData("echo hello", "not a JSON object")]
    [InlineData("exit 4", "exit code 4")]
    public void An_engine_that_cannot_be_run_is_3(string command, string reason)
    {
        var result = Command.Run("check", "--random", "3", "--corpus", Written("empty.jsonl", ""), "--engine", "$ " + command);
        Assert.Equal(3, result.Code);
        Assert.Contains(reason, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
        Assert.Empty(result.Output);
    }

    [Fact]
    public void An_unknown_engine_is_2() => Assert.Equal(2, Command.Run("check", "--engine", "nobody").Code);

    [Fact]
    public void An_engine_that_answers_wrongly_is_1_with_a_whole_report()
    {
        const string zero = """echo "{\"seq\": $seq, \"outcome\": {\"values\": {\"y\": {\"dtype\": \"float32\", \"shape\": [2], \"data\": [0, 0]}}}}" """;
        var report = Path.Combine(_folder, "report");
        var result = Command.Run(
            "check", "--random", "0", "--corpus", Written("one.jsonl", $$"""{"id": "case/0", "program": {{Program}}}"""), "--engine", "$ " + Adapter.Loop(zero, Adapter.Hello.Replace("add", "exp", StringComparison.Ordinal)),
            "--report", report);
        Assert.Equal(1, result.Code);
        Assert.Contains("import torch", result.Output, StringComparison.Ordinal);
        Assert.Contains("FAIL  1 program counts against the engine, in 1 program,", result.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(report, "report.json")));
        var failing = Assert.Single(Directory.GetFiles(Path.Combine(report, "failures"), "*.json"));
        Assert.Contains($"\nagain: ./verify replay {failing} --engine '$ ", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void An_engine_that_breaks_down_in_the_middle_is_1_and_the_other_cases_are_judged()
    {
        var corpus = string.Join('\n', Enumerable.Range(0, 6).Select(i => $$"""{"id": "case/{{i}}", "program": {{(i == 3 ? Program.Replace("[1, 2]", "[1, 7]", StringComparison.Ordinal) : Program)}}}"""));
        var engine = Adapter.Loop($"case $line in *,7*) exit 5;; *) {Adapter.Answer};; esac");
        var result = Command.Run("check", "--random", "0", "--corpus", Written("six.jsonl", corpus), "--engine", "$ " + engine);
        Assert.Equal(1, result.Code);
        Assert.Contains("exit code 5", result.Output, StringComparison.Ordinal);
        Assert.Matches(@"six +6 +0 +0 +0 +0 +0 +5 +1", result.Output);
    }

    [Fact]
    public void An_engine_is_asked_only_for_what_it_declares()
    {
        string Case(string id, string program) => $$"""{"id": "{{id}}", "program": {{program}}}""";
        var corpus = string.Join(
            '\n',
            Case("declared", Program),
            Case("operator", Program.Replace("exp", "tanh", StringComparison.Ordinal)),
            Case("dtype", Program.Replace("float32", "float64", StringComparison.Ordinal)),
            Case("feature", Program.Replace("""{"op": "exp", "in": ["a"], "out": "y"}""", """{"op": "exp", "in": ["a"], "out": "y"}, {"op": "exp_", "in": ["y"]}""", StringComparison.Ordinal)));
        var asked = Path.Combine(_folder, "asked");
        var result = Command.Run("check", "--random", "0", "--corpus", Written("few.jsonl", corpus), "--engine", "$ " + Adapter.Loop($"echo \"$line\" >> {asked}; {Adapter.Answer}"));
        Assert.Equal(2, result.Code);
        Assert.Single(File.ReadAllLines(asked));
        Assert.Matches(@"few +4 +0 +0 +0 +0 +0 +4 +0", result.Output);
    }

    [Fact]
    public async Task A_run_that_is_killed_leaves_no_part_of_a_report()
    {
        var report = Path.Combine(_folder, "report");
        using var process = Command.Start("check", "--engine", "$ " + Adapter.Loop("sleep 600"), "--corpus", Written("one.jsonl", $$"""{"id": "case/0", "program": {{Program}}}"""), "--random", "0", "--report", report);
        await Task.Delay(3000);
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        Assert.False(Directory.Exists(report));
    }

    [Fact]
    public void A_replay_that_goes_to_a_file_holds_no_colours_and_says_what_is_not_supported()
    {
        var result = Command.Run("replay", Written("program.json", Program), "--engine", "$ " + Adapter.Loop(Adapter.Answer));
        Assert.Equal(2, result.Code);
        Assert.Contains("not run, the engine does not support everything", result.Output, StringComparison.Ordinal);
        Assert.Contains("nothing was examined", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void An_inconclusive_replay_names_each_value_and_why()
    {
        // Their float32 sum is zero, the sum of what they are is not: on which side of the kink it lies float32 cannot tell.
        var program = """{"inputs": {"a": {"dtype": "float32", "shape": [3], "data": [-0.1, -0.2, 0.3], "requires_grad": true}}, "steps": [{"op": "sum", "in": ["a"], "out": "s"}, {"op": "relu", "in": ["s"], "out": "y"}, {"op": "backward", "in": ["y"]}], "observe": ["y", "a.grad"]}""";
        var result = Command.Run("replay", Written("program.json", program));
        Assert.Equal(0, result.Code);
        Assert.Matches(@"Inconclusive, which is never a pass:\n  y\[?.*cannot be decided: .* within .*wider than 1\s?% of the value.*\n  a\.grad\[0\] cannot be decided: ", result.Output);
    }

    [Fact]
    public void The_words_of_a_report_are_explained_on_the_terminal()
    {
        var result = Command.Run("check", "--corpus", Written("one.jsonl", $$"""{"id": "case/0", "program": {{Program}}}"""), "--random", "0");
        foreach (var word in new[] { "bound", "inconclusive", "finding", "known", "law", "golden", "shrunk" }) Assert.Matches($@"\n{word} +[A-Z]", result.Output);
    }

    [Theory]
    [InlineData("echo rubbish")]
    [InlineData("exit 5")]
    public void An_engine_that_always_breaks_down_is_3_and_one_sentence(string each)
    {
        var corpus = string.Join('\n', Enumerable.Range(0, 40).Select(i => $$"""{"id": "case/{{i}}", "program": {{Program}}}"""));
        var result = Command.Run("check", "--random", "0", "--corpus", Written("many.jsonl", corpus), "--engine", "$ " + Adapter.Loop(each));
        Assert.Equal(3, result.Code);
        Assert.Contains("was given up: it broke down 3 times and answered no program", result.Error, StringComparison.Ordinal);
        Assert.Contains("NOT DONE", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("conv2d", "conv2d(input, weight, bias=None, *, stride=..., padding=0, dilation=1, groups=1)")]
    [InlineData("cat", "cat(tensors, *, dim=0)")]
    [InlineData("gather", "gather(input, index, *, dim)")]
    [InlineData("zero", "zero_(input)")]
    [InlineData("rules", "versions/detach-shares-the-counter")]
    [InlineData("leaves/detach-has-no-history", "without the rule:  d is ")]
    public void Explain_says_how_it_is_called_and_what_a_rule_means(string name, string part)
    {
        var result = Command.Run("explain", name);
        Assert.Equal(0, result.Code);
        Assert.Contains(part, result.Output, StringComparison.Ordinal);
    }

    [LinuxFact]
    public async Task A_self_test_that_Ctrl_C_ends_is_130_and_what_was_done_stands()
    {
        using var process = Command.Interruptible("self-test", "--distribution", "0");
        var output = new StringBuilder();
        // The first planted bug has been found.
        while (await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1)) is { } line)
        {
            output.AppendLine(line);
            if (!line.Contains("FAIL after ", StringComparison.Ordinal)) continue;
            Command.Interrupt(process);
            break;
        }

        output.Append(await process.StandardOutput.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.Equal(130, process.ExitCode);
        Assert.Matches(@"\n  (\d+) of \1 found by FAIL; the shortest programs have at most \d steps?; \d+ not sought to the end", output.ToString());
        Assert.DoesNotContain("MISSED", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("False alarms", output.ToString(), StringComparison.Ordinal);
        Assert.Equal("verify: interrupted.\n", await process.StandardError.ReadToEndAsync());
    }

    [Fact]
    public void Tune_writes_a_rule_whole_and_says_how_to_use_and_undo_it()
    {
        var file = Path.Combine(_folder, "new folder", "dispatch.txt");
        var result = Command.Run("tune", "--quick", "--write", file);
        Assert.Equal(0, result.Code);
        foreach (var part in new[] { "GFLOP/s", $"export VERIFIED_DISPATCH={file}", "unset VERIFIED_DISPATCH" })
            Assert.Contains(part, result.Output, StringComparison.Ordinal);
        Assert.Equal([file], Directory.GetFiles(Path.GetDirectoryName(file)!));
        Assert.Contains("managed", File.ReadAllText(file), StringComparison.Ordinal);
    }

    private string Written(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static byte[] Zipped(string text)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Fastest)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return memory.ToArray();
    }
}
