using System.Text.RegularExpressions;
using Verified.Spec;
using Xunit;

namespace Verified.Properties;

/// <summary>
/// An operator is defined in two places, its family's file in the specification and its family's file in the engine. What walks the
/// registries names none. (A derivative that is composed of operators names them, and so does an error's text: neither defines one.)
/// </summary>
public sealed class OperatorPlacesTests
{
    private static readonly string Root = FindRoot();
    private static readonly Dictionary<string, string> Specification = Sources("src/Spec.FSharp", "*.fs");
    private static readonly Dictionary<string, string> Engine = Sources("src/Engine.CSharp", "*.cs");

    public static TheoryData<string> Operators => [.. RegistryModule.all.Values.Where(op => !op.Internal).Select(op => op.Name)];

    [Theory]
    [MemberData(nameof(Operators))]
    public void An_operator_is_defined_in_one_file_of_the_specification_and_one_of_the_engine(string name)
    {
        // The name stands before the formula, or is what a value is made of: { Define.computes "NAME" "formula" ...   let x = helper "NAME" ...
        Assert.Single(Defining(Specification, $$"""[={]\s*[\w.]+\s+"{{name}}"\s+\(?\$?"|let [\w']+ =\s*(\{\s*)?\w+\s+"{{name}}"\s"""));
        // It is a constructor's first argument, or a helper's.
        var has = Sound.Engine.Info.Operators!.Contains(name) || Sound.Engine.Info.Operators.Contains(name + "_");
        Assert.Equal(has ? 1 : 0, Defining(Engine, $"""[=\[,]>?\s*(new(\s+\w+)?|\w+)\(\s*"{name}_?",""").Count());
    }

    [Theory]
    [InlineData("src/Cli.CSharp", "*.cs")]
    [InlineData("src/Verified.CSharp", "*.cs")]
    [InlineData("src/Spec.FSharp/Calls", "*.fs")]
    public void What_walks_the_registries_names_no_operator(string folder, string pattern)
    {
        // The planted bugs are in operators, and name them.
        foreach (var (file, text) in Sources(folder, pattern).Where(source => !Path.GetFileName(source.Key).StartsWith("Planted", StringComparison.Ordinal)))
            foreach (var op in RegistryModule.all.Values.Where(op => !op.Internal))
                Assert.False(text.Contains($"\"{op.Name}\"", StringComparison.Ordinal), $"{file} names {op.Name}");
    }

    [Fact]
    public void The_specification_asks_no_operator_for_its_name()
    {
        // What an operator has of its own stands in its record.
        var asking = Specification.Where(source => Regex.IsMatch(source.Value, """[oO]p(erator)?\.Name\s*(=|<>|\|>)\s*["\w]|match \w*[oO]p(erator)?\.Name with"""));
        Assert.Empty(asking.Select(source => source.Key));
    }

    private static IEnumerable<string> Defining(Dictionary<string, string> sources, string pattern) =>
        sources.Where(source => Regex.IsMatch(source.Value, pattern)).Select(source => source.Key);

    private static Dictionary<string, string> Sources(string folder, string pattern) =>
        Directory.GetFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .ToDictionary(file => Path.GetRelativePath(Root, file), File.ReadAllText);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Verified.sln"))) return folder.FullName;
        throw new DirectoryNotFoundException("there is no Verified.sln above the tests");
    }
}
