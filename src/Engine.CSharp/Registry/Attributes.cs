using System.Collections;

namespace Verified.Engine;

/// <summary>
/// What an operator is given besides tensors, under PyTorch's keywords: immutable, small, in the order given. Values are <see cref="long"/>, <see cref="double"/>,
/// <see cref="bool"/>, <see cref="string"/>, null, <c>int[]</c> for lists of integers, and <c>object?[]</c> for other lists.
/// </summary>
#pragma warning disable CA1710 // The field's word; "AttributesCollection" says no more.
public sealed class Attributes : IReadOnlyCollection<KeyValuePair<string, object?>>
#pragma warning restore CA1710
{
    /// <summary>None at all.</summary>
    public static readonly Attributes None = new([]);

    private static readonly object True = true;
    private static readonly object False = false;

    private readonly KeyValuePair<string, object?>[] items;

    private Attributes(KeyValuePair<string, object?>[] items) => this.items = items;

    /// <inheritdoc/>
    public int Count => items.Length;

    /// <summary>One attribute.</summary>
    public static Attributes Of(string name, object? value) => new([new(name, Normal(value))]);

    /// <summary>Two attributes.</summary>
    public static Attributes Of(string name, object? value, string name2, object? value2) =>
        new([new(name, Normal(value)), new(name2, Normal(value2))]);

    /// <summary>Several attributes.</summary>
    public static Attributes Of(params (string Name, object? Value)[] items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return new(Array.ConvertAll(items, item => new KeyValuePair<string, object?>(item.Name, Normal(item.Value))));
    }

    /// <summary>The attributes of a program's step.</summary>
    public static Attributes From(IEnumerable<KeyValuePair<string, object?>> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        var all = items.Select(item => new KeyValuePair<string, object?>(item.Key, Normal(item.Value))).ToArray();
        return all.Length == 0 ? None : new(all);
    }

    /// <summary>The same with another value, or with one more.</summary>
    internal Attributes With(string name, object? value) => new([.. items.Where(item => item.Key != name), new(name, Normal(value))]);

    /// <summary>Whether the attribute was given, null included.</summary>
    public bool Has(string name) => TryGet(name, out _);

    /// <summary>The value, or null. A list is this object's own, a copy of what was given, and must not be changed.</summary>
    public object? this[string name] => TryGet(name, out var value) ? value : null;

    /// <summary>An integer, or the default where it was not given.</summary>
    public int Int(string name, int otherwise) => IntOrNull(name) ?? otherwise;

    /// <summary>An integer, or null where it was not given or null.</summary>
    /// <exception cref="AutogradException">It is something else.</exception>
    public int? IntOrNull(string name) => this[name] switch
    {
        null => null,
        long value => checked((int)value),
        _ => throw Wrong(name, "an integer"),
    };

    /// <summary>An integer that has to be given.</summary>
    /// <exception cref="AutogradException">It is something else, or not there.</exception>
    public int Int(string name) => IntOrNull(name) ?? throw Wrong(name, "an integer");

    /// <summary>A number, or the default where it was not given.</summary>
    public double Double(string name, double otherwise) => DoubleOrNull(name) ?? otherwise;

    /// <summary>A number, or null where it was not given or null.</summary>
    /// <exception cref="AutogradException">It is something else.</exception>
    public double? DoubleOrNull(string name) => this[name] switch
    {
        null => null,
        double value => value,
        long value => value,
        bool value => value ? 1 : 0,
        string text => NonFinite(text) ?? throw Wrong(name, "a number"),
        _ => throw Wrong(name, "a number"),
    };

    /// <summary>A truth value, or the default where it was not given.</summary>
    /// <exception cref="AutogradException">It is something else.</exception>
    public bool Bool(string name, bool otherwise) => this[name] switch
    {
        null => otherwise,
        bool value => value,
        _ => throw Wrong(name, "true or false"),
    };

    /// <summary>A text, or the default where it was not given.</summary>
    /// <exception cref="AutogradException">It is something else.</exception>
    public string Text(string name, string otherwise) => this[name] switch
    {
        null => otherwise,
        string value => value,
        _ => throw Wrong(name, "a text"),
    };

    /// <summary>A list of integers (a single one counts as a list of one), or null where it was not given or null. It must not be changed.</summary>
    /// <exception cref="AutogradException">It is something else.</exception>
    public int[]? Ints(string name) => this[name] switch
    {
        null => null,
        int[] list => list,
        long value => [checked((int)value)],
        object?[] { Length: 0 } => [],
        _ => throw Wrong(name, "a list of integers"),
    };

    /// <summary>A dtype by its name, or null where it was not given.</summary>
    /// <exception cref="AutogradException">It is something else.</exception>
    public DType? DType(string name) => this[name] switch
    {
        null => null,
        string text => DTypes.Parse(text.StartsWith("torch.", StringComparison.Ordinal) ? text[6..] : text),
        _ => throw Wrong(name, "a dtype's name"),
    };

    /// <summary>A number as a tensor that yields to others in promotion, keeping whether it is an integer or a truth value; or null where it was not given.</summary>
    internal Tensor? Number(string name) => this[name] switch
    {
        null => null,
        double value => Tensor.Number(value),
        long value => Tensor.Number(value),
        bool value => Tensor.Number(value),
        string text => Tensor.Number(NonFinite(text) ?? throw Wrong(name, "a number")),
        _ => throw Wrong(name, "a number"),
    };

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => ((IEnumerable<KeyValuePair<string, object?>>)items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static double? NonFinite(string text) => text switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        "nan" => double.NaN,
        _ => null,
    };

    private static object? Normal(object? value) => value switch
    {
        bool flag => flag ? True : False,
        int number => (long)number,
        float number => (double)number,
        DType dtype => dtype.Name(),
        string or long or double or null => value,
        // The caller may change the list afterwards; shapes and derivative rules live on it.
        int[] list => list.Clone(),
        object?[] array => List(array),
        IEnumerable list => List([.. list.Cast<object?>()]),
        _ => value,
    };

    private static object List(object?[] items)
    {
        if (items.Length > 0 && items.All(item => item is long or int)) return Array.ConvertAll(items, item => checked((int)Convert.ToInt64(item)));
        return Array.ConvertAll(items, Normal);
    }

    private bool TryGet(string name, out object? value)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach (var (key, found) in items)
        {
            if (key != name) continue;
            value = found;
            return true;
        }
        value = null;
        return false;
    }

    private AutogradException Wrong(string name, string expected) =>
        new(ErrorKind.Value, $"attribute '{name}' must be {expected}, but is {(this[name] is int[] list ? Shapes.Text(list) : this[name] ?? "missing")}");
}
