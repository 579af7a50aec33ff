using System.Text.Json;
using Microsoft.FSharp.Core;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>The messages of the line protocol: JSON, one object a line.</summary>
internal static class LineProtocol
{
    public const string Hello = """{"hello":1}""";

    public static string Request(long seq, Program program) => $$"""{"seq":{{seq}},"run":{{Json.writeProgram(program)}}}""";

    /// <summary>Reads the answer to <c>hello</c>. Throws <see cref="FormatException"/> with a sentence where it is out of form.</summary>
    public static EngineInfo ReadHello(string line)
    {
        using var document = Parse(line);
        var root = document.RootElement;
        if (!TryObject(root, "engine", out var engine) || engine.TryGetProperty("name", out var name) is false)
            throw new FormatException("the answer to hello wants {\"engine\": {\"name\": ...}, ...}");

        return new EngineInfo
        {
            Name = name.ToString(),
            Version = Text(engine, "version"),
            Language = Text(engine, "language"),
            Operators = root.TryGetProperty("ops", out _) ? Strings(root, "ops") : null,
            DTypes = root.TryGetProperty("dtypes", out _) ? Strings(root, "dtypes") : new EngineInfo { Name = "" }.DTypes,
            Features = Strings(root, "features"),
            Ulp = Ulps(root),
        };
    }

    /// <summary>Reads an answer to a request: its number and the result.</summary>
    public static (long Seq, RunResult Result) ReadAnswer(string line)
    {
        using var document = Parse(line);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("seq", out var seqElement) || seqElement.ValueKind != JsonValueKind.Number || !seqElement.TryGetInt64(out var seq))
            throw new FormatException("an answer wants the request's \"seq\"");

        if (root.TryGetProperty("outcome", out var outcome))
        {
            var read = Json.readOutcome(outcome.GetRawText());
            return read.IsOk
                ? (seq, new RunResult.Ran(read.ResultValue))
                : throw new FormatException($"the outcome is malformed: {read.ErrorValue}");
        }

        if (root.TryGetProperty("unsupported", out var what)) return (seq, new RunResult.Unsupported(what.ToString()));
        if (root.TryGetProperty("failed", out var reason)) return (seq, new RunResult.Failed(reason.ToString()));
        throw new FormatException("an answer wants \"outcome\", \"unsupported\" or \"failed\"");
    }

    private static JsonDocument Parse(string line)
    {
        try
        {
            return JsonDocument.Parse(line);
        }
        catch (JsonException e)
        {
            throw new FormatException("not a JSON object on one line", e);
        }
    }

    private static bool TryObject(JsonElement root, string name, out JsonElement value)
    {
        value = default;
        return root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out value) && value.ValueKind == JsonValueKind.Object;
    }

    private static string Text(JsonElement parent, string name) => parent.TryGetProperty(name, out var value) ? value.ToString() : "";

    private static HashSet<string> Strings(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Select(item => item.ToString()).ToHashSet()
            : [];

    private static Dictionary<string, double> Ulps(JsonElement root)
    {
        var ulps = new Dictionary<string, double>();
        if (TryObject(root, "numerics", out var numerics) && TryObject(numerics, "ulp", out var ulp))
            foreach (var entry in ulp.EnumerateObject())
                if (entry.Value.ValueKind == JsonValueKind.Number && entry.Value.TryGetDouble(out var value)) ulps[entry.Name] = value;
        return ulps;
    }
}
