namespace Verified.Oracle;

/// <summary>Operands that differ in dtype, shape or memory from what a kernel takes for granted.</summary>
internal static class KnownOfOperands
{
    internal static IReadOnlyList<Divergence> Entries { get; } =
    [
        new("quotient-by-integers", "unreported",
            "The derivative of addcdiv by its numerator divides in the denominator's dtype and raises where that is no float; right is the quotient.",
            [],
            seen => seen.RaisesPulling(0, ProgramFacts.DividesByIntegers, "can't be cast to the desired output type Bool", "can't be cast to the desired output type Long"),
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
            seen => seen.HasWrongElements && seen.Depends(0, (state, step) => ProgramFacts.SharedOperand(state, step) is not null),
            Witnesses.ByACopyOfTheOperand("x"))
        {
            Examples = ["""
                {"id": "divergences/column-added-to-its-matrix", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2, 2], "data": [1, 2, 3, 4]}}, "steps": [{"op": "select", "in": ["x"], "attrs": {"dim": -1, "index": -1}, "out": "v"}, {"op": "mul_", "in": ["x", "v"]}], "observe": ["x"]},
                 "outcome": {"values": {"x": {"dtype": "float64", "shape": [2, 2], "data": [2, 8, 24, 16], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/rows-put-in-another-order", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"y": {"dtype": "float64", "shape": [2, 3], "data": [0, 0, 0, 0, 0, 1]}, "i": {"dtype": "int64", "shape": [2], "data": [1, 0]}}, "steps": [{"op": "narrow", "in": ["y"], "attrs": {"dim": 1, "start": 1, "length": 2}, "out": "x"}, {"op": "detach", "in": ["x"], "out": "v"}, {"op": "index_put_", "in": ["x", ["i"], "v"]}], "observe": ["x"]},
                 "outcome": {"values": {"x": {"dtype": "float64", "shape": [2, 2], "data": [0, 0, 0, 0], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """],
        },
        new("loss-of-two-dtypes", "unreported",
            "The derivative of mse_loss and huber_loss raises where input and target have different dtypes, and huber_loss has the input's dtype; right is the promoted loss and its derivative.",
            ["operators/huber_loss/int64-target/"],
            seen => seen.Finding.Difference == Difference.DType && seen.Depends(0, (state, step) => step.Op == "huber_loss" && ProgramFacts.IsOfTwoDTypes(state, step))
                || seen.IsRightFor(ProgramFacts.WithHuberLossesOfTheInputsDType(seen.Program))
                || seen.RaisesPulling(0, (state, step) => step.Op is "mse_loss" or "huber_loss" && ProgramFacts.IsOfTwoDTypes(state, step), "Found dtype")
                || seen.RaisesAt((state, step) => step.Op == "huber_loss" && ProgramFacts.IsOfTwoDTypes(state, step), "can't be cast to the desired output type"),
            golden => Witnesses.ByDifferences(golden.Program.Inputs.First(i => i.RequiresGrad).Name)(golden))
        {
            Examples = ["""
                {"id": "divergences/loss-of-two-dtypes", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "y": {"dtype": "float32", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "mse_loss", "in": ["p", "y"], "out": "v"}, {"op": "backward", "in": ["v"]}], "observe": ["p.grad"]},
                 "outcome": {"values": {"p.grad": null}, "raised": {"step": [1], "kind": "other", "message": "Found dtype Float but expected Double"}}}
                """,
                """
                {"id": "divergences/loss-of-whole-numbers", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"n": {"dtype": "int64", "shape": [2], "data": [1, 2]}, "p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}}, "steps": [{"op": "huber_loss", "in": ["n", "p"], "out": "v"}, {"op": "backward", "in": ["v"]}], "observe": ["p.grad"]},
                 "outcome": {"values": {"p.grad": null}, "raised": {"step": [0], "kind": "dtype", "message": "result type Double can't be cast to the desired output type Long"}}}
                """],
        },
        new("mismatch-sought-by-comparing", "unreported",
            "Where the gradient of a later root has another shape, its place in the list is sought by comparing tensors element by element, which raises itself, or finds one before it that is equal; right is that root's mismatch.",
            [],
            seen => (seen.HasAnotherTextBut(@"(?<=^Mismatch in shape: .*put)\[\d+\]") && ProgramFacts.EndsInALaterRootOfAnotherShape(seen.Program)) || seen.RaisesAt(ProgramFacts.GivesALaterRootAnotherShape, "must match the size of tensor", "Boolean value of Tensor"),
            Witnesses.GradientOfAnotherShape)
        {
            Examples = ["""
                {"id": "divergences/mismatch-of-the-second-gradient", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2], "data": [1, 2], "requires_grad": true}, "g": {"dtype": "float32", "shape": [2], "data": [1, 1]}, "h": {"dtype": "float32", "shape": [3], "data": [1, 1, 1]}}, "steps": [{"op": "square", "in": ["x"], "out": "y"}, {"op": "exp", "in": ["x"], "out": "z"}, {"op": "backward", "in": ["y", "z"], "gradients": ["g", "h"]}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [2], "data": [1, 4], "requires_grad": true, "is_leaf": false, "version": 0, "grad_fn": "PowBackward0"}}, "raised": {"step": [2], "kind": "shape", "message": "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0"}}}
                """,
                """
                {"id": "divergences/mismatch-of-a-root-that-is-equal", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2], "data": [1, 2], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2], "data": [1, 1]}, "h": {"dtype": "float64", "shape": [1], "data": [1]}}, "steps": [{"op": "clone", "in": ["x"], "out": "y"}, {"op": "clone", "in": ["x"], "out": "z"}, {"op": "backward", "in": ["y", "z"], "gradients": ["g", "h"]}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [2], "data": [1, 2], "requires_grad": true, "is_leaf": false, "version": 0, "grad_fn": "CloneBackward0"}}, "raised": {"step": [2], "kind": "other", "message": "Boolean value of Tensor with more than one value is ambiguous"}}}
                """],
        },
        new("index-in-another-order", "unreported",
            "index of what is transposed, or by what is, lies in the order of that, so that a view is refused, or taken, unlike that of the same in row-major order; right is row-major order, as a result of picked elements has.",
            [],
            seen => seen.ViewsOtherwise(0, ProgramFacts.IndexesInAnotherOrder),
            Witnesses.IsRefusedUnlikeItsTwin("z", "y"))
        {
            Examples = ["""
                {"id": "divergences/index-in-another-order", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [4], "data": [1, 2, 3, 4]}, "i": {"dtype": "int64", "shape": [2, 2], "data": [1, 0, 2, 1]}}, "steps": [{"op": "t", "in": ["i"], "out": "j"}, {"op": "contiguous", "in": ["j"], "out": "k"}, {"op": "index", "in": ["x", ["k"]], "out": "v"}, {"op": "view", "in": ["v"], "attrs": {"size": [4]}, "out": "y"}, {"op": "index", "in": ["x", ["j"]], "out": "w"}, {"op": "view", "in": ["w"], "attrs": {"size": [4]}, "out": "z"}], "observe": ["y", "z"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [4], "data": [2, 3, 1, 2], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}, "raised": {"step": [5], "kind": "shape", "message": "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead."}}}
                """],
        },
        new("norm-of-one-by-nan", "unreported",
            "norm of the order NaN over one element at a time is its size, unless there is no dimension and it is named; right is NaN, as of several.",
            [],
            seen => seen.HasWrongElements && seen.Depends(0, ProgramFacts.IsNormOfOneByNaN),
            Witnesses.DiffersFromItsTwin("y", "z"))
        {
            Examples = ["""
                {"id": "divergences/norm-of-one-by-nan", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [], "data": [2]}}, "steps": [{"op": "norm", "in": ["x"], "attrs": {"p": "nan"}, "out": "y"}, {"op": "norm", "in": ["x"], "attrs": {"p": "nan", "dim": 0}, "out": "z"}], "observe": ["y", "z"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [], "data": [2], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}, "z": {"dtype": "float64", "shape": [], "data": ["nan"], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("integers-that-require-a-gradient", "unreported",
            "An integer tensor that is filled with a leaf's value requires a gradient, which PyTorch's own text says only floats can; right is that it requires none.",
            ["semantics/writes/into-integers-is-not-recorded/"],
            seen => seen.IsRightWithout(Spec.Rules.Writes.intoIntegersIsNotRecorded),
            Witnesses.AreIntegersThatRequireAGradient)
        {
            Examples = ["""
                {"id": "divergences/integers-filled-with-a-leaf", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float32", "shape": [], "data": [2], "requires_grad": true}, "n": {"dtype": "int64", "shape": [2], "data": [0, 1]}}, "steps": [{"op": "setitem_", "in": ["n", "p"], "attrs": {"index": [[1, 2, null]]}}], "observe": ["n"]},
                 "outcome": {"values": {"n": {"dtype": "int64", "shape": [2], "data": [0, 2], "requires_grad": true, "is_leaf": false, "version": 1, "grad_fn": "CopySlices"}}}}
                """,
                """
                {"id": "divergences/integers-masked-with-a-leaf", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"n": {"dtype": "int64", "shape": [2], "data": [0, 1]}, "m": {"dtype": "bool", "shape": [2], "data": [true, false]}, "p": {"dtype": "float32", "shape": [], "data": [2], "requires_grad": true}}, "steps": [{"op": "masked_fill_", "in": ["n", "m", "p"]}], "observe": ["n"]},
                 "outcome": {"values": {"n": {"dtype": "int64", "shape": [2], "data": [2, 1], "requires_grad": true, "is_leaf": false, "version": 1, "grad_fn": "MaskedFillBackward1"}}}}
                """,
                """
                {"id": "divergences/view-of-integers-filled-with-a-leaf", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float32", "shape": [], "data": [2], "requires_grad": true}, "n": {"dtype": "int64", "shape": [2], "data": [0, 1]}}, "steps": [{"op": "no_grad", "steps": [{"op": "select", "in": ["n"], "attrs": {"dim": 0, "index": 0}, "out": "v"}]}, {"op": "setitem_", "in": ["n", "p"], "attrs": {"index": [[1, 2, null]]}}, {"op": "add", "in": ["v", "v"], "out": "w"}], "observe": ["n"]},
                 "outcome": {"values": {"n": {"dtype": "int64", "shape": [2], "data": [0, 2], "requires_grad": true, "is_leaf": false, "version": 1, "grad_fn": "CopySlices"}}, "raised": {"step": [2], "kind": "no_grad_view_in_place", "message": "A view was created in no_grad mode and its base or another view of its base has been modified inplace with grad mode enabled. Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked)."}}}
                """],
        },
    ];
}
