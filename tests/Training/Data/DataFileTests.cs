using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using Verified.Engine;
using Xunit;
using static Verified.Training.Tests.DataFiles;

namespace Verified.Training.Tests;

/// <summary>The real formats, read from small files.</summary>
public sealed class DataFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData(".gz")]
    public void Fashion_MNIST_is_read(string ending)
    {
        var pixels = Bytes(5 * 28 * 28, 1);
        Write("train-images-idx3-ubyte" + ending, Idx([5, 28, 28], pixels));
        Write("train-labels-idx1-ubyte" + ending, Idx([5], [9, 0, 3, 3, 1]));
        Assert.True(FashionMnist.IsIn(folder.Path, train: true));
        Assert.False(FashionMnist.IsIn(folder.Path, train: false));
        var data = FashionMnist.Load(folder.Path, train: true);
        Assert.Equal(5, data.Count);
        Assert.Equal(["ankle boot", "t-shirt", "dress", "dress", "trouser"], FashionMnist.Labels(Enumerable.Range(0, 5).Select(i => (long)data[i].Target.Item())));
        Assert.Equal([1, 28, 28], data[0].Input.Shape.ToArray());
        Assert.Equal(pixels.AsSpan(784, 784).ToArray().Select(b => b / 255f), data[1].Input.ToFloats());
        var batch = new DataLoader(data, 5).Single();
        Assert.Equal([5, 1, 28, 28], batch.Input.Shape.ToArray());
        Assert.Equal(pixels.Select(b => b / 255f), batch.Input.ToFloats());

        void Write(string name, byte[] bytes) => folder.Write(name, ending == ".gz" ? Gzip(bytes) : bytes);
    }

    [Fact]
    public void CIFAR_10_is_read_plane_by_plane_over_its_five_files()
    {
        for (var i = 1; i <= 5; i++) folder.Write($"cifar-10-batches-bin/data_batch_{i}.bin", Cifar(4, i));
        folder.Write("cifar-10-batches-bin/test_batch.bin", Cifar(4, 6));
        var data = Cifar10.Load(folder.Path, train: true, recordsPerFile: 4);
        Assert.Equal(20, data.Count);
        var third = Cifar(4, 3);
        var (image, target) = data[9];
        Assert.Equal(third[Cifar10.RecordBytes], target.Item());
        Assert.Equal([3, 32, 32], image.Shape.ToArray());
        // Green, row 1, column 0.
        Assert.Equal(third[Cifar10.RecordBytes + 1 + 1024 + 32] / 255f, (float)image.GetItem(1, 1, 0).Item());
        Assert.Equal(4, Cifar10.Load(folder.Path, train: false, recordsPerFile: 4).Count);
    }

    [Fact]
    public void Wrong_files_are_named_with_the_record()
    {
        var images = folder.Write("train-images-idx3-ubyte", Idx([5, 2, 2], Bytes(18, 0)));
        var labels = folder.Write("train-labels-idx1-ubyte", Idx([5], [1, 2, 3, 4, 5]));
        Fails($"{images}: record 4 is cut off: the header promises 5 records of 4 bytes, 18 bytes are there", Load);
        folder.Write("train-images-idx3-ubyte", Gzip(Idx([5, 2, 2], Bytes(18, 0))));
        Fails($"{images}: record 4 is cut off: the header promises 5 records of 4 bytes, 18 bytes are there", Load);
        folder.Write("train-images-idx3-ubyte", Idx([5, 2, 2], Bytes(21, 0)));
        Fails($"{images}: 1 bytes follow the 5 records of 4 bytes that the header promises", Load);
        folder.Write("train-images-idx3-ubyte", Idx([4, 2, 2], Bytes(16, 0)));
        Fails($"{labels}: there are 5 labels for the 4 images of {images}", Load);
        folder.Write("train-images-idx3-ubyte", Idx([5, 2, 2], Bytes(20, 0)));
        folder.Write("train-labels-idx1-ubyte", Idx([5], [1, 2, 10, 4, 5]));
        Fails($"{labels}: record 2 has label 10, not 0 to 9", Load);
        folder.Write("train-images-idx3-ubyte", Idx([int.MaxValue, int.MaxValue, int.MaxValue], []));
        folder.Write("train-labels-idx1-ubyte", Idx([5], [1, 2, 3, 4, 5]));
        Fails($"{images}: the header promises more than 1073741824 bytes, from dimension 0 of size 2147483647 on", Load);
        folder.Write("train-images-idx3-ubyte", 0, 0, 8);
        Fails($"{images}: the header is cut off", Load);

        var cifar = folder.Write("test_batch.bin", Cifar(4, 0)[..^1]);
        Fails($"{cifar}: record 3 is cut off: 3072 of its 3073 bytes are there", LoadCifar);
        folder.Write("test_batch.bin", Cifar(3, 0));
        Fails($"{cifar}: record 3 and all after it are missing; the file should have 4", LoadCifar);
        folder.Write("test_batch.bin", [.. Cifar(4, 0), 1]);
        Fails($"{cifar}: 1 bytes follow the 4 records of 3073 bytes", LoadCifar);
        var bad = Cifar(4, 0);
        bad[2 * Cifar10.RecordBytes] = 11;
        folder.Write("test_batch.bin", bad);
        Fails($"{cifar}: record 2 has label 11, not 0 to 9", LoadCifar);

        void Load() => FashionMnist.Load(folder.Path, train: true);
        void LoadCifar() => Cifar10.Load(folder.Path, train: false, recordsPerFile: 4);
    }

    [Fact]
    public void Missing_files_are_named()
    {
        Assert.Contains("train-labels-idx1-ubyte is not there, nor with .gz at its end", Assert.Throws<FileNotFoundException>(() =>
        {
            folder.Write("train-images-idx3-ubyte", Idx([0, 1, 1], []));
            Mnist.Load(folder.Path, train: true);
        }).Message);
        Assert.Contains("data_batch_1.bin is not there", Assert.Throws<FileNotFoundException>(() => Cifar10.Load(folder.Path, train: true)).Message);
    }

    [Theory]
    [InlineData(1, ".png")]
    [InlineData(3, ".png")]
    [InlineData(4, ".png")]
    [InlineData(1, ".pgm")]
    [InlineData(3, ".ppm")]
    public void Images_come_back_as_they_were_written(int channels, string ending)
    {
        var image = new Image(7, 5, channels, Bytes(35 * channels, channels));
        var path = folder["image" + ending];
        ImageFile.Write(path, image);
        var back = ImageFile.Read(path);
        Assert.Equal((7, 5, channels), (back.Width, back.Height, back.Channels));
        Assert.Equal(image.Pixels, back.Pixels);
        Assert.Equal(back.Pixels, Image.FromTensor(back.ToTensor()).Pixels);
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(0, 2, 1)]
    [InlineData(0, 4, 1)]
    [InlineData(0, 8, 1)]
    [InlineData(0, 16, 2)]
    [InlineData(4, 8, 2)]
    [InlineData(2, 8, 3)]
    public void Grey_and_colour_PNGs_of_every_depth_are_read(int colourType, int depth, int bytesPerPixel)
    {
        // 4 x 1: black, then brighter.
        var values = Enumerable.Range(0, 4).Select(i => i * ((1 << Math.Min(depth, 8)) - 1) / 3).ToArray();
        var row = depth < 8
            ? Packed(values, depth)
            : [.. values.SelectMany(v => Enumerable.Range(0, bytesPerPixel).Select(c => colourType == 4 && c == 1 ? (byte)255 : (byte)v))];
        var image = ImageFile.Read(folder.Write("a.png", RawPng(4, 1, depth, colourType, [0, .. row])));
        Assert.Equal((4, 1), (image.Width, image.Height));
        var expected = values.Select(v => (byte)(v * 255 / ((1 << Math.Min(depth, 8)) - 1)));
        Assert.Equal(expected, image.ToGrey().Pixels);
    }

    [Fact]
    public void A_PNG_that_would_unpack_to_more_than_its_header_says_is_refused_before_it_does()
    {
        var bomb = folder.Write("bomb.png", RawPng(4, 1, 8, 0, new byte[50_000_000]));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Fails($"{bomb}: the pixels unpack to more than the 5 bytes that 4 x 1 take", () => ImageFile.Read(bomb));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000_000);
        var huge = folder.Write("huge.png", RawPng(2_000_000_000, 2_000_000_000, 8, 6, [0]));
        Fails($"{huge}: an image of 2000000000 x 2000000000 pixels is not read", () => ImageFile.Read(huge));
        var wide = folder.Write("wide.pgm", Encoding.ASCII.GetBytes("P5 900000 900000 255\n"));
        Fails($"{wide}: an image of 900000 x 900000 pixels is not read", () => ImageFile.Read(wide));
    }

    [Fact]
    public void A_folder_of_images_and_masks_is_read_in_the_order_of_names()
    {
        foreach (var name in new[] { "b", "a", "c" })
        {
            ImageFile.Write(folder[$"images/{name}.png"], new Image(4, 3, 3, Bytes(36, name[0])));
            ImageFile.Write(folder[$"masks/{name}_mask.pgm"], new Image(4, 3, 1, Array.ConvertAll(Bytes(12, name[0]), b => b > 99 ? (byte)255 : (byte)0)));
        }

        var data = new SegmentationFolder(folder["images"], folder["masks"], "_mask");
        Assert.Equal(["a.png", "b.png", "c.png"], Enumerable.Range(0, data.Count).Select(i => Path.GetFileName(data.ImagePath(i))));
        var (image, mask) = data[1];
        Assert.Equal([3, 3, 4], image.Shape.ToArray());
        Assert.Equal([1, 3, 4], mask.Shape.ToArray());
        Assert.Equal(Bytes(12, 'b').Select(b => b > 99 ? 1f : 0f), mask.ToFloats());
        Assert.Equal(Bytes(36, 'b')[1] / 255f, (float)image.GetItem(1, 0, 0).Item());

        File.Delete(folder["masks/b_mask.pgm"]);
        Assert.Contains("b.png has no mask", Assert.Throws<FileNotFoundException>(() => new SegmentationFolder(folder["images"], folder["masks"], "_mask")).Message);
        var small = folder["masks/b_mask.pgm"];
        ImageFile.Write(small, new Image(3, 3, 1, new byte[9]));
        var error = Assert.Throws<DatasetException>(() => new DataLoader(new SegmentationFolder(folder["images"], folder["masks"], "_mask"), 2, numWorkers: 2).ToArray());
        Assert.Equal($"record 1: {small}: the mask is 3 x 3, its image 4 x 3", error.Message);
    }

    internal static byte[] RawPng(int width, int height, int depth, int colourType, byte[] rows)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true)) zlib.Write(rows);
        return
        [
            0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10,
            .. Chunk("IHDR", [.. BigEndian(width), .. BigEndian(height), (byte)depth, (byte)colourType, 0, 0, 0]),
            .. Chunk("IDAT", packed.ToArray()),
            .. Chunk("IEND", []),
        ];

        static byte[] BigEndian(long value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

        static byte[] Chunk(string type, byte[] content)
        {
            byte[] named = [.. Encoding.ASCII.GetBytes(type), .. content];
            return [.. BigEndian(content.Length), .. named, .. BigEndian(Crc32.HashToUInt32(named))];
        }
    }

    private static byte[] Packed(int[] values, int depth)
    {
        var bits = values.Aggregate(0, (all, v) => (all << depth) | v) << ((8 - (values.Length * depth % 8)) % 8);
        return values.Length * depth <= 8 ? [(byte)bits] : [(byte)(bits >> 8), (byte)bits];
    }

    private static void Fails(string message, Action action) => Assert.Equal(message, Assert.Throws<FileFormatException>(action).Message);
}
