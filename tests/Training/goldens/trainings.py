"""Three networks, their initial weights and batches drawn from seeds. After twenty float64 steps: the parameters, and how far the same training gets from itself when
every weight starts one unit of the last place away. Over five hundred steps: the losses in float32, in float32 with weights one unit of the last place away, in float64."""
import hashlib

import torch
import torch.nn as nn
import torch.nn.functional as F

STATE_STEPS, LOSS_STEPS = 20, 500


class Net(nn.Module):
    """The network of PyTorch's CIFAR-10 tutorial."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = F.relu(self.fc1(torch.flatten(x, 1)))
        return self.fc3(F.relu(self.fc2(x)))


class DoubleConv(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        # Without biases: batch normalisation takes them away again, and Adam would blow the rounding errors of their gradients up to whole steps.
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())

    def forward(self, x):
        return self.layers(x)


class UNet(nn.Module):
    """The U-Net of examples/csharp/UNet.cs."""

    def __init__(self, inputs=3, outputs=2, width=4, depth=2):
        super().__init__()
        self.downs, self.ups, self.ascents = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        before, after = inputs, width
        for _ in range(depth):
            self.downs.append(DoubleConv(before, after))
            before, after = after, 2 * after
        self.bottom = DoubleConv(before, after)
        self.pool = nn.MaxPool2d(2)
        for _ in range(depth):
            self.ascents.append(nn.ConvTranspose2d(after, after // 2, 2, 2))
            self.ups.append(DoubleConv(after, after // 2))
            after //= 2
        self.head = nn.Conv2d(after, outputs, 1)

    def forward(self, x):
        seen = []
        for down in self.downs:
            x = down(x)
            seen.append(x)
            x = self.pool(x)
        x = self.bottom(x)
        for ascent, up in zip(self.ascents, self.ups):
            x = up(torch.cat([seen.pop(), ascent(x)], 1))
        return self.head(x)


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(196, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def uniform(generator, *shape):
    return torch.rand(shape, generator=generator) * 2 - 1


def classes(generator, strength, count, *shape):
    """Batches of ten kinds of images: a pattern of each kind, so strong under noise."""
    patterns = uniform(generator, 10, *shape)
    while True:
        labels = torch.randint(0, 10, (count,), generator=generator)
        yield patterns[labels] * strength + uniform(generator, count, *shape), labels


def masks(generator, count, *shape):
    """Batches of images with two masks, which each pixel's own channels decide."""
    while True:
        x = uniform(generator, count, *shape)
        yield x, (x[:, :2] + x[:, 1:] > 0).float()


TRAININGS = {
    "mlp": (mlp, lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9), nn.CrossEntropyLoss(), lambda g: classes(g, 0.25, 16, 1, 14, 14)),
    "cifar10": (Net, lambda p: torch.optim.SGD(p, lr=0.001, momentum=0.9), nn.CrossEntropyLoss(), lambda g: classes(g, 3, 4, 3, 32, 32)),
    "unet": (UNet, lambda p: torch.optim.Adam(p, lr=0.001), nn.BCEWithLogitsLoss(), lambda g: masks(g, 2, 3, 16, 16)),
}


def network(name):
    torch.manual_seed(0)
    return TRAININGS[name][0]()


def batches(name, count):
    stream = TRAININGS[name][3](torch.Generator().manual_seed(1))
    return [next(stream) for _ in range(count)]


def train(name, dtype, steps, moved):
    _, optimize, criterion, _ = TRAININGS[name]
    net = network(name).to(dtype)
    if moved:
        with torch.no_grad():
            for p in net.parameters():
                p.copy_(torch.nextafter(p, torch.tensor(torch.inf, dtype=dtype)))
    optimizer = optimize(net.parameters())
    losses = []
    for x, y in batches(name, steps):
        optimizer.zero_grad()
        loss = criterion(net(x.to(dtype)), y.to(dtype) if y.is_floating_point() else y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return net, losses


def distance(a, b):
    """The largest relative difference of two parameters."""
    return max(((x - y).abs() / y.abs()).max().item() for x, y in zip(a.parameters(), b.parameters()))


def digest(tensors):
    """Tells whether tensors have the same bits."""
    return hashlib.sha256(b"".join(t.detach().numpy().tobytes() for t in tensors)).hexdigest()


def cases():
    # oneDNN's float32 convolutions have been seen to be wrong on some processors.
    torch.backends.mkldnn.enabled = False
    for name in TRAININGS:
        net, _ = train(name, torch.float64, STATE_STEPS, moved=False)
        other, _ = train(name, torch.float64, STATE_STEPS, moved=True)
        yield {
            "case": name, "repr": repr(net), "weights": digest(network(name).parameters()), "batches": digest(t for b in batches(name, LOSS_STEPS) for t in b),
            "steps": STATE_STEPS, "state": net.state_dict(), "distance": distance(other, net),
            "losses": {
                "float32": train(name, torch.float32, LOSS_STEPS, moved=False)[1],
                "moved": train(name, torch.float32, LOSS_STEPS, moved=True)[1],
                "float64": train(name, torch.float64, LOSS_STEPS, moved=False)[1],
            },
        }
