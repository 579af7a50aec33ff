"""Versions, views, detach, data, modes, hooks, and the errors that they lead to."""
from corpus.case import Cases

case = Cases("semantics")


def leaf(p, *values):
    return p.leaf("x", list(values) or [1.0, -2.0, 3.0])


def finish(p, *names):
    p.backward(p.sum("z"))
    p.observe(*names, "x.grad")


# versions: which saved values a later write makes wrong

SAVES = {  # name -> (what is computed from y, whether y itself is what may be saved)
    "add": lambda p, y: p.add(y, other=1), "mul-by-number": lambda p, y: p.mul(y, other=2), "mul-by-itself": lambda p, y: p.mul(y, y), "square": lambda p, y: p.square(y), "exp": lambda p, y: p.exp(y),
    "log": lambda p, y: p.log(y), "sigmoid": lambda p, y: p.sigmoid(y), "tanh": lambda p, y: p.tanh(y), "relu": lambda p, y: p.relu(y), "leaky-relu": lambda p, y: p.leaky_relu(y), "gelu": lambda p, y: p.gelu(y),
    "silu": lambda p, y: p.silu(y), "elu": lambda p, y: p.elu(y), "softplus": lambda p, y: p.softplus(y), "abs": lambda p, y: p.abs(y), "neg": lambda p, y: p.neg(y), "sqrt": lambda p, y: p.sqrt(y), "rsqrt": lambda p, y: p.rsqrt(y),
    "reciprocal": lambda p, y: p.reciprocal(y), "log1p": lambda p, y: p.log1p(y), "expm1": lambda p, y: p.expm1(y), "sin": lambda p, y: p.sin(y), "cos": lambda p, y: p.cos(y), "sign": lambda p, y: p.sign(y), "floor": lambda p, y: p.floor(y),
    "round": lambda p, y: p.round(y), "clamp": lambda p, y: p.clamp(y, min=0.0, max=2.0), "pow-2": lambda p, y: p.pow(y, exponent=2), "pow-1": lambda p, y: p.pow(y, exponent=1), "base-2": lambda p, y: p.pow(y, self=2.0),
    "sum": lambda p, y: p.sum(y), "mean": lambda p, y: p.mean(y), "prod": lambda p, y: p.prod(y), "amax": lambda p, y: p.amax(y), "max": lambda p, y: p.max(y), "max-dim": lambda p, y: p.max(y, dim=0, out=2)[0], "var": lambda p, y: p.var(y),
    "std": lambda p, y: p.std(y), "norm": lambda p, y: p.norm(y), "logsumexp": lambda p, y: p.logsumexp(y, dim=[0]), "cumsum": lambda p, y: p.cumsum(y, dim=0), "softmax": lambda p, y: p.softmax(y, dim=0),
    "log-softmax": lambda p, y: p.log_softmax(y, dim=0), "gather": lambda p, y: p.gather(y, p.input("i", [0, 2], dtype="int64"), dim=0), "index-select": lambda p, y: p.index_select(y, p.input("i", [0, 2], dtype="int64"), dim=0),
    "index": lambda p, y: p.index(y, [p.input("i", [0, 2], dtype="int64")]), "where": lambda p, y: p.where(p.input("c", [True, False, True], dtype="bool"), y, p.input("o", [0.0, 0.0, 0.0])),
    "maximum": lambda p, y: p.maximum(y, p.input("c", [2.0, 2.0, 2.0])), "div": lambda p, y: p.div(y, p.input("c", [2.0, 2.0, 2.0])), "div-into": lambda p, y: p.div(p.input("c", [2.0, 2.0, 2.0]), y), "dot": lambda p, y: p.dot(y, p.input("c", [1.0, 2.0, 3.0])),
    "dot-itself": lambda p, y: p.dot(y, y), "outer": lambda p, y: p.outer(y, p.input("c", [1.0, 2.0])), "mse-loss": lambda p, y: p.mse_loss(y, p.input("c", [0.0, 0.0, 0.0])), "cat": lambda p, y: p.cat([y, y]), "clone": lambda p, y: p.clone(y),
    "flip": lambda p, y: p.flip(y, dims=[0]), "repeat": lambda p, y: p.repeat(y, repeats=[2]), "pad": lambda p, y: p.pad(y, pad=[1, 1]), "masked-fill": lambda p, y: p.masked_fill(y, p.input("c", [True, False, True], dtype="bool"), value=1.0),
    "cross-entropy": lambda p, y: p.cross_entropy(y, p.input("c", 1, dtype="int64")), "bce-logits": lambda p, y: p.binary_cross_entropy_with_logits(y, p.input("c", [0.0, 1.0, 0.0])), "layer-norm": lambda p, y: p.layer_norm(y, normalized_shape=[3]),
    "linear": lambda p, y: p.linear(y, p.leaf("w", [[1.0, 2.0, 3.0]])), "linear-constant": lambda p, y: p.linear(y, p.input("w", [[1.0, 2.0, 3.0]])), "stack": lambda p, y: p.stack([y, y]), "gt": lambda p, y: p.mul(p.leaf("w", [1.0, 1.0, 1.0]), p.to(p.gt(y, other=0), dtype="float32")),
}


@case.each({f"version/input-of-{name}-written": make for name, make in SAVES.items()})
def _(p, make):
    """y is written after it was an argument: an error exactly where it was saved."""
    x = leaf(p, 1.5, 0.5, 3.0)
    y = p.mul(x, other=1, out="y")
    z = make(p, y)
    p.mul_(y, other=2)
    p.sum(z, out="s")
    p.backward("s")
    p.observe("s", "x.grad")


@case.each({f"version/output-of-{name}-written": make for name, make in SAVES.items()})
def _(p, make):
    """The result is written after it was computed: an error exactly where it was saved."""
    x = leaf(p, 1.5, 0.5, 3.0)
    y = p.mul(x, other=1, out="y")
    z = make(p, y)
    p.mul_(z, other=2)
    p.sum(z, out="s")
    p.backward("s")
    p.observe("s", "x.grad")


@case("version/constant-factor-written")
def _(p):
    x, w = leaf(p), p.input("w", [1.0, 2.0, 3.0])
    p.mul(x, w, out="z")
    p.add_(w, other=1)
    finish(p, "w", "z")


@case("version/factor-not-saved-where-the-other-is-constant")
def _(p):
    x, w = leaf(p), p.input("w", [1.0, 2.0, 3.0])
    y = p.mul(x, other=1, out="y")
    p.mul(y, w, out="z")
    p.mul_(y, other=0)
    finish(p, "y", "z")


@case("version/addend-written-is-fine")
def _(p):
    x, w = leaf(p), p.input("w", [1.0, 2.0, 3.0])
    p.add(x, w, out="z")
    p.add_(w, other=1)
    finish(p, "w", "z")


@case("version/another-element-written")
def _(p):
    """One counter for the whole storage: even an element that nobody saved counts."""
    x = leaf(p)
    y = p.exp(x, out="y")
    p.square(p.getitem(y, index=[0]), out="z")
    p.fill_(p.getitem(y, index=[2]), value=0.0)
    finish(p, "y", "z")


@case("version/detached-alias-written")
def _(p):
    x = leaf(p)
    p.exp(x, out="z")
    p.zero_(p.detach("z", out="c"))
    finish(p, "z", "c")


@case("version/data-alias-not-noticed")
def _(p):
    x = leaf(p)
    p.exp(x, out="z")
    p.zero_(p.step("data", "z", out="c"))
    finish(p, "z", "c")


@case("version/written-and-restored-still-counts")
def _(p):
    x = leaf(p)
    y = p.exp(x, out="z")
    p.mul_(y, other=2)
    p.div_(y, other=2)
    p.detach(y, out="c")
    p.zero_(p.input("other", [1.0]))
    finish(p, "z")


@case("version/out-of-place-does-not-count")
def _(p):
    x = leaf(p)
    p.exp(x, out="z")
    p.mul("z", other=0, out="c")
    finish(p, "z", "c")


@case("version/shared-by-views-and-detach")
def _(p):
    x = p.input("x", [[1.0, 2.0], [3.0, 4.0]])
    p.select(x, dim=0, index=0, out="row")
    p.detach(x, out="d")
    p.step("data", x, out="e")
    p.add_("row", other=1)
    p.mul_("d", other=2)
    p.sub_("e", other=1)
    p.observe("x", "row", "d", "e")


@case("version/no-grad-write-counts")
def _(p):
    x = leaf(p)
    p.exp(x, out="z")
    with p.block("no_grad"):
        p.mul_("z", other=2)
    finish(p, "z")


@case("version/mul-of-itself-in-place")
def _(p):
    x = leaf(p)
    p.mul(x, other=1, out="z")
    p.mul_("z", "z")
    finish(p, "z")


@case("version/chain-of-in-place")
def _(p):
    x = leaf(p)
    p.mul(x, other=1, out="z")
    p.sigmoid_("z")
    p.add_("z", other=1)
    finish(p, "z")


@case("version/chain-of-in-place-not-saving")
def _(p):
    x = leaf(p)
    p.mul(x, other=1, out="z")
    for op, value in [("add_", 1), ("mul_", 2), ("sub_", 3), ("div_", 4)]:
        p.step(op, "z", other=value)
    finish(p, "z")


@case("version/leaf-stepped-between-forward-and-backward")
def _(p):
    x, w = p.input("x", [1.0, 2.0]), p.leaf("w", [0.5, -1.0])
    loss = p.sum(p.mul(p.mul(x, w), w), out="loss")
    with p.block("no_grad"):
        p.sub_(w, other=0.5)
    p.backward(loss)
    p.observe("w", "w.grad")


@case("version/leaf-stepped-after-backward")
def _(p):
    x, w = p.input("x", [1.0, 2.0]), p.leaf("w", [0.5, -1.0])
    for _ in range(2):
        p.backward(p.sum(p.mul(p.mul(x, w), w)))
        with p.block("no_grad"):
            p.sub_(w, p.mul(p.get_grad(w), other=0.1))
        p.zero_grad(w)
    p.observe("w", "w.grad")


@case("version/copied-over-cuts-history")
def _(p):
    x, w = leaf(p), p.leaf("w", [4.0, 5.0, 6.0])
    p.mul(x, other=2, out="z")
    p.copy_("z", w)
    finish(p, "z", "w.grad")


@case("version/filled-cuts-history")
def _(p):
    x = leaf(p)
    p.mul(x, other=2, out="z")
    p.fill_("z", value=1.0)
    finish(p, "z")


@case("version/saved-mask-written")
def _(p):
    x, m = leaf(p), p.input("m", [True, False, True], dtype="bool")
    p.masked_fill(x, m, value=0.0, out="z")
    p.fill_(m, value=True)
    finish(p, "z", "m")


@case("version/saved-index-written")
def _(p):
    x, i = leaf(p), p.input("i", [0, 2], dtype="int64")
    p.gather(x, i, dim=0, out="z")
    p.zero_(i)
    finish(p, "z", "i")


@case("version/dropout-mask-written")
def _(p):
    x, m = leaf(p), p.input("m", [True, False, True], dtype="bool")
    p.dropout(x, m, p=0.5, out="z")
    p.fill_(m, value=True)
    finish(p, "z", "m")


# views

@case("view/write-through-select")
def _(p):
    p.leaf("x", [[1.0, 2.0], [3.0, 4.0]])
    p.mul("x", other=1, out="base")
    p.mul_(p.select("base", dim=0, index=1, out="row"), other=10)
    p.square("base", out="z")
    finish(p, "base", "row")


@case("view/base-write-shows-in-view")
def _(p):
    p.leaf("x", [[1.0, 2.0], [3.0, 4.0]])
    p.mul("x", other=1, out="base")
    p.select("base", dim=0, index=1, out="row")
    p.mul_("base", other=10)
    p.square("row", out="z")
    finish(p, "base", "row")


@case("view/one-view-written-another-used")
def _(p):
    p.leaf("x", [1.0, 2.0, 3.0, 4.0])
    p.mul("x", other=1, out="base")
    p.view("base", size=[2, 2], out="a")
    p.getitem("base", index=[[1, 3, None]], out="b")
    p.mul_("b", other=10)
    p.mul("a", p.input("c", [[1.0, 2.0], [3.0, 4.0]]), out="z")
    finish(p, "a", "b", "base")


@case("view/view-of-view-written")
def _(p):
    p.leaf("x", [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    p.mul("x", other=1, out="base")
    p.transpose("base", dim0=0, dim1=1, out="a")
    p.narrow("a", dim=0, start=1, length=2, out="b")
    p.mul_("b", other=-2)
    p.square("base", out="z")
    finish(p, "a", "b", "base")


@case("view/constant-base-takes-history")
def _(p):
    x, base = p.leaf("x", [5.0, 6.0]), p.input("base", [[1.0, 2.0], [3.0, 4.0]])
    p.select(base, dim=0, index=0, out="early")
    p.copy_(p.select(base, dim=0, index=1, out="row"), x)
    p.square(base, out="z")
    finish(p, "base", "row", "early")


@case("view/early-view-takes-history")
def _(p):
    x, base = p.leaf("x", [5.0, 6.0]), p.input("base", [[1.0, 2.0], [3.0, 4.0]])
    p.view(base, size=[4], out="early")
    p.setitem_(base, x, index=[1])
    p.square("early", out="z")
    finish(p, "base", "early")


@case("view/of-leaf-written-raises")
def _(p):
    leaf(p)
    p.mul_(p.getitem("x", index=[[0, 2, None]]), other=2)
    p.observe("x")


@case("view/of-leaf-under-no-grad")
def _(p):
    leaf(p)
    with p.block("no_grad"):
        p.mul_(p.getitem("x", index=[[0, 2, None]]), other=2)
    p.square("x", out="z")
    finish(p, "x")


@case("view/made-in-no-grad-written-outside-raises")
def _(p):
    leaf(p)
    p.mul("x", other=2, out="base")
    with p.block("no_grad"):
        p.getitem("base", index=[[0, 2, None]], out="v")
    p.mul_("v", other=2)
    p.observe("base", "v")


@case("view/made-and-written-in-no-grad")
def _(p):
    leaf(p)
    p.mul("x", other=2, out="z")
    with p.block("no_grad"):
        p.mul_(p.getitem("z", index=[[0, 2, None]], out="v"), other=2)
    finish(p, "z", "v")


@case("view/made-in-no-grad-of-a-leaf")
def _(p):
    """It says that it requires a gradient and is a leaf, and its gradient reaches nobody (pytorch#11390)."""
    leaf(p)
    with p.block("no_grad"):
        p.view("x", size=[3, 1], out="v")
    p.square("v", out="z")
    finish(p, "v", "z")


@case("view/made-in-no-grad-of-a-constant-written")
def _(p):
    x, base = leaf(p), p.input("base", [1.0, 2.0, 3.0])
    with p.block("no_grad"):
        p.view(base, size=[3, 1], out="v")
    p.mul_("v", p.view(x, size=[3, 1]))
    p.observe("base", "v")


MANY = {"unbind": lambda p: p.unbind("base", out=["v", None, None]), "split": lambda p: p.split("base", split_size_or_sections=2, out=["v", None]), "chunk": lambda p: p.chunk("base", chunks=2, out=["v", None])}


@case.each({f"view/{name}-result-written-raises": make for name, make in MANY.items()})
def _(p, make):
    leaf(p)
    p.mul("x", other=2, out="base")
    make(p)
    p.mul_("v", other=2)
    p.observe("base", "v")


@case.each({f"view/base-written-after-{name}": make for name, make in MANY.items()})
def _(p, make):
    leaf(p)
    p.mul("x", other=2, out="base")
    make(p)
    p.mul_("base", other=2)
    p.square("base", out="z")
    finish(p, "base")


@case.each({f"view/base-written-then-{name}-result-used-raises": make for name, make in MANY.items()})
def _(p, make):
    leaf(p)
    p.mul("x", other=2, out="base")
    make(p)
    p.mul_("base", other=2)
    p.square("v", out="z")
    finish(p, "base")


@case.each({f"view/{name}-result-written-in-no-grad": make for name, make in MANY.items()})
def _(p, make):
    leaf(p)
    p.mul("x", other=2, out="base")
    make(p)
    with p.block("no_grad"):
        p.mul_("v", other=2)
    p.square("base", out="z")
    finish(p, "base")


@case.each({f"view/{name}-of-a-constant-written": make for name, make in MANY.items()})
def _(p, make):
    p.input("base", [1.0, 2.0, 3.0])
    make(p)
    p.mul_("v", other=2)
    p.observe("base", "v")


@case("view/narrowed-unbind-result-written-raises")
def _(p):
    p.leaf("x", [[1.0, 2.0], [3.0, 4.0]])
    p.mul("x", other=2, out="base")
    p.unbind("base", out=["v", None])
    p.mul_(p.narrow("v", dim=0, start=0, length=1), other=2)
    p.observe("base")


@case("view/expanded-write-raises")
def _(p):
    p.leaf("x", [[1.0, 2.0]])
    p.expand(p.mul("x", other=2), size=[3, 2], out="v")
    p.add_("v", other=1)
    p.observe("v")


@case("view/row-of-expanded-written")
def _(p):
    p.leaf("x", [[1.0, 2.0]])
    p.expand(p.mul("x", other=2, out="base"), size=[3, 2], out="v")
    p.fill_(p.getitem("v", index=[0]), value=7.0)
    p.observe("v", "base")


@case("view/own-transpose-in-place-raises")
def _(p):
    p.input("x", [[1.0, 2.0], [3.0, 4.0]])
    p.mul_("x", p.transpose("x", dim0=0, dim1=1))
    p.observe("x")


@case("view/own-shifted-slice-in-place-raises")
def _(p):
    p.input("x", [1.0, 2.0, 3.0, 4.0])
    p.add_(p.getitem("x", index=[[1, None, None]]), p.getitem("x", index=[[None, 3, None]]))
    p.observe("x")


@case("view/disjoint-halves-in-place")
def _(p):
    p.leaf("x", [1.0, 2.0, 3.0, 4.0])
    p.mul("x", other=1, out="base")
    p.add_(p.getitem("base", index=[[2, None, None]]), p.getitem("base", index=[[None, 2, None]]))
    p.square("base", out="z")
    finish(p, "base")


@case("view/full-alias-in-place")
def _(p):
    leaf(p)
    p.mul("x", other=1, out="base")
    p.add_("base", p.view("base", size=[3]))
    p.square("base", out="z")
    finish(p, "base")


ALIASES = {"contiguous": lambda p: p.contiguous("base"), "to-same-dtype": lambda p: p.to("base", dtype="float32"), "flatten-vector": lambda p: p.flatten("base"), "reshape": lambda p: p.reshape("base", shape=[3, 1]),
           "expand-same": lambda p: p.expand("base", size=[3]), "squeeze": lambda p: p.squeeze("base"), "permute": lambda p: p.permute("base", dims=[0]), "narrow-all": lambda p: p.narrow("base", dim=0, start=0, length=3), "t": lambda p: p.t("base")}
COPIES = {"clone": lambda p: p.clone("base"), "flip": lambda p: p.flip("base", dims=[0]), "repeat-once": lambda p: p.repeat("base", repeats=[1]), "to-float64": lambda p: p.to("base", dtype="float64"), "pad-nothing": lambda p: p.pad("base", pad=[0, 0]),
          "cat-of-one": lambda p: p.cat(["base"]), "reshape-transposed": lambda p: p.reshape(p.transpose(p.expand("base", size=[2, 3]), dim0=0, dim1=1), shape=[6]), "mul-by-1": lambda p: p.mul("base", other=1), "index-select": lambda p: p.index_select("base", p.input("i", [0, 1, 2], dtype="int64"), dim=0)}


@case.each({f"view/alias-{name}": make for name, make in {**ALIASES, **COPIES}.items()})
def _(p, make):
    """Whether a write to the result is a write to the operand."""
    leaf(p)
    p.mul("x", other=1, out="base")
    v = make(p)
    p.mul_(v, other=10)
    p.sum("base", out="s")
    p.backward("s")
    p.observe("base", v, "x.grad")


@case("view/dropout-without-dropping-is-a-copy")
def _(p):
    leaf(p)
    p.mul("x", other=1, out="base")
    p.mul_(p.dropout("base", p.input("m", [True, True, True], dtype="bool"), p=0.0, out="v"), other=10)
    p.observe("base", "v")


@case("view/split-views-each-contribute")
def _(p):
    p.leaf("x", [1.0, 2.0, 3.0, 4.0])
    a, b = p.split(p.square("x"), split_size_or_sections=2, out=2)
    p.mul(a, b, out="z")
    finish(p, "z")


@case("view/write-then-read-order")
def _(p):
    """The same element is read before and after a write."""
    leaf(p)
    p.mul("x", other=1, out="y")
    before = p.mul(p.getitem("y", index=[0]), other=1)
    p.setitem_("y", p.input("v", 9.0), index=[0])
    p.mul(before, p.getitem("y", index=[0]), out="z")
    p.backward("z")
    p.observe("y", "z", "x.grad")


@case("view/loop-fills-a-buffer")
def _(p):
    """A recurrence writes its rows into a constant buffer, as training code does."""
    p.leaf("x", [0.5, -1.0])
    p.input("buffer", [[0.0, 0.0]] * 4)
    state = p.tanh("x")
    for i in range(4):
        p.setitem_("buffer", state, index=[i])
        state = p.tanh(p.mul(state, other=1.5))
    p.square("buffer", out="z")
    finish(p, "buffer")


# detach, data, requires_grad_

@case("detach/stops-the-gradient")
def _(p):
    x = leaf(p)
    p.mul(p.detach(p.square(x)), x, out="z")
    finish(p, "z")


@case("detach/of-leaf")
def _(p):
    p.detach(leaf(p), out="d")
    p.observe("d", "x")


@case("detach/equals-constant")
def _(p):
    x = leaf(p)
    p.mul(x, p.input("c", [1.0, 4.0, 9.0]), out="z")
    finish(p, "z")


@case("detach/in-place-on-leaf")
def _(p):
    p.detach_(leaf(p))
    p.square("x", out="z")
    p.observe("x", "z")


@case("detach/in-place-on-computed")
def _(p):
    leaf(p)
    p.square("x", out="y")
    p.detach_("y")
    p.observe("y")


@case("detach/in-place-on-view-raises")
def _(p):
    leaf(p)
    p.view(p.square("x"), size=[3, 1], out="v")
    p.detach_("v")
    p.observe("v")


@case("detach/in-place-after-saved-as-input-raises")
def _(p):
    leaf(p)
    p.mul("x", other=2, out="y")
    p.square("y", out="z")
    p.detach_("y")
    finish(p, "y", "z")


@case("detach/in-place-after-saved-as-output")
def _(p):
    leaf(p)
    p.exp("x", out="y")
    p.square(p.mul("y", other=1), out="z")
    p.detach_("y")
    finish(p, "y", "z")


@case("detach/in-place-keeps-the-version")
def _(p):
    leaf(p)
    p.mul("x", other=2, out="y")
    p.add_("y", other=1)
    p.detach_("y")
    p.observe("y")


@case("detach/then-requires-grad")
def _(p):
    leaf(p)
    d = p.requires_grad_(p.detach(p.square("x")), out="d")
    p.exp(p.mul(d, other=0.25), out="z")
    p.backward(p.sum("z"))
    p.observe("d.grad", "x.grad")


@case("data/writes-a-leaf")
def _(p):
    leaf(p)
    p.mul_(p.step("data", "x"), other=2)
    p.square("x", out="z")
    finish(p, "x")


@case("data/after-save-is-silently-wrong")
def _(p):
    leaf(p)
    p.square("x", out="z")
    p.mul_(p.step("data", "x"), other=2)
    finish(p, "x")


@case("requires-grad/int64-raises")
def _(p):
    p.requires_grad_(p.input("x", [1, 2], dtype="int64"))
    p.observe("x")


@case("requires-grad/bool-raises")
def _(p):
    p.requires_grad_(p.input("x", [True], dtype="bool"))
    p.observe("x")


@case("requires-grad/of-leaf-off")
def _(p):
    x = leaf(p)
    p.requires_grad_(x, requires_grad=False)
    p.observe("x")


@case("requires-grad/off-after-use-still-accumulates")
def _(p):
    x = leaf(p)
    p.square(x, out="z")
    p.requires_grad_(x, requires_grad=False)
    finish(p, "x", "z")


@case("requires-grad/of-computed-off-raises")
def _(p):
    p.requires_grad_(p.square(leaf(p), out="y"), requires_grad=False)
    p.observe("y")


@case("requires-grad/of-computed-on-changes-nothing")
def _(p):
    p.requires_grad_(p.square(leaf(p), out="y"))
    p.observe("y")


@case("requires-grad/constant-switched-on")
def _(p):
    x = p.input("x", [1.0, 2.0])
    p.requires_grad_(x)
    p.square(x, out="z")
    finish(p, "z")


@case("requires-grad/of-a-view-of-a-constant")
def _(p):
    p.input("x", [1.0, 2.0])
    v = p.requires_grad_(p.view("x", size=[2, 1]), out="v")
    p.backward(p.sum(p.square(v)))
    p.observe("x", "v", "v.grad")


@case("requires-grad/propagates")
def _(p):
    x, c = leaf(p), p.input("c", [1.0, 2.0, 3.0])
    p.mul(x, c, out="a")
    p.mul(c, c, out="b")
    p.gt(x, c, out="d")
    p.argmax(x, out="e")
    p.floor(x, out="f")
    p.to(x, dtype="int64", out="g")
    p.observe("a", "b", "d", "e", "f", "g")


# modes

@case("mode/no-grad-records-nothing")
def _(p):
    leaf(p)
    with p.block("no_grad"):
        p.square("x", out="y")
    p.observe("x", "y")


@case("mode/no-grad-then-backward-raises")
def _(p):
    leaf(p)
    with p.block("no_grad"):
        p.sum(p.square("x"), out="s")
    p.backward("s")
    p.observe("x.grad")


@case("mode/enable-grad-inside-no-grad")
def _(p):
    leaf(p)
    with p.block("no_grad"):
        p.mul("x", other=2, out="a")
        with p.block("enable_grad"):
            p.square("x", out="z")
        p.mul("x", other=3, out="b")
    finish(p, "a", "z", "b")


@case("mode/no-grad-inside-enable-grad")
def _(p):
    leaf(p)
    with p.block("enable_grad"):
        p.square("x", out="z")
        with p.block("no_grad"):
            p.mul("z", other=2, out="a")
    finish(p, "z", "a")


@case("mode/no-grad-part-is-constant")
def _(p):
    x = leaf(p)
    with p.block("no_grad"):
        c = p.square(x)
    p.mul(c, x, out="z")
    finish(p, "z")


@case("mode/raise-inside-no-grad-has-a-path")
def _(p):
    leaf(p)
    with p.block("no_grad"):
        p.square("x", out="y")
        with p.block("enable_grad"):
            p.mul("x", other=1, out="w")
            p.matmul("x", p.input("m", [[1.0, 2.0]]))
    p.observe("y", "w")


@case("mode/requires-grad-inside-no-grad")
def _(p):
    p.input("x", [1.0, 2.0])
    with p.block("no_grad"):
        p.requires_grad_("x")
    p.square("x", out="z")
    finish(p, "z")


@case("mode/in-place-on-constant-in-no-grad")
def _(p):
    x, c = leaf(p), p.input("c", [1.0, 2.0, 3.0])
    with p.block("no_grad"):
        p.add_(c, x)
    p.observe("c")


@case("mode/inference-records-nothing")
def _(p):
    leaf(p)
    with p.block("inference_mode"):
        p.square("x", out="y")
    p.observe("x", "y")


@case("mode/inference-tensor-saved-raises")
def _(p):
    leaf(p)
    with p.block("inference_mode"):
        p.square("x", out="y")
    p.mul("x", "y", out="z")
    p.observe("z")


@case("mode/inference-tensor-added")
def _(p):
    leaf(p)
    with p.block("inference_mode"):
        p.square("x", out="y")
    p.add("x", "y", out="z")
    finish(p, "z")


@case("mode/inference-tensor-written-outside-raises")
def _(p):
    leaf(p)
    with p.block("inference_mode"):
        p.square("x", out="y")
    p.add_("y", other=1)
    p.observe("y")


@case("mode/inference-tensor-requires-grad-raises")
def _(p):
    leaf(p)
    with p.block("inference_mode"):
        p.square("x", out="y")
    p.requires_grad_("y")
    p.observe("y")


@case("mode/inference-view-written-outside-raises")
def _(p):
    leaf(p)
    p.mul("x", other=2, out="base")
    with p.block("inference_mode"):
        p.view("base", size=[3, 1], out="v")
    p.add_("v", other=1)
    p.observe("base", "v")


@case("mode/inference-clone-is-normal")
def _(p):
    leaf(p)
    with p.block("inference_mode"):
        p.square("x", out="y")
    p.mul("x", p.clone("y"), out="z")
    finish(p, "z")


@case("mode/enable-grad-inside-inference")
def _(p):
    leaf(p)
    with p.block("inference_mode"):
        with p.block("enable_grad"):
            p.square("x", out="y")
    p.observe("y")


# hooks

@case("hook/on-leaf-scales")
def _(p):
    p.hook(leaf(p), 2)
    p.square("x", out="z")
    finish(p)


@case("hook/on-computed-scales-what-follows")
def _(p):
    leaf(p)
    y = p.square("x", out="y")
    p.hook(y, -0.5)
    p.retain_grad(y)
    p.mul(y, other=3, out="z")
    finish(p, "y.grad")


@case("hook/two-in-order")
def _(p):
    leaf(p)
    y = p.square("x", out="y")
    p.hook(y, 2)
    p.hook(y, 10)
    p.mul(y, other=3, out="z")
    finish(p)


@case("hook/removed")
def _(p):
    p.hook(leaf(p), 2, out="h")
    p.remove_hook("h")
    p.square("x", out="z")
    finish(p)


@case("hook/removed-twice-changes-nothing")
def _(p):
    p.hook(leaf(p), 2, out="h")
    p.remove_hook("h")
    p.remove_hook("h")
    p.square("x", out="z")
    finish(p)


@case("hook/removed-between-backwards")
def _(p):
    p.hook(leaf(p), 2, out="h")
    p.backward(p.sum(p.square("x")))
    p.remove_hook("h")
    p.square("x", out="z")
    finish(p)


@case("hook/sees-the-sum-once")
def _(p):
    p.hook(leaf(p), 2)
    p.add(p.square("x"), p.mul("x", other=5), out="z")
    finish(p)


@case("hook/on-constant-raises")
def _(p):
    p.hook(p.input("x", [1.0]), 2)


@case("hook/zero-cuts")
def _(p):
    leaf(p)
    y = p.exp("x", out="y")
    p.hook(y, 0)
    p.add(p.square(y), "x", out="z")
    finish(p)


@case("hook/runs-in-grad")
def _(p):
    leaf(p)
    p.hook("x", 3)
    p.grad(p.sum(p.square("x")), "x", out="d")
    p.observe("d", "x.grad")


@case("hook/before-in-place-stays-with-the-old")
def _(p):
    leaf(p)
    y = p.mul("x", other=2, out="y")
    p.hook(y, 10)
    p.mul_(y, other=3)
    p.retain_grad(y)
    p.mul(y, other=5, out="z")
    finish(p, "y.grad")


@case("hook/after-in-place")
def _(p):
    leaf(p)
    y = p.mul("x", other=2, out="y")
    p.mul_(y, other=3)
    p.hook(y, 10)
    p.mul(y, other=5, out="z")
    finish(p)


@case("hook/under-create-graph")
def _(p):
    leaf(p)
    y = p.square("x", out="y")
    p.hook(y, 2)
    p.grad(p.sum(p.mul(y, y)), "x", out="d", create_graph=True)
    p.backward(p.sum("d"))
    p.observe("d", "x.grad")


@case("hook/on-root")
def _(p):
    s = p.sum(p.square(leaf(p)), out="s")
    p.hook(s, 4)
    p.backward(s)
    p.observe("x.grad")


@case("hook/not-reached-not-run")
def _(p):
    leaf(p)
    p.hook(p.leaf("w", [1.0]), 100)
    p.square("x", out="z")
    finish(p, "w.grad")


# gradients as tensors

@case("gradient/is-a-plain-tensor")
def _(p):
    leaf(p)
    p.backward(p.sum(p.square("x")))
    g = p.get_grad("x", out="g")
    p.mul(g, g, out="y")
    p.observe("g", "y")


@case("gradient/as-input-of-a-new-graph")
def _(p):
    leaf(p)
    p.backward(p.sum(p.square("x")))
    p.mul(p.get_grad("x", out="g"), "x", out="z")
    p.zero_grad("x")
    finish(p, "g", "z")


@case("gradient/its-alias-moves-when-saved")
def _(p):
    """The gradient was saved by mul, then backward adds to it in place: refused."""
    leaf(p)
    p.backward(p.sum(p.square("x")))
    p.mul(p.get_grad("x", out="g"), "x", out="z")
    p.backward(p.sum(p.square("x")))
    finish(p, "g")


@case("gradient/clipped-by-norm")
def _(p):
    leaf(p)
    p.backward(p.sum(p.pow("x", exponent=3)))
    g = p.get_grad("x", out="g")
    with p.block("no_grad"):
        p.mul_(g, p.clamp(p.reciprocal(p.norm(g, out="n")), max=1.0))
    p.observe("n", "x.grad")


# ordinary errors, each with its kind

ERRORS = {
    "error/broadcast": lambda p: p.add(p.input("a", [1.0, 2.0]), p.input("b", [1.0, 2.0, 3.0])),
    "error/matmul-inner": lambda p: p.matmul(p.input("a", [[1.0, 2.0]]), p.input("b", [[1.0, 2.0]])),
    "error/matmul-zero-dim": lambda p: p.matmul(p.input("a", 1.0), p.input("b", [1.0])),
    "error/bmm-2d": lambda p: p.bmm(p.input("a", [[1.0]]), p.input("b", [[1.0]])),
    "error/mm-3d": lambda p: p.mm(p.input("a", [[[1.0]]]), p.input("b", [[1.0]])),
    "error/dot-2d": lambda p: p.dot(p.input("a", [[1.0]]), p.input("b", [[1.0]])),
    "error/matmul-dtypes": lambda p: p.matmul(p.input("a", [1.0]), p.input("b", [1.0], dtype="float64")),
    "error/matmul-int64-with-float": lambda p: p.matmul(p.input("a", [1.0]), p.input("b", [1], dtype="int64")),
    "error/sum-dim": lambda p: p.sum(p.input("a", [1.0]), dim=[1]),
    "error/unsqueeze-dim": lambda p: p.unsqueeze(p.input("a", [1.0]), dim=5),
    "error/select-index": lambda p: p.select(p.input("a", [1.0]), dim=0, index=1),
    "error/narrow-length": lambda p: p.narrow(p.input("a", [1.0, 2.0]), dim=0, start=1, length=2),
    "error/narrow-negative-length": lambda p: p.narrow(p.input("a", [1.0, 2.0]), dim=0, start=0, length=-1),
    "error/narrow-start": lambda p: p.narrow(p.input("a", [1.0, 2.0]), dim=0, start=3, length=0),
    "error/view-strides": lambda p: p.view(p.transpose(p.input("a", [[1.0, 2.0], [3.0, 4.0]]), dim0=0, dim1=1), size=[4]),
    "error/view-size": lambda p: p.view(p.input("a", [1.0, 2.0]), size=[3]),
    "error/view-negative": lambda p: p.view(p.input("a", [1.0, 2.0]), size=[-2]),
    "error/expand-size": lambda p: p.expand(p.input("a", [1.0, 2.0]), size=[2, 3]),
    "error/expand-negative-new-dim": lambda p: p.expand(p.input("a", [1.0]), size=[-1, 1]),
    "error/repeat-negative": lambda p: p.repeat(p.input("a", [1.0]), repeats=[-1]),
    "error/cat-sizes": lambda p: p.cat([p.input("a", [[1.0]]), p.input("b", [[1.0, 2.0]])], dim=0),
    "error/cat-dims": lambda p: p.cat([p.input("a", [1.0]), p.input("b", [[1.0]])], dim=0),
    "error/stack-sizes": lambda p: p.stack([p.input("a", [1.0]), p.input("b", [1.0, 2.0])]),
    "error/split-zero": lambda p: p.split(p.input("a", [1.0]), split_size_or_sections=0, out=1),
    "error/split-negative": lambda p: p.split(p.input("a", [1.0]), split_size_or_sections=-1, out=1),
    "error/amax-of-nothing": lambda p: p.amax(p.input("a", [])),
    "error/max-of-nothing": lambda p: p.max(p.input("a", [])),
    "error/argmax-of-nothing": lambda p: p.argmax(p.input("a", [])),
    "error/mean-int64": lambda p: p.mean(p.input("a", [1, 2], dtype="int64")),
    "error/softmax-int64": lambda p: p.softmax(p.input("a", [1, 2], dtype="int64"), dim=0),
    "error/norm-int64": lambda p: p.norm(p.input("a", [1, 2], dtype="int64")),
    "error/logsumexp-dim": lambda p: p.logsumexp(p.input("a", [1.0]), dim=[1]),
    "error/layer-norm-shape": lambda p: p.layer_norm(p.input("a", [1.0, 2.0]), normalized_shape=[3]),
    "error/layer-norm-empty-shape": lambda p: p.layer_norm(p.input("a", [1.0, 2.0]), normalized_shape=[]),
    "error/conv2d-channels": lambda p: p.conv2d(p.input("a", [[[[1.0]]]]), p.input("w", [[[[1.0]], [[1.0]]]])),
    "error/conv2d-bias": lambda p: p.conv2d(p.input("a", [[[[1.0]]]]), p.input("w", [[[[1.0]]]]), p.input("b", [1.0, 2.0])),
    "error/conv2d-negative-padding": lambda p: p.conv2d(p.input("a", [[[[1.0]]]]), p.input("w", [[[[1.0]]]]), padding=-1),
    "error/conv2d-same-with-stride": lambda p: p.conv2d(p.input("a", [[[[1.0]]]]), p.input("w", [[[[1.0]]]]), padding="same", stride=2),
    "error/conv-transpose-output-padding": lambda p: p.conv_transpose2d(p.input("a", [[[[1.0]]]]), p.input("w", [[[[1.0]]]]), output_padding=1),
    "error/max-pool-kernel-0": lambda p: p.max_pool2d(p.input("a", [[[1.0]]]), kernel_size=0),
    "error/cross-entropy-class": lambda p: p.cross_entropy(p.input("a", [[1.0, 2.0]]), p.input("t", [2], dtype="int64")),
    "error/cross-entropy-smoothing": lambda p: p.cross_entropy(p.input("a", [[1.0, 2.0]]), p.input("t", [1], dtype="int64"), label_smoothing=1.5),
    "error/cross-entropy-reduction": lambda p: p.cross_entropy(p.input("a", [[1.0, 2.0]]), p.input("t", [1], dtype="int64"), reduction="average"),
    "error/bce-shapes": lambda p: p.binary_cross_entropy_with_logits(p.input("a", [1.0, 2.0]), p.input("t", [1.0])),
    "error/gelu-approximate": lambda p: p.gelu(p.input("a", [1.0]), approximate="sometimes"),
    "error/interpolate-mode": lambda p: p.interpolate(p.input("a", [[[[1.0]]]]), size=[2, 2], mode="nowhere"),
    "error/interpolate-size-0": lambda p: p.interpolate(p.input("a", [[[[1.0]]]]), size=[0, 1], mode="nearest"),
    "error/pad-mode": lambda p: p.pad(p.input("a", [1.0]), pad=[1, 1], mode="nowhere"),
    "error/div-rounding": lambda p: p.div(p.input("a", [1.0]), p.input("b", [2.0]), rounding_mode="up"),
    "error/permute-dims": lambda p: p.permute(p.input("a", [[1.0]]), dims=[0, 2]),
    "error/flip-dim": lambda p: p.flip(p.input("a", [1.0]), dims=[1]),
    "error/tril-vector": lambda p: p.tril(p.input("a", [1.0])),
    "error/gather-index": lambda p: p.gather(p.input("a", [1.0]), p.input("i", [1], dtype="int64"), dim=0),
    "error/embedding-index": lambda p: p.embedding(p.input("i", [2], dtype="int64"), p.input("a", [[1.0], [2.0]])),
    "error/embedding-1d": lambda p: p.embedding(p.input("i", [0], dtype="int64"), p.input("a", [1.0])),
    "error/index-select-index": lambda p: p.index_select(p.input("a", [1.0]), p.input("i", [1], dtype="int64"), dim=0),
    "error/masked-fill-dtype": lambda p: p.masked_fill(p.input("a", [1.0]), p.input("m", [1.0]), value=0.0),
    "error/getitem-index": lambda p: p.getitem(p.input("a", [1.0]), index=[1]),
    "error/getitem-zero-dim": lambda p: p.getitem(p.input("a", 1.0), index=[0]),
    "error/bool-subtracted": lambda p: p.sub(p.input("a", [True], dtype="bool"), p.input("b", [True], dtype="bool")),
    "error/int64-integer-power": lambda p: p.pow(p.input("a", [2], dtype="int64"), exponent=-1),
}


@case.each(ERRORS)
def _(p, make):
    p.observe("a")
    make(p)
