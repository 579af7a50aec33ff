using Verified.Oracle.Generation;

namespace Verified.Oracle;

/// <summary>Derivatives that are wrong, or raise, of single operators.</summary>
internal static class KnownOfDerivatives
{
    internal static IReadOnlyList<Divergence> Entries { get; } =
    [
        new("embedding-scaled-second", "unreported",
            "The derivative of embedding's backward forgets scale_grad_by_freq; right is the transpose of the backward, divided by the counts.",
            ["operators/embedding/scaled-by-frequency/f32-second", "operators/embedding/scaled-by-frequency/f64-second", "operators/embedding/padding-and-scaled/f32-second", "operators/embedding/padding-and-scaled/f64-second"],
            seen => seen.Finding.Difference == Difference.Value && seen.Depends(2, (_, step) => step.Op == "embedding" && Steps.IsSet(step, "scale_grad_by_freq")),
            Witnesses.InnerProduct("db", "wb", "g")),
        new("embedding-of-nothing-second", "unreported",
            "The derivative of embedding's backward raises where nothing was looked up; right is that it is empty, too.",
            [],
            seen => seen.RaisesPulling(1, (_, step) => step.Op == "embedding", "cannot reshape tensor of 0 elements into shape [0, -1]"),
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
        new("layer-norm-third", "pytorch#186256",
            "layer_norm's third derivative treats the saved mean and rstd as constants; right is to differentiate them too.",
            ["semantics/graph/create-graph-records/layer-norm-third"],
            seen => seen.Finding.Difference == Difference.Value && seen.Depends(3, (_, step) => step.Op == "layer_norm"),
            Witnesses.OfLastGrad("x", "d2")),
        new("batch-norm-third", "pytorch#175754",
            "batch_norm's third derivative treats the saved mean and rstd as constants; right is to differentiate them too.",
            ["semantics/graph/create-graph-records/batch-norm-third"],
            seen => seen.Finding.Difference == Difference.Value && seen.Depends(3, (_, step) => step.Op == "batch_norm" && Steps.IsSet(step, "training")),
            Witnesses.OfLastGrad("x", "d2")),
        new("batch-norm-bias-alone-second", "unreported",
            "The second derivative of batch_norm with a bias and no weight raises; right is the derivative.",
            ["operators/batch_norm/training-bias-alone/f32-second", "operators/batch_norm/training-bias-alone/f64-second", "operators/batch_norm/evaluating-bias-alone/f32-second", "operators/batch_norm/evaluating-bias-alone/f64-second"],
            seen => seen.RaisesPulling(1, (_, step) => step.Op == "batch_norm" && Steps.Gives(step, 4) && !Steps.Gives(step, 3), "got None (or an undefined Tensor in C++)"),
            Witnesses.ByDifferences("g")),
        new("layer-norm-bias-alone-second", "unreported",
            "The second derivative of layer_norm with a bias and no weight raises where it comes by way of the bias; right is the derivative.",
            [],
            seen => seen.RaisesPulling(1, (_, step) => step.Op == "layer_norm" && Steps.Gives(step, 2) && !Steps.Gives(step, 1), "got None (or an undefined Tensor in C++)"),
            Witnesses.ByDifferences("p"))
        {
            Examples = ["""
                {"id": "divergences/layer-norm-bias-alone-second", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2], "data": [1.5, 0.5]}, "h": {"dtype": "float64", "shape": [2], "data": [2, 3]}}, "steps": [{"op": "layer_norm", "in": ["p", null, "p"], "attrs": {"normalized_shape": [2]}, "out": "v"}, {"op": "grad", "in": ["v"], "gradients": ["g"], "wrt": ["p"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "backward", "in": ["d"], "gradients": ["h"]}], "observe": ["p.grad"]},
                 "outcome": {"values": {"p.grad": null}, "raised": {"step": [2], "kind": "other", "message": "Expected a proper Tensor but got None (or an undefined Tensor in C++) for argument #1 'other'"}}}
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
}
