"""
What the graphs of gradients notice: each differentiable operator once, its gradient made under create_graph, a write to one of its arguments or to its result, and a backward over the gradient. It
raises where the gradient has kept what was written to. The same of its second derivative, where the gradients that were pulled back are written to as well. And each operator's derivatives up to the third.
"""
from corpus import orders

# Their third derivatives are PyTorch's known divergences, and no matter of this group.
NO_THIRD = ["batch_norm", "layer_norm", *orders.WITHOUT_STORAGE]


def calls():
    """The first call of each operator, on results of the leaves, since a leaf may not be written to."""
    seen = set()
    for name, call, inputs, leaves in orders.calls():
        if call["op"] in seen:
            continue
        seen.add(call["op"])
        copies = {leaf: leaf + "_copy" for leaf in leaves}
        steps = [{"op": "mul", "in": [leaf], "attrs": {"other": 1.0}, "out": copy} for leaf, copy in copies.items()]
        renamed = [[copies.get(n, n) for n in argument] if isinstance(argument, list) else copies.get(argument, argument) for argument in call["in"]]
        yield name, steps + [{**call, "in": renamed}], inputs, list(copies.values())


def upstream(of, name):
    """A gradient for a result, with a history of its own."""
    return [
        {"op": "detach", "in": [of], "out": name + "_detached"},
        {"op": "sin", "in": [name + "_detached"], "out": name + "_leaf"},
        {"op": "requires_grad_", "in": [name + "_leaf"]},
        {"op": "mul", "in": [name + "_leaf"], "attrs": {"other": 1.0}, "out": name},
    ]


def grad(of, gradient, wrt, names):
    return {"op": "grad", "in": [of], "gradients": [gradient], "wrt": wrt, "attrs": orders.GRAPH, "out": names}


def write(target, inputs):
    """In place, of the same values where they are floats."""
    whole = target in inputs and inputs[target]["dtype"] != "float64"
    return {"op": "zero_", "in": [target]} if whole else {"op": "mul_", "in": [target], "attrs": {"other": 1.0}}


def programs():
    found = []
    for ident, steps, inputs, copies in calls():
        name = "writes/" + ident.split("/", 1)[1].rsplit("/", 1)[0]
        call = steps[-1]
        out = call["out"] if isinstance(call["out"], str) else call["out"][0]
        first = [f"d{k}" for k in range(len(copies))]
        steps = steps + upstream(out, "v") + [grad(out, "v", copies, first)]
        after = [{"op": "backward", "in": first, "gradients": first}]
        targets = list(dict.fromkeys(orders.flat(call["in"]))) + [out]
        found += [orders.Sequence(f"{name}/{target}", inputs, steps + [write(target, inputs)] + after) for target in targets]
        if call["op"] in NO_THIRD:
            continue
        second = [f"e{k}" for k in range(len(copies))]
        steps = steps + upstream("d0", "w") + [grad("d0", "w", copies, second)]
        after = [{"op": "backward", "in": ["e0"], "gradients": ["w"]}]
        found.append(orders.Sequence(f"{name}/third", inputs, steps + after, ["d0", "e0"] + [n.removesuffix("_copy") + ".grad" for n in copies]))
        found += [orders.Sequence(f"{name}/third/{target}", inputs, steps + [write(target, inputs)] + after) for target in targets + ["v", "d0"]]
    return found
