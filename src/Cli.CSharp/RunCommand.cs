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
        var file = new Argument<string>("FILE") { Description = "A program, or a corpus (JSON Lines); - reads standard input, and answers each line as it comes. A file may be gzip-compressed." };
        var engine = new EngineOptions();
        var command = new Command("run", "Runs programs and prints their outcomes, one a line: {\"id\",\"outcome\"} or {\"id\",\"unsupported\"}. Of a program out of form, or that names what is not there, a sentence says where, and the exit code is 2; the other programs run.") { file };
        engine.AddTo(command);
        command.SetAction((parsed, cancel) =>
        {
            using var started = engine.Start(parsed, cancel);
            return Task.FromResult(Run(parsed.GetRequiredValue(file), started, cancel));
        });
        return command;
    }

    private static int Run(string file, IEngine engine, CancellationToken cancel)
    {
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 1 << 16);
        // Standard input may be a conversation: each answer goes out at once. A file's results go out in blocks.
        output.AutoFlush = file == "-";
        foreach (var note in engine.Info.Notes) Console.Error.WriteLine($"verify: {engine.Info.Name} says: {note}");
        var asked = new Queue<(string Place, Json.Case Case)>();
        IEnumerable<Program> Programs()
        {
            foreach (var item in Corpus.ReadPlaced(file))
            {
                cancel.ThrowIfCancellationRequested();
                asked.Enqueue(item);
                yield return item.Case.Program;
            }
        }

        var (any, broken, wrong) = (false, false, false);
        foreach (var result in file == "-" ? Programs().Select(engine.Run) : engine.RunAll(Programs()))
        {
            any = true;
            var (place, item) = asked.Dequeue();
            // A program out of form has no outcome, whatever an engine makes of it.
            var slip = ProgramNames.Complaint(item.Program);
            output.Write(Line(item.Id, slip is null ? result : new RunResult.Failed(slip)));
            output.Write('\n');
            var complaint = slip ?? (result is RunResult.Unsupported ? ProgramNames.Unknown(item.Program, namesAlone: true) : null);
            broken |= (slip is null && result is RunResult.Broken) || (result is RunResult.Failed && complaint is null);
            if (complaint is not null) Console.Error.WriteLine($"verify: {place}: {complaint}");
            wrong |= complaint is not null;
        }

        if (!any) throw new CorpusException($"{Corpus.Name(file)}: there is no program in it");
        return broken ? ExitCodes.Failed : wrong ? ExitCodes.Wrong : ExitCodes.Held;
    }

    private static string Line(string id, RunResult result) => result switch
    {
        RunResult.Ran ran => Json.writeResult(id, ran.Outcome),
        RunResult.Unsupported unsupported => Object(id, "unsupported", unsupported.What),
        RunResult.Failed failed => Object(id, "failed", failed.Reason),
        RunResult.Broken broken => Object(id, "failed", $"{broken.Kind.ToString().ToLowerInvariant()}: {broken.Detail}"),
        _ => throw new InvalidOperationException($"unknown result {result}"),
    };

    private static readonly JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string Object(string id, string key, string text) =>
        $"{{\"id\":{JsonSerializer.Serialize(id, Plain)},\"{key}\":{JsonSerializer.Serialize(text, Plain)}}}";
}
