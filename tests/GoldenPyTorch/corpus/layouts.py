"""
How gradients lie in memory: each differentiable operator with arguments in row-major order and turned round, and the gradients of these. A gradient shows its order where a write to what
`reshape` makes of it turned to another order is a write to it, or not.
"""
from itertools import permutations, product
from math import prod

from corpus import orders


def turned(tensor):
    """A tensor that holds the same elements with the dimensions in reverse."""
    shape = tensor["shape"]
    strides = [prod(shape[d + 1:]) for d in range(len(shape))]
    places = product(*[range(size) for size in reversed(shape)])
    data = [tensor["data"][sum(i * s for i, s in zip(reversed(place), strides))] for place in places]
    return {**tensor, "shape": shape[::-1], "data": data}


def probe(gradient, rank):
    """Writes to a gradient in each order of its dimensions, where it lies in that order: another number each."""
    turns = list(permutations(range(rank))) if rank <= 3 else [(0, 1, 2, 3), (3, 2, 1, 0), (0, 2, 3, 1), (1, 0, 2, 3)]
    for k, dims in enumerate(turns):
        yield {"op": "permute", "in": [gradient], "attrs": {"dims": list(dims)}, "out": "p"}
        yield {"op": "reshape", "in": ["p"], "attrs": {"shape": [-1]}, "out": "r"}
        yield {"op": "add_", "in": ["r"], "attrs": {"other": float(4**k)}}


def variants(name, call, inputs, leaves):
    ranks = {leaf: len(inputs[leaf]["shape"]) for leaf in leaves}
    wide = [leaf for leaf in leaves if 2 <= ranks[leaf] <= 4]
    out = call["out"] if isinstance(call["out"], str) else call["out"][0]
    upstream = {"as-it-lies": {"op": "sin", "in": ["c"], "out": "g"}, "in-order": {"op": "contiguous", "in": ["c"], "out": "g"}}
    for count in range(len(wide) + 1):
        stored = {leaf + "_": turned(inputs[leaf]) for leaf in wide[:count]}
        turns = [{"op": "permute", "in": [leaf + "_"], "attrs": {"dims": list(range(ranks[leaf]))[::-1]}, "out": leaf} for leaf in wide[:count]]
        held = {**stored, **{key: tensor for key, tensor in inputs.items() if key not in wide[:count]}}
        for how, given in upstream.items():
            if count == 0 and how == "in-order":
                continue
            gradients = [f"d{k}" for k in range(len(wide))]
            steps = turns + [call, {"op": "detach", "in": [out], "out": "c"}, given]
            steps += [{"op": "grad", "in": [out], "gradients": ["g"], "wrt": wide, "attrs": {"allow_unused": True}, "out": gradients}]
            steps += [step for gradient, leaf in zip(gradients, wide) for step in probe(gradient, ranks[leaf])]
            yield orders.Sequence(f"{name}/{count}-turned/{how}", held, steps, gradients)


def programs():
    found = []
    for ident, call, inputs, leaves in orders.calls():
        if any(2 <= len(inputs[leaf]["shape"]) <= 4 for leaf in leaves):
            found += variants("layouts/" + ident.split("/", 1)[1].rsplit("/", 1)[0], call, inputs, leaves)
    return found
