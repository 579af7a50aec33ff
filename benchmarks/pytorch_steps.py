"""The training steps of Training/Steps.cs in PyTorch, run on demand.

    python pytorch_steps.py THREADS

Says its version in one line; then each line "CASE CALLS" is answered with "WALL PROCESSOR", the seconds that so many calls took.
"""
import ctypes
import os
import sys
import time

import torch
from torch import nn

THREADS = int(sys.argv[1])
torch.set_num_threads(THREADS)
torch.manual_seed(0)

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h's


def keep_memory():
    """Makes glibc keep what is freed; whether it could.

    By default glibc gives the end of its heap back to the system once more than some megabytes lie free there. Whether a step's tensors lie at
    the end differs from process to process, and where they do, each step faults all their pages in again: 2,000 faults a step of LeNet on 64
    images, which made 8 ms 40. PyTorch is measured without that: the engine keeps its memory too."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library
        return False
    return mallopt(M_MMAP_THRESHOLD, 32 << 20) == 1 and mallopt(M_TRIM_THRESHOLD, 1 << 30) == 1


def trainer(net, optimizer, x, y):
    loss = nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad()
        loss(net(x), y).backward()
        optimizer.step()

    return step


def mlp():
    net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    return trainer(net, optimizer, torch.randn(64, 784), torch.randint(0, 10, (64,)))


def lenet(batch):
    net = nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(1),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
    return trainer(net, optimizer, torch.randn(batch, 3, 32, 32), torch.randint(0, 10, (batch,)))


def softmax():
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    return trainer(net, optimizer, torch.rand(256, 1, 28, 28), torch.randint(0, 10, (256,)))


def linear():
    w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    x, y = torch.randn(10, 2), torch.randn(10, 1)

    def step():
        distance = torch.matmul(x, w) + b - y
        (distance ** 2 / 2).sum().backward()
        with torch.no_grad():
            for p in (w, b):
                p -= 0.03 * p.grad / 10
                p.grad.zero_()

    return step


def chain(count, backward=True):
    x = torch.rand(count, requires_grad=True)
    y = torch.full((count,), 0.99, requires_grad=True)

    def step():
        z = x
        for _ in range(100):
            z = z * y
        if backward:
            z.sum().backward()
            x.grad = None
            y.grad = None

    return step


CASES = {
    "mlp": mlp,
    "lenet4": lambda: lenet(4),
    "lenet64": lambda: lenet(64),
    "softmax": softmax,
    "linear": linear,
    "chain": lambda: chain(1),
    "chain_forward": lambda: chain(1, backward=False),
    "chain1000": lambda: chain(1000),
}


def blas():
    """The libraries that PyTorch's products run on: those that are loaded, by their files' names."""
    torch.mm(torch.ones(64, 64), torch.ones(64, 64))
    try:
        with open("/proc/self/maps", encoding="utf-8") as maps:
            files = {os.path.basename(os.path.realpath(line.split()[-1])) for line in maps if ".so" in line}
    except OSError:
        return "unknown BLAS"
    return " ".join(sorted(f for f in files if any(word in f for word in ("blas", "mkl", "dnnl")))) or "its own BLAS"


def main():
    allocator = "glibc's allocator told to keep memory" if keep_memory() else "the allocator as it comes"
    print(f"PyTorch {torch.__version__} ({blas()}, {torch.backends.cpu.get_cpu_capability()}, {allocator}), {THREADS} thread{'s' if THREADS > 1 else ''}", flush=True)
    made = {}
    for line in sys.stdin:
        case, calls = line.split()
        if case not in made:
            made[case] = CASES[case]()
        step = made[case]
        processor, wall = time.process_time(), time.perf_counter()
        for _ in range(int(calls)):
            step()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        print(wall, processor, flush=True)


main()
