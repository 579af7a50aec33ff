using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>Reads corpora (JSON Lines, gzip-compressed or not, one case a line) and single programs.</summary>
public static class Corpus
{
    /// <summary>The cases of a file, or of standard input: those of <see cref="ReadPlaced"/> without their places.</summary>
    /// <exception cref="CorpusException">It cannot be read, or holds neither a program nor a corpus.</exception>
    public static IEnumerable<Json.Case> Read(string path) => ReadPlaced(path).Select(placed => placed.Case);

    /// <summary>
    /// Streams the cases of a file, or of standard input for <c>-</c>, that holds a corpus or one program, whichever it is; each with the place
    /// that it stands at, as <c>FILE, line 3 (ID)</c> or, where it is the whole file, <c>FILE</c>. A file that is missing, truncated or malformed
    /// gives a <see cref="CorpusException"/> that names the file and the line; the cases before it have been given.
    /// </summary>
    /// <exception cref="CorpusException">It cannot be read, or holds neither a program nor a corpus.</exception>
    public static IEnumerable<(string Place, Json.Case Case)> ReadPlaced(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Placed(path, Name(path));
    }

    /// <summary>What a file is called in a message: its path, or standard input.</summary>
    public static string Name(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path == "-" ? "standard input" : path;
    }

    private static IEnumerable<(string Place, Json.Case Case)> Placed(string path, string name)
    {
        using var stream = Open(path);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        // The first line decides. Each line of a corpus is given as it comes: it may be a conversation.
        var begun = false;
        for (var number = 1; NextLine(reader, name, number) is { } line; number++)
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            var read = Json.readCase(line);
            if (read.IsError && !begun && !IsCase(line))
            {
                var program = Json.readProgram(new string('\n', number - 1) + line + "\n" + Rest(reader, name, number + 1));
                if (program.IsError) throw new CorpusException($"{name}, {program.ErrorValue}");
                var id = path == "-" ? "standard-input" : Path.GetFileNameWithoutExtension(path);
                yield return (name, new Json.Case(id, program.ResultValue, null, null));
                yield break;
            }

            if (read.IsError) throw new CorpusException($"{name}, line {number}, {Place(read.ErrorValue)}");
            begun = true;
            yield return ($"{name}, line {number} ({read.ResultValue.Id})", read.ResultValue);
        }
    }

    /// <summary>True for a line that is meant as a case of a corpus, right or wrong.</summary>
    private static bool IsCase(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return document.RootElement is { ValueKind: JsonValueKind.Object } root && (root.TryGetProperty("program", out _) || root.TryGetProperty("id", out _));
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string Rest(StreamReader reader, string name, int number)
    {
        var rest = new StringBuilder();
        for (; NextLine(reader, name, number) is { } line; number++) rest.Append(line).Append('\n');
        return rest.ToString();
    }

    /// <summary>Complains of a path that is no file, and is not standard input.</summary>
    /// <exception cref="CorpusException">It is a folder, or is not there.</exception>
    public static void Check(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path == "-") return;
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

    private static string? NextLine(StreamReader reader, string name, int number)
    {
        try
        {
            return reader.ReadLine();
        }
        catch (InvalidDataException e)
        {
            throw new CorpusException($"{name}, line {number}: the compressed file is truncated or damaged ({e.Message})", e);
        }
        catch (IOException e)
        {
            throw new CorpusException($"{name}, line {number}: {e.Message}", e);
        }
    }

    private static Stream Open(string path)
    {
        if (path != "-") Check(path);
        try
        {
            var file = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
            var peeked = new PeekedStream(file, 2);
            if (peeked.First is not [0x1f, 0x8b]) return peeked;
            if (!file.CanSeek) return new GZipStream(peeked, CompressionMode.Decompress);
            // A pipe is whole where its end is; of a file .NET would take a part for the whole.
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
