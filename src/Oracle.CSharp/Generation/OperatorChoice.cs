using Microsoft.FSharp.Collections;
using Verified.Spec;

namespace Verified.Oracle.Generation;

/// <summary>Which operators a generator may use, by kind: read off their records.</summary>
internal sealed class OperatorChoice
{
    private readonly Dictionary<string, Operator> _all;
    private readonly List<Operator> _light;
    private readonly List<Operator> _heavy;
    private readonly List<Operator> _views;
    private readonly List<Operator> _inPlace;

    public OperatorChoice(FSharpMap<string, Operator> registry, GeneratorOptions options)
    {
        _all = registry.Values.Where(op => !op.Internal && (options.Operators?.Contains(op.Name) ?? true)).ToDictionary(op => op.Name);
        var outOfPlace = _all.Values.Where(op => !op.OnlyInPlace).ToList();
        _views = [.. outOfPlace.Where(op => op.Behaviour.IsAliases)];
        _heavy = [.. outOfPlace.Where(op => op.Behaviour.IsComputes && IsHeavy(op))];
        _light = [.. outOfPlace.Where(op => op.Behaviour.IsComputes && !IsHeavy(op))];
        _inPlace = [.. _all.Values.Where(op => op.InPlace || op.OnlyInPlace)];
    }

    public Operator this[string name] => _all[name];

    public bool Allows(string name) => _all.ContainsKey(name);

    public Operator? Pick(Rng rng, bool heavy, bool views, bool inPlace)
    {
        var from = inPlace ? _inPlace : views ? _views : heavy ? _heavy : _light;
        return from.Count == 0 ? null : rng.Pick(from);
    }

    /// <summary>Products, convolutions and reductions: their results are sums over what the record's shapes or dims say.</summary>
    private static bool IsHeavy(Operator op) => !op.Shapes.IsEmpty || op.Attrs.Any(a => a.Kind.IsDim || a.Kind.IsDims);

    /// <summary>Whether an operator may have more than one result: views of parts, and reductions that give indices too.</summary>
    public static bool MayHaveSeveralResults(Operator op) => op.Behaviour.IsAliases || op.Attrs.Any(a => a.Kind.IsDim);
}
