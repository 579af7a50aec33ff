"""The generator: draws of every kind after a seed, in turn, and the state that they leave."""
import torch

F32, F64 = torch.float32, torch.float64


def draw(kind, args):
    dtype = {"float32": F32, "float64": F64}.get(args.get("dtype"), F32)
    shape = args.get("shape")
    if kind == "rand":
        return torch.rand(shape, dtype=dtype)
    if kind == "uniform":
        return torch.empty(shape, dtype=dtype).uniform_(args["from"], args["to"])
    if kind == "normal":
        return torch.empty(shape, dtype=dtype).normal_(args["mean"], args["std"])
    if kind == "randint":
        return torch.randint(args["low"], args["high"], shape)
    if kind == "randperm":
        return torch.randperm(args["n"])
    if kind == "random":
        return torch.empty((), dtype=torch.int64).random_()
    if kind == "bernoulli":
        return torch.empty(shape, dtype=dtype).bernoulli_(args["p"])
    if kind == "bernoulli-each":
        return torch.bernoulli(torch.linspace(0, 1, args["n"], dtype=dtype))
    raise ValueError(kind)


def case(name, seed, *draws):
    torch.manual_seed(seed)
    made = [{"kind": kind, "args": args, "result": draw(kind, args)} for kind, args in draws]
    return {"case": name, "seed": seed, "draws": made, "state": torch.get_rng_state()}


def cases():
    every = [
        ("rand", {"shape": [5]}),
        ("normal", {"shape": [3], "mean": 0, "std": 1}),
        ("randperm", {"n": 10}),
        ("uniform", {"shape": [7], "from": -0.3, "to": 0.7}),
        ("normal", {"shape": [2, 20], "mean": 2, "std": 3}),
        ("randint", {"shape": [6], "low": -3, "high": 10}),
        ("rand", {"shape": [5], "dtype": "float64"}),
        ("normal", {"shape": [], "mean": 0, "std": 1, "dtype": "float64"}),
        ("bernoulli", {"shape": [9], "p": 0.3}),
        ("random", {}),
    ]
    for seed in (0, 1, 42, -5, 2**40 + 3, 67280421310721):
        yield case(f"every-kind/{seed}", seed, *every)
    for dtype in ("float32", "float64"):
        yield case(f"rand/{dtype}", 0, ("rand", {"shape": [700], "dtype": dtype}))
        for low, high in ((-1, 1), (-0.05, 0.05), (0.1, 1e6), (-1e-3, 3), (2, 2)):
            yield case(f"uniform/{dtype}/{low},{high}", 3, ("uniform", {"shape": [300], "from": low, "to": high, "dtype": dtype}))
        for n in (1, 2, 3, 15, 16, 17, 31, 32, 100):
            yield case(f"normal/{dtype}/{n}", 7, ("normal", {"shape": [n], "mean": 0, "std": 1, "dtype": dtype}), ("rand", {"shape": [2]}))
        yield case(f"normal/{dtype}/large", 8, ("normal", {"shape": [40, 50], "mean": 0, "std": 1, "dtype": dtype}))
        yield case(f"normal/{dtype}/moved", 8, ("normal", {"shape": [33], "mean": -2, "std": 0.01, "dtype": dtype}))
        yield case(f"bernoulli/{dtype}", 9, ("bernoulli", {"shape": [200], "p": 0.75, "dtype": dtype}), ("bernoulli-each", {"n": 50, "dtype": dtype}))
    # A spare normal draw is kept over other draws.
    yield case("spare", 5, ("normal", {"shape": [1], "mean": 0, "std": 1}), ("rand", {"shape": [4]}), ("normal", {"shape": [1], "mean": 1, "std": 2}))
    for high in (1, 10, 2**24, 2**28, 2**31 + 5, 2**32 - 1, 2**32, 2**32 + 1, 2**50):
        yield case(f"randint/{high}", 11, ("randint", {"shape": [20], "low": 0, "high": high}))
    yield case("randint/negative", 11, ("randint", {"shape": [20], "low": -(2**63), "high": 2**62}))
    for n in (0, 1, 2, 7, 1000):
        yield case(f"randperm/{n}", 13, ("randperm", {"n": n}))
