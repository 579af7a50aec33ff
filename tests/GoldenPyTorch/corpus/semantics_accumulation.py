"""How gradients accumulate, are zeroed, and which graphs a backward frees."""
from corpus.case import Cases, xy

case = Cases("semantics")

# accumulation


@case("accumulate/twice-doubles")
def _(p):
    x = p.leaf("x", [1.0, -2.0])
    p.backward(p.sum(p.square(x)))
    p.backward(p.sum(p.square(x)))
    p.observe("x.grad")


@case("accumulate/fan-out-adds")
def _(p):
    x, y = xy(p)
    m = p.mul(x, y, out="m")
    p.backward(p.sum(p.add(p.add(p.exp(p.mul(m, other=0.125)), p.sin(m)), p.mul(m, m))))
    p.observe("x.grad", "y.grad")


@case("accumulate/same-input-three-times")
def _(p):
    x = p.leaf("x", [0.7, -1.3])
    p.backward(p.sum(p.mul(p.mul(p.mul(x, x), x), other=0.1)))
    p.observe("x.grad")


@case("accumulate/two-leaves-of-equal-value")
def _(p):
    p.leaf("x", [2.0])
    p.leaf("y", [2.0])
    p.backward(p.mul("x", "y"))
    p.observe("x.grad", "y.grad")


@case("accumulate/add-of-itself")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    p.backward(p.add(x, x), p.input("g", [0.5, -3.0]))
    p.observe("x.grad")


@case("accumulate/in-place-keeps-the-tensor")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    p.backward(p.sum(p.square(x)))
    g = p.get_grad(x, out="g")
    p.backward(p.sum(p.square(x)))
    p.observe(g, "x.grad")


@case("accumulate/create-graph-makes-a-new-tensor")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    p.backward(p.sum(p.square(x)))
    g = p.get_grad(x, out="g")
    p.backward(p.sum(p.square(x)), create_graph=True)
    p.observe(g, "x.grad")


@case("accumulate/create-graph-then-without")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    p.backward(p.sum(p.square(x)), create_graph=True)
    g = p.get_grad(x, out="g")
    p.backward(p.sum(p.square(x)))
    p.observe(g, "x.grad")


@case("accumulate/gradient-is-no-alias-of-the-upstream")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    g = p.input("g", [3.0, -4.0])
    p.backward(p.clone(x), g)
    p.zero_(p.get_grad(x))
    p.observe("g", "x.grad")


@case("accumulate/upstream-is-not-changed-by-a-second-path")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    g = p.input("g", [3.0, -4.0])
    y = p.clone(x)
    p.backward([y, y], [g, g])
    p.observe("g", "x.grad")


@case("accumulate/two-leaves-do-not-share-a-buffer")
def _(p):
    x, y = xy(p)
    p.backward(p.sum(p.add(x, y)))
    p.zero_(p.get_grad("x"))
    p.observe("x.grad", "y.grad")


@case("accumulate/writing-the-gradient-shows")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    p.backward(p.sum(p.square(x)))
    p.fill_(p.get_grad(x, out="g"), value=10.0)
    p.backward(p.sum(x))
    p.observe("x.grad", "g")


@case("accumulate/mixed-dtypes-keep-the-leaf-dtype")
def _(p):
    p.leaf("x", [1.5, 0.1], dtype="float32")
    p.leaf("y", [0.1, -2.0], dtype="float64")
    p.backward(p.sum(p.mul("x", "y", out="z")))
    p.observe("z", "x.grad", "y.grad")


@case("accumulate/empty-leaf")
def _(p):
    p.leaf("x", [], shape=[0, 3])
    p.backward(p.sum(p.mul("x", other=2)))
    p.observe("x.grad")


@case("accumulate/broadcast-empty")
def _(p):
    p.leaf("x", [], shape=[4, 0])
    p.leaf("y", [[1.0], [2.0], [3.0], [4.0]])
    p.backward(p.sum(p.add("x", "y", out="z")))
    p.observe("z", "x.grad", "y.grad")


@case("accumulate/null-where-no-path")
def _(p):
    x, y = xy(p)
    p.backward(p.sum(p.square(x)))
    p.observe("x.grad", "y.grad")


@case("accumulate/zeros-where-a-path-of-zero")
def _(p):
    x, y = xy(p)
    p.backward(p.sum(p.add(p.mul(x, other=0), p.floor(y))))
    p.observe("x.grad", "y.grad")


@case("accumulate/null-through-comparison")
def _(p):
    x, y = xy(p)
    p.backward(p.sum(p.mul(y, p.to(p.gt(x, other=0), dtype="float32"))))
    p.observe("x.grad", "y.grad")


@case("accumulate/nan-times-zero-stays-nan")
def _(p):
    x = p.leaf("x", [0.0, 4.0])
    p.backward(p.sum(p.mul(p.sqrt(x), p.input("m", [0.0, 1.0]))))
    p.observe("x.grad")


# zero_grad


@case.each({"zero-grad/to-none": {}, "zero-grad/in-place": {"set_to_none": False}})
def _(p, attrs):
    x = p.leaf("x", [1.0, 2.0])
    p.backward(p.sum(p.square(x)))
    p.get_grad(x, out="g")
    p.zero_grad(x, **attrs)
    p.observe("x.grad", "g")


@case.each({"zero-grad/to-none-then-backward": {}, "zero-grad/in-place-then-backward": {"set_to_none": False}})
def _(p, attrs):
    x = p.leaf("x", [1.0, 2.0])
    p.backward(p.sum(p.square(x)))
    p.get_grad(x, out="g")
    p.zero_grad(x, **attrs)
    p.backward(p.sum(p.mul(x, other=3)))
    p.observe("x.grad", "g")


@case.each({"zero-grad/nothing-to-zero": {}, "zero-grad/nothing-to-zero-in-place": {"set_to_none": False}})
def _(p, attrs):
    x = p.leaf("x", [1.0, 2.0])
    p.zero_grad(x, **attrs)
    p.observe("x.grad")


@case("zero-grad/in-place-detaches")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    p.backward(p.sum(p.pow(x, exponent=3)), create_graph=True)
    p.zero_grad(x, set_to_none=False)
    p.observe("x.grad")


@case("zero-grad/null-gradient-used")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    g = p.get_grad(x, out="g")
    p.add(g, other=1, out="y")
    p.observe("g", "y")


@case("zero-grad/of-a-computed-tensor")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    y = p.square(x, out="y")
    p.retain_grad(y)
    p.backward(p.sum(p.square(y)))
    p.zero_grad(y)
    p.observe("x.grad", "y.grad")


# freed graphs


@case("freed/second-backward-raises")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    s = p.sum(p.square(x), out="s")
    p.backward(s)
    p.backward(s)
    p.observe("x.grad")


@case("freed/retain-graph-allows")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    s = p.sum(p.square(x), out="s")
    p.backward(s, retain_graph=True)
    p.backward(s)
    p.observe("x.grad")


@case("freed/retained-once-only")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    s = p.sum(p.square(x), out="s")
    p.backward(s, retain_graph=True)
    p.backward(s)
    p.backward(s)
    p.observe("x.grad")


@case("freed/nothing-saved-nothing-freed")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    s = p.sum(p.add(x, other=1), out="s")
    p.backward(s)
    p.backward(s)
    p.observe("x.grad")


FREED = {
    "add": lambda p, x: p.add(x, other=2),
    "mul-by-number": lambda p, x: p.mul(x, other=2),
    "div-by-number": lambda p, x: p.div(x, other=2),
    "sub": lambda p, x: p.sub(x, p.input("c", [1.0, 2.0, 3.0])),
    "neg": lambda p, x: p.neg(x),
    "mul-by-constant": lambda p, x: p.mul(x, p.input("c", [1.0, 2.0, 3.0])),
    "exp": lambda p, x: p.exp(x),
    "abs": lambda p, x: p.abs(x),
    "relu": lambda p, x: p.relu(x),
    "clone": lambda p, x: p.clone(x),
    "view": lambda p, x: p.view(x, size=[3, 1]),
    "transpose": lambda p, x: p.transpose(p.unsqueeze(x, dim=0), dim0=0, dim1=1),
    "expand": lambda p, x: p.expand(x, size=[2, 3]),
    "mean": lambda p, x: p.mean(x),
    "sum-dim": lambda p, x: p.sum(x, dim=[0]),
    "amax": lambda p, x: p.amax(x),
    "max": lambda p, x: p.max(x),
    "floor": lambda p, x: p.floor(x),
    "sign": lambda p, x: p.sign(x),
    "gather": lambda p, x: p.gather(x, p.input("i", [0, 2], dtype="int64"), dim=0),
    "index-select": lambda p, x: p.index_select(x, p.input("i", [0, 2], dtype="int64"), dim=0),
    "index": lambda p, x: p.index(x, [p.input("i", [0, 2], dtype="int64")]),
    "getitem": lambda p, x: p.getitem(x, index=[[0, 2, None]]),
    "cat": lambda p, x: p.cat([x, x]),
    "stack": lambda p, x: p.stack([x, x]),
    "where": lambda p, x: p.where(p.input("c", [True, False, True], dtype="bool"), x, p.input("o", [0.0, 0.0, 0.0])),
    "masked-fill": lambda p, x: p.masked_fill(x, p.input("c", [True, False, True], dtype="bool"), value=1.0),
    "cumsum": lambda p, x: p.cumsum(x, dim=0),
    "flip": lambda p, x: p.flip(x, dims=[0]),
    "repeat": lambda p, x: p.repeat(x, repeats=[2]),
    "pad": lambda p, x: p.pad(x, pad=[1, 1]),
    "tril": lambda p, x: p.tril(p.view(x, size=[3, 1])),
    "softmax": lambda p, x: p.softmax(x, dim=0),
    "to-float64": lambda p, x: p.to(x, dtype="float64"),
    "clamp": lambda p, x: p.clamp(x, min=0.0),
    "maximum": lambda p, x: p.maximum(x, p.input("c", [0.0, 0.0, 0.0])),
    "matmul-constant": lambda p, x: p.matmul(x, p.input("c", [1.0, 2.0, 3.0])),
    "prod": lambda p, x: p.prod(x),
    "norm": lambda p, x: p.norm(x),
    "var": lambda p, x: p.var(x),
    "logsumexp": lambda p, x: p.logsumexp(x, dim=[0]),
    "mse-loss": lambda p, x: p.mse_loss(x, p.input("c", [0.0, 0.0, 0.0])),
    "pow-2": lambda p, x: p.pow(x, exponent=2),
    "pow-0": lambda p, x: p.pow(x, exponent=0),
    "embedding": lambda p, x: p.embedding(p.input("i", [0, 2], dtype="int64"), p.view(x, size=[3, 1])),
    "contiguous": lambda p, x: p.contiguous(x),
    "unbind": lambda p, x: p.unbind(x, out=3)[1],
    "split": lambda p, x: p.split(x, split_size_or_sections=2, out=2)[0],
    "round": lambda p, x: p.round(x),
    "interpolate": lambda p, x: p.interpolate(p.view(x, size=[1, 1, 1, 3]), scale_factor=2, mode="nearest"),
    "avg-pool": lambda p, x: p.avg_pool2d(p.view(x, size=[1, 1, 1, 3]), kernel_size=1),
    "dropout": lambda p, x: p.dropout(x, p.input("m", [True, False, True], dtype="bool"), p=0.5),
    "squeeze": lambda p, x: p.squeeze(x),
    "reshape": lambda p, x: p.reshape(x, shape=[3, 1]),
    "flatten": lambda p, x: p.flatten(x),
}


@case.each({f"freed/after-{name}": make for name, make in FREED.items()})
def _(p, make):
    """Whether a second backward is refused shows what the operator saves."""
    x = p.leaf("x", [1.5, -2.0, 3.0])
    y = make(p, x)
    g = p.input("g", shape=p.shape(y), dtype="float32")
    p.backward(y, g)
    p.backward(y, g)
    p.observe("x.grad")


@case("freed/shared-part-of-two-losses")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    m = p.square(x)
    a, b = p.sum(p.mul(m, other=2), out="a"), p.sum(p.mul(m, other=3), out="b")
    p.backward(a)
    p.backward(b)
    p.observe("x.grad")


@case("freed/shared-part-retained")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    m = p.square(x)
    a, b = p.sum(p.mul(m, other=2), out="a"), p.sum(p.mul(m, other=3), out="b")
    p.backward(a, retain_graph=True)
    p.backward(b)
    p.observe("x.grad")


@case("freed/only-what-was-walked")
def _(p):
    x, y = xy(p)
    a, b = p.square(x), p.square(y)
    s = p.sum(p.add(a, b), out="s")
    p.backward(p.sum(a), retain_graph=False)
    p.backward(p.sum(b))
    p.observe("x.grad", "y.grad", s)


@case("freed/grad-frees-too")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    s = p.sum(p.square(x), out="s")
    p.grad(s, x, out="d")
    p.backward(s)
    p.observe("d", "x.grad")


@case("freed/create-graph-retains")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    s = p.sum(p.pow(x, exponent=3), out="s")
    p.grad(s, x, out="d", create_graph=True)
    p.backward(s)
    p.observe("d", "x.grad")


@case("freed/create-graph-without-retain")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    s = p.sum(p.pow(x, exponent=3), out="s")
    p.grad(s, x, out="d", create_graph=True, retain_graph=False)
    p.backward(p.sum("d"))
    p.observe("d", "x.grad")


@case("freed/partial-wrt-leaves-the-rest")
def _(p):
    x, y = xy(p)
    a = p.mul(x, other=2)
    b = p.mul(p.exp(a), y)
    s = p.sum(b, out="s")
    p.grad(s, y, out="dy")
    p.grad(s, a, out="da")
    p.observe("dy", "da")


@case("freed/unneeded-branch-not-freed")
def _(p):
    x, y = xy(p)
    ex, ey = p.exp(x), p.exp(y)
    s = p.sum(p.add(ex, ey), out="s")
    p.grad(s, x, out="dx")
    p.grad(s, y, out="dy")
    p.observe("dx", "dy")
