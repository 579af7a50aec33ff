using System.Runtime.InteropServices;
using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// An element type as files have it. The engine has four; the others are converted when they are read, without loss: half precisions to float32, small
/// integers to int64. Unsigned 64-bit integers beyond int64's range are an error.
/// </summary>
internal sealed class StoredType
{
    private readonly Func<byte[], int[], Tensor> read;

    private StoredType(string name, string safetensors, string storage, int size, Func<byte[], int[], Tensor> read) =>
        (Name, SafetensorsName, StorageName, Size, this.read) = (name, safetensors, storage, size, read);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<StoredType> All { get; } =
    [
        new("float64", "F64", "DoubleStorage", 8, (b, s) => Tensor.Create(As<double>(b), s)),
        new("float32", "F32", "FloatStorage", 4, (b, s) => Tensor.Create(As<float>(b), s)),
        new("float16", "F16", "HalfStorage", 2, (b, s) => Tensor.Create(Floats<Half>(b, x => (float)x), s)),
        new("bfloat16", "BF16", "BFloat16Storage", 2, (b, s) => Tensor.Create(Floats<ushort>(b, x => BitConverter.UInt32BitsToSingle((uint)x << 16)), s)),
        new("int64", "I64", "LongStorage", 8, (b, s) => Tensor.Create(As<long>(b), s)),
        new("int32", "I32", "IntStorage", 4, (b, s) => Tensor.Create(Longs<int>(b, x => x), s)),
        new("int16", "I16", "ShortStorage", 2, (b, s) => Tensor.Create(Longs<short>(b, x => x), s)),
        new("int8", "I8", "CharStorage", 1, (b, s) => Tensor.Create(Longs<sbyte>(b, x => x), s)),
        new("uint8", "U8", "ByteStorage", 1, (b, s) => Tensor.Create(Longs<byte>(b, x => x), s)),
        new("uint16", "U16", "UInt16Storage", 2, (b, s) => Tensor.Create(Longs<ushort>(b, x => x), s)),
        new("uint32", "U32", "UInt32Storage", 4, (b, s) => Tensor.Create(Longs<uint>(b, x => x), s)),
        new("uint64", "U64", "UInt64Storage", 8, (b, s) => Tensor.Create(Longs<ulong>(b, x => checked((long)x)), s)),
        new("bool", "BOOL", "BoolStorage", 1, (b, s) => Tensor.Create(Array.ConvertAll(b, x => x != 0), s)),
    ];

    /// <summary>PyTorch's name.</summary>
    public string Name { get; }

    /// <summary>The name in a safetensors header.</summary>
    public string SafetensorsName { get; }

    /// <summary>PyTorch's class of storages.</summary>
    public string StorageName { get; }

    /// <summary>Bytes of an element.</summary>
    public int Size { get; }

    /// <summary>The type that a tensor of the engine is written as.</summary>
    public static StoredType Of(DType dtype) => All.First(t => t.Name == dtype.Name());

    /// <summary>The type with a name in safetensors, or null.</summary>
    public static StoredType? FromSafetensors(string name) => All.FirstOrDefault(t => t.SafetensorsName == name);

    /// <summary>The type with one of PyTorch's names, of the type itself or of its storages, or null.</summary>
    public static StoredType? FromTorch(string name) => All.FirstOrDefault(t => t.StorageName == name || t.Name == name);

    /// <summary>A tensor of little-endian bytes in row-major order.</summary>
    /// <exception cref="OverflowException">A number has no place in int64.</exception>
    public Tensor ToTensor(byte[] bytes, int[] shape) => read(bytes, shape);

    /// <summary>A tensor's elements as little-endian bytes of this type: one of the engine's own, or the bytes that an int64 tensor holds.</summary>
    public ReadOnlySpan<byte> Narrowed(Tensor x) => Name == "uint8" ? Array.ConvertAll(x.ToLongs(), v => checked((byte)v)) : ToBytes(x);

    /// <summary>A tensor's elements as little-endian bytes in row-major order.</summary>
    public static ReadOnlySpan<byte> ToBytes(Tensor x) => x.DType switch
    {
        DType.Float32 => MemoryMarshal.AsBytes(x.ToFloats().AsSpan()),
        DType.Float64 => MemoryMarshal.AsBytes(x.ToDoubles().AsSpan()),
        DType.Int64 => MemoryMarshal.AsBytes(x.ToLongs().AsSpan()),
        _ => MemoryMarshal.AsBytes(x.ToBools().AsSpan()),
    };

    private static ReadOnlySpan<T> As<T>(byte[] bytes)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(bytes);

    private static float[] Floats<T>(byte[] bytes, Func<T, float> convert)
        where T : unmanaged => Array.ConvertAll(As<T>(bytes).ToArray(), new Converter<T, float>(convert));

    private static long[] Longs<T>(byte[] bytes, Func<T, long> convert)
        where T : unmanaged => Array.ConvertAll(As<T>(bytes).ToArray(), new Converter<T, long>(convert));
}
