"""Indices as data: gather, index_select, masked_fill, embedding, index and index_put; duplicates add up, bounds are checked."""
from corpus.program import INF, NAN
from corpus.spread import ALL, Arg, FIRST, SECOND, forward, of, spread


def whole(values):
    return Arg(values=values, dtype="int64")


def mask(values):
    return Arg(values=values, dtype="bool")


def gather():
    found = []
    for label, shape, index, dim in [
        ("rows", [3, 4], [[0, 2, 1, 0], [2, 2, 0, 1]], 0),
        ("columns", [2, 3], [[2, 0], [1, 1]], 1),
        ("duplicates", [3], [0, 0, 2, 0], 0),
        ("last", [2, 2, 3], [[[2], [0]], [[1], [1]]], -1),
        ("smaller-index", [3, 3], [[0, 1]], 0),
        ("zero-dim", [], 0, 0),
        ("one", [1], [0, 0, 0], 0),
        ("17", [17], [16, 0, 8], 0),
    ]:
        found += spread("gather", label, [Arg(shape), whole(index)], {"dim": dim}, variants=ALL if label == "rows" else FIRST + SECOND)
    found += spread("gather", "empty-index", [of(3), Arg([0], (0, 1), dtype="int64")], {"dim": 0}, variants=FIRST)
    found += spread("gather", "out-of-range-raises", [of(2), whole([3])], {"dim": 0}, variants=["f32"])
    found += spread("gather", "negative-raises", [of(2), whole([-1])], {"dim": 0}, variants=["f32"])
    found += spread("gather", "float-index-raises", [of(2), Arg(values=[0.0], grad=False)], {"dim": 0}, variants=["f32"])
    found += spread("gather", "dims-raise", [of(2, 2), whole([0])], {"dim": 0}, variants=["f32"])
    found += spread("gather", "index-too-large-raises", [of(2, 2), whole([[0, 0, 0], [0, 0, 0]])], {"dim": 0}, variants=["f32"])
    found += spread("gather", "dim-out-of-range-raises", [of(2), whole([0])], {"dim": 1}, variants=["f32"])
    found += spread("gather", "squared", [of(3), whole([0, 0, 2])], variants=FIRST + SECOND,
                    call=lambda p, n: p.step("square", p.step("gather", *n, dim=0)))
    return found


def index_select():
    found = []
    for label, shape, index, dim in [
        ("rows", [3, 4], [2, 0, 2], 0),
        ("columns", [2, 3], [1, 1], 1),
        ("last", [2, 2, 3], [0, 2], -1),
        ("vector", [5], [4, 0], 0),
        ("zero-dim", [], [0], 0),
        ("17", [17], [16, 16, 16], 0),
    ]:
        found += spread("index_select", label, [Arg(shape), whole(index)], {"dim": dim},
                        variants=ALL if label == "rows" else FIRST + SECOND)
    found += spread("index_select", "zero-dim-index", [of(3, 2), whole(1)], {"dim": 0}, variants=FIRST)
    found += spread("index_select", "empty-index", [of(3, 2), Arg([0], (0, 1), dtype="int64")], {"dim": 0}, variants=FIRST)
    found += spread("index_select", "out-of-range-raises", [of(2), whole([2])], {"dim": 0}, variants=["f32"])
    found += spread("index_select", "2d-index-raises", [of(2), whole([[0]])], {"dim": 0}, variants=["f32"])
    found += spread("index_select", "float-index-raises", [of(2), Arg(values=[0.0], grad=False)], {"dim": 0}, variants=["f32"])
    return found


def masked_fill():
    found = []
    for label, shape, m in [
        ("same", [3, 4], [[True, False, False, True], [False, False, True, True], [True, True, False, False]]),
        ("row-mask", [2, 3], [True, False, True]),
        ("column-mask", [2, 3], [[True], [False]]),
        ("zero-dim-mask", [3], True),
        ("zero-dim", [], False),
    ]:
        found += spread("masked_fill", label, [Arg(shape), mask(m)], {"value": 2.5},
                        variants=ALL if label == "same" else FIRST + SECOND[:1])
    found += spread("masked_fill", "mask-is-larger", [of(3), mask([[True, False, True], [False, False, True]])], {"value": -1},
                    variants=FIRST + SECOND)
    found += spread("masked_fill", "minus-inf", [of(4), mask([True, False, True, False])], {"value": -INF}, variants=FIRST)
    found += spread("masked_fill", "hides-nan", [Arg(values=[NAN, 1.0, INF]), mask([True, False, True])], {"value": 0}, variants=FIRST)
    found += spread("masked_fill", "value-tensor", [of(2, 3), mask([True, False, True]), of()], variants=FIRST + SECOND)
    found += spread("masked_fill", "value-tensor-1d-raises", [of(2), mask([True, False]), of(1)], variants=["f32"])
    found += spread("masked_fill", "mask-int64-raises", [of(2), whole([1, 0])], {"value": 0}, variants=["f32"])
    found += spread("masked_fill", "shapes-raise", [of(2), mask([True, False, True])], {"value": 0}, variants=["f32"])
    found += spread("masked_fill", "empty", [of(0), Arg([0], dtype="bool")], {"value": 1}, variants=["f32"])
    found += forward("masked_fill", "int64", [Arg([3], dtype="int64"), mask([True, False, True])], {"value": 7}, dtypes=["f32"])
    found += forward("masked_fill", "int64-float-value-raises", [Arg([3], dtype="int64"), mask([True, False, True])], {"value": 1.5},
                     dtypes=["f32"])
    return found


def embedding():
    found = []
    for label, index, attrs in [
        ("vector", [0, 2, 2], {}),
        ("matrix", [[1, 0], [3, 1]], {}),
        ("zero-dim", 2, {}),
        ("padding", [0, 1, 1, 3], {"padding_idx": 1}),
        ("padding-negative", [3, 0, 3], {"padding_idx": -1}),
        ("scaled-by-frequency", [0, 2, 2, 2], {"scale_grad_by_freq": True}),
        ("padding-and-scaled", [0, 1, 1, 0, 3], {"padding_idx": 1, "scale_grad_by_freq": True}),
    ]:
        found += spread("embedding", label, [whole(index), of(4, 3)], attrs,
                        variants=["f32", "f64", "transposed", "upstream-transposed", "f32-second"] if label == "matrix" else FIRST + SECOND)
    found += spread("embedding", "empty-index", [Arg([0], (0, 1), dtype="int64"), of(4, 3)], variants=["f32"])
    found += spread("embedding", "out-of-range-raises", [whole([4]), of(4, 3)], variants=["f32"])
    found += spread("embedding", "negative-raises", [whole([-1]), of(4, 3)], variants=["f32"])
    found += spread("embedding", "float-index-raises", [Arg(values=[0.0], grad=False), of(4, 3)], variants=["f32"])
    found += spread("embedding", "padding-out-of-range-raises", [whole([0]), of(4, 3)], {"padding_idx": 4}, variants=["f32"])
    found += spread("embedding", "squared", [whole([0, 1, 1]), of(2, 3)], variants=FIRST + SECOND,
                    call=lambda p, n: p.step("square", p.step("embedding", *n)))
    return found


def index():
    """Tensor indices, the way `x[i, :, j]` takes them."""
    found = []

    def take(*entries):
        return lambda p, n: p.step("index", n[0], [None if e is None else n[e] for e in entries])
    for label, args, entries in [
        ("rows", [of(3, 4), whole([2, 0, 2])], (1,)),
        ("pairs", [of(3, 4), whole([0, 2, 0]), whole([1, 3, 1])], (1, 2)),
        ("columns", [of(2, 3), whole([0, 2])], (None, 1)),
        ("around-a-slice", [of(2, 3, 2), whole([0, 1]), whole([1, 1])], (1, None, 2)),
        ("negative", [of(4), whole([-1, 0, -4])], (1,)),
        ("matrix", [of(4), whole([[0, 1], [3, 0]])], (1,)),
        ("broadcast", [of(3, 4), whole([[0], [2]]), whole([1, 3])], (1, 2)),
        ("mask", [of(2, 3), mask([[True, False, True], [False, True, False]])], (1,)),
        ("mask-of-rows", [of(3, 2), mask([True, False, True])], (1,)),
        ("mask-of-nothing", [of(3), mask([False, False, False])], (1,)),
        ("zero-dim", [of(3, 2), whole(1)], (1,)),
    ]:
        variants = ["f32", "f64", "f32-second", "f64-second", "transposed", "upstream-transposed"] if label in ("rows", "pairs",
                                                                                                                "around-a-slice") else FIRST + SECOND[:1]
        found += spread("index", label, args, variants=variants, call=take(*entries))
    found += spread("index", "out-of-range-raises", [of(3), whole([3])], variants=["f32"], call=take(1))
    found += spread("index", "mask-shape-raises", [of(3), mask([True, False])], variants=["f32"], call=take(1))
    found += spread("index", "broadcast-raises", [of(3, 3), whole([0, 1]), whole([0, 1, 2])], variants=["f32"], call=take(1, 2))
    found += spread("index", "too-many-raises", [of(3), whole([0]), whole([0])], variants=["f32"], call=take(1, 2))
    found += spread("index", "float-index-raises", [of(3), Arg(values=[0.0], grad=False)], variants=["f32"], call=take(1))
    return found


def index_put():
    found = []

    def put(*entries, **attrs):
        return lambda p, n: p.step("index_put", n[0], [None if e is None else n[e] for e in entries], n[-1], **attrs)
    for label, args, entries, attrs in [
        ("rows", [of(3, 2), whole([2, 0]), of(2, 2)], (1,), {}),
        ("pairs", [of(3, 4), whole([0, 2]), whole([1, 3]), of(2)], (1, 2), {}),
        ("accumulate", [of(3), whole([0, 0, 2]), of(3)], (1,), {"accumulate": True}),
        ("broadcast-value", [of(3, 2), whole([2, 0]), of(2)], (1,), {}),
        ("zero-dim-value", [of(4), whole([1, 3]), of()], (1,), {}),
        ("mask", [of(4), mask([True, False, True, False]), of(2)], (1,), {}),
        ("mask-one-value", [of(2, 2), mask([[True, False], [False, True]]), of()], (1,), {}),
        ("accumulate-one-value", [of(3), whole([1, 1, 1]), of()], (1,), {"accumulate": True}),
        ("columns", [of(2, 3), whole([0, 2]), of(2, 2)], (None, 1), {}),
        ("negative", [of(3), whole([-1]), of(1)], (1,), {}),
        ("duplicates", [of(2), whole([0, 0]), of(2)], (1,), {}),
    ]:
        found += spread("index_put", label, args, variants=FIRST + SECOND, call=put(*entries, **attrs))
    found += spread("index_put", "out-of-range-raises", [of(3), whole([3]), of(1)], variants=["f32"], call=put(1))
    found += spread("index_put", "value-shape-raises", [of(3), whole([0, 1]), of(3)], variants=["f32"], call=put(1))
    found += spread("index_put", "dtypes-raise", [Arg([3], dtype="float32"), whole([0]), Arg([1], dtype="float64")], variants=["f32"],
                    call=put(1))
    return found


def programs():
    return gather() + index_select() + masked_fill() + embedding() + index() + index_put()
