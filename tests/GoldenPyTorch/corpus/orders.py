"""
The graphs of gradients: which nodes a gradient has under create_graph, and what they keep. Each differentiable operator of the other groups, once with and once without a history behind the
upstream gradient, with backwards over its result, its gradients and theirs in every order. Nothing is observed: what counts is which backward raises, and what.
"""
import importlib
import json

MODULES = ["pointwise", "binary", "reductions", "products", "shapes", "copies", "indexing", "layers"]
VARIANTS = 2
LARGEST = 60
GRAPH = {"create_graph": True, "allow_unused": True}

# A gradient of these is kept without storage by PyTorch, which then cannot add to it: a known divergence, and no matter of this group.
WITHOUT_STORAGE = ["abs", "l1_loss"]


class Sequence:
    def __init__(self, name, inputs, steps, observe=()):
        self.id = name
        self.read = {"inputs": inputs, "steps": steps, "observe": list(observe)}

    def program(self):
        return self.read


def flat(arguments):
    for argument in arguments:
        if isinstance(argument, list):
            yield from flat(argument)
        elif argument is not None:
            yield argument


def calls():
    """The first call of each program that differentiates an operator: its name, the call, its inputs and the leaves among them."""
    seen = {}
    for module in MODULES:
        for made in importlib.import_module("corpus." + module).programs():
            program = made.program()
            steps = program["steps"]
            if len(steps) < 2 or steps[-1]["op"] != "backward" or not made.id.endswith("/f64"):
                continue
            call = steps[0]
            names = list(dict.fromkeys(flat(call["in"])))
            if any(name not in program["inputs"] for name in names) or call["op"].endswith("_"):
                continue
            inputs = {name: program["inputs"][name] for name in names}
            leaves = [name for name in names if inputs[name].get("requires_grad")]
            if not leaves or max(len(tensor["data"]) for tensor in inputs.values()) > LARGEST or any(not tensor["data"] for tensor in inputs.values()):
                continue
            kind = (json.dumps(call.get("attrs", {}), sort_keys=True), len(leaves), tuple(len(tensor["shape"]) for tensor in inputs.values()))
            kinds = seen.setdefault(call["op"], [])
            if kind in kinds or len(kinds) == VARIANTS:
                continue
            kinds.append(kind)
            yield made.id, call, inputs, leaves


def total(of, name):
    return {"op": "sum", "in": [of], "out": name}


def grad(of, leaves, name):
    return {"op": "grad", "in": [of], "attrs": GRAPH, "wrt": leaves, "out": [f"{name}{k}" for k in range(len(leaves))]}


def sequences(name, call, inputs, leaves):
    out = call["out"] if isinstance(call["out"], str) else call["out"][0]
    last = len(leaves) - 1
    for square in [False, True]:
        head = [call, {"op": "mul", "in": [out, out], "out": "z"}, total("z", "y")] if square else [call, total(out, "y")]
        first = head + [grad("y", leaves, "d"), {"op": "mul", "in": ["d0", "d0"], "out": "m"}, total("m", "a"), total(f"d{last}", "b")]
        second = first + [grad("a", leaves, "e"), total(f"e{last}", "c")]
        for steps, orders in [(first, ["aa", "ay", "ya", "bb", "by", "ab"]), (second, ["cc", "ca", "ac", "cy", "yc"])]:
            for order in orders:
                if call["op"] in WITHOUT_STORAGE and "y" in order:
                    continue
                yield Sequence(f"{name}/{'square-' if square else ''}{order}", inputs, steps + [{"op": "backward", "in": [root]} for root in order])


def programs():
    found = []
    for name, call, inputs, leaves in calls():
        found += sequences("orders/" + name.split("/", 1)[1].rsplit("/", 1)[0], call, inputs, leaves)
    return found
