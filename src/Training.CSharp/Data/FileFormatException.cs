namespace Verified.Training;

/// <summary>
/// A file whose content is not what its format asks for: truncated, corrupt, of the wrong size, or asking for something that is refused.
/// The message names the file and the place in it.
/// </summary>
public sealed class FileFormatException : IOException
{
    /// <summary>An error in a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="problem">What is wrong and where, as the end of a sentence: <c>record 7 is cut off</c>.</param>
    /// <param name="inner">What led to it.</param>
    public FileFormatException(string path, string problem, Exception? inner = null)
        : base($"{path}: {problem}", inner)
    {
        Path = path;
        Problem = problem;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What is wrong, without the file's name.</summary>
    public string Problem { get; }
}
