using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// Records that are read by index, as PyTorch's map-style <c>Dataset</c>. To write one, say how many there are and how to get one.
/// </summary>
public abstract class Dataset
{
    /// <summary>The number of records.</summary>
    public abstract int Count { get; }

    /// <summary>A record as it is without augmentation's luck: with a generator seeded by the index.</summary>
    public Sample this[int index] => Get(index, new Generator(index));

    /// <summary>One record. A loader with several workers calls this from several threads at once.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    /// <param name="random">What augmentation draws from. A loader gives each batch its own, so results do not depend on which worker was first.</param>
    public abstract Sample Get(int index, Generator random);

    /// <summary>The records of a batch, stacked in the order asked for. Overridden where there is a faster way than one by one.</summary>
    /// <exception cref="DatasetException">A record could not be read; its index and the cause are in it.</exception>
    /// <exception cref="OperationCanceledException">Cancellation was asked for.</exception>
    public virtual Batch GetBatch(ReadOnlySpan<int> indices, Generator random, CancellationToken cancellation = default)
    {
        var inputs = new Tensor[indices.Length];
        var targets = new Tensor[indices.Length];
        for (var i = 0; i < indices.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                (inputs[i], targets[i]) = Get(indices[i], random);
                if (i == 0) continue;
                MustFit(inputs[0], inputs[i], "input", indices[0]);
                MustFit(targets[0], targets[i], "target", indices[0]);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new DatasetException(indices[i], e);
            }
        }

        return new Batch(Tensor.Stack(inputs), Tensor.Stack(targets));
    }

    /// <summary>The same records with each passed through <paramref name="transform"/> when it is read.</summary>
    /// <param name="transform">From a record and a generator to a record; see <see cref="Transforms"/>.</param>
    public Dataset Map(Func<Sample, Generator, Sample> transform)
    {
        ArgumentNullException.ThrowIfNull(transform);
        return new MappedDataset(this, transform);
    }

    /// <summary>The same records with each input passed through transforms, in order, when it is read.</summary>
    public Dataset MapInput(params Transform[] transforms)
    {
        ArgumentNullException.ThrowIfNull(transforms);
        var all = Transforms.Compose(transforms);
        return Map((sample, random) => sample with { Input = all(sample.Input, random) });
    }

    /// <summary>Some of the records, in the order given.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is none of this data set's.</exception>
    public Dataset Subset(IReadOnlyList<int> indices)
    {
        ArgumentNullException.ThrowIfNull(indices);
        return new SubsetDataset(this, indices);
    }

    /// <summary>The first <paramref name="count"/> records, or all where there are fewer.</summary>
    public Dataset Take(int count) => Subset([.. Enumerable.Range(0, Math.Min(count, Count))]);

    /// <summary>
    /// Parts without overlap, by a random permutation: PyTorch's <c>random_split</c> with lengths, which gives the same parts for the same generator.
    /// </summary>
    /// <param name="lengths">How many records each part has; together all.</param>
    /// <param name="generator">What the permutation is drawn from; the default generator where left out.</param>
    /// <exception cref="ArgumentException">The lengths do not add up to <see cref="Count"/>.</exception>
    public Dataset[] RandomSplit(int[] lengths, Generator? generator = null)
    {
        ArgumentNullException.ThrowIfNull(lengths);
        if (lengths.Any(n => n < 0) || lengths.Sum() != Count)
            throw new ArgumentException($"the lengths {string.Join(" + ", lengths)} do not add up to the {Count} records of the data set", nameof(lengths));
        var order = Minibatches.Permutation(Count, generator);
        var parts = new Dataset[lengths.Length];
        for (int i = 0, at = 0; i < lengths.Length; at += lengths[i++]) parts[i] = Subset(order[at..(at + lengths[i])]);
        return parts;
    }

    private static void MustFit(Tensor first, Tensor other, string what, int firstIndex)
    {
        if (!other.Shape.SequenceEqual(first.Shape) || other.DType != first.DType)
        {
            throw new InvalidOperationException(
                $"its {what} is {other.DType.Name()} {ShapeText.Of(other)}, that of record {firstIndex} in the same batch {first.DType.Name()} {ShapeText.Of(first)}");
        }
    }

    private sealed class MappedDataset(Dataset source, Func<Sample, Generator, Sample> transform) : Dataset
    {
        public override int Count => source.Count;

        public override Sample Get(int index, Generator random) => transform(source.Get(index, random), random);
    }

    private sealed class SubsetDataset : Dataset
    {
        private readonly Dataset source;
        private readonly int[] indices;

        public SubsetDataset(Dataset source, IReadOnlyList<int> indices)
        {
            this.source = source;
            this.indices = [.. indices];
            foreach (var i in this.indices)
            {
                if (i < 0 || i >= source.Count)
                    throw new ArgumentOutOfRangeException(nameof(indices), $"index {i} of a subset lies outside the data set of {source.Count} records");
            }
        }

        public override int Count => indices.Length;

        public override Sample Get(int index, Generator random) => source.Get(indices[index], random);
    }
}

/// <summary>A record could not be read. The cause is the inner exception.</summary>
public sealed class DatasetException(int index, Exception cause) : Exception($"record {index}: {cause.Message}", cause)
{
    /// <summary>The record's index in the data set that was asked.</summary>
    public int Index { get; } = index;
}
