using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Verified.Examples.BesidePyTorch;

/// <summary>What PyTorch 2.6 gave for a <see cref="SeededTraining"/>; <c>tests/Training/goldens/trainings.py</c> wrote it.</summary>
/// <param name="Network">How the network prints.</param>
/// <param name="Weights">The digest of its initial weights.</param>
/// <param name="Batches">The digest of the batches of all steps.</param>
/// <param name="Steps">After how many float64 steps the state was taken.</param>
/// <param name="State">Parameters and buffers after them, by name.</param>
/// <param name="Distance">The largest relative difference of a parameter after them where every weight started one unit of the last place away.</param>
/// <param name="Float32Losses">The losses in float32.</param>
/// <param name="MovedLosses">Those where every weight started one unit of the last place away.</param>
/// <param name="Float64Losses">The losses in float64.</param>
public sealed record PyTorchRun(
    string Network,
    string Weights,
    string Batches,
    int Steps,
    IReadOnlyDictionary<string, double[]> State,
    double Distance,
    double[] Float32Losses,
    double[] MovedLosses,
    double[] Float64Losses)
{
    /// <summary>Reads the runs of all trainings, by name.</summary>
    /// <param name="root">The folder of the repository.</param>
    public static IReadOnlyDictionary<string, PyTorchRun> Read(string root)
    {
        using var file = File.OpenRead(Path.Combine(root, "tests", "Training", "goldens", "trainings.jsonl.gz"));
        using var reader = new StreamReader(new GZipStream(file, CompressionMode.Decompress));
        var runs = new Dictionary<string, PyTorchRun>();
        while (reader.ReadLine() is { } line)
        {
            using var document = JsonDocument.Parse(line);
            var run = document.RootElement;
            var losses = run.GetProperty("losses");
            runs.Add(
                run.GetProperty("case").GetString()!,
                new PyTorchRun(
                    run.GetProperty("repr").GetString()!,
                    run.GetProperty("weights").GetString()!,
                    run.GetProperty("batches").GetString()!,
                    run.GetProperty("steps").GetInt32(),
                    run.GetProperty("state").EnumerateObject().ToDictionary(p => p.Name, p => Elements(p.Value)),
                    run.GetProperty("distance").GetDouble(),
                    Numbers(losses.GetProperty("float32")),
                    Numbers(losses.GetProperty("moved")),
                    Numbers(losses.GetProperty("float64"))));
        }

        return runs;
    }

    private static double[] Numbers(JsonElement list) => [.. list.EnumerateArray().Select(n => n.GetDouble())];

    /// <summary>The elements of a tensor, which the file holds as base64 of its bytes.</summary>
    private static double[] Elements(JsonElement tensor)
    {
        var bytes = tensor.GetProperty("data").GetBytesFromBase64();
        return tensor.GetProperty("dtype").GetString() == "float64"
            ? [.. MemoryMarshal.Cast<byte, double>(bytes)]
            : [.. MemoryMarshal.Cast<byte, long>(bytes).ToArray().Select(n => (double)n)];
    }
}
