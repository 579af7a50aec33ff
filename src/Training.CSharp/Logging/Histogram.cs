namespace Verified.Training;

/// <summary>Counts of values in TensorBoard's buckets, which are given by their upper limits.</summary>
/// <remarks>Source: make_histogram and _calc_default_bins of PyTorch 2.6's torch/utils/tensorboard.</remarks>
internal sealed record Histogram(double Min, double Max, int Count, double Sum, double SumOfSquares, double[] Limits, double[] Counts)
{
    private static readonly double[] Edges = MakeEdges();

    public static Histogram Of(double[] all)
    {
        var values = Array.FindAll(all, double.IsFinite);
        if (values.Length == 0) throw new ArgumentException($"none of the {all.Length} values of a histogram is finite", nameof(all));
        var counts = new double[Edges.Length - 1];
        foreach (var value in values)
        {
            // Bucket i holds edge i up to below edge i + 1; values beyond the last edge, which numpy leaves out, too.
            var place = Array.BinarySearch(Edges, value);
            var bucket = place >= 0 ? place : ~place - 1;
            if (bucket >= 0 && value <= Edges[^1]) counts[Math.Min(bucket, counts.Length - 1)]++;
        }

        var first = Math.Max(0, Array.FindIndex(counts, c => c > 0));
        var last = Math.Max(first, Array.FindLastIndex(counts, c => c > 0));
        // Only upper limits are written, so an empty bucket in front carries the lower limit of the first one.
        return new Histogram(
            values.Min(), values.Max(), values.Length, values.Sum(), values.Sum(v => v * v), Edges[first..(last + 2)], [0, .. counts[first..(last + 1)]]);
    }

    public ProtoWriter ToMessage() => new ProtoWriter()
        .Double(1, Min).Double(2, Max).Double(3, Count).Double(4, Sum).Double(5, SumOfSquares).Doubles(6, Limits).Doubles(7, Counts);

    private static double[] MakeEdges()
    {
        var positive = new List<double>();
        for (var v = 1e-12; v < 1e20; v *= 1.1) positive.Add(v);
        return [.. positive.AsEnumerable().Reverse().Select(v => -v), 0, .. positive];
    }
}
