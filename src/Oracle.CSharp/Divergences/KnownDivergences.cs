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
            (program, _) => Uses(program, "embedding", "scale_grad_by_freq") && OfSecondOrder(program),
            Witnesses.InnerProduct("db", "wb", "g")),
        new("clamp-that-broadcasts-its-input", "unreported",
            "The derivative of clamp with tensor bounds that broadcast the input raises; right is the sum over the broadcast dimensions.",
            ["operators/clamp/tensors-broadcast-the-input/"],
            (program, finding) => Uses(program, "clamp") && finding.Difference == Difference.Raised && finding.Message.Contains("broadcast shape", StringComparison.Ordinal),
            Witnesses.ByDifferences("a", "b", "c")),
        new("index-put-duplicates", "unreported",
            "The derivative of index_put gives every source of a repeated index a gradient; right is that only the one that stayed has any.",
            ["operators/index_put/duplicates/"],
            (program, _) => Uses(program, "index_put") || Uses(program, "index_put_"),
            golden => (OfSecondOrder(golden.Program) ? Witnesses.OfLastGrad("c", "dc") : Witnesses.ByDifferences("c"))(golden)),
        new("layer-norm-third", "pytorch#186256",
            "layer_norm's third derivative treats the saved mean and rstd as constants; right is to differentiate them too.",
            ["semantics/graph/create-graph-records/layer-norm-third"],
            (program, _) => Uses(program, "layer_norm") && OfSecondOrder(program),
            Witnesses.OfLastGrad("x", "d2")),
        new("batch-norm-third", "pytorch#175754",
            "batch_norm's third derivative treats the saved mean and rstd as constants; right is to differentiate them too.",
            ["semantics/graph/create-graph-records/batch-norm-third"],
            (program, _) => Uses(program, "batch_norm") && OfSecondOrder(program),
            Witnesses.OfLastGrad("x", "d2")),
        new("batch-norm-bias-alone-second", "unreported",
            "The second derivative of batch_norm with a bias and no weight raises; right is the derivative.",
            ["operators/batch_norm/training-bias-alone/f32-second", "operators/batch_norm/training-bias-alone/f64-second", "operators/batch_norm/evaluating-bias-alone/f32-second", "operators/batch_norm/evaluating-bias-alone/f64-second"],
            (program, finding) => Uses(program, "batch_norm") && finding.Difference == Difference.Raised && finding.Message.Contains("got None (or an undefined Tensor in C++)", StringComparison.Ordinal),
            Witnesses.ByDifferences("g")),
        new("vector-as-a-row", "unreported",
            "What linear keeps is named in an error's text by another shape: a vector as a matrix of one row, a weight as its transpose; right is its own.",
            ["semantics/versions/kept-is-checked/argument-of/linear", "semantics/versions/kept-is-checked/weight-of-a-layer"],
            (program, finding) => finding.Difference == Difference.Message && Uses(program, "linear"),
            Witnesses.NamesAnotherShape),
        new("gradient-without-storage", "unreported",
            "A gradient known to be zero is kept as a tensor without storage, to which the next backward cannot add; right is to add.",
            [],
            (_, finding) => finding.Difference == Difference.Raised && finding.Message.Contains("ZeroTensors are immutable", StringComparison.Ordinal),
            Witnesses.ByDifferences("p"))
        {
            Examples = ["""
                {"id": "divergences/gradient-without-storage", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.75, -2], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2], "data": [1.5, 0.5]}, "h": {"dtype": "float64", "shape": [2], "data": [2, 3]}}, "steps": [{"op": "abs", "in": ["p"], "out": "v"}, {"op": "grad", "in": ["v"], "gradients": ["g"], "wrt": ["p"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "backward", "in": ["d"], "gradients": ["h"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["p.grad"]},
                 "outcome": {"values": {"p.grad": {"dtype": "float64", "shape": [2], "data": [0, 0], "requires_grad": false, "is_leaf": true, "grad_fn": null}}, "raised": {"step": [3], "kind": "other", "message": "ZeroTensors are immutable. Please use the materialized zero tensor obtained using .clone() if you want a mutable tensor."}}}
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

    private static bool OfSecondOrder(Program program) =>
        Steps(program.Steps).Any(s => s.Attrs.TryGetValue("create_graph", out var flag) && flag is Attr.Flag { Item: true });

    private static IEnumerable<Step> Steps(IEnumerable<Step> steps) => steps.SelectMany(s => Steps(s.Steps).Prepend(s));
}
