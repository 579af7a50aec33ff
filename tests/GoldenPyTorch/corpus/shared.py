"""
What a gradient shares memory with: each differentiable operator, its gradients without create_graph, and a write to one of these or to what was given, whether or not that requires a gradient. What
shows the write, and whether it is refused because it is one to a view, is the memory that PyTorch's gradients have.
"""
from corpus import orders

WRITES = [("mul", {"op": "mul_", "attrs": {"other": 2.0}}), ("detach", {"op": "detach_"})]


def programs():
    found = []
    for ident, call, inputs, leaves in orders.calls():
        if not isinstance(call["out"], str):
            continue
        name = "shared/" + ident.split("/", 1)[1].rsplit("/", 1)[0]
        out = call["out"]
        gradients = [f"d{k}" for k in range(len(leaves))]
        head = [
            call,
            {"op": "detach", "in": [out], "out": "c"},
            {"op": "sin", "in": ["c"], "out": "g"},
            {"op": "grad", "in": [out], "gradients": ["g"], "wrt": leaves, "attrs": {"allow_unused": True}, "out": gradients},
        ]
        for target in gradients + ["g"]:
            for how, write in WRITES:
                found.append(orders.Sequence(f"{name}/{how}-{target}", inputs, head + [{**write, "in": [target]}], gradients + ["g"]))
    return found
