"""Views: writes through them and to their bases, and what forbids them."""
from corpus.case import Cases, finish, leaf

case = Cases("semantics")

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


MANY = {
    "unbind": lambda p: p.unbind("base", out=["v", None, None]),
    "split": lambda p: p.split("base", split_size_or_sections=2, out=["v", None]),
    "chunk": lambda p: p.chunk("base", chunks=2, out=["v", None]),
}


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


ALIASES = {
    "contiguous": lambda p: p.contiguous("base"),
    "to-same-dtype": lambda p: p.to("base", dtype="float32"),
    "flatten-vector": lambda p: p.flatten("base"),
    "reshape": lambda p: p.reshape("base", shape=[3, 1]),
    "expand-same": lambda p: p.expand("base", size=[3]),
    "squeeze": lambda p: p.squeeze("base"),
    "permute": lambda p: p.permute("base", dims=[0]),
    "narrow-all": lambda p: p.narrow("base", dim=0, start=0, length=3),
    "t": lambda p: p.t("base"),
}
COPIES = {
    "clone": lambda p: p.clone("base"),
    "flip": lambda p: p.flip("base", dims=[0]),
    "repeat-once": lambda p: p.repeat("base", repeats=[1]),
    "to-float64": lambda p: p.to("base", dtype="float64"),
    "pad-nothing": lambda p: p.pad("base", pad=[0, 0]),
    "cat-of-one": lambda p: p.cat(["base"]),
    "reshape-transposed": lambda p: p.reshape(p.transpose(p.expand("base", size=[2, 3]), dim0=0, dim1=1), shape=[6]),
    "mul-by-1": lambda p: p.mul("base", other=1),
    "index-select": lambda p: p.index_select("base", p.input("i", [0, 1, 2], dtype="int64"), dim=0),
}


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
