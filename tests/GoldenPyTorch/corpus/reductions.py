"""Reductions and scans: dimensions, keepdim, emptiness, ties, special values."""
from corpus.program import INF, NAN
from corpus.spread import ALL, Arg, FIRST, SECOND, forward, of, spread

DIMS = [  # label, shape, attributes
        ("all", [2, 3], {}), ("dim-0", [2, 3], {"dim": [0]}), ("dim-last-keep", [2, 3], {"dim": [-1], "keepdim": True}),
        ("dims-0-2", [2, 3, 4], {"dim": [0, 2]}), ("dim-middle", [2, 3, 2], {"dim": [1]}),
        ("dims-all-keep", [2, 3], {"dim": [0, 1], "keepdim": True}),
        ("size-1-dim", [3, 1], {"dim": [1]}),
        ]


def shared(op, domain="any", listed=True, whole=True, more=None):
    """What every reduction has; `listed`: it takes a list of dimensions; `whole`: it reduces everything without any."""
    more, found = more or {}, []

    def attrs_of(attrs, shape):
        attrs = {**attrs, **more}
        if "dim" in attrs and not listed:
            if len(attrs["dim"]) > 1:
                return None
            attrs["dim"] = attrs["dim"][0]
        if not whole and "dim" not in attrs:
            return None
        return attrs

    for label, shape, attrs in DIMS:
        attrs = attrs_of(attrs, shape)
        if attrs is not None:
            full = label in ("dim-0", "all")
            found += spread(op, label, [Arg(shape, domain)], attrs, variants=ALL if full else FIRST + SECOND[:1])
    base = {"dim": [0]} if not whole else {}
    for label, shape in [("17", [17]), ("16", [16]), ("one", [1]), ("zero-dim", [])]:
        found += spread(op, label, [Arg(shape, domain)], attrs_of(base, shape), variants=FIRST + (SECOND[1:] if label == "17" else []))
    for label, shape, attrs in [("empty", [0], base), ("empty-kept", [0, 3], {"dim": [1]}), ("empty-reduced", [0, 3], {"dim": [0]})]:
        attrs = attrs_of(attrs, shape)
        found += spread(op, label, [Arg(shape, domain)], attrs, variants=["f32"])
    found += spread(op, "dim-out-of-range-raises", [of(2, 3)], attrs_of({"dim": [2]}, []), variants=["f32"])
    if listed:
        found += spread(op, "dim-twice-raises", [of(2, 3)], attrs_of({"dim": [0, 0]}, []), variants=["f32"])
    return found


def sums():
    found = shared("sum") + shared("mean") + shared("prod", "nonzero", listed=False)
    for op in ["sum", "mean"]:
        found += spread(op, "not-finite", [Arg(values=[1.0, INF, NAN])])
        found += spread(op, "cancels", [Arg(values=[1e8, 1.0, -1e8, 0.5])])
        found += spread(op, "of-expanded", [of(1, 3)], call=lambda p, n, op=op: p.step(op, p.step("expand", n[0], size=[4, 3]), dim=[0]))
        found += spread(op, "wide", [of(4, 33)], {"dim": [1]}, variants=["f32"])
        found += spread(op, "tall", [of(33, 4)], {"dim": [0]}, variants=["f32"])
        found += spread(op, "empty-dim-list", [of(2, 3)], {"dim": []}, variants=["f32"])
    found += forward("sum", "int64", [Arg([5], (-3, 4), dtype="int64")], dtypes=["f32"])
    found += forward("sum", "bool", [Arg([5], dtype="bool")], dtypes=["f32"])
    found += spread("sum", "as-float64", [of(5)], {"dtype": "float64"}, variants=["f32"])
    found += forward("mean", "int64-raises", [Arg([5], (-3, 4), dtype="int64")], dtypes=["f32"])
    found += spread("mean", "int64-as-float32", [Arg([5], (-3, 4), dtype="int64")], {"dtype": "float32"}, variants=["f32"])
    for label, values in [
        ("one-zero", [2.0, 0.0, 3.0]),
        ("two-zeros", [0.0, 2.0, 0.0]),
        ("all-zeros", [0.0, 0.0, 0.0]),
        ("minus-zero", [-0.0, 2.0]),
        ("one-element-zero", [0.0]),
        ("with-inf", [INF, 2.0]),
        ("inf-and-zero", [INF, 0.0]),
    ]:
        found += spread("prod", label, [Arg(values=values)], variants=FIRST + SECOND)
    found += spread("prod", "zeros-by-row", [Arg(values=[[0.0, 3.0, 2.0], [2.0, 0.0, 0.0], [1.0, 2.0, 3.0]])], {"dim": 1},
                    variants=FIRST + SECOND)
    found += forward("prod", "int64", [Arg([4], (1, 4), dtype="int64")], dtypes=["f32"])
    return found


def extremes():
    found = []
    ties, many = Arg(values=[1.0, 3.0, 3.0, 2.0, 3.0]), Arg(values=[[1.0, 1.0, 0.0], [2.0, 0.0, 2.0]])
    for op in ["max", "min", "amax", "amin"]:
        found += shared(op, "distinct", listed=op.startswith("a")) if op.startswith("a") else whole(op) + along(op)
        outs = {} if op.startswith("a") else {"outs": 2, "wanted": [0]}
        found += spread(op, "ties", [ties], variants=FIRST + SECOND)
        found += spread(op, "ties-by-row", [many], {"dim": 1}, variants=FIRST + SECOND, **outs)
        found += spread(op, "ties-by-column", [many], {"dim": 0}, variants=FIRST, **outs)
        found += spread(op, "nan", [Arg(values=[1.0, NAN, 2.0])])
        found += spread(op, "nan-by-row", [Arg(values=[[1.0, NAN, 2.0], [3.0, 0.0, 1.0]])], {"dim": 1}, variants=FIRST, **outs)
        found += spread(op, "infinities", [Arg(values=[INF, INF, -INF])])
        found += spread(op, "zeros", [Arg(values=[0.0, -0.0, 0.0])])
        found += spread(op, "all-equal", [Arg(values=[2.0, 2.0, 2.0])], variants=FIRST + SECOND)
        found += forward(op, "int64", [Arg([5], (0, 9), dtype="int64")], dtypes=["f32"])
    return found


def whole(op):
    """max() and min() of everything."""
    found = []
    for label, shape in [("all", [3, 4]), ("17", [17]), ("one", [1]), ("zero-dim", []), ("4d", [2, 1, 2, 2])]:
        found += spread(op, label, [Arg(shape, "distinct")], variants=ALL if label == "all" else FIRST + SECOND[:1])
    return found + spread(op, "empty-raises", [of(0)], variants=["f32"])


def along(op):
    """max(dim) and min(dim): values and indices."""
    found = []
    for label, shape, attrs in [
        ("dim-0", [3, 4], {"dim": 0}),
        ("dim-last-keep", [2, 3], {"dim": -1, "keepdim": True}),
        ("dim-middle", [2, 3, 2], {"dim": 1}),
        ("zero-dim-dim", [], {"dim": 0}),
        ("empty-kept", [0, 3], {"dim": 1}),
        ("empty-reduced-raises", [0, 3], {"dim": 0}),
        ("17-dim", [17], {"dim": 0}),
    ]:
        found += spread(op, label, [Arg(shape, "distinct")], attrs, variants=ALL if label == "dim-0" else FIRST, outs=2, wanted=[0])
    return found


def spreads():
    found = []
    for op in ["var", "std"]:
        found += shared(op)
        for label, attrs in [
            ("correction-0", {"correction": 0}),
            ("correction-2", {"correction": 2}),
            ("unbiased-false", {"unbiased": False}),
            ("correction-0-dim", {"dim": [1], "correction": 0, "keepdim": True}),
            ("unbiased-dim", {"dim": [0], "unbiased": True}),
        ]:
            found += spread(op, label, [of(3, 4)], attrs, variants=FIRST + SECOND)
        found += spread(op, "constant", [Arg(values=[2.0, 2.0, 2.0])], variants=FIRST + SECOND)
        found += spread(op, "one-element", [Arg(values=[2.0])], {"correction": 0}, variants=FIRST)
        found += spread(op, "far-from-zero", [Arg(values=[10000.0, 10001.0, 10002.5, 9999.0])])
        found += spread(op, "not-finite", [Arg(values=[1.0, INF, 2.0])], variants=["f32"])
        found += spread(op, "correction-too-large", [of(2)], {"correction": 3}, variants=["f32"])
        found += forward(op, "int64-raises", [Arg([3], (0, 5), dtype="int64")], dtypes=["f32"])
    return found


def exponentials():
    found = shared("logsumexp", whole=False)
    for label, values in [
        ("large", [1000.0, 1000.0, 999.0]),
        ("small", [-1000.0, -1001.0]),
        ("minus-inf", [-INF, 0.0, 1.0]),
        ("all-minus-inf", [-INF, -INF]),
        ("inf", [INF, 0.0]),
        ("nan", [NAN, 0.0]),
        ("ties", [2.0, 2.0, 2.0]),
    ]:
        found += spread("logsumexp", label, [Arg(values=values)], {"dim": [0]}, variants=FIRST + SECOND[:1])
    return found


def norms():
    found = shared("norm", "nonzero")
    for label, power in [
        ("1", 1),
        ("2", 2),
        ("2-float", 2.0),
        ("3", 3),
        ("half", 0.5),
        ("0", 0),
        ("inf", INF),
        ("minus-inf", -INF),
        ("1-and-half", 1.5),
    ]:
        found += spread("norm", f"p-{label}", [Arg([2, 3], "nonzero")], {"p": power}, variants=FIRST + SECOND)
        found += spread("norm", f"p-{label}-rows", [Arg([2, 3], "nonzero")], {"p": power, "dim": [1]}, variants=FIRST)
        found += spread("norm", f"p-{label}-kinks", [Arg(values=[[0.0, 0.0], [1.0, -1.0], [0.0, -2.0]])], {"p": power, "dim": [1]},
                        variants=FIRST)
    for label, values in [
        ("zeros", [0.0, 0.0]),
        ("large", [3e30, 4e30]),
        ("tiny", [3e-30, 4e-30]),
        ("not-finite", [INF, 1.0]),
        ("ties", [1.0, -1.0, 0.5]),
    ]:
        found += spread("norm", label, [Arg(values=values)])
    found += spread("norm", "frobenius", [Arg([2, 3], "nonzero")], {"p": "fro"}, variants=FIRST)
    return found


def arguments_and_scans():
    found = []
    for label, shape, attrs in [
        ("all", [2, 3], {}),
        ("dim-0", [2, 3], {"dim": 0}),
        ("dim-last-keep", [2, 3], {"dim": -1, "keepdim": True}),
        ("17", [17], {}),
        ("zero-dim", [], {}),
        ("empty-kept", [0, 3], {"dim": 1}),
        ("empty-raises", [0], {}),
        ("empty-dim-raises", [0, 3], {"dim": 0}),
    ]:
        found += forward("argmax", label, [Arg(shape, "distinct")], attrs)
    found += forward("argmax", "ties", [Arg(values=[1.0, 3.0, 3.0])]) + forward("argmax", "nan", [Arg(values=[1.0, NAN, 3.0])])
    found += forward("argmax", "ties-rows", [Arg(values=[[1.0, 1.0], [0.0, 2.0], [2.0, 2.0]])], {"dim": 1})
    found += forward("argmax", "int64", [Arg([5], (0, 9), dtype="int64")], dtypes=["f32"])
    found += spread("argmax", "backward-raises", [of(3)], variants=["f32"], call=lambda p, n: p.step("sum", p.step("argmax", n[0], dim=0)))
    found += spread("argmax", "picks-by-gather", [Arg([2, 3], "distinct")],
                    call=lambda p, n: p.step("gather", n[0], p.step("argmax", n[0], dim=1, keepdim=True), dim=1))
    for label, shape, dim in [
        ("1d", [5], 0),
        ("rows", [2, 3], 1),
        ("columns", [3, 4], 0),
        ("last-negative", [2, 3, 2], -1),
        ("middle", [2, 3, 2], 1),
        ("17", [17], 0),
        ("zero-dim", [], 0),
        ("empty", [0], 0),
        ("empty-2d", [2, 0], 1),
        ("one", [1], 0),
    ]:
        found += spread("cumsum", label, [Arg(shape)], {"dim": dim}, variants=ALL if label == "columns" else FIRST + SECOND[:1])
    found += spread("cumsum", "not-finite", [Arg(values=[1.0, INF, 2.0, NAN])], {"dim": 0})
    found += spread("cumsum", "dim-out-of-range-raises", [of(2)], {"dim": 1}, variants=["f32"])
    found += forward("cumsum", "int64", [Arg([5], (0, 9), dtype="int64")], {"dim": 0}, dtypes=["f32"])
    found += forward("cumsum", "bool", [Arg([5], dtype="bool")], {"dim": 0}, dtypes=["f32"])
    return found


def programs():
    return sums() + extremes() + spreads() + exponentials() + norms() + arguments_and_scans()
