"""The arguments of backward and grad, retained gradients, higher orders."""
from corpus.case import Cases, xy

case = Cases("semantics")

# arguments of backward and grad


@case("backward/non-scalar-raises")
def _(p):
    p.backward(p.square(p.leaf("x", [1.0, 2.0])))
    p.observe("x.grad")


@case("backward/one-element-of-any-shape")
def _(p):
    p.backward(p.square(p.leaf("x", [[3.0]]), out="y"))
    p.observe("y", "x.grad")


@case("backward/empty-needs-a-gradient")
def _(p):
    p.backward(p.square(p.leaf("x", [])))
    p.observe("x.grad")


@case("backward/gradient-of-another-shape-raises")
def _(p):
    p.backward(p.square(p.leaf("x", [1.0, 2.0])), p.input("g", [1.0]))
    p.observe("x.grad")


@case("backward/gradient-that-would-broadcast-raises")
def _(p):
    p.backward(p.square(p.leaf("x", [1.0, 2.0])), p.input("g", 1.0))
    p.observe("x.grad")


@case("backward/gradient-of-another-dtype-is-cast")
def _(p):
    p.backward(p.square(p.leaf("x", [1.0, 2.0])), p.input("g", [0.1, -0.2], dtype="float64"))
    p.observe("x.grad")


@case("backward/of-a-leaf")
def _(p):
    x = p.leaf("x", 3.0)
    p.backward(x)
    p.backward(x)
    p.observe("x.grad")


@case("backward/of-a-leaf-with-gradient")
def _(p):
    p.backward(p.leaf("x", [3.0, 4.0]), p.input("g", [0.5, -2.0]))
    p.observe("x.grad")


@case("backward/of-a-constant-raises")
def _(p):
    p.backward(p.sum(p.input("x", [1.0, 2.0])))


@case("backward/second-root-constant-raises")
def _(p):
    x, c = p.leaf("x", [1.0]), p.input("c", [2.0])
    p.backward([p.square(x), p.square(c)])
    p.observe("x.grad")


@case("backward/two-roots-add")
def _(p):
    x, y = xy(p)
    a, b = p.sum(p.mul(x, y), out="a"), p.sum(p.square(x), out="b")
    p.backward([a, b])
    p.observe("x.grad", "y.grad")


@case("backward/two-roots-one-null-gradient")
def _(p):
    x, y = xy(p)
    a, b = p.mul(x, y, out="a"), p.sum(p.square(x), out="b")
    p.backward([a, b], [p.input("g", [1.0, -0.5, 2.0]), None])
    p.observe("x.grad", "y.grad")


@case("backward/same-root-twice")
def _(p):
    x = p.leaf("x", [2.0])
    s = p.square(x)
    p.backward([s, s])
    p.observe("x.grad")


@case("backward/one-root-depends-on-the-other")
def _(p):
    x = p.leaf("x", [2.0, -1.0])
    a = p.square(x)
    b = p.mul(a, a)
    p.backward([a, b], [p.input("ga", [1.0, 2.0]), p.input("gb", [0.5, -1.0])])
    p.observe("x.grad")


@case("backward/wrt-one-leaf-only")
def _(p):
    x, y = xy(p)
    p.backward(p.sum(p.mul(x, y)), wrt=[x])
    p.observe("x.grad", "y.grad")


@case("backward/wrt-a-computed-tensor")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    m = p.square(x, out="m")
    p.backward(p.sum(p.mul(m, m)), wrt=[m])
    p.observe("m.grad", "x.grad")


@case("backward/wrt-nothing-raises")
def _(p):
    p.backward(p.sum(p.square(p.leaf("x", [1.0]))), wrt=[])
    p.observe("x.grad")


@case("backward/wrt-unreachable")
def _(p):
    x, y = xy(p)
    p.backward(p.sum(p.square(x)), wrt=[y])
    p.observe("x.grad", "y.grad")


@case("backward/gradient-requires-grad")
def _(p):
    x, g = p.leaf("x", [1.0, 2.0]), p.leaf("g", [3.0, -1.0])
    p.backward(p.square(x), g, create_graph=True)
    p.observe("x.grad", "g.grad")


@case("backward/int64-loss-raises")
def _(p):
    p.backward(p.sum(p.input("x", [1, 2], dtype="int64")))


@case("backward/through-round-gives-zeros")
def _(p):
    p.backward(p.sum(p.round(p.leaf("x", [0.4, 1.6]))))
    p.observe("x.grad")


@case("backward/inside-no-grad")
def _(p):
    s = p.sum(p.square(p.leaf("x", [1.0, 2.0])), out="s")
    with p.block("no_grad"):
        p.backward(s)
    p.observe("x.grad")


@case("grad/of-leaf-and-computed")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    m = p.exp(x, out="m")
    p.grad(p.sum(p.mul(m, x)), [x, m], out=["dx", "dm"])
    p.observe("dx", "dm", "x.grad", "m.grad")


@case("grad/of-itself")
def _(p):
    x = p.leaf("x", 3.0)
    p.grad(x, x, out="d")
    p.observe("d", "x.grad")


@case("grad/unused-raises")
def _(p):
    x, y = xy(p)
    p.grad(p.sum(p.square(x)), [x, y], out=["dx", "dy"])
    p.observe("dx", "dy")


@case("grad/unused-allowed-is-null")
def _(p):
    x, y = xy(p)
    p.grad(p.sum(p.square(x)), [x, y], out=["dx", "dy"], allow_unused=True)
    p.observe("dx", "dy")


@case("grad/null-result-used-raises")
def _(p):
    x, y = xy(p)
    p.grad(p.sum(p.square(x)), [y], out=["dy"], allow_unused=True)
    p.mul("dy", other=2, out="z")
    p.observe("dy", "z")


@case("grad/constant-input-raises")
def _(p):
    x, c = p.leaf("x", [1.0]), p.input("c", [2.0])
    p.grad(p.mul(x, c), c, out="dc")
    p.observe("dc")


@case("grad/non-scalar-raises")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    p.grad(p.square(x), x, out="d")
    p.observe("d")


@case("grad/gradient-shape-raises")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    p.grad(p.square(x), x, p.input("g", [1.0, 2.0, 3.0]), out="d")
    p.observe("d")


@case("grad/several-outputs")
def _(p):
    x, y = xy(p)
    p.grad([p.mul(x, y), p.square(y)], [x, y], [p.input("ga", [1.0, 2.0, -1.0]), p.input("gb", [0.5, -0.5, 3.0])], out=["dx", "dy"])
    p.observe("dx", "dy")


@case("grad/leaves-accumulated-gradients-alone")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    p.backward(p.sum(p.square(x)))
    p.grad(p.sum(p.exp(x)), x, out="d")
    p.observe("d", "x.grad")


@case("grad/same-input-twice")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    p.grad(p.sum(p.square(x)), [x, x], out=["a", "b"])
    p.observe("a", "b")


@case("grad/of-an-old-intermediate-after-a-write")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    y = p.mul(x, other=2, out="y")
    z = p.add(y, other=1, out="z")
    p.mul_(z, other=3)
    p.grad(p.sum(z), [y, z], out=["dy", "dz"], allow_unused=True)
    p.observe("dy", "dz")


# retained gradients of computed tensors


@case("retain-grad/computed")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    y = p.square(x, out="y")
    p.retain_grad(y)
    p.backward(p.sum(p.mul(y, y)))
    p.observe("x.grad", "y.grad")


@case("retain-grad/not-asked-for")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    y = p.square(x, out="y")
    p.backward(p.sum(p.mul(y, y)))
    p.observe("x.grad", "y.grad")


@case("retain-grad/accumulates")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    y = p.square(x, out="y")
    p.retain_grad(y)
    p.backward(p.sum(p.mul(y, y)), retain_graph=True)
    p.backward(p.sum(y))
    p.observe("x.grad", "y.grad")


@case("retain-grad/leaf-changes-nothing")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    p.retain_grad(x)
    p.backward(p.sum(p.square(x)))
    p.observe("x.grad")


@case("retain-grad/constant-raises")
def _(p):
    p.retain_grad(p.input("x", [1.0, 2.0]))


@case("retain-grad/then-in-place-is-of-the-latest")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    y = p.mul(x, other=2, out="y")
    p.retain_grad(y)
    p.mul_(y, other=3)
    p.backward(p.sum(p.mul(y, other=5)))
    p.observe("x.grad", "y.grad")


@case("retain-grad/of-the-root")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    s = p.sum(p.square(x), out="s")
    p.retain_grad(s)
    p.backward(s)
    p.observe("s.grad", "x.grad")


@case("retain-grad/get-grad-of-it")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    y = p.square(x, out="y")
    p.retain_grad(y)
    p.backward(p.sum(p.exp(y)))
    p.mul_(p.get_grad(y, out="g"), other=2)
    p.observe("x.grad", "y.grad", "g")


# higher orders


@case("higher/second-of-a-cube")
def _(p):
    x = p.leaf("x", [1.0, -2.0])
    d, = p.grad(p.sum(p.mul(p.mul(x, x), x)), x, out="d", create_graph=True)
    p.backward(p.sum(d))
    p.observe("d", "x.grad")


@case("higher/third-of-a-fourth-power")
def _(p):
    x = p.leaf("x", [1.5, -2.0])
    root = p.sum(p.pow(x, exponent=4))
    for order in range(3):
        d, = p.grad(root, x, out=f"d{order}", create_graph=True)
        root = p.sum(d)
        p.observe(d)


@case("higher/third-of-sin-exp", dtype="float64")
def _(p):
    x = p.leaf("x", [0.3, -1.2])
    root = p.sum(p.mul(p.sin(x), p.exp(x)))
    for order in range(3):
        d, = p.grad(root, x, out=f"d{order}", create_graph=True)
        root = p.sum(d)
        p.observe(d)


@case("higher/third-of-layer-norm", dtype="float64")
def _(p):
    """PyTorch's third derivative of layer_norm is known to be wrong (pytorch#186256)."""
    x, c = p.leaf("x", [0.3, -1.2, 2.0]), p.input("c", [0.7, -0.4, 0.9])
    root = p.dot(p.layer_norm(x, normalized_shape=[3], eps=0.0), c)
    for order in range(3):
        d, = p.grad(root, x, out=f"d{order}", create_graph=True)
        root = p.dot(d, c)
        p.observe(d)


@case("higher/third-of-batch-norm", dtype="float64")
def _(p):
    """PyTorch's third derivative of batch_norm is known to be wrong (pytorch#175754)."""
    x, c = p.leaf("x", [[0.3], [-1.2], [2.0]]), p.input("c", [[0.7], [-0.4], [0.9]])
    root = p.sum(p.mul(p.batch_norm(x, training=True, eps=0.1), c))
    for order in range(3):
        d, = p.grad(root, x, out=f"d{order}", create_graph=True)
        root = p.sum(p.mul(d, c))
        p.observe(d)


@case("higher/hessian-times-vector")
def _(p):
    x, v = p.leaf("x", [1.0, 2.0, -1.0]), p.input("v", [0.5, -1.0, 2.0])
    f = p.add(p.mul(p.sum(p.square(x)), p.sum(x)), p.prod(x))
    d, = p.grad(f, x, out="d", create_graph=True)
    p.grad(p.dot(d, v), x, out="hv")
    p.observe("d", "hv")


@case("higher/mixed-partials-agree", dtype="float64")
def _(p):
    p.leaf("x", 0.7)
    p.leaf("y", -1.3)
    f = p.mul(p.exp(p.mul("x", "y")), p.sin("x"))
    p.grad(f, ["x", "y"], out=["fx", "fy"], create_graph=True)
    p.grad("fx", "y", out="fxy", retain_graph=True)
    p.grad("fy", "x", out="fyx")
    p.observe("fx", "fy", "fxy", "fyx")


@case("higher/linear-has-no-second")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    d, = p.grad(p.sum(p.mul(x, other=3)), x, out="d", create_graph=True)
    p.backward(p.sum(d))
    p.observe("d", "x.grad")


@case("higher/without-create-graph-constant")
def _(p):
    x = p.leaf("x", [1.0, 2.0])
    d, = p.grad(p.sum(p.square(x)), x, out="d")
    p.backward(p.sum(d))
    p.observe("d", "x.grad")


@case("higher/gradient-penalty")
def _(p):
    x, w = p.input("x", [[1.0, -2.0], [0.5, 3.0]]), p.leaf("w", [[0.3, -0.7], [1.1, 0.2]])
    p.requires_grad_(x)
    y = p.sum(p.tanh(p.matmul(x, w)), out="y")
    d, = p.grad(y, x, out="d", create_graph=True)
    penalty = p.mean(p.pow(p.sub(p.norm(d, p=2, dim=[1]), other=1), exponent=2), out="penalty")
    p.backward(p.add(y, penalty))
    p.observe("y", "d", "penalty", "w.grad", "x.grad")


@case("higher/upstream-written-between")
def _(p):
    """The first backward of sigmoid saved its upstream gradient: writing it before the second is refused."""
    x, g = p.leaf("x", [1.0, -2.0]), p.input("g", [1.0, 0.5])
    h = p.mul(g, other=1)
    d, = p.grad(p.sigmoid(x), x, h, out="d", create_graph=True)
    p.mul_(h, other=2)
    p.backward(p.sum(d))
    p.observe("d", "x.grad")


@case("higher/output-written-between")
def _(p):
    x = p.leaf("x", [1.0, -2.0])
    y = p.tanh(x, out="y")
    d, = p.grad(p.sum(y), x, out="d", create_graph=True)
    with p.block("no_grad"):
        p.mul_(y, other=2)
    p.backward(p.sum(d))
    p.observe("d", "x.grad")


@case("higher/accumulated-gradient-differentiated")
def _(p):
    x = p.leaf("x", [1.0, -2.0])
    p.backward(p.sum(p.pow(x, exponent=3)), create_graph=True)
    g = p.get_grad(x, out="g")
    p.grad(p.sum(p.square(g)), x, out="d")
    p.observe("d", "g")


@case("higher/through-detach-is-cut")
def _(p):
    x = p.leaf("x", [1.0, -2.0])
    d, = p.grad(p.sum(p.pow(x, exponent=3)), x, out="d", create_graph=True)
    p.backward(p.sum(p.mul(p.detach(d), x)))
    p.observe("x.grad")
