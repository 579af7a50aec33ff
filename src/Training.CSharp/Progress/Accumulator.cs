namespace Verified.Training;

/// <summary>Several sums that grow together: loss, correct answers, count.</summary>
/// <remarks>Source: Dive into Deep Learning, class Accumulator.</remarks>
public sealed class Accumulator : IStateful
{
    private readonly double[] sums;

    /// <summary>So many sums, all 0.</summary>
    public Accumulator(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        sums = new double[count];
    }

    /// <summary>The number of sums.</summary>
    public int Count => sums.Length;

    /// <summary>One of the sums.</summary>
    public double this[int index] => sums[index];

    /// <summary>Adds to each sum its number.</summary>
    /// <exception cref="ArgumentException">There are more or fewer numbers than sums.</exception>
    public void Add(params double[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Length != sums.Length) throw new ArgumentException($"{values.Length} numbers were given for {sums.Length} sums", nameof(values));
        for (var i = 0; i < sums.Length; i++) sums[i] += values[i];
    }

    /// <summary>Sets all to 0.</summary>
    public void Reset() => Array.Clear(sums);

    /// <summary>The sums.</summary>
    public StateDict StateDict() => new() { ["sums"] = sums.Cast<object?>().ToList() };

    /// <inheritdoc/>
    public void LoadStateDict(StateDict state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var saved = state.Numbers("sums");
        if (saved.Length != sums.Length) throw new StateDictException($"the state has {saved.Length} sums, this accumulator {sums.Length}");
        saved.CopyTo(sums, 0);
    }
}
