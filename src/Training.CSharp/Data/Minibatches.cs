using Verified.Engine;

namespace Verified.Training;

/// <summary>Minibatches by hand, for those who want no loader.</summary>
public static class Minibatches
{
    /// <summary>
    /// <c>data_iter</c> of the tutorials: goes once through all records in random order, <paramref name="batchSize"/> at a time, the last batch holding what is left.
    /// </summary>
    /// <param name="batchSize">Records in a batch, at least 1.</param>
    /// <param name="features">(records, ...).</param>
    /// <param name="labels">(records, ...), as many.</param>
    /// <param name="generator">What the order is drawn from; the default generator where left out.</param>
    /// <exception cref="ArgumentException">The two differ in their number of records.</exception>
    public static IEnumerable<Batch> DataIter(int batchSize, Tensor features, Tensor labels, Generator? generator = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(labels);
        var data = new TensorDataset(features, labels);
        return Batches();

        IEnumerable<Batch> Batches()
        {
            var random = generator ?? Generator.Default;
            var indices = Permutation(data.Count, random);
            for (var at = 0; at < indices.Length; at += batchSize)
                yield return data.GetBatch(indices.AsSpan(at, Math.Min(batchSize, indices.Length - at)), random);
        }
    }

    /// <summary>0 to n - 1 in the order of <c>torch.randperm(n)</c>.</summary>
    internal static int[] Permutation(int n, Generator? generator) => Array.ConvertAll(Rng.Randperm(n, generator).ToLongs(), i => (int)i);
}
