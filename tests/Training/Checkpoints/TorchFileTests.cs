using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Verified.Engine;
using Verified.Tests;

namespace Verified.Training.Tests;

/// <summary>PyTorch's own files: what PyTorch 2.6 wrote is read, what is written here PyTorch reads, and what is not a checkpoint is refused. Made by goldens/checkpoints.py.</summary>
public sealed class TorchFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    internal static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "goldens", "checkpoints", name);

    [Theory]
    [InlineData("run")]
    [InlineData("views")]
    [InlineData("types")]
    [InlineData("others")]
    [InlineData("protocol4")]
    [InlineData("resume")]
    [InlineData("resumed")]
    [InlineData("pytorch-1.13")]
    public void What_PyTorch_wrote_is_read(string name)
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "goldens", "checkpoints.jsonl.gz"));
        using var reader = new StreamReader(new GZipStream(file, CompressionMode.Decompress));
        var golden = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).Single(c => c.GetProperty("case").GetString() == name);
        AreSame(golden.GetProperty("value"), TorchFile.Load(Golden($"{name}.pt")), "");
        foreach (var entry in CheckpointContents.Read(Golden($"{name}.pt")).Entries.Where(e => name == "types"))
            Assert.Equal(entry.Path[0], entry.DType);
    }

    [Fact]
    public void Tensors_that_shared_memory_share_it_again()
    {
        var views = TorchFile.LoadStateDict(Golden("views.pt"));
        Assert.True(views.Tensor("base").SharesMemoryWith(views.Tensor("again")));
        Assert.True(views.Tensor("base").SharesMemoryWith(views.Tensor("part")));
        Assert.False(views.Tensor("base").SharesMemoryWith(views.Tensor("scalar")));
        Assert.False(views.Tensor("parameter").RequiresGrad);
    }

    [Fact]
    public void Values_come_back_as_they_were_written_and_the_same_values_give_the_same_bytes()
    {
        var path = folder["a.pt"];
        var weight = Tensor.Create([1f, float.NaN, -0f], requiresGrad: true);
        var state = new StateDict
        {
            ["model"] = new StateDict { ["weight"] = weight, ["tied"] = weight.Detach(), ["double"] = Tensor.Create([Math.PI]), ["empty"] = Tensor.Zeros([0, 2]) },
            ["state"] = new StateDict { [0L] = Tensor.Arange(6).Reshape([2, 3]).T(), [3] = true },
            ["list"] = new List<object?> { 1, -1, 300, 70_000, 1L << 40, long.MinValue, 2.5, null, "ünï", new object?[] { 0.9, 0.999 } },
            ["bytes"] = new byte[] { 1, 2, 255 },
            ["none"] = new List<object?>(),
        };
        TorchFile.Save(path, state);
        var first = File.ReadAllBytes(path);
        TorchFile.Save(path, state);
        Assert.Equal(first, File.ReadAllBytes(path));

        var back = TorchFile.LoadStateDict(path);
        Assert.Equal(weight.ToFloats().Select(BitConverter.SingleToUInt32Bits), back.Dictionary("model").Tensor("weight").ToFloats().Select(BitConverter.SingleToUInt32Bits));
        Assert.True(back.Dictionary("model").Tensor("weight").SharesMemoryWith(back.Dictionary("model").Tensor("tied")));
        Assert.Equal([Math.PI], back.Dictionary("model").Tensor("double").ToDoubles());
        Assert.Equal([0, 2], back.Dictionary("model").Tensor("empty").Shape.ToArray());
        Assert.Equal([0L, 3, 1, 4, 2, 5], back.Dictionary("state").Tensor(0).ToLongs());
        Assert.True(back.Dictionary("state").Truth(3L));
        Assert.Equal([1L, -1L, 300L, 70_000L, 1L << 40, long.MinValue, 2.5, null, "ünï"], back.List("list").Take(9));
        Assert.Equal([0.9, 0.999], Assert.IsType<object?[]>(back.List("list")[9]));
        Assert.Equal([1, 2, 255], back.Bytes("bytes"));
        Assert.Empty(back.List("none"));
    }

    [PyTorchFact]
    public void PyTorch_reads_what_is_written_here_with_weights_only()
    {
        var path = folder["a.pt"];
        TorchFile.Save(path, new StateDict
        {
            ["w"] = Tensor.Create([1.5f, -2, 3, 4], [2, 2]),
            ["d"] = Tensor.Create([0.1]),
            ["i"] = Tensor.Arange(3),
            ["b"] = Tensor.Create([true, false]),
            ["e"] = Tensor.Zeros([0, 3]),
            ["s"] = new StateDict { [0] = new object?[] { 0.9, 3 } },
            ["rng"] = new Generator(5).GetState(),
        });
        var script = folder.Write("read.py", Encoding.UTF8.GetBytes("""
            import sys, torch
            for options in ({}, {"mmap": True}):
                c = torch.load(sys.argv[1], weights_only=True, **options)
                print(c["w"].tolist(), c["w"].dtype, c["d"].tolist(), c["d"].dtype, c["i"].tolist(), c["b"].tolist(), c["b"].dtype, tuple(c["e"].shape), c["s"])
                torch.set_rng_state(c["rng"])
                print(torch.randint(0, 1000000, (2,)).tolist())
            """));
        var expected = $"[[1.5, -2.0], [3.0, 4.0]] torch.float32 [0.1] torch.float64 [0, 1, 2] [True, False] torch.bool (0, 3) {{0: (0.9, 3)}}\n[{string.Join(", ", Rng.Randint(0, 1_000_000, [2], new Generator(5)).ToLongs())}]\n";
        Assert.Equal(expected + expected, PyTorchFactAttribute.Run(script, path));
    }

    [Fact]
    public void Names_that_a_checkpoint_has_no_use_for_are_refused()
    {
        Fails("data.pkl: the pickle asks for Python's '__builtin__.print', which is none of the names that a checkpoint may use; nothing was run", Golden("evil.pt"));
        Fails("this is PyTorch's format from before version 1.6, which is not read; load it with PyTorch and save it again", Golden("legacy.pt"));
        Fails("this is no file of torch.save: it is no zip file", folder.Write("b.pt", 1, 2, 3));
        Fails("the file is empty", folder.Write("c.pt"));
        foreach (var name in new[] { "posix\nsystem", "builtins\neval", "torch.hub\nload", "os\npopen", "subprocess\nPopen", "torch.nn.modules.linear\nLinear" })
        {
            Fails($"data.pkl: the pickle asks for Python's '{name.Replace('\n', '.')}', which is none of the names that a checkpoint may use; nothing was run", Pickled($"\u0080\u0002c{name}\n."));
        }
    }

    [Theory]
    [InlineData("]q\0h\0a.", "values lie more than 100 deep in one another, or in themselves")]
    [InlineData("}X\u0001\0\0\0aK\u0001", "the pickle is cut off at byte 11")]
    [InlineData("X\u00ff\u00ff\u00ff\u007fa.", "the pickle is cut off at byte 9")]
    [InlineData("h\u0005.", "nothing was remembered under 5")]
    [InlineData("0.", "the stack is empty at byte 3")]
    [InlineData("t.", "there is no mark on the stack at byte 3")]
    [InlineData("K\u0001K\u0002.", "the pickle ends with values left over")]
    [InlineData("K\u0001K\u0002a.", "something is put into a list that is none, at byte 7")]
    [InlineData("}K\u0001s.", "something is put into a dictionary that is none")]
    [InlineData("}NNs.", "a dictionary's key is nothing (None); texts and whole numbers are read")]
    [InlineData("\u008a\u0009aaaaaaaaa.", "a whole number has more than 64 bits")]
    [InlineData("i.", "opcode 0x69 at byte 2 is none that a checkpoint uses")]
    [InlineData("ctorch._utils\n_rebuild_tensor_v2\n)R.", "torch._utils._rebuild_tensor_v2 is called with arguments that it does not take")]
    [InlineData("ctorch\nFloatStorage\n.", "torch.FloatStorage is a value in itself, which is not read")]
    public void Broken_pickles_are_refused(string pickle, string problem) =>
        Assert.StartsWith("data.pkl: " + problem, Assert.Throws<FileFormatException>(() => TorchFile.Load(Pickled("\u0080\u0002" + pickle))).Problem);

    [Fact]
    public void A_pickle_that_shares_lists_until_there_are_too_many_values_costs_little()
    {
        // l0 = [1]; l1 = [l0, l0, ...]: 10 to the power of 30 values in a few hundred bytes.
        var pickle = new StringBuilder("\u0080\u0002]q\0K\u0001a");
        for (var i = 1; i <= 30; i++) pickle.Append($"](").Append(string.Concat(Enumerable.Repeat($"h{(char)(i - 1)}", 10))).Append($"eq{(char)i}");
        // All but the last are left on the stack; into a tuple with them.
        var before = GC.GetAllocatedBytesForCurrentThread();
        Fails("data.pkl: there are more than 4000000 values", Pickled(pickle.ToString().Replace("\u0080\u0002", "\u0080\u0002(") + "t."));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 300_000_000);
    }

    [Theory]
    [InlineData("../../evil", "is none that PyTorch writes")]
    [InlineData("/etc/passwd", "is none that PyTorch writes")]
    [InlineData("archive/..\\x", "is none that PyTorch writes")]
    [InlineData("archive//x", "is none that PyTorch writes")]
    [InlineData("other/x", "the records lie in several folders")]
    [InlineData("archive/data.pkl", "there are two records")]
    public void Path_tricks_in_a_zip_file_are_refused(string name, string problem)
    {
        var path = folder["a.pt"];
        using (var zip = new ZipArchive(File.Create(path), ZipArchiveMode.Create))
        {
            Add(zip, "archive/data.pkl", [0x80, 2, (byte)'N', (byte)'.'], CompressionLevel.NoCompression);
            Add(zip, name, [1], CompressionLevel.NoCompression);
        }

        Assert.Contains(problem, Assert.Throws<FileFormatException>(() => TorchFile.Load(path)).Problem);
    }

    [Fact]
    public void A_zip_bomb_is_refused_before_it_is_unpacked()
    {
        var path = folder["a.pt"];
        using (var zip = new ZipArchive(File.Create(path), ZipArchiveMode.Create)) Add(zip, "archive/data.pkl", new byte[100_000_000], CompressionLevel.Optimal);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Fails("the record 'archive/data.pkl' is compressed, which PyTorch's are not", path);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [Fact]
    public void What_a_checkpoint_cannot_hold_is_named_and_the_old_file_stays()
    {
        var path = folder["a.pt"];
        TorchFile.Save(path, new StateDict { ["epoch"] = 1 });
        var error = Assert.Throws<ArgumentException>(() => TorchFile.Save(path, new StateDict { ["a"] = new StateDict { ["when"] = DateTime.Now } }));
        Assert.Equal("'when' of 'a' of the value is of type DateTime, which a checkpoint cannot hold", error.Message);
        Assert.Equal(1, TorchFile.LoadStateDict(path).Integer("epoch"));
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    private static void AreSame(JsonElement expected, object? actual, string where)
    {
        if (actual is Tensor t)
        {
            Assert.Equal(expected.GetProperty("shape").EnumerateArray().Select(n => n.GetInt32()), t.Shape.ToArray());
            Assert.Equal(expected.GetProperty("values").EnumerateArray().Select(n => n.GetDouble()), t.ToDoubles());
        }
        else if (actual is StateDict dictionary)
        {
            var pairs = expected.GetProperty("dict").EnumerateArray().ToArray();
            Assert.Equal(pairs.Select(p => p[0].GetString()), dictionary.Keys.Select(k => $"{k}"));
            foreach (var pair in pairs) AreSame(pair[1], dictionary.Single(d => $"{d.Key}" == pair[0].GetString()).Value, $"{where}.{pair[0]}");
        }
        else if (actual is IReadOnlyList<object?> list)
        {
            if (expected.ValueKind == JsonValueKind.Array)
            {
                Assert.Equal(expected.GetArrayLength(), list.Count);
                for (var i = 0; i < list.Count; i++) AreSame(expected[i], list[i], $"{where}[{i}]");
            }
            else Assert.Equal(expected.GetString(), $"torch.Size([{string.Join(", ", list)}])");
        }
        else
        {
            object? plain = expected.ValueKind switch
            {
                JsonValueKind.Number => actual is long ? (object)expected.GetInt64() : expected.GetDouble(),
                JsonValueKind.String => expected.GetString(),
                JsonValueKind.Null => null,
                _ => expected.GetBoolean(),
            };
            Assert.Equal(plain, actual);
        }
    }

    private string Pickled(string pickle)
    {
        var path = folder[$"{Guid.NewGuid():N}.pt"];
        using var zip = new ZipArchive(File.Create(path), ZipArchiveMode.Create);
        Add(zip, "archive/data.pkl", Encoding.Latin1.GetBytes(pickle), CompressionLevel.NoCompression);
        return path;
    }

    private static void Add(ZipArchive zip, string name, byte[] bytes, CompressionLevel level)
    {
        using var stream = zip.CreateEntry(name, level).Open();
        stream.Write(bytes);
    }

    private static void Fails(string problem, string path) => Assert.Equal(problem, Assert.Throws<FileFormatException>(() => TorchFile.Load(path)).Problem);
}
