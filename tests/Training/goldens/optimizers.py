"""Fifty steps of each optimizer with every option, on gradients that the generator gives, and the rates of each scheduler."""
import torch
from torch.optim import SGD, Adam, AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, StepLR

SHAPES = [[5, 7], [3], [], [1]]
KEPT = (1, 2, 10, 50)

OPTIONS = [
    ("SGD", {}),
    ("SGD", {"lr": 0.03}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.25}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.1, "nesterov": True, "maximize": True}),
    ("SGD", {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.1, "dampening": 0.5, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.01, "betas": [0.8, 0.99]}),
    ("Adam", {"lr": 0.01, "betas": [0.3, 0.5], "eps": 0.001}),
    ("Adam", {"lr": 0.01, "eps": 0.1}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.01, "amsgrad": True}),
    ("Adam", {"lr": 0.01, "maximize": True}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True, "maximize": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0}),
    ("AdamW", {"lr": 0.01, "betas": [0.8, 0.99], "eps": 0.001, "amsgrad": True}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True, "maximize": True}),
]

CLASSES = {"SGD": SGD, "Adam": Adam, "AdamW": AdamW}


def steps(name, options, dtype, skip=False, groups=None):
    g = torch.Generator().manual_seed(17)
    parameters = [(torch.rand(s, dtype=dtype, generator=g) * 2 - 1).requires_grad_() for s in SHAPES]
    arguments = [{"params": parameters[:1]}, {"params": parameters[1:], **groups}] if groups else parameters
    optimizer = CLASSES[name](arguments, **options)
    snapshots = []
    for t in range(1, 51):
        for i, p in enumerate(parameters):
            gradient = torch.rand(p.shape, dtype=dtype, generator=g) * 2 - 1
            p.grad = None if skip and (t + i) % 3 == 0 else gradient
        optimizer.step()
        if t in KEPT:
            snapshots.append({"step": t, "parameters": [p.detach().clone() for p in parameters], "state": snapshot(optimizer.state_dict())})
    text = ",".join(f"{k}={v}" for k, v in options.items()) or "defaults"
    label = f"{name}/{text}{'/skips' if skip else ''}{'/groups' if groups else ''}/{str(dtype).removeprefix('torch.')}"
    return {"case": label, "optimizer": name, "options": options, "skip": skip, "groups": groups, "dtype": str(dtype).removeprefix("torch."), "snapshots": snapshots}


def snapshot(state):
    copied = {n: {k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in s.items()} for n, s in state["state"].items()}
    return {"state": copied, "param_groups": [dict(g) for g in state["param_groups"]]}


def schedule(name, make, **arguments):
    a, b = torch.zeros(2, requires_grad=True), torch.zeros(3, requires_grad=True)
    optimizer = SGD([{"params": [a]}, {"params": [b], "lr": 0.5}], lr=0.1)
    scheduler = make(optimizer)
    rates = [[g["lr"] for g in optimizer.param_groups]]
    for _ in range(50):
        optimizer.step()
        scheduler.step()
        rates.append([g["lr"] for g in optimizer.param_groups])
    state = {k: v for k, v in scheduler.state_dict().items()}
    return {"case": f"{name}/{','.join(f'{k}={v}' for k, v in arguments.items())}", "scheduler": name, "arguments": arguments, "rates": rates, "state": state}


def cases():
    for dtype in (torch.float64, torch.float32):
        for name, options in OPTIONS:
            yield steps(name, options, dtype)
        yield steps("SGD", {"lr": 0.1, "momentum": 0.9}, dtype, skip=True)
        yield steps("Adam", {"lr": 0.01, "amsgrad": True}, dtype, skip=True)
        yield steps("SGD", {"lr": 0.1, "momentum": 0.9}, dtype, groups={"lr": 0.01, "nesterov": True})
        yield steps("AdamW", {"lr": 0.01}, dtype, groups={"weight_decay": 0, "betas": [0.5, 0.9]})
    for size, gamma in ((1, 0.9), (7, 0.1), (30, 0.5)):
        yield schedule("StepLR", lambda o, s=size, g=gamma: StepLR(o, s, g), step_size=size, gamma=gamma)
    for period, least in ((50, 0), (10, 0.01), (7, 0), (200, 0.05)):
        yield schedule("CosineAnnealingLR", lambda o, t=period, e=least: CosineAnnealingLR(o, t, e), T_max=period, eta_min=least)
    yield schedule("LambdaLR", lambda o: LambdaLR(o, lambda epoch: 0.95**epoch), base=0.95)
