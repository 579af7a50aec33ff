"""Files that torch.save writes (goldens/checkpoints/*.pt; those that are there already are kept), and what is in them.   Run by export.py.
Run by itself with PyTorch 1.13 it writes the file of that version, pytorch-1.13.pt, which PyTorch 2.6 then says the content of."""
import collections
import copy
import pathlib

import torch

FOLDER = pathlib.Path(__file__).parent / "checkpoints"
OLDER = "pytorch-1.13"


def contents():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3, bias=False), torch.nn.BatchNorm2d(2), torch.nn.Flatten(), torch.nn.Linear(8, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.randn(4, 1, 4, 4)).square().sum().backward()
        optimizer.step()
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 5])
    scaler_like = {"scale": 65536.0, "growth_factor": 2.0, "_growth_tracker": 3}
    yield "run", {
        "model": model.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": {k: v for k, v in scheduler.state_dict().items() if not k.startswith("_")},
        "scaler": scaler_like, "random": torch.get_rng_state(), "epoch": 7, "best": 0.125, "name": "ünet", "done": False, "nothing": None,
        "sizes": [1, 2.5, "x", (3, 4)], "big": 2**40, "negative": -5, "empty": {},
    }
    batches = [torch.rand(4, 1, 4, 4) for _ in range(3)]
    before = {"model": {k: v.clone() for k, v in model.state_dict().items()}, "optimizer": copy.deepcopy(optimizer.state_dict()), "batches": batches}
    for batch in batches:
        optimizer.zero_grad()
        model(batch).square().sum().backward()
        optimizer.step()
    yield "resume", before
    yield "resumed", model.state_dict()
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    yield "views", {
        "base": base, "column": base[:, 1], "transposed": base.t(), "part": base[1:3], "again": base.view(-1), "expanded": torch.tensor([1.0, 2.0]).expand(3, 2),
        "scalar": torch.tensor(3.5), "none": torch.zeros(0, 3), "parameter": torch.nn.Parameter(torch.ones(2)),
    }
    yield "types", {str(t).removeprefix("torch."): torch.tensor([0, 1, 3], dtype=t) for t in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool, torch.uint16, torch.uint32)}
    yield "others", {"device": torch.device("cpu"), "size": torch.Size([2, 3]), "counter": collections.Counter([2, 5, 2]), "ordered": collections.OrderedDict(a=1)}


class Evil:
    def __reduce__(self):
        return print, ("this must never be printed",)


def files():
    for name, value in contents():
        yield name, value, {}
    yield "protocol4", {"a": torch.ones(3), "long": "x" * 300}, {"pickle_protocol": 4}
    yield "legacy", {"a": torch.ones(3)}, {"_use_new_zipfile_serialization": False}
    yield "evil", {"a": torch.ones(3), "b": Evil()}, {}


def plain(v):
    if isinstance(v, torch.Tensor):
        return {"shape": list(v.shape), "dtype": str(v.dtype).removeprefix("torch."), "values": v.detach().double().flatten().tolist()}
    if isinstance(v, (dict, collections.Counter)):
        return {"dict": [[str(k), plain(x)] for k, x in v.items()]}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    return v if isinstance(v, (int, float, str, bool, type(None))) else str(v)


def cases():
    FOLDER.mkdir(exist_ok=True)
    for name, value, options in files():
        if not (FOLDER / f"{name}.pt").exists():
            torch.save(value, FOLDER / f"{name}.pt", **options)
        if name not in ("legacy", "evil"):
            yield {"case": name, "value": plain(value)}
    yield {"case": OLDER, "value": plain(torch.load(FOLDER / f"{OLDER}.pt", weights_only=True))}


if __name__ == "__main__":
    assert torch.__version__.startswith("1.13"), torch.__version__
    for name, value in contents():
        if name == "run":
            torch.save(value, FOLDER / f"{OLDER}.pt")
            break
