"""Layers: how they print, their initial values after a seed, what they compute, and how batch statistics move."""
import torch
import torch.nn as nn

SMALL = [
    ("Linear", lambda: nn.Linear(5, 3)),
    ("Linear-no-bias", lambda: nn.Linear(4, 2, bias=False)),
    ("Linear-float64", lambda: nn.Linear(5, 3, dtype=torch.float64)),
    ("Conv2d", lambda: nn.Conv2d(3, 6, 5)),
    ("Conv2d-options", lambda: nn.Conv2d(4, 6, (3, 5), stride=2, padding=1, dilation=(1, 2), groups=2, bias=False)),
    ("Conv2d-same", lambda: nn.Conv2d(3, 4, 3, padding="same")),
    ("Conv2d-valid", lambda: nn.Conv2d(3, 4, 3, stride=2, padding="valid")),
    ("Conv2d-reflect", lambda: nn.Conv2d(3, 4, (3, 5), stride=2, padding=(1, 2), padding_mode="reflect")),
    ("Conv2d-replicate", lambda: nn.Conv2d(3, 4, 3, padding=4, padding_mode="replicate", bias=False)),
    ("Conv2d-circular-same", lambda: nn.Conv2d(3, 4, (4, 3), padding="same", dilation=(1, 2), padding_mode="circular")),
    ("ConvTranspose2d", lambda: nn.ConvTranspose2d(6, 3, 2, 2)),
    ("ConvTranspose2d-options", lambda: nn.ConvTranspose2d(6, 3, 3, 2, padding=1, output_padding=1, groups=3, bias=False, dilation=2)),
    ("MaxPool2d", lambda: nn.MaxPool2d(2, 2)),
    ("MaxPool2d-options", lambda: nn.MaxPool2d((2, 3), ceil_mode=True, padding=1, dilation=2)),
    ("AvgPool2d", lambda: nn.AvgPool2d(2)),
    ("AvgPool2d-options", lambda: nn.AvgPool2d((2, 3), stride=(1, 2), padding=1, ceil_mode=True, count_include_pad=False, divisor_override=3)),
    ("BatchNorm2d", lambda: nn.BatchNorm2d(4)),
    ("BatchNorm2d-options", lambda: nn.BatchNorm2d(4, eps=1e-3, momentum=0.25)),
    ("BatchNorm2d-cumulative", lambda: nn.BatchNorm2d(4, momentum=None)),
    ("BatchNorm2d-bare", lambda: nn.BatchNorm2d(4, affine=False, track_running_stats=False)),
    ("LayerNorm", lambda: nn.LayerNorm(6)),
    ("LayerNorm-options", lambda: nn.LayerNorm([5, 6], eps=1e-6, elementwise_affine=False)),
    ("LayerNorm-no-bias", lambda: nn.LayerNorm(6, bias=False)),
    ("Dropout", lambda: nn.Dropout()),
    ("Dropout-options", lambda: nn.Dropout(0.1, inplace=True)),
    ("Embedding", lambda: nn.Embedding(10, 3)),
    ("Embedding-padding", lambda: nn.Embedding(4, 2, padding_idx=-1)),
    ("Embedding-short", lambda: nn.Embedding(5, 3, max_norm=1.25, norm_type=1.0)),
    ("Embedding-by-frequency", lambda: nn.Embedding(5, 3, padding_idx=1, max_norm=1.5, scale_grad_by_freq=True)),
    ("Upsample", lambda: nn.Upsample(scale_factor=2)),
    ("Upsample-bilinear", lambda: nn.Upsample(size=(7, 9), mode="bilinear", align_corners=True)),
    ("Upsample-scales", lambda: nn.Upsample(scale_factor=(2.5, 3), mode="bilinear")),
    ("Upsample-size", lambda: nn.Upsample(5)),
    ("Flatten", lambda: nn.Flatten()),
    ("Flatten-options", lambda: nn.Flatten(0, 2)),
    ("ReLU", lambda: nn.ReLU()),
    ("ReLU-inplace", lambda: nn.ReLU(inplace=True)),
    ("LeakyReLU", lambda: nn.LeakyReLU()),
    ("LeakyReLU-options", lambda: nn.LeakyReLU(0.2)),
    ("GELU", lambda: nn.GELU()),
    ("GELU-tanh", lambda: nn.GELU("tanh")),
    ("SiLU", lambda: nn.SiLU()),
    ("ELU", lambda: nn.ELU()),
    ("ELU-options", lambda: nn.ELU(0.5)),
    ("Softplus", lambda: nn.Softplus()),
    ("Softplus-options", lambda: nn.Softplus(2.0, 10.0)),
    ("Sigmoid", lambda: nn.Sigmoid()),
    ("Tanh", lambda: nn.Tanh()),
    ("Softmax", lambda: nn.Softmax(1)),
    ("LogSoftmax", lambda: nn.LogSoftmax(-1)),
    ("Identity", lambda: nn.Identity()),
    ("CrossEntropyLoss", lambda: nn.CrossEntropyLoss()),
    ("BCEWithLogitsLoss", lambda: nn.BCEWithLogitsLoss()),
    ("MSELoss", lambda: nn.MSELoss()),
    ("L1Loss", lambda: nn.L1Loss()),
    ("Sequential-empty", lambda: nn.Sequential()),
    ("Sequential", lambda: nn.Sequential(nn.Linear(6, 4), nn.Sequential(nn.ReLU(), nn.Identity()), nn.Linear(4, 2))),
    ("ModuleList-alike", lambda: nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()])),
    ("ModuleList-nested", lambda: nn.ModuleList([nn.Sequential(nn.Linear(2, 2)), nn.Sequential(nn.Linear(2, 2))])),
]

SHAPES = {"Linear": [2, 5], "Linear-no-bias": [4], "Linear-float64": [2, 5], "Conv2d": [1, 3, 8, 7], "Conv2d-options": [1, 4, 7, 11], "Conv2d-same": [2, 3, 4, 5], "Conv2d-valid": [1, 3, 6, 5], "Conv2d-reflect": [2, 3, 5, 6], "Conv2d-replicate": [1, 3, 4, 5], "Conv2d-circular-same": [2, 3, 5, 4],
          "ConvTranspose2d": [1, 6, 3, 4], "ConvTranspose2d-options": [1, 6, 4, 3], "LayerNorm": [2, 5, 6], "LayerNorm-options": [2, 5, 6], "LayerNorm-no-bias": [2, 6], "Sequential": [3, 6]}


def cases():
    for name, make in SMALL:
        torch.manual_seed(4)
        module = make()
        line = {"case": name, "repr": repr(module), "state": {n: t.clone() for n, t in module.state_dict().items()}}
        if name in ("Embedding-short", "Embedding-by-frequency"):
            indices = torch.tensor([[0, 2, 2], [1, 4, 2]])
            out = module(indices)
            out.backward(torch.arange(1.0, out.numel() + 1).reshape(out.shape))
            line.update(indices=indices, looked_up=out, table=module.weight.clone(), grad=module.weight.grad, version=module.weight._version)
        if name.startswith(("CrossEntropy", "BCE", "MSE", "L1", "ModuleList", "Embedding", "Sequential-empty")):
            yield line
            continue
        module.double()
        torch.manual_seed(5)
        x = (torch.rand(SHAPES.get(name, [2, 4, 5, 6]), dtype=torch.float64) * 2 - 1)
        if not name.endswith("inplace") and "Dropout-options" not in name:
            x.requires_grad_()
        line["input"] = x.detach().clone()
        first = module(x)
        if x.requires_grad:
            g = torch.rand(first.shape, dtype=torch.float64)
            first.backward(g)
            line["grads"] = {"input": x.grad, **{n: p.grad for n, p in module.named_parameters()}}
        line["train"] = first
        module(torch.rand(line["input"].shape, dtype=torch.float64))
        line["after"] = {n: b.clone() for n, b in module.named_buffers()}
        module.eval()
        line["eval"] = module(line["input"].clone())
        yield line
