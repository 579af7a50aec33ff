using System.Diagnostics;
using Verified.Engine;

namespace Verified.Benchmarks.Measuring;

/// <summary>One of those that do the same work.</summary>
/// <param name="Name">How tables call it.</param>
/// <param name="Sample">Does the work so many times and says how long that took, in this process or another.</param>
internal sealed record Contender(string Name, Func<int, Elapsed> Sample)
{
    /// <summary>Work done by this process.</summary>
    public static Contender Here(string name, Action action) => new(name, calls => Elapsed.Of(action, calls));
}

/// <summary>
/// Contenders measured in turn, round after round, so that what else goes on on the machine hits all of them alike. The order turns by one each round.
/// </summary>
internal static class Contest
{
    /// <summary>Seconds a call of each contender, a number for each round.</summary>
    /// <param name="contenders">Who takes part.</param>
    /// <param name="threads">Threads that each uses: with one, processor time counts, otherwise the clock.</param>
    /// <param name="rounds">How many samples of each.</param>
    /// <param name="seconds">How long a sample lasts at least.</param>
    /// <param name="warm">How long each runs before: .NET compiles what runs often a second time, in the background.</param>
    public static IReadOnlyDictionary<string, double[]> Run(IReadOnlyList<Contender> contenders, int threads, int rounds, double seconds, double warm = 0)
    {
        NativePool.Settle();
        foreach (var contender in contenders)
        {
            var since = Stopwatch.GetTimestamp();
            for (var spent = 0.0; spent < warm && Stopwatch.GetElapsedTime(since).TotalSeconds < 8 * warm;) spent += contender.Sample(5).Processor;
        }
        var calls = contenders.Select(c => Calls(c, seconds)).ToArray();
        var times = contenders.Select(_ => new double[rounds]).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < contenders.Count; i++)
            {
                var turn = (round + i) % contenders.Count;
                // Whoever ran before may still spin in a pool of its own.
                if (threads > 1) Thread.Sleep(5);
                times[turn][round] = contenders[turn].Sample(calls[turn]).For(threads) / calls[turn];
            }
        }
        return contenders.Select((c, i) => (c.Name, Times: times[i])).ToDictionary(c => c.Name, c => c.Times);
    }

    /// <summary>Warms up and finds how many calls a sample needs.</summary>
    private static int Calls(Contender contender, double seconds)
    {
        var calls = 1;
        for (var spent = 0.0; ;)
        {
            var one = Math.Max(contender.Sample(calls).Processor, 1e-9);
            spent += one;
            if (one >= seconds / 2 || spent > 4 * seconds) return (int)Math.Clamp(Math.Ceiling(calls * seconds / one), 1, 1_000_000);
            calls = (int)Math.Clamp(calls * Math.Clamp(seconds / one, 2, 20), 1, 1_000_000);
        }
    }
}

/// <summary>What is said of a row of samples.</summary>
internal static class Samples
{
    /// <summary>The middle one.</summary>
    public static double Median(this double[] samples) => Quantile(samples, 0.5);

    /// <summary>The value below which a part of the samples lies.</summary>
    public static double Quantile(this double[] samples, double part)
    {
        var sorted = samples.Order().ToArray();
        var place = part * (sorted.Length - 1);
        var below = (int)place;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((place - below) * (sorted[above] - sorted[below]));
    }

    /// <summary>The median of the ratios within each round: what disturbed a whole round cancels.</summary>
    public static double RatioTo(this double[] samples, double[] other) => samples.Zip(other, (a, b) => a / b).ToArray().Median();

    /// <summary>How far the middle half of the samples reaches, as a part of the median.</summary>
    public static double Spread(this double[] samples) => (samples.Quantile(0.75) - samples.Quantile(0.25)) / samples.Median();
}
