using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using StbImageSharp;

namespace Verified.Training;

/// <summary>
/// PNG. StbImageSharp decodes; what it is given has passed the checks here first: sizes, checksums, and that the data unpacks to what the header says and no
/// more, so that a small file cannot ask for much memory.
/// </summary>
/// <remarks>Source: Portable Network Graphics (W3C, third edition), sections 5 and 7 to 11.</remarks>
internal static class Png
{
    private const int ChunkOverhead = 12;
    private const int HeaderLength = 13;

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a];

    public static bool IsPng(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Signature);

    public static Image Decode(string path, byte[] bytes)
    {
        Check(path, bytes);
        try
        {
            var decoded = ImageResult.FromMemory(bytes, ColorComponents.Default);
            var image = new Image(decoded.Width, decoded.Height, (int)decoded.Comp, decoded.Data);
            return image.Channels == 2 ? WithColour(image) : image;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The decoder's own errors are of many types.
            throw new FileFormatException(path, $"the PNG cannot be decoded ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>8 bits, rows without filters, compressed.</summary>
    public static byte[] Encode(Image image)
    {
        var row = image.Width * image.Channels;
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            for (var y = 0; y < image.Height; y++)
            {
                zlib.WriteByte(0);
                zlib.Write(image.Pixels, y * row, row);
            }
        }

        Span<byte> header = stackalloc byte[HeaderLength];
        BinaryPrimitives.WriteInt32BigEndian(header, image.Width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], image.Height);
        header[8] = 8;
        header[9] = image.Channels switch { 1 => 0, 3 => 2, _ => 6 };
        using var png = new MemoryStream();
        png.Write(Signature);
        WriteChunk(png, "IHDR"u8, header);
        WriteChunk(png, "IDAT"u8, packed.GetBuffer().AsSpan(0, (int)packed.Length));
        WriteChunk(png, "IEND"u8, []);
        return png.ToArray();
    }

    private static void WriteChunk(MemoryStream png, ReadOnlySpan<byte> type, ReadOnlySpan<byte> content)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(word, content.Length);
        png.Write(word);
        png.Write(type);
        png.Write(content);
        var crc = new Crc32();
        crc.Append(type);
        crc.Append(content);
        BinaryPrimitives.WriteUInt32BigEndian(word, crc.GetCurrentHashAsUInt32());
        png.Write(word);
    }

    /// <summary>Grey with opacity as colour with opacity.</summary>
    private static Image WithColour(Image grey)
    {
        var pixels = new byte[grey.Pixels.Length * 2];
        for (var i = 0; i < grey.Pixels.Length; i += 2)
        {
            pixels.AsSpan(i * 2, 3).Fill(grey.Pixels[i]);
            pixels[(i * 2) + 3] = grey.Pixels[i + 1];
        }

        return new Image(grey.Width, grey.Height, 4, pixels);
    }

    /// <summary>Checks everything but the pixels' meaning.</summary>
    private static void Check(string path, byte[] bytes)
    {
        byte[]? header = null;
        using var data = new MemoryStream();
        var at = Signature.Length;
        while (true)
        {
            if (bytes.Length - at < ChunkOverhead) throw new FileFormatException(path, $"the PNG is cut off at byte {at}");
            var length = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at));
            if (length > bytes.Length - at - ChunkOverhead) throw new FileFormatException(path, $"the chunk at byte {at} is cut off: it has {length} bytes by its header");
            var chunk = bytes.AsSpan(at + 4, (int)length + 4);
            if (Crc32.HashToUInt32(chunk) != BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at + 8 + (int)length)))
                throw new FileFormatException(path, $"the chunk at byte {at} is corrupt: its checksum differs");
            var type = chunk[..4];
            if (header is null && (!type.SequenceEqual("IHDR"u8) || length != HeaderLength)) throw new FileFormatException(path, "the PNG does not start with its header");
            if (type.SequenceEqual("IHDR"u8)) header = chunk[4..].ToArray();
            if (type.SequenceEqual("IDAT"u8)) data.Write(chunk[4..]);
            if (type.SequenceEqual("IEND"u8)) break;
            at += ChunkOverhead + (int)length;
        }

        CheckData(path, header, data);
    }

    private static void CheckData(string path, ReadOnlySpan<byte> header, MemoryStream data)
    {
        long width = BinaryPrimitives.ReadUInt32BigEndian(header), height = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        if (width is 0 or > int.MaxValue || height is 0 or > int.MaxValue || width * height > Image.MaxPixels)
            throw new FileFormatException(path, $"an image of {width} x {height} pixels is not read");
        var samples = header[9] switch { 0 or 3 => 1, 2 => 3, 4 => 2, 6 => 4, _ => throw new FileFormatException(path, $"colour type {header[9]} does not exist") };
        if (header[8] is not (1 or 2 or 4 or 8 or 16) || header[10] != 0 || header[11] != 0 || header[12] > 1)
            throw new FileFormatException(path, "the header asks for a bit depth, compression, filter or interlacing that does not exist");
        long bits = samples * header[8];
        var expected = header[12] == 0 ? Pass(width, height) : Adam7(width, height);
        data.Position = 0;
        using var inflated = new ZLibStream(data, CompressionMode.Decompress);
        Span<byte> buffer = stackalloc byte[4096];
        var total = 0L;
        try
        {
            for (int read; total <= expected && (read = inflated.Read(buffer)) > 0;) total += read;
        }
        catch (InvalidDataException e)
        {
            throw new FileFormatException(path, $"the pixels' data is corrupt after {total} bytes", e);
        }

        if (total != expected) throw new FileFormatException(path, $"the pixels unpack to {(total > expected ? "more" : "less")} than the {expected} bytes that {width} x {height} take");

        // A row is preceded by a byte that names its filter.
        long Pass(long w, long h) => w == 0 || h == 0 ? 0 : h * (1 + (((w * bits) + 7) / 8));

        long Adam7(long w, long h)
        {
            ReadOnlySpan<(int X, int Y, int StepX, int StepY)> passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];
            var sum = 0L;
            foreach (var p in passes) sum += Pass((w - p.X + p.StepX - 1) / p.StepX, (h - p.Y + p.StepY - 1) / p.StepY);
            return sum;
        }
    }
}
