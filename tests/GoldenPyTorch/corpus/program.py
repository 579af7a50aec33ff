"""A small builder of programs, and the deterministic numbers that fill them."""
import hashlib
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "adapters"))
import pytorch  # noqa: E402  (the adapter, not the library)

INF, NAN = math.inf, math.nan


class Numbers:
    """SplitMix64: the same numbers on every Python version, seeded by a text."""

    def __init__(self, seed):
        self.state = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "little")

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        return z ^ (z >> 31)

    def below(self, n):
        return self.bits() % n

    def fraction(self, dtype):
        """In [0, 1), with every bit of the format's mantissa in use."""
        digits = 24 if dtype == "float32" else 53
        return (self.bits() >> (64 - digits)) / (1 << digits)

    def between(self, low, high, dtype):
        """Two numbers in three have a full mantissa, one is a multiple of 1/8; all are exact in the format."""
        if self.below(3) == 0:
            first, last = math.ceil(low * 8), math.floor(high * 8)
            return (first + self.below(last - first + 1)) / 8
        value = low + (high - low) * self.fraction(dtype)
        return pytorch.round32(value) if dtype == "float32" else value

    def shuffled(self, n):
        order = list(range(n))
        for i in range(n - 1, 0, -1):
            j = self.below(i + 1)
            order[i], order[j] = order[j], order[i]
        return order


def count(shape):
    return math.prod(shape)


# What a tensor may be filled with: name -> how one element is drawn. A tuple (low, high) is a range of its own.
DOMAINS = {
    "any": lambda r, d: r.between(-3, 3, d),
    "small": lambda r, d: r.between(-1, 1, d),
    "positive": lambda r, d: r.between(0.125, 4, d),
    "nonzero": lambda r, d: r.between(0.25, 3, d) * (1 if r.below(2) else -1),
    "probability": lambda r, d: r.between(0.125, 0.875, d),
}


def fill(numbers, shape, domain, dtype):
    if dtype == "bool":
        return [numbers.below(2) == 1 for _ in range(count(shape))]
    if dtype == "int64":
        low, high = domain if isinstance(domain, tuple) else (-4, 5)
        return [low + numbers.below(high - low) for _ in range(count(shape))]
    if domain == "distinct":  # no two alike, in random order
        return [(i - count(shape) // 2) / 4 + 0.125 for i in numbers.shuffled(count(shape))]
    draw = DOMAINS.get(domain) or (lambda r, d: r.between(domain[0], domain[1], d))
    return [draw(numbers, dtype) for _ in range(count(shape))]


def flatten(nested):
    """(shape, flat data) of nested lists, or of a bare number."""
    if not isinstance(nested, (list, tuple)):
        return [], [nested]
    parts = [flatten(item) for item in nested]
    inner = parts[0][0] if parts else []
    return [len(nested)] + inner, [value for _, data in parts for value in data]


class Program:
    """Collects inputs, steps and observations; every method gives back the names that it made."""

    def __init__(self, identity, dtype="float32"):
        self.id = identity
        self.dtype = dtype
        self.numbers = Numbers(identity)
        self.inputs, self.list, self.observed = {}, [], []
        self.blocks = [self.list]
        self.made = 0

    # inputs

    def input(self, name, values=None, grad=False, dtype=None, shape=None, domain="any"):
        """A leaf: nested `values`, or a `shape` filled from a domain."""
        dtype = dtype or self.dtype
        if values is None:
            shape, data = list(shape), fill(self.numbers, shape, domain, dtype)
        else:
            found, data = flatten(values)
            shape = found if shape is None else list(shape)
        if dtype == "float32":
            data = [pytorch.number32(pytorch.round32(float(v))) for v in data]
        elif dtype == "float64":
            data = [pytorch.number64(float(v)) for v in data]
        entry = {"dtype": dtype, "shape": shape, "data": data}
        if grad:
            entry["requires_grad"] = True
        self.inputs[name] = entry
        return name

    def leaf(self, name, values=None, **more):
        """An input that requires gradients."""
        return self.input(name, values, grad=True, **more)

    # steps

    def fresh(self):
        self.made += 1
        return f"t{self.made}"

    def append(self, step):
        self.blocks[-1].append(step)

    def step(self, op, /, *tensors, out=None, **attrs):
        """One step. `out`: a name, a list of names, a number of results, or nothing for a fresh name."""
        if isinstance(out, int):
            out = [self.fresh() for _ in range(out)]
        elif out is None and not op.endswith("_"):
            out = self.fresh()
        step = {"op": op, "in": list(tensors)}
        if out is not None:
            step["out"] = out
        if attrs:
            step["attrs"] = {name: plain(value) for name, value in attrs.items()}
        self.append(step)
        return tensors[0] if out is None else out

    def __getattr__(self, op):
        """`p.exp(x)` is `p.step("exp", x)`."""
        if op.startswith("__"):
            raise AttributeError(op)
        return lambda *tensors, **more: self.step(op, *tensors, **more)

    def backward(self, roots, gradients=None, wrt=None, **attrs):
        self.append(autograd_step("backward", roots, gradients, wrt, attrs))

    def grad(self, roots, wrt, gradients=None, out=None, **attrs):
        wrt = [wrt] if isinstance(wrt, str) else wrt
        out = [self.fresh() for _ in wrt] if out is None else [out] if isinstance(out, str) else out
        step = autograd_step("grad", roots, gradients, wrt, attrs)
        step["out"] = out
        self.append(step)
        return out

    def get_grad(self, name, out=None):
        return self.step("get_grad", name, out=out)

    def zero_grad(self, name, **attrs):
        self.append({"op": "zero_grad", "in": [name], **({"attrs": attrs} if attrs else {})})

    def retain_grad(self, name):
        self.append({"op": "retain_grad", "in": [name]})

    def remove_hook(self, name):
        self.append({"op": "remove_hook", "in": [name]})

    def hook(self, name, scale, out=None):
        step = {"op": "register_hook", "in": [name], "attrs": {"scale": scale}}
        if out:
            step["out"] = out
        self.append(step)
        return out

    def block(self, op):
        """`with p.block("no_grad"):` collects the steps inside."""
        return Block(self, op)

    def observe(self, *names):
        for name in names:
            if name not in self.observed:
                self.observed.append(name)

    def program(self):
        return {"inputs": self.inputs, "steps": self.list, "observe": self.observed}

    def shape(self, name):
        """The shape that a name has after the steps so far, found by running them; None where they raise or it is null."""
        outcome = pytorch.run_program({"inputs": self.inputs, "steps": self.list, "observe": [name]})
        value = None if "raised" in outcome else outcome["values"][name]
        return value and value["shape"]


class Block:
    def __init__(self, program, op):
        self.program, self.op = program, op

    def __enter__(self):
        inner = []
        self.program.append({"op": self.op, "steps": inner})
        self.program.blocks.append(inner)

    def __exit__(self, *_):
        self.program.blocks.pop()


def autograd_step(op, roots, gradients, wrt, attrs):
    step = {"op": op, "in": [roots] if isinstance(roots, str) else list(roots)}
    if gradients is not None:
        step["gradients"] = [gradients] if isinstance(gradients, str) else list(gradients)
    if wrt is not None:
        step["wrt"] = [wrt] if isinstance(wrt, str) else list(wrt)
    if attrs:
        step["attrs"] = attrs
    return step


def plain(value):
    """An attribute's value as JSON can hold it."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if value != value else "inf" if value > 0 else "-inf"
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
