namespace Verified.Oracle;

/// <summary>Histories that change after something was retained or hooked.</summary>
internal static class KnownOfHistories
{
    internal static IReadOnlyList<Divergence> Entries { get; } =
    [
        new("retained-before-it-was-transposed", "unreported",
            "A retained gradient is that of the tensor as it was before t_ or squeeze_, and so may have another shape than its tensor; right is that of the tensor as it is, as after any other write, or an error where it would be added to one of another shape.",
            ["semantics/gradients/retained-follows-geometry/"],
            seen => seen.IsRightWithout(Spec.Rules.Gradients.retainedFollowsGeometry),
            Witnesses.HasAGradientOfAnotherShape("v"))
        {
            Examples = ["""
                {"id": "divergences/retained-before-it-was-transposed", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [1, 2], "data": [1, 2], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2, 1], "data": [3, 4]}}, "steps": [{"op": "neg", "in": ["p"], "out": "v"}, {"op": "retain_grad", "in": ["v"]}, {"op": "t_", "in": ["v"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["v", "v.grad"]},
                 "outcome": {"values": {"v": {"dtype": "float64", "shape": [2, 1], "data": [-1, -2], "requires_grad": true, "is_leaf": false, "version": 1, "grad_fn": "TBackward1"}, "v.grad": {"dtype": "float64", "shape": [1, 2], "data": [3, 4], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/retained-before-it-was-squeezed", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [1, 2], "data": [1, 2], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2], "data": [3, 4]}}, "steps": [{"op": "neg", "in": ["p"], "out": "v"}, {"op": "retain_grad", "in": ["v"]}, {"op": "squeeze_", "in": ["v"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["v", "v.grad"]},
                 "outcome": {"values": {"v": {"dtype": "float64", "shape": [2], "data": [-1, -2], "requires_grad": true, "is_leaf": false, "version": 1, "grad_fn": "SqueezeBackward3"}, "v.grad": {"dtype": "float64", "shape": [1, 2], "data": [3, 4], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/added-to-after-it-was-transposed", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2, 3], "data": [1, 2, 3, 4, 5, 6], "requires_grad": true}, "g": {"dtype": "float64", "shape": [3, 2], "data": [1, 2, 3, 4, 5, 6]}, "h": {"dtype": "float64", "shape": [2, 3], "data": [1, 2, 3, 4, 5, 6]}}, "steps": [{"op": "mul", "in": ["p"], "attrs": {"other": 2.0}, "out": "v"}, {"op": "retain_grad", "in": ["v"]}, {"op": "backward", "in": ["v"], "gradients": ["h"], "attrs": {"retain_graph": true}}, {"op": "t_", "in": ["v"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["v", "v.grad"]},
                 "outcome": {"values": {"v": {"dtype": "float64", "shape": [3, 2], "data": [2, 8, 4, 10, 6, 12], "requires_grad": true, "is_leaf": false, "version": 1, "grad_fn": "TBackward1"}, "v.grad": {"dtype": "float64", "shape": [2, 3], "data": [2, 5, 8, 6, 9, 12], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """],
        },
        new("retained-again-after-detach", "unreported",
            "After detach_ a tensor still counts as one that retains its gradient, though nothing is retained any more, and retain_grad does nothing; right is that it retains again.",
            ["semantics/gradients/detached-retains-nothing/"],
            seen => seen.IsRightWithout(Spec.Rules.Gradients.detachedRetainsNothing),
            Witnesses.DiffersFromItsTwin("y.grad", "w.grad"))
        {
            Examples = ["""
                {"id": "divergences/retained-again-after-detach", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [1], "data": [1], "requires_grad": true}, "v": {"dtype": "float64", "shape": [1], "data": [1], "requires_grad": true}, "p": {"dtype": "float64", "shape": [], "data": [2], "requires_grad": true}, "q": {"dtype": "float64", "shape": [], "data": [2], "requires_grad": true}, "g": {"dtype": "float64", "shape": [1], "data": [3]}}, "steps": [{"op": "mul", "in": ["x"], "attrs": {"other": 2.0}, "out": "y"}, {"op": "retain_grad", "in": ["y"]}, {"op": "detach_", "in": ["y"]}, {"op": "setitem_", "in": ["y", "p"], "attrs": {"index": [0]}}, {"op": "retain_grad", "in": ["y"]}, {"op": "backward", "in": ["y"], "gradients": ["g"]}, {"op": "mul", "in": ["v"], "attrs": {"other": 2.0}, "out": "w"}, {"op": "detach_", "in": ["w"]}, {"op": "setitem_", "in": ["w", "q"], "attrs": {"index": [0]}}, {"op": "retain_grad", "in": ["w"]}, {"op": "backward", "in": ["w"], "gradients": ["g"]}], "observe": ["y.grad", "w.grad"]},
                 "outcome": {"values": {"y.grad": null, "w.grad": {"dtype": "float64", "shape": [1], "data": [3], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """],
        },
        new("history-lost-when-squeezed", "unreported",
            "The history of a view that was retained, then given another shape in place, is not found after a write to its base: an assertion inside PyTorch fails; right is that it has one.",
            [],
            seen => seen.Finding is { Difference: Difference.IsLeaf or Difference.GradFn, Actual: null }
                && ProgramFacts.IsRetainedElsewhere(seen.Program, seen.Finding.Name),
            Witnesses.CannotSayWhetherItIsALeaf("v"))
        {
            Examples = ["""
                {"id": "divergences/history-lost-when-squeezed", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [1, 2], "requires_grad": true}}, "steps": [{"op": "neg", "in": ["p"], "out": "x"}, {"op": "view", "in": ["x"], "attrs": {"size": [1, 2]}, "out": "v"}, {"op": "retain_grad", "in": ["v"]}, {"op": "squeeze_", "in": ["v"]}, {"op": "mul_", "in": ["x"], "attrs": {"other": 2}}], "observe": ["v"]},
                 "outcome": {"values":{"v":{"dtype":"float64","shape":[2],"data":[-2,-4],"requires_grad":true,"version":2}}}}
                """],
        },
        new("hooked-again", "unreported",
            "A tensor keeps its list of hooks through t_, squeeze_, detach_ and a first history that a write to a view of it gives it: what is hooked of it afterwards runs where the list began, or not at all; right is that it belongs to the tensor as it is.",
            ["semantics/hooks/belong-to-the-tensor-as-it-is/"],
            seen => seen.IsRightWithout(Spec.Rules.Hooks.belongToTheTensorAsItIs),
            Witnesses.DiffersFromItsTwin("p.grad", "q.grad"))
        {
            Examples = ["""
                {"id": "divergences/hooked-again-after-a-first-history", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [1], "data": [0], "requires_grad": true}, "y": {"dtype": "float64", "shape": [1], "data": [0], "requires_grad": true}, "p": {"dtype": "float64", "shape": [], "data": [0], "requires_grad": true}, "q": {"dtype": "float64", "shape": [], "data": [0], "requires_grad": true}}, "steps": [{"op": "register_hook", "in": ["x"], "attrs": {"scale": 0.5}}, {"op": "detach_", "in": ["x"]}, {"op": "detach_", "in": ["y"]}, {"op": "setitem_", "in": ["x", "p"], "attrs": {"index": [0]}}, {"op": "setitem_", "in": ["y", "q"], "attrs": {"index": [0]}}, {"op": "register_hook", "in": ["x"], "attrs": {"scale": 3.0}}, {"op": "register_hook", "in": ["y"], "attrs": {"scale": 3.0}}, {"op": "backward", "in": ["x", "y"]}], "observe": ["p.grad", "q.grad"]},
                 "outcome": {"values": {"p.grad": {"dtype": "float64", "shape": [], "data": [1], "requires_grad": false, "is_leaf": true, "grad_fn": null}, "q.grad": {"dtype": "float64", "shape": [], "data": [3], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/hooked-again-after-geometry-in-place", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [1], "data": [0], "requires_grad": true}, "q": {"dtype": "float64", "shape": [1], "data": [0], "requires_grad": true}, "g": {"dtype": "float64", "shape": [1], "data": [1]}}, "steps": [{"op": "add", "in": ["p", "p"], "out": "v"}, {"op": "add", "in": ["q", "q"], "out": "w"}, {"op": "register_hook", "in": ["v"], "attrs": {"scale": 1.0}}, {"op": "neg", "in": ["v"], "out": "a"}, {"op": "neg", "in": ["w"], "out": "b"}, {"op": "squeeze_", "in": ["v"]}, {"op": "squeeze_", "in": ["w"]}, {"op": "register_hook", "in": ["v"], "attrs": {"scale": 3.0}}, {"op": "register_hook", "in": ["w"], "attrs": {"scale": 3.0}}, {"op": "backward", "in": ["a"], "gradients": ["g"]}, {"op": "backward", "in": ["b"], "gradients": ["g"]}], "observe": ["p.grad", "q.grad"]},
                 "outcome": {"values": {"p.grad": {"dtype": "float64", "shape": [1], "data": [-6], "requires_grad": false, "is_leaf": true, "grad_fn": null}, "q.grad": {"dtype": "float64", "shape": [1], "data": [-2], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """],
        },
    ];
}
