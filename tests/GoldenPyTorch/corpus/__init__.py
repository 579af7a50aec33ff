"""The corpus: programs by group. A group is one golden file; its modules each give `programs()`."""
import importlib

GROUPS = {
    "seeds": ["seeds"],
    "models": ["models"],
    "operators-pointwise": ["pointwise", "binary"],
    "operators-reductions": ["reductions"],
    "operators-products": ["products"],
    "operators-shapes": ["shapes", "copies"],
    "operators-indexing": ["indexing"],
    "operators-layers": ["layers"],
    "operators-errors": ["errors"],
    "inplace": ["inplace"],
    "semantics": ["semantics"],
    "orders": ["orders"],
    "writes": ["writes"],
    "shared": ["shared"],
    "layouts": ["layouts"],
    "found": ["found"],
}


def programs(group):
    """A group's programs in order. Two of the same identity are a mistake in the corpus."""
    found = [p for module in GROUPS[group] for p in importlib.import_module("corpus." + module).programs()]
    seen = set()
    for p in found:
        if p.id in seen:
            raise ValueError(f"two programs are called {p.id}")
        seen.add(p.id)
    return found
