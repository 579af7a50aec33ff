using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Verified.Engine;

namespace Verified.Training;

/// <summary>Writes plain values as a pickle of protocol 2, PyTorch's own; tensors as PyTorch does, their bytes apart.</summary>
/// <param name="storage">Takes a tensor and the type it is written as, and gives the key under which its bytes are kept.</param>
internal sealed class Pickler(Func<Tensor, StoredType, string> storage)
{
    private readonly ArrayBufferWriter<byte> output = new();

    /// <summary>The pickle of a value.</summary>
    /// <exception cref="ArgumentException">A value is of a type that has no counterpart in a state dictionary.</exception>
    public byte[] Write(object? value)
    {
        output.Write<byte>([Pickle.Proto, 2]);
        Value(value, "the value", 0);
        output.Write<byte>([Pickle.Stop]);
        return output.WrittenSpan.ToArray();
    }

    private void Value(object? value, string where, int depth)
    {
        if (depth > Unpickler.MaxDepth) throw new ArgumentException($"{where} lies more than {Unpickler.MaxDepth} deep, or in itself");
        switch (value)
        {
            case null: output.Write<byte>([Pickle.None]); break;
            case bool b: output.Write<byte>([b ? Pickle.NewTrue : Pickle.NewFalse]); break;
            case int i: Integer(i); break;
            case long i: Integer(i); break;
            case float f: Float(f); break;
            case double d: Float(d); break;
            case string s: Text(s); break;
            case Tensor t: TensorValue(StoredType.Of(t.DType), t); break;
            // PyTorch keeps a generator's state in a tensor of bytes.
            case byte[] bytes: TensorValue(StoredType.FromTorch("uint8")!, Tensor.Create(Array.ConvertAll(bytes, b => (long)b))); break;
            case StateDict dictionary:
                output.Write<byte>([Pickle.EmptyDict, Pickle.Mark]);
                foreach (var (key, item) in dictionary)
                {
                    if (key is string text) Text(text);
                    else Integer(key is int or long ? Convert.ToInt64(key) : throw new ArgumentException($"the key {key} of {where} is neither a text nor a whole number"));
                    Value(item, $"'{key}' of {where}", depth + 1);
                }

                output.Write<byte>([Pickle.SetItems]);
                break;
            case object?[] tuple:
                output.Write<byte>([Pickle.Mark]);
                foreach (var item in tuple) Value(item, $"an item of {where}", depth + 1);
                output.Write<byte>([Pickle.Tuple]);
                break;
            case IReadOnlyList<object?> list:
                output.Write<byte>([Pickle.EmptyList, Pickle.Mark]);
                foreach (var item in list) Value(item, $"an item of {where}", depth + 1);
                output.Write<byte>([Pickle.Appends]);
                break;
            default: throw new ArgumentException($"{where} is of type {value.GetType().Name}, which a checkpoint cannot hold");
        }
    }

    private void TensorValue(StoredType type, Tensor tensor)
    {
        var shape = tensor.Shape.ToArray();
        Global("torch._utils", "_rebuild_tensor_v2");
        output.Write<byte>([Pickle.Mark, Pickle.Mark]);
        Text("storage");
        Global("torch", type.StorageName);
        Text(storage(tensor, type));
        Text("cpu");
        Integer(tensor.Count);
        output.Write<byte>([Pickle.Tuple, Pickle.BinPersId]);
        Integer(0);
        Sizes(shape);
        var strides = new int[shape.Length];
        for (int i = shape.Length - 1, stride = 1; i >= 0; stride *= Math.Max(1, shape[i--])) strides[i] = stride;
        Sizes(strides);
        output.Write<byte>([Pickle.NewFalse]);
        Global("collections", "OrderedDict");
        output.Write<byte>([Pickle.EmptyTuple, Pickle.Reduce, Pickle.Tuple, Pickle.Reduce]);
    }

    private void Sizes(int[] sizes)
    {
        output.Write<byte>([Pickle.Mark]);
        foreach (var size in sizes) Integer(size);
        output.Write<byte>([Pickle.Tuple]);
    }

    private void Global(string module, string name)
    {
        output.Write<byte>([Pickle.Global]);
        output.Write(Encoding.ASCII.GetBytes($"{module}\n{name}\n"));
    }

    private void Integer(long value)
    {
        Span<byte> wide = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(wide, value);
        if (value is >= 0 and <= byte.MaxValue) output.Write<byte>([Pickle.BinInt1, (byte)value]);
        else if (value is >= int.MinValue and <= int.MaxValue)
        {
            output.Write<byte>([Pickle.BinInt]);
            output.Write(wide[..4]);
        }
        else
        {
            output.Write<byte>([Pickle.Long1, 8]);
            output.Write(wide);
        }
    }

    private void Float(double value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteDoubleBigEndian(bytes, value);
        output.Write<byte>([Pickle.BinFloat]);
        output.Write(bytes);
    }

    private void Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        output.Write<byte>([Pickle.BinUnicode]);
        output.Write(length);
        output.Write(bytes);
    }
}
