using System.Diagnostics;

namespace Verified.Benchmarks.Measuring;

/// <summary>What a sample counts: the time that passed, and the processor time of all threads of the process.</summary>
/// <param name="Wall">Seconds that passed.</param>
/// <param name="Processor">Seconds of processor time, collector and finalizers included.</param>
internal readonly record struct Elapsed(double Wall, double Processor)
{
    /// <summary>Seconds as one counts them for a number of threads: a neighbour's load stretches the clock on the wall, but not the processor time of one thread.</summary>
    public double For(int threads) => threads == 1 ? Processor : Wall;

    /// <summary>Both times of so many calls.</summary>
    public static Elapsed Of(Action action, int calls)
    {
        var processor = Environment.CpuUsage.TotalTime;
        var wall = Stopwatch.GetTimestamp();
        for (var i = 0; i < calls; i++) action();
        var passed = Stopwatch.GetElapsedTime(wall);
        return new(passed.TotalSeconds, (Environment.CpuUsage.TotalTime - processor).TotalSeconds);
    }
}
