"""The loader: which records come in which batch, and where the generators stand afterwards; random_split; the draws of torchvision's crop and flip."""
import torch
from torch.utils.data import DataLoader, random_split


def epochs(seed, n, batch, shuffle, drop_last, own, leave_after):
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1) if own else None
    loader = DataLoader(range(n), batch, shuffle=shuffle, drop_last=drop_last, generator=generator)
    seen = []
    for epoch in range(3):
        batches = []
        for indices in loader:
            batches.append(indices.tolist())
            if epoch == 0 and len(batches) == leave_after:
                break
        seen.append(batches)
    return {
        "case": f"epochs/{seed}/{n}/{batch}{'/shuffle' if shuffle else ''}{'/drop' if drop_last else ''}{'/own' if own else ''}{f'/leave{leave_after}' if leave_after else ''}",
        "seed": seed, "n": n, "batch": batch, "shuffle": shuffle, "drop_last": drop_last, "own": own, "leave_after": leave_after,
        "epochs": seen,
        "default_after": torch.empty((), dtype=torch.int64).random_().item(),
        "own_after": torch.empty((), dtype=torch.int64).random_(generator=generator).item() if own else 0,
    }


def augmented(seed, height, width, padding, size):
    """torchvision's RandomCrop.get_params and RandomHorizontalFlip.forward, transforms.py of 0.21: what they draw and in which order."""
    torch.manual_seed(seed)
    draws = []
    for _ in range(12):
        top = torch.randint(0, height + 2 * padding - size + 1, size=(1,)).item()
        left = torch.randint(0, width + 2 * padding - size + 1, size=(1,)).item()
        draws.append([top, left, 1 if torch.rand(1) < 0.5 else 0])
    return {"case": f"augment/{seed}", "seed": seed, "height": height, "width": width, "padding": padding, "size": size, "draws": draws}


def cases():
    for seed in (0, 42, 2**33 + 5):
        for n, batch in ((10, 4), (12, 4), (3, 5), (257, 32)):
            for own in (False, True):
                for drop_last in (False, True):
                    yield epochs(seed, n, batch, True, drop_last, own, 0)
        yield epochs(seed, 10, 3, False, False, False, 0)
        yield epochs(seed, 10, 3, False, False, True, 0)
        yield epochs(seed, 30, 4, True, False, False, 2)
        yield epochs(seed, 30, 4, True, False, True, 2)
        torch.manual_seed(seed)
        yield {"case": f"split/{seed}", "seed": seed, "lengths": [3, 0, 17], "parts": [list(p.indices) for p in random_split(range(20), [3, 0, 17])]}
        yield augmented(seed, 8, 6, 2, 7)
