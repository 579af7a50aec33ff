using System.Text.Json;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>The other side of the line protocol: serves an engine over text streams, so that an engine in .NET can be driven from elsewhere.</summary>
public static class EngineServer
{
    /// <summary>Answers requests until the input ends. A request out of form is answered with <c>failed</c>; it never ends the server.</summary>
    public static void Serve(IEngine engine, TextReader input, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        while (input.ReadLine() is { } line)
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            output.WriteLine(Answer(engine, line));
            output.Flush();
        }
    }

    private static string Answer(IEngine engine, string line)
    {
        var seq = "null";
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            if (root.TryGetProperty("hello", out _)) return Hello(engine.Info);
            if (root.TryGetProperty("seq", out var number)) seq = number.GetRawText();
            if (!root.TryGetProperty("run", out var run)) return Failed(seq, "a request wants \"hello\" or \"run\"");
            var program = Json.readProgram(run.GetRawText());
            if (program.IsError) return Failed(seq, program.ErrorValue.ToString());
            if (ProgramNames.Complaint(program.ResultValue) is { } complaint) return Failed(seq, complaint);
            return engine.Run(program.ResultValue) switch
            {
                RunResult.Ran ran => $"{{\"seq\":{seq},\"outcome\":{Json.writeOutcome(ran.Outcome)}}}",
                RunResult.Unsupported unsupported => $"{{\"seq\":{seq},\"unsupported\":{JsonSerializer.Serialize(unsupported.What)}}}",
                RunResult.Failed failed => Failed(seq, failed.Reason),
                RunResult.Broken broken => Failed(seq, broken.Detail),
                var other => Failed(seq, $"unknown result {other}"),
            };
        }
        catch (JsonException e)
        {
            return Failed(seq, $"not a JSON object on one line: {e.Message}");
        }
    }

    private static string Hello(EngineInfo info) => JsonSerializer.Serialize(new
    {
        engine = new { name = info.Name, version = info.Version, language = info.Language },
        ops = info.Operators?.Order(StringComparer.Ordinal) ?? Enumerable.Empty<string>(),
        dtypes = info.DTypes,
        features = info.Features.Order(StringComparer.Ordinal),
        numerics = new { ulp = info.Ulp },
    });

    private static string Failed(string seq, string reason) => $"{{\"seq\":{seq},\"failed\":{JsonSerializer.Serialize(reason)}}}";
}
