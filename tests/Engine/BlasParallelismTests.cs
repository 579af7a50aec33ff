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
