using System.IO.Compression;
using System.Text;
using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// PyTorch's own files, <c>.pt</c> and <c>.pth</c>: what <c>torch.save</c> of PyTorch 1.6 and later writes is read, and what is written here
/// <c>torch.load(weights_only=True)</c> reads.
/// </summary>
/// <remarks>
/// A zip file of <c>data.pkl</c>, a pickle in which tensors refer to <c>data/KEY</c>, their bytes. A pickle can name any function of Python's; here only a fixed
/// list of names is known, each with its meaning in C#, and anything else is refused. Nothing of a file is trusted: see <see cref="FileFormatException"/>.
/// </remarks>
public static class TorchFile
{
    /// <summary>
    /// Reads a file. Dictionaries become <see cref="StateDict"/>, lists lists, tuples <c>object?[]</c>, numbers long or double; types and devices texts. Tensors
    /// that PyTorch had sharing memory share it here where they are contiguous. Element types that the engine does not have are converted without loss. No tensor
    /// requires a gradient.
    /// </summary>
    /// <exception cref="FileFormatException">The file is no such file, corrupt, or asks for what is refused.</exception>
    public static object? Load(string path) => Read(path).Value;

    /// <summary>Reads a file that holds a dictionary: a state dictionary or a checkpoint.</summary>
    /// <exception cref="FileFormatException">As <see cref="Load"/>, or it holds something else.</exception>
    public static StateDict LoadStateDict(string path) => Load(path) as StateDict
        ?? throw new FileFormatException(path, "the file holds no dictionary");

    /// <summary>Writes values: null, truth values, numbers, texts, bytes, tensors, <see cref="StateDict"/>, lists, and tuples as arrays.</summary>
    /// <param name="path">The file; one that was there is replaced whole or not at all.</param>
    /// <param name="value">The value. Tensors that are the same memory are written once. The same values give the same bytes.</param>
    /// <exception cref="ArgumentException">A value is of another type; nothing was written.</exception>
    public static void Save(string path, object? value)
    {
        var tensors = new List<(Tensor Tensor, StoredType Type)>();
        var pickle = new Pickler((tensor, type) => Key(tensors, tensor, type)).Write(value);
        AtomicFile.Write(path, stream =>
        {
            using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
            Add(zip, "data.pkl", pickle);
            Add(zip, "byteorder", "little"u8);
            for (var i = 0; i < tensors.Count; i++) Add(zip, $"data/{i}", tensors[i].Type.Narrowed(tensors[i].Tensor));
            Add(zip, "version", "3\n"u8);
        });
    }

    /// <summary>The value of a file, and the types that its tensors have in it.</summary>
    internal static (object? Value, IReadOnlyDictionary<Tensor, StoredType> Types) Read(string path)
    {
        MustBeZip(path);
        using var records = new ZipRecords(path);
        if (!records.Names.Contains("data.pkl"))
            throw new FileFormatException(path, "the zip file has no data.pkl, so torch.save did not write it");
        if (records.Names.Contains("constants.pkl"))
            throw new FileFormatException(path, "this is a TorchScript program, not a checkpoint; save its state_dict() with torch.save");
        if (records.Names.Contains("byteorder") && !records.Read("byteorder").AsSpan().SequenceEqual("little"u8))
            throw new FileFormatException(path, "the file was written on a big-endian machine, or its byte order is corrupt");
        var reader = new TorchReader(path, records);
        return (reader.Read(), reader.Types);
    }

    private static void MustBeZip(string path)
    {
        Span<byte> start = stackalloc byte[16];
        using var file = File.OpenRead(path);
        start = start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        if (start.StartsWith("PK"u8)) return;
        // The number 0x1950a86a20f9469cfc6c with which the older format starts, as a pickle.
        if (start.Length > 4 && start[0] == Pickle.Proto && start[2] == Pickle.Long1)
            throw new FileFormatException(path, "this is PyTorch's format from before version 1.6, which is not read; load it with PyTorch and save it again");
        throw new FileFormatException(path, start.Length == 0 ? "the file is empty" : "this is no file of torch.save: it is no zip file");
    }

    private static string Key(List<(Tensor Tensor, StoredType Type)> known, Tensor tensor, StoredType type)
    {
        var index = known.FindIndex(k => k.Type == type && k.Tensor.Count == tensor.Count && k.Tensor.StorageOffset == tensor.StorageOffset
            && k.Tensor.IsContiguous && tensor.IsContiguous && k.Tensor.SharesMemoryWith(tensor));
        if (index < 0)
        {
            index = known.Count;
            known.Add((tensor, type));
        }

        return index.ToString();
    }

    private static void Add(ZipArchive zip, string name, ReadOnlySpan<byte> bytes)
    {
        var entry = zip.CreateEntry("archive/" + name, CompressionLevel.NoCompression);
        entry.LastWriteTime = new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using var stream = entry.Open();
        stream.Write(bytes);
    }
}
