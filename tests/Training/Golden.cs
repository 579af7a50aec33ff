using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.Json;
using Verified.Engine;

namespace Verified.Training.Tests;

/// <summary>What PyTorch 2.6 gave; <c>goldens/export.py</c> writes the files.</summary>
internal static class Golden
{
    /// <summary>The cases of a file, a line each.</summary>
    public static IEnumerable<JsonElement> Cases(string name)
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "goldens", name + ".jsonl.gz"));
        using var reader = new StreamReader(new GZipStream(file, CompressionMode.Decompress));
        while (reader.ReadLine() is { } line) yield return JsonDocument.Parse(line).RootElement;
    }

    /// <summary>Whether a value is a tensor's written form.</summary>
    public static bool IsTensor(this JsonElement value) => value.ValueKind == JsonValueKind.Object && value.TryGetProperty("data", out _);

    /// <summary>A tensor from its written form.</summary>
    public static Tensor Tensor(this JsonElement value)
    {
        var shape = value.GetProperty("shape").EnumerateArray().Select(n => n.GetInt32()).ToArray();
        var bytes = value.GetProperty("data").GetBytesFromBase64();
        return value.GetProperty("dtype").GetString() switch
        {
            "float32" => Engine.Tensor.Create(MemoryMarshal.Cast<byte, float>(bytes), shape),
            "float64" => Engine.Tensor.Create(MemoryMarshal.Cast<byte, double>(bytes), shape),
            "int64" => Engine.Tensor.Create(MemoryMarshal.Cast<byte, long>(bytes), shape),
            var other => throw new InvalidDataException($"a golden of type {other}"),
        };
    }

    /// <summary>A state dictionary from its written form; keys that are numbers become numbers.</summary>
    public static StateDict State(this JsonElement value)
    {
        var state = new StateDict();
        foreach (var entry in value.EnumerateObject())
            state.Add(long.TryParse(entry.Name, out var number) ? number : entry.Name, Value(entry.Value));
        return state;
    }

    /// <summary>The least distance in units of the last place that covers every element; 0 where all bits agree.</summary>
    public static long Ulps(Tensor a, Tensor b)
    {
        Assert.Equal(a.DType, b.DType);
        Assert.Equal(a.Shape.ToArray(), b.Shape.ToArray());
        if (a.DType == DType.Int64) return a.ToLongs().SequenceEqual(b.ToLongs()) ? 0 : long.MaxValue;
        if (a.DType == DType.Float32) return a.ToFloats().Zip(b.ToFloats(), (x, y) => Math.Abs(Place(x) - Place(y))).DefaultIfEmpty(0).Max();
        return a.ToDoubles().Zip(b.ToDoubles(), (x, y) => Math.Abs(Place(x) - Place(y))).DefaultIfEmpty(0).Max();
    }

    /// <summary>The greatest difference of two elements.</summary>
    public static double Difference(Tensor a, Tensor b)
    {
        Assert.Equal(a.Shape.ToArray(), b.Shape.ToArray());
        return a.ToDoubles().Zip(b.ToDoubles(), (x, y) => x.Equals(y) ? 0 : Math.Abs(x - y)).DefaultIfEmpty(0).Max();
    }

    private static object? Value(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.IsTensor() ? value.Tensor() : value.State(),
        JsonValueKind.Array => value.EnumerateArray().Select(Value).ToArray(),
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => value.TryGetInt64(out var whole) && !value.GetRawText().Contains('.', StringComparison.Ordinal) ? (object)whole : value.GetDouble(),
        _ => null,
    };

    private static long Place(float x)
    {
        var bits = BitConverter.SingleToInt32Bits(x);
        return bits < 0 ? -(long)(bits & int.MaxValue) : bits;
    }

    private static long Place(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        return bits < 0 ? -(bits & long.MaxValue) : bits;
    }
}
