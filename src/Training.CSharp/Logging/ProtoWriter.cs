using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Verified.Training;

/// <summary>Writes Protocol Buffers messages, as far as event files need them. Numbers that are 0 are written too, where the caller says so.</summary>
/// <remarks>Source: https://protobuf.dev/programming-guides/encoding.</remarks>
internal sealed class ProtoWriter
{
    private const int Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5;

    private readonly ArrayBufferWriter<byte> output = new();

    public byte[] ToArray() => output.WrittenSpan.ToArray();

    public ProtoWriter Integer(int field, long value)
    {
        Key(field, Varint);
        Number((ulong)value);
        return this;
    }

    public ProtoWriter Double(int field, double value)
    {
        Key(field, Fixed64);
        Eight(value);
        return this;
    }

    public ProtoWriter Single(int field, float value)
    {
        Key(field, Fixed32);
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        output.Write(bytes);
        return this;
    }

    public ProtoWriter Text(int field, string value) => Blob(field, Encoding.UTF8.GetBytes(value));

    public ProtoWriter Blob(int field, ReadOnlySpan<byte> value)
    {
        Key(field, Bytes);
        Number((ulong)value.Length);
        output.Write(value);
        return this;
    }

    public ProtoWriter Message(int field, ProtoWriter value) => Blob(field, value.output.WrittenSpan);

    public ProtoWriter Append(ProtoWriter other)
    {
        output.Write(other.output.WrittenSpan);
        return this;
    }

    public ProtoWriter Doubles(int field, IReadOnlyCollection<double> values)
    {
        Key(field, Bytes);
        Number((ulong)values.Count * 8);
        foreach (var value in values) Eight(value);
        return this;
    }

    private void Eight(double value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        output.Write(bytes);
    }

    private void Key(int field, int type) => Number(((ulong)field << 3) | (uint)type);

    private void Number(ulong value)
    {
        while (value >= 0x80)
        {
            output.Write<byte>([(byte)(value | 0x80)]);
            value >>= 7;
        }

        output.Write<byte>([(byte)value]);
    }
}
