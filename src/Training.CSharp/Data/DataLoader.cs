using System.Collections;
using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// Goes through a data set in batches, as PyTorch's <c>DataLoader</c>; each <c>foreach</c> is one epoch. From the same seed the order is PyTorch's:
/// of the default generator (<see cref="Rng.ManualSeed"/>), or of the one given.
/// </summary>
/// <remarks>
/// Source: torch/utils/data/dataloader.py and sampler.py of PyTorch 2.6. An epoch draws a base seed, then either seeds a generator for its permutation from
/// the default one, or takes the permutation from the generator given, and after the last batch a second one that is thrown away.
/// </remarks>
public sealed class DataLoader : IReadOnlyCollection<Batch>, IStateful
{
    private EpochPlan? running;
    private int given;
    private bool resuming;

    /// <summary>A loader; nothing is read yet.</summary>
    /// <param name="dataset">The records.</param>
    /// <param name="batchSize">Records in a batch, at least 1.</param>
    /// <param name="shuffle">Whether each epoch has its own random order.</param>
    /// <param name="numWorkers">
    /// How many batches are read ahead in the background; 0 reads each when it is asked for. The batches and their order do not depend on it.
    /// </param>
    /// <param name="dropLast">Whether a last batch with fewer records is left out.</param>
    /// <param name="generator">What shuffling draws from; the default generator where left out.</param>
    /// <exception cref="ArgumentException">There is nothing to shuffle.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The batch size is not positive, or the number of workers negative.</exception>
    public DataLoader(Dataset dataset, int batchSize = 1, bool shuffle = false, int numWorkers = 0, bool dropLast = false, Generator? generator = null)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(numWorkers);
        if (shuffle && dataset.Count == 0) throw new ArgumentException("a data set without records cannot be shuffled", nameof(dataset));
        Dataset = dataset;
        BatchSize = batchSize;
        Shuffle = shuffle;
        DropLast = dropLast;
        NumWorkers = numWorkers;
        Generator = generator;
    }

    /// <summary>The records.</summary>
    public Dataset Dataset { get; }

    /// <summary>Records in a batch.</summary>
    public int BatchSize { get; }

    /// <summary>Whether each epoch has its own random order.</summary>
    public bool Shuffle { get; }

    /// <summary>Whether a last batch with fewer records is left out.</summary>
    public bool DropLast { get; }

    /// <summary>How many batches are read ahead in the background.</summary>
    public int NumWorkers { get; }

    /// <summary>What shuffling draws from; null for the default generator.</summary>
    public Generator? Generator { get; }

    /// <summary>The number of batches in an epoch.</summary>
    public int Count => DropLast ? Dataset.Count / BatchSize : (int)(((long)Dataset.Count + BatchSize - 1) / BatchSize);

    /// <summary>How many batches of the running epoch were given out; 0 between epochs.</summary>
    public int Position => running is null ? 0 : given;

    /// <summary>
    /// One epoch, or the rest of one after <see cref="LoadStateDict"/>. Ends with <see cref="OperationCanceledException"/> when cancelled; workers end with it.
    /// </summary>
    /// <exception cref="DatasetException">A record could not be read, in this thread or in a worker; raised where its batch would have come.</exception>
    public IEnumerable<Batch> Batches(CancellationToken cancellation = default)
    {
        EpochPlan plan;
        int first;
        if (resuming)
        {
            (plan, first) = (running!, given);
            resuming = false;
        }
        else
        {
            (plan, first) = (EpochPlan.Draw(Dataset.Count, Shuffle, Generator), 0);
        }

        (running, given) = (plan, first);
        using var pipeline = new BatchPipeline(this, plan, first, cancellation);
        while (pipeline.Next() is { } batch)
        {
            // Whoever saves inside the loop has this batch behind it.
            if (ReferenceEquals(running, plan)) given++;
            yield return batch;
        }

        plan.Finish(Dataset.Count, Generator);
        if (ReferenceEquals(running, plan)) running = null;
    }

    /// <inheritdoc/>
    public IEnumerator<Batch> GetEnumerator() => Batches().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>
    /// Where the loader stands: the running epoch's seeds and how many batches were given out, and the state of the generator that it was given.
    /// The default generator is not part of it.
    /// </summary>
    public StateDict StateDict()
    {
        var state = new StateDict { ["batch_size"] = BatchSize, ["records"] = Dataset.Count, ["position"] = Position };
        if (running is { } plan)
        {
            state["base_seed"] = plan.BaseSeed;
            state["order"] = plan.OrderState;
        }

        if (Generator is not null) state["generator"] = Generator.GetState();
        return state;
    }

    /// <summary>Goes back to a state that <see cref="StateDict"/> gave: the next <c>foreach</c> goes on with the batch after those given out.</summary>
    /// <exception cref="StateDictException">The state belongs to a loader with another number of records or batch size, or is none.</exception>
    public void LoadStateDict(StateDict state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.Integer("records") != Dataset.Count || state.Integer("batch_size") != BatchSize)
        {
            throw new StateDictException(
                $"the state is of a loader of {state.Integer("records")} records in batches of {state.Integer("batch_size")}, this one has {Dataset.Count} in batches of {BatchSize}");
        }

        var position = state.Integer("position");
        if (position < 0 || position > Count) throw new StateDictException($"the state's position {position} lies outside the {Count} batches of an epoch");
        var plan = state.ContainsKey("base_seed") ? new EpochPlan(state.Integer("base_seed"), state.Bytes("order"), Dataset.Count) : null;
        if (Generator is not null && state.ContainsKey("generator")) Generator.SetState(state.Bytes("generator"));
        (running, given, resuming) = (plan, (int)position, plan is not null);
    }
}
