using Verified.Engine;

namespace Verified.Benchmarks.Training;

/// <summary>Values to start with; always the same.</summary>
internal sealed class Initial(int seed)
{
    private readonly Random random = new(seed);

    /// <summary>Uniform in -bound to bound.</summary>
    public Tensor Uniform(int[] shape, double bound, bool requiresGrad = false)
    {
        var data = new float[shape.Aggregate(1, (a, b) => a * b)];
        for (var i = 0; i < data.Length; i++) data[i] = (float)(((random.NextDouble() * 2) - 1) * bound);
        return Tensor.Create(data, shape, requiresGrad);
    }
}
