using Verified.Engine.Blas;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>The pool runs every item once, from any thread, and hands exceptions on.</summary>
public sealed class BlasParallelismTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_item_runs_exactly_once(int threads)
    {
        using var pool = new PoolOf(threads);
        for (var round = 0; round < 300; round++)
        {
            var counts = new int[round];
            Parallelism.For(round, new Count(counts, null));
            Assert.All(counts, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void Loops_inside_loops_and_from_many_threads_finish()
    {
        using var pool = new PoolOf(3);
        var outer = Enumerable.Range(0, 6).Select(_ => new Thread(() =>
        {
            for (var round = 0; round < 50; round++)
            {
                var counts = new int[40];
                Parallelism.For(8, new Nested(counts));
                Assert.All(counts, count => Assert.Equal(8, count));
            }
        })).ToArray();
        Array.ForEach(outer, thread => thread.Start());
        Array.ForEach(outer, thread => Assert.True(thread.Join(TimeSpan.FromSeconds(60)), "a loop did not finish"));
    }

    [Fact]
    public void An_item_that_throws_ends_the_loop_with_its_exception_and_the_pool_lives_on()
    {
        using var pool = new PoolOf(2);
        var counts = new int[20];
        var error = Assert.Throws<InvalidOperationException>(() => Parallelism.For(20, new Count(counts, 7)));
        Assert.Equal("item 7", error.Message);
        Parallelism.For(20, new Count(new int[20], null));
    }

    [Fact]
    public void A_number_of_threads_below_one_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Parallelism.Threads = 0);

    [Fact]
    public void A_worker_does_not_live_in_the_mode_of_whoever_started_it()
    {
        // More threads than any other test asks for, so that workers are started here.
        using var pool = new PoolOf(12);
        var own = Environment.CurrentManagedThreadId;
        var modes = new System.Collections.Concurrent.ConcurrentBag<bool>();
        using (Autograd.NoGrad()) Parallelism.For(200, new Modes(own, modes));
        Assert.All(modes, records => Assert.True(records));
    }

    private readonly struct Modes(int own, System.Collections.Concurrent.ConcurrentBag<bool> modes) : IParallelBody
    {
        public void Invoke(int index)
        {
            if (Environment.CurrentManagedThreadId != own) modes.Add(Autograd.IsGradEnabled);
            Thread.Sleep(1);
        }
    }

    private readonly struct Count(int[] counts, int? failing) : IParallelBody
    {
        public void Invoke(int index)
        {
            Interlocked.Increment(ref counts[index]);
            if (index == failing)
                throw new InvalidOperationException("item " + index);
        }
    }

    private readonly struct Nested(int[] counts) : IParallelBody
    {
        public void Invoke(int index) => Parallelism.For(counts.Length, new Count(counts, null));
    }
}

/// <summary>That the pool runs in parallel at all: alone in the process, since a loop that finds the pool busy rightly runs on its own thread.</summary>
[Collection(WholeProcess.Name)]
public sealed class BlasParallelismAloneTests
{
    [Fact]
    public void Two_items_run_at_the_same_time_on_two_threads()
    {
        using var pool = new PoolOf(2);
        using var meeting = new Barrier(2);
        var (threads, met) = (new int[2], new bool[2]);
        Parallelism.For(2, new Meet(meeting, threads, met));
        Assert.Equal([true, true], met);
        Assert.NotEqual(threads[0], threads[1]);
    }

    private readonly struct Meet(Barrier meeting, int[] threads, bool[] met) : IParallelBody
    {
        public void Invoke(int index)
        {
            threads[index] = Environment.CurrentManagedThreadId;
            met[index] = meeting.SignalAndWait(TimeSpan.FromSeconds(20));
        }
    }
}
