using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// Named values in order, as PyTorch's state dictionaries: tensors, numbers, texts, truth values, null, bytes, lists and further dictionaries.
/// The accessors say in one sentence what is missing or of another type.
/// </summary>
/// <remarks>Keys are texts or, as in an optimizer's state, 64-bit integers.</remarks>
public sealed class StateDict : OrderedDictionary<object, object?>
{
    /// <summary>An empty state.</summary>
    public StateDict()
        : base(KeyComparer.Instance)
    {
    }

    /// <summary>The tensor under a key.</summary>
    /// <exception cref="StateDictException">There is no such key, or no tensor under it.</exception>
    public Tensor Tensor(object key) => Value(key) as Tensor ?? throw Wrong(key, "a tensor");

    /// <summary>The dictionary under a key.</summary>
    /// <exception cref="StateDictException">There is no such key, or no dictionary under it.</exception>
    public StateDict Dictionary(object key) => Value(key) as StateDict ?? throw Wrong(key, "a dictionary");

    /// <summary>The list or tuple under a key.</summary>
    /// <exception cref="StateDictException">There is no such key, or no list or tuple under it.</exception>
    public IReadOnlyList<object?> List(object key) => Value(key) is IReadOnlyList<object?> list ? list : throw Wrong(key, "a list");

    /// <summary>The list of numbers under a key.</summary>
    /// <exception cref="StateDictException">There is no such key, or no list of numbers under it.</exception>
    public double[] Numbers(object key) =>
        [.. List(key).Select(n => n switch { double d => d, long i => i, int i => i, _ => throw Wrong(key, "a list of numbers") })];

    /// <summary>The whole number under a key; a tensor of one is taken too.</summary>
    /// <exception cref="StateDictException">There is no such key, or no whole number under it.</exception>
    public long Integer(object key) => Value(key) switch
    {
        long i => i,
        int i => i,
        Tensor { Count: 1, DType: DType.Int64 } t => t.ToLongs()[0],
        _ => throw Wrong(key, "a whole number"),
    };

    /// <summary>The number under a key; a tensor of one is taken too.</summary>
    /// <exception cref="StateDictException">There is no such key, or no number under it.</exception>
    public double Number(object key) => Value(key) switch
    {
        double d => d,
        float f => f,
        long i => i,
        int i => i,
        Tensor { Count: 1 } t => t.Item(),
        _ => throw Wrong(key, "a number"),
    };

    /// <summary>The truth value under a key.</summary>
    /// <exception cref="StateDictException">There is no such key, or no truth value under it.</exception>
    public bool Truth(object key) => Value(key) as bool? ?? throw Wrong(key, "true or false");

    /// <summary>The text under a key.</summary>
    /// <exception cref="StateDictException">There is no such key, or no text under it.</exception>
    public string Text(object key) => Value(key) as string ?? throw Wrong(key, "a text");

    /// <summary>The bytes under a key; a tensor of one dimension with values from 0 to 255 is taken too, which is what PyTorch keeps a generator's state in.</summary>
    /// <exception cref="StateDictException">There is no such key, or nothing of the kind under it.</exception>
    public byte[] Bytes(object key) => Value(key) switch
    {
        byte[] bytes => bytes,
        Tensor { Rank: 1, DType: DType.Int64 } t when t.ToLongs() is var values && Array.TrueForAll(values, v => v is >= 0 and <= 255)
            => Array.ConvertAll(values, v => (byte)v),
        _ => throw Wrong(key, "bytes"),
    };

    /// <summary>A copy that later training does not change: tensors and lists are copied too.</summary>
    public StateDict Clone() => (StateDict)Copied(this)!;

    private static object? Copied(object? value)
    {
        switch (value)
        {
            case Tensor tensor: return tensor.Detach().Clone();
            case byte[] bytes: return bytes.Clone();
            case object?[] tuple: return Array.ConvertAll(tuple, Copied);
            case IReadOnlyList<object?> list: return list.Select(Copied).ToList();
            case StateDict state:
                var copy = new StateDict();
                foreach (var (key, item) in state) copy.Add(key, Copied(item));
                return copy;
            default: return value;
        }
    }

    private object? Value(object key) => TryGetValue(key, out var value) ? value
        : throw new StateDictException($"the state has no '{key}'; it has {(Count == 0 ? "nothing" : string.Join(", ", Keys.Take(20)) + (Count > 20 ? ", ..." : ""))}");

    private StateDictException Wrong(object key, string expected) =>
        new($"'{key}' of the state is {Kind(Value(key))}, not {expected}");

    /// <summary>What a value is, in words.</summary>
    internal static string Kind(object? value) => value switch
    {
        null => "nothing (None)",
        Tensor t => $"a {t.DType.Name()} tensor {ShapeText.Of(t)}",
        StateDict => "a dictionary",
        string => "a text",
        bool => "a truth value",
        long or int => "a whole number",
        double or float => "a number",
        byte[] => "bytes",
        IReadOnlyList<object?> => "a list",
        _ => value.GetType().Name,
    };

    /// <summary>As in Python, 0 is one key whatever its type's width.</summary>
    private sealed class KeyComparer : IEqualityComparer<object>
    {
        public static readonly KeyComparer Instance = new();

        public new bool Equals(object? x, object? y) => object.Equals(Wide(x), Wide(y));

        public int GetHashCode(object key) => Wide(key)!.GetHashCode();

        private static object? Wide(object? key) => key is int i ? (long)i : key;
    }
}

/// <summary>What has a state that a checkpoint holds: modules, optimizers, schedulers, scalers, generators, loaders.</summary>
public interface IStateful
{
    /// <summary>The state as it is now. Tensors in it may be the live ones: they are written or copied before the next step.</summary>
    StateDict StateDict();

    /// <summary>Goes back to a state. Where it does not fit nothing is changed.</summary>
    /// <exception cref="StateDictException">Something is missing, or of another shape or type.</exception>
    void LoadStateDict(StateDict state);
}

/// <summary>A state dictionary does not fit what it is to be loaded into.</summary>
public sealed class StateDictException(string message) : Exception(message);
