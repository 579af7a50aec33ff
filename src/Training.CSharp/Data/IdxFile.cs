using System.Buffers.Binary;
using System.IO.Compression;

namespace Verified.Training;

/// <summary>An array of bytes in the IDX format of MNIST and Fashion-MNIST, compressed by gzip or not.</summary>
/// <remarks>
/// Source: Yann LeCun's description of the MNIST files. Two zero bytes, the element type (8: unsigned byte), the number of dimensions, the size of each as a
/// big-endian 32-bit number, the elements in row-major order.
/// </remarks>
/// <param name="Shape">The sizes; the first counts the records.</param>
/// <param name="Data">The elements.</param>
public sealed record IdxFile(int[] Shape, byte[] Data)
{
    /// <summary>The most bytes of content that a header may promise: 1 GiB.</summary>
    public const long MaxBytes = 1L << 30;

    private const int UnsignedByte = 8;

    /// <summary>Reads a whole file. No more memory is used than the file's content has, whatever its header says.</summary>
    /// <param name="path">The file; gzip is recognised by its first bytes.</param>
    /// <param name="rank">The number of dimensions that is expected.</param>
    /// <exception cref="FileFormatException">The file is not IDX, of another rank, cut off, or longer than its header says.</exception>
    public static IdxFile Read(string path, int rank)
    {
        using var file = File.OpenRead(path);
        try
        {
            if (IsGzip(file)) return ReadGzip(path, file, rank);
            var shape = ReadHeader(path, file, rank);
            CheckLength(path, shape, file.Length - file.Position);
            return new IdxFile(shape, ReadData(path, file, shape));
        }
        catch (EndOfStreamException)
        {
            throw new FileFormatException(path, "the header is cut off");
        }
        catch (InvalidDataException e)
        {
            throw new FileFormatException(path, $"the gzip data is corrupt ({e.Message.TrimEnd('.')})", e);
        }
    }

    private static bool IsGzip(FileStream file)
    {
        Span<byte> start = stackalloc byte[2];
        var read = file.ReadAtLeast(start, 2, throwOnEndOfStream: false);
        file.Position = 0;
        return read == 2 && start[0] == 0x1f && start[1] == 0x8b;
    }

    private static IdxFile ReadGzip(string path, FileStream file, int rank)
    {
        // A gzip file ends with the length of what it holds, so a header that promises something else is found before anything is unpacked.
        if (file.Length < 18) throw new FileFormatException(path, "the gzip file is cut off");
        Span<byte> end = stackalloc byte[4];
        file.Position = file.Length - 4;
        file.ReadExactly(end);
        file.Position = 0;
        using var gzip = new GZipStream(file, CompressionMode.Decompress);
        var shape = ReadHeader(path, gzip, rank);
        CheckLength(path, shape, BinaryPrimitives.ReadUInt32LittleEndian(end) - (4L + (4 * rank)));
        return new IdxFile(shape, ReadData(path, gzip, shape));
    }

    private static int[] ReadHeader(string path, Stream stream, int rank)
    {
        Span<byte> word = stackalloc byte[4];
        stream.ReadExactly(word);
        if (word[0] != 0 || word[1] != 0) throw new FileFormatException(path, "this is not an IDX file: it does not start with two zero bytes");
        if (word[2] != UnsignedByte) throw new FileFormatException(path, $"the elements are of IDX type 0x{word[2]:x2}; only unsigned bytes (0x08) are read");
        if (word[3] != rank) throw new FileFormatException(path, $"the array has {word[3]} dimensions, not {rank}");
        var shape = new int[rank];
        var bytes = 1L;
        for (var i = 0; i < rank; i++)
        {
            stream.ReadExactly(word);
            var size = BinaryPrimitives.ReadUInt32BigEndian(word);
            bytes = size > MaxBytes || bytes * size > MaxBytes ? long.MaxValue >> 32 : bytes * size;
            if (bytes > MaxBytes) throw new FileFormatException(path, $"the header promises more than {MaxBytes} bytes, from dimension {i} of size {size} on");
            shape[i] = (int)size;
        }

        return shape;
    }

    private static void CheckLength(string path, int[] shape, long actual)
    {
        var expected = shape.Aggregate(1L, (n, size) => n * size);
        if (actual == expected) return;
        var record = shape.Skip(1).Aggregate(1L, (n, size) => n * size);
        throw new FileFormatException(
            path,
            actual > expected
                ? $"{actual - expected} bytes follow the {shape[0]} records of {record} bytes that the header promises"
                : $"record {Math.Max(0, actual) / record} is cut off: the header promises {shape[0]} records of {record} bytes, {Math.Max(0, actual)} bytes are there");
    }

    private static byte[] ReadData(string path, Stream stream, int[] shape)
    {
        var data = new byte[shape.Aggregate(1L, (n, size) => n * size)];
        var read = stream.ReadAtLeast(data, data.Length, throwOnEndOfStream: false);
        if (read < data.Length || stream.ReadByte() >= 0) CheckLength(path, shape, read < data.Length ? read : read + 1);
        return data;
    }
}
