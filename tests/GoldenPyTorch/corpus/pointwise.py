"""Pointwise operators of one argument: shapes, vector widths, layouts, kinks, extremes, attributes."""
from corpus.program import INF, NAN
from corpus.spread import ALL, Arg, FIRST, LAYOUTS, SECOND, forward, of, spread

# operator -> the domain that keeps it differentiable, and its kinks and special values
UNARY = {
    "neg": ("any", []),
    "abs": ("any", [1e-30]),
    "exp": ("any", [88.5, 89.0, -87.0, -104.0, 1e-8]),
    "log": ("positive", [1e-30, 1e30, 0.9999999, 1.0000001]),
    "log2": ("positive", [1e-30, 1e30, 0.9999999, 8.0]),
    "log1p": ((-0.75, 3), [-0.9999999, 1e-10, 1e30]),
    "expm1": ("any", [1e-10, -1e-10, 88.5, -40.0]),
    "sqrt": ("positive", [1e-30, 1e30, 4.0]),
    "rsqrt": ("positive", [1e-30, 1e30, 4.0]),
    "reciprocal": ("nonzero", [1e-30, 1e30]),
    "square": ("any", [1e-30, 1e25]),
    "sin": ("any", [3.1415927, 1e3, 1e-10]),
    "cos": ("any", [3.1415927, 1e3, 1e-10]),
    "tanh": ("any", [10.0, -10.0, 40.0, 1e-10]),
    "sigmoid": ("any", [17.0, -17.0, 100.0, -100.0, -88.0]),
    "relu": ("any", [1e-30, -1e-30]),
    "leaky_relu": ("any", [1e-30, -1e-30]),
    "gelu": ("any", [6.0, -6.0, 20.0, -20.0]),
    "logsigmoid": ("any", [20.0, -20.0, 100.0, -100.0]),
    "silu": ("any", [20.0, -20.0, 100.0, -100.0]),
    "elu": ("any", [-20.0, 1e-10, -1e-10]),
    "softplus": ("any", [19.9, 20.0, 20.1, -40.0]),
    "sign": ("any", [1e-30, -1e-30]),
    "floor": ("any", [0.5, -0.5, 2.0, 1e10]),
    "ceil": ("any", [0.5, -0.5, 2.0, 1e10]),
    "round": ("any", [0.5, 1.5, 2.5, -0.5, -1.5, 0.49999997, 1e10]),
}
COMMON = [0.0, -0.0, 1.0, -1.0]

# operator -> label -> attributes
ATTRIBUTES = {
    "leaky_relu": {"slope-quarter": {"negative_slope": 0.25}, "slope-0": {"negative_slope": 0.0}},
    "gelu": {"tanh": {"approximate": "tanh"}, "none": {"approximate": "none"}},
    "elu": {"alpha-2": {"alpha": 2.0}, "alpha-tenth": {"alpha": 0.1}},
    "softplus": {"beta-2": {"beta": 2.0}, "beta-3-threshold-1": {"beta": 3.0, "threshold": 1.0}},
    "round": {"decimals-1": {"decimals": 1}, "decimals-minus-1": {"decimals": -1}},
}


def unary(op, domain, specials):
    found = []
    for label, shape in [
        ("zero-dim", []),
        ("one", [1]),
        ("empty", [0]),
        ("8", [8]),
        ("16", [16]),
        ("17", [17]),
        ("empty-middle", [2, 0, 3]),
        ("2x1x3x2", [2, 1, 3, 2]),
    ]:
        found += spread(op, label, [Arg(shape, domain)], variants=["f32"] if label in ("one", "8", "empty-middle") else FIRST)
    found += spread(op, "3x4", [Arg([3, 4], domain)], variants=ALL)
    found += spread(op, "5", [Arg([5], domain)], variants=SECOND)
    found += spread(op, "kinks", [Arg(values=COMMON + specials)], variants=FIRST + SECOND)
    found += spread(op, "not-finite", [Arg(values=[INF, -INF, NAN])], variants=FIRST)
    for label, attrs in ATTRIBUTES.get(op, {}).items():
        found += spread(op, label, [Arg([3, 4], domain)], attrs, variants=FIRST + SECOND)
        found += spread(op, label + "-kinks", [Arg(values=COMMON + specials)], attrs, variants=FIRST)
    return found


def clamp():
    found = []
    values = [-2.0, -1.0, -0.5, 0.0, -0.0, 0.5, 1.0, 2.0, NAN, INF, -INF]
    for label, attrs in [
        ("both", {"min": -1.0, "max": 1.0}),
        ("min", {"min": -0.5}),
        ("max", {"max": 0.5}),
        ("crossed", {"min": 1.0, "max": -1.0}),
        ("integers", {"min": -1, "max": 1}),
        ("equal", {"min": 0.5, "max": 0.5}),
    ]:
        found += spread("clamp", label, [Arg(values=values)], attrs, variants=FIRST + SECOND[:1])
        found += spread("clamp", label + "-3x4", [of(3, 4)], attrs, variants=["f32"])
    found += spread("clamp", "3x4", [of(3, 4)], {"min": -1.0, "max": 1.5}, variants=LAYOUTS + SECOND)
    for label, shape in [("zero-dim", []), ("empty", [0]), ("17", [17])]:
        found += spread("clamp", label, [Arg(shape)], {"min": -1.0, "max": 1.0})
    x, low, high = Arg(values=[-1.0, 1.0, 0.0, 2.0, -3.0, 0.5]), Arg(values=[-1.0, -1.0, 0.0, -1.0, -1.0, 1.0]), \
        Arg(values=[1.0, 1.0, 0.0, 1.0, 1.0, -1.0])
    found += spread("clamp", "tensors-at-bounds", [x, low, high], variants=FIRST + SECOND)
    found += spread("clamp", "tensor-min", [of(3, 4), of(4)], variants=FIRST + SECOND)
    found += spread("clamp", "tensor-max", [of(3, 4), None, of(3, 1)], variants=FIRST + SECOND)
    found += spread("clamp", "tensors-broadcast", [of(2, 2, 3), of(3), of(2, 1)], variants=FIRST + SECOND + LAYOUTS[:2])
    found += spread("clamp", "tensors-broadcast-the-input", [of(2, 1, 3), of(3), of(2, 1)])
    for op, bound in [("clamp_min", "min"), ("clamp_max", "max")]:
        found += spread(op, "values", [Arg(values=values)], {bound: 0.5}, variants=FIRST + SECOND[:1])
        found += spread(op, "3x4", [of(3, 4)], {bound: -0.5}, variants=ALL)
        found += spread(op, "integer", [of(3, 4)], {bound: 1})
        found += spread(op, "tensor", [of(3, 4), of(4)], variants=FIRST + SECOND)
        found += spread(op, "tensor-at-bounds", [x, low], variants=FIRST + SECOND)
        found += spread(op, "empty", [of(0)], {bound: 0.0})
        found += forward(op, "int64", [Arg([4], (-9, 9), dtype="int64")], {bound: 1}, dtypes=["f32"])
        found += forward(op, "int64-float-bound", [Arg([4], (-9, 9), dtype="int64")], {bound: 1.5}, dtypes=["f32"])
    found += spread("clamp", "no-bound", [of(3)], variants=["f32"])
    return found


def whole_numbers():
    """Integers and bools as data: no gradients, and what promotes to floating point."""
    found = []
    i, b = Arg([5], (-3, 4), dtype="int64"), Arg([5], dtype="bool")
    for op in ["neg", "abs", "square", "sign", "relu", "floor", "ceil", "round"]:
        found += forward(op, "int64", [i], dtypes=["f32"])
    for decimals in (0, 1, -1):
        found += forward("round", f"int64-decimals-{decimals}-raises".replace("--", "-minus-"), [i], {"decimals": decimals}, dtypes=["f32"])
    for op in ["exp", "log", "sqrt", "sin", "sigmoid", "tanh", "reciprocal"]:
        found += forward(op, "int64-promotes", [i], dtypes=["f32"])
        found += forward(op, "bool-promotes", [b], dtypes=["f32"])
    found += forward("clamp", "int64", [i], {"min": -1, "max": 2}, dtypes=["f32"])
    found += forward("clamp", "int64-float-bound", [i], {"min": -1.5, "max": 2}, dtypes=["f32"])
    for op in ["gelu", "silu", "logsigmoid", "elu", "softplus", "leaky_relu"]:
        found += forward(op, "int64-raises", [i], dtypes=["f32"])
    found += forward("neg", "bool-raises", [b], dtypes=["f32"])
    return found


def programs():
    found = []
    for op, (domain, specials) in UNARY.items():
        found += unary(op, domain, specials)
    return found + clamp() + whole_numbers()
