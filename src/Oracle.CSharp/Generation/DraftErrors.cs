using Microsoft.FSharp.Collections;
using Verified.Spec;

namespace Verified.Oracle.Generation;

/// <summary>Programs whose right outcome is an error.</summary>
internal sealed partial class Draft
{
    private static readonly string[] SimpleWrites = ["zero", "neg", "exp", "sigmoid"];

    /// <summary>Looks for a step that the specification refuses, and ends with it: with one of autograd's errors for the most part.</summary>
    private void EndInError()
    {
        var argument = _rng.Chance(0.25);
        for (var i = 0; i < Tries; i++)
        {
            var leaf = Recent([.. Floats.Where(v => v.IsLeaf && v.RequiresGrad)]);
            var root = Recent(Floats);
            var step = argument ? BadArgument() : _rng.Below(9) switch
            {
                0 when leaf is not null && _choice.Allows("zero") => Steps.Act("zero_", leaf.Name),
                1 when root is not null => Steps.Act("backward", root.Name),
                2 when root is not null => Steps.Act("backward", root.Name).Gradients(AddInput("g", Values.Floats(_rng, root.DType, RandomShape(), _style, Domain.Everywhere), false)),
                3 => Call(heavy: false, inPlace: true),
                4 => leaf is null ? null : From("grad")?.Wrt(leaf.Name).Binding([NewName("d")]),
                _ => Overwritten(),
            };
            if (step is null || Count == _options.MaxSteps) continue;
            var (next, error) = _scene.After(step);
            if (next is not null || error is null || !(argument ? Errors.AreOfArguments(error.Kind) : Errors.AreAutograd(error.Kind))) continue;
            _steps.Add(step);
            return;
        }
    }

    /// <summary>
    /// Something computed, a write to it or to what it was computed of, and a backward. Of the writes that there could be, one after which
    /// backward is an error is taken where there is one: which these are shows what an operator keeps.
    /// </summary>
    private Step? Overwritten()
    {
        var writes = SimpleWrites.Where(_choice.Allows).ToList();
        if (!Has("in_place") || writes.Count == 0) return null;
        if (_rng.Chance(0.5)) Keep(Call(heavy: false));
        var results = Floats.Where(v => v.RequiresGrad && !v.IsLeaf).ToDictionary(v => v.Name);
        var calls = _steps.Where(step => StepNames.Bound(step).Any(results.ContainsKey)).ToList();
        if (calls.Count == 0 || Count + 2 > _options.MaxSteps) return null;
        var call = calls[^(1 + Math.Min(_rng.Below(calls.Count), _rng.Below(calls.Count)))];
        var result = results[StepNames.Bound(call).First(results.ContainsKey)];
        var backward = Steps.Act("backward", result.Name).Gradients(Upstream(result));
        var names = StepNames.Read(call).Append(result.Name).ToHashSet();
        foreach (var written in _rng.Shuffled(Writable.Where(v => names.Contains(v.Name))))
        {
            var write = Steps.Act(_rng.Pick(writes) + "_", written.Name);
            if (_scene.After(write).Next?.After(backward).Error is not null && Keep(write)) return backward;
        }

        return null;
    }

    /// <summary>A call as it is proposed, its attributes spoiled half the time.</summary>
    private Step? BadArgument()
    {
        var inPlace = Has("in_place") && _rng.Chance(0.2);
        if (_choice.Pick(_rng, heavy: _wantsHeavy || _rng.Chance(0.3), views: Has("views") && _rng.Chance(0.3), inPlace) is not { } op) return null;
        if (Proposed(op, inPlace) is not { } step) return null;
        if (!inPlace && !op.OnlyInPlace) step = step.Binding(NewName("v"));
        // A bad value is one that was spoiled: what is given twice or not at all fits no signature of PyTorch's.
        if (_scene.After(step).Error is { } error) return error.Kind.IsValueError || op.Args.Any(arg => arg is ArgKind.Optional) ? null : step;
        if (step.Attrs.IsEmpty) return null;
        var (name, value) = _rng.Pick(step.Attrs.ToList());
        return step.With(name, Attributes.Spoiled(_rng, value));
    }
}
