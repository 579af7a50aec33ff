namespace Verified.Oracle;

/// <summary>Calls that should be refused, or should not be.</summary>
internal static class KnownOfChecks
{
    internal static IReadOnlyList<Divergence> Entries { get; } =
    [
        new("two-dtypes-of-nothing", "unreported",
            "mv and bmm, and matmul by them, multiply tensors of two dtypes where one of them is empty, into the dtype of the second; right is to refuse them, as of anything else.",
            [],
            seen => seen.RaisesNothing && ProgramFacts.EndsInAProductOfNothing(seen.Program),
            Witnesses.IsNotPromoted("a", "x", "y"))
        {
            Examples = ["""
                {"id": "divergences/mv-of-nothing", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"a": {"dtype": "float64", "shape": [1, 0], "data": []}, "x": {"dtype": "float32", "shape": [0], "data": []}}, "steps": [{"op": "mv", "in": ["a", "x"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [1], "data": [0], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/bmm-of-nothing", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"a": {"dtype": "float64", "shape": [0, 1, 1], "data": []}, "x": {"dtype": "float32", "shape": [0, 1, 1], "data": []}}, "steps": [{"op": "bmm", "in": ["a", "x"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [0, 1, 1], "data": [], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("nll-loss-of-one-group-by-several", "unreported",
            "nll_loss of the log-probabilities of one group takes as many targets as there are classes, and reads the first alone; right is to refuse them, as any other number of them.",
            [],
            seen => seen.GoesOn && ProgramFacts.EndsInALossOfOneGroupBySeveral(seen.Program),
            Witnesses.TakesAnIndexOutOfBounds("x", "t"))
        {
            Examples = ["""
                {"id": "divergences/nll-loss-of-one-group-by-several", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [3], "data": [1, 2, 5]}, "t": {"dtype": "int64", "shape": [3], "data": [1, 0, 7]}}, "steps": [{"op": "nll_loss", "in": ["x", "t"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [], "data": [-2], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("conv-transpose-by-a-bias-of-another-dtype", "unreported",
            "conv_transpose2d, and conv2d where its padding is in words, do not look at the dtype of their bias, and add it converted; right is to refuse it, as conv2d does where its padding is in numbers.",
            [],
            seen => seen.GoesOn && ProgramFacts.EndsInAConvolutionByABiasOfAnotherDType(seen.Program),
            Witnesses.TakesTwoDTypes("x", "b"))
        {
            Examples = ["""
                {"id": "divergences/conv-transpose-by-a-bias-of-another-dtype", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [1, 1, 1, 1], "data": [2]}, "w": {"dtype": "float64", "shape": [1, 1, 1, 1], "data": [3]}, "b": {"dtype": "int64", "shape": [1], "data": [2]}}, "steps": [{"op": "conv_transpose2d", "in": ["x", "w", "b"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [1, 1, 1, 1], "data": [8], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/conv2d-with-padding-in-words-by-a-bias-of-another-dtype", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [1, 1, 1, 1], "data": [2]}, "w": {"dtype": "float64", "shape": [1, 1, 1, 1], "data": [3]}, "b": {"dtype": "int64", "shape": [1], "data": [2]}}, "steps": [{"op": "conv2d", "in": ["x", "w", "b"], "attrs": {"padding": "same"}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [1, 1, 1, 1], "data": [8], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("convolution-of-nothing", "unreported",
            "conv2d and conv_transpose2d of a batch or of channels of nothing multiply by the weight's first number, whatever its dtype; right is to refuse another dtype, as of anything else.",
            [],
            seen => seen.GoesOn && ProgramFacts.EndsInAConvolutionOfNothing(seen.Program),
            Witnesses.TakesTwoDTypes("x", "w"))
        {
            Examples = ["""
                {"id": "divergences/convolution-of-nothing", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [0, 1, 1, 1], "data": []}, "w": {"dtype": "float32", "shape": [1, 1, 1, 1], "data": [3]}}, "steps": [{"op": "conv2d", "in": ["x", "w"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [0, 1, 1, 1], "data": [], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/transpose-of-no-integers", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "int64", "shape": [0, 1, 1, 1], "data": []}, "w": {"dtype": "float32", "shape": [1, 1, 1, 1], "data": [1]}}, "steps": [{"op": "conv_transpose2d", "in": ["x", "w"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [0, 1, 1, 1], "data": [], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("convolution-of-nothing-by-nothing", "unreported",
            "conv2d and conv_transpose2d of a batch or of channels of nothing multiply by the weight's first number before they see that its kernel has none; right is to complain of the kernel.",
            [],
            seen => seen.RaisesAt(ProgramFacts.IsConvolutionOfNothing, "index 0 out of range for tensor of size [0]"),
            Witnesses.ComplainsOfAnIndex)
        {
            Examples = ["""
                {"id": "divergences/convolution-of-nothing-by-nothing", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [0, 1, 1, 1], "data": []}, "w": {"dtype": "float64", "shape": [1, 1, 0, 1], "data": []}}, "steps": [{"op": "conv2d", "in": ["x", "w"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {}, "raised": {"step": [0], "kind": "index", "message": "select(): index 0 out of range for tensor of size [0] at dimension 0"}}}
                """],
        },
        new("conv-transpose-of-nothing-to-less", "unreported",
            "conv_transpose2d of an empty batch does not see that its result would have sizes below zero, and asks for a view of such sizes; right is to complain of the size that comes out, as of anything else.",
            [],
            seen => seen.RaisesAt((state, step) => step.Op == "conv_transpose2d" && ProgramFacts.IsConvolutionOfNothing(state, step), Witnesses.SizesOfViews),
            Witnesses.ComplainsOfTheSizesOfAView)
        {
            Examples = ["""
                {"id": "divergences/conv-transpose-of-nothing-to-less", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [0, 1, 1, 1], "data": []}, "w": {"dtype": "float64", "shape": [1, 1, 1, 1], "data": [1]}}, "steps": [{"op": "conv_transpose2d", "in": ["x", "w"], "attrs": {"padding": 1}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {}, "raised": {"step": [0], "kind": "value", "message": "only one dimension can be inferred"}}}
                """],
        },
        new("loss-of-nothing", "unreported",
            "nll_loss, and cross_entropy by it, do not look at the dtype of a target where there is nothing to compare; right is to refuse it, as of anything else.",
            [],
            seen => seen.GoesOn && ProgramFacts.EndsInALossOfNothing(seen.Program),
            Witnesses.TakesClassesThatAreNoIntegers("t"))
        {
            Examples = ["""
                {"id": "divergences/nll-loss-of-nothing", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [0, 2], "data": []}, "t": {"dtype": "float64", "shape": [0], "data": []}}, "steps": [{"op": "nll_loss", "in": ["x", "t"], "attrs": {"reduction": "sum"}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [], "data": [0], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/cross-entropy-of-nothing", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [0, 2], "data": []}, "t": {"dtype": "bool", "shape": [0], "data": []}}, "steps": [{"op": "cross_entropy", "in": ["x", "t"], "attrs": {"reduction": "sum"}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [], "data": [0], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("cross-entropy-of-no-numbers", "unreported",
            "cross_entropy takes the logarithm of softmax of integers and booleans where there are none, and complains of what the loss then meets first; right is to refuse them, as any others.",
            [],
            seen => seen.RaisesAt(ProgramFacts.IsCrossEntropyOfNoNumbers, "weight tensor should be defined", "match target batch_size", "size mismatch (got input", "tensor has no dimensions", "batches of spatial targets", "with respect to argument 'weight'"),
            Witnesses.ComplainsOfNoDTypeButOf("x"))
        {
            Examples = ["""
                {"id": "divergences/cross-entropy-of-no-numbers", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "int64", "shape": [0, 2], "data": []}, "t": {"dtype": "int64", "shape": [0], "data": []}, "w": {"dtype": "float32", "shape": [3], "data": [1, 1, 1]}}, "steps": [{"op": "cross_entropy", "in": ["x", "t", "w"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {}, "raised": {"step": [0], "kind": "shape", "message": "weight tensor should be defined either for all 2 classes or no classes but got weight tensor of shape: [3]"}}}
                """],
        },
        new("batch-norm-moves-and-then-refuses", "unreported",
            "batch_norm in training has moved the running statistics when it refuses a bias of another dtype; right is that a step that raises changes nothing.",
            [],
            seen => seen.HasWrongElements && ProgramFacts.IsMovedByARefusedBatchNorm(seen.Program, seen.Finding.Name),
            Witnesses.ChangesInARefusedStep("m"))
        {
            Examples = ["""
                {"id": "divergences/batch-norm-moves-and-then-refuses", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2, 1], "data": [1, 3]}, "m": {"dtype": "float64", "shape": [1], "data": [0]}, "v": {"dtype": "float64", "shape": [1], "data": [1]}, "w": {"dtype": "float64", "shape": [1], "data": [1]}, "b": {"dtype": "float32", "shape": [1], "data": [1]}}, "steps": [{"op": "batch_norm", "in": ["x", "m", "v", "w", "b"], "attrs": {"training": true}, "out": "y"}], "observe": ["m"]},
                 "outcome": {"values": {"m": {"dtype": "float64", "shape": [1], "data": [0.2], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}, "raised": {"step": [0], "kind": "dtype", "message": "expected scalar type Double but found Float"}}}
                """],
        },
        new("kernels-of-nothing", "unreported",
            "Where there are no elements, or none come of it, mv, mm, bmm, what is made of them, softmax and adaptive_avg_pool2d give integers or booleans, which their kernels refuse; right is to refuse them there, too.",
            [],
            seen => seen.RaisesNothing && ProgramFacts.EndsInAKernelOfNothing(seen.Program),
            Witnesses.IsOfIntegers("y"))
        {
            Examples = ["""
                {"id": "divergences/mv-of-no-booleans", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"a": {"dtype": "bool", "shape": [1, 0], "data": []}, "x": {"dtype": "bool", "shape": [0], "data": []}}, "steps": [{"op": "mv", "in": ["a", "x"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "bool", "shape": [1], "data": [false], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/matmul-of-no-booleans", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"a": {"dtype": "bool", "shape": [1, 0], "data": []}, "x": {"dtype": "bool", "shape": [0, 1], "data": []}}, "steps": [{"op": "matmul", "in": ["a", "x"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "bool", "shape": [1, 1], "data": [false], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/softmax-of-no-integers", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "int64", "shape": [2, 0], "data": []}}, "steps": [{"op": "softmax", "in": ["x"], "attrs": {"dim": 1}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "int64", "shape": [2, 0], "data": [], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/softmax-into-no-integers", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [0], "data": []}}, "steps": [{"op": "log_softmax", "in": ["x"], "attrs": {"dim": 0, "dtype": "int64"}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "int64", "shape": [0], "data": [], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/pooling-of-no-integers", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "int64", "shape": [0, 1, 1], "data": []}}, "steps": [{"op": "adaptive_avg_pool2d", "in": ["x"], "attrs": {"output_size": [3, 2]}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "int64", "shape": [0, 3, 2], "data": [], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/pooling-into-no-integers", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "int64", "shape": [1, 1, 1], "data": [2]}}, "steps": [{"op": "adaptive_avg_pool2d", "in": ["x"], "attrs": {"output_size": [0, 1]}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "int64", "shape": [1, 0, 1], "data": [], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("logsumexp-over-no-named-dimension", "unreported",
            "logsumexp over an empty list of dimensions, which stands for all of them, raises unless they are kept; right is that of all.",
            [],
            seen => seen.RaisesAt((_, step) => step.Op == "logsumexp" && ProgramFacts.NamesNoDimension(step), "doesn't match the broadcast shape"),
            Witnesses.IsRefusedUnlikeItsTwin("z", "y"))
        {
            Examples = ["""
                {"id": "divergences/logsumexp-over-no-named-dimension", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "logsumexp", "in": ["x"], "attrs": {"dim": [0]}, "out": "y"}, {"op": "logsumexp", "in": ["x"], "attrs": {"dim": []}, "out": "z"}], "observe": ["y", "z"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [], "data": [2.313261687518223], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}, "raised": {"step": [1], "kind": "shape", "message": "output with shape [] doesn't match the broadcast shape [1]"}}}
                """],
        },
        new("cross-entropy-smoothed-below-zero", "unreported",
            "cross_entropy takes a label smoothing below 0 for none, against its documentation; right is to refuse it.",
            [],
            seen => seen.RaisesNothing && ProgramFacts.EndsInSmoothingBelowZero(seen.Program),
            Witnesses.IsAsWithout("label_smoothing", "y"))
        {
            Examples = ["""
                {"id": "divergences/cross-entropy-smoothed-below-zero", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2], "data": [0.5, -1]}, "t": {"dtype": "int64", "shape": [], "data": [0]}}, "steps": [{"op": "cross_entropy", "in": ["x", "t"], "attrs": {"label_smoothing": -0.5}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [], "data": [0.20141327798275246], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("batch-norm-of-nothing", "unreported",
            "batch_norm of a tensor without elements looks at nothing else: in evaluation statistics may be missing, and sizes may be wrong; right is to refuse them, as of anything else.",
            [],
            seen => seen.GoesOn && ProgramFacts.EndsInBatchNormOfNothing(seen.Program),
            Witnesses.NormalisesByWhatDoesNotFit("x"))
        {
            Examples = ["""
                {"id": "divergences/batch-norm-of-nothing-without-statistics", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [0, 1], "data": []}}, "steps": [{"op": "batch_norm", "in": ["x"], "attrs": {"training": false}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [0, 1], "data": [], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/batch-norm-of-nothing-by-other-sizes", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [0, 2], "data": []}, "m": {"dtype": "float32", "shape": [1], "data": [1]}, "v": {"dtype": "float32", "shape": [1], "data": [1]}, "w": {"dtype": "float32", "shape": [3], "data": [1, 2, 3]}}, "steps": [{"op": "batch_norm", "in": ["x", "m", "v", "w"], "attrs": {"training": true}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [0, 2], "data": [], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("batch-norm-of-nothing-whose-history-cannot-be-told", "unreported",
            "batch_norm of a tensor without elements does not look at sizes, and so complains of a history that cannot be told where it should complain of them, as of anything else.",
            [],
            seen => seen.RaisesAt(ProgramFacts.IsBatchNormOfNothing, "no_grad mode and its base or another view of its base has been modified inplace")
                && ProgramFacts.EndsInBatchNormOfNothing(seen.Program),
            Witnesses.NormalisesByWhatDoesNotFit("x"))
        {
            Examples = ["""
                {"id": "divergences/batch-norm-of-nothing-by-other-sizes-whose-history-cannot-be-told", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [0, 2], "data": []}, "m": {"dtype": "float64", "shape": [1], "data": [1]}, "v": {"dtype": "float64", "shape": [1], "data": [1]}, "p": {"dtype": "float64", "shape": [], "data": [2], "requires_grad": true}}, "steps": [{"op": "detach", "in": ["x"], "out": "d"}, {"op": "no_grad", "steps": [{"op": "view", "in": ["d"], "attrs": {"size": [0, 2]}, "out": "h"}]}, {"op": "mul_", "in": ["d", "p"]}, {"op": "batch_norm", "in": ["h", "m", "v"], "attrs": {"training": true}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {}, "raised": {"step": [3], "kind": "no_grad_view_in_place", "message": "A view was created in no_grad mode and its base or another view of its base has been modified inplace with grad mode enabled. Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked)."}}}
                """],
        },
        new("batch-norm-without-channels", "unreported",
            "batch_norm of a tensor without elements multiplies by the first weight and adds the first bias, which are not there where there are no channels, or no dimension, and keeps the weight for that; right is what is normalised, which is nothing, or to refuse what does not fit.",
            [],
            seen => seen.RaisesAt(ProgramFacts.IsBatchNormOfNothing, "index 0 out of range for tensor of size [0]", "select() cannot be applied to a 0-dim tensor", "Inference tensors cannot be saved"),
            Witnesses.ComplainsOfAnIndex)
        {
            Examples = ["""
                {"id": "divergences/batch-norm-without-channels", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2, 0], "data": []}, "w": {"dtype": "float32", "shape": [0], "data": []}}, "steps": [{"op": "batch_norm", "in": ["x", null, null, "w"], "attrs": {"training": true}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {}, "raised": {"step": [0], "kind": "index", "message": "select(): index 0 out of range for tensor of size [0] at dimension 0"}}}
                """,
                """
                {"id": "divergences/batch-norm-of-nothing-by-a-weight-without-dimension", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [0, 2], "data": []}, "w": {"dtype": "float64", "shape": [], "data": [1]}}, "steps": [{"op": "batch_norm", "in": ["x", null, null, "w"], "attrs": {"training": true}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {}, "raised": {"step": [0], "kind": "index", "message": "select() cannot be applied to a 0-dim tensor."}}}
                """],
        },
        new("mask-of-no-dimension", "unreported",
            "index and index_put leave out a mask without dimensions, whatever it holds, and go on with the other indices, or complain of these; right is to refuse it.",
            [],
            seen => ProgramFacts.EndsInAMaskOfNoDimension(seen.Program) && seen.IsRightInAllFor(ProgramFacts.WithoutMasksOfNoDimension(seen.Program)),
            Witnesses.LeavesOutTheMask)
        {
            Examples = ["""
                {"id": "divergences/mask-of-no-dimension-for-nothing", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [0, 1], "data": []}, "m": {"dtype": "bool", "shape": [], "data": [false]}}, "steps": [{"op": "index", "in": ["x", ["m"]], "out": "y"}], "observe": ["x", "y"]},
                 "outcome": {"values": {"x": {"dtype": "float32", "shape": [0, 1], "data": [], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}, "y": {"dtype": "float32", "shape": [0, 1], "data": [], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/mask-of-no-dimension-beside-an-index", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2, 2], "data": [1, 2, 3, 4]}, "m": {"dtype": "bool", "shape": [], "data": [false]}, "i": {"dtype": "int64", "shape": [1], "data": [1]}}, "steps": [{"op": "index", "in": ["x", ["m", "i"]], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [1, 2], "data": [3, 4], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/mask-of-no-dimension-and-a-wrong-value", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2, 2], "data": [1, 2, 3, 4]}, "m": {"dtype": "bool", "shape": [], "data": [true]}, "i": {"dtype": "int64", "shape": [2], "data": [1, 0]}, "v": {"dtype": "float64", "shape": [3], "data": [5, 6, 7]}}, "steps": [{"op": "index_put", "in": ["x", ["m", "i"], "v"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {}, "raised": {"step": [0], "kind": "shape", "message": "shape mismatch: value tensor of shape [3] cannot be broadcast to indexing result of shape [2, 2]"}}}
                """],
        },
    ];
}
