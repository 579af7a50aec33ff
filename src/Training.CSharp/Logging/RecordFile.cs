using System.Buffers.Binary;
using System.Numerics;

namespace Verified.Training;

/// <summary>A file of records in TensorFlow's framing: length, its checksum, the record, its checksum.</summary>
/// <remarks>Source: tensorflow/core/lib/io/record_writer.h; the checksum is CRC-32C, turned and shifted so that one of data that holds checksums is still good.</remarks>
internal sealed class RecordFile : IDisposable
{
    private readonly FileStream file;

    public RecordFile(string path) => file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite);

    /// <summary>Appends a record and hands it to the system, so that what is shown is at most one record behind.</summary>
    public void Write(ReadOnlySpan<byte> record)
    {
        Span<byte> front = stackalloc byte[12];
        BinaryPrimitives.WriteInt64LittleEndian(front, record.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(front[8..], MaskedCrc(front[..8]));
        Span<byte> back = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(back, MaskedCrc(record));
        file.Write(front);
        file.Write(record);
        file.Write(back);
        file.Flush();
    }

    /// <summary>Has the system put everything on the disk.</summary>
    public void Flush() => file.Flush(flushToDisk: true);

    public void Dispose() => file.Dispose();

    internal static uint MaskedCrc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        for (; bytes.Length >= 8; bytes = bytes[8..]) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var b in bytes) crc = BitOperations.Crc32C(crc, b);
        crc = ~crc;
        return BitOperations.RotateRight(crc, 15) + 0xa282ead8;
    }
}
