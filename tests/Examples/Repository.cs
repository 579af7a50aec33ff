using Xunit;

namespace Verified.Examples.Tests;

/// <summary>The repository that the tests were built in.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Verified.sln"))) folder = folder.Parent;
        return folder.FullName;
    }
}

/// <summary>Tests that seed the default generator run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class DefaultGenerator
{
    public const string Name = "the default generator";
}
