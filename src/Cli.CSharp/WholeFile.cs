using Verified.Oracle;

namespace Verified.Cli;

/// <summary>Files that are written whole or not at all.</summary>
internal static class WholeFile
{
    /// <summary>Writes a text beside its place and moves it there; makes the folder where there is none.</summary>
    public static void Write(string path, string text)
    {
        if (Folder(path) is { } folder) Directory.CreateDirectory(folder);
        File.WriteAllText(Beside(path), text);
        File.Move(Beside(path), path, overwrite: true);
    }

    /// <summary>Tries before long work whether <see cref="Write"/> can write what an option asks for afterwards, and leaves nothing behind.</summary>
    /// <exception cref="CorpusException">It cannot: the sentence names the option.</exception>
    public static void Check(string option, string path)
    {
        if (Directory.Exists(path)) throw new CorpusException($"{option} {path}: that is a folder");
        var missing = new List<string>();
        try
        {
            for (var each = Folder(path); each is not null && !Directory.Exists(each); each = Path.GetDirectoryName(each)) missing.Add(each);
            if (missing.Count > 0) Directory.CreateDirectory(missing[0]);
            File.WriteAllText(Beside(path), "");
            File.Delete(Beside(path));
        }
        catch (Exception e) when (IsNoPlace(e))
        {
            throw new CorpusException($"{option} {path}: no file can be written there: {Reason(e)}", e);
        }
        finally
        {
            // The innermost first.
            foreach (var made in missing.Where(Directory.Exists)) Directory.Delete(made);
        }
    }

    /// <summary>Whether it was the place that could not be written to.</summary>
    public static bool IsNoPlace(Exception e) => e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException;

    /// <summary>Why something could not be written, without the paths that only the system knows of.</summary>
    public static string Reason(Exception e) => e switch
    {
        UnauthorizedAccessException => "it may not be written to",
        DirectoryNotFoundException => "a part of the path is no folder",
        FileNotFoundException => "the system takes no file there",
        _ => e.Message,
    };

    private static string? Folder(string path) => Path.GetDirectoryName(Path.GetFullPath(path));

    private static string Beside(string path) => path + ".part";
}
