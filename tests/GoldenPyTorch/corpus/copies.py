"""What gives a copy though it changes nothing: a write to the result is no write to the operand."""
from corpus.case import Cases, leaf

case = Cases("operators")

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
    "dropout-of-nothing": lambda p: p.dropout("base", p.input("m", [True, True, True], dtype="bool"), p=0.0),
}


@case.each({f"copies/{name}": make for name, make in COPIES.items()})
def _(p, make):
    leaf(p)
    p.mul("x", other=1, out="base")
    v = make(p)
    p.mul_(v, other=10)
    p.sum("base", out="s")
    p.backward("s")
    p.observe("base", v, "x.grad")


def programs():
    return case.found
