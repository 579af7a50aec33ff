namespace Verified.Oracle;

/// <summary>Assertions inside PyTorch that fail. It is the last to be tried: what has a cause of its own is recognised by that.</summary>
internal static class KnownAssertions
{
    internal static IReadOnlyList<Divergence> Entries { get; } =
    [
        new("internal-assertion", "unreported",
            "An assertion inside PyTorch fails, which its own text calls a bug of PyTorch: each finding is its own witness. So end many programs with integers that require a gradient, and tensors that retained a gradient before t_ or squeeze_ and are written to; right is what the specification gives.",
            [],
            seen => seen.RaisedAt("INTERNAL ASSERT FAILED") is not null && seen.Finding.Raised!.Message.Contains(Witnesses.BugOfPyTorch, StringComparison.Ordinal),
            Witnesses.SaysSoItself)
        {
            Examples = ["""
                {"id": "divergences/mask-filled-with-a-leaf", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"m": {"dtype": "bool", "shape": [2], "data": [true, false]}, "p": {"dtype": "float64", "shape": [], "data": [0.5], "requires_grad": true}}, "steps": [{"op": "masked_fill", "in": ["m", "m", "p"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {}, "raised": {"step": [0], "kind": "other", "message": "isDifferentiableType(variable.scalar_type()) INTERNAL ASSERT FAILED at \"./torch/csrc/autograd/functions/utils.h\":74, please report a bug to PyTorch. "}}}
                """,
                """
                {"id": "divergences/summed-to-integers", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float32", "shape": [2], "data": [0.5, 1], "requires_grad": true}}, "steps": [{"op": "sum", "in": ["p"], "attrs": {"dtype": "int64"}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {}, "raised": {"step": [0], "kind": "other", "message": "isDifferentiableType(variable.scalar_type()) INTERNAL ASSERT FAILED at \"./torch/csrc/autograd/functions/utils.h\":74, please report a bug to PyTorch. "}}}
                """,
                """
                {"id": "divergences/retained-then-squeezed-and-written-to", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float32", "shape": [], "data": [4], "requires_grad": true}}, "steps": [{"op": "sqrt", "in": ["p"], "out": "v"}, {"op": "retain_grad", "in": ["v"]}, {"op": "squeeze_", "in": ["v"]}, {"op": "neg_", "in": ["v"]}], "observe": ["v"]},
                 "outcome": {"values": {"v": {"dtype": "float32", "shape": [], "data": [-2], "requires_grad": true, "is_leaf": false, "version": 2, "grad_fn": "NegBackward0"}}, "raised": {"step": [3], "kind": "other", "message": "out != nullptr INTERNAL ASSERT FAILED at \"./torch/csrc/autograd/variable.cpp\":209, please report a bug to PyTorch. "}}}
                """],
        },
    ];
}
