"""Goldens are lines of JSON in a gzip file without a time stamp, so that the same values give the same bytes. Tensors are base64 of their little-endian bytes."""
import base64
import gzip
import io
import json
import pathlib

import torch

FOLDER = pathlib.Path(__file__).parent


def tensor(t):
    t = t.detach().contiguous()
    return {"dtype": str(t.dtype).removeprefix("torch."), "shape": list(t.shape), "data": base64.b64encode(t.numpy().tobytes()).decode()}


def values(v):
    """Tensors, wherever they are, in their written form."""
    if isinstance(v, torch.Tensor):
        return tensor(v)
    if isinstance(v, dict):
        return {str(k): values(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [values(x) for x in v]
    return v


def packed(lines):
    names = [line["case"] for line in lines]
    assert len(set(names)) == len(names), "two cases have one name, by which tests find them"
    text = "".join(json.dumps(values(line), separators=(",", ":")) + "\n" for line in lines)
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=9, mtime=0) as file:
        file.write(text.encode())
    return text, out.getvalue()


def write(name, lines, check):
    """Writes a group of goldens, or tells whether the file has other values."""
    text, data = packed(lines)
    path = FOLDER / f"{name}.jsonl.gz"
    if check:
        same = path.exists() and gzip.decompress(path.read_bytes()).decode() == text
        print(f"{name}: {'as in the repository' if same else 'DIFFERS'}")
        return same
    path.write_bytes(data)
    print(f"{name}: {len(lines)} cases, {len(data):,} bytes")
    return True
