using System.Text.RegularExpressions;

namespace Verified.Training.Tests;

/// <summary>The page beside these tests says which test shows what: each one that it names is there.</summary>
public sealed partial class ShownTests
{
    [Fact]
    public void Every_test_that_the_page_names_exists()
    {
        var folder = Path.Combine(Root(), "tests", "Training");
        var sources = new[] { folder, Path.Combine(folder, "..", "Examples"), Path.Combine(folder, "..", "OtherEngines") }
            .SelectMany(place => Directory.GetFiles(place, "*.cs", SearchOption.AllDirectories)).Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}"))
            .GroupBy(Path.GetFileNameWithoutExtension).ToDictionary(group => group.Key!, group => string.Concat(group.Select(File.ReadAllText)));
        var named = Named().Matches(File.ReadAllText(Path.Combine(folder, "README.md"))).ToList();
        Assert.True(named.Count > 40, $"{named.Count} tests are named");
        Assert.All(named, name => Assert.Contains($" {name.Groups[2].Value}(", sources.GetValueOrDefault(name.Groups[1].Value, "")));
    }

    internal static string Root()
    {
        // The compiler's path of this file is not the machine's in a build for continuous integration.
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Verified.sln"))) folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("there is no Verified.sln above the tests");
        return folder;
    }

    [GeneratedRegex(@"`([A-Z]\w+)\.(\w+)`")]
    private static partial Regex Named();
}
