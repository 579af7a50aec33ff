using System.Diagnostics;

namespace Verified.Training;

/// <summary>Times of several runs: the tutorials' <c>Timer</c> (a name that C# has already). Starts when it is made. All times are in seconds.</summary>
/// <remarks>Source: Dive into Deep Learning, class Timer.</remarks>
public sealed class StepTimer
{
    private readonly TimeProvider clock;
    private readonly List<double> times = [];
    private long started;

    /// <summary>A timer that runs.</summary>
    public StepTimer()
        : this(TimeProvider.System)
    {
    }

    /// <summary>A timer on a clock of one's own.</summary>
    public StepTimer(TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        this.clock = clock;
        Start();
    }

    /// <summary>The times so far.</summary>
    public IReadOnlyList<double> Times => times;

    /// <summary>Starts a run.</summary>
    public void Start() => started = clock.GetTimestamp();

    /// <summary>Ends the run and returns its time. Without a new start, the next run counts from the same moment.</summary>
    public double Stop()
    {
        times.Add(clock.GetElapsedTime(started).TotalSeconds);
        return times[^1];
    }

    /// <summary>The mean time; 0 where nothing was stopped yet.</summary>
    public double Average() => times.Count == 0 ? 0 : times.Average();

    /// <summary>All times together.</summary>
    public double Sum() => times.Sum();

    /// <summary>After each run, the time of all until then.</summary>
    public double[] CumulativeSums()
    {
        var sums = times.ToArray();
        for (var i = 1; i < sums.Length; i++) sums[i] += sums[i - 1];
        return sums;
    }
}
