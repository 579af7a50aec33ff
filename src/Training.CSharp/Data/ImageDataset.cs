using Verified.Engine;

namespace Verified.Training;

/// <summary>Labelled images of one size that lie in memory as bytes: CIFAR-10, MNIST, Fashion-MNIST. A record's input is float32 (channels, height, width) in 0 to 1, its target the class as an int64 scalar.</summary>
public sealed class ImageDataset : Dataset
{
    private readonly byte[] planes;
    private readonly byte[] labels;

    /// <summary>A data set over bytes, which are not copied.</summary>
    /// <param name="planes">Records x channels x height x width bytes.</param>
    /// <param name="labels">A class per record.</param>
    /// <param name="imageShape">Channels, height, width.</param>
    /// <param name="classNames">What the classes are called.</param>
    /// <exception cref="ArgumentException">The sizes do not agree, or a label has no name.</exception>
    public ImageDataset(byte[] planes, byte[] labels, int[] imageShape, IReadOnlyList<string> classNames)
    {
        ArgumentNullException.ThrowIfNull(planes);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(imageShape);
        ArgumentNullException.ThrowIfNull(classNames);
        if (imageShape.Length != 3 || planes.LongLength != labels.LongLength * imageShape.Aggregate(1L, (n, size) => n * size))
            throw new ArgumentException($"{labels.Length} images of [{string.Join(", ", imageShape)}] do not have {planes.Length} bytes", nameof(planes));
        if (Array.FindIndex(labels, label => label >= classNames.Count) is var bad and >= 0)
            throw new ArgumentException($"record {bad} has label {labels[bad]}; there are {classNames.Count} classes", nameof(labels));
        this.planes = planes;
        this.labels = labels;
        ImageShape = [.. imageShape];
        ClassNames = classNames;
    }

    /// <inheritdoc/>
    public override int Count => labels.Length;

    /// <summary>Channels, height, width.</summary>
    public IReadOnlyList<int> ImageShape { get; }

    /// <summary>What the classes are called, by label.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    private int ImageSize => ImageShape[0] * ImageShape[1] * ImageShape[2];

    /// <inheritdoc/>
    public override Sample Get(int index, Generator random)
    {
        var values = new float[ImageSize];
        ToFloats(index, values);
        return new Sample(Tensor.Create(values, [.. ImageShape]), Tensor.Create([(long)labels[index]], []));
    }

    /// <inheritdoc/>
    public override Batch GetBatch(ReadOnlySpan<int> indices, Generator random, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        var values = new float[indices.Length * ImageSize];
        var classes = new long[indices.Length];
        for (var i = 0; i < indices.Length; i++)
        {
            ToFloats(indices[i], values.AsSpan(i * ImageSize, ImageSize));
            classes[i] = labels[indices[i]];
        }

        return new Batch(Tensor.Create(values, [indices.Length, .. ImageShape]), Tensor.Create(classes));
    }

    private void ToFloats(int index, Span<float> into)
    {
        var bytes = planes.AsSpan(index * ImageSize, ImageSize);
        for (var i = 0; i < into.Length; i++) into[i] = bytes[i] / 255f;
    }
}
