"""Three networks trained for twenty float64 steps, and how far the same training gets from itself when every weight starts one unit of the last place away."""
import torch
import torch.nn as nn
import torch.nn.functional as F

STEPS = 20


class Cifar(nn.Module):
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


def double_conv(inputs, outputs):
    # Without biases: batch normalisation takes them away again, and Adam would blow the rounding errors of their gradients up to whole steps.
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class UNet(nn.Module):
    """A small U-Net: two steps down, two up."""

    def __init__(self, width=4):
        super().__init__()
        self.inc = double_conv(3, width)
        self.down1 = double_conv(width, 2 * width)
        self.down2 = double_conv(2 * width, 4 * width)
        self.pool = nn.MaxPool2d(2)
        self.up1 = nn.ConvTranspose2d(4 * width, 2 * width, 2, 2)
        self.conv1 = double_conv(4 * width, 2 * width)
        self.up2 = nn.ConvTranspose2d(2 * width, width, 2, 2)
        self.conv2 = double_conv(2 * width, width)
        self.outc = nn.Conv2d(width, 2, 1)

    def forward(self, x):
        a = self.inc(x)
        b = self.down1(self.pool(a))
        c = self.down2(self.pool(b))
        d = self.conv1(torch.cat([b, self.up1(c)], 1))
        e = self.conv2(torch.cat([a, self.up2(d)], 1))
        return self.outc(e)


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(196, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def classes(generator, shape, count):
    x = torch.rand(shape, dtype=torch.float64, generator=generator) * 2 - 1
    return x, torch.randint(0, count, shape[:1], generator=generator)


def masks(generator, shape):
    x = torch.rand(shape, dtype=torch.float64, generator=generator) * 2 - 1
    return x, (x[:, :2] + x[:, 1:] > 0).double()


NETWORKS = {
    "mlp": (mlp, lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9), nn.CrossEntropyLoss(), lambda g: classes(g, (16, 1, 14, 14), 10)),
    "cifar10": (Cifar, lambda p: torch.optim.SGD(p, lr=0.001, momentum=0.9), nn.CrossEntropyLoss(), lambda g: classes(g, (4, 3, 32, 32), 10)),
    "unet": (UNet, lambda p: torch.optim.Adam(p, lr=0.001), nn.BCEWithLogitsLoss(), lambda g: masks(g, (2, 3, 16, 16))),
}


def train(name, moved):
    make, optimize, criterion, batch = NETWORKS[name]
    torch.manual_seed(0)
    net = make().double()
    if moved:
        with torch.no_grad():
            for p in net.parameters():
                p.copy_(torch.nextafter(p, torch.tensor(torch.inf, dtype=p.dtype)))
    optimizer = optimize(net.parameters())
    generator = torch.Generator().manual_seed(1)
    losses = []
    for _ in range(STEPS):
        x, y = batch(generator)
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return net, losses


def distance(a, b):
    """The largest relative difference of two parameters."""
    return max(((x - y).abs() / y.abs()).max().item() for x, y in zip(a.parameters(), b.parameters()))


def cases():
    for name in NETWORKS:
        net, losses = train(name, moved=False)
        other, _ = train(name, moved=True)
        yield {"case": name, "repr": repr(net), "losses": losses, "state": net.state_dict(), "ulp": distance(other, net)}
