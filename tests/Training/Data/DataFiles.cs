using System.Buffers.Binary;
using System.IO.Compression;

namespace Verified.Training.Tests;

/// <summary>Small files in the real formats, written byte by byte from the formats' descriptions.</summary>
internal static class DataFiles
{
    public static byte[] Idx(int[] shape, byte[] data)
    {
        var bytes = new byte[4 + (4 * shape.Length)];
        (bytes[2], bytes[3]) = (8, (byte)shape.Length);
        for (var i = 0; i < shape.Length; i++) BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4 + (4 * i)), shape[i]);
        return [.. bytes, .. data];
    }

    public static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal)) gzip.Write(bytes);
        return packed.ToArray();
    }

    public static byte[] Cifar(int records, int seed)
    {
        var bytes = new byte[records * Cifar10.RecordBytes];
        new Random(seed).NextBytes(bytes);
        for (var i = 0; i < records; i++) bytes[i * Cifar10.RecordBytes] = (byte)((i + seed) % 10);
        return bytes;
    }

    public static byte[] Bytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
