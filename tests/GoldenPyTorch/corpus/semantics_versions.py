"""Versions: which saved values a later write makes wrong."""
from corpus.case import Cases, finish, leaf

case = Cases("semantics")

# what is computed from y, by the name of what may or may not save it
SAVES = {
    "add": lambda p, y: p.add(y, other=1),
    "mul-by-number": lambda p, y: p.mul(y, other=2),
    "mul-by-itself": lambda p, y: p.mul(y, y),
    "square": lambda p, y: p.square(y),
    "exp": lambda p, y: p.exp(y),
    "log": lambda p, y: p.log(y),
    "sigmoid": lambda p, y: p.sigmoid(y),
    "tanh": lambda p, y: p.tanh(y),
    "relu": lambda p, y: p.relu(y),
    "leaky-relu": lambda p, y: p.leaky_relu(y),
    "gelu": lambda p, y: p.gelu(y),
    "silu": lambda p, y: p.silu(y),
    "elu": lambda p, y: p.elu(y),
    "softplus": lambda p, y: p.softplus(y),
    "abs": lambda p, y: p.abs(y),
    "neg": lambda p, y: p.neg(y),
    "sqrt": lambda p, y: p.sqrt(y),
    "rsqrt": lambda p, y: p.rsqrt(y),
    "reciprocal": lambda p, y: p.reciprocal(y),
    "log1p": lambda p, y: p.log1p(y),
    "expm1": lambda p, y: p.expm1(y),
    "sin": lambda p, y: p.sin(y),
    "cos": lambda p, y: p.cos(y),
    "sign": lambda p, y: p.sign(y),
    "floor": lambda p, y: p.floor(y),
    "round": lambda p, y: p.round(y),
    "clamp": lambda p, y: p.clamp(y, min=0.0, max=2.0),
    "pow-2": lambda p, y: p.pow(y, exponent=2),
    "pow-1": lambda p, y: p.pow(y, exponent=1),
    "base-2": lambda p, y: p.pow(y, self=2.0),
    "sum": lambda p, y: p.sum(y),
    "mean": lambda p, y: p.mean(y),
    "prod": lambda p, y: p.prod(y),
    "amax": lambda p, y: p.amax(y),
    "max": lambda p, y: p.max(y),
    "max-dim": lambda p, y: p.max(y, dim=0, out=2)[0],
    "var": lambda p, y: p.var(y),
    "std": lambda p, y: p.std(y),
    "norm": lambda p, y: p.norm(y),
    "logsumexp": lambda p, y: p.logsumexp(y, dim=[0]),
    "cumsum": lambda p, y: p.cumsum(y, dim=0),
    "softmax": lambda p, y: p.softmax(y, dim=0),
    "log-softmax": lambda p, y: p.log_softmax(y, dim=0),
    "gather": lambda p, y: p.gather(y, p.input("i", [0, 2], dtype="int64"), dim=0),
    "index-select": lambda p, y: p.index_select(y, p.input("i", [0, 2], dtype="int64"), dim=0),
    "index": lambda p, y: p.index(y, [p.input("i", [0, 2], dtype="int64")]),
    "where": lambda p, y: p.where(p.input("c", [True, False, True], dtype="bool"), y, p.input("o", [0.0, 0.0, 0.0])),
    "maximum": lambda p, y: p.maximum(y, p.input("c", [2.0, 2.0, 2.0])),
    "div": lambda p, y: p.div(y, p.input("c", [2.0, 2.0, 2.0])),
    "div-into": lambda p, y: p.div(p.input("c", [2.0, 2.0, 2.0]), y),
    "dot": lambda p, y: p.dot(y, p.input("c", [1.0, 2.0, 3.0])),
    "dot-itself": lambda p, y: p.dot(y, y),
    "outer": lambda p, y: p.outer(y, p.input("c", [1.0, 2.0])),
    "mse-loss": lambda p, y: p.mse_loss(y, p.input("c", [0.0, 0.0, 0.0])),
    "cat": lambda p, y: p.cat([y, y]),
    "clone": lambda p, y: p.clone(y),
    "flip": lambda p, y: p.flip(y, dims=[0]),
    "repeat": lambda p, y: p.repeat(y, repeats=[2]),
    "pad": lambda p, y: p.pad(y, pad=[1, 1]),
    "masked-fill": lambda p, y: p.masked_fill(y, p.input("c", [True, False, True], dtype="bool"), value=1.0),
    "cross-entropy": lambda p, y: p.cross_entropy(y, p.input("c", 1, dtype="int64")),
    "bce-logits": lambda p, y: p.binary_cross_entropy_with_logits(y, p.input("c", [0.0, 1.0, 0.0])),
    "layer-norm": lambda p, y: p.layer_norm(y, normalized_shape=[3]),
    "linear": lambda p, y: p.linear(y, p.leaf("w", [[1.0, 2.0, 3.0]])),
    "linear-constant": lambda p, y: p.linear(y, p.input("w", [[1.0, 2.0, 3.0]])),
    "stack": lambda p, y: p.stack([y, y]),
    "gt": lambda p, y: p.mul(p.leaf("w", [1.0, 1.0, 1.0]), p.to(p.gt(y, other=0), dtype="float32")),
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


def batch_norm(p, training, **more):
    """z, of x and running statistics m and v."""
    x = p.leaf("x", [[1.0, -2.0], [3.0, 0.5], [2.0, 4.0]])
    p.input("m", [0.5, 0.0]), p.input("v", [1.0, 2.0])
    y = p.batch_norm(x, "m", "v", training=training, **more)
    p.mul(y, p.input("w", [[1.0, 2.0], [-1.0, 0.5], [3.0, 1.0]]), out="z")


@case("version/batch-norm-training-moves-statistics-unseen")
def _(p):
    """PyTorch does not count the write: the version stays, and backward goes through."""
    batch_norm(p, True)
    finish(p, "z", "m", "v")


@case("version/batch-norm-training-statistic-written")
def _(p):
    batch_norm(p, True)
    p.mul_("m", other=2)
    finish(p, "z", "m", "v")


@case("version/batch-norm-evaluating-statistic-written")
def _(p):
    batch_norm(p, False)
    p.mul_("v", other=2)
    finish(p, "z", "m", "v")


@case("version/batch-norm-trained-between-evaluation-and-backward")
def _(p):
    """The statistics that evaluation saved have changed unseen: its derivative reads the new ones."""
    batch_norm(p, False)
    p.batch_norm(p.input("other", [[5.0, -1.0], [7.0, 1.0]]), "m", "v", training=True, momentum=0.5, out="t")
    finish(p, "z", "m", "v", "t")


@case("version/batch-norm-input-written")
def _(p):
    p.leaf("x", [[1.0, -2.0], [3.0, 0.5]])
    p.clone("x", out="y")
    p.batch_norm("y", training=True, out="z")
    p.mul_("y", other=2)
    finish(p, "z")


@case("version/batch-norm-result-written")
def _(p):
    p.leaf("x", [[1.0, -2.0], [3.0, 0.5]])
    p.batch_norm("x", training=True, out="z")
    p.mul_("z", other=2)
    finish(p, "z")


@case("version/batch-norm-statistic-is-a-view")
def _(p):
    """A moved statistic that is a view shows in its base."""
    p.leaf("x", [[1.0, -2.0], [3.0, 0.5]])
    p.input("base", [[0.0, 1.0], [0.0, 1.0]])
    p.select("base", dim=1, index=0, out="m")
    p.select("base", dim=1, index=1, out="v")
    p.batch_norm("x", "m", "v", training=True, momentum=0.5, out="z")
    p.backward("z", p.input("g", [[1.0, 2.0], [-1.0, 0.5]]))
    p.observe("z", "base", "m", "x.grad")


@case("version/l1-loss-arguments-written")
def _(p):
    x, t = leaf(p), p.input("t", [0.0, 1.0, 1.0])
    p.clone(x, out="y")
    p.l1_loss("y", t, out="z")
    p.mul_("y", other=2)
    p.zero_(t)
    finish(p, "z")


@case.each({f"version/nll-loss-{name}-written": name for name in ("y", "t", "w")})
def _(p, written):
    p.leaf("x", [[1.0, -2.0, 0.5], [3.0, 0.5, 1.0]])
    p.input("t", [0, 2], dtype="int64"), p.input("w", [1.0, 2.0, 0.5])
    p.clone("x", out="y")
    p.nll_loss("y", "t", "w", out="z")
    p.zero_(written)
    finish(p, "z")
