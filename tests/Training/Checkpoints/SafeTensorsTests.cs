using System.Text;
using Verified.Engine;
using Xunit;

namespace Verified.Training.Tests;

/// <summary>safetensors: written, read, and refused.</summary>
public sealed class SafeTensorsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Tensors_come_back_as_they_were_written()
    {
        var path = folder["a.safetensors"];
        var view = Tensor.Arange(6).Reshape([2, 3]).Transpose(0, 1);
        SafeTensors.Save(
            path,
            new StateDict
            {
                ["truth"] = Tensor.Create([true, false, true]),
                ["weight"] = Tensor.Create([1.5f, -0f, float.NaN, float.NegativeInfinity], [2, 2]),
                ["wide"] = Tensor.Create([Math.PI]),
                ["view"] = view,
                ["scalar"] = Tensor.Scalar(3),
                ["empty"] = Tensor.Zeros([0, 4]),
            },
            new Dictionary<string, string> { ["epoch"] = "3", ["ünï"] = "cödé \"quoted\"" });
        var back = SafeTensors.Load(path);
        Assert.Equal(["scalar", "truth", "view", "weight", "wide", "empty"], back.Keys.Cast<string>().OrderBy(k => k == "empty").ThenBy(k => k, StringComparer.Ordinal));
        Assert.Equal([0x3fc00000u, 0x80000000u], back.Tensor("weight").ToFloats().Take(2).Select(BitConverter.SingleToUInt32Bits));
        Assert.True(float.IsNaN(back.Tensor("weight").ToFloats()[2]));
        Assert.Equal([Math.PI], back.Tensor("wide").ToDoubles());
        Assert.Equal([0L, 3, 1, 4, 2, 5], back.Tensor("view").ToLongs());
        Assert.Equal([3, 2], back.Tensor("view").Shape.ToArray());
        Assert.Equal([true, false, true], back.Tensor("truth").ToBools());
        Assert.Equal(0, back.Tensor("scalar").Rank);
        Assert.Equal([0, 4], back.Tensor("empty").Shape.ToArray());
        using var file = SafeTensorsFile.Open(path);
        Assert.Equal("cödé \"quoted\"", file.Metadata["ünï"]);
        Assert.All(file.Entries, e => Assert.Equal(0, e.Start % (e.DType is "F64" or "I64" ? 8 : e.DType == "F32" ? 4 : 1)));
    }

    [Fact]
    public void Types_that_the_engine_has_not_are_converted_without_loss()
    {
        var path = Write(
            """{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]},"u":{"dtype":"U8","shape":[1],"data_offsets":[6,7]},"i":{"dtype":"I32","shape":[1],"data_offsets":[7,11]}}""",
            0x00, 0x3c, 0x01, 0x00, 0xc0, 0x3f, 200, 0xfe, 0xff, 0xff, 0xff);
        var back = SafeTensors.Load(path);
        Assert.Equal([1f, 5.9604645e-8f], back.Tensor("h").ToFloats());
        Assert.Equal([1.5f], back.Tensor("b").ToFloats());
        Assert.Equal(200, back.Tensor("u").ToLongs()[0]);
        Assert.Equal(-2, back.Tensor("i").ToLongs()[0]);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "tensor 'b' overlaps another one")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12, "there is a hole of 4 bytes before tensor 'b'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, "the data is cut off: 7 of its 8 bytes are there")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9, "1 bytes follow the last tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "tensor 'a' of 3 elements of 4 bytes is given 8 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "tensor 'a' has data offsets that are no start and end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "tensor 'a' has -2 in shape, which is no size")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "tensor 'a' of shape [4294967296, 4294967296] is larger than the 2 GiB that are read")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}""", 8, "the header is not the JSON that it should be (Duplicate")]
    [InlineData("""{"a":{"dtype":"F7","shape":[2],"data_offsets":[0,8]}}""", 8, "tensor 'a' is of type F7, which has no counterpart here")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}""", 8, "tensor 'a' has an unknown field 'x'")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "__metadata__ holds 'a', which is no text")]
    [InlineData("""[]""", 0, "the header does not start with '{'")]
    [InlineData("""{"a":3}""", 0, "tensor 'a' is described by no object")]
    public void What_is_not_as_the_format_says_is_refused(string header, int dataBytes, string problem)
    {
        var path = Write(header, new byte[dataBytes]);
        var error = Assert.Throws<FileFormatException>(() => SafeTensors.Load(path));
        Assert.Equal(path, error.Path);
        Assert.StartsWith(problem, error.Problem);
    }

    [Fact]
    public void A_header_that_promises_much_costs_nothing()
    {
        var path = folder.Write("a.safetensors", [0xff, 0xff, 0xff, 0x05, 0, 0, 0, 0, (byte)'{']);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal("the header is to have 100663295 bytes; at most 100000000 are read", Assert.Throws<FileFormatException>(() => SafeTensors.Load(path)).Problem);
        path = folder.Write("a.safetensors", [0, 0, 0, 5, 0, 0, 0, 0, (byte)'{']);
        Assert.Equal("the header is cut off: 1 of its 83886080 bytes are there", Assert.Throws<FileFormatException>(() => SafeTensors.Load(path)).Problem);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [Fact]
    public void What_is_no_tensor_is_not_written_and_the_old_file_stays()
    {
        var path = folder["a.safetensors"];
        SafeTensors.Save(path, new StateDict { ["a"] = Tensor.Scalar(1) });
        Assert.Contains("'epoch' is a whole number", Assert.Throws<ArgumentException>(() => SafeTensors.Save(path, new StateDict { ["epoch"] = 3 })).Message);
        Assert.Equal(1, SafeTensors.Load(path).Tensor("a").Item());
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    private string Write(string header, params byte[] data)
    {
        var text = Encoding.UTF8.GetBytes(header);
        return folder.Write("a.safetensors", [.. BitConverter.GetBytes((long)text.Length), .. text, .. data]);
    }
}
