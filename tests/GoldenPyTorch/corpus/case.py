"""Programs written by hand: one small function each, under a readable identity."""
from corpus.program import Program


class Cases:
    def __init__(self, group):
        self.group, self.found = group, []

    def __call__(self, identity, dtype="float32"):
        """The function below fills the program of this identity."""
        def made(fill):
            p = Program(f"{self.group}/{identity}", dtype)
            fill(p)
            self.found.append(p)
            return fill
        return made

    def each(self, identities, dtype="float32"):
        """The function below fills one program for each identity of a dictionary, given what stands beside it."""
        def made(fill):
            for identity, given in identities.items():
                self(identity, dtype)(lambda p, given=given: fill(p, given))
            return fill
        return made


def leaf(p, *values):
    """The leaf x."""
    return p.leaf("x", list(values) or [1.0, -2.0, 3.0])


def xy(p, x=(1.0, -2.0, 3.0), y=(0.5, 4.0, -1.5)):
    """The leaves x and y."""
    return p.leaf("x", list(x)), p.leaf("y", list(y))


def finish(p, *names):
    """Goes back from the sum of z, and looks at x's gradient."""
    p.backward(p.sum("z"))
    p.observe(*names, "x.grad")
