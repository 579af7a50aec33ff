using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// Parameters that are optimized with the same options. Options have PyTorch's names (<c>lr</c>, <c>weight_decay</c>, ..); those that are not given are the
/// optimizer's: <c>new ParamGroup(head.Parameters()) { ["lr"] = 1e-3 }</c>.
/// </summary>
public sealed class ParamGroup
{
    private readonly StateDict options = [];

    /// <summary>A group with the optimizer's options, but for those set here.</summary>
    public ParamGroup(IEnumerable<Tensor> parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        Parameters = [.. parameters];
    }

    /// <summary>The parameters.</summary>
    public IReadOnlyList<Tensor> Parameters { get; }

    /// <summary>The learning rate, not negative; schedulers write it.</summary>
    public double Lr
    {
        get => Number("lr");
        set => this["lr"] = value;
    }

    /// <summary>An option: a number, a truth value or, for <c>betas</c>, a pair of numbers.</summary>
    /// <exception cref="KeyNotFoundException">There is none of that name.</exception>
    public object? this[string name]
    {
        get
        {
            ArgumentNullException.ThrowIfNull(name);
            return options.TryGetValue(name, out var value) ? value : throw new KeyNotFoundException($"the group has no option '{name}'");
        }
        set
        {
            ArgumentNullException.ThrowIfNull(name);
            options[name] = value is int i ? (double)i : value is ValueTuple<double, double> pair ? new object?[] { pair.Item1, pair.Item2 } : value;
        }
    }

    /// <summary>The names of the options, in order.</summary>
    public IEnumerable<string> Options => options.Keys.Cast<string>();

    /// <summary>Whether an option is set.</summary>
    public bool Has(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return options.ContainsKey(name);
    }

    /// <summary>A number among the options.</summary>
    public double Number(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return options.Number(name);
    }

    /// <summary>A truth value among the options.</summary>
    public bool Truth(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return options.Truth(name);
    }

    /// <summary>A pair of numbers among the options.</summary>
    internal (double First, double Second) Pair(string name)
    {
        var list = options.List(name);
        if (list.Count != 2) throw new StateDictException($"'{name}' is a pair of numbers, not a list of {list.Count}");
        return (System.Convert.ToDouble(list[0]), System.Convert.ToDouble(list[1]));
    }

    /// <summary>Adds the options that are not given.</summary>
    internal void FillIn(StateDict defaults)
    {
        foreach (var (name, value) in defaults) options.TryAdd(name, value);
    }

    /// <summary>The options as a state dictionary has them.</summary>
    internal StateDict Pack()
    {
        var packed = new StateDict();
        foreach (var (name, value) in options) packed.Add(name, value);
        return packed;
    }

    /// <summary>Takes the options of a state dictionary.</summary>
    internal void Unpack(StateDict packed)
    {
        foreach (var (name, value) in packed)
            if (name is string text and not "params") options[text] = value;
    }
}
