using System.CommandLine;
using System.Text;
using System.Text.Json;
using Verified.Oracle;
using Verified.Spec;

namespace Verified.Cli;

/// <summary><c>verify run FILE</c>: programs in, outcomes out, one a line.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "A program, or a corpus (JSON Lines, gzip-compressed or not); - reads standard input." };
        var engine = new EngineOptions();
        var command = new Command("run", "Runs programs and prints their outcomes, one a line: {\"id\",\"outcome\"} or {\"id\",\"unsupported\"}.") { file };
        engine.AddTo(command);
        command.SetAction((parsed, cancel) =>
        {
            using var started = engine.Start(parsed);
            return Task.FromResult(Run(parsed.GetRequiredValue(file), started, cancel));
        });
        return command;
    }

    private static int Run(string file, IEngine engine, CancellationToken cancel)
    {
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 1 << 16);
        // Standard input may be a conversation: each answer goes out at once. A file's results go out in blocks.
        output.AutoFlush = file == "-";
        var ids = new Queue<string>();
        IEnumerable<Program> Programs()
        {
            foreach (var item in Corpus.ReadProgramOrCorpus(file))
            {
                cancel.ThrowIfCancellationRequested();
                ids.Enqueue(item.Id);
                yield return item.Program;
            }
        }

        var broken = false;
        foreach (var result in file == "-" ? Programs().Select(engine.Run) : engine.RunAll(Programs()))
        {
            var id = ids.Dequeue();
            output.Write(Line(id, result));
            output.Write('\n');
            broken |= result is RunResult.Broken or RunResult.Failed;
        }

        return broken ? ExitCodes.Failed : ExitCodes.Held;
    }

    private static string Line(string id, RunResult result) => result switch
    {
        RunResult.Ran ran => Json.writeResult(id, ran.Outcome),
        RunResult.Unsupported unsupported => Object(id, "unsupported", unsupported.What),
        RunResult.Failed failed => Object(id, "failed", failed.Reason),
        RunResult.Broken broken => Object(id, "failed", $"{broken.Kind.ToString().ToLowerInvariant()}: {broken.Detail}"),
        _ => throw new InvalidOperationException($"unknown result {result}"),
    };

    private static string Object(string id, string key, string text) =>
        $"{{\"id\":{JsonSerializer.Serialize(id)},\"{key}\":{JsonSerializer.Serialize(text)}}}";
}
