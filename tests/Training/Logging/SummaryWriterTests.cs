using System.Buffers.Binary;
using Verified.Engine;
using Verified.Training.Tests.TensorBoard;

namespace Verified.Training.Tests;

/// <summary>Event files, read back by Google's Protocol Buffers with the published messages; the framing and its checksums by their description.</summary>
public sealed class SummaryWriterTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_is_added_is_in_the_file()
    {
        string path;
        using (var writer = new SummaryWriter(folder["runs/a"]))
        {
            path = writer.EventFile;
            writer.AddScalar("loss/train", 0.25, 7);
            writer.AddScalar("negative step", double.NaN, -1);
            writer.AddHistogram("weights", Tensor.Create([1f, 1.05f, -2, 0, float.NaN], requiresGrad: true), 8);
            writer.AddImage("sample", Tensor.Create([0f, 0.5f, 1, 2], [1, 2, 2]), 9);
            writer.AddText("notes", "**ünï**", 10);
            // Another process sees what was added before the file ends.
            Assert.Equal(6, Read(path).Count);
        }

        Assert.StartsWith("events.out.tfevents.", Path.GetFileName(path));
        var events = Read(path);
        Assert.Equal("brain.Event:2", events[0].FileVersion);
        Assert.All(events, e => Assert.InRange(e.WallTime, DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 600, DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 1));
        Assert.Equal([7, -1, 8, 9, 10], events.Skip(1).Select(e => e.Step));
        var values = events.Skip(1).Select(e => Assert.Single(e.Summary.Value)).ToArray();
        Assert.Equal(("loss/train", 0.25f), (values[0].Tag, values[0].SimpleValue));
        Assert.True(float.IsNaN(values[1].SimpleValue));

        var histogram = values[2].Histo;
        Assert.Equal((-2.0, 1.0499999523162842, 4.0), (histogram.Min, histogram.Max, histogram.Num));
        Assert.Equal(1 + 1.0499999523162842 - 2, histogram.Sum, 12);
        Assert.Equal(4, histogram.Bucket.Sum());
        Assert.Equal(histogram.Bucket.Count, histogram.BucketLimit.Count);
        Assert.Equal(histogram.BucketLimit.Order(), histogram.BucketLimit);
        Assert.True(histogram.BucketLimit[0] <= -2 && histogram.BucketLimit[^1] > 1.05);
        Assert.Equal(0, histogram.Bucket[0]);

        Assert.Equal((2, 2, 1), (values[3].Image.Height, values[3].Image.Width, values[3].Image.Colorspace));
        var png = ImageFile.Read(folder.Write("back.png", values[3].Image.EncodedImageString.ToByteArray()));
        Assert.Equal([0, 128, 255, 255], png.Pixels);

        Assert.Equal("notes/text_summary", values[4].Tag);
        Assert.Equal("text", values[4].Metadata.PluginData.PluginName);
        Assert.Equal((7, 1L), (values[4].Tensor.Dtype, values[4].Tensor.TensorShape.Dim.Single().Size));
        Assert.Equal("**ünï**", values[4].Tensor.StringVal.Single().ToStringUtf8());
    }

    [Fact]
    public void Two_writers_in_one_folder_have_files_of_their_own_and_a_closed_one_says_so()
    {
        var first = new SummaryWriter(folder.Path);
        using var second = new SummaryWriter(folder.Path);
        Assert.NotEqual(first.EventFile, second.EventFile);
        first.Dispose();
        first.Dispose();
        Assert.Throws<ObjectDisposedException>(() => first.AddScalar("a", 1, 1));
        Assert.Throws<ArgumentException>(() => second.AddHistogram("a", Tensor.Create([float.NaN]), 1));
        Assert.Throws<ArgumentException>(() => second.AddImage("a", Tensor.Zeros([2, 3, 3]), 1));
    }

    private static List<Event> Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        var events = new List<Event>();
        for (var at = 0; at < bytes.Length;)
        {
            var length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at));
            Assert.Equal(Masked(bytes.AsSpan(at, 8)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 8)));
            Assert.Equal(Masked(bytes.AsSpan(at + 12, length)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 12 + length)));
            events.Add(Event.Parser.ParseFrom(bytes, at + 12, length));
            at += 16 + length;
        }

        return events;
    }

    /// <summary>CRC-32C bit by bit, and the mask.</summary>
    private static uint Masked(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var i = 0; i < 8; i++) crc = (crc >> 1) ^ ((crc & 1) * 0x82f63b78);
        }

        crc = ~crc;
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
    }
}
