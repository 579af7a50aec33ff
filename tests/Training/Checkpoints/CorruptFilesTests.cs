using System.IO.Compression;
using System.Text;
using Verified.Engine;

namespace Verified.Training.Tests;

/// <summary>
/// Checkpoints and data files with bits turned over, cut off, made longer, and with huge numbers in their headers, made from good ones by a seed. Each is either
/// read (with the same content where the format has checksums; a pixel without one may differ) or refused with the file's name; nothing else is raised, and no more
/// memory is taken than a small multiple of the file.
/// </summary>
public sealed class CorruptFilesTests : IDisposable
{
    private const int Each = 60;
    private const long MostBytes = 40_000_000;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> Kinds => ["pt", "pt of PyTorch", "safetensors", "idx", "idx.gz", "cifar", "png", "pnm"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Each_is_a_clear_error_or_does_not_matter(string kind)
    {
        var (name, good, read, checksummed) = Good(kind);
        var random = new Random(20_26);
        var refused = 0;
        var whole = read(folder.Write(name, good));
        for (var i = 0; i < Each; i++)
        {
            var (bad, what) = Broken(good, i, random);
            var path = folder.Write(name, bad);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                var content = read(path);
                Assert.True(!checksummed || content == whole, $"{what} of {kind} was read with other content");
                Assert.False(what.StartsWith("cut", StringComparison.Ordinal), $"{what} of {kind} was read as if whole");
            }
            catch (FileFormatException e)
            {
                refused++;
                Assert.Contains(name, e.Message);
                Assert.InRange(e.Problem.Length, 10, 400);
                Assert.DoesNotContain('\n', e.Problem);
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"{what} of {kind}: {e}");
            }

            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < MostBytes, $"{what} of {kind} took {GC.GetAllocatedBytesForCurrentThread() - before:N0} bytes");
        }

        // Where there are checksums most changes are found; elsewhere at least the wrong lengths and sizes.
        Assert.InRange(refused, checksummed ? Each / 2 : Each / 4, Each);
    }

    private (string Name, byte[] Bytes, Func<string, string> Read, bool Checksummed) Good(string kind)
    {
        switch (kind)
        {
            case "pt":
                TorchFile.Save(folder["a.pt"], new StateDict { ["w"] = Tensor.Arange(40), ["n"] = new StateDict { ["lr"] = 0.1, ["list"] = new List<object?> { 1, "x" } } });
                return ("a.pt", File.ReadAllBytes(folder["a.pt"]), p => Shown(CheckpointContents.Read(p)), true);
            case "pt of PyTorch":
                return ("b.pt", File.ReadAllBytes(TorchFileTests.Golden("views.pt")), p => Shown(CheckpointContents.Read(p)), true);
            case "safetensors":
                SafeTensors.Save(folder["a.safetensors"], new StateDict { ["w"] = Tensor.Arange(4), ["v"] = Tensor.Ones([2, 2]), ["a_much_longer_name"] = Tensor.Create([true]) });
                return ("a.safetensors", File.ReadAllBytes(folder["a.safetensors"]), p => Shown(CheckpointContents.Read(p)), false);
            case "idx": return ("train-images-idx3-ubyte", DataFiles.Idx([3, 4, 4], DataFiles.Bytes(48, 1)), p => Convert.ToHexString(IdxFile.Read(p, 3).Data), false);
            case "idx.gz": return ("train-images-idx3-ubyte.gz", DataFiles.Gzip(DataFiles.Idx([3, 40, 4], DataFiles.Bytes(480, 1))), p => Convert.ToHexString(IdxFile.Read(p, 3).Data), false);
            case "cifar": return ("test_batch.bin", DataFiles.Cifar(2, 1), p => $"{Cifar10.Load(Path.GetDirectoryName(p)!, train: false, recordsPerFile: 2).Count}", false);
            case "png":
                ImageFile.Write(folder["a.png"], new Image(9, 7, 3, DataFiles.Bytes(189, 2)));
                return ("a.png", File.ReadAllBytes(folder["a.png"]), p => Convert.ToHexString(ImageFile.Read(p).Pixels), true);
            default: return ("a.ppm", [.. Encoding.ASCII.GetBytes("P6\n3 2\n255\n"), .. DataFiles.Bytes(18, 1)], p => Convert.ToHexString(ImageFile.Read(p).Pixels), false);
        }
    }

    private static string Shown(CheckpointContents contents) => string.Join('\n', contents.Entries.Select(e =>
        $"{string.Join('.', e.Path)} {e.DType} {(e.Value is Tensor t ? $"{ShapeText.Of(t)} {string.Join(' ', t.ToDoubles())}" : e.Value)}"));

    private static (byte[] Bytes, string What) Broken(byte[] good, int number, Random random)
    {
        var bad = good.ToArray();
        var at = random.Next(good.Length);
        switch (number % 5)
        {
            case 0:
                bad[at] ^= (byte)(1 << random.Next(8));
                return (bad, $"a bit at byte {at}");
            case 1: return (bad[..at], $"cut off at byte {at}");
            case 2:
                // A huge number where there may be a size, in the front or in the back, where headers and directories are.
                at = random.Next(Math.Min(64, good.Length - 4));
                if (number % 2 == 0) at = good.Length - 4 - at;
                Enumerable.Repeat((byte)(number % 3 == 0 ? 0xff : 0x7f), 4).ToArray().CopyTo(bad, at);
                return (bad, $"a huge number at byte {at}");
            case 3: return ([.. bad, .. DataFiles.Bytes(1 + random.Next(50), number)], "bytes at the end");
            default:
                var length = Math.Min(random.Next(1, 30), good.Length - at);
                DataFiles.Bytes(length, number).CopyTo(bad, at);
                return (bad, $"{length} other bytes from byte {at}");
        }
    }
}
