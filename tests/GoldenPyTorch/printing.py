"""Writes texts/printing.jsonl.gz: tensors of many kinds and the text that PyTorch prints for each, {"tensor", "text"} a line."""
import gzip
import json
import math
import os
import random
import sys

import torch

DTYPES = {"float32": torch.float32, "float64": torch.float64, "int64": torch.int64, "bool": torch.bool}
INF, NAN = math.inf, math.nan


def cases():
    """(dtype, shape, data, requires_grad)"""
    draw = random.Random(2026)
    for data in ([1, 2, 3], [0.5], [1.5, -2.25, 100], [1e10, 1], [1e8, 1], [1.5e8, 0.5], [1e-5, 2], [1e-4, 1], [0.00012345, 0.5], [1000.5, 1], [1001, 0.5], [0, 0], [-0.0, 1.5],
                 [NAN, 1.5], [INF, -INF, 2], [NAN, NAN], [INF, 1e10], [-INF, 1e-6], [123456789.0], [99999.5], [0.99995], [0.99994999], [1e-45], [3.4028235e38], [0.03125, 0.09375],
                 [1e38, 1e-38], [16777216.0], [100000000.0], [100000008.0], [-1.0, -10.0, -100.0], [1e16], [-1e-7], [0.1, 0.2, 0.3], [1 / 3, 2 / 3]):
        for dtype in ("float32", "float64"):
            yield dtype, [len(data)], data, False
        yield "float32", [len(data)], data, True
    for value in (1, 0.5, -3.25, NAN, -INF, 1e-10, 12345678.0, 1e20, 0):
        yield "float32", [], [value], False
        yield "float64", [], [value], True
    for data in ([0], [1, -2], [123456789, 1], [-9223372036854775808, 1], [10, 100, 1000]):
        yield "int64", [len(data)], data, False
    yield "int64", [], [7], False
    yield "bool", [], [True], False
    yield "bool", [3], [True, False, True], False
    yield "bool", [2, 2], [True, True, False, True], False
    for shape in ([0], [2, 0], [0, 3], [1, 0, 2]):
        for dtype in DTYPES:
            yield dtype, shape, [], False
        yield "float32", shape, [], True
    for shape in ([1, 1], [2, 3], [3, 1], [2, 2, 2], [1, 2, 1, 3], [2, 1, 2, 2, 1], [1, 30], [3, 20], [2, 25], [40], [17], [2, 13]):
        count = math.prod(shape)
        for scale in (1.0, 1e4, 1e-6):
            yield "float32", shape, [draw.gauss(0, 1) * scale for _ in range(count)], draw.random() < 0.3
        yield "float64", shape, [draw.gauss(0, 1) for _ in range(count)], draw.random() < 0.3
        yield "int64", shape, [draw.randrange(-1000, 1000) for _ in range(count)], False
        yield "bool", shape, [draw.random() < 0.5 for _ in range(count)], False
    for shape in ([1001], [1000], [40, 30], [2, 600], [600, 2], [11, 10, 10], [3, 400, 1], [7, 13, 2, 6]):
        count = math.prod(shape)
        yield "float32", shape, [i * 0.25 for i in range(count)], False
        yield "float64", shape, [i * 0.001 for i in range(count)], True
        yield "int64", shape, [i - 500 for i in range(count)], False
        yield "bool", shape, [i % 3 == 0 for i in range(count)], False


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "texts", "printing.jsonl.gz")
    lines = []
    for dtype, shape, data, requires_grad in cases():
        tensor = torch.tensor(data, dtype=DTYPES[dtype]).reshape(shape)
        data = [repr(x).strip("'") if isinstance(x, float) and not math.isfinite(x) else x for x in tensor.flatten().tolist()]
        text = str(tensor.requires_grad_()) if requires_grad else str(tensor)
        lines.append(json.dumps({"tensor": {"dtype": dtype, "shape": shape, "data": data, "requires_grad": requires_grad}, "text": text}))
    text = "\n".join(lines) + "\n"
    if "--check" in sys.argv[1:]:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            sys.exit(0 if file.read() == text else "texts/printing.jsonl.gz differs from what PyTorch prints")
    with open(path, "wb") as file:
        file.write(gzip.compress(text.encode(), mtime=0))
    print(f"{len(lines)} tensors")


if __name__ == "__main__":
    main()
