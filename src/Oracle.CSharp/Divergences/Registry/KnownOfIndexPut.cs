namespace Verified.Oracle;

/// <summary>index_put_, which checks too late or not at all.</summary>
internal static class KnownOfIndexPut
{
    internal static IReadOnlyList<Divergence> Entries { get; } =
    [
        new("index-put-stops-half-way", "unreported",
            "index_put_ with an index out of bounds has written what stands before it when it raises; right is that a step that raises changes nothing.",
            [],
            seen => seen.HasWrongElements && ProgramFacts.IsWrittenByARefusedIndexPut(seen.Program, seen.Finding.Name),
            Witnesses.ChangesInARefusedStep("x"))
        {
            Examples = ["""
                {"id": "divergences/index-put-stops-half-way", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2], "data": [0, 0]}, "i": {"dtype": "int64", "shape": [2], "data": [0, 2]}, "v": {"dtype": "float32", "shape": [2], "data": [1, 1]}}, "steps": [{"op": "index_put_", "in": ["x", ["i"], "v"]}], "observe": ["x"]},
                 "outcome": {"values": {"x": {"dtype": "float32", "shape": [2], "data": [1, 0], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}, "raised": {"step": [0], "kind": "index", "message": "index 2 is out of bounds for dimension 0 with size 2"}}}
                """],
        },
        new("index-put-into-nothing", "unreported",
            "index_put_ into a tensor without elements, and index and index_put by an index without any, do not look at their indices; right is to refuse those that are out of bounds, as of any other tensor.",
            [],
            seen => seen.RaisesNothing && ProgramFacts.EndsInIndexPutIntoNothing(seen.Program),
            Witnesses.TakesAnIndexOutOfBounds("x", "i"))
        {
            Examples = ["""
                {"id": "divergences/index-put-into-nothing", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [1, 0], "data": []}, "i": {"dtype": "int64", "shape": [], "data": [3]}, "v": {"dtype": "float64", "shape": [], "data": [0]}}, "steps": [{"op": "index_put_", "in": ["x", ["i"], "v"]}], "observe": ["x"]},
                 "outcome": {"values": {"x": {"dtype": "float64", "shape": [1, 0], "data": [], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/index-put-of-nothing", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [1, 1], "data": [1]}, "none": {"dtype": "int64", "shape": [0], "data": []}, "i": {"dtype": "int64", "shape": [], "data": [3]}, "v": {"dtype": "float64", "shape": [0], "data": []}}, "steps": [{"op": "index_put_", "in": ["x", ["none", "i"], "v"]}], "observe": ["x"]},
                 "outcome": {"values": {"x": {"dtype": "float64", "shape": [1, 1], "data": [1], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/index-of-nothing", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [1, 2], "data": [1, 2]}, "none": {"dtype": "int64", "shape": [0], "data": []}, "i": {"dtype": "int64", "shape": [], "data": [7]}}, "steps": [{"op": "index", "in": ["x", ["none", "i"]], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [0], "data": [], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("index-put-by-no-index", "unreported",
            "index_put by no index reads a tensor that is not there; right is that everything is written to.",
            [],
            seen => seen.RaisesAt(ProgramFacts.PutsByNoIndex, Witnesses.MissingTensors),
            Witnesses.SpeaksOfAMissingTensor)
        {
            Examples = ["""
                {"id": "divergences/index-put-by-no-index", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [1], "data": [1]}, "v": {"dtype": "float64", "shape": [1], "data": [2]}}, "steps": [{"op": "index_put", "in": ["x", [], "v"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {}, "raised": {"step": [0], "kind": "other", "message": "sym_strides() called on an undefined Tensor"}}}
                """,
                """
                {"id": "divergences/index-put-by-null", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [1], "data": [1]}, "v": {"dtype": "float64", "shape": [1], "data": [2]}}, "steps": [{"op": "index_put", "in": ["x", [null], "v"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {}, "raised": {"step": [0], "kind": "dtype", "message": "masked_fill_ only supports boolean masks, but got mask with dtype nullptr (uninitialized)"}}}
                """],
        },
        new("index-put-into-shared-memory", "unreported",
            "index_put_ writes to memory that several elements share, with a warning and in no order that is told, or complains of something else; right is to refuse it, as other writes do.",
            [],
            seen => ProgramFacts.EndsInIndexPutIntoSharedMemory(seen.Program) && (seen.GoesOn || seen.IsRightFor(ProgramFacts.WithIndexPutOutOfPlace(seen.Program)) || seen.RaisedAt("Inplace update to inference tensor outside InferenceMode") is not null),
            Witnesses.LosesWhatItWrote("y", "v"))
        {
            Examples = ["""
                {"id": "divergences/index-put-into-shared-memory", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [1], "data": [1]}, "i": {"dtype": "int64", "shape": [2], "data": [0, 2]}, "v": {"dtype": "float64", "shape": [2], "data": [5, 6]}}, "steps": [{"op": "expand", "in": ["x"], "attrs": {"size": [3]}, "out": "y"}, {"op": "index_put_", "in": ["y", ["i"], "v"]}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [3], "data": [6, 6, 6], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """],
        },
        new("index-put-of-one-value-by-a-mask", "unreported",
            "index_put of a single value by a mask fills by the mask and looks neither at the value's dtype and shape nor whether the mask has a dimension; right is to refuse them, as by indices, and as of more than one value.",
            [],
            seen => seen.GoesOn && ProgramFacts.EndsInIndexPutOfOneByAMask(seen.Program),
            Witnesses.TakesAValueThatDoesNotFit("x", "m", "v"))
        {
            Examples = ["""
                {"id": "divergences/index-put-of-a-double-by-a-mask", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2], "data": [1, 2]}, "m": {"dtype": "bool", "shape": [2], "data": [true, false]}, "v": {"dtype": "float64", "shape": [], "data": [5]}}, "steps": [{"op": "index_put", "in": ["x", ["m"], "v"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [2], "data": [5, 2], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/index-put-of-a-float-by-a-mask", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "int64", "shape": [2], "data": [1, 2]}, "m": {"dtype": "bool", "shape": [2], "data": [true, false]}, "v": {"dtype": "float32", "shape": [], "data": [5.5]}}, "steps": [{"op": "index_put_", "in": ["x", ["m"], "v"]}], "observe": ["x"]},
                 "outcome": {"values": {"x": {"dtype": "int64", "shape": [2], "data": [5, 2], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/index-put-by-a-mask-without-dimension", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2], "data": [1, 2]}, "m": {"dtype": "bool", "shape": [], "data": [true]}, "v": {"dtype": "float32", "shape": [], "data": [5]}}, "steps": [{"op": "index_put", "in": ["x", ["m"], "v"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [2], "data": [5, 5], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/index-put-of-a-matrix-by-a-mask", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2], "data": [1, 2]}, "m": {"dtype": "bool", "shape": [2], "data": [true, false]}, "v": {"dtype": "float32", "shape": [1, 1], "data": [5]}}, "steps": [{"op": "index_put", "in": ["x", ["m"], "v"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [2], "data": [5, 2], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
    ];
}
