using System.Buffers.Binary;

namespace Verified.Training;

/// <summary>
/// The bytes in which PyTorch keeps a generator's state: seed (8), left (4), seeded (4), next (8), 624 words of 8 bytes, three doubles of which the second is
/// the spare normal draw, whether there is one (4), padding (4), and a spare single-precision draw with its flag (8), which the processor's generator never uses.
/// </summary>
internal static class GeneratorState
{
    private const int Length = 5056;
    private const int LegacyLength = 5048;
    private const int LeftAt = 8;
    private const int SeededAt = 12;
    private const int NextAt = 16;
    private const int WordsAt = 24;
    private const int SpareAt = WordsAt + (MersenneTwister.Size * 8) + 8;
    private const int HasSpareAt = SpareAt + 16;

    public static byte[] Write(long seed, MersenneTwister twister, double? spareNormal)
    {
        var bytes = new byte[Length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, seed);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(LeftAt), twister.Left);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(SeededAt), 1);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(NextAt), twister.Next);
        for (var i = 0; i < MersenneTwister.Size; i++) BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(WordsAt + (i * 8)), twister.Words[i]);
        if (spareNormal is { } spare)
        {
            BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(SpareAt), spare);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(HasSpareAt), 1);
        }
        return bytes;
    }

    public static (long Seed, uint[] Words, int Left, int Next, double? SpareNormal) Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length is not (Length or LegacyLength))
            throw new ArgumentException($"a generator's state has {Length} bytes, not {bytes.Length}", nameof(bytes));
        var left = BinaryPrimitives.ReadInt32LittleEndian(bytes[LeftAt..]);
        var seeded = BinaryPrimitives.ReadInt32LittleEndian(bytes[SeededAt..]);
        var next = BinaryPrimitives.ReadUInt64LittleEndian(bytes[NextAt..]);
        // Counters that do not belong together would read beyond the words.
        if (seeded != 1 || left is < 1 or > MersenneTwister.Size || next + (ulong)left > MersenneTwister.Size + 1)
            throw new ArgumentException("these bytes are no generator's state: its counters are out of range", nameof(bytes));
        var words = new uint[MersenneTwister.Size];
        for (var i = 0; i < words.Length; i++) words[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(WordsAt + (i * 8))..]);
        double? spare = BinaryPrimitives.ReadInt32LittleEndian(bytes[HasSpareAt..]) != 0 ? BinaryPrimitives.ReadDoubleLittleEndian(bytes[SpareAt..]) : null;
        return (BinaryPrimitives.ReadInt64LittleEndian(bytes), words, left, (int)next, spare);
    }
}
