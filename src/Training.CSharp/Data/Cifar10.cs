namespace Verified.Training;

/// <summary>CIFAR-10 in its binary version: colour images of 32 x 32 in ten classes, 50,000 to train on and 10,000 to test with.</summary>
/// <remarks>
/// Source: https://www.cs.toronto.edu/~kriz/cifar.html, "CIFAR-10 binary version": a record is the label (1 byte) and 3072 bytes, the red, the green and the
/// blue plane, each row by row; five training files and one test file of 10,000 records.
/// </remarks>
public static class Cifar10
{
    /// <summary>The records of each of the six files.</summary>
    public const int RecordsPerFile = 10_000;

    /// <summary>Bytes of a record.</summary>
    public const int RecordBytes = 1 + ImageBytes;

    private const int ImageBytes = 3 * 32 * 32;

    /// <summary>What the labels 0 to 9 stand for.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>Reads <c>data_batch_1.bin</c> to <c>data_batch_5.bin</c>, or <c>test_batch.bin</c>.</summary>
    /// <param name="folder">Where the files are, or where the archive's folder <c>cifar-10-batches-bin</c> is.</param>
    /// <param name="train">The training part, otherwise the test part.</param>
    /// <param name="recordsPerFile">What a file must hold; other than 10,000 only for files that are made small on purpose.</param>
    /// <returns>Inputs float32 (3, 32, 32) in 0 to 1, targets 0 to 9.</returns>
    /// <exception cref="FileNotFoundException">A file is not there.</exception>
    /// <exception cref="FileFormatException">A file has another size, or a label is none; file and record are named.</exception>
    public static ImageDataset Load(string folder, bool train, int recordsPerFile = RecordsPerFile)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentOutOfRangeException.ThrowIfLessThan(recordsPerFile, 1);
        var files = Files(folder, train);
        var planes = new byte[files.Length * recordsPerFile * ImageBytes];
        var labels = new byte[files.Length * recordsPerFile];
        for (var i = 0; i < files.Length; i++)
            Read(files[i], recordsPerFile, planes.AsSpan(i * recordsPerFile * ImageBytes), labels.AsSpan(i * recordsPerFile));
        return new ImageDataset(planes, labels, [3, 32, 32], ClassNames);
    }

    /// <summary>Whether the files of a part are in a folder.</summary>
    public static bool IsIn(string folder, bool train)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return Files(folder, train).All(File.Exists);
    }

    private static string[] Files(string folder, bool train)
    {
        var inner = Path.Combine(folder, "cifar-10-batches-bin");
        var home = Directory.Exists(inner) ? inner : folder;
        return train ? [.. Enumerable.Range(1, 5).Select(i => Path.Combine(home, $"data_batch_{i}.bin"))] : [Path.Combine(home, "test_batch.bin")];
    }

    private static void Read(string path, int records, Span<byte> planes, Span<byte> labels)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"{path} is not there", path);
        using var file = File.OpenRead(path);
        var expected = (long)records * RecordBytes;
        if (file.Length != expected)
        {
            throw new FileFormatException(
                path,
                file.Length > expected ? $"{file.Length - expected} bytes follow the {records} records of {RecordBytes} bytes"
                    : file.Length % RecordBytes != 0 ? $"record {file.Length / RecordBytes} is cut off: {file.Length % RecordBytes} of its {RecordBytes} bytes are there"
                    : $"record {file.Length / RecordBytes} and all after it are missing; the file should have {records}");
        }

        for (var i = 0; i < records; i++)
        {
            var label = file.ReadByte();
            if (label is < 0 or > 9) throw new FileFormatException(path, $"record {i} has label {label}, not 0 to 9");
            labels[i] = (byte)label;
            file.ReadExactly(planes.Slice(i * ImageBytes, ImageBytes));
        }
    }
}
