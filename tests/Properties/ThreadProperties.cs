using FsCheck.Xunit;
using Verified.Engine;
using Verified.Engine.Tests;
using Xunit;
using Tensor = Verified.Engine.Tensor;

namespace Verified.Properties;

/// <summary>The same bits for every number of threads, forwards and backwards, at sizes where work is shared.</summary>
public sealed class ThreadProperties
{
    [Property(MaxTest = 15, Replay = "8001,1")]
    public void Products_sums_and_pointwise_functions_give_the_same_bits_on_one_thread_and_on_two(byte rows, byte inner, byte columns, int seed)
    {
        var (m, k, n) = (90 + rows, 40 + inner, 90 + columns);
        Assert.Equal(Gradients(1, m, k, n, seed), Gradients(2, m, k, n, seed));
    }

    private static IReadOnlyList<int> Gradients(int threads, int m, int k, int n, int seed)
    {
        using var _ = new PoolOf(threads);
        var a = Tensor.Create(Numbers(m * k, seed), [m, k], requiresGrad: true);
        var b = Tensor.Create(Numbers(k * n, seed + 1), [k, n], requiresGrad: true);
        var c = Tensor.Create(Numbers(n, seed + 2), [n], requiresGrad: true);
        var y = (a.Matmul(b) * 0.1 + c).Tanh();
        var loss = (y.Sum(0) * c.Exp()).Sum() + y.Mean(1).Sigmoid().Sum();
        loss.Backward();
        return [.. new[] { y, a.Grad!, b.Grad!, c.Grad!, loss }.SelectMany(t => t.ToFloats()).Select(BitConverter.SingleToInt32Bits)];
    }

    private static float[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }
}
