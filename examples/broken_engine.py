#!/usr/bin/env python3
"""An engine with three planted faults, to see what a report looks like. It is the built-in engine behind the line protocol
(docs/protocol.md), with each program changed on its way in:

- silu: the derivative takes sigmoid(x) for a constant and so lacks a term;
- amax: a tie gives the whole gradient to one of the tied elements (it is max, after all);
- backward: gradients are overwritten instead of accumulated.

    ./verify check --engine '$ python3 examples/broken_engine.py' --random 3000 --corpus tests/GoldenPyTorch/goldens/seeds.jsonl.gz --report out
"""
import itertools
import json
import pathlib
import subprocess
import sys

fresh = ("_%d" % n for n in itertools.count())


def broken(step, leaves):
    """The steps that stand in for a step."""
    if "steps" in step:
        return [{**step, "steps": [each for inner in step["steps"] for each in broken(inner, leaves)]}]
    if step["op"] == "silu":
        gate, constant, unused = next(fresh), next(fresh), next(fresh)
        return [{**step, "out": unused}, {"op": "sigmoid", "in": step["in"], "out": gate}, {"op": "detach", "in": [gate], "out": constant},
                {"op": "mul", "in": [step["in"][0], constant], "out": step["out"]}]
    if step["op"] == "amax" and isinstance(step.get("attrs", {}).get("dim"), int):
        return [{**step, "op": "max", "out": [step["out"], None]}]
    if step["op"] == "backward":
        return [{"op": "zero_grad", "in": [name]} for name in leaves] + [step]
    return [step]


def changed(program):
    leaves = [name for name, tensor in program["inputs"].items() if tensor.get("requires_grad")]
    return {**program, "steps": [each for step in program["steps"] for each in broken(step, leaves)]}


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    dll = root / "src/Cli.CSharp/bin/Release/net10.0/verify.dll"
    inner = subprocess.Popen(["dotnet", str(dll), "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    for line in sys.stdin:
        request = json.loads(line)
        before = request.get("run")
        if before:
            request["run"] = changed(before)
        inner.stdin.write(json.dumps(request) + "\n")
        inner.stdin.flush()
        answer = json.loads(inner.stdout.readline())
        if "engine" in answer:
            answer["engine"] = {"name": "broken", "version": "1.0", "language": "Python"}
        raised = answer.get("outcome", {}).get("raised")
        if raised and before:  # the step that raised, as the unchanged program counts
            leaves = [name for name, tensor in before["inputs"].items() if tensor.get("requires_grad")]
            raised["step"] = place(before["steps"], leaves, raised["step"])
        print(json.dumps(answer), flush=True)


def place(steps, leaves, path):
    """A path in the changed program as a path in the one that came."""
    at = path[0]
    for index, step in enumerate(steps):
        width = len(broken(step, leaves))
        if at < width:
            return [index] + (place(step["steps"], leaves, path[1:]) if len(path) > 1 else [])
        at -= width
    return path


if __name__ == "__main__":
    main()
