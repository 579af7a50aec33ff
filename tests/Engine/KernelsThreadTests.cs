using Verified.Engine.Blas;
using Verified.Engine.Kernels;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>Large kernels run in parts: the same bits for every number of threads.</summary>
public sealed class KernelsThreadTests
{
    private static float[] All(int threads)
    {
        var before = Parallelism.Threads;
        Parallelism.Threads = threads;
        try
        {
            const int rows = 300, n = 700;
            var random = new Random(3);
            float[] x = [.. Enumerable.Range(0, rows * n).Select(_ => (float)((random.NextDouble() * 8) - 4))];
            float[] results = new float[(6 * x.Length) + rows + n];
            Span<int> flat = [rows, n], steps = [n, 1], across = [1, rows];
            Pointwise.Unary(default(Op.Tanh<float>), flat, ref x[0], steps, ref results[0], steps);
            Pointwise.Unary(default(Op.Gelu<float>), flat, ref x[0], across, ref results[x.Length], steps);
            Pointwise.Binary(default(Op.Mul<float>), flat, ref x[0], steps, ref x[5], [1, 0], ref results[2 * x.Length], steps);
            Softmax.Forward(ref x[0], ref results[3 * x.Length], rows, n, 1);
            Softmax.LogForward(ref x[0], ref results[4 * x.Length], 1, rows, n);
            Conversion.Copy(flat, ref x[0], across, ref results[5 * x.Length], steps);
            Reduction.Run(default(Reduce.Sum<float>), flat, ref x[0], steps, [false, true], ref results[6 * x.Length]);
            Reduction.Run(default(Reduce.Sum<float>), flat, ref x[0], steps, [true, false], ref results[(6 * x.Length) + rows]);
            return results;
        }
        finally
        {
            Parallelism.Threads = before;
        }
    }

    [Fact]
    public void TheNumberOfThreadsChangesNoBit()
    {
        var one = All(1);
        Assert.DoesNotContain(float.NaN, one);
        Assert.Equal(one, All(2));
        Assert.Equal(one, All(5));
    }
}
