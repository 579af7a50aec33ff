using System.Globalization;
using System.Runtime.ExceptionServices;

namespace Verified.Engine.Blas;

/// <summary>A loop body for <see cref="Parallelism.For{TBody}"/>; a struct, so that starting a loop allocates one small object.</summary>
public interface IParallelBody
{
    /// <summary>Does item <paramref name="index"/>; items run in any order, on any thread, each once.</summary>
    void Invoke(int index);
}

/// <summary>
/// The engine's only thread pool. Work is handed out in items whose borders the caller derives from shapes and dtypes alone,
/// so results have the same bits for every number of threads.
/// </summary>
public static class Parallelism
{
    private const int SpinRounds = 60;
    private static readonly object Gate = new();
    private static readonly object Park = new();
    private static int s_threads = DefaultThreads();
    private static int s_workers;
    private static int s_sleepers;
    private static int s_ticket;
    private static Job? s_job;

    [ThreadStatic]
    private static bool t_inside;

    /// <summary>Threads that a loop may use, the caller's included; default: the number of processors, or VERIFIED_THREADS.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public static int Threads
    {
        get => Volatile.Read(ref s_threads);
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            Volatile.Write(ref s_threads, value);
        }
    }

    /// <summary>
    /// For tests: work too little to be worth sharing is shared all the same, element by element where a kernel allows it, so that
    /// small operands take the ways of large ones. Results keep their bits.
    /// </summary>
    internal static bool SharesEverything { get; set; }

    /// <summary>
    /// Runs items 0 to <paramref name="count"/> - 1. On the caller's thread alone where the pool is busy, where there is one thread,
    /// and inside another loop's item. Returns when all are done; the first exception of an item is thrown again here.
    /// </summary>
    public static void For<TBody>(int count, TBody body)
        where TBody : struct, IParallelBody
    {
        if (count <= 1 || Threads == 1 || t_inside || !Monitor.TryEnter(Gate))
        {
            for (var i = 0; i < count; i++)
                body.Invoke(i);
            return;
        }

        try
        {
            var job = new Job<TBody>(count, Threads - 1, body);
            StartWorkers(Math.Min(Threads, count) - 1);
            Volatile.Write(ref s_job, job);
            Interlocked.Increment(ref s_ticket);
            if (Volatile.Read(ref s_sleepers) > 0)
            {
                lock (Park)
                    Monitor.PulseAll(Park);
            }

            t_inside = true;
            job.Work();
            t_inside = false;
            Volatile.Write(ref s_job, null);
            job.WaitAndRethrow();
        }
        finally
        {
            Monitor.Exit(Gate);
        }
    }

    private static int DefaultThreads() =>
        int.TryParse(Environment.GetEnvironmentVariable("VERIFIED_THREADS"), NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n > 0
            ? n
            : Environment.ProcessorCount;

    private static void StartWorkers(int wanted)
    {
        while (s_workers < wanted)
        {
            var index = s_workers++;
            // Unsafe: a worker must not live in the modes and other flowing values of whoever happened to start it.
            new Thread(() => WorkerLoop(index)) { IsBackground = true, Name = "Verified worker " + index }.UnsafeStart();
        }
    }

    private static void WorkerLoop(int index)
    {
        t_inside = true;
        var seen = 0;
        while (true)
        {
            // Spin for some microseconds, since loops come in quick succession, then park: a spinning pool starves its neighbours.
            for (var round = 0; round < SpinRounds && Volatile.Read(ref s_ticket) == seen; round++)
                Thread.SpinWait(20);
            if (Volatile.Read(ref s_ticket) == seen)
            {
                lock (Park)
                {
                    Interlocked.Increment(ref s_sleepers);
                    while (Volatile.Read(ref s_ticket) == seen)
                        Monitor.Wait(Park);
                    Interlocked.Decrement(ref s_sleepers);
                }
            }

            seen = Volatile.Read(ref s_ticket);
            var job = Volatile.Read(ref s_job);
            if (job is not null && index < job.Helpers)
                job.Work();
        }
    }

    private abstract class Job(int count, int helpers)
    {
        private int _next = -1;
        private int _finished;
        private ExceptionDispatchInfo? _error;

        public int Helpers => helpers;

        /// <summary>Takes items until none is left. A worker that comes late finds none, and nobody waits for it.</summary>
        public void Work()
        {
            int i;
            while ((i = Interlocked.Increment(ref _next)) < count)
            {
                try
                {
                    Invoke(i);
                }
                catch (Exception e)
                {
                    Interlocked.CompareExchange(ref _error, ExceptionDispatchInfo.Capture(e), null);
                }
                finally
                {
                    Interlocked.Increment(ref _finished);
                }
            }
        }

        public void WaitAndRethrow()
        {
            var spinner = new SpinWait();
            while (Volatile.Read(ref _finished) < count)
                spinner.SpinOnce(sleep1Threshold: -1);
            _error?.Throw();
        }

        protected abstract void Invoke(int index);
    }

    private sealed class Job<TBody>(int count, int helpers, TBody body) : Job(count, helpers)
        where TBody : struct, IParallelBody
    {
        private TBody _body = body;

        protected override void Invoke(int index) => _body.Invoke(index);
    }
}
