"""In-place operators: on computed tensors with gradients, on leaves under no_grad, on views and their bases, and what they forbid."""
from corpus.program import Program

# operator -> (domain of the tensor, its other tensor arguments as domains, attributes); "bool" is a mask, "" a zero-dimensional tensor
FORMS = {
    "add_": [("tensor", "any", ["any"], {}), ("alpha", "any", ["any"], {"alpha": -0.5}), ("scalar", "any", [], {"other": 1.5})],
    "sub_": [("tensor", "any", ["any"], {}), ("alpha", "any", ["any"], {"alpha": 2}), ("scalar", "any", [], {"other": 3})],
    "mul_": [("tensor", "any", ["any"], {}), ("scalar", "any", [], {"other": -2.5})],
    "div_": [("tensor", "any", ["nonzero"], {}), ("scalar", "any", [], {"other": 3})],
    "neg_": [("plain", "any", [], {})],
    "exp_": [("plain", "any", [], {})],
    "sqrt_": [("plain", "positive", [], {})],
    "sigmoid_": [("plain", "any", [], {})],
    "tanh_": [("plain", "any", [], {})],
    "relu_": [("plain", "any", [], {})],
    "clamp_": [("both", "any", [], {"min": -1.0, "max": 1.0}), ("min", "any", [], {"min": 0.5}), ("tensors", "any", ["any", "any"], {})],
    "zero_": [("plain", "any", [], {})],
    "fill_": [("scalar", "any", [], {"value": 2.5}), ("tensor", "any", [""], {})],
    "copy_": [("tensor", "any", ["any"], {})],
    "addcmul_": [("tensors", "any", ["any", "any"], {}), ("value", "any", ["any", "any"], {"value": -0.5})],
    "addcdiv_": [("tensors", "any", ["any", "nonzero"], {}), ("value", "any", ["any", "nonzero"], {"value": 2.0})],
    "lerp_": [
        ("weight", "any", ["any"], {"weight": 0.25}),
        ("weight-tensor", "any", ["any", "any"], {}),
        ("weight-large", "any", ["any"], {"weight": 0.75}),
    ],
    "masked_fill_": [("value", "any", ["bool"], {"value": 1.5}), ("value-tensor", "any", ["bool", ""], {})],
}


class Case:
    """One form of one operator inside one program."""

    def __init__(self, op, label, form, where, dtype="float32", shape=(2, 3), broadcast=False):
        self.op, self.form, self.shape = op, form, list(shape)
        self.p = Program(f"inplace/{op}/{label}/{where}" + ("-f64" if dtype == "float64" else ""), dtype)
        self.others, self.leaves = [], []
        _, domain, others, self.attrs = form
        self.domain = domain
        for i, other in enumerate(others):
            name = "bcd"[i]
            shape = [] if other == "" else self.shape[-1:] if broadcast else self.shape
            if other == "bool":
                self.p.input(name, shape=shape, dtype="bool")
            else:
                self.leaves.append(self.p.leaf(name, shape=shape, domain=other or "any"))
            self.others.append(name)

    def leaf(self, shape=None):
        self.leaves.append(self.p.leaf("a", shape=shape or self.shape, domain=self.domain))
        return "a"

    def write(self, target):
        return self.p.step(self.op, target, *self.others, **self.attrs)

    def backward(self, root, second=False):
        """A random upstream gradient; for a second time with create_graph and another backward through it."""
        p = self.p
        shape = p.shape(root)
        if shape is None:
            p.observe(root, *(f"{n}.grad" for n in self.leaves))
            return p
        g = p.input("g", shape=shape, grad=second)
        if not second:
            p.backward(root, g)
        else:
            found = p.grad(root, self.leaves, g, out=[f"d{n}" for n in self.leaves], create_graph=True, allow_unused=True)
            terms = [p.sum(p.mul(d, p.input(f"w_{d}", shape=p.shape(d)))) for d in found if p.shape(d) is not None]
            for term in terms[1:]:
                terms[0] = p.add(terms[0], term)
            if terms:
                p.backward(terms[0])
            p.observe(*found, "g.grad")
        p.observe(root, *(f"{n}.grad" for n in self.leaves))
        return p


def on_computed(case, second=False):
    """The target is computed, and its first value not needed by anybody."""
    case.p.clone(case.leaf(), out="y")
    case.write("y")
    case.p.observe("y")
    return case.backward("y", second)


def out_names_it(case):
    """The step's `out` is the same tensor as its first argument."""
    p = case.p
    p.clone(case.leaf(), out="y")
    p.step(case.op, "y", *case.others, out="z", **case.attrs)
    p.add_("z", other=1)
    p.observe("y", "z")
    return case.backward("z")


def after_saved_output(case):
    """exp saved its output, then it is written: the backward is refused."""
    p = case.p
    p.exp(case.leaf(), out="y")
    case.write("y")
    return case.backward("y")


def after_saved_input(case):
    """mul saved the tensor for its other side, then it is written."""
    p = case.p
    p.clone(case.leaf(), out="y")
    w = p.leaf("w", shape=case.shape)
    case.leaves.append(w)
    p.mul("y", w, out="z")
    case.write("y")
    p.observe("y")
    return case.backward("z")


def then_used(case):
    """What is computed from the written tensor goes back through the write."""
    p = case.p
    p.mul(case.leaf(), other=1, out="y")
    case.write("y")
    p.mul("y", "y", out="z")
    return case.backward("z")


def on_row(case):
    """A row of a computed tensor is written; the base is differentiated."""
    p = case.p
    p.clone(case.leaf([3] + case.shape), out="base")
    row = p.select("base", dim=0, index=1, out="row")
    case.write(row)
    p.observe("row")
    return case.backward("base")


def on_columns(case):
    """A strided view is written; the view is differentiated."""
    p = case.p
    p.clone(case.leaf([2, 6]), out="base")
    view = p.getitem("base", index=[None, [None, None, 2]], out="view")
    case.write(view)
    p.observe("base")
    return case.backward("view")


def on_base(case):
    """The base is written after a view was taken; the view is differentiated."""
    p = case.p
    p.clone(case.leaf(), out="base")
    p.transpose("base", dim0=0, dim1=1, out="view")
    case.write("base")
    p.observe("base")
    return case.backward("view")


def on_leaf(case):
    case.write(case.leaf())
    case.p.observe("a")
    return case.p


def on_view_of_leaf(case):
    case.write(case.p.transpose(case.p.transpose(case.leaf(), dim0=0, dim1=1), dim0=0, dim1=1, out="view"))
    case.p.observe("a")
    return case.p


def on_leaf_no_grad(case):
    """Under no_grad a leaf may be written, as optimizers do; it stays a leaf."""
    p = case.p
    with p.block("no_grad"):
        case.write(case.leaf())
    p.square("a", out="y")
    p.observe("a")
    return case.backward("y")


def on_saved_leaf_no_grad(case):
    """A write under no_grad still counts: what was saved before is refused."""
    p = case.p
    p.square(case.leaf(), out="y")
    with p.block("no_grad"):
        case.write("a")
    p.observe("a")
    return case.backward("y")


def on_expanded(case):
    p = case.p
    p.expand(p.clone(case.leaf([1] + case.shape[1:])), size=case.shape, out="y")
    case.write("y")
    p.observe("a")
    return p


def on_constant(case):
    """A target that needs no gradient takes on the history of what is written into it."""
    p = case.p
    p.input("a", shape=case.shape, domain=case.domain)
    case.write("a")
    p.observe("a")
    return case.backward("a") if case.leaves else p


def programs_of(op):
    found = []
    for form in FORMS[op]:
        label = form[0]
        for dtype in ("float32", "float64"):
            found.append(on_computed(Case(op, label, form, "computed", dtype)))
            found.append(on_computed(Case(op, label, form, "second", dtype), second=True))
        for where in (out_names_it, after_saved_output, after_saved_input, then_used, on_row, on_columns, on_base, on_leaf, on_view_of_leaf,
                      on_leaf_no_grad,
                      on_saved_leaf_no_grad, on_expanded, on_constant):
            found.append(where(Case(op, label, form, where.__name__.replace("on_", "").replace("_", "-"))))
        found.append(on_computed(Case(op, label, form, "zero-dim", shape=())))
        found.append(on_computed(Case(op, label, form, "empty", shape=(0,))))
        found.append(on_computed(Case(op, label, form, "17", shape=(17,))))
        if "any" in form[2] or "bool" in form[2] or "nonzero" in form[2]:
            found.append(on_computed(Case(op, label, form, "broadcast", broadcast=True)))
            found.append(on_computed(Case(op, label, form, "broadcast-second", broadcast=True), second=True))
    return found


def wrong():
    """Shapes and dtypes that an in-place operator cannot take."""
    found = []

    def make(label, steps, **inputs):
        p = Program(f"inplace/{label}")
        for name, (values, dtype, grad) in inputs.items():
            p.input(name, values, dtype=dtype, grad=grad)
        steps(p)
        p.observe(*inputs)
        found.append(p)
    f, d, i, b = "float32", "float64", "int64", "bool"
    for op in ["add_", "sub_", "mul_", "div_", "copy_"]:
        make(f"{op}/larger-raises", lambda p, op=op: p.step(op, "a", "b"), a=([1.0], f, False), b=([1.0, 2.0], f, False))
        make(f"{op}/shape-raises", lambda p, op=op: p.step(op, "a", "b"), a=([1.0, 2.0, 3.0], f, False), b=([1.0, 2.0], f, False))
        make(f"{op}/int64-with-float", lambda p, op=op: p.step(op, "a", "b"), a=([5, -3], i, False), b=([1.5, 2.5], f, False))
        make(f"{op}/bool-with-int64", lambda p, op=op: p.step(op, "a", "b"), a=([True, False], b, False), b=([1, 2], i, False))
        make(f"{op}/float32-with-float64", lambda p, op=op: p.step(op, "a", "b"), a=([5.0, -3.0], f, False), b=([0.1, 0.2], d, True))
        make(f"{op}/float64-with-float32", lambda p, op=op: p.step(op, "a", "b"), a=([5.0, -3.0], d, False), b=([0.1, 0.2], f, True))
        make(f"{op}/int64", lambda p, op=op: p.step(op, "a", "b"), a=([5, -3], i, False), b=([2, 2], i, False))
    for op, attrs in [
        ("exp_", {}),
        ("sqrt_", {}),
        ("sigmoid_", {}),
        ("tanh_", {}),
        ("neg_", {}),
        ("relu_", {}),
        ("zero_", {}),
        ("fill_", {"value": 3}),
        ("clamp_", {"min": 0, "max": 2}),
        ("mul_", {"other": 2}),
        ("mul_", {"other": 2.5}),
    ]:
        label = "-float" if attrs.get("other") == 2.5 else ""
        make(f"{op}/int64-alone{label}", lambda p, op=op, attrs=attrs: p.step(op, "a", **attrs), a=([4, -1, 0], i, False))
    make("fill_/value-1d-raises", lambda p: p.step("fill_", "a", "b"), a=([1.0, 2.0], f, False), b=([1.0, 2.0], f, False))
    make("masked_fill_/mask-int64-raises", lambda p: p.step("masked_fill_", "a", "m", value=0), a=([1.0, 2.0], f, False),
         m=([1, 0], i, False))
    make("masked_fill_/int64-float-raises", lambda p: p.step("masked_fill_", "a", "m", value=1.5), a=([1, 2], i, False),
         m=([True, False], b, False))
    make("lerp_/shape-raises", lambda p: p.step("lerp_", "a", "b", weight=0.5), a=([1.0, 2.0], f, False), b=([1.0, 2.0, 3.0], f, False))
    make("addcmul_/shape-raises", lambda p: p.step("addcmul_", "a", "b", "b"), a=([1.0, 2.0], f, False), b=([1.0, 2.0, 3.0], f, False))
    return found


def setitem():
    found = []

    def make(label, index, shape, value, dtype="float32", base=None, grad_value=True, second=False):
        p = Program(f"inplace/setitem_/{label}" + ("-f64" if dtype == "float64" else "") + ("-second" if second else ""), dtype)
        p.leaf("a", shape=shape)
        p.input("v", shape=value, grad=grad_value)
        base(p) if base else p.clone("a", out="y")
        p.setitem_("y", "v", index=index)
        leaves = ["a"] + (["v"] if grad_value else [])
        p.square("y", out="z")
        if p.shape("z") is not None:
            g = p.input("g", shape=p.shape("z"))
            if second:
                p.grad("z", leaves, g, out=[f"d{n}" for n in leaves], create_graph=True)
                p.observe(*(f"d{n}" for n in leaves))
                total = p.sum("da")
                for n in leaves[1:]:
                    total = p.add(total, p.sum(f"d{n}"))
                p.backward(total)
            else:
                p.backward("z", g)
        p.observe("y", "z", *(f"{n}.grad" for n in leaves))
        found.append(p)
    for dtype in ("float32", "float64"):
        for second in (False, True):
            make("row", [1], [3, 4], [4], dtype, second=second)
            make("element", [0, -1], [2, 3], [], dtype, second=second)
            make("slice", [[1, 3, None]], [4, 2], [2, 2], dtype, second=second)
            make("every-second-column", [None, [None, None, 2]], [2, 4], [2, 2], dtype, second=second)
            make("all", [], [2, 3], [3], dtype, second=second)
        make("row-from-zero-dim", [0], [2, 3], [], dtype)
        make("column-broadcast", [None, 1], [3, 2], [1], dtype)
        make("constant-value", [0], [2, 3], [3], dtype, grad_value=False)
        make("empty-slice", [[2, 2, None]], [3], [0], dtype)
        make("mixed", [[0, 2, None], 1, [None, None, 2]], [2, 3, 4], [2, 2], dtype)
        make("leading-ones-dropped", [0], [2, 3], [1, 1, 3], dtype)
    make("shape-raises", [0], [2, 3], [2])
    make("out-of-range-raises", [2], [2, 3], [3])
    make("too-many-raises", [0, 0, 0], [2, 3], [])
    make("into-exp-output", [0], [2, 3], [3], base=lambda p: p.exp("a", out="y"))
    make("into-leaf-raises", [0], [2, 3], [3], base=lambda p: p.requires_grad_(p.step("data", "a"), out="y"))
    make("whole-leaf-raises", [], [2, 3], [3], base=lambda p: p.requires_grad_(p.step("data", "a"), out="y"))
    make("into-transposed", [0], [2, 3], [2], base=lambda p: p.transpose(p.clone("a"), dim0=0, dim1=1, out="y"))
    make("into-expanded-row", [0], [1, 2], [2], base=lambda p: p.expand(p.clone("a"), size=[3, 2], out="y"))
    make("itself-shifted", [[0, 2, None]], [3], [2], base=lambda p: p.clone("a", out="y"))
    p = Program("inplace/setitem_/overlapping-source")
    p.leaf("a", shape=[4])
    p.clone("a", out="y")
    p.getitem("y", index=[[0, 3, None]], out="v")
    p.setitem_("y", "v", index=[[1, 4, None]])
    p.observe("y")
    found.append(p)
    p = Program("inplace/setitem_/leaf-no-grad")
    p.leaf("a", shape=[2, 3])
    p.input("v", shape=[3])
    with p.block("no_grad"):
        p.setitem_("a", "v", index=[1])
    p.backward(p.sum(p.square("a")))
    p.observe("a", "a.grad")
    found.append(p)
    return found


def t_and_index_put():
    found = []
    for where in ("computed", "second-step", "leaf", "leaf-no-grad", "view", "base-with-view", "3d-raises", "vector", "after-save"):
        p = Program(f"inplace/t_/{where}")
        p.leaf("a", shape=[2, 2, 2] if where == "3d-raises" else [3] if where == "vector" else [2, 3])
        y = "a" if where in ("leaf", "leaf-no-grad") else p.clone("a", out="y")
        if where == "view":
            y = p.narrow(y, dim=1, start=0, length=2, out="v")
        if where == "base-with-view":
            p.select(y, dim=0, index=1, out="v")
        if where == "after-save":
            p.square(y, out="z")
        if where == "leaf-no-grad":
            with p.block("no_grad"):
                p.t_(y)
        else:
            p.t_(y)
        if where == "second-step":
            p.mul_(y, other=2)
        root = {"base-with-view": "v", "after-save": "z"}.get(where, y)
        p.observe(y, root)
        shape = p.shape(root)
        if shape is not None:
            p.backward(p.square(root) if root != "z" else root, p.input("g", shape=shape))
        p.observe("a.grad")
        found.append(p)
    for label, index, value, attrs in [
        ("rows", [2, 0], [2, 2], {}),
        ("accumulate", [0, 0], [2, 2], {"accumulate": True}),
        ("broadcast", [1, 2], [2], {}),
        ("accumulate-broadcast", [1, 1], [], {"accumulate": True}),
    ]:
        for dtype in ("float32", "float64"):
            for second in (False, True):
                p = Program(f"inplace/index_put_/{label}-{dtype}" + ("-second" if second else ""), dtype)
                p.leaf("a", shape=[3, 2])
                p.leaf("v", shape=value)
                p.input("i", index, dtype="int64")
                p.clone("a", out="y")
                p.index_put_("y", ["i"], "v", **attrs)
                p.square("y", out="z")
                g = p.input("g", shape=[3, 2])
                if second:
                    p.grad("z", ["a", "v"], g, out=["da", "dv"], create_graph=True)
                    p.backward(p.add(p.sum(p.square("da")), p.sum("dv")))
                    p.observe("da", "dv")
                else:
                    p.backward("z", g)
                p.observe("y", "a.grad", "v.grad")
                found.append(p)
    return found + index_put_of_itself()


def index_put_of_itself():
    """index_put_ writes while it reads, so that not even its very elements may be read; with a mask and one value it is masked_fill, which reads before."""
    found = []

    def case(label, tensor, build):
        p = Program(f"inplace/index_put_/{label}", "float32")
        p.input("x", tensor, dtype="float32")
        p.input("i", [1, 0], dtype="int64")
        p.input("m", [True, True], dtype="bool")
        build(p)
        p.observe("x")
        found.append(p)
    case("itself-raises", [1.0, 2.0], lambda p: p.index_put_("x", ["i"], "x"))
    case("itself-accumulate-raises", [1.0, 2.0], lambda p: p.index_put_("x", ["i"], "x", accumulate=True))
    case("its-view-raises", [1.0, 2.0], lambda p: p.index_put_("x", ["i"], p.view("x", size=[2])))
    case("its-element-raises", [1.0, 2.0], lambda p: p.index_put_("x", ["i"], p.select("x", dim=0, index=0)))
    case("itself-by-mask-raises", [1.0, 2.0], lambda p: p.index_put_("x", ["m"], "x"))
    case("its-element-by-mask", [1.0, 2.0], lambda p: p.index_put_("x", ["m"], p.select("x", dim=0, index=0)))
    case("its-element-by-mask-accumulate-raises", [1.0, 2.0], lambda p: p.index_put_("x", ["m"], p.select("x", dim=0, index=0), accumulate=True))
    return found


def programs():
    return [p for op in FORMS for p in programs_of(op)] + wrong() + setitem() + t_and_index_put()
