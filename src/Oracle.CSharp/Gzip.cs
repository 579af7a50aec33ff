using System.Buffers.Binary;
using System.IO.Compression;

namespace Verified.Oracle;

/// <summary>Whether a gzip file is whole. .NET's <see cref="GZipStream"/> takes the end of a truncated file for the end of its data.</summary>
internal static class Gzip
{
    /// <summary>
    /// Whether the file's last member ends where its trailer says: its last four bytes are the length of what it decompresses to. Leaves
    /// the file at its beginning.
    /// </summary>
    /// <exception cref="InvalidDataException">The data are damaged.</exception>
    public static bool IsWhole(Stream file)
    {
        file.Position = 0;
        using var memory = new MemoryStream();
        file.CopyTo(memory);
        file.Position = 0;
        var bytes = memory.ToArray();
        // A header of 10 bytes, data of at least 2, a trailer of 8.
        if (bytes.Length < 20) return false;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(^4..));
        if (Decompressed(bytes, 0) == length) return true;
        // Files that were joined: the last member that begins somewhere behind.
        for (var at = bytes.Length - 20; at > 0; at--)
            if (bytes[at] == 0x1f && bytes[at + 1] == 0x8b && bytes[at + 2] == 8 && IsMember(bytes, at, length)) return true;
        return false;
    }

    private static bool IsMember(byte[] bytes, int at, uint length)
    {
        try
        {
            return Decompressed(bytes, at) == length;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static uint Decompressed(byte[] bytes, int at)
    {
        using var stream = new GZipStream(new MemoryStream(bytes, at, bytes.Length - at), CompressionMode.Decompress);
        var buffer = new byte[1 << 16];
        uint length = 0;
        for (int count; (count = stream.Read(buffer)) > 0;) length += (uint)count;
        return length;
    }
}
