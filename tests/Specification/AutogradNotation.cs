using System.Globalization;
using System.Text.Json.Nodes;
using Verified.Spec;

namespace Verified.Specification.Tests;

/// <summary>
/// Programs in a short notation, one step a line: <c>a: 1 2 3 !</c> is a float64 input that requires a gradient,
/// <c>b: [2,2] 1 2 3 4</c> one of a shape, <c>y = mul a b</c> a step, <c>add y {"alpha": 2}</c> one with attributes,
/// <c>g = grad y / a @ v</c> one with <c>wrt</c> and <c>gradients</c>, <c>no_grad (</c> ... <c>)</c> a block, <c>_</c> a null and <c>p,q</c> several results.
/// </summary>
internal static class AutogradNotation
{
    public static Program Read(string text)
    {
        var inputs = new JsonObject();
        var observe = new JsonArray();
        var blocks = new Stack<JsonArray>();
        blocks.Push([]);
        foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (line == ")") blocks.Pop();
            else if (line.Split(' ')[0] is [.. var name, ':']) inputs[name] = Input(line[(name.Length + 1)..]);
            else blocks.Peek().Add(Step(line, blocks));
        }

        foreach (var name in Names(inputs, blocks.Peek()).Distinct().ToList())
        {
            observe.Add(name);
            observe.Add(name + ".grad");
        }

        var program = new JsonObject { ["inputs"] = inputs, ["steps"] = blocks.Pop(), ["observe"] = observe };
        var read = Json.readProgram(program.ToJsonString());
        return read.IsOk ? read.ResultValue : throw new FormatException(read.ErrorValue.ToString());
    }

    public static double[] Numbers(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => double.Parse(n, CultureInfo.InvariantCulture))];

    private static JsonObject Input(string text)
    {
        var grad = text.Contains('!');
        text = text.Replace("!", "").Trim();
        var end = text.IndexOf(']');
        var data = Numbers(text[(end + 1)..]);
        var shape = end < 0 ? new JsonArray(data.Length) : (JsonArray)System.Text.Json.Nodes.JsonNode.Parse(text[..(end + 1)])!;
        return new JsonObject
        {
            ["dtype"] = "float64",
            ["shape"] = shape,
            ["data"] = new JsonArray([.. data.Select(d => (System.Text.Json.Nodes.JsonNode)d)]),
            ["requires_grad"] = grad,
        };
    }

    private static JsonObject Step(string line, Stack<JsonArray> blocks)
    {
        var step = new JsonObject();
        if (line.IndexOf('{') is > 0 and var brace)
        {
            step["attrs"] = System.Text.Json.Nodes.JsonNode.Parse(line[brace..]);
            line = line[..brace].Trim();
        }

        if (line.Split(" = ") is [var results, var call])
        {
            step["out"] = results.Contains(',') ? new JsonArray([.. results.Split(',').Select(Name)]) : results;
            line = call;
        }

        if (line.Split(" @ ") is [var without, var gradients])
        {
            step["gradients"] = new JsonArray([.. gradients.Split(' ').Select(Name)]);
            line = without;
        }

        var parts = line.Split(" / ");
        var words = parts[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        step["op"] = words[0];
        if (words is [.., "("])
        {
            var steps = new JsonArray();
            step["steps"] = steps;
            blocks.Push(steps);
            return step;
        }

        step["in"] = new JsonArray([.. words[1..].Select(Name)]);
        if (parts.Length > 1) step["wrt"] = new JsonArray([.. parts[1].Split(' ').Select(Name)]);
        if (parts.Length > 1 && words[0] == "grad" && step["out"] is JsonValue one) step["out"] = new JsonArray(one.GetValue<string>());
        return step;
    }

    private static System.Text.Json.Nodes.JsonNode? Name(string word) => word == "_" ? null : word;

    private static IEnumerable<string> Names(JsonObject inputs, JsonArray steps)
    {
        foreach (var input in inputs) yield return input.Key;
        foreach (var step in steps)
        {
            if (step!["out"] is JsonArray several)
                foreach (var name in several.OfType<JsonValue>()) yield return name.GetValue<string>();
            else if (step["out"] is JsonValue one && step["op"]!.GetValue<string>() != "register_hook")
                yield return one.GetValue<string>();
            if (step["steps"] is JsonArray nested)
                foreach (var name in Names([], nested)) yield return name;
        }
    }
}
