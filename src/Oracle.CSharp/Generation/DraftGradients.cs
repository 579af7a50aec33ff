using Microsoft.FSharp.Collections;
using Verified.Spec;

namespace Verified.Oracle.Generation;

/// <summary>A program's gradients: what is pulled back, from where and into what, and what is done with what came.</summary>
internal sealed partial class Draft
{
    private readonly List<string> _hooks = [];

    private Step? Hook()
    {
        var target = Recent([.. Floats.Where(v => v.RequiresGrad)]);
        if (target is null) return null;
        var hook = Steps.Act("register_hook", target.Name).With("scale", Attr.NewFloat(_rng.Pick([2.0, 0.5, -1.0])));
        if (_rng.Chance(0.5) || _scene.After(hook).Next is null) return hook;
        _hooks.Add(NewName("h"));
        return hook.Binding(_hooks[^1]);
    }

    /// <summary>Reads, clears or uses what a backward has accumulated.</summary>
    private Step? GradientStep()
    {
        var leaf = Recent([.. Floats.Where(v => v.RequiresGrad && v.IsLeaf)]);
        if (leaf is null) return null;
        return _rng.Chance(0.5)
            ? Steps.Act("zero_grad", leaf.Name).With("set_to_none", Attr.NewFlag(_rng.Chance(0.5)))
            : Steps.Call("get_grad", [leaf.Name], NewName("g"));
    }

    /// <summary>
    /// Sets or clears the flag of a tensor; of one with a history it can only be set. Not of a gradient where the engine does not promise whether it is the very
    /// tensor that was given as one.
    /// </summary>
    private Step? RequireGrad()
    {
        var gradients = Gradients;
        return Recent([.. Floats.Where(v => !gradients.Contains(v.Name))]) is { } target
            ? Steps.Act("requires_grad_", target.Name).With("requires_grad", Attr.NewFlag(_wantsBackward && _rng.Chance(0.7)))
            : null;
    }

    /// <summary>A tensor to pull back from, and a gradient for it where it is no scalar.</summary>
    private (string Root, string? Gradient)? Root()
    {
        var root = Recent([.. Floats.Where(v => v.RequiresGrad && !v.IsLeaf)]) ?? Recent([.. Floats.Where(v => v.RequiresGrad)]);
        if (root is null) return null;
        if (root.Count == 1 && _rng.Chance(0.7)) return (root.Name, null);
        if (!_wantsHeavy || _rng.Chance(0.6)) return (root.Name, Upstream(root));
        if (!_choice.Allows("sum")) return null;
        var total = NewName("v");
        if (!Keep(Steps.Call("sum", [root.Name], total).With(Attributes.Propose(_rng, _choice["sum"], root.Shape, _ => true, Has(EngineFeatures.Attributes))))) return null;
        var sum = Named(total);
        if (!sum.DType.IsFloat) return null;
        return (total, sum.Count == 1 && _rng.Chance(0.7) ? null : Upstream(sum));
    }

    private string Upstream(Variable root) => AddInput("g", Values.Floats(_rng, root.DType, root.Shape, _style, Domain.Everywhere), false);

    /// <summary>A <c>backward</c> or <c>grad</c> from a tensor, or from several.</summary>
    private Step? From(string op)
    {
        if (Root() is not { } first) return null;
        List<(string Root, string? Gradient)> roots = [first];
        for (var more = _rng.Chance(0.1) ? _rng.Between(1, 2) : 0; more > 0; more--)
            if (Recent([.. Floats.Where(v => v.RequiresGrad)]) is { } root && roots.All(r => r.Root != root.Name))
                roots.Add((root.Name, root.Count == 1 && _rng.Chance(0.5) ? null : Upstream(root)));
        return Steps.Act(op, [.. roots.Select(r => r.Root)]).Gradients([.. roots.Select(r => r.Gradient)]);
    }

    /// <summary>A <c>backward</c> or <c>grad</c> from a root that is given, or from any.</summary>
    private Step? Pulled(string op, Variable? root) => root is null ? From(op) : Steps.Act(op, root.Name).Gradients(Upstream(root));

    /// <summary>What gradients are asked for of: leaves most often.</summary>
    private string[] Wanting(int count) =>
    [
        .. Enumerable.Range(0, count)
            .Select(_ => (_rng.Chance(0.75) ? Recent([.. Floats.Where(v => v.RequiresGrad && v.IsLeaf)]) : null) ?? Recent([.. Floats.Where(v => v.RequiresGrad)]))
            .OfType<Variable>().Select(v => v.Name).Distinct(),
    ];

    private bool Backward()
    {
        if (_rng.Chance(0.1)) return Plain(null);
        if (From("backward") is not { } step) return false;
        if (Has("retain_graph") && _rng.Chance(0.3)) step = step.With("retain_graph", Attr.NewFlag(true));
        if (_rng.Chance(0.1)) step = step.Wrt(Wanting(_rng.Between(1, 2)));
        return Keep(step);
    }

    /// <summary>A <c>grad</c> without create_graph by one tensor or several, of a root that is given or of any.</summary>
    private bool Plain(Variable? root)
    {
        var wanted = Wanting(_rng.Between(1, 2));
        if (Pulled("grad", root) is not { } step || wanted.Length == 0) return false;
        step = step.Wrt(wanted).Binding([.. wanted.Select(_ => NewName("d"))]);
        if (_rng.Chance(0.8)) step = step.With("allow_unused", Attr.NewFlag(true));
        return Keep(Has("retain_graph") && _rng.Chance(0.3) ? step.With("retain_graph", Attr.NewFlag(true)) : step);
    }

    /// <summary>A gradient under create_graph, sometimes one of that, and a backward or a <c>grad</c> through what came.</summary>
    private bool SecondOrder()
    {
        if (!(May("get_grad") && _rng.Chance(0.15) ? AccumulatedGraph() : Created(null))) return false;
        if (Last() is not { } found) return true;
        if (_rng.Chance(0.25) && Created(found) && Last() is { } third) found = third;
        if (_rng.Chance(0.25)) Plain(found);
        else Keep(Pulled("backward", found));
        return true;
    }

    /// <summary>The gradient that was made last, where it can be pulled back from.</summary>
    private Variable? Last() =>
        _scene.Variables.LastOrDefault(v => StepNames.Bound(_steps[^1]).Contains(v.Name)) is { RequiresGrad: true } found ? found : null;

    /// <summary>A <c>grad</c> under create_graph by one tensor or several.</summary>
    private bool Created(Variable? root)
    {
        var step = Pulled("grad", root);
        var wanted = Wanting(_rng.Chance(0.3) ? _rng.Between(2, 3) : 1);
        return step is not null && wanted.Length > 0 && Keep(
            step.Wrt(wanted).Binding([.. wanted.Select(_ => NewName("d"))]).With("create_graph", Attr.NewFlag(true)).With("allow_unused", Attr.NewFlag(true)));
    }

    /// <summary>A <c>backward</c> under create_graph, and what it left in a leaf's gradient.</summary>
    private bool AccumulatedGraph()
    {
        if (Recent([.. Floats.Where(v => v.RequiresGrad && v.IsLeaf)]) is not { } leaf || From("backward") is not { } step) return false;
        return Keep(step.With("create_graph", Attr.NewFlag(true))) && Keep(Steps.Call("get_grad", [leaf.Name], NewName("d")));
    }
}
