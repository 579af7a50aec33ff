"""A narrow U-Net whose training PyTorch saved (checkpoints/unet.pt, kept where it is there already: model, optimizer, scheduler, scaler, generator) and goes on with."""
import pathlib

import torch
import torch.nn as nn

import trainings

FILE = pathlib.Path(__file__).parent / "checkpoints" / "unet.pt"
STEPS = 6


class Run:
    """All that a checkpoint holds."""

    def __init__(self, dtype=torch.float32):
        self.model = trainings.UNet(width=2).to(dtype)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=3e-3)
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, step_size=3, gamma=0.5)
        self.scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=4)
        self.generator = torch.Generator()
        self.dtype = dtype

    def parts(self):
        return {name: getattr(self, name).state_dict() for name in ("model", "optimizer", "scheduler", "scaler")} | {"generator": self.generator.get_state()}

    def restore(self, saved):
        for name in ("model", "optimizer", "scheduler", "scaler"):
            getattr(self, name).load_state_dict(saved[name])
        self.generator.set_state(saved["generator"])

    def train(self, steps):
        """Losses; the batches come from the generator."""
        losses, batches = [], trainings.masks(self.generator, 2, 3, 16, 16)
        for _ in range(steps):
            x, y = (t.to(self.dtype) for t in next(batches))
            self.optimizer.zero_grad()
            loss = nn.BCEWithLogitsLoss()(self.model(x), y)
            self.scaler.scale(loss).backward()
            self.scaler.step(self.optimizer)
            self.scaler.update()
            self.scheduler.step()
            losses.append(loss.item())
        return losses


def going_on(file, dtype=torch.float32, steps=STEPS):
    """What a saved training comes to after some steps more, in one type or the other."""
    torch.backends.mkldnn.enabled = False
    run = Run(dtype)
    run.restore(torch.load(file, weights_only=True))
    losses = run.train(steps)
    return {"losses": losses, "model": run.model.state_dict(), "scale": run.scaler.get_scale(), "rate": run.scheduler.get_last_lr()[0]}


def cases():
    # oneDNN's float32 convolutions have been seen to be wrong on some processors.
    torch.backends.mkldnn.enabled = False
    if not FILE.exists():
        torch.manual_seed(0)
        run = Run()
        run.generator.manual_seed(1)
        run.train(4)
        torch.save(run.parts(), FILE)
    for dtype in (torch.float64, torch.float32):
        yield {"case": str(dtype).removeprefix("torch."), "steps": STEPS, **going_on(FILE, dtype)}
