using System.IO.Compression;
using System.Text.Json;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>Tensors of many kinds print as PyTorch 2.6.0 prints them (<c>tests/GoldenPyTorch/printing.py</c>).</summary>
public class TensorPrintingGoldens
{
    [Fact]
    public void Every_tensor_prints_as_in_PyTorch()
    {
        var different = new List<string>();
        var count = 0;
        foreach (var (tensor, text) in Goldens())
        {
            count++;
            if (tensor.ToString() != text) different.Add($"PyTorch prints\n{text}\nand the engine\n{tensor}\n");
        }

        Assert.True(count > 200);
        Assert.True(different.Count == 0, $"{different.Count} of {count} differ\n{string.Join("\n", different.Take(5))}");
    }

    private static IEnumerable<(Tensor Tensor, string Text)> Goldens()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Verified.sln"))) folder = folder.Parent!;
        using var file = File.OpenRead(Path.Combine(folder.FullName, "tests", "GoldenPyTorch", "texts", "printing.jsonl.gz"));
        using var reader = new StreamReader(new GZipStream(file, CompressionMode.Decompress));
        while (reader.ReadLine() is { } line)
        {
            using var json = JsonDocument.Parse(line);
            yield return (ToTensor(json.RootElement.GetProperty("tensor")), json.RootElement.GetProperty("text").GetString()!);
        }
    }

    private static Tensor ToTensor(JsonElement json)
    {
        int[] shape = [.. json.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];
        var data = json.GetProperty("data").EnumerateArray().ToArray();
        var requiresGrad = json.GetProperty("requires_grad").GetBoolean();
        return json.GetProperty("dtype").GetString() switch
        {
            "float32" => Tensor.Create(Array.ConvertAll(data, x => (float)Number(x)), shape, requiresGrad),
            "float64" => Tensor.Create(Array.ConvertAll(data, Number), shape, requiresGrad),
            "int64" => Tensor.Create(Array.ConvertAll(data, x => x.GetInt64()), shape),
            _ => Tensor.Create(Array.ConvertAll(data, x => x.GetBoolean()), shape),
        };
    }

    private static double Number(JsonElement x) => x.ValueKind == JsonValueKind.Number
        ? x.GetDouble()
        : x.GetString() switch { "inf" => double.PositiveInfinity, "-inf" => double.NegativeInfinity, _ => double.NaN };
}
