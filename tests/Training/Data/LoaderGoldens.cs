using System.IO.Compression;
using System.Text.Json;
using Verified.Engine;
using Xunit;

namespace Verified.Training.Tests;

/// <summary>The order of records is that of PyTorch 2.6's loader, epoch by epoch; so is what the loader takes from the generators. Made by goldens/loader.py.</summary>
[Collection(DefaultGenerator.Name)]
public class LoaderGoldens
{
    private static readonly JsonElement[] Cases = [.. Read()];

    public static TheoryData<string> Epochs => Named("epochs/");

    public static TheoryData<string> Splits => Named("split/");

    public static TheoryData<string> Augmentations => Named("augment/");

    [Theory]
    [MemberData(nameof(Epochs))]
    public void Epochs_give_the_records_in_PyTorchs_order(string name)
    {
        foreach (var workers in new[] { 0, 3 })
        {
            var golden = Case(name);
            var seed = golden.GetProperty("seed").GetInt64();
            var own = golden.GetProperty("own").GetBoolean() ? new Generator(seed + 1) : null;
            var n = golden.GetProperty("n").GetInt32();
            var leaveAfter = golden.GetProperty("leave_after").GetInt32();
            Rng.ManualSeed(seed);
            var loader = new DataLoader(
                new Numbers(n),
                golden.GetProperty("batch").GetInt32(),
                golden.GetProperty("shuffle").GetBoolean(),
                workers,
                golden.GetProperty("drop_last").GetBoolean(),
                own);
            var epochs = golden.GetProperty("epochs").EnumerateArray().ToArray();
            for (var epoch = 0; epoch < epochs.Length; epoch++)
            {
                var batches = epoch == 0 && leaveAfter > 0 ? loader.Take(leaveAfter) : loader;
                Assert.Equal(
                    epochs[epoch].EnumerateArray().Select(b => string.Join(' ', b.EnumerateArray().Select(i => i.GetInt32()))),
                    batches.Select(b => string.Join(' ', b.Input.ToLongs())));
            }

            Assert.Equal(golden.GetProperty("default_after").GetInt64(), Rng.RandomLong());
            if (own is not null) Assert.Equal(golden.GetProperty("own_after").GetInt64(), Rng.RandomLong(own));
        }
    }

    [Theory]
    [MemberData(nameof(Splits))]
    public void A_random_split_has_PyTorchs_parts(string name)
    {
        var golden = Case(name);
        var parts = new Numbers(20).RandomSplit(Ints(golden.GetProperty("lengths")), new Generator(golden.GetProperty("seed").GetInt64()));
        Assert.Equal(
            golden.GetProperty("parts").EnumerateArray().Select(p => string.Join(' ', Ints(p))),
            parts.Select(p => string.Join(' ', Enumerable.Range(0, p.Count).Select(i => p[i].Input.Item()))));
    }

    [Theory]
    [MemberData(nameof(Augmentations))]
    public void Crop_and_flip_draw_what_torchvisions_do(string name)
    {
        var golden = Case(name);
        int Int(string field) => golden.GetProperty(field).GetInt32();
        var random = new Generator(golden.GetProperty("seed").GetInt64());
        var (height, width, padding, size) = (Int("height"), Int("width"), Int("padding"), Int("size"));
        var image = (Tensor.Arange(height * width) + 1).To(DType.Float32).Reshape([1, height, width]);
        var padded = image.Pad([padding, padding, padding, padding]);
        var both = Transforms.Compose(Transforms.RandomCrop(size, padding), Transforms.RandomHorizontalFlip());
        foreach (var draw in golden.GetProperty("draws").EnumerateArray())
        {
            var d = Ints(draw);
            var expected = padded.Narrow(1, d[0], size).Narrow(2, d[1], size);
            Assert.Equal((d[2] == 1 ? expected.Flip(2) : expected).ToFloats(), both(image, random).ToFloats());
        }
    }

    private static int[] Ints(JsonElement list) => [.. list.EnumerateArray().Select(i => i.GetInt32())];

    private static JsonElement Case(string name) => Cases.Single(c => c.GetProperty("case").GetString() == name);

    private static TheoryData<string> Named(string prefix) => [.. Cases.Select(c => c.GetProperty("case").GetString()!).Where(n => n.StartsWith(prefix, StringComparison.Ordinal))];

    private static IEnumerable<JsonElement> Read()
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "goldens", "loader.jsonl.gz"));
        using var reader = new StreamReader(new GZipStream(file, CompressionMode.Decompress));
        while (reader.ReadLine() is { } line) yield return JsonDocument.Parse(line).RootElement;
    }
}

/// <summary>Records whose input is their index.</summary>
internal sealed class Numbers(int count) : Dataset
{
    public override int Count => count;

    public override Sample Get(int index, Generator random) => new(Tensor.Create([(long)index], []), Tensor.Create([0L], []));
}
