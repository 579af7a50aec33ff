using System.Runtime.CompilerServices;
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

    private static string Folder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "goldens");
}
