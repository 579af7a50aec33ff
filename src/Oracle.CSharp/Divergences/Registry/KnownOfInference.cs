using Verified.Oracle.Generation;

namespace Verified.Oracle;

/// <summary>Tensors of inference mode, and what is made of them.</summary>
internal static class KnownOfInference
{
    internal static IReadOnlyList<Divergence> Entries { get; } =
    [
        new("kernel-writes-counted", "unreported",
            "The result of an operator on a tensor of inference mode has a version that counts the writes of the operator's own kernel; right is 0, since nothing wrote to it.",
            [],
            seen => seen.CountsMore && ProgramFacts.IsMadeOfInferenceTensors(seen.Program, seen.Finding.Name),
            Witnesses.HasAVersionThoughNothingWrites("y"))
        {
            Examples = ["""
                {"id": "divergences/kernel-writes-counted", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float32", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "inference_mode", "steps": [{"op": "neg", "in": ["c"], "out": "v"}]}, {"op": "clone", "in": ["v"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [2], "data": [-1, -2], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/kernel-writes-counted-in-a-view", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float32", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "inference_mode", "steps": [{"op": "neg", "in": ["c"], "out": "v"}]}, {"op": "no_grad", "steps": [{"op": "clone", "in": ["v"], "out": "z"}]}, {"op": "view", "in": ["z"], "attrs": {"size": [2]}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [2], "data": [-1, -2], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """],
        },
        new("leaf-of-inference-is-not-seen", "unreported",
            "Memory that was made in inference mode is not seen by autograd outside where no other tensor takes part, though it was made to require a gradient there, or was detached and written to with one, and a view of it is no view to autograd: what is computed of it has no history, and nothing says so; right is a history, or an error.",
            ["semantics/modes/inference-leaves-are-leaves/"],
            seen => seen.IsRightWithout(Spec.Rules.Modes.inferenceLeavesAreLeaves),
            Witnesses.HasNoHistoryOfALeaf("y"))
        {
            Examples = ["""
                {"id": "divergences/leaf-of-inference-is-not-seen", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float64", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "inference_mode", "steps": [{"op": "clone", "in": ["c"], "out": "x"}, {"op": "requires_grad_", "in": ["x"]}]}, {"op": "exp", "in": ["x"], "out": "y"}], "observe": ["x", "y"]},
                 "outcome": {"values": {"x": {"dtype": "float64", "shape": [2], "data": [1, 2], "requires_grad": true, "is_leaf": true, "grad_fn": null}, "y": {"dtype": "float64", "shape": [2], "data": [2.718281828459045, 7.38905609893065], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/view-of-what-was-detached-from-inference-and-written", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float64", "shape": [2], "data": [1, 2]}, "p": {"dtype": "float64", "shape": [], "data": [2], "requires_grad": true}, "k": {"dtype": "float64", "shape": [], "data": [3]}}, "steps": [{"op": "inference_mode", "steps": [{"op": "neg", "in": ["c"], "out": "v"}]}, {"op": "detach", "in": ["v"], "out": "d"}, {"op": "no_grad", "steps": [{"op": "view", "in": ["d"], "attrs": {"size": [2]}, "out": "w"}]}, {"op": "mul_", "in": ["d", "p"]}, {"op": "mul", "in": ["w", "k"], "out": "y"}], "observe": ["d", "y"]},
                 "outcome": {"values": {"d": {"dtype": "float64", "shape": [2], "data": [-2, -4], "requires_grad": true, "is_leaf": false, "version": 1, "grad_fn": "MulBackward0"}, "y": {"dtype": "float64", "shape": [2], "data": [-6, -12], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("mean-of-a-leaf-of-inference", "unreported",
            "mean, and adaptive_avg_pool2d to one element by it, write their sum into an `out=` of their own, and refuse that where they are called with nothing but memory that was made in inference mode and requires a gradient; right is the mean.",
            [],
            seen => seen.RaisesAt((state, step) => step.Op is "mean" or "adaptive_avg_pool2d" && ProgramFacts.IsOfInference(state, step), Witnesses.GivenOut),
            Witnesses.ComplainsOfAnOutThatNothingGives)
        {
            Examples = ["""
                {"id": "divergences/mean-of-a-leaf-of-inference", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float64", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "inference_mode", "steps": [{"op": "clone", "in": ["c"], "out": "x"}, {"op": "requires_grad_", "in": ["x"]}]}, {"op": "mean", "in": ["x"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {}, "raised": {"step": [1], "kind": "other", "message": "sum(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad."}}}
                """,
                """
                {"id": "divergences/pooling-of-a-leaf-of-inference", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float64", "shape": [1, 1, 2], "data": [1, 2]}}, "steps": [{"op": "inference_mode", "steps": [{"op": "clone", "in": ["c"], "out": "x"}, {"op": "requires_grad_", "in": ["x"]}]}, {"op": "adaptive_avg_pool2d", "in": ["x"], "attrs": {"output_size": [1, 1]}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {}, "raised": {"step": [1], "kind": "other", "message": "sum(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad."}}}
                """],
        },
        new("detached-from-inference", "unreported",
            "A tensor that was detached from one of inference mode has versions, which in that mode are not counted, but its views have none, and it is refused as one of inference mode where it is kept, is to require a gradient, or a part of it is written to, and a view of it may be detached in place; right is that it is a tensor like any other.",
            [],
            seen => seen.Finding.Difference switch
            {
                Difference.Version => (seen.Finding.Actual is null || (seen.CountsLess && ProgramFacts.WritesInInferenceMode(seen.Program))) && ProgramFacts.IsDetachedFromInference(seen.Program, seen.Finding.Name),
                Difference.Raised => seen.RaisesAt(
                    (state, step) => StepNames.Read(step).Any(name => ProgramFacts.IsDetachedFromInference(seen.Program, name, state)),
                    "Inference tensors cannot be saved for backward", "Inplace update to inference tensor outside InferenceMode", "Setting requires_grad=True on inference tensor outside InferenceMode")
                    || seen.TakesAt(
                        Spec.ErrorKind.DetachView,
                        (state, step) => step.Op == "detach_" && StepNames.Read(step).Any(name => ProgramFacts.IsDetachedFromInference(seen.Program, name, state))),
                _ => false,
            },
            Witnesses.HasAVersion("d"))
        {
            Examples = ["""
                {"id": "divergences/view-of-what-was-detached-from-inference", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float32", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "inference_mode", "steps": [{"op": "neg", "in": ["c"], "out": "v"}]}, {"op": "detach", "in": ["v"], "out": "d"}, {"op": "view", "in": ["d"], "attrs": {"size": [2]}, "out": "y"}], "observe": ["y", "d"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [2], "data": [-1, -2], "requires_grad": false, "is_leaf": true, "grad_fn": null}, "d": {"dtype": "float32", "shape": [2], "data": [-1, -2], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/detached-from-inference-and-kept", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float64", "shape": [2], "data": [1, 2]}, "p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}}, "steps": [{"op": "inference_mode", "steps": [{"op": "neg", "in": ["c"], "out": "v"}]}, {"op": "detach", "in": ["v"], "out": "d"}, {"op": "mul", "in": ["p", "d"], "out": "y"}], "observe": ["d"]},
                 "outcome": {"values": {"d": {"dtype": "float64", "shape": [2], "data": [-1, -2], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}, "raised": {"step": [2], "kind": "other", "message": "Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal tensor and use it in autograd."}}}
                """,
                """
                {"id": "divergences/detached-from-inference-and-required", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float32", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "inference_mode", "steps": [{"op": "exp", "in": ["p"], "out": "v"}]}, {"op": "detach", "in": ["v"], "out": "d"}, {"op": "requires_grad_", "in": ["d"]}], "observe": ["d"]},
                 "outcome": {"values": {"d": {"dtype": "float32", "shape": [2], "data": [2.7182817, 7.389056], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}, "raised": {"step": [2], "kind": "other", "message": "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."}}}
                """,
                """
                {"id": "divergences/detached-from-inference-and-written", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float32", "shape": [2], "data": [1, 2]}, "s": {"dtype": "float32", "shape": [], "data": [-1]}}, "steps": [{"op": "inference_mode", "steps": [{"op": "neg", "in": ["c"], "out": "v"}]}, {"op": "detach", "in": ["v"], "out": "d"}, {"op": "setitem_", "in": ["d", "s"], "attrs": {"index": [[0, 1, null]]}}], "observe": ["d"]},
                 "outcome": {"values": {"d": {"dtype": "float32", "shape": [2], "data": [-1, -2], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}, "raised": {"step": [2], "kind": "other", "message": "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details."}}}
                """,
                """
                {"id": "divergences/detached-from-inference-and-not-counted", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float64", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "inference_mode", "steps": [{"op": "neg", "in": ["c"], "out": "v"}]}, {"op": "detach", "in": ["v"], "out": "d"}, {"op": "inference_mode", "steps": [{"op": "mul_", "in": ["d"], "attrs": {"other": 2.0}}]}], "observe": ["d"]},
                 "outcome": {"values": {"d": {"dtype": "float64", "shape": [2], "data": [-2, -4], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/detached-from-inference-and-a-view-of-it-again", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float32", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "inference_mode", "steps": [{"op": "neg", "in": ["c"], "out": "v"}]}, {"op": "detach", "in": ["v"], "out": "d"}, {"op": "view", "in": ["d"], "attrs": {"size": [2]}, "out": "w"}, {"op": "detach_", "in": ["w"]}], "observe": ["d"]},
                 "outcome": {"values": {"d": {"dtype": "float32", "shape": [2], "data": [-1, -2], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
    ];
}
