using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>The messages of the line protocol: JSON, one object a line.</summary>
internal static partial class LineProtocol
{
    public const string Hello = """{"hello":1}""";

    /// <summary>The fields of the answer to <c>hello</c>: its own, and those inside some of them.</summary>
    public static IReadOnlyDictionary<string, string[]> HelloFields { get; } = new Dictionary<string, string[]>
    {
        [""] = ["engine", "ops", "dtypes", "features", "numerics", "notes"],
        ["engine"] = ["name", "version", "language"],
        ["numerics"] = ["ulp"],
    };

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
            Operators = Strings(root, "ops"),
            DTypes = DTypes(root),
            Features = Strings(root, "features") ?? [],
            Ulp = Ulps(root),
            Notes = [.. Strings(root, "notes") ?? []],
            UnknownFields = [.. Unknown(root)],
        };
    }

    /// <summary>
    /// Reads an answer to a request: its number and the result. An answer out of form whose number can still be read has broken down for that
    /// program alone; without a number it is a <see cref="FormatException"/>.
    /// </summary>
    public static (long Seq, RunResult Result) ReadAnswer(string line)
    {
        try
        {
            using var document = Parse(line);
            return (Number(document.RootElement), Result(document.RootElement));
        }
        catch (FormatException e) when (NumberIn().Match(line) is { Success: true } seq)
        {
            return (long.Parse(seq.Groups[1].ValueSpan, CultureInfo.InvariantCulture), new RunResult.Broken(BreakKind.Protocol, $"{e.Message}: {Shorten(line)}"));
        }
    }

    /// <summary>The beginning of a line, for a message.</summary>
    public static string Shorten(string line) => line.Length <= 200 ? line : line[..200] + "...";

    private static long Number(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty("seq", out var element) && element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out var seq)
            ? seq
            : throw new FormatException("an answer wants the request's \"seq\"");

    private static RunResult Result(JsonElement root)
    {
        if (root.TryGetProperty("outcome", out var outcome))
        {
            var read = Json.readOutcome(outcome.GetRawText());
            return read.IsOk ? new RunResult.Ran(read.ResultValue) : throw new FormatException($"the outcome is malformed: {read.ErrorValue}");
        }

        if (root.TryGetProperty("unsupported", out var what)) return new RunResult.Unsupported(what.ToString());
        if (root.TryGetProperty("failed", out var reason)) return new RunResult.Failed(reason.ToString());
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
            throw new FormatException(
                NonFinite().IsMatch(line)
                    ? "JSON has no number that is not finite; the protocol writes the strings \"inf\", \"-inf\" and \"nan\""
                    : "not a JSON object on one line",
                e);
        }
    }

    /// <summary>The number of an answer that is no JSON, or not in form.</summary>
    [GeneratedRegex("""^\s*\{\s*"seq"\s*:\s*(\d{1,18})\s*[,}]""")]
    private static partial Regex NumberIn();

    /// <summary>A number that is not finite, as several languages' JSON writers put it.</summary>
    [GeneratedRegex("""[\[,:]\s*-?(Infinity|NaN|inf|nan)\b""")]
    private static partial Regex NonFinite();

    private static bool TryObject(JsonElement root, string name, out JsonElement value)
    {
        value = default;
        return root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out value) && value.ValueKind == JsonValueKind.Object;
    }

    private static string Text(JsonElement parent, string name) => parent.TryGetProperty(name, out var value) ? value.ToString() : "";

    /// <summary>A list of names; null where it is left out.</summary>
    private static HashSet<string>? Strings(JsonElement parent, string name) =>
        !parent.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null ? null
        : list.ValueKind == JsonValueKind.Array ? list.EnumerateArray().Select(item => item.ToString()).ToHashSet()
        : throw new FormatException($"\"{name}\" in the answer to hello wants a list");

    private static IReadOnlySet<string> DTypes(JsonElement root)
    {
        if (Strings(root, "dtypes") is not { } given) return new EngineInfo { Name = "" }.DTypes;
        return given.Overlaps(["float32", "float64"]) ? given : throw new FormatException("\"dtypes\" in the answer to hello wants float32, float64 or both among them");
    }

    private static IEnumerable<string> Unknown(JsonElement root)
    {
        foreach (var (path, known) in HelloFields)
        {
            if (path.Length > 0 && !TryObject(root, path, out _)) continue;
            var parent = path.Length == 0 ? root : root.GetProperty(path);
            foreach (var field in parent.EnumerateObject())
                if (!known.Contains(field.Name)) yield return path.Length == 0 ? field.Name : $"{path}.{field.Name}";
        }
    }

    private static Dictionary<string, double> Ulps(JsonElement root)
    {
        var ulps = new Dictionary<string, double>();
        if (TryObject(root, "numerics", out var numerics) && TryObject(numerics, "ulp", out var ulp))
            foreach (var entry in ulp.EnumerateObject())
                if (entry.Value.ValueKind == JsonValueKind.Number && entry.Value.TryGetDouble(out var value)) ulps[entry.Name] = value;
        return ulps;
    }
}
