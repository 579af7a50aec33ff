using Verified.Spec;

namespace Verified.Oracle;

/// <summary>What a backward does with the gradients that it makes and is given.</summary>
internal static class KnownOfGradients
{
    internal static IReadOnlyList<Divergence> Entries { get; } =
    [
        new("gradient-without-storage", "unreported",
            "A gradient known to be zero is kept as a tensor without storage, to which the next backward cannot add, and nothing can write, and which a hook's number turns to float64; right is to add, to write, and to multiply.",
            [],
            ZeroTensor.Explains,
            Witnesses.ByDifferences("p"))
        {
            Examples = ["""
                {"id": "divergences/gradient-without-storage", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.75, -2], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2], "data": [1.5, 0.5]}, "h": {"dtype": "float64", "shape": [2], "data": [2, 3]}}, "steps": [{"op": "abs", "in": ["p"], "out": "v"}, {"op": "grad", "in": ["v"], "gradients": ["g"], "wrt": ["p"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "backward", "in": ["d"], "gradients": ["h"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["p.grad"]},
                 "outcome": {"values": {"p.grad": {"dtype": "float64", "shape": [2], "data": [0, 0], "requires_grad": false, "is_leaf": true, "grad_fn": null}}, "raised": {"step": [3], "kind": "other", "message": "ZeroTensors are immutable. Please use the materialized zero tensor obtained using .clone() if you want a mutable tensor."}}}
                """,
                """
                {"id": "divergences/hook-on-a-gradient-without-storage", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float32", "shape": [], "data": [0.5], "requires_grad": true}, "h": {"dtype": "float32", "shape": [], "data": [2]}}, "steps": [{"op": "register_hook", "in": ["p"], "attrs": {"scale": 3.0}}, {"op": "abs", "in": ["p"], "out": "v"}, {"op": "grad", "in": ["v"], "wrt": ["p"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "backward", "in": ["d"], "gradients": ["h"]}], "observe": ["p.grad"]},
                 "outcome": {"values": {"p.grad": null}, "raised": {"step": [3], "kind": "other", "message": "hook '<lambda>' has changed the type of value (was torch.FloatTensor got torch.DoubleTensor)"}}}
                """],
        },
        new("gradient-kept-from-the-user", "unreported",
            "A leaf whose only way from the root is views keeps the user's gradient as its own: the next backward adds to it, and what the user writes to it shows in the leaf's; right is that no backward writes to what it was given, or keeps it.",
            ["semantics/gradients/views-are-not-shared/"],
            KeptGradient.Explains,
            Witnesses.ChangesWhatNothingWritesTo)
        {
            Examples = ["""
                {"id": "divergences/gradient-kept-from-the-user", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2, 1], "data": [1, 2]}}, "steps": [{"op": "unsqueeze", "in": ["p"], "attrs": {"dim": 1}, "out": "v"}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["g"]},
                 "outcome": {"values": {"g": {"dtype": "float64", "shape": [2, 1], "data": [2, 4], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/detached-gradient-kept-from-the-user", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float32", "shape": [3], "data": [0, 0, 0], "requires_grad": true}, "g": {"dtype": "float32", "shape": [1, 3], "data": [0, 2, -1]}, "h": {"dtype": "float32", "shape": [3], "data": [0, 1, 1]}}, "steps": [{"op": "unsqueeze", "in": ["p"], "attrs": {"dim": 0}, "out": "v"}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "detach", "in": ["g"], "out": "d"}, {"op": "backward", "in": ["p"], "gradients": ["h"]}, {"op": "lt", "in": ["g"], "attrs": {"other": -0.5}, "out": "l"}], "observe": ["d", "l", "g"]},
                 "outcome": {"values":{"d":{"dtype":"float32","shape":[1,3],"data":[0,3,0],"requires_grad":false,"is_leaf":true,"version":1,"grad_fn":null},"l":{"dtype":"bool","shape":[1,3],"data":[false,false,false],"requires_grad":false,"is_leaf":true,"version":0,"grad_fn":null},"g":{"dtype":"float32","shape":[1,3],"data":[0,3,0],"requires_grad":false,"is_leaf":true,"version":1,"grad_fn":null}}}}
                """,
                """
                {"id": "divergences/gradient-kept-in-part", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float64", "shape": [1], "data": [0]}, "p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [3], "data": [1, 2, 3]}}, "steps": [{"op": "cat", "in": [["c", "p"]], "out": "v"}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["g"]},
                 "outcome": {"values": {"g": {"dtype": "float64", "shape": [3], "data": [1, 4, 6], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/gradient-kept-through-a-stack", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [1, 2], "data": [1, 2]}}, "steps": [{"op": "stack", "in": [["p"]], "out": "v"}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["g"]},
                 "outcome": {"values": {"g": {"dtype": "float64", "shape": [1, 2], "data": [2, 4], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/gradient-kept-in-a-stack", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float64", "shape": [1], "data": [0]}, "p": {"dtype": "float64", "shape": [1], "data": [0.5], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2, 1], "data": [1, 2]}}, "steps": [{"op": "stack", "in": [["c", "p"]], "out": "v"}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["g"]},
                 "outcome": {"values": {"g": {"dtype": "float64", "shape": [2, 1], "data": [1, 4], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/gradient-kept-through-a-block", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2, 1], "data": [1, 2]}}, "steps": [{"op": "enable_grad", "steps": [{"op": "unsqueeze", "in": ["p"], "attrs": {"dim": 1}, "out": "v"}]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["g"]},
                 "outcome": {"values": {"g": {"dtype": "float64", "shape": [2, 1], "data": [2, 4], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/gradient-kept-through-a-transposed-difference", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "sub", "in": ["p"], "attrs": {"other": 2}, "out": "v"}, {"op": "t_", "in": ["v"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["g"]},
                 "outcome": {"values": {"g": {"dtype": "float64", "shape": [2], "data": [2, 4], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/gradient-kept-and-added-to-before-an-error", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p1": {"dtype": "float32", "shape": [1], "data": [0], "requires_grad": true}, "p2": {"dtype": "float32", "shape": [2, 2], "data": [0, 0, 0, 0], "requires_grad": true}, "g10": {"dtype": "float32", "shape": [1], "data": [0]}, "g12": {"dtype": "float32", "shape": [2, 2], "data": [0, 0, 0, 0]}, "g15": {"dtype": "float32", "shape": [2, 2], "data": [0, 1, 0, 0]}}, "steps": [{"op": "div", "in": ["p2", "p2"], "out": "v3"}, {"op": "permute", "in": ["p1"], "attrs": {"dims": [0]}, "out": "v6"}, {"op": "backward", "in": ["v6"], "gradients": ["g10"]}, {"op": "backward", "in": ["v3"], "gradients": ["g12"]}, {"op": "minimum", "in": ["v3", "v6"], "out": "v14"}, {"op": "backward", "in": ["v14"], "gradients": ["g15"]}], "observe": ["g10"]},
                 "outcome": {"values": {"g10": {"dtype": "float32", "shape": [1], "data": [1], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}, "raised": {"step": [5], "kind": "freed_graph", "message": "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward."}}}
                """,
                """
                {"id": "divergences/gradient-of-inference-kept-from-the-user", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2], "data": [1, 2]}, "q": {"dtype": "float64", "shape": [2], "data": [3, 1], "requires_grad": true}, "h": {"dtype": "float64", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "view", "in": ["p"], "attrs": {"size": [2]}, "out": "v"}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "view", "in": ["q"], "attrs": {"size": [2]}, "out": "w"}, {"op": "inference_mode", "steps": [{"op": "clone", "in": ["h"], "out": "u"}]}, {"op": "backward", "in": ["w"], "gradients": ["u"]}, {"op": "backward", "in": ["q"], "gradients": ["h"]}], "observe": ["g", "u"]},
                 "outcome": {"values": {"g": {"dtype": "float64", "shape": [2], "data": [2, 4], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}, "u": {"dtype": "float64", "shape": [2], "data": [2, 4], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/gradient-kept-and-turned", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2], "data": [1, 2]}, "q": {"dtype": "float64", "shape": [2, 2], "data": [1, 2, 3, 4], "requires_grad": true}, "h": {"dtype": "float64", "shape": [2, 2], "data": [1, 2, 3, 4]}}, "steps": [{"op": "view", "in": ["p"], "attrs": {"size": [2]}, "out": "v"}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "view", "in": ["q"], "attrs": {"size": [2, 2]}, "out": "w"}, {"op": "backward", "in": ["w"], "gradients": ["h"]}, {"op": "t_", "in": ["h"]}, {"op": "backward", "in": ["w"], "gradients": ["h"]}], "observe": ["g"]},
                 "outcome": {"values": {"g": {"dtype": "float64", "shape": [2], "data": [2, 4], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}, "raised": {"step": [6], "kind": "overlapping_write", "message": "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor before performing the operation."}}}
                """],
        },
        new("first-gradient-of-another-shape", "unreported",
            "A leaf that was given another shape since the graph was made keeps its first gradient as it arrives, in the old shape, where nothing else holds it; right is to refuse it, as PyTorch does where it copies or adds.",
            ["semantics/gradients/first-has-the-leafs-shape/"],
            seen => seen.IsRightWithout(Spec.Rules.Gradients.firstHasTheLeafsShape),
            Witnesses.HasAGradientOfAnotherShape("x"))
        {
            Examples = ["""
                {"id": "divergences/first-gradient-of-another-shape", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2, 1], "data": [1, 2], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2, 1], "data": [3, 4]}}, "steps": [{"op": "mul", "in": ["x"], "attrs": {"other": 2.0}, "out": "y"}, {"op": "no_grad", "steps": [{"op": "t_", "in": ["x"]}]}, {"op": "backward", "in": ["y"], "gradients": ["g"]}], "observe": ["x", "x.grad"]},
                 "outcome": {"values": {"x": {"dtype": "float64", "shape": [1, 2], "data": [1, 2], "requires_grad": true, "is_leaf": true, "version": 1, "grad_fn": null}, "x.grad": {"dtype": "float64", "shape": [2, 1], "data": [6, 8], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """],
        },
        new("given-what-is-added-to", "unreported",
            "A backward that is given a leaf's own gradient adds to it in place while it is still under way to other leaves, or where it lies otherwise refuses the addition; right is the gradient as it was when the backward began.",
            ["semantics/gradients/given-is-as-it-was/"],
            seen => seen.IsRightWithout(Spec.Rules.Gradients.givenIsAsItWas)
                || seen.RaisesAt(ProgramFacts.IsGivenAGradientLaidOutOtherwise, "some elements of the input tensor and the written-to tensor refer to a single memory location"),
            Witnesses.DiffersFromItsTwin("p.grad", "q.grad"))
        {
            Examples = ["""
                {"id": "divergences/given-what-is-added-to", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [1], "data": [0], "requires_grad": true}, "z": {"dtype": "float64", "shape": [1], "data": [0], "requires_grad": true}, "p": {"dtype": "float64", "shape": [1], "data": [0], "requires_grad": true}, "q": {"dtype": "float64", "shape": [1], "data": [0], "requires_grad": true}, "c": {"dtype": "float64", "shape": [1], "data": [1]}}, "steps": [{"op": "backward", "in": ["x"], "gradients": ["c"]}, {"op": "backward", "in": ["z"], "gradients": ["c"]}, {"op": "add", "in": ["x", "p"], "out": "y"}, {"op": "add", "in": ["z", "q"], "out": "u"}, {"op": "get_grad", "in": ["x"], "out": "g"}, {"op": "get_grad", "in": ["z"], "out": "k"}, {"op": "clone", "in": ["k"], "out": "h"}, {"op": "backward", "in": ["y"], "gradients": ["g"]}, {"op": "backward", "in": ["u"], "gradients": ["h"]}], "observe": ["p.grad", "q.grad"]},
                 "outcome": {"values": {"p.grad": {"dtype": "float64", "shape": [1], "data": [2], "requires_grad": false, "is_leaf": true, "grad_fn": null}, "q.grad": {"dtype": "float64", "shape": [1], "data": [1], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/given-what-is-added-to-transposed", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2, 2], "data": [0, 0, 0, 0], "requires_grad": true}, "q": {"dtype": "float64", "shape": [2, 2], "data": [0, 0, 0, 0], "requires_grad": true}, "c": {"dtype": "float64", "shape": [2, 2], "data": [1, 2, 3, 4]}}, "steps": [{"op": "backward", "in": ["p"], "gradients": ["c"]}, {"op": "backward", "in": ["q"], "gradients": ["c"]}, {"op": "get_grad", "in": ["q"], "out": "k"}, {"op": "t", "in": ["k"], "out": "l"}, {"op": "clone", "in": ["l"], "out": "m"}, {"op": "clone", "in": ["q"], "out": "w"}, {"op": "backward", "in": ["w"], "gradients": ["m"]}, {"op": "get_grad", "in": ["p"], "out": "g"}, {"op": "t", "in": ["g"], "out": "h"}, {"op": "clone", "in": ["p"], "out": "y"}, {"op": "backward", "in": ["y"], "gradients": ["h"]}], "observe": ["p.grad", "q.grad"]},
                 "outcome": {"values": {"p.grad": {"dtype": "float64", "shape": [2, 2], "data": [1, 2, 3, 4], "requires_grad": false, "is_leaf": true, "grad_fn": null}, "q.grad": {"dtype": "float64", "shape": [2, 2], "data": [2, 5, 5, 8], "requires_grad": false, "is_leaf": true, "grad_fn": null}}, "raised": {"step": [10], "kind": "overlapping_write", "message": "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor before performing the operation."}}}
                """],
        },
        new("zeros-of-a-sign-in-row-major-order", "unreported",
            "The derivative of a sign, zeros without storage, lies in row-major order once it is handed out, so that views of it are refused, or taken, unlike those of other zeros; right is the order of what it is a derivative by, as of any other derivative element by element.",
            [],
            seen => seen.ViewsOtherwise(2, (_, step) => step.Op.TrimEnd('_') is "abs" or "norm" or "l1_loss"),
            Witnesses.IsRefusedUnlikeItsTwin("z", "y"))
        {
            Examples = ["""
                {"id": "divergences/zeros-of-a-sign-in-row-major-order", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"l": {"dtype": "float64", "shape": [2, 2], "data": [2, 3, 0.5, 1.5], "requires_grad": true}}, "steps": [{"op": "t", "in": ["l"], "out": "a"}, {"op": "mul", "in": ["a"], "attrs": {"other": 0}, "out": "h"}, {"op": "t", "in": ["h"], "out": "v"}, {"op": "view", "in": ["v"], "attrs": {"size": [4]}, "out": "y"}, {"op": "abs", "in": ["a"], "out": "b"}, {"op": "sum", "in": ["b"], "out": "s"}, {"op": "grad", "in": ["s"], "attrs": {"create_graph": true}, "wrt": ["a"], "out": ["g"]}, {"op": "square", "in": ["g"], "out": "e"}, {"op": "sum", "in": ["e"], "out": "es"}, {"op": "grad", "in": ["es"], "wrt": ["a"], "out": ["f"]}, {"op": "t", "in": ["f"], "out": "w"}, {"op": "view", "in": ["w"], "attrs": {"size": [4]}, "out": "z"}], "observe": ["y", "z"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [4], "data": [0, 0, 0, 0], "requires_grad": true, "is_leaf": false, "version": 0, "grad_fn": "ViewBackward0"}}, "raised": {"step": [11], "kind": "shape", "message": "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead."}}}
                """],
        },
        new("second-derivative-of-a-normalisation-in-its-order", "unreported",
            "The second derivative of layer_norm and of batch_norm lies in the order of what is normalised, where the first lies in row-major order, so that a view is refused that is taken of the same by a copy; right is row-major order for both.",
            [],
            seen => seen.ViewsOtherwise(2, (_, step) => step.Op is "layer_norm" or "batch_norm"),
            Witnesses.IsRefusedUnlikeItsTwin("z", "y"))
        {
            Examples = ["""
                {"id": "divergences/second-derivative-of-layer-norm-in-its-order", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"l": {"dtype": "float64", "shape": [2, 2], "data": [2, 3, 0.5, 1.5], "requires_grad": true}}, "steps": [{"op": "t", "in": ["l"], "out": "a"}, {"op": "contiguous", "in": ["a"], "out": "c"}, {"op": "layer_norm", "in": ["c"], "attrs": {"normalized_shape": [2], "eps": 0.5}, "out": "n"}, {"op": "square", "in": ["n"], "out": "k"}, {"op": "sum", "in": ["k"], "out": "s"}, {"op": "grad", "in": ["s"], "attrs": {"create_graph": true}, "wrt": ["c"], "out": ["g"]}, {"op": "square", "in": ["g"], "out": "e"}, {"op": "sum", "in": ["e"], "out": "es"}, {"op": "grad", "in": ["es"], "wrt": ["c"], "out": ["h"]}, {"op": "view", "in": ["h"], "attrs": {"size": [4]}, "out": "y"}, {"op": "layer_norm", "in": ["a"], "attrs": {"normalized_shape": [2], "eps": 0.5}, "out": "m"}, {"op": "square", "in": ["m"], "out": "k"}, {"op": "sum", "in": ["k"], "out": "s"}, {"op": "grad", "in": ["s"], "attrs": {"create_graph": true}, "wrt": ["a"], "out": ["g"]}, {"op": "square", "in": ["g"], "out": "e"}, {"op": "sum", "in": ["e"], "out": "es"}, {"op": "grad", "in": ["es"], "wrt": ["a"], "out": ["f"]}, {"op": "view", "in": ["f"], "attrs": {"size": [4]}, "out": "z"}], "observe": ["y", "z"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [4], "data": [-1.315467684421741, 1.3154676844217408, -1.3154676844217408, 1.3154676844217406], "requires_grad": false, "is_leaf": true, "grad_fn": null}}, "raised": {"step": [17], "kind": "shape", "message": "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead."}}}
                """],
        },
        new("view-taken-for-a-leaf", "unreported",
            "retain_grad of a view that a write to its base made part of a graph does nothing until something has asked for its grad_fn, as if it were a leaf, which is_leaf denies; right is that it retains, and the view may then be written to.",
            ["semantics/gradients/retaining-asks-for-the-history/"],
            seen => seen.IsRightWithout(Spec.Rules.Gradients.retainingAsksForTheHistory),
            Witnesses.IsNoLeaf("v"))
        {
            Examples = ["""
                {"id": "divergences/view-that-retains-nothing", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float64", "shape": [2], "data": [1, 2]}, "p": {"dtype": "float64", "shape": [], "data": [3], "requires_grad": true}}, "steps": [{"op": "view", "in": ["c"], "attrs": {"size": [2]}, "out": "v"}, {"op": "mul_", "in": ["c", "p"]}, {"op": "retain_grad", "in": ["v"]}, {"op": "sum", "in": ["v"], "out": "s"}, {"op": "backward", "in": ["s"]}], "observe": ["v", "v.grad"]},
                 "outcome": {"values":{"v":{"dtype":"float64","shape":[2],"data":[3,6],"requires_grad":true,"is_leaf":false,"version":1,"grad_fn":"AsStridedBackward0"},"v.grad":null}}}
                """,
                """
                {"id": "divergences/view-taken-for-a-leaf", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float64", "shape": [2], "data": [1, 2]}, "p": {"dtype": "float64", "shape": [], "data": [3], "requires_grad": true}}, "steps": [{"op": "view", "in": ["c"], "attrs": {"size": [2]}, "out": "v"}, {"op": "mul_", "in": ["c", "p"]}, {"op": "retain_grad", "in": ["v"]}, {"op": "neg_", "in": ["v"]}], "observe": ["v"]},
                 "outcome": {"values":{"v":{"dtype":"float64","shape":[2],"data":[3,6],"requires_grad":true,"is_leaf":false,"version":1,"grad_fn":"AsStridedBackward0"}},"raised":{"step":[3],"kind":"leaf_in_place","message":"a leaf Variable that requires grad is being used in an in-place operation."}}}
                """],
        },
    ];
}
