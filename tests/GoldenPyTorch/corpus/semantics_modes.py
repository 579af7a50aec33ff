"""Detach and data, grad modes, hooks, gradients as tensors."""
from corpus.case import Cases, finish, leaf

case = Cases("semantics")

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
