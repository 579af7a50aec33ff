using System.Globalization;
using Verified.Benchmarks.Measuring;
using Verified.Engine;

namespace Verified.Benchmarks.Training;

/// <summary>Memory over 10,000 training steps that dispose nothing.</summary>
internal static class MemoryTable
{
    public static void Write(Report report)
    {
        report.Section("Memory over 10,000 steps", "The MLP's step; nothing is disposed, nothing collected by hand. MB: native blocks (in use and kept), the collector's heap, the whole process.");
        report.Head("steps", "native", "heap", "process", "collections of generation 0, 1, 2");
        NativePool.Settle();
        var step = Steps.Mlp();
        var done = 0;
        foreach (var until in new[] { 100, 1000, 2000, 4000, 6000, 8000, 10_000 })
        {
            for (; done < until; done++) step();
            report.Row(
                until.ToString(CultureInfo.InvariantCulture),
                Megabytes(NativePool.LiveBytes + NativePool.CachedBytes),
                Megabytes(GC.GetTotalMemory(false)),
                Megabytes(Environment.WorkingSet),
                $"{GC.CollectionCount(0)}, {GC.CollectionCount(1)}, {GC.CollectionCount(2)}");
        }
    }

    private static string Megabytes(long bytes) => Report.Number(bytes / 1048576.0);
}
