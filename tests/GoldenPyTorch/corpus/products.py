"""Products: vectors, matrices, batches, un-broadcasting of batches, empty inner dimensions, one argument twice."""
from corpus.program import INF, NAN
from corpus.spread import ALL, Arg, FIRST, LAYOUTS, SECOND, of, spread

MATMUL = [
    ("vector-vector", [3], [3]),
    ("matrix-vector", [2, 3], [3]),
    ("vector-matrix", [3], [3, 2]),
    ("matrix-matrix", [2, 3], [3, 4]),
    ("batch", [2, 2, 3], [2, 3, 2]),
    ("batch-matrix", [2, 2, 3], [3, 2]),
    ("matrix-batch", [2, 3], [2, 3, 2]),
    ("batches-broadcast", [2, 1, 2, 3], [3, 3, 2]),
    ("batch-vector", [2, 3, 4], [4]),
    ("vector-batch", [3], [2, 3, 2]),
    ("batch-of-one", [1, 2, 3], [4, 3, 1]),
    ("row-column", [1, 3], [3, 1]),
    ("column-row", [3, 1], [1, 2]),
    ("8x8", [8, 8], [8, 8]),
    ("17x5", [17, 5], [5, 9]),
    ("inner-empty", [2, 0], [0, 3]),
    ("outer-empty", [0, 3], [3, 2]),
    ("batch-empty", [0, 2, 3], [0, 3, 2]),
    ("4d", [2, 3, 2, 2], [2, 3, 2, 2]),
    ("one-by-one", [1, 1], [1, 1]),
]
PLAIN = {
    "mm": [
        ("2x3-3x4", [2, 3], [3, 4]),
        ("16x16", [16, 16], [16, 16]),
        ("inner-empty", [2, 0], [0, 3]),
        ("outer-empty", [0, 3], [3, 2]),
        ("1x1", [1, 1], [1, 1]),
    ],
    "bmm": [
        ("2-2x3-3x2", [2, 2, 3], [2, 3, 2]),
        ("batch-of-one", [1, 2, 3], [1, 3, 4]),
        ("batch-empty", [0, 2, 3], [0, 3, 2]),
        ("inner-empty", [2, 2, 0], [2, 0, 3]),
        ("3-5x4-4x5", [3, 5, 4], [3, 4, 5]),
    ],
    "mv": [("2x3", [2, 3], [3]), ("17x8", [17, 8], [8]), ("inner-empty", [2, 0], [0]), ("outer-empty", [0, 3], [3]), ("1x1", [1, 1], [1])],
    "dot": [("3", [3], [3]), ("17", [17], [17]), ("empty", [0], [0]), ("one", [1], [1])],
    "outer": [("3-by-2", [3], [2]), ("17-by-1", [17], [1]), ("empty", [0], [2]), ("one", [1], [1])],
}
WRONG = {"mm": ([2, 3], [2, 3]), "bmm": ([2, 2, 3], [3, 3, 2]), "mv": ([2, 3], [2]), "dot": ([3], [2]), "matmul": ([2, 3], [2, 3]),
         "outer": ([2, 2], [3])}


def pairs(op, cases):
    found = []
    for i, (label, a, b) in enumerate(cases):
        big = label in ("16x16", "8x8")
        everything = label in ("matrix-matrix", "2x3-3x4", "2-2x3-3x2", "2x3", "3", "3-by-2", "batches-broadcast")
        found += spread(op, label, [Arg(a), Arg(b)], variants=ALL if everything else ["f32"] if big else FIRST + SECOND)
    first, second = cases[0][1], cases[0][2]
    found += spread(op, "first-alone", [Arg(first), Arg(second, grad=False)])
    found += spread(op, "second-alone", [Arg(first, grad=False), Arg(second)])
    a, b = WRONG[op]
    found += spread(op, "shapes-raise", [Arg(a), Arg(b)], variants=["f32"])
    found += spread(op, "dtypes-raise", [Arg(first, dtype="float32"), Arg(second, dtype="float64")], variants=["f32"])
    return found


def itself():
    """One tensor on both sides: both paths add up."""
    def with_transpose(op, *dims):
        return lambda p, n: p.step(op, n[0], p.step("transpose", n[0], dim0=dims[0], dim1=dims[1]))
    found = spread("matmul", "with-own-transpose", [of(3, 4)], variants=ALL[:4], call=with_transpose("matmul", 0, 1))
    found += spread("mm", "with-own-transpose", [of(3, 4)], variants=ALL[:4], call=with_transpose("mm", 0, 1))
    found += spread("mm", "squared", [of(3, 3)], variants=ALL[:4], call=lambda p, n: p.step("mm", n[0], n[0]))
    found += spread("bmm", "with-own-transpose", [of(2, 3, 2)], variants=ALL[:4], call=with_transpose("bmm", 1, 2))
    found += spread("dot", "itself", [of(5)], variants=ALL[:4], call=lambda p, n: p.step("dot", n[0], n[0]))
    found += spread("outer", "itself", [of(4)], variants=ALL[:4], call=lambda p, n: p.step("outer", n[0], n[0]))
    found += spread("matmul", "chain", [of(2, 3), of(3, 2), of(2, 2)], variants=ALL[:4],
                    call=lambda p, n: p.step("matmul", p.step("matmul", n[0], n[1]), n[2]))
    return found


def special():
    found = []
    for op, a, b in [
        ("matmul", [[INF, 0.0], [1.0, NAN]], [[0.0, 1.0], [1.0, 2.0]]),
        ("mm", [[0.0, -0.0]], [[-1.0], [1.0]]),
        ("dot", [1e30, 1e-30], [1e30, 1e-30]),
        ("mv", [[INF, 1.0]], [1.0, -INF]),
        ("outer", [0.0, -0.0, INF], [1.0, 0.0]),
    ]:
        found += spread(op, "not-finite", [Arg(values=a), Arg(values=b)])
    return found


def linear():
    found = []
    for label, x, w in [
        ("2x3", [2, 3], [4, 3]),
        ("vector", [3], [2, 3]),
        ("3d", [2, 2, 3], [4, 3]),
        ("17x8", [17, 8], [5, 8]),
        ("empty-batch", [0, 3], [2, 3]),
        ("one-out", [3, 2], [1, 2]),
        ("inner-empty", [2, 0], [3, 0]),
    ]:
        variants = ALL if label == "2x3" else FIRST + (SECOND if label in ("3d", "vector") else [])
        found += spread("linear", label, [Arg(x), Arg(w)], variants=variants)
        found += spread("linear", label + "-bias", [Arg(x), Arg(w), Arg([w[0]])], variants=variants)
    # A bias that addmm does not take is added in place, which the result's version counts.
    for label, shapes in [("vectors-bias-number", [[3], [3], []]), ("vector-bias-number", [[3], [2, 3], []]),
                          ("batch-bias-number", [[2, 2, 3], [2, 3], []]), ("batches-bias-number", [[2, 1, 2, 3], [2, 3], []]),
                          ("batches-bias-matrix", [[2, 1, 2, 3], [2, 3], [2, 2]]), ("batches-bias", [[2, 1, 2, 3], [2, 3], [2]])]:
        found += spread("linear", label, [Arg(shape) for shape in shapes], variants=FIRST)
    found += spread("linear", "batch-transposed-bias-number", [of(2, 2, 3), of(2, 3), of()], variants=["transposed"])
    found += spread("linear", "data-is-constant", [Arg([4, 3], grad=False), of(2, 3), of(2)], variants=FIRST + SECOND)
    found += spread("linear", "weight-transposed-bias", [of(4, 3), of(2, 3), of(2)], variants=LAYOUTS)
    found += spread("linear", "shapes-raise", [of(2, 3), of(4, 2)], variants=["f32"])
    found += spread("linear", "bias-raises", [of(2, 3), of(4, 3), of(3)], variants=["f32"])
    return found


def programs():
    found = pairs("matmul", MATMUL) + linear() + itself() + special()
    for op, cases in PLAIN.items():
        found += pairs(op, cases)
    return found
