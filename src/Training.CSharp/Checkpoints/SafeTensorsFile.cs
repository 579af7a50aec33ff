using System.Buffers.Binary;
using System.Text.Json;
using Verified.Engine;

namespace Verified.Training;

/// <summary>An open safetensors file: its header, checked, and its tensors when they are asked for.</summary>
public sealed class SafeTensorsFile : IDisposable
{
    /// <summary>The longest header that is read, that of the reference implementation.</summary>
    public const long MaxHeaderBytes = 100_000_000;

    private readonly string path;
    private readonly FileStream file;
    private readonly long dataStart;

    private SafeTensorsFile(string path, FileStream file)
    {
        (this.path, this.file) = (path, file);
        if (file.Length < 8) throw Wrong("the file is cut off before the length of its header");
        Span<byte> length = stackalloc byte[8];
        file.ReadExactly(length);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(length);
        if (headerLength > MaxHeaderBytes) throw Wrong($"the header is to have {headerLength} bytes; at most {MaxHeaderBytes} are read");
        if ((long)headerLength > file.Length - 8) throw Wrong($"the header is cut off: {file.Length - 8} of its {headerLength} bytes are there");
        var header = new byte[headerLength];
        file.ReadExactly(header);
        dataStart = 8 + (long)headerLength;
        if (header is not [(byte)'{', ..]) throw Wrong("the header does not start with '{'");
        try
        {
            // A name that is there twice would mean different things to different readers.
            using var json = JsonDocument.Parse(header, new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
            (Entries, Metadata) = ReadHeader(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FileFormatException(path, $"the header is not the JSON that it should be ({e.Message.Split('.')[0]})", e);
        }

        CheckLayout(file.Length - dataStart);
    }

    /// <summary>A tensor in the file.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="DType">The type as the header names it: F32, BF16, ...</param>
    /// <param name="Shape">The sizes.</param>
    /// <param name="Start">Where it starts in the data.</param>
    /// <param name="End">Where it ends.</param>
    public sealed record Entry(string Name, string DType, IReadOnlyList<int> Shape, long Start, long End);

    /// <summary>The tensors in the order of the header.</summary>
    public IReadOnlyList<Entry> Entries { get; }

    /// <summary>The texts that go with them.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file and checks its header against its length.</summary>
    /// <exception cref="FileFormatException">Anything is not as the format says.</exception>
    public static SafeTensorsFile Open(string path)
    {
        var file = File.OpenRead(path);
        try
        {
            return new SafeTensorsFile(path, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads one tensor.</summary>
    /// <exception cref="FileFormatException">Its type has no counterpart here, or a number is beyond int64.</exception>
    public Tensor Read(Entry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var type = StoredType.FromSafetensors(entry.DType) ?? throw Wrong($"tensor '{entry.Name}' is of type {entry.DType}, which has no counterpart here");
        var bytes = new byte[entry.End - entry.Start];
        lock (file)
        {
            file.Position = dataStart + entry.Start;
            file.ReadExactly(bytes);
        }

        try
        {
            return type.ToTensor(bytes, [.. entry.Shape]);
        }
        catch (OverflowException e)
        {
            throw new FileFormatException(path, $"tensor '{entry.Name}' has a number beyond int64", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private (List<Entry>, Dictionary<string, string>) ReadHeader(JsonElement root)
    {
        var entries = new List<Entry>();
        var metadata = new Dictionary<string, string>();
        foreach (var property in root.EnumerateObject())
        {
            if (property.Name != "__metadata__")
            {
                entries.Add(ReadEntry(property.Name, property.Value));
                continue;
            }

            foreach (var text in property.Value.EnumerateObject())
                metadata[text.Name] = text.Value.ValueKind == JsonValueKind.String ? text.Value.GetString()! : throw Wrong($"__metadata__ holds '{text.Name}', which is no text");
        }

        return (entries, metadata);
    }

    private Entry ReadEntry(string name, JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object) throw Wrong($"tensor '{name}' is described by no object");
        if (json.EnumerateObject().FirstOrDefault(p => p.Name is not ("dtype" or "shape" or "data_offsets")) is { Value.ValueKind: not JsonValueKind.Undefined } unknown)
            throw Wrong($"tensor '{name}' has an unknown field '{unknown.Name}'");
        if (!json.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String) throw Wrong($"tensor '{name}' has no dtype");
        var type = StoredType.FromSafetensors(dtype.GetString()!) ?? throw Wrong($"tensor '{name}' is of type {dtype.GetString()}, which has no counterpart here");
        var shape = Numbers(name, json, "shape");
        var offsets = Numbers(name, json, "data_offsets");
        if (offsets.Length != 2 || offsets[0] > offsets[1]) throw Wrong($"tensor '{name}' has data offsets that are no start and end");
        var count = 1L;
        foreach (var size in shape)
        {
            if (size > int.MaxValue || (count *= size) * type.Size > Array.MaxLength) throw Wrong($"tensor '{name}' of shape [{string.Join(", ", shape)}] is larger than the 2 GiB that are read");
        }

        if (offsets[1] - offsets[0] != count * type.Size)
            throw Wrong($"tensor '{name}' of {count} elements of {type.Size} bytes is given {offsets[1] - offsets[0]} bytes");
        return new Entry(name, type.SafetensorsName, Array.ConvertAll(shape, n => (int)n), offsets[0], offsets[1]);
    }

    private long[] Numbers(string tensor, JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var list) || list.ValueKind != JsonValueKind.Array) throw Wrong($"tensor '{tensor}' has no {name}");
        if (list.GetArrayLength() > 64) throw Wrong($"tensor '{tensor}' has more than 64 numbers in {name}");
        return [.. list.EnumerateArray().Select(n => n.ValueKind == JsonValueKind.Number && n.TryGetInt64(out var value) && value >= 0
            ? value
            : throw Wrong($"tensor '{tensor}' has {n.GetRawText()} in {name}, which is no size"))];
    }

    private void CheckLayout(long dataLength)
    {
        var at = 0L;
        foreach (var entry in Entries.OrderBy(e => e.Start).ThenBy(e => e.End))
        {
            if (entry.Start < at) throw Wrong($"tensor '{entry.Name}' overlaps another one");
            if (entry.Start > at) throw Wrong($"there is a hole of {entry.Start - at} bytes before tensor '{entry.Name}'");
            at = entry.End;
        }

        if (at > dataLength) throw Wrong($"the data is cut off: {dataLength} of its {at} bytes are there");
        if (at < dataLength) throw Wrong($"{dataLength - at} bytes follow the last tensor");
    }

    private FileFormatException Wrong(string problem) => new(path, problem);
}
