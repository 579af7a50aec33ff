using Verified.Oracle.Generation;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>Derivatives that are wrong, or raise, of single operators.</summary>
internal static class KnownOfDerivatives
{
    internal static IReadOnlyList<Divergence> Entries { get; } =
    [
        new("embedding-scaled-second", "unreported",
            "The derivative of embedding's backward forgets scale_grad_by_freq, and so keeps for the next what is divided by the counts; right is the transpose of the backward, divided by the counts.",
            ["operators/embedding/scaled-by-frequency/f32-second", "operators/embedding/scaled-by-frequency/f64-second", "operators/embedding/padding-and-scaled/f32-second", "operators/embedding/padding-and-scaled/f64-second"],
            seen => IsWrongFrom(2, seen, (_, step) => step.Op == "embedding" && Steps.IsSet(step, "scale_grad_by_freq")),
            golden => (golden.Golden!.Value.Raised is null ? Witnesses.InnerProduct("db", "wb", "g") : Witnesses.ByDifferences("q"))(golden))
        {
            Examples = ["""
                {"id": "divergences/embedding-scaled-third-keeps", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"i": {"dtype": "int64", "shape": [3], "data": [1, 1, 0]}, "p": {"dtype": "float64", "shape": [2, 2], "data": [0.5, -1, 2, 0.25], "requires_grad": true}, "g": {"dtype": "float64", "shape": [3, 2], "data": [1, 2, 3, 4, 5, 6], "requires_grad": true}, "h": {"dtype": "float64", "shape": [2, 2], "data": [1, 2, -1, 0.5]}, "q": {"dtype": "float64", "shape": [3, 2], "data": [1, -1, 2, 0.5, 3, 1]}}, "steps": [{"op": "embedding", "in": ["i", "p"], "attrs": {"scale_grad_by_freq": true}, "out": "y"}, {"op": "grad", "in": ["y"], "gradients": ["g"], "wrt": ["p"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "requires_grad_", "in": ["h"], "out": "h0"}, {"op": "grad", "in": ["d"], "gradients": ["h"], "wrt": ["g"], "attrs": {"create_graph": true}, "out": ["e"]}, {"op": "requires_grad_", "in": ["q"], "out": "q0"}, {"op": "mul", "in": ["q"], "attrs": {"other": 1.0}, "out": "r"}, {"op": "grad", "in": ["e"], "gradients": ["r"], "wrt": ["h"], "attrs": {"create_graph": true}, "out": ["f"]}, {"op": "mul_", "in": ["r"], "attrs": {"other": 1.0}}, {"op": "backward", "in": ["f"], "gradients": ["h"]}], "observe": ["d", "q.grad"]},
                 "outcome": {"values": {"d": {"dtype": "float64", "shape": [2, 2], "data": [5, 6, 2, 3], "requires_grad": true, "is_leaf": false, "grad_fn": "EmbeddingDenseBackwardBackward0"}, "q.grad": null}, "raised": {"step": [8], "kind": "modified_in_place", "message": "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.DoubleTensor [3, 2]], which is output 0 of AsStridedBackward0, is at version 1; expected version 0 instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True)."}}}
                """],
        },
        new("variance-over-no-named-dimension", "unreported",
            "The derivative of var and std with dim=[], which is over all elements, counts one element; right is that of the value, as without dim.",
            [],
            seen => seen.HasWrongElements && (seen.IsRightFor(ProgramFacts.WithVariancesThatCountOne(seen.Program)) || seen.Depends(1, ProgramFacts.CorrectsByAllElements)),
            Witnesses.ByDifferences("x"))
        {
            Examples = ["""
                {"id": "divergences/variance-over-no-named-dimension", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [3], "data": [1, -2, 3], "requires_grad": true}}, "steps": [{"op": "var", "in": ["x"], "attrs": {"dim": [], "correction": 0}, "out": "y"}, {"op": "backward", "in": ["y"]}], "observe": ["x.grad"]},
                 "outcome": {"values": {"x.grad": {"dtype": "float64", "shape": [3], "data": [0.6666666666666667, -5.333333333333333, 4.666666666666667], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/variance-over-no-named-dimension-twice", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [3], "data": [3, -1, 1.5], "requires_grad": true}, "h": {"dtype": "float64", "shape": [3], "data": [1, 2, 5]}}, "steps": [{"op": "no_grad", "steps": [{"op": "var", "in": ["x"], "attrs": {"dim": [], "correction": 0}, "out": "n"}]}, {"op": "enable_grad", "steps": [{"op": "var", "in": ["x"], "attrs": {"dim": [], "correction": 0}, "out": "y"}]}, {"op": "grad", "in": ["y"], "wrt": ["x"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "backward", "in": ["d"], "gradients": ["h"]}], "observe": ["n", "x.grad"]},
                 "outcome": {"values": {"n": {"dtype": "float64", "shape": [], "data": [2.7222222222222228], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}, "x.grad": {"dtype": "float64", "shape": [3], "data": [-3.333333333333333, -1.333333333333333, 4.666666666666667], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/deviation-over-no-named-dimension", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [3], "data": [3, -1, 1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [], "data": [1]}}, "steps": [{"op": "std", "in": ["x"], "attrs": {"dim": [], "unbiased": false}, "out": "y"}, {"op": "backward", "in": ["y"]}], "observe": ["x.grad"]},
                 "outcome": {"values": {"x.grad": {"dtype": "float64", "shape": [3], "data": [1.224744871391589, -1.224744871391589, 0], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """],
        },
        new("embedding-of-nothing-second", "unreported",
            "The derivative of embedding's backward raises where nothing was looked up; right is that it is empty, too.",
            [],
            seen => seen.RaisesPulling(1, (_, step) => step.Op == "embedding", "because the unspecified dimension size -1 can be any value and is ambiguous"),
            Witnesses.ByDifferences("g"))
        {
            Examples = ["""
                {"id": "divergences/embedding-of-nothing-second", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"i": {"dtype": "int64", "shape": [0], "data": []}, "p": {"dtype": "float64", "shape": [2, 1], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [0, 1], "data": [], "requires_grad": true}, "h": {"dtype": "float64", "shape": [2, 1], "data": [1, 2]}}, "steps": [{"op": "embedding", "in": ["i", "p"], "out": "v"}, {"op": "grad", "in": ["v"], "wrt": ["p"], "gradients": ["g"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "backward", "in": ["d"], "gradients": ["h"]}], "observe": ["d", "g.grad"]},
                 "outcome": {"values": {"d": {"dtype": "float64", "shape": [2, 1], "data": [0, 0], "requires_grad": true, "is_leaf": false, "grad_fn": "EmbeddingDenseBackwardBackward0"}, "g.grad": null}, "raised": {"step": [2], "kind": "shape", "message": "cannot reshape tensor of 0 elements into shape [0, -1] because the unspecified dimension size -1 can be any value and is ambiguous"}}}
                """],
        },
        new("embedding-recorded-before-it-is-checked", "unreported",
            "embedding of a weight without dimensions, where it is to be recorded, asks for the weight's rows before it is checked, and so complains of an index; right is the complaint about its shape, as where nothing is recorded.",
            [],
            seen => seen.RaisesAt((_, step) => step.Op == "embedding", "Dimension specified as 0 but tensor has no dimensions"),
            Witnesses.ComplainsOfADimensionThatNothingNames)
        {
            Examples = ["""
                {"id": "divergences/embedding-recorded-before-it-is-checked", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"i": {"dtype": "int64", "shape": [1], "data": [0]}, "w": {"dtype": "float32", "shape": [], "data": [2], "requires_grad": true}}, "steps": [{"op": "embedding", "in": ["i", "w"], "out": "y"}], "observe": ["w"]},
                 "outcome": {"values": {"w": {"dtype": "float32", "shape": [], "data": [2], "requires_grad": true, "is_leaf": true, "version": 0, "grad_fn": null}}, "raised": {"step": [0], "kind": "index", "message": "Dimension specified as 0 but tensor has no dimensions"}}}
                """],
        },
        new("clamp-that-broadcasts-its-input", "unreported",
            "The derivative of clamp with tensor bounds that broadcast the input raises; right is the sum over the broadcast dimensions.",
            ["operators/clamp/tensors-broadcast-the-input/"],
            seen => seen.RaisesPulling(0, ProgramFacts.IsClampWiderThanItsInput, "doesn't match the broadcast shape"),
            Witnesses.ByDifferences("a", "b", "c")),
        new("index-put-duplicates", "unreported",
            "The derivative of index_put gives every source of a repeated index a gradient; right is that only the one that stayed has any.",
            ["operators/index_put/duplicates/"],
            seen => (seen.Finding.Difference == Difference.Value || seen.HasNaN)
                && seen.Depends(1, ProgramFacts.WritesAPlaceTwice),
            Witnesses.OfLastPull("c", "dc")),
        new("index-put-duplicates-by-now", "unreported",
            "The derivative of index_put by an index that was written to since, uncounted, gives all values that it now names one place for a gradient; right is that only the last of them has any, as for an index that named it so before.",
            [],
            seen => (seen.Finding.Difference == Difference.Value || seen.HasNaN) && seen.Depends(1, ProgramFacts.WritesAPlaceTwiceByNow(seen.Program)),
            Witnesses.AsIfWrittenBefore("index_put", "v"))
        {
            Examples = ["""
                {"id": "divergences/index-put-duplicates-by-now", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2], "data": [1, 2]}, "v": {"dtype": "float64", "shape": [2], "data": [5, 6], "requires_grad": true}, "i": {"dtype": "int64", "shape": [2], "data": [0, 1]}, "z": {"dtype": "int64", "shape": [], "data": [0]}, "c": {"dtype": "float64", "shape": [2], "data": [3, 4]}}, "steps": [{"op": "data", "in": ["i"], "out": "j"}, {"op": "index_put", "in": ["x", ["i"], "v"], "out": "y"}, {"op": "fill_", "in": ["j", "z"]}, {"op": "backward", "in": ["y"], "gradients": ["c"]}], "observe": ["v.grad"]},
                 "outcome": {"values": {"v.grad": {"dtype": "float64", "shape": [2], "data": [3, 3], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """],
        },
        new("nll-loss-by-a-target-out-of-bounds-by-now", "unreported",
            "The derivative of nll_loss without reduction writes where a target leads that was written to since, uncounted, though there is no such class, outside its memory if it must; right is to refuse it, as the loss does, and the derivative with a reduction.",
            [],
            seen => seen.TakesAt(Spec.ErrorKind.IndexError, (_, step) => step.Op is "backward" or "grad")
                && Steps.All(seen.Program.Steps).Any(step => step.Op is "nll_loss" or "cross_entropy" && step.Attrs.TryGetValue("reduction", out var reduction) && reduction is Attr.Text { Item: "none" }),
            Witnesses.TakesATargetOutOfBounds("x", "t"))
        {
            Examples = ["""
                {"id": "divergences/nll-loss-by-a-target-out-of-bounds-by-now", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2, 2], "data": [1, 2, 3, 4], "requires_grad": true}, "t": {"dtype": "int64", "shape": [2], "data": [0, 1]}, "u": {"dtype": "int64", "shape": [2], "data": [2, 1]}, "g": {"dtype": "float64", "shape": [2], "data": [1, 1]}}, "steps": [{"op": "nll_loss", "in": ["x", "t"], "attrs": {"reduction": "none"}, "out": "y"}, {"op": "data", "in": ["t"], "out": "d"}, {"op": "copy_", "in": ["d", "u"]}, {"op": "backward", "in": ["y"], "gradients": ["g"]}], "observe": ["t"]},
                 "outcome": {"values": {"t": {"dtype": "int64", "shape": [2], "data": [2, 1], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("layer-norm-third", "pytorch#186256",
            "layer_norm's third derivative treats the saved mean and rstd as constants, and notices writes to what that formula keeps; right is to differentiate them too.",
            ["semantics/graph/create-graph-records/layer-norm-third"],
            seen => IsWrongFrom(3, seen, (_, step) => step.Op == "layer_norm"),
            Witnesses.OfLastGrad("x", "d2"))
        {
            Examples = ["""
                {"id": "divergences/layer-norm-third-keeps-other-tensors", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [3], "data": [0.3, -1.2, 2], "requires_grad": true}, "c": {"dtype": "float64", "shape": [3], "data": [0.7, -0.4, 0.9]}}, "steps": [{"op": "layer_norm", "in": ["x"], "attrs": {"normalized_shape": [3]}, "out": "y"}, {"op": "grad", "in": ["y"], "gradients": ["c"], "wrt": ["x"], "attrs": {"create_graph": true}, "out": ["d0"]}, {"op": "clone", "in": ["c"], "out": "w"}, {"op": "grad", "in": ["d0"], "gradients": ["w"], "wrt": ["x"], "attrs": {"create_graph": true}, "out": ["d1"]}, {"op": "mul_", "in": ["w"], "attrs": {"other": 1.0}}, {"op": "grad", "in": ["d1"], "gradients": ["c"], "wrt": ["x"], "out": ["d2"]}], "observe": ["d0", "d2"]},
                 "outcome": {"values": {"d0": {"dtype": "float64", "shape": [3], "data": [0.24988196023040524, -0.13275265904345016, -0.117129301186955], "requires_grad": true, "is_leaf": false, "grad_fn": "NativeLayerNormBackwardBackward0"}}, "raised": {"step": [5], "kind": "modified_in_place", "message": "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.DoubleTensor [1, 3]] is at version 1; expected version 0 instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True)."}}}
                """],
        },
        new("batch-norm-third", "pytorch#175754",
            "batch_norm's third derivative treats the saved mean and rstd as constants, and notices writes to what that formula keeps; right is to differentiate them too.",
            ["semantics/graph/create-graph-records/batch-norm-third"],
            seen => IsWrongFrom(3, seen, (_, step) => step.Op == "batch_norm" && Steps.IsSet(step, "training")),
            Witnesses.OfLastGrad("x", "d2"))
        {
            Examples = ["""
                {"id": "divergences/batch-norm-third-keeps-other-tensors", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [3, 1], "data": [0.3, -1.2, 2], "requires_grad": true}, "c": {"dtype": "float64", "shape": [3, 1], "data": [0.7, -0.4, 0.9]}}, "steps": [{"op": "batch_norm", "in": ["x"], "attrs": {"training": true, "eps": 0.1}, "out": "y"}, {"op": "grad", "in": ["y"], "gradients": ["c"], "wrt": ["x"], "attrs": {"create_graph": true}, "out": ["d0"]}, {"op": "clone", "in": ["c"], "out": "w"}, {"op": "grad", "in": ["d0"], "gradients": ["w"], "wrt": ["x"], "attrs": {"create_graph": true}, "out": ["d1"]}, {"op": "mul_", "in": ["w"], "attrs": {"other": 1.0}}, {"op": "grad", "in": ["d1"], "gradients": ["c"], "wrt": ["x"], "out": ["d2"]}], "observe": ["d0", "d2"]},
                 "outcome": {"values": {"d0": {"dtype": "float64", "shape": [3, 1], "data": [0.2417817913110674, -0.15477871000249493, -0.08700308130857255], "requires_grad": true, "is_leaf": false, "grad_fn": "NativeBatchNormBackwardBackward0"}}, "raised": {"step": [5], "kind": "modified_in_place", "message": "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.DoubleTensor [3, 1]] is at version 1; expected version 0 instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True)."}}}
                """],
        },
        new("batch-norm-bias-alone-second", "unreported",
            "The second derivative of batch_norm with a bias and no weight drops what comes by way of the bias, or raises; right is the derivative.",
            ["operators/batch_norm/training-bias-alone/f32-second", "operators/batch_norm/training-bias-alone/f64-second", "operators/batch_norm/evaluating-bias-alone/f32-second", "operators/batch_norm/evaluating-bias-alone/f64-second"],
            seen => DropsWhatComesByWayOfABias(seen, "batch_norm", 4, 3),
            Witnesses.ByDifferences("g"))
        {
            Examples = ["""
                {"id": "divergences/batch-norm-bias-alone-dropped", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"g": {"dtype": "float64", "shape": [3, 2], "data": [0.5, -1, 2, 0.25, -0.75, 1.5], "requires_grad": true}, "b": {"dtype": "float64", "shape": [2], "data": [0.25, -0.5], "requires_grad": true}, "u": {"dtype": "float64", "shape": [2], "data": [1, 2]}, "h": {"dtype": "float64", "shape": [3, 2], "data": [1, -1, 0.5, 2, 1.5, -0.25]}}, "steps": [{"op": "batch_norm", "in": ["g", null, null, null, "b"], "attrs": {"training": true}, "out": "v"}, {"op": "exp", "in": ["v"], "out": "w"}, {"op": "grad", "in": ["w"], "gradients": ["h"], "wrt": ["b"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "backward", "in": ["d"], "gradients": ["u"]}], "observe": ["g.grad"]},
                 "outcome": {"values": {"g.grad": null}}}
                """],
        },
        new("batch-norm-by-strided-statistics", "unreported",
            "The derivative of batch_norm in evaluation reads other memory than its running statistics where these do not lie one beside the other: what it gives changes from run to run; right is the derivative, as of a copy of them.",
            [],
            seen => seen.HasWrongElements && seen.Depends(1, ProgramFacts.NormalisesByStridedStatistics),
            Witnesses.ByDifferences("w"))
        {
            Examples = ["""
                {"id": "divergences/batch-norm-by-strided-statistics", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2, 2], "data": [1, 2, 4, 8]}, "w": {"dtype": "float32", "shape": [2], "data": [1, 1], "requires_grad": true}, "r": {"dtype": "float32", "shape": [2, 2], "data": [10, 0, 20, 0]}, "v": {"dtype": "float32", "shape": [2], "data": [1, 1]}, "g": {"dtype": "float32", "shape": [2, 2], "data": [1, 1, 2, 1]}}, "steps": [{"op": "select", "in": ["r"], "attrs": {"dim": 1, "index": 0}, "out": "m"}, {"op": "batch_norm", "in": ["x", "m", "v", "w"], "attrs": {"training": false, "eps": 0.0}, "out": "y"}, {"op": "backward", "in": ["y"], "gradients": ["g"]}], "observe": ["w.grad"]},
                 "outcome": {"values": {"w.grad": {"dtype": "float32", "shape": [2], "data": [9, 10], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """],
        },
        new("batch-norm-by-a-strided-weight", "unreported",
            "The derivative of batch_norm reads other memory than its weight where the weight's elements do not lie one beside the other, as in an expanded one; right is the derivative, as of a copy of it.",
            [],
            seen => seen.HasWrongElements && seen.Depends(1, ProgramFacts.NormalisesByAStridedWeight),
            Witnesses.ByDifferences("x"))
        {
            Examples = ["""
                {"id": "divergences/batch-norm-by-a-strided-weight", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2, 2], "data": [1, 2, 4, 8], "requires_grad": true}, "p": {"dtype": "float64", "shape": [2, 2], "data": [10, 1, 20, 1]}, "g": {"dtype": "float64", "shape": [2, 2], "data": [1, 2, 2, 5]}}, "steps": [{"op": "select", "in": ["p"], "attrs": {"dim": 1, "index": 0}, "out": "w"}, {"op": "batch_norm", "in": ["x", null, null, "w"], "attrs": {"training": true}, "out": "y"}, {"op": "backward", "in": ["y"], "gradients": ["g"]}], "observe": ["x.grad"]},
                 "outcome": {"values": {"x.grad": {"dtype": "float64", "shape": [2, 2], "data": [-1.4814716050100453e-05, -5.55554629707833e-07, 1.4814716050100453e-05, 5.55554629707833e-07], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """],
        },
        new("batch-norm-of-hidden-channels", "unreported",
            "The derivative of batch_norm of what lies with its channels last, but for the stride of a dimension of size 1, goes to other channels; right is the derivative, as of a copy of it.",
            [],
            seen => seen.HasWrongElements && seen.Depends(1, ProgramFacts.NormalisesWhatHidesItsChannels),
            Witnesses.ByDifferences("x"))
        {
            Examples = ["""
                {"id": "divergences/batch-norm-of-hidden-channels", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2, 1, 2, 1, 2], "data": [1, 2, 4, 3, 0.5, 1, 7, -1], "requires_grad": true}, "r": {"dtype": "float64", "shape": [2], "data": [0, 1]}, "q": {"dtype": "float64", "shape": [2], "data": [1, 4]}, "u": {"dtype": "float64", "shape": [2, 2, 1, 1, 2], "data": [0, 0, 0, 0, 0, 0, 1, 0]}}, "steps": [{"op": "permute", "in": ["x"], "attrs": {"dims": [0, 4, 3, 1, 2]}, "out": "v"}, {"op": "batch_norm", "in": ["v", "r", "q"], "out": "y"}, {"op": "backward", "in": ["y"], "gradients": ["u"]}], "observe": ["x.grad"]},
                 "outcome": {"values": {"x.grad": {"dtype": "float64", "shape": [2, 1, 2, 1, 2], "data": [0, 0, 0, 0, 0, 0, 0.9999950000374997, 0], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """],
        },
        new("layer-norm-bias-alone-second", "unreported",
            "The second derivative of layer_norm with a bias and no weight drops what comes by way of the bias, or raises; right is the derivative.",
            [],
            seen => DropsWhatComesByWayOfABias(seen, "layer_norm", 2, 1),
            Witnesses.ByDifferences("p"))
        {
            Examples = ["""
                {"id": "divergences/layer-norm-bias-alone-second", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2], "data": [1.5, 0.5]}, "h": {"dtype": "float64", "shape": [2], "data": [2, 3]}}, "steps": [{"op": "layer_norm", "in": ["p", null, "p"], "attrs": {"normalized_shape": [2]}, "out": "v"}, {"op": "grad", "in": ["v"], "gradients": ["g"], "wrt": ["p"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "backward", "in": ["d"], "gradients": ["h"]}], "observe": ["p.grad"]},
                 "outcome": {"values": {"p.grad": null}, "raised": {"step": [2], "kind": "other", "message": "Expected a proper Tensor but got None (or an undefined Tensor in C++) for argument #1 'other'"}}}
                """],
        },
        new("conv-transpose-output-padding-third", "unreported",
            "The third derivative of conv_transpose2d with output_padding raises: the second is composed of convolutions that are no transposes and are given it all the same; right is the derivative.",
            [],
            seen => seen.RaisesPulling(2, (_, step) => step.Op == "conv_transpose2d" && step.Attrs.ContainsKey("output_padding"), "output_padding is not supported for non-transposed convolutions"),
            Witnesses.OfLastGrad("x", "d2"))
        {
            Examples = ["""
                {"id": "divergences/conv-transpose-output-padding-third", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [1, 1, 2, 2], "data": [0.5, -1, 2, 0.25], "requires_grad": true}, "w": {"dtype": "float64", "shape": [1, 1, 2, 2], "data": [1, -0.5, 0.75, 2], "requires_grad": true}, "c": {"dtype": "float64", "shape": [1, 1, 5, 5], "data": [-1.0, -0.9, -0.8, -0.7, -0.6, -0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4]}, "h": {"dtype": "float64", "shape": [1, 1, 2, 2], "data": [1, 2, -1, 0.5]}}, "steps": [{"op": "conv_transpose2d", "in": ["x", "w"], "attrs": {"stride": [2, 2], "output_padding": [1, 1]}, "out": "y"}, {"op": "square", "in": ["y"], "out": "z"}, {"op": "grad", "in": ["z"], "gradients": ["c"], "wrt": ["x"], "attrs": {"create_graph": true}, "out": ["d0"]}, {"op": "grad", "in": ["d0"], "gradients": ["h"], "wrt": ["w"], "attrs": {"create_graph": true}, "out": ["d1"]}, {"op": "grad", "in": ["d1"], "gradients": ["h"], "wrt": ["x"], "out": ["d2"]}], "observe": ["d0", "d1", "d2"]},
                 "outcome": {"values": {"d0": {"dtype": "float64", "shape": [1, 1, 2, 2], "data": [-3.10625, 3.8875, 10.825, 1.9343750000000002], "requires_grad": true, "is_leaf": false, "grad_fn": "ConvolutionBackwardBackward0"}, "d1": {"dtype": "float64", "shape": [1, 1, 2, 2], "data": [4.5, -1.575, -1.6875000000000002, -7.2], "requires_grad": true, "is_leaf": false, "grad_fn": "AddBackward0"}}, "raised": {"step": [4], "kind": "other", "message": "output_padding is not supported for non-transposed convolutions; got: 1 1"}}}
                """],
        },
        new("adaptive-avg-pool-of-nothing", "unreported",
            "The derivative of adaptive_avg_pool2d raises where the result is empty; right are zeros.",
            ["operators/adaptive_avg_pool2d/nothing/", "operators/adaptive_avg_pool2d/no-channels/"],
            seen => seen.RaisesPulling(0, (_, step) => step.Op == "adaptive_avg_pool2d", "adaptive_avg_pool2d_backward(): Expected grad_output to have non-zero size"),
            Witnesses.OfLastPull("a", "da")),
        new("logsigmoid-second", "unreported",
            "The second derivative of logsigmoid is taken as s (s - 1) with s = sigmoid(x), which is zero where s rounds to 1; right is -sigmoid(x) sigmoid(-x).",
            ["operators/logsigmoid/kinks/f32-second", "operators/logsigmoid/kinks/f64-second"],
            LogSigmoidAgain.Explains,
            Witnesses.ByDifferences("a")),
    ];

    // With a bias and no weight, their places: an error in pulling back, a gradient that is not there, or an error since it is not there.
    private static bool DropsWhatComesByWayOfABias(Sighting seen, string op, int bias, int weight)
    {
        bool IsIt(State<Real> state, Step step) => step.Op == op && Steps.Gives(step, bias) && !Steps.Gives(step, weight);
        return seen.RaisesPulling(1, IsIt, "got None (or an undefined Tensor in C++)", "appears to not have been used in the graph")
            || (seen.Finding.Difference is Difference.Value or Difference.Null && seen.Depends(2, IsIt))
            || (seen.RaisedAt(" is null and cannot be used") is { } step && StepNames.Read(step).Any(name => Influence.Of(seen.Program, IsIt).Reaches(name, 2)));
    }

    // Wrong values by derivatives of this order, or a write that the wrong formula would notice, where that order is pulled back.
    private static bool IsWrongFrom(int order, Sighting seen, Func<State<Real>, Step, bool> begins) =>
        (seen.Finding.Difference == Difference.Value && seen.Depends(order, begins)) || seen.RaisesPulling(order - 1, begins, "modified by an inplace operation");
}
