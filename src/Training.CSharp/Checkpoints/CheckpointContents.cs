using Verified.Engine;

namespace Verified.Training;

/// <summary>What is inside a checkpoint, one entry a value.</summary>
/// <param name="Format">The file's format in words.</param>
/// <param name="Entries">The values in the file's order.</param>
public sealed record CheckpointContents(string Format, IReadOnlyList<CheckpointContents.Entry> Entries)
{
    /// <summary>A value.</summary>
    /// <param name="Path">The keys that lead to it.</param>
    /// <param name="Value">The value: a tensor, a number, a text, ...</param>
    /// <param name="DType">A tensor's type in the file.</param>
    /// <param name="Bytes">A tensor's bytes in that type.</param>
    /// <param name="NotFinite">How many of a tensor's elements are infinite or undefined.</param>
    public sealed record Entry(IReadOnlyList<object> Path, object? Value, string? DType = null, long Bytes = 0, int NotFinite = 0);

    /// <summary>Reads a .pt, .pth or .safetensors file; which it is its first bytes tell.</summary>
    /// <exception cref="FileFormatException">It is neither, or corrupt.</exception>
    public static CheckpointContents Read(string path)
    {
        if (!LooksLikeSafeTensors(path))
        {
            var (value, types) = TorchFile.Read(path);
            return new CheckpointContents("PyTorch zip", [.. Walk([], value, tensor => types[tensor])]);
        }

        using var file = SafeTensorsFile.Open(path);
        var entries = file.Metadata.Select(m => new Entry(["__metadata__", m.Key], m.Value)).ToList();
        foreach (var entry in file.Entries) entries.Add(OfTensor([entry.Name], file.Read(entry), StoredType.FromSafetensors(entry.DType)!));
        return new CheckpointContents("safetensors", entries);
    }

    private static bool LooksLikeSafeTensors(string path)
    {
        Span<byte> start = stackalloc byte[9];
        using var file = File.OpenRead(path);
        if (file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length) return false;
        return start[8] == '{' || string.Equals(System.IO.Path.GetExtension(path), ".safetensors", StringComparison.OrdinalIgnoreCase);
    }

    private static IEnumerable<Entry> Walk(object[] path, object? value, Func<Tensor, StoredType> type)
    {
        var children = value switch
        {
            StateDict { Count: > 0 } dictionary => dictionary.Select(pair => (pair.Key, pair.Value)),
            IReadOnlyList<object?> { Count: > 0 } list when value is not string => list.Select((item, i) => ((object)(long)i, item)),
            _ => null,
        };
        // A list of plain values fits into a line.
        if (children is null || (value is not StateDict && children.All(c => c.Item2 is null or bool or long or double or string)))
            return [value is Tensor tensor ? OfTensor(path, tensor, type(tensor)) : new Entry(path, value)];
        return children.SelectMany(child => Walk([.. path, child.Item1], child.Item2, type));
    }

    private static Entry OfTensor(IReadOnlyList<object> path, Tensor tensor, StoredType type) => new(
        path, tensor, type.Name, (long)tensor.Count * type.Size, tensor.DType.IsFloat() ? tensor.ToDoubles().Count(v => !double.IsFinite(v)) : 0);
}
