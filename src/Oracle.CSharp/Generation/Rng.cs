namespace Verified.Oracle.Generation;

/// <summary>
/// A random generator of our own (SplitMix64), so that a seed gives the same program on every machine and version of .NET.
/// </summary>
public sealed class Rng(ulong seed)
{
    private ulong _state = seed;

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>An integer from 0 up to but not including <paramref name="bound"/>.</summary>
    public int Below(int bound) => (int)(((UInt128)Next() * (ulong)bound) >> 64);

    /// <summary>An integer from <paramref name="low"/> to <paramref name="high"/>, both included.</summary>
    public int Between(int low, int high) => low + Below(high - low + 1);

    /// <summary>A number in [0, 1).</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>True with the given probability.</summary>
    public bool Chance(double probability) => Unit() < probability;

    /// <summary>One of the items, all alike.</summary>
    public T Pick<T>(IReadOnlyList<T> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return items[Below(items.Count)];
    }

    /// <summary>One of the items, by weight.</summary>
    public T Pick<T>(IReadOnlyList<(double Weight, T Item)> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        var rest = Unit() * items.Sum(item => item.Weight);
        foreach (var (weight, item) in items)
            if ((rest -= weight) < 0) return item;
        return items[^1].Item;
    }

    /// <summary>The items in random order.</summary>
    public List<T> Shuffled<T>(IEnumerable<T> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        var list = items.ToList();
        for (var i = list.Count - 1; i > 0; i--)
        {
            var j = Below(i + 1);
            (list[i], list[j]) = (list[j], list[i]);
        }

        return list;
    }

    /// <summary>The seed of case <paramref name="index"/> of a run: any shard can make any case.</summary>
    public static ulong CaseSeed(ulong runSeed, long index) => new Rng(runSeed ^ ((ulong)index * 0xD1342543DE82EF95 + 0x2545F4914F6CDD1D)).Next();
}
