"""Pointwise operators of two or three arguments: broadcasting both ways, ties, alias of one argument, promotion, comparisons."""
from corpus.program import INF, NAN
from corpus.spread import ALL, Arg, FIRST, SECOND, forward, of, spread

PAIRS = [  # label, shapes, variants
         ("same", [3, 4], [3, 4], ALL),
         ("row", [2, 3], [3], FIRST + SECOND),
         ("row-first", [3], [2, 3], FIRST + SECOND[:1]),
         ("column", [2, 1], [1, 3], FIRST + SECOND),
         ("zero-dim", [], [3], FIRST + SECOND[:1]),
         ("zero-dim-second", [3], [], FIRST),
         ("zero-dims", [], [], ["f32", "f64-second"]),
         ("empty", [0], [1], FIRST),
         ("empty-3d", [2, 0, 3], [1, 3], ["f32"]),
         ("mixed", [2, 1, 3], [4, 1], FIRST + ["transposed", "upstream-expanded"]),
         ("17", [17], [17], ["f32"]),
         ("16-by-1", [16], [1], ["f32"]),
         ("4d", [2, 1, 2, 3], [1, 3, 1, 1], ["f32"]),
         ]
DOMAINS = {"add": ("any", "any"), "sub": ("any", "any"), "mul": ("any", "any"), "div": ("any", "nonzero"), "pow": ("positive", "any"),
           "maximum": ("any", "any"), "minimum": ("any", "any")}
EDGES = {  # pairs of values
         "add": [(INF, -INF), (INF, 1.0), (0.0, -0.0), (-0.0, -0.0), (NAN, 1.0), (1e38, 3e38)],
         "sub": [(INF, INF), (-INF, 1.0), (0.0, 0.0), (-0.0, 0.0), (NAN, 1.0)],
         "mul": [(INF, 0.0), (-0.0, 1.0), (0.0, -1.0), (1e-30, 1e-30), (NAN, 0.0), (1e30, 1e30)],
         "div": [(1.0, 0.0), (-1.0, 0.0), (1.0, -0.0), (0.0, 0.0), (INF, INF), (0.0, 2.0), (1.0, INF)],
         "pow": [(0.0, 0.0), (0.0, 2.0), (0.0, 0.5), (-2.0, 2.0), (2.0, 0.0), (0.0, -1.0), (-2.0, 3.0), (-2.0, 0.5), (1.0, INF), (-1.0, 0.0)],
         "maximum": [(1.0, 1.0), (2.0, 3.0), (0.0, -0.0), (NAN, 1.0), (1.0, NAN), (INF, INF), (-INF, 0.0)],
         "minimum": [(1.0, 1.0), (2.0, 3.0), (0.0, -0.0), (NAN, 1.0), (1.0, NAN), (INF, INF), (-INF, 0.0)],
         }


def pair(op):
    one, two = DOMAINS[op]
    found = []
    for label, a, b, variants in PAIRS:
        found += spread(op, label, [Arg(a, one), Arg(b, two)], variants=variants)
    edges = EDGES[op]
    found += spread(op, "edges", [Arg(values=[a for a, _ in edges]), Arg(values=[b for _, b in edges])],
                    variants=FIRST + (SECOND if op in ("pow", "div", "maximum", "minimum") else []))
    found += spread(op, "itself", [Arg([2, 3], "positive")], variants=FIRST + SECOND, call=lambda p, names: p.step(op, names[0], names[0]))
    found += spread(op, "second-is-constant", [Arg([2, 3], one), Arg([3], two, grad=False)])
    found += spread(op, "first-is-constant", [Arg([2, 3], one, grad=False), Arg([3], two)])
    found += spread(op, "float32-with-float64", [Arg([3], one, dtype="float32"), Arg([3], two, dtype="float64")], variants=["f32"])
    found += spread(op, "float32-with-zero-dim-float64", [Arg([3], one, dtype="float32"), Arg([], two, dtype="float64")], variants=["f32"])
    found += spread(op, "float32-with-int64", [Arg([3], one), Arg(values=[1, 2, 3], dtype="int64")], variants=["f32"])
    found += forward(op, "int64", [Arg(values=[5, -4, 3], dtype="int64"), Arg(values=[2, 2, 2], dtype="int64")], dtypes=["f32"])
    found += forward(op, "shapes-raise", [of(2), of(3)], dtypes=["f32"])
    return found


def scalars():
    found = []
    for op in ["add", "sub", "mul", "div"]:
        for label, other in [("integer", 2), ("float", 0.5), ("tenth", 0.1), ("minus", -3.0)]:
            found += spread(op, "scalar-" + label, [of(2, 3)], {"other": other}, variants=FIRST + (SECOND if label == "tenth" else []))
    for op in ["mul", "div"]:
        found += spread(op, "scalar-0", [of(2, 3)], {"other": 0}, variants=["f32"])
    for op in ["add", "sub"]:
        for label, alpha in [("2", 2), ("minus-half", -0.5), ("0", 0), ("tenth", 0.1)]:
            found += spread(op, "alpha-" + label, [of(2, 3), of(3)], {"alpha": alpha}, variants=FIRST + SECOND)
        found += spread(op, "scalar-alpha", [of(3)], {"other": 3, "alpha": 2}, variants=["f32"])
    for label, e in [("0", 0), ("1", 1), ("2", 2), ("3", 3), ("minus-1", -1), ("half", 0.5), ("2-and-half", 2.5), ("minus-half", -0.5)]:
        found += spread("pow", "exponent-" + label, [Arg([2, 3], "positive")], {"exponent": e}, variants=FIRST + SECOND)
        found += spread("pow", "exponent-" + label + "-kinks", [Arg(values=[0.0, -0.0, 1.0, -1.0, -2.0, INF, NAN])], {"exponent": e},
                        variants=FIRST + SECOND[:1])
    for label, base in [("2", 2), ("2-and-half", 2.5), ("0", 0.0), ("1", 1), ("minus-2", -2.0)]:
        found += spread("pow", "base-" + label, [Arg(values=[0.0, 1.0, -1.0, 0.5, 2.0, 3.0])], {"self": base}, variants=FIRST + SECOND[:1])
    found += spread("div", "rounding-floor", [of(2, 3), Arg([3], "nonzero")], {"rounding_mode": "floor"})
    found += spread("div", "rounding-floor-kinks", [Arg(values=[INF, -INF, 3.0, -3.0, 0.0, NAN]), Arg(values=[[INF], [-INF], [2.0], [-1.0], [0.0], [-0.0]])],
                    {"rounding_mode": "floor"}, variants=FIRST)
    found += spread("div", "rounding-trunc", [of(2, 3), Arg([3], "nonzero")], {"rounding_mode": "trunc"})
    i = Arg(values=[5, -4, 3], dtype="int64")
    for op in ["add", "sub", "mul", "div"]:
        found += forward(op, "int64-scalar-integer", [i], {"other": 2}, dtypes=["f32"])
        found += forward(op, "int64-scalar-float", [i], {"other": 2.0}, dtypes=["f32"])
    found += forward("pow", "int64-negative-raises", [i], {"exponent": -1}, dtypes=["f32"])
    return found


def where():
    found = []
    for label, c, a, b, variants in [
        ("same", [3, 4], [3, 4], [3, 4], ALL),
        ("rows", [2, 1], [3], [2, 3], FIRST + SECOND),
        ("condition-zero-dim", [], [3], [3], FIRST),
        ("zero-dim-choices", [2, 3], [], [], FIRST + SECOND[:1]),
        ("empty", [0], [0], [0], FIRST),
        ("broadcast-3d", [4, 1, 1], [2, 1], [3], FIRST),
        ("17", [17], [17], [17], ["f32"]),
    ]:
        found += spread("where", label, [Arg(c, dtype="bool"), Arg(a), Arg(b)], variants=variants)
    mask = Arg(values=[True, False, True, False], dtype="bool")
    found += spread("where", "unselected-not-finite", [mask, Arg(values=[1.0, NAN, 2.0, INF]), Arg(values=[NAN, 3.0, INF, 4.0])],
                    variants=FIRST + SECOND)
    found += spread("where", "other-scalar", [mask, of(4)], {"other": 1.5}, variants=FIRST + SECOND)
    found += spread("where", "self-scalar", [mask, of(4)], {"self": -1}, variants=FIRST)

    def safe_sqrt(p, names):
        positive = p.step("gt", names[0], other=0)
        return p.step("where", positive, p.step("sqrt", names[0]), p.step("mul", names[0], other=0.5))
    found += spread("where", "guarded-sqrt", [Arg(values=[0.0, 4.0, -1.0, 2.25])], variants=FIRST, call=safe_sqrt)
    found += spread("where", "constant-branch", [Arg([2, 3], dtype="bool"), of(2, 3), Arg([3], grad=False)])
    found += forward("where", "condition-int64-raises", [Arg(values=[1, 0], dtype="int64"), of(2), of(2)], dtypes=["f32"])
    found += forward("where", "shapes-raise", [Arg([2], dtype="bool"), of(3), of(3)], dtypes=["f32"])
    return found


def comparisons():
    found = []
    for op in ["gt", "ge", "lt", "le", "eq", "ne"]:
        x, y = Arg(values=[1.0, 2.0, 2.0, NAN, INF, 0.0, -INF]), Arg(values=[2.0, 2.0, 1.0, NAN, INF, -0.0, 1.0])
        found += forward(op, "values", [x, y])
        found += forward(op, "broadcast", [of(2, 1), of(3)])
        found += forward(op, "scalar-float", [of(5)], {"other": 0.5})
        found += forward(op, "scalar-integer", [Arg([2, 3])], {"other": 1})
        found += forward(op, "scalar-rounded", [Arg(values=[0.1, 0.2])], {"other": 0.1})
        found += forward(op, "int64", [Arg([5], (0, 3), dtype="int64"), Arg([5], (0, 3), dtype="int64")], dtypes=["f32"])
        found += forward(op, "int64-with-float", [Arg([5], (0, 3), dtype="int64")], {"other": 1.5}, dtypes=["f32"])
        found += forward(op, "zero-dim-and-empty", [of(0), of()], dtypes=["f32"])
        found += forward(op, "bool", [Arg([4], dtype="bool"), Arg([4], dtype="bool")], dtypes=["f32"])
        found += forward(op, "shapes-raise", [of(2), of(3)], dtypes=["f32"])
        found += spread(op, "backward-raises", [of(3), of(3)], variants=["f32"],
                        call=lambda p, names, op=op: p.step("sum", p.step(op, *names)))
        found += spread(op, "as-mask", [of(2, 3), of(2, 3)], call=lambda p, names, op=op:
                        p.step("mul", names[0], p.step("to", p.step(op, *names), dtype=p.dtype)))
    return found


def programs():
    return [p for op in DOMAINS for p in pair(op)] + scalars() + where() + comparisons()
