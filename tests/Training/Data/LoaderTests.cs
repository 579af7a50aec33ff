using Verified.Engine;
using Xunit;

namespace Verified.Training.Tests;

/// <summary>Batches, workers, cancellation, errors and resuming.</summary>
[Collection(DefaultGenerator.Name)]
public class LoaderTests
{
    [Fact]
    public void Batches_stack_records_and_the_last_one_holds_what_is_left()
    {
        var data = new TensorDataset(Tensor.Arange(10).Reshape([5, 2]), Tensor.Arange(5));
        var batches = new DataLoader(data, 2).ToArray();
        Assert.Equal([2, 2, 1], batches.Select(b => b.Count));
        Assert.Equal([4L, 5, 6, 7], batches[1].Input.ToLongs());
        Assert.Equal([2L, 3], batches[1].Target.ToLongs());
        Assert.Equal(2, new DataLoader(data, 2, dropLast: true).Count);
        Assert.Equal(2, new DataLoader(data, 2, dropLast: true).ToArray().Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    public void An_error_names_the_record_and_carries_its_cause_and_comes_in_its_turn(int workers)
    {
        var loader = new DataLoader(new Failing(20, at: 13), 4, numWorkers: workers);
        var seen = 0;
        var error = Assert.Throws<DatasetException>(() =>
        {
            foreach (var _ in loader) seen++;
        });
        Assert.Equal(3, seen);
        Assert.Equal(13, error.Index);
        Assert.Equal("record 13: the disk is on fire", error.Message);
        Assert.IsType<IOException>(error.InnerException);
        // Where it was thrown, in the data set's own code, whoever's thread that was.
        Assert.Contains(nameof(Failing), error.InnerException.StackTrace, StringComparison.Ordinal);
    }

    [Fact]
    public void Records_that_do_not_fit_together_are_named()
    {
        var error = Assert.Throws<DatasetException>(() => new DataLoader(new Growing(), 3).ToArray());
        Assert.Equal("record 1: its input is float32 [2], that of record 0 in the same batch float32 [1]", error.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Cancellation_ends_the_epoch_and_leaves_no_worker_behind(int workers)
    {
        using var stop = new CancellationTokenSource();
        var data = new Watched(1000);
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            foreach (var _ in new DataLoader(data, 2, numWorkers: workers).Batches(stop.Token))
                if (++data.Given == 5) stop.Cancel();
        });
        Assert.Equal(5, data.Given);
        Assert.Equal(0, data.Running);
    }

    [Fact]
    public void No_more_is_read_ahead_than_asked_for()
    {
        var data = new Watched(1000);
        foreach (var _ in new DataLoader(data, 2, numWorkers: 3)) data.Given++;
        Assert.InRange(data.Lead, 0, 5);
    }

    [Fact]
    public void Whoever_leaves_early_waits_for_what_is_being_read()
    {
        using var gate = new ManualResetEventSlim();
        using var inside = new CountdownEvent(2);
        // The first batch is read at once; the workers of the next two are held inside.
        var data = new Watched(1000)
        {
            Reading = index =>
            {
                if (index is 2 or 4) inside.Signal();
                if (index >= 2) gate.Wait();
            },
        };
        var opening = new Thread(gate.Set);
        foreach (var _ in new DataLoader(data, 2, numWorkers: 3))
        {
            Assert.True(inside.Wait(TimeSpan.FromSeconds(30)), "nothing was read ahead");
            Assert.Equal(2, data.Running);
            opening.Start();
            break;
        }

        Assert.Equal(0, data.Running);
        opening.Join();
    }

    [Fact]
    public void Augmentation_does_not_depend_on_the_number_of_workers()
    {
        string Run(int workers) => string.Join(' ', new DataLoader(Noisy(), 3, shuffle: true, numWorkers: workers, generator: new Generator(7)).SelectMany(b => b.Input.ToFloats()));
        Assert.Equal(Run(0), Run(1));
        Assert.Equal(Run(0), Run(5));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(3, false)]
    [InlineData(3, true)]
    public void A_loader_that_was_stopped_anywhere_goes_on_as_if_it_had_not_been(int workers, bool withDefaultGenerator)
    {
        DataLoader Loader(long seed) => new(Noisy(), 3, shuffle: true, numWorkers: workers, generator: withDefaultGenerator ? null : new Generator(seed));
        for (var stopAfter = 0; stopAfter <= 14; stopAfter++)
        {
            Rng.ManualSeed(3);
            var whole = Epochs(Loader(11), 2);
            Rng.ManualSeed(3);
            var first = Loader(11);
            var (seen, state, random) = Until(first, stopAfter);
            var second = Loader(99);
            second.LoadStateDict(state);
            Generator.Default.SetState(random);
            Assert.Equal(whole, [.. seen, .. Epochs(second, stopAfter <= 7 ? 2 : 1)]);
        }

        static List<string> Epochs(DataLoader loader, int count) =>
            [.. Enumerable.Range(0, count).SelectMany(_ => loader.Select(b => string.Join(' ', b.Input.ToFloats())))];

        static (List<string> Seen, StateDict State, byte[] Default) Until(DataLoader loader, int count)
        {
            var seen = new List<string>();
            if (count == 0) return (seen, loader.StateDict(), Generator.Default.GetState());
            for (var epoch = 0; epoch < 2; epoch++)
            {
                foreach (var batch in loader)
                {
                    seen.Add(string.Join(' ', batch.Input.ToFloats()));
                    if (seen.Count == count) return (seen, loader.StateDict(), Generator.Default.GetState());
                }
            }

            throw new InvalidOperationException("there are not so many batches");
        }
    }

    [Fact]
    public void The_state_of_another_loader_is_refused()
    {
        var state = new DataLoader(new Numbers(10), 2).StateDict();
        var error = Assert.Throws<StateDictException>(() => new DataLoader(new Numbers(12), 2).LoadStateDict(state));
        Assert.Equal("the state is of a loader of 10 records in batches of 2, this one has 12 in batches of 2", error.Message);
    }

    [Fact]
    public void Data_iter_goes_once_through_all_records_in_random_order()
    {
        var features = Tensor.Arange(7).Reshape([7, 1]);
        var batches = Minibatches.DataIter(3, features, Tensor.Arange(7), new Generator(1)).ToArray();
        Assert.Equal([3, 3, 1], batches.Select(b => b.Count));
        Assert.All(batches, b => Assert.Equal(b.Input.ToLongs(), b.Target.ToLongs()));
        var order = batches.SelectMany(b => b.Target.ToLongs()).ToArray();
        Assert.Equal([0L, 1, 2, 3, 4, 5, 6], order.Order());
        Assert.Equal(Rng.Randperm(7, new Generator(1)).ToLongs(), order);
    }

    [Fact]
    public void Normalize_takes_off_the_mean_and_divides_by_the_deviation_per_channel()
    {
        var x = Tensor.Create([1f, 2, 3, 4], [2, 1, 2]);
        Assert.Equal([1f, 3, 1, 1.5f], Transforms.Normalize([0.5, 2], [0.5, 2])(x, new Generator()).ToFloats().Select((v, i) => i < 2 ? v : v + 0.5f));
        Assert.Throws<ArgumentException>(() => Transforms.Normalize([0.5, 2, 3], [1, 1, 1])(x, new Generator()));
        Assert.Throws<ArgumentException>(() => Transforms.Normalize([0.5], [0]));
    }

    [Fact]
    public void An_image_and_its_mask_are_augmented_together()
    {
        var data = new TensorDataset(Tensor.Arange(100).To(DType.Float32).Reshape([1, 1, 10, 10]), Tensor.Arange(100).Reshape([1, 10, 10]))
            .Map(Transforms.Jointly(Transforms.Compose(Transforms.RandomCrop(8, 1), Transforms.RandomHorizontalFlip())));
        var random = new Generator(5);
        var seen = new HashSet<string>();
        for (var i = 0; i < 20; i++)
        {
            var (image, mask) = data.Get(0, random);
            Assert.Equal([8, 8], mask.Shape.ToArray());
            Assert.Equal(mask.ToLongs(), image.ToLongs());
            seen.Add(string.Join(' ', mask.ToLongs()));
        }

        Assert.InRange(seen.Count, 5, 20);
    }

    private static Dataset Noisy() => new Numbers(20).MapInput((x, random) => x.To(DType.Float32) + Rng.Rand([], generator: random));

    private sealed class Failing(int count, int at) : Dataset
    {
        public override int Count => count;

        public override Sample Get(int index, Generator random) => index == at ? throw new IOException("the disk is on fire") : new(Tensor.Scalar(index), Tensor.Scalar(0));
    }

    private sealed class Growing : Dataset
    {
        public override int Count => 3;

        public override Sample Get(int index, Generator random) => new(Tensor.Ones([index + 1]), Tensor.Scalar(0));
    }

    /// <summary>Records in batches of two that tell how many are being read, and how far ahead of the batches given out.</summary>
    private sealed class Watched(int count) : Dataset
    {
        private int running;
        private int lead;

        /// <summary>Batches given out, as whoever takes them counts.</summary>
        public volatile int Given;

        /// <summary>Called while a record is being read.</summary>
        public Action<int>? Reading { get; init; }

        public override int Count => count;

        public int Running => Volatile.Read(ref running);

        /// <summary>How far a record that was read lay behind those given out by then, at most.</summary>
        public int Lead => Volatile.Read(ref lead);

        public override Sample Get(int index, Generator random)
        {
            Interlocked.Increment(ref running);
            var ahead = index - (2 * Given);
            for (var most = Lead; ahead > most; most = Lead) Interlocked.CompareExchange(ref lead, ahead, most);
            Reading?.Invoke(index);
            Interlocked.Decrement(ref running);
            return new(Tensor.Scalar(index), Tensor.Scalar(0));
        }
    }
}
