"""From one call of an operator to a spread of programs: dtypes, upstream gradients, layouts, second derivatives.

A case is an operator, a label, its tensor arguments and its attributes. Each variant of it is one program whose identity is
`operators/OP/LABEL/VARIANT`. Upstream gradients are random and signed, never only ones."""
from corpus.program import Program


class Arg:
    """A tensor argument: a shape filled from a domain, or given values; `grad` where it is a leaf to differentiate."""

    def __init__(self, shape=None, domain="any", values=None, dtype=None, grad=None):
        self.shape, self.domain, self.values, self.dtype = shape, domain, values, dtype
        self.grad = (dtype is None or dtype.startswith("float")) if grad is None else grad


def of(*shape):
    return Arg(list(shape))


FIRST = ["f32", "f64"]
SECOND = ["f32-second", "f64-second"]
LAYOUTS = ["transposed", "strided", "narrowed", "expanded", "upstream-transposed", "upstream-expanded", "second-transposed"]
ALL = FIRST + SECOND + LAYOUTS


def stored(p, name, arg, layout):
    """Puts an argument in and gives the name to use, which is a view of the leaf where a layout is asked for."""
    dtype = arg.dtype or p.dtype
    shape = list(arg.shape) if arg.shape is not None else None

    def put(shape):
        return p.input(name, grad=arg.grad, dtype=dtype, shape=shape, domain=arg.domain)

    if arg.values is not None:
        return p.input(name, arg.values, grad=arg.grad, dtype=dtype, shape=shape)
    if layout in ("transposed", "second-transposed") and len(shape) >= 2:
        return p.step("transpose", put(shape[:-2] + [shape[-1], shape[-2]]), dim0=-2, dim1=-1)
    if layout == "strided" and len(shape) >= 1:
        return p.step("getitem", put(shape[:-1] + [2 * shape[-1]]), index=[None] * (len(shape) - 1) + [[None, None, 2]])
    if layout == "narrowed" and len(shape) >= 1:
        return p.step("narrow", put(shape[:-1] + [shape[-1] + 2]), dim=-1, start=1, length=shape[-1])
    if layout == "expanded" and len(shape) >= 1:
        return p.step("expand", put([1] + shape[1:]), size=shape)
    return put(shape)


def upstream(p, name, y, layout, grad):
    """A random signed gradient of y's shape; the name of it, and of the leaf behind it."""
    shape = p.shape(y)
    if shape is None:
        return None, None
    if layout == "upstream-transposed" and len(shape) >= 2:
        leaf = p.input(name, shape=shape[:-2] + [shape[-1], shape[-2]], grad=grad)
        return p.step("transpose", leaf, dim0=-2, dim1=-1), leaf
    if layout == "upstream-expanded" and len(shape) >= 1:
        leaf = p.input(name, shape=[1] + shape[1:], grad=grad)
        return p.step("expand", leaf, size=shape), leaf
    leaf = p.input(name, shape=shape, grad=grad)
    return leaf, leaf


def build(op, label, args, attrs, variant, call=None, listed=False, outs=None, observe_only=False, wanted=None):
    """One program. `call(p, names)` replaces the plain call; `listed`: the arguments are one list; `outs`: several results;
    `wanted`: the positions of the results to differentiate (all where not given)."""
    dtype = "float64" if variant.startswith("f64") else "float32"
    p = Program(f"operators/{op}/{label}/{variant}", dtype)
    names = [None if arg is None else stored(p, "abcdefgh"[i], arg, variant) for i, arg in enumerate(args)]
    leaves = ["abcdefgh"[i] for i, arg in enumerate(args) if arg is not None and arg.grad]
    if call:
        result = call(p, names)
    else:
        result = p.step(op, *([names] if listed else names), out=outs, **attrs)
    results = result if isinstance(result, list) else [result]
    p.observe(*results)
    if observe_only or not leaves:
        return p
    roots = results if wanted is None else [results[i] for i in wanted]
    second = "second" in variant
    given = [upstream(p, f"g{i or ''}", y, variant, second) for i, y in enumerate(roots)]
    if any(name is None for name, _ in given):  # the operator raises: that is the outcome
        return p
    if not second:
        p.backward(roots, [name for name, _ in given])
        p.observe(*(f"{leaf}.grad" for leaf in leaves))
        return p
    found = p.grad(roots, leaves, [name for name, _ in given], out=[f"d{leaf}" for leaf in leaves], create_graph=True,
                   allow_unused=True)
    total = None
    for leaf, gradient in zip(leaves, found):
        shape = p.shape(gradient)
        if shape is None:  # no path leads to this leaf, or the derivative raises
            continue
        weight = p.input(f"w{leaf}", shape=shape)
        term = p.step("sum", p.step("mul", gradient, weight))
        total = term if total is None else p.step("add", total, term)
    if total is not None:
        p.backward(total)
    p.observe(*found, *(f"{leaf}.grad" for leaf in leaves), *(f"{leaf}.grad" for _, leaf in given))
    return p


def spread(op, label, args, attrs=None, variants=FIRST, **more):
    return [build(op, label, args, attrs or {}, variant, **more) for variant in variants]


def forward(op, label, args, attrs=None, dtypes=("f32", "f64"), **more):
    """Programs that only look at the result: for operators without a derivative."""
    return [build(op, label, args, attrs or {}, variant, observe_only=True, **more) for variant in dtypes]
