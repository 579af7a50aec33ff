using System.IO.Compression;
using System.IO.Hashing;

namespace Verified.Training;

/// <summary>The records of a zip file as <c>torch.save</c> writes it: one folder, nothing compressed. Nothing is ever written to the names in it.</summary>
internal sealed class ZipRecords : IDisposable
{
    private readonly string path;
    private readonly FileStream file;
    private readonly ZipArchive archive;
    private readonly Dictionary<string, ZipArchiveEntry> records = [];

    /// <summary>Opens a file and checks its directory.</summary>
    /// <exception cref="FileFormatException">It is no zip file, or its records are not as they should be.</exception>
    public ZipRecords(string path)
    {
        this.path = path;
        file = File.OpenRead(path);
        try
        {
            MustEndInDirectory();
            archive = Guarded(() => new ZipArchive(file, ZipArchiveMode.Read), "the zip file's directory");
            Guarded(() => ReadDirectory(archive), "the zip file's directory");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The names, without the folder that all are in.</summary>
    public IReadOnlyCollection<string> Names => records.Keys;

    /// <summary>The bytes of a record, checked against its checksum.</summary>
    public byte[] Read(string name)
    {
        if (!records.TryGetValue(name, out var entry)) throw new FileFormatException(path, $"the record {name} is missing");
        return Guarded(
            () =>
            {
                var bytes = new byte[entry.Length];
                using var stream = entry.Open();
                stream.ReadExactly(bytes);
                if (Crc32.HashToUInt32(bytes) != entry.Crc32) throw new FileFormatException(path, $"the record {name} is corrupt: its checksum differs");
                return bytes;
            },
            $"the record {name}");
    }

    /// <summary>The length of a record in bytes, or null where it is not there.</summary>
    public long? Length(string name) => records.TryGetValue(name, out var entry) ? entry.Length : null;

    public void Dispose()
    {
        archive.Dispose();
        file.Dispose();
    }

    /// <summary>A zip file ends with 22 bytes that say where its directory is; with a comment, which torch.save does not write, there would be more.</summary>
    private void MustEndInDirectory()
    {
        Span<byte> end = stackalloc byte[22];
        if (file.Length < end.Length) throw new FileFormatException(path, "the zip file is cut off");
        file.Position = file.Length - end.Length;
        file.ReadExactly(end);
        file.Position = 0;
        if (!end.StartsWith("PK\u0005\u0006"u8)) throw new FileFormatException(path, "the zip file is cut off, or something follows its end");
    }

    private object? ReadDirectory(ZipArchive zip)
    {
        string? folder = null;
        var total = 0L;
        foreach (var entry in zip.Entries)
        {
            var parts = entry.FullName.Split('/');
            if (parts.Length < 2 || parts.Any(p => p is "" or "." or "..") || entry.FullName.AsSpan().IndexOfAny('\\', ':', '\0') >= 0)
                throw new FileFormatException(path, $"the record name '{Printable(entry.FullName)}' is none that PyTorch writes");
            if ((folder ??= parts[0]) != parts[0]) throw new FileFormatException(path, $"the records lie in several folders, {Printable(folder)} and {Printable(parts[0])}");
            // What is not compressed cannot unpack to more than is there; records that lie over one another could.
            if (entry.CompressedLength != entry.Length) throw new FileFormatException(path, $"the record '{Printable(entry.FullName)}' is compressed, which PyTorch's are not");
            if (entry.Length < 0 || (total += entry.Length) > file.Length) throw new FileFormatException(path, "the records are together longer than the file");
            if (!records.TryAdd(entry.FullName[(folder.Length + 1)..], entry)) throw new FileFormatException(path, $"there are two records '{Printable(entry.FullName)}'");
        }

        if (records.Count == 0) throw new FileFormatException(path, "the zip file is empty");
        return null;
    }

    /// <summary>What the library raises on corrupt files is of many types.</summary>
    private T Guarded<T>(Func<T> action, string what)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is not (FileFormatException or OutOfMemoryException))
        {
            throw new FileFormatException(path, $"{what} cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    private static string Printable(string name) => string.Concat(name.Take(100).Select(c => char.IsControl(c) ? '?' : c));
}
