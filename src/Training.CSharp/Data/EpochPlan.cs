namespace Verified.Training;

/// <summary>What chance decided about an epoch before its first batch: the seed of its augmentation and its order.</summary>
internal sealed class EpochPlan
{
    /// <summary>The plan that a saved state describes.</summary>
    /// <param name="baseSeed">The seed of augmentation.</param>
    /// <param name="orderState">The state of the generator that the order was drawn from, before it; empty where nothing was shuffled.</param>
    /// <param name="records">The number of records.</param>
    public EpochPlan(long baseSeed, byte[] orderState, int records)
    {
        BaseSeed = baseSeed;
        OrderState = orderState;
        if (orderState.Length == 0)
        {
            Order = [.. Enumerable.Range(0, records)];
            return;
        }

        var generator = new Generator();
        generator.SetState(orderState);
        Order = Minibatches.Permutation(records, generator);
    }

    private EpochPlan(long baseSeed, byte[] orderState, int[] order) => (BaseSeed, OrderState, Order) = (baseSeed, orderState, order);

    public long BaseSeed { get; }

    public byte[] OrderState { get; }

    public int[] Order { get; }

    /// <summary>Draws as PyTorch's loader does: the base seed, then (by the sampler) a seed for a generator of its own unless one was given, then the order.</summary>
    public static EpochPlan Draw(int records, bool shuffle, Generator? given)
    {
        var baseSeed = Rng.RandomLong(given);
        if (!shuffle) return new EpochPlan(baseSeed, [], records);
        var sampler = given ?? new Generator(Rng.RandomLong());
        var state = sampler.GetState();
        return new EpochPlan(baseSeed, state, Minibatches.Permutation(records, sampler));
    }

    /// <summary>PyTorch's sampler, asked for more than there is, draws one more permutation before it ends; a generator that lives on must see it.</summary>
    public void Finish(int records, Generator? given)
    {
        if (given is not null && OrderState.Length > 0) Rng.Randperm(records, given);
    }

    /// <summary>What the augmentation of a batch draws from; the same whichever worker reads it, and after a resume.</summary>
    public Generator BatchGenerator(int batch) => new(unchecked(BaseSeed + batch));
}
