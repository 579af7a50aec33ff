namespace Verified.Engine;

/// <summary>The ways to find the tensors in a value: <see cref="TensorTree{T}"/> for tensors, records, tuples and arrays of them, nested as one likes. Nothing is reflected on.</summary>
public static class TensorTree
{
    /// <summary>A tensor itself.</summary>
    public static TensorTree<Tensor> Single { get; } = new((value, f) => f(value));

    /// <summary>A pair of tensors.</summary>
    public static TensorTree<(Tensor First, Tensor Second)> Pair { get; } = PairOf(Single, Single);

    /// <summary>Three tensors.</summary>
    public static TensorTree<(Tensor First, Tensor Second, Tensor Third)> Triple { get; } = TripleOf(Single, Single, Single);

    /// <summary>Any number of tensors.</summary>
    public static TensorTree<Tensor[]> Many { get; } = ArrayOf(Single);

    /// <summary>A record that knows its tensors.</summary>
    public static TensorTree<T> Of<T>()
        where T : ITensorTree<T> => new((value, f) => value.Map(f));

    /// <summary>Any type, by a function that replaces each tensor in a value by what another one gives for it, once for each and always in the same order.</summary>
    public static TensorTree<T> From<T>(Func<T, Func<Tensor, Tensor>, T> map)
    {
        ArgumentNullException.ThrowIfNull(map);
        return new(map);
    }

    /// <summary>A pair of trees.</summary>
    public static TensorTree<(T1 First, T2 Second)> PairOf<T1, T2>(TensorTree<T1> first, TensorTree<T2> second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        return new((value, f) => (first.Map(value.First, f), second.Map(value.Second, f)));
    }

    /// <summary>Three trees.</summary>
    public static TensorTree<(T1 First, T2 Second, T3 Third)> TripleOf<T1, T2, T3>(TensorTree<T1> first, TensorTree<T2> second, TensorTree<T3> third)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        ArgumentNullException.ThrowIfNull(third);
        return new((value, f) => (first.Map(value.First, f), second.Map(value.Second, f), third.Map(value.Third, f)));
    }

    /// <summary>An array of trees.</summary>
    public static TensorTree<T[]> ArrayOf<T>(TensorTree<T> element)
    {
        ArgumentNullException.ThrowIfNull(element);
        return new((value, f) => Array.ConvertAll(value, item => element.Map(item, f)));
    }
}
