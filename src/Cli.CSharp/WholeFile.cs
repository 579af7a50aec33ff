namespace Verified.Cli;

/// <summary>Files that are written whole or not at all.</summary>
internal static class WholeFile
{
    /// <summary>Writes a text beside its place and moves it there.</summary>
    public static void Write(string path, string text)
    {
        File.WriteAllText(Beside(path), text);
        File.Move(Beside(path), path, overwrite: true);
    }

    /// <summary>Makes the folder and sees whether a file can be written there; raises what <see cref="Write"/> would raise.</summary>
    public static void Try(string path)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) Directory.CreateDirectory(folder);
        File.WriteAllText(Beside(path), "");
        File.Delete(Beside(path));
    }

    /// <summary>Why something could not be written, without the paths that only the system knows of.</summary>
    public static string Reason(Exception e) => e switch
    {
        UnauthorizedAccessException => "it may not be written to",
        DirectoryNotFoundException => "a part of the path is no folder",
        FileNotFoundException => "the system takes no file there",
        _ => e.Message,
    };

    private static string Beside(string path) => path + ".part";
}
