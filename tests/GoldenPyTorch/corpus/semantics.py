"""Programs thought out by hand, on the rules of autograd rather than on single operators: `semantics/*.txt`, a file for each group of rules."""
import os

from corpus import notation

GROUPS = ["leaves", "gradients", "graph", "versions", "views", "writes", "modes", "hooks", "errors"]


def programs():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "semantics")
    return [p for group in GROUPS for p in notation.programs(os.path.join(folder, group + ".txt"))]
