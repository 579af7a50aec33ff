"""The parameters of PyTorch's constructors and functions: their names, in order, and their defaults (absent where one must be given)."""
import inspect

import torch
import torch.nn as nn
from torch.optim import lr_scheduler

CLASSES = [
    nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.MaxPool2d, nn.AvgPool2d, nn.BatchNorm2d, nn.LayerNorm, nn.Dropout, nn.Embedding, nn.Upsample, nn.Flatten,
    nn.ReLU, nn.LeakyReLU, nn.GELU, nn.SiLU, nn.ELU, nn.Softplus, nn.Softmax, nn.LogSoftmax, nn.CrossEntropyLoss, nn.BCEWithLogitsLoss, nn.MSELoss, nn.L1Loss,
    torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, lr_scheduler.StepLR, lr_scheduler.CosineAnnealingLR, lr_scheduler.LambdaLR,
    torch.amp.GradScaler, torch.utils.data.DataLoader, torch.utils.data.TensorDataset]
FUNCTIONS = [
    nn.utils.clip_grad_norm_, nn.utils.clip_grad_value_, nn.init.uniform_, nn.init.normal_, nn.init.constant_, nn.init.zeros_, nn.init.ones_,
    nn.init.xavier_uniform_, nn.init.xavier_normal_, nn.init.kaiming_uniform_, nn.init.kaiming_normal_]


def parameters(function):
    for name, p in inspect.signature(function).parameters.items():
        if name != "self":
            yield {"name": name} if p.default is inspect.Parameter.empty else {"name": name, "default": p.default}


def cases():
    for each in CLASSES + FUNCTIONS:
        yield {"case": each.__name__, "parameters": list(parameters(each if inspect.isfunction(each) else each.__init__))}
