using Microsoft.FSharp.Collections;
using Verified.Spec;

namespace Verified.Oracle.Generation;

/// <summary>Which operators a generator may use, by kind: read off their records.</summary>
internal sealed class OperatorChoice
{
    private readonly Dictionary<string, Operator> _all;
    private readonly List<(double, Operator)> _light;
    private readonly List<(double, Operator)> _heavy;
    private readonly List<(double, Operator)> _views;
    private readonly List<(double, Operator)> _inPlace;

    public OperatorChoice(FSharpMap<string, Operator> registry, GeneratorOptions options)
    {
        _all = registry.Values.Where(op => !op.Internal && (options.Operators?.Contains(op.Name) ?? true)).ToDictionary(op => op.Name);
        var outOfPlace = _all.Values.Where(op => !op.OnlyInPlace).ToList();
        _views = Weighted(outOfPlace.Where(op => op.Behaviour.IsAliases));
        _heavy = Weighted(outOfPlace.Where(op => !op.Behaviour.IsAliases && IsHeavy(op)));
        _light = Weighted(outOfPlace.Where(op => !op.Behaviour.IsAliases && !IsHeavy(op)));
        _inPlace = Weighted(_all.Values.Where(op => op.InPlace || op.OnlyInPlace));
    }

    /// <summary>Operators that join variables weigh more: there are fewer of them, and they make programs hang together. So do reductions.</summary>
    private static List<(double, Operator)> Weighted(IEnumerable<Operator> operators) =>
        [.. operators.Select(op => (op.Args.Count(JoinsVariables) > 1 ? 3.0 : IsReduction(op) ? 2.0 : 1.0, op))];

    private static bool IsReduction(Operator op) => op.Args.Length == 1 && op.Attrs.Any(attr => attr.Kind.IsDims);

    private static bool JoinsVariables(ArgKind kind) => kind is ArgKind.Optional optional ? JoinsVariables(optional.Item) : kind.IsFloat || kind.IsAny || kind.IsList;

    public Operator this[string name] => _all[name];

    /// <summary>Whether a step writes to its inputs without saying so by an underscore.</summary>
    public bool Updates(string step) => _all.TryGetValue(step, out var op) && !op.Updates.IsEmpty;

    public bool Allows(string name) => _all.ContainsKey(name);

    public Operator? Pick(Rng rng, bool heavy, bool views, bool inPlace)
    {
        // Where there are none of the one kind, the other serves: programs of a few operators are to hold these.
        var (wanted, other) = heavy ? (_heavy, _light) : (_light, _heavy);
        var from = inPlace ? _inPlace : views ? _views : wanted.Count > 0 ? wanted : other;
        return from.Count == 0 ? null : rng.Pick(from);
    }

    /// <summary>Products, convolutions and reductions: their results are sums over what the record's shapes or dims say.</summary>
    private static bool IsHeavy(Operator op) => !op.Shapes.IsEmpty || op.Attrs.Any(a => a.Kind.IsDim || a.Kind.IsDims);

    /// <summary>The same by name, for the steps of a program.</summary>
    public static bool IsHeavy(string name) =>
        RegistryModule.all.TryGetValue(name, out var op) && !op.Behaviour.IsAliases && !op.OnlyInPlace && IsHeavy(op);

    /// <summary>Whether an operator may have more than one result: views of parts, and reductions that give indices too.</summary>
    public static bool MayHaveSeveralResults(Operator op) => op.Behaviour.IsAliases || op.Attrs.Any(a => a.Kind.IsDim);
}
