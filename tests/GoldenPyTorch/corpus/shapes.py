"""Views, copies, joins and casts: what moves elements without computing."""
from corpus.program import INF, NAN
from corpus.spread import ALL, Arg, FIRST, LAYOUTS, SECOND, forward, of, spread

# operator -> (label, shape, attributes); the first gets every variant
ONE = {
    "view": [
        ("2x6", [3, 4], {"size": [2, 6]}),
        ("inferred", [2, 3, 2], {"size": [-1, 4]}),
        ("to-zero-dim", [1, 1], {"size": []}),
        ("from-zero-dim", [], {"size": [1, 1]}),
        ("empty", [0, 3], {"size": [3, 0]}),
        ("17", [17], {"size": [1, 17]}),
        ("wrong-size-raises", [6], {"size": [5]}),
        ("two-inferred-raises", [6], {"size": [-1, -1]}),
    ],
    "reshape": [
        ("2x6", [3, 4], {"shape": [2, 6]}),
        ("inferred", [2, 3, 2], {"shape": [4, -1]}),
        ("flat", [2, 3], {"shape": [-1]}),
        ("empty", [2, 0], {"shape": [0]}),
        ("to-zero-dim", [1], {"shape": []}),
        ("wrong-size-raises", [6], {"shape": [4, 2]}),
        ("empty-inferred-raises", [0], {"shape": [0, -1]}),
    ],
    "flatten": [
        ("all", [3, 4], {}),
        ("from-1", [2, 3, 2], {"start_dim": 1}),
        ("middle", [2, 3, 2, 2], {"start_dim": 1, "end_dim": 2}),
        ("zero-dim", [], {}),
        ("vector", [5], {}),
        ("negative", [2, 3, 2], {"start_dim": -2}),
        ("empty", [2, 0, 3], {"start_dim": 1}),
        ("crossed-raises", [2, 3], {"start_dim": 1, "end_dim": 0}),
    ],
    "squeeze": [
        ("all", [1, 3, 1], {}),
        ("dim-0", [1, 3, 1], {"dim": 0}),
        ("dim-last", [1, 3, 1], {"dim": -1}),
        ("nothing", [2, 3], {}),
        ("not-of-size-1", [2, 3], {"dim": 0}),
        ("to-zero-dim", [1, 1], {}),
        ("two-dims", [1, 3, 1], {"dim": [0, 2]}),
        ("dim-out-of-range-raises", [1, 3], {"dim": 2}),
    ],
    "unsqueeze": [
        ("first", [3, 4], {"dim": 0}),
        ("middle", [2, 3], {"dim": 1}),
        ("last", [2, 3], {"dim": -1}),
        ("zero-dim", [], {"dim": 0}),
        ("empty", [0], {"dim": 1}),
        ("dim-out-of-range-raises", [2], {"dim": 3}),
    ],
    "transpose": [
        ("2d", [3, 4], {"dim0": 0, "dim1": 1}),
        ("3d", [2, 3, 4], {"dim0": 0, "dim1": 2}),
        ("negative", [2, 3, 2], {"dim0": -1, "dim1": 0}),
        ("same", [2, 3], {"dim0": 1, "dim1": 1}),
        ("empty", [0, 3], {"dim0": 0, "dim1": 1}),
        ("dim-out-of-range-raises", [2, 3], {"dim0": 0, "dim1": 2}),
    ],
    "t": [("2d", [3, 4], {}), ("vector", [5], {}), ("zero-dim", [], {}), ("empty", [0, 2], {}), ("3d-raises", [2, 2, 2], {})],
    "permute": [
        ("3d", [2, 3, 4], {"dims": [2, 0, 1]}),
        ("negative", [2, 3, 4], {"dims": [-1, 0, -2]}),
        ("same", [2, 3], {"dims": [0, 1]}),
        ("4d", [2, 1, 3, 2], {"dims": [0, 2, 3, 1]}),
        ("zero-dim", [], {"dims": []}),
        ("twice-raises", [2, 3], {"dims": [0, 0]}),
        ("too-few-raises", [2, 3], {"dims": [0]}),
    ],
    "expand": [
        ("rows", [1, 4], {"size": [3, 4]}),
        ("new-dim", [3], {"size": [2, 3]}),
        ("kept", [2, 1], {"size": [-1, 3]}),
        ("zero-dim", [], {"size": [2, 2]}),
        ("to-nothing", [1], {"size": [0]}),
        ("same", [2, 3], {"size": [2, 3]}),
        ("not-of-size-1-raises", [2], {"size": [3]}),
        ("fewer-dims-raises", [2, 3], {"size": [3]}),
    ],
    "select": [
        ("row", [3, 4], {"dim": 0, "index": 1}),
        ("column", [3, 4], {"dim": 1, "index": -1}),
        ("3d", [2, 3, 2], {"dim": 1, "index": 2}),
        ("vector", [5], {"dim": 0, "index": 0}),
        ("out-of-range-raises", [3], {"dim": 0, "index": 3}),
        ("zero-dim-raises", [], {"dim": 0, "index": 0}),
    ],
    "narrow": [
        ("rows", [3, 4], {"dim": 0, "start": 1, "length": 2}),
        ("columns", [3, 4], {"dim": 1, "start": 0, "length": 3}),
        ("empty", [4], {"dim": 0, "start": 2, "length": 0}),
        ("negative-start", [5], {"dim": -1, "start": -2, "length": 2}),
        ("all", [4], {"dim": 0, "start": 0, "length": 4}),
        ("too-long-raises", [4], {"dim": 0, "start": 2, "length": 3}),
    ],
    "getitem": [
        ("row", [3, 4], {"index": [1]}),
        ("element", [3, 4], {"index": [1, -1]}),
        ("slice", [5], {"index": [[1, 4, None]]}),
        ("step", [7], {"index": [[None, None, 3]]}),
        ("column", [3, 4], {"index": [None, 2]}),
        ("negative-slice", [5], {"index": [[-3, None, None]]}),
        ("mixed", [2, 3, 4], {"index": [[0, 2, 1], 1, [None, None, 2]]}),
        ("empty-slice", [4], {"index": [[3, 1, None]]}),
        ("beyond-the-end", [4], {"index": [[2, 100, None]]}),
        ("nothing", [3], {"index": []}),
        ("out-of-range-raises", [3], {"index": [3]}),
        ("too-many-raises", [3], {"index": [0, 0]}),
        ("negative-step-raises", [3], {"index": [[None, None, -1]]}),
    ],
    "flip": [
        ("rows", [3, 4], {"dims": [0]}),
        ("both", [2, 3], {"dims": [0, 1]}),
        ("last", [2, 3, 2], {"dims": [-1]}),
        ("none", [3], {"dims": []}),
        ("empty", [0], {"dims": [0]}),
        ("17", [17], {"dims": [0]}),
        ("twice-raises", [2, 2], {"dims": [0, 0]}),
    ],
    "repeat": [
        ("2d", [3, 4], {"repeats": [2, 1]}),
        ("vector", [3], {"repeats": [2]}),
        ("new-dim", [2], {"repeats": [2, 3]}),
        ("zero-times", [2], {"repeats": [0]}),
        ("zero-dim", [], {"repeats": [2]}),
        ("both", [2, 2], {"repeats": [2, 3]}),
        ("too-few-raises", [2, 3], {"repeats": [2]}),
    ],
    "pad": [
        ("last", [3, 4], {"pad": [1, 2]}),
        ("two-dims", [2, 3], {"pad": [1, 0, 0, 2]}),
        ("value", [3], {"pad": [1, 1], "value": 2.5}),
        ("negative", [2, 4], {"pad": [-1, 1]}),
        ("crop", [2, 4], {"pad": [-1, -1]}),
        ("nothing", [3], {"pad": [0, 0]}),
        ("empty", [0], {"pad": [1, 1]}),
        ("4d", [1, 2, 2, 2], {"pad": [1, 1, 1, 1]}),
        ("value-inf", [2], {"pad": [1, 0], "value": -INF}),
        ("too-much-raises", [2], {"pad": [-2, -1]}),
        ("odd-raises", [2], {"pad": [1]}),
    ],
    "tril": [
        ("3x4", [3, 4], {}),
        ("above", [3, 3], {"diagonal": 1}),
        ("below", [3, 3], {"diagonal": -1}),
        ("batch", [2, 3, 3], {}),
        ("tall", [4, 2], {}),
        ("empty", [0, 0], {}),
        ("far", [2, 2], {"diagonal": 5}),
        ("vector-raises", [3], {}),
    ],
    "triu": [
        ("3x4", [3, 4], {}),
        ("above", [3, 3], {"diagonal": 1}),
        ("below", [3, 3], {"diagonal": -1}),
        ("batch", [2, 3, 3], {}),
        ("tall", [4, 2], {}),
        ("empty", [0, 0], {}),
        ("far", [2, 2], {"diagonal": 5}),
        ("vector-raises", [3], {}),
    ],
    "clone": [("3x4", [3, 4], {}), ("zero-dim", [], {}), ("empty", [0], {}), ("17", [17], {})],
    "contiguous": [("3x4", [3, 4], {}), ("zero-dim", [], {}), ("17", [17], {})],
}


def one():
    found = []
    for op, cases in ONE.items():
        for i, (label, shape, attrs) in enumerate(cases):
            variants = ["f32"] if label.endswith("raises") else ALL if i == 0 else FIRST + (SECOND[:1] if i < 3 else [])
            found += spread(op, label, [Arg(shape)], attrs, variants=variants)
        label, shape, attrs = cases[0]
        found += forward(op, "int64", [Arg(shape, (-9, 9), dtype="int64")], attrs, dtypes=["f32"])
        found += forward(op, "bool", [Arg(shape, dtype="bool")], attrs, dtypes=["f32"])
        found += spread(op, "not-finite", [Arg(values=[[INF, -INF, NAN]] if op in ("t", "tril", "triu") else [INF, -INF, NAN])],
                        NOT_FINITE.get(op, attrs), variants=["f32"])

        def then_squared(p, n, op=op, attrs=attrs):
            return p.step("square", p.step(op, n[0], **attrs))
        found += spread(op, "then-squared", [Arg(shape)], variants=FIRST + SECOND, call=then_squared)
    return found


NOT_FINITE = {"view": {"size": [3, 1]}, "reshape": {"shape": [3, 1]}, "transpose": {"dim0": 0, "dim1": 0}, "permute": {"dims": [0]},
              "expand": {"size": [2, 3]},
              "select": {"dim": 0, "index": 2}, "narrow": {"dim": 0, "start": 1, "length": 2}, "getitem": {"index": [[0, 2, None]]},
              "repeat": {"repeats": [2]},
              "squeeze": {}, "flip": {"dims": [0]}}


def strides():
    """What depends on how the operand lies in memory."""
    found = []
    t = {"dim0": 0, "dim1": 1}
    found += spread("view", "of-transposed-raises", [of(2, 3)], variants=["f32"],
                    call=lambda p, n: p.step("view", p.step("transpose", n[0], **t), size=[6]))
    found += spread("reshape", "of-transposed", [of(2, 3)], variants=FIRST + SECOND,
                    call=lambda p, n: p.step("reshape", p.step("transpose", n[0], **t), shape=[6]))
    found += spread("reshape", "of-expanded", [of(1, 3)], variants=FIRST + SECOND,
                    call=lambda p, n: p.step("reshape", p.step("expand", n[0], size=[2, 3]), shape=[6]))
    found += spread("flatten", "of-transposed", [of(2, 3)], variants=FIRST,
                    call=lambda p, n: p.step("flatten", p.step("transpose", n[0], **t)))
    found += spread("contiguous", "of-transposed", [of(2, 3)], variants=FIRST + SECOND,
                    call=lambda p, n: p.step("contiguous", p.step("transpose", n[0], **t)))
    found += spread("view", "of-narrowed-rows", [of(4, 3)], variants=FIRST,
                    call=lambda p, n: p.step("view", p.step("narrow", n[0], dim=0, start=1, length=2), size=[6]))
    found += spread("view", "of-every-other-raises", [of(4, 3)], variants=["f32"],
                    call=lambda p, n: p.step("view", p.step("getitem", n[0], index=[[None, None, 2]]), size=[6]))
    found += spread("expand", "of-expanded", [of(1, 1, 3)], variants=FIRST,
                    call=lambda p, n: p.step("expand", p.step("expand", n[0], size=[1, 2, 3]), size=[2, 2, 3]))
    return found


def several():
    """Split, chunk and unbind: several views of one tensor, each with its own gradient."""
    found = []
    for op, cases in {
        "split": [
            ("equal", [4, 3], {"split_size_or_sections": 2}, 2),
            ("uneven", [5], {"split_size_or_sections": 2}, 3),
            ("sections", [5, 2], {"split_size_or_sections": [1, 3, 1]}, 3),
            ("columns", [2, 4], {"split_size_or_sections": 3, "dim": 1}, 2),
            ("with-empty", [3], {"split_size_or_sections": [0, 3]}, 2),
            ("larger", [2], {"split_size_or_sections": 5}, 1),
        ],
        "chunk": [
            ("two", [4, 3], {"chunks": 2}, 2),
            ("uneven", [5], {"chunks": 3}, 3),
            ("fewer-than-asked", [5], {"chunks": 4}, 3),
            ("columns", [2, 4], {"chunks": 2, "dim": -1}, 2),
        ],
        "unbind": [("rows", [2, 3], {}, 2), ("columns", [2, 3], {"dim": 1}, 3), ("vector", [3], {}, 3), ("3d", [2, 2, 2], {"dim": -1}, 2)],
    }.items():
        for i, (label, shape, attrs, outs) in enumerate(cases):
            variants = FIRST + SECOND + (["transposed", "strided", "upstream-transposed"] if i == 0 else [])
            found += spread(op, label, [Arg(shape)], attrs, variants=variants, outs=outs)
        label, shape, attrs, outs = cases[0]
        found += spread(op, "first-only", [Arg(shape)], attrs, variants=FIRST + SECOND, outs=outs, wanted=[0])
        found += spread(op, "last-only", [Arg(shape)], attrs, outs=outs, wanted=[outs - 1])
    found += spread("split", "wrong-sum-raises", [of(5)], {"split_size_or_sections": [2, 2]}, variants=["f32"], outs=2)
    found += spread("chunk", "zero-raises", [of(5)], {"chunks": 0}, variants=["f32"], outs=1)
    found += spread("unbind", "zero-dim-raises", [of()], variants=["f32"], outs=1)
    found += spread("split", "dim-out-of-range-raises", [of(4)], {"split_size_or_sections": 2, "dim": 1}, variants=["f32"], outs=2)
    return found


def joins():
    found = []
    for label, shapes, attrs in [
        ("rows", [[2, 3], [1, 3]], {"dim": 0}),
        ("columns", [[2, 3], [2, 2], [2, 1]], {"dim": 1}),
        ("vectors", [[3], [2]], {}),
        ("last", [[2, 1, 2], [2, 1, 3]], {"dim": -1}),
        ("with-empty", [[0], [3]], {}),
        ("with-empty-legacy", [[0], [2, 3]], {}),
        ("one", [[2, 2]], {}),
        ("17-and-1", [[17], [1]], {}),
    ]:
        found += spread("cat", label, [Arg(s) for s in shapes], attrs, variants=ALL if label == "rows" else FIRST + SECOND[:1], listed=True)
    for label, shapes, attrs in [
        ("first", [[2, 3], [2, 3]], {}),
        ("last", [[2, 3], [2, 3]], {"dim": -1}),
        ("zero-dims", [[], [], []], {}),
        ("middle", [[2, 3], [2, 3]], {"dim": 1}),
        ("one", [[3]], {}),
        ("empty", [[0], [0]], {"dim": 1}),
    ]:
        found += spread("stack", label, [Arg(s) for s in shapes], attrs, variants=ALL if label == "first" else FIRST + SECOND[:1],
                        listed=True)
    for op in ["cat", "stack"]:
        found += spread(op, "itself-twice", [of(2, 2)], variants=FIRST + SECOND, call=lambda p, n, op=op: p.step(op, [n[0], n[0]], dim=0))
        found += spread(op, "one-is-constant", [of(2, 2), Arg([2, 2], grad=False)], listed=True)
        found += spread(op, "float32-with-float64", [Arg([2], dtype="float32"), Arg([2], dtype="float64")], variants=["f32"], listed=True)
        found += spread(op, "float32-with-int64", [Arg([2]), Arg([2], (0, 5), dtype="int64")], variants=["f32"], listed=True)
        found += spread(op, "shapes-raise", [of(2, 3), of(2, 4)], {"dim": 0}, variants=["f32"], listed=True)
        found += spread(op, "dim-out-of-range-raises", [of(2), of(2)], {"dim": 3}, variants=["f32"], listed=True)
    found += spread("cat", "zero-dim-raises", [of(), of()], variants=["f32"], listed=True)
    return found


def casts():
    found = []
    for source in ["float32", "float64"]:
        for target in ["float32", "float64"]:
            found += spread("to", f"{source}-to-{target}", [Arg([5], dtype=source)], {"dtype": target}, variants=["f32"])
            found += spread("to", f"{source}-to-{target}-squared", [Arg([2, 3], dtype=source)], variants=["f32", "f32-second"],
                            call=lambda p, n, target=target: p.step("square", p.step("to", n[0], dtype=target)))
        found += forward("to", f"{source}-to-int64", [Arg(values=[1.9, -1.9, 0.5, -0.0], dtype=source)], {"dtype": "int64"}, dtypes=["f32"])
        found += forward("to", f"{source}-to-bool", [Arg(values=[1.5, 0.0, -0.0, NAN, INF], dtype=source)], {"dtype": "bool"},
                         dtypes=["f32"])
        for other in ["int64", "bool"]:
            found += forward("to", f"{other}-to-{source}", [Arg([5], dtype=other)], {"dtype": source}, dtypes=["f32"])
    found += forward("to", "overflow", [Arg(values=[1e300, -1e300, 1e-300, 1.0000000001, 1e-40], dtype="float64")], {"dtype": "float32"},
                     dtypes=["f32"])
    found += forward("to", "int64-to-bool", [Arg(values=[0, 2, -1], dtype="int64")], {"dtype": "bool"}, dtypes=["f32"])
    found += forward("to", "bool-to-int64", [Arg(values=[True, False], dtype="bool")], {"dtype": "int64"}, dtypes=["f32"])
    found += forward("to", "int64-large", [Arg(values=[16777217, -9007199254740993], dtype="int64")], {"dtype": "float32"}, dtypes=["f32"])
    for layout in LAYOUTS[:4]:
        found += spread("to", "layouts", [Arg([3, 4], dtype="float32")], {"dtype": "float64"}, variants=[layout])
    return found


def programs():
    return one() + strides() + several() + joins() + casts()
