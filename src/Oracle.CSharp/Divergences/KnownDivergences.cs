using Verified.Spec;

namespace Verified.Oracle;

/// <summary>The registry of PyTorch's known divergences.</summary>
public static class KnownDivergences
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<Divergence> All { get; } =
    [
        new("gelu-of-infinity", "pytorch#185770",
            "gelu(inf) is NaN; right is inf: oneDNN's erf of an infinity is NaN.",
            ["operators/gelu/not-finite/f32"],
            (program, finding) => Uses(program, "gelu") && finding.Difference == Difference.Class && double.IsNaN(finding.Actual),
            Witnesses.GrowsWithInfinity("t1")),
        new("embedding-scaled-second", "unreported",
            "The derivative of embedding's backward forgets scale_grad_by_freq; right is the transpose of the backward, divided by the counts.",
            ["operators/embedding/scaled-by-frequency/f32-second", "operators/embedding/scaled-by-frequency/f64-second", "operators/embedding/padding-and-scaled/f32-second", "operators/embedding/padding-and-scaled/f64-second"],
            (program, finding) => finding.Difference == Difference.Value && Uses(program, "embedding", "scale_grad_by_freq") && CreatedGraphs(program) > 0,
            Witnesses.InnerProduct("db", "wb", "g")),
        new("clamp-that-broadcasts-its-input", "unreported",
            "The derivative of clamp with tensor bounds that broadcast the input raises; right is the sum over the broadcast dimensions.",
            ["operators/clamp/tensors-broadcast-the-input/"],
            (program, finding) => Uses(program, "clamp") && finding.Difference == Difference.Raised && finding.Message.Contains("broadcast shape", StringComparison.Ordinal),
            Witnesses.ByDifferences("a", "b", "c")),
        new("index-put-duplicates", "unreported",
            "The derivative of index_put gives every source of a repeated index a gradient; right is that only the one that stayed has any.",
            ["operators/index_put/duplicates/"],
            (program, finding) => finding.Difference == Difference.Value && ProgramFacts.WritesAPlaceTwice(program),
            golden => (CreatedGraphs(golden.Program) > 0 ? Witnesses.OfLastGrad("c", "dc") : Witnesses.ByDifferences("c"))(golden)),
        new("layer-norm-third", "pytorch#186256",
            "layer_norm's third derivative treats the saved mean and rstd as constants; right is to differentiate them too.",
            ["semantics/graph/create-graph-records/layer-norm-third"],
            (program, finding) => finding.Difference == Difference.Value && Uses(program, "layer_norm") && CreatedGraphs(program) > 1,
            Witnesses.OfLastGrad("x", "d2")),
        new("batch-norm-third", "pytorch#175754",
            "batch_norm's third derivative treats the saved mean and rstd as constants; right is to differentiate them too.",
            ["semantics/graph/create-graph-records/batch-norm-third"],
            (program, finding) => finding.Difference == Difference.Value && Uses(program, "batch_norm") && CreatedGraphs(program) > 1,
            Witnesses.OfLastGrad("x", "d2")),
        new("batch-norm-bias-alone-second", "unreported",
            "The second derivative of batch_norm with a bias and no weight raises; right is the derivative.",
            ["operators/batch_norm/training-bias-alone/f32-second", "operators/batch_norm/training-bias-alone/f64-second", "operators/batch_norm/evaluating-bias-alone/f32-second", "operators/batch_norm/evaluating-bias-alone/f64-second"],
            (program, finding) => Uses(program, "batch_norm") && finding.Difference == Difference.Raised && finding.Message.Contains("got None (or an undefined Tensor in C++)", StringComparison.Ordinal),
            Witnesses.ByDifferences("g")),
        new("adaptive-avg-pool-of-nothing", "unreported",
            "The derivative of adaptive_avg_pool2d raises where the result is empty; right are zeros.",
            ["operators/adaptive_avg_pool2d/nothing/", "operators/adaptive_avg_pool2d/no-channels/"],
            (program, finding) => Uses(program, "adaptive_avg_pool2d") && finding.Difference == Difference.Raised && finding.Message.Contains("Expected grad_output to have non-zero size", StringComparison.Ordinal),
            golden => (CreatedGraphs(golden.Program) > 0 ? Witnesses.OfLastGrad("a", "da") : Witnesses.ByDifferences("a"))(golden)),
        new("huber-loss-of-two-dtypes", "unreported",
            "The derivative of huber_loss with a target of another dtype raises; right is the derivative.",
            ["operators/huber_loss/int64-target/"],
            (program, finding) => Uses(program, "huber_loss") && finding.Difference == Difference.Raised && finding.Message.Contains("Found dtype", StringComparison.Ordinal),
            Witnesses.ByDifferences("a")),
        new("logsigmoid-second", "unreported",
            "The second derivative of logsigmoid is taken as s (s - 1) with s = sigmoid(x), which is zero where s rounds to 1; right is -sigmoid(x) sigmoid(-x).",
            ["operators/logsigmoid/kinks/f32-second", "operators/logsigmoid/kinks/f64-second"],
            (program, finding) => finding.Difference == Difference.Value && Uses(program, "logsigmoid") && CreatedGraphs(program) > 0,
            Witnesses.ByDifferences("a")),
        new("gradient-without-storage", "unreported",
            "A gradient known to be zero is kept as a tensor without storage, to which the next backward cannot add, and which a hook's number turns to float64; right is to add, and to multiply.",
            [],
            (program, finding) => finding.Difference == Difference.Raised && CreatedGraphs(program) > 0
                && (finding.Message.Contains("ZeroTensors are immutable", StringComparison.Ordinal)
                    || finding.Message.Contains("has changed the type of value (was torch.FloatTensor got torch.DoubleTensor)", StringComparison.Ordinal)),
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
            "A leaf whose only way from the root is views keeps the user's gradient as its own, and the next backward adds to it; right is that no backward writes to what it was given.",
            [],
            (program, finding) => finding.Difference == Difference.Value && ProgramFacts.IsGivenAsGradientBeforeAnother(program, finding.Name),
            Witnesses.ChangesWhatNothingWritesTo)
        {
            Examples = ["""
                {"id": "divergences/gradient-kept-from-the-user", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2, 1], "data": [1, 2]}}, "steps": [{"op": "unsqueeze", "in": ["p"], "attrs": {"dim": 1}, "out": "v"}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["g"]},
                 "outcome": {"values": {"g": {"dtype": "float64", "shape": [2, 1], "data": [2, 4], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """],
        },
        new("quotient-by-integers", "unreported",
            "The derivative of addcdiv by its numerator divides in the denominator's dtype and raises where that is no float; right is the quotient.",
            [],
            (program, finding) => finding.Difference == Difference.Raised && (Uses(program, "addcdiv") || Uses(program, "addcdiv_"))
                && (finding.Message.Contains("can't be cast to the desired output type Bool", StringComparison.Ordinal) || finding.Message.Contains("can't be cast to the desired output type Long", StringComparison.Ordinal)),
            Witnesses.ByDifferences("p"))
        {
            Examples = ["""
                {"id": "divergences/quotient-by-integers", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "n": {"dtype": "int64", "shape": [2], "data": [2, 4]}, "g": {"dtype": "float64", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "clone", "in": ["p"], "out": "v"}, {"op": "addcdiv_", "in": ["v", "p", "n"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["p.grad"]},
                 "outcome": {"values": {"p.grad": null}, "raised": {"step": [2], "kind": "dtype", "message": "result type Float can't be cast to the desired output type Long"}}}
                """],
        },
        new("overlap-that-is-not-seen", "unreported",
            "A write whose operand is a strided view of what is written reads elements that it has already written, since PyTorch looks for overlaps among dense tensors alone; right is the result of the same operation on a copy.",
            [],
            (program, finding) => finding.Difference is Difference.Value or Difference.Class && ProgramFacts.ReadsWhatItWrites(program),
            Witnesses.ByACopyOfTheOperand("x"))
        {
            Examples = ["""
                {"id": "divergences/column-added-to-its-matrix", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2, 2], "data": [1, 2, 3, 4]}}, "steps": [{"op": "select", "in": ["x"], "attrs": {"dim": -1, "index": -1}, "out": "v"}, {"op": "mul_", "in": ["x", "v"]}], "observe": ["x"]},
                 "outcome": {"values": {"x": {"dtype": "float64", "shape": [2, 2], "data": [2, 8, 24, 16], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """],
        },
        new("loss-of-two-dtypes", "unreported",
            "The derivative of mse_loss raises where input and target have different dtypes, though the loss itself does not; right is the derivative of the promoted loss.",
            [],
            (program, finding) => finding.Difference == Difference.Raised && Uses(program, "mse_loss")
                && finding.Message.Contains("Found dtype", StringComparison.Ordinal) && finding.Message.Contains("but expected", StringComparison.Ordinal),
            Witnesses.ByDifferences("p"))
        {
            Examples = ["""
                {"id": "divergences/loss-of-two-dtypes", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "y": {"dtype": "float32", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "mse_loss", "in": ["p", "y"], "out": "v"}, {"op": "backward", "in": ["v"]}], "observe": ["p.grad"]},
                 "outcome": {"values": {"p.grad": null}, "raised": {"step": [1], "kind": "other", "message": "Found dtype Float but expected Double"}}}
                """],
        },
        new("mismatch-sought-by-comparing", "unreported",
            "Where the gradient of a later root has another shape, its place in the list is sought by comparing tensors element by element, which raises itself; right is that root's mismatch.",
            [],
            (program, finding) => finding.Difference == Difference.Raised && Steps(program.Steps).Any(s => s.Gradients?.Value.Length > 1)
                && (finding.Message.Contains("must match the size of tensor", StringComparison.Ordinal) || finding.Message.Contains("Boolean value of Tensor", StringComparison.Ordinal)),
            Witnesses.GradientOfAnotherShape)
        {
            Examples = ["""
                {"id": "divergences/mismatch-of-the-second-gradient", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2], "data": [1, 2], "requires_grad": true}, "g": {"dtype": "float32", "shape": [2], "data": [1, 1]}, "h": {"dtype": "float32", "shape": [3], "data": [1, 1, 1]}}, "steps": [{"op": "square", "in": ["x"], "out": "y"}, {"op": "exp", "in": ["x"], "out": "z"}, {"op": "backward", "in": ["y", "z"], "gradients": ["g", "h"]}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [2], "data": [1, 4], "requires_grad": true, "is_leaf": false, "version": 0, "grad_fn": "PowBackward0"}}, "raised": {"step": [2], "kind": "shape", "message": "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0"}}}
                """],
        },
        new("internal-assertion", "unreported",
            "An assertion inside PyTorch fails, such as in masked_fill of a mask with a value that requires a gradient; right is the result.",
            [],
            (_, finding) => finding.Difference == Difference.Raised && finding.Message.Contains("INTERNAL ASSERT FAILED", StringComparison.Ordinal),
            Witnesses.SaysSoItself)
        {
            Examples = ["""
                {"id": "divergences/mask-filled-with-a-leaf", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"m": {"dtype": "bool", "shape": [2], "data": [true, false]}, "p": {"dtype": "float64", "shape": [], "data": [0.5], "requires_grad": true}}, "steps": [{"op": "masked_fill", "in": ["m", "m", "p"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {}, "raised": {"step": [0], "kind": "other", "message": "isDifferentiableType(variable.scalar_type()) INTERNAL ASSERT FAILED at \"./torch/csrc/autograd/functions/utils.h\":74, please report a bug to PyTorch. "}}}
                """],
        },
    ];

    /// <summary>The divergence that explains an engine's finding, if it is PyTorch's and known; null otherwise.</summary>
    public static Divergence? Explaining(EngineInfo engine, Program program, Finding finding) =>
        engine.Name == "PyTorch" ? All.FirstOrDefault(d => d.Covers(program, finding)) : null;

    private static bool Uses(Program program, string op, string? attribute = null) =>
        Steps(program.Steps).Any(s => s.Op == op && (attribute is null || s.Attrs.ContainsKey(attribute)));

    private static int CreatedGraphs(Program program) =>
        Steps(program.Steps).Count(s => s.Attrs.TryGetValue("create_graph", out var flag) && flag is Attr.Flag { Item: true });

    internal static IEnumerable<Step> Steps(IEnumerable<Step> steps) => steps.SelectMany(s => Steps(s.Steps).Prepend(s));
}
