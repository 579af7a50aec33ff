using System.Collections.Frozen;

namespace Verified.Engine;

/// <summary>The operators by PyTorch's names: an immutable value. <see cref="With"/> gives a copy with one replaced, for which the rest of the engine stays as it is.</summary>
public sealed class OperatorRegistry
{
    private readonly FrozenDictionary<string, Operator> operators;

    private OperatorRegistry(FrozenDictionary<string, Operator> operators) => this.operators = operators;

    /// <summary>The engine's own operators.</summary>
    public static OperatorRegistry Default { get; } = new(OperatorFamilies.All().ToFrozenDictionary(op => op.Name, StringComparer.Ordinal));

    /// <summary>The operators, by name; in-place twins are part of their operator.</summary>
    public IReadOnlyDictionary<string, Operator> Operators => operators;

    /// <summary>Every name that <see cref="Invoke"/> takes, the in-place ones with their underscore.</summary>
    public IEnumerable<string> Names => operators.Values
        .SelectMany(op => op.HasInPlaceTwin && !op.Name.EndsWith('_') ? new[] { op.Name, op.Name + "_" } : [op.Name])
        .Order(StringComparer.Ordinal);

    /// <summary>Whether a name can be invoked.</summary>
    public bool Has(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return operators.ContainsKey(name) || (name.EndsWith('_') && operators.TryGetValue(name[..^1], out var op) && op.HasInPlaceTwin);
    }

    /// <summary>Applies an operator by PyTorch's name; with an underscore at its end, in place.</summary>
    /// <param name="name">PyTorch's name.</param>
    /// <param name="call">Its arguments.</param>
    /// <returns>The results. An in-place call gives its first argument back.</returns>
    /// <exception cref="AutogradException">With <see cref="ErrorKind.Unsupported"/> where there is no such operator, else what the operator raises.</exception>
    public Tensor[] Invoke(string name, OperatorCall call)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(call);
        if (operators.TryGetValue(name, out var op)) return op.Invoke(call);
        if (name.EndsWith('_') && operators.TryGetValue(name[..^1], out op) && op.HasInPlaceTwin) return op.InvokeInPlace(call);
        throw new AutogradException(ErrorKind.Unsupported, $"this engine has no operator '{name}'");
    }

    /// <summary>A registry in which this operator stands in the place of the one of its name.</summary>
    public OperatorRegistry With(Operator replacement)
    {
        ArgumentNullException.ThrowIfNull(replacement);
        return new(operators.Values.Where(op => op.Name != replacement.Name).Append(replacement).ToFrozenDictionary(op => op.Name, StringComparer.Ordinal));
    }
}
