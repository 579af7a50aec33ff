using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Verified.Training.Tests;

/// <summary>
/// Constructors and functions take PyTorch's parameters under PyTorch's names (<c>in_features</c> is <c>inFeatures</c>), in PyTorch's order, with PyTorch's
/// defaults. What is otherwise stands in the table of <c>docs/training.md</c>, with why; a line there that is true no longer fails too.
/// </summary>
public sealed partial class SignatureTests
{
    private static readonly Assembly Library = typeof(Module).Assembly;

    private static readonly string[] Cases = [.. Golden.Cases("signatures").Select(c => c.GetProperty("case").GetString()!)];

    public static TheoryData<string> Names => [.. Cases];

    [Theory]
    [MemberData(nameof(Names))]
    public void Parameters_and_defaults_are_PyTorchs_but_for_those_that_the_page_lists(string name)
    {
        var theirs = Theirs(name);
        var overloads = Ours(name);
        Assert.NotEmpty(overloads);
        var listed = Listed();
        bool IsListed(string parameter) => listed.Contains((name, parameter)) || listed.Contains(("*", parameter));
        foreach (var parameter in theirs)
        {
            var same = Agrees(parameter, overloads);
            Assert.True(IsListed(parameter.Name) != same, $"{name}: {parameter.Name} is {(same ? "PyTorch's, and listed as different" : "missing or has another default, and is not listed")}");
        }
        foreach (var overload in overloads)
        {
            foreach (var ours in overload)
                Assert.True(theirs.Exists(t => t.Name == ours.Name) || IsListed(ours.Name!), $"{name}: {ours.Name} is not PyTorch's, and not listed");
            // What must be given stands first in C#: padding: "same".
            if (overload.Any(p => p.Name == "padding" && p.ParameterType == typeof(string))) continue;
            var order = overload.Select(p => theirs.FindIndex(t => t.Name == p.Name)).Where(i => i >= 0).ToArray();
            Assert.Equal(order.Order(), order);
        }
    }

    [Fact]
    public void Every_difference_that_the_page_lists_is_one()
    {
        foreach (var (where, parameter) in Listed())
        {
            var places = where == "*" ? Cases : [where];
            Assert.True(
                places.Any(name => Theirs(name).Find(t => t.Name == parameter) is { Name: not null } theirs ? !Agrees(theirs, Ours(name)) : Ours(name).Any(o => o.Any(p => p.Name == parameter))),
                $"{where}: {parameter} is no difference");
        }
    }

    /// <summary>The lines of the page's table: where, and which parameter.</summary>
    private static HashSet<(string Where, string Parameter)> Listed()
    {
        var page = File.ReadAllText(Path.Combine(ShownTests.Root(), "docs", "training.md"));
        var found = Row().Matches(page).SelectMany(row =>
            from place in Code().Matches(row.Groups[1].Value).Select(m => m.Groups[1].Value).DefaultIfEmpty("*")
            from parameter in Code().Matches(row.Groups[2].Value).Select(m => m.Groups[1].Value)
            select (place, parameter)).ToHashSet();
        Assert.True(found.Count > 20, $"{found.Count} differences are listed");
        return found;
    }

    private static List<(string Name, JsonElement? Default)> Theirs(string name) =>
    [
        .. Golden.Cases("signatures").First(c => c.GetProperty("case").GetString() == name).GetProperty("parameters").EnumerateArray()
            .Select(p => (Camel(p.GetProperty("name").GetString()!), p.TryGetProperty("default", out var value) ? value : (JsonElement?)null)),
    ];

    /// <summary>A class's constructors, or a function's overloads; those of functions that write in place are called so.</summary>
    private static ParameterInfo[][] Ours(string name)
    {
        if (Library.GetType($"Verified.Training.{name}") is { } type) return [.. type.GetConstructors().Select(c => c.GetParameters())];
        var pascal = string.Concat(name.Split('_', StringSplitOptions.RemoveEmptyEntries).Select(part => char.ToUpperInvariant(part[0]) + part[1..]));
        return
        [
            .. new[] { typeof(ClipGrad), typeof(Init) }.SelectMany(holder => holder.GetMethods())
                .Where(m => m.Name == pascal || m.Name == pascal + "InPlace").Select(m => m.GetParameters()),
        ];
    }

    /// <summary>Whether one of the overloads has the parameter, to be given or with the default as in PyTorch.</summary>
    private static bool Agrees((string Name, JsonElement? Default) theirs, ParameterInfo[][] overloads) =>
        overloads.Any(o => o.Any(p => p.Name == theirs.Name && (theirs.Default is { } expected ? p.HasDefaultValue && Same(expected, p) : !p.HasDefaultValue)));

    private static bool Same(JsonElement expected, ParameterInfo ours) => expected.ValueKind switch
    {
        // Not constants in C#: the goldens of layers and optimizers without options hold what is taken where they are left out.
        _ when ours.ParameterType == typeof(Size2D) || ours.ParameterType == typeof((double, double)?) => true,
        // PyTorch's None is its default type.
        JsonValueKind.Null when ours.ParameterType == typeof(Engine.DType) => ours.DefaultValue is Engine.DType.Float32,
        JsonValueKind.Null => ours.DefaultValue is null or false,
        JsonValueKind.True or JsonValueKind.False => Equals(expected.GetBoolean(), ours.DefaultValue),
        JsonValueKind.Number => expected.GetDouble() == Convert.ToDouble(ours.DefaultValue, System.Globalization.CultureInfo.InvariantCulture),
        JsonValueKind.String => Equals(expected.GetString(), ours.DefaultValue),
        _ => false,
    };

    private static string Camel(string name)
    {
        var text = new StringBuilder();
        foreach (var part in name.Split('_', StringSplitOptions.RemoveEmptyEntries))
            text.Append(text.Length == 0 ? char.ToLowerInvariant(part[0]) : char.ToUpperInvariant(part[0])).Append(part[1..]);
        return text.ToString();
    }

    [GeneratedRegex(@"^\| (every|`[^|]+) \| (`[^|]+) \| [^|]+ \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`(\\w+)`")]
    private static partial Regex Code();
}
