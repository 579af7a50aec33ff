using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Verified.Oracle;
using Verified.Spec;
using Xunit;

namespace Verified.GoldenPyTorch;

/// <summary>
/// <c>docs/semantics.md</c>: the rules in words, each with the program that shows it. Made from the rules, the goldens and a template;
/// with the environment variable WRITE_SEMANTICS the test writes the page, without it the test holds the committed one against them.
/// </summary>
public sealed partial class SemanticsPage
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    private static string PagePath => Path.Combine(Goldens.Root(), "docs", "semantics.md");

    private static string TemplatePath => Path.Combine(Goldens.Root(), "tests", "GoldenPyTorch", "corpus", "semantics", "page.md");

    [Fact]
    public void The_committed_page_is_what_rules_and_corpus_say()
    {
        var page = Page();
        if (Environment.GetEnvironmentVariable("WRITE_SEMANTICS") is { Length: > 0 }) File.WriteAllText(PagePath, page);
        Assert.True(File.ReadAllText(PagePath) == page, "docs/semantics.md is not what rules and corpus say; WRITE_SEMANTICS=1 ./test --filter FullyQualifiedName~SemanticsPage writes it");
    }

    [Fact]
    public void What_the_table_of_PyTorchs_tests_names_exists()
    {
        var template = File.ReadAllText(TemplatePath);
        var rules = AutogradRules.all.Select(r => r.Name).ToHashSet();
        var groups = rules.Select(r => r.Split('/')[0]).ToHashSet();
        var programs = SemanticsProgram.All.Select(p => p.Family["semantics/".Length..]).ToHashSet();
        var rows = 0;
        foreach (var row in template.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1))
        {
            rows++;
            var cells = row.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            Assert.True(cells.Length == 2 && (cells[1].StartsWith("no: ", StringComparison.Ordinal) || cells[1].Contains('`') || cells[1].Contains("goldens", StringComparison.Ordinal)),
                $"{row} says neither where it is covered nor why not");
            foreach (var name in Quoted().Matches(cells[1]).Select(m => m.Groups[1].Value))
            {
                if (groups.Contains(name.Split('/')[0]) && name.Contains('/')) Assert.True(rules.Contains(name) || programs.Contains(name), $"there is no rule or program {name}");
                if (Test().Match(name) is { Success: true } test) Assert.True(Has(test.Groups[1].Value, test.Groups[2].Value), $"there is no test {name}");
            }
        }

        Assert.True(rows > 60, $"{rows} rows");
    }

    private static bool Has(string file, string method)
    {
        var path = Path.Combine(Goldens.Root(), "tests", "Engine", file + ".cs");
        return File.Exists(path) && File.ReadAllText(path).Contains($" {method}(", StringComparison.Ordinal);
    }

    private static string Page()
    {
        var rules = new StringBuilder();
        foreach (var group in AutogradRules.all.GroupBy(r => r.Name.Split('/')[0]))
        {
            rules.Append(Invariant, $"### {char.ToUpperInvariant(group.Key[0])}{group.Key[1..]}\n\n");
            foreach (var rule in group) rules.Append(Section(rule));
        }

        var counts = $"There are {AutogradRules.all.Length} rules, and {SemanticsProgram.All.Count} programs that show them; {SemanticsProgram.Structures} differ in more than one parameter.";
        return File.ReadAllText(TemplatePath).Replace("{counts}", counts, StringComparison.Ordinal)
            .Replace("{rules}", rules.ToString().TrimEnd('\n'), StringComparison.Ordinal);
    }

    private static string Section(AutogradRule rule)
    {
        var shown = SemanticsProgram.All.First(p => p.Rule == rule.Name);
        var count = SemanticsProgram.All.Count(p => p.Rule == rule.Name);
        var broken = KnownDivergences.All.FirstOrDefault(d => d.Shows(shown.Case.Id));
        return string.Create(Invariant, $"""
            #### `{rule.Name}`
            {rule.Says} *Without the rule:* {char.ToLowerInvariant(rule.Without[0])}{rule.Without[1..]}

            Followed in {string.Join(", ", SpecificationSource.FilesThatAsk(rule.Name).Select(f => $"`{f}`"))}. {(count == 1 ? "One program" : $"{count} programs")}, here `{shown.Name}`{(broken is null ? "" : $", where PyTorch is wrong (`{broken.Id}`: {char.ToLowerInvariant(broken.What[0])}{broken.What[1..].TrimEnd('.')})")}:
            ```python
            {Script(shown.Case)}
            ```


            """).ReplaceLineEndings("\n");
    }

    /// <summary>The program's lines as PyTorch, and what PyTorch answered as comments.</summary>
    private static string Script(Json.Case golden)
    {
        var lines = PrintPyTorch.print(golden.Program).Split('\n')
            .Where(line => line.Length > 0 && !line.StartsWith("import ", StringComparison.Ordinal) && !line.StartsWith("print(", StringComparison.Ordinal))
            .Select(line => line.Replace(", dtype=torch.float32", "", StringComparison.Ordinal)).ToList();
        var outcome = golden.Golden!.Value;
        var written = outcome.Values.Where(v => !golden.Program.Inputs.Any(i => i.Name == v.Item1) || v.Item2?.Value.Version?.Value > 0);
        if (outcome.Raised?.Value is { } raised)
            lines.Add($"# raises {raised.Kind.Name}: {raised.Message.Split('\n')[0]}");
        else
            lines.AddRange(written.Select(v => $"# {v.Item1}: {Show(v.Item2?.Value)}"));
        return string.Join('\n', lines);
    }

    private static string Show(Report? report)
    {
        if (report is null) return "None";
        var tensor = report.Tensor;
        var numbers = tensor.Data switch
        {
            Data.Floats floats => floats.Item.Select(x => tensor.DType.IsFloat32 ? ((float)x).ToString("R", Invariant) : x.ToString("R", Invariant)),
            Data.Ints ints when tensor.DType.IsBool => ints.Item.Select(i => i == 0 ? "False" : "True"),
            Data.Ints ints => ints.Item.Select(i => i.ToString(Invariant)),
            _ => [],
        };
        var text = tensor.Shape.Length == 0 ? numbers.Single() : $"[{string.Join(", ", numbers)}]";
        if (tensor.Shape.Length > 1) text += $" of shape {Shape.show(tensor.Shape)}";
        if (report.RequiresGrad?.Value is true) text += ", requires_grad";
        if (report.Version?.Value is > 0 and var version) text += string.Create(Invariant, $", version {version}");
        return text;
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^([A-Z]\w+)\.(\w+)$")]
    private static partial Regex Test();
}
