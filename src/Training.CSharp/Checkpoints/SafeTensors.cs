using System.Buffers.Binary;
using System.Text.Json;
using Verified.Engine;

namespace Verified.Training;

/// <summary>Tensors by name in the safetensors format.</summary>
/// <remarks>
/// Source: https://github.com/huggingface/safetensors, section Format. The length of the header as a little-endian 64-bit number, the header as JSON (name to
/// dtype, shape and the tensor's part of the data; <c>__metadata__</c> maps texts to texts), the data: row-major, little-endian, without holes or overlaps.
/// </remarks>
public static class SafeTensors
{
    private const string MetadataName = "__metadata__";

    /// <summary>Writes tensors; a file that was there is replaced whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">Names and tensors. A view is written out on its own.</param>
    /// <param name="metadata">Texts that go with them.</param>
    /// <exception cref="ArgumentException">A name is empty, twice there or <c>__metadata__</c>, or a value of a state dictionary is no tensor.</exception>
    public static void Save(string path, StateDict tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        Save(path, tensors.Select(pair => KeyValuePair.Create(
            pair.Key as string ?? throw new ArgumentException($"safetensors names are texts, not {pair.Key}", nameof(tensors)),
            pair.Value as Tensor ?? throw new ArgumentException(
                $"safetensors holds tensors only; '{pair.Key}' is {Training.StateDict.Kind(pair.Value)} (a .pt file holds it)", nameof(tensors)))), metadata);
    }

    /// <inheritdoc cref="Save(string, StateDict, IReadOnlyDictionary{string, string}?)"/>
    public static void Save(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        // Wider types first, so that each tensor is aligned to its elements; then by name: the reference implementation's order.
        var ordered = tensors.OrderByDescending(t => t.Value.DType.Size()).ThenByDescending(t => t.Value.DType).ThenBy(t => t.Key, StringComparer.Ordinal).ToArray();
        var header = Header(ordered, metadata);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (var (_, tensor) in ordered) stream.Write(StoredType.ToBytes(tensor));
        });
    }

    /// <summary>Reads all tensors. Types that the engine does not have are converted without loss.</summary>
    /// <exception cref="FileFormatException">Anything about the file is not as the format says.</exception>
    public static StateDict Load(string path)
    {
        using var file = SafeTensorsFile.Open(path);
        var state = new StateDict();
        foreach (var entry in file.Entries) state[entry.Name] = file.Read(entry);
        return state;
    }

    private static byte[] Header(KeyValuePair<string, Tensor>[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(MetadataName);
                foreach (var (key, value) in metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }

            var names = new HashSet<string>();
            var at = 0L;
            foreach (var (name, tensor) in tensors)
            {
                if (name.Length == 0 || name == MetadataName || !names.Add(name)) throw new ArgumentException($"'{name}' cannot name a tensor, or names two", nameof(tensors));
                var end = at + ((long)tensor.Count * tensor.DType.Size());
                json.WriteStartObject(name);
                json.WriteString("dtype", StoredType.Of(tensor.DType).SafetensorsName);
                WriteNumbers(json, "shape", tensor.Shape.ToArray().Select(n => (long)n));
                WriteNumbers(json, "data_offsets", [at, end]);
                json.WriteEndObject();
                at = end;
            }

            json.WriteEndObject();
        }

        // Spaces up to a multiple of 8 keep the data aligned.
        while (buffer.Length % 8 != 0) buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (var n in numbers) json.WriteNumberValue(n);
        json.WriteEndArray();
    }
}
