using Verified.Oracle;
using Verified.Spec;

namespace Verified.GoldenPyTorch;

/// <summary>The committed goldens: programs with the outcomes of real PyTorch 2.6.0.</summary>
internal static class Goldens
{
    internal static readonly EngineInfo PyTorch = new() { Name = "PyTorch", Version = "2.6.0", Language = "Python" };

    internal static IEnumerable<string> Files() =>
        Directory.EnumerateFiles(Folder(), "*.jsonl.gz").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal);

    internal static IEnumerable<Json.Case> Read(string file) => Corpus.Read(Path.Combine(Folder(), file));

    private static string Folder() => Path.Combine(Root(), "tests", "GoldenPyTorch", "goldens");

    /// <summary>
    /// The repository, upwards of the test's own folder: paths of the source are not real ones where a build is made deterministic.
    /// </summary>
    internal static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Verified.sln"))) return folder.FullName;
        throw new DirectoryNotFoundException($"no folder above {AppContext.BaseDirectory} holds Verified.sln, and so the goldens");
    }
}
