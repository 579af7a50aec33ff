using System.IO.Compression;
using System.Text;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>Reads corpora: JSON Lines, gzip-compressed or not, one case a line.</summary>
public static class Corpus
{
    /// <summary>
    /// Streams the cases of a file, or of standard input for <c>-</c>. A file that is missing, truncated or malformed gives a
    /// <see cref="CorpusException"/> that names the file and the line; the cases before it have been given.
    /// </summary>
    public static IEnumerable<Json.Case> Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Lines(path).Select(line => line.Case);
    }

    /// <summary>A file that holds one program, or a corpus: whichever it is.</summary>
    /// <exception cref="CorpusException">It cannot be read, or holds neither.</exception>
    public static IEnumerable<Json.Case> ReadProgramOrCorpus(string path) => ReadPlaced(path).Select(placed => placed.Case);

    private static IEnumerable<(string Place, Json.Case Case)> Lines(string path)
    {
        using var stream = Open(path);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        for (var number = 1; NextLine(reader, path, number) is { } line; number++)
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            var read = Json.readCase(line);
            if (read.IsError) throw new CorpusException($"{path}, line {number}, {Place(read.ErrorValue)}");
            yield return ($"{path}, line {number}", read.ResultValue);
        }
    }

    /// <summary>The same, each case with the place that it stands at: the file, and the line of a corpus.</summary>
    /// <exception cref="CorpusException">It cannot be read, or holds neither.</exception>
    public static IEnumerable<(string Place, Json.Case Case)> ReadPlaced(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path == "-" || path.EndsWith(".gz", StringComparison.Ordinal) || path.EndsWith(".jsonl", StringComparison.Ordinal)) return Lines(path);
        Check(path);
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CorpusException($"{path}: {Reason(e)}", e);
        }

        var program = Json.readProgram(text);
        if (program.IsOk) return [(path, new Json.Case(Path.GetFileNameWithoutExtension(path), program.ResultValue, null, null))];
        // Not one program: a corpus by another name, where its first line is a case of its own.
        var firstLine = text.Split('\n', 2)[0];
        return firstLine.Trim().Length == 0 || Json.readCase(firstLine).IsOk ? Lines(path) : throw new CorpusException($"{path}, {program.ErrorValue}");
    }

    /// <summary>Complains of a path that is no file.</summary>
    /// <exception cref="CorpusException">It is a folder, or is not there.</exception>
    public static void Check(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Directory.Exists(path)) throw new CorpusException($"{path}: that is a folder, not a program or a corpus");
        if (!File.Exists(path)) throw new CorpusException($"{path}: there is no such file");
    }

    private static string Reason(Exception e) => e switch
    {
        UnauthorizedAccessException => "it may not be read",
        FileNotFoundException or DirectoryNotFoundException => "there is no such file",
        _ => e.Message,
    };

    private static string Place(TextError error) =>
        $"column {error.Column}{(error.Path.Length == 0 ? "" : $" ({error.Path})")}: {error.Message}";

    private static string? NextLine(StreamReader reader, string path, int number)
    {
        try
        {
            return reader.ReadLine();
        }
        catch (InvalidDataException e)
        {
            throw new CorpusException($"{path}, line {number}: the compressed file is truncated or damaged ({e.Message})", e);
        }
        catch (IOException e)
        {
            throw new CorpusException($"{path}, line {number}: {e.Message}", e);
        }
    }

    private static Stream Open(string path)
    {
        if (path == "-") return Console.OpenStandardInput();
        Check(path);
        try
        {
            var file = File.OpenRead(path);
            var zipped = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
            file.Position = 0;
            if (!zipped) return file;
            if (!Gzip.IsWhole(file)) throw new CorpusException($"{path}: the compressed file is truncated");
            return new GZipStream(file, CompressionMode.Decompress);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new CorpusException($"{path}: {Reason(e)}", e);
        }
    }
}

/// <summary>A corpus could not be read: the message names the file, the line and what is wrong.</summary>
public sealed class CorpusException : Exception
{
    /// <summary>A corpus that could not be read, and why.</summary>
    public CorpusException(string message) : base(message) { }

    /// <summary>A corpus that could not be read, and why, with its cause.</summary>
    public CorpusException(string message, Exception inner) : base(message, inner) { }
}
