using System.Globalization;
using System.Runtime.CompilerServices;
using Verified.Benchmarks.Measuring;
using Verified.Engine;

namespace Verified.Benchmarks.Training;

/// <summary>A graph a million nodes deep: built, gone back over, and dropped.</summary>
internal static class DepthTable
{
    private const int Nodes = 1_000_000;
    private const int Rounds = 5;

    public static void Write(Report report)
    {
        report.Section(
            "Depth of a million",
            "A chain of operations on a float64 tensor of one element that requires a gradient: forward, backward, and a collection that drops it. Seconds of processor time, the median of 5; bytes: all that was allocated, native blocks too.");
        report.Head("chain", "nodes", "seconds", "bytes a node");
        Row(report, "y + x", (y, x) => y + x);
        Row(report, "y * x", (y, x) => y * x);
        Row(report, "sin(y)", (y, _) => y.Sin());
    }

    private static void Row(Report report, string name, Func<Tensor, Tensor, Tensor> next)
    {
        Run(next, 1000);
        var seconds = new double[Rounds];
        var bytes = 0L;
        for (var i = 0; i < Rounds; i++)
        {
            seconds[i] = Elapsed.Of(
                () =>
                {
                    bytes = Run(next, Nodes);
                    GC.Collect();
                    GC.WaitForPendingFinalizers();
                },
                1).Processor;
        }
        report.Row(name, Nodes.ToString("N0", CultureInfo.InvariantCulture), Report.Number(seconds.Median()), (bytes / Nodes).ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>The bytes that the collector and the pool handed out for it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Run(Func<Tensor, Tensor, Tensor> next, int nodes)
    {
        NativePool.Settle();
        var x = Tensor.Scalar(1, DType.Float64, requiresGrad: true);
        var (heap, native) = (GC.GetAllocatedBytesForCurrentThread(), NativePool.LiveBytes);
        var y = x;
        for (var i = 0; i < nodes; i++) y = next(y, x);
        y.Backward();
        return GC.GetAllocatedBytesForCurrentThread() - heap + NativePool.LiveBytes - native;
    }
}
