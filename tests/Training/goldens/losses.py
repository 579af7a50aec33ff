"""Losses with every option; clipped gradients; a scaler's way through good and bad gradients."""
import torch
import torch.nn as nn

F64 = torch.float64


def loss(name, make, options, x, target):
    x = x.clone().requires_grad_()
    value = make(**options)(x, target)
    value.backward(torch.ones_like(value))
    text = ",".join(f"{k}={'..' if isinstance(v, torch.Tensor) else v}" for k, v in options.items()) or "defaults"
    kind = "/probabilities" if make is nn.CrossEntropyLoss and target.is_floating_point() else ""
    return {"case": f"{name}/{text}/{'x'.join(map(str, x.shape))}{kind}", "loss": name, "options": options, "input": x, "target": target, "value": value, "grad": x.grad}


def losses():
    g = torch.Generator().manual_seed(2)
    rand = lambda *s: torch.rand(s, dtype=F64, generator=g)
    x, y = rand(6, 4) * 4 - 2, torch.tensor([0, 3, 1, 1, 2, 0])
    images, labels = rand(2, 3, 2, 2) * 4 - 2, torch.randint(0, 3, (2, 2, 2), generator=g)
    w = rand(4)
    for options in ({}, {"reduction": "sum"}, {"reduction": "none"}, {"weight": w}, {"ignore_index": 1}, {"label_smoothing": 0.1},
                    {"weight": w, "ignore_index": 3, "label_smoothing": 0.2}, {"weight": w, "reduction": "sum", "label_smoothing": 0.3},
                    {"weight": w, "ignore_index": 0, "reduction": "none"}):
        yield loss("CrossEntropyLoss", nn.CrossEntropyLoss, options, x, y)
    yield loss("CrossEntropyLoss", nn.CrossEntropyLoss, {}, images, labels)
    yield loss("CrossEntropyLoss", nn.CrossEntropyLoss, {"weight": w[:3], "label_smoothing": 0.1}, images, labels)
    yield loss("CrossEntropyLoss", nn.CrossEntropyLoss, {"weight": w, "label_smoothing": 0.1}, x, torch.softmax(rand(6, 4), 1))
    yield loss("CrossEntropyLoss", nn.CrossEntropyLoss, {}, x[0], y[1])
    yield loss("CrossEntropyLoss", nn.CrossEntropyLoss, {"ignore_index": 2, "reduction": "none", "weight": w[:3]}, images, labels)
    probabilities = torch.softmax(torch.linspace(-1, 1, 24, dtype=F64).reshape(6, 4).sin(), 1)
    for options in ({}, {"reduction": "sum"}, {"reduction": "none"}, {"weight": w, "reduction": "none", "label_smoothing": 0.2}, {"label_smoothing": 1.0}):
        yield loss("CrossEntropyLoss", nn.CrossEntropyLoss, options, x, probabilities)
    yield loss("CrossEntropyLoss", nn.CrossEntropyLoss, {"weight": w[:3]}, images, images.softmax(1).flip(0))
    target = rand(6, 4)
    for options in ({}, {"reduction": "sum"}, {"reduction": "none"}, {"weight": w}, {"pos_weight": w}, {"weight": rand(6, 4), "pos_weight": w, "reduction": "sum"}):
        yield loss("BCEWithLogitsLoss", nn.BCEWithLogitsLoss, options, x, target)
    for reduction in ("mean", "sum", "none"):
        yield loss("MSELoss", nn.MSELoss, {"reduction": reduction}, x, target)
        yield loss("L1Loss", nn.L1Loss, {"reduction": reduction}, x, target)


def clips():
    for dtype in (torch.float32, F64):
        for order in (2.0, 1.0, 3.0, float("inf")):
            for most in (0.5, 100.0):
                g = torch.Generator().manual_seed(3)
                parameters = [torch.zeros(s, dtype=dtype) for s in ([4, 5], [7], [])]
                for p in parameters:
                    p.grad = torch.rand(p.shape, dtype=dtype, generator=g) * 2 - 1
                total = torch.nn.utils.clip_grad_norm_(parameters, most, order)
                label = str(dtype).removeprefix("torch.")
                yield {"case": f"clip/{label}/{order}/{most}", "dtype": label, "order": str(order), "most": most, "total": total.item(), "grads": [p.grad for p in parameters]}


FACTORS = [1, "inf", 1, 1, 1, "nan", 1, 1, 1, 1, "-inf", "inf", 1, 1, 1]


def scaler():
    w = torch.ones(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], 0.5)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=3, growth_factor=3.0, backoff_factor=0.25)
    rows = []
    for factor in FACTORS:
        optimizer.zero_grad()
        scaler.scale((w * float(factor)).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        rows.append({"factor": str(factor), "state": scaler.state_dict(), "weights": w.detach().clone()})
    yield {"case": "scaler", "rows": rows}


def cases():
    yield from losses()
    yield from clips()
    yield from scaler()
