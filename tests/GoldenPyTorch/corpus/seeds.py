"""The seed programs: the tutorials' notes on tensors and autograd, D1 to D6, each as a program."""
from corpus.program import Program


def mean_of_square():
    """D1: the gradient of mean(3 (x + 2)^2) at ones is 4.5."""
    p = Program("seeds/d1-mean-of-square")
    x = p.leaf("x", [[1, 1], [1, 1]])
    y = p.step("add", x, out="y", other=2)
    z = p.step("mul", p.step("mul", y, y), out="z", other=3)
    p.mean(z, out="out")
    p.backward("out")
    p.observe("y", "z", "out", "x.grad")
    return p


def zero_then_sum():
    """D2: after the gradient is zeroed in place, the sum's gradient is ones."""
    p = Program("seeds/d2-zero-then-sum")
    x = p.leaf("x", [[1, 1], [1, 1]])
    p.backward(p.mean(p.mul(p.add(x, other=2), other=3)))
    g = p.get_grad(x, out="g")
    p.zero_(g)
    p.sum(x, out="y")
    p.backward("y")
    p.observe("y", "g", "x.grad")
    return p


def accumulate():
    """D2: without zeroing, gradients accumulate."""
    p = Program("seeds/d2-accumulate")
    x = p.leaf("x", [[1, 1], [1, 1]])
    y = p.add(x, other=2, out="y")
    p.backward(p.mean(p.mul(p.mul(y, y), other=3), out="first"))
    p.backward(p.sum(x, out="second"))
    p.observe("first", "second", "x.grad")
    return p


def square_sum():
    """D3: (a*a).sum() has the gradient 2a."""
    p = Program("seeds/d3-square-sum")
    a = p.leaf("a", [1, 2, 3])
    p.backward(p.sum(p.mul(a, a, out="out"), out="s"))
    p.observe("out", "s", "a.grad")
    return p


def grad_is_null_before():
    p = Program("seeds/d3-grad-is-null-before")
    a = p.leaf("a", [1, 2, 3])
    p.mul(a, a, out="out")
    p.observe("out", "a.grad")
    return p


def detach_unchanged():
    """D3: a detached copy that is left alone does not disturb the backward of its source."""
    p = Program("seeds/d3-detach-unchanged")
    a = p.leaf("a", [1, 2, 3])
    p.mul(a, a, out="out")
    p.detach("out", out="c")
    p.backward(p.sum("out", out="s"))
    p.observe("out", "c", "a.grad")
    return p


def detach_shares_memory():
    p = Program("seeds/d3-detach-shares-memory")
    a = p.leaf("a", [1, 2, 3])
    p.mul(a, a, out="out")
    p.detach("out", out="c")
    p.zero_("c")
    p.observe("out", "c")
    return p


def backward_through_detach():
    """D3: what was detached has no history to go back through."""
    p = Program("seeds/d3-backward-through-detach")
    a = p.leaf("a", [1, 2, 3])
    p.mul(a, a, out="out")
    p.detach("out", out="c")
    p.backward(p.sum("c", out="s"))
    p.observe("out", "c", "s", "a.grad")
    return p


def sigmoid():
    """D4: sigmoid and its gradient."""
    p = Program("seeds/d4-sigmoid")
    a = p.leaf("a", [1, 2, 3])
    p.sigmoid(a, out="out")
    p.backward(p.sum("out", out="s"))
    p.observe("out", "s", "a.grad")
    return p


def sigmoid_detach():
    p = Program("seeds/d4-sigmoid-detach")
    a = p.leaf("a", [1, 2, 3])
    p.sigmoid(a, out="out")
    p.detach("out", out="c")
    p.backward(p.sum("c", out="s"))
    p.observe("out", "c", "s", "a.grad")
    return p


def detach_then_zero():
    """D4: writing through the detached alias changes what sigmoid saved: the backward is refused."""
    p = Program("seeds/d4-detach-then-zero")
    a = p.leaf("a", [1, 2, 3])
    p.sigmoid(a, out="out")
    p.detach("out", out="c")
    p.zero_("c")
    p.backward(p.sum("out", out="s"))
    p.observe("out", "c", "s", "a.grad")
    return p


def data_then_zero():
    """D4's twin by `.data`: the write is not noticed and the gradient silently wrong, as PyTorch has it."""
    p = Program("seeds/d4-data-then-zero")
    a = p.leaf("a", [1, 2, 3])
    p.sigmoid(a, out="out")
    p.step("data", "out", out="c")
    p.zero_("c")
    p.backward(p.sum("out", out="s"))
    p.observe("out", "c", "s", "a.grad")
    return p


def detach_in_the_middle():
    """D5: detach_ makes the middle a leaf; the backward of what follows stops there."""
    p = Program("seeds/d5-detach-in-the-middle")
    x = p.leaf("x", [1, 2, 3])
    m = p.mul(x, other=2, out="m")
    p.add(m, other=1, out="y")
    p.detach_(m)
    p.backward(p.sum("y", out="s"))
    p.observe("m", "y", "x.grad")
    return p


def detach_before_use():
    p = Program("seeds/d5-detach-before-use")
    x = p.leaf("x", [1, 2, 3])
    w = p.leaf("w", [0.5, -1, 2])
    m = p.mul(x, other=2, out="m")
    p.detach_(m)
    p.mul(m, w, out="y")
    p.backward(p.sum("y", out="s"))
    p.observe("m", "y", "x.grad", "w.grad")
    return p


def detach_middle_backward_raises():
    p = Program("seeds/d5-nothing-left-to-differentiate")
    x = p.leaf("x", [1, 2, 3])
    m = p.mul(x, other=2, out="m")
    p.detach_(m)
    p.mul(m, m, out="y")
    p.backward(p.sum("y", out="s"))
    p.observe("m", "y", "x.grad")
    return p


def two_models(detached):
    """D6: two models in a row; detached between, only the second is trained."""
    p = Program("seeds/d6-two-models-" + ("detached" if detached else "joined"))
    x = p.input("x", [[1, -2], [0.5, 3]])
    a = p.leaf("a", [[0.5, -1], [0.25, 2]])
    b = p.leaf("b", [[1.5], [-0.75]])
    out_a = p.relu(p.matmul(x, a), out="output_a")
    in_b = p.detach(out_a, out="input_b") if detached else out_a
    p.matmul(in_b, b, out="output_b")
    p.backward(p.sum(p.mul("output_b", "output_b"), out="loss"))
    p.observe("output_a", "output_b", "loss", "a.grad", "b.grad")
    return p


def second_model_then_first():
    """D6: B is trained on the detached output, then A on its own loss, over the same forward."""
    p = Program("seeds/d6-second-model-then-first")
    x = p.input("x", [[1, -2], [0.5, 3]])
    a = p.leaf("a", [[0.5, -1], [0.25, 2]])
    b = p.leaf("b", [[1.5], [-0.75]])
    out_a = p.sigmoid(p.matmul(x, a), out="output_a")
    p.backward(p.sum(p.matmul(p.detach(out_a), b), out="loss_b"))
    p.backward(p.mean(out_a, out="loss_a"))
    p.observe("output_a", "loss_a", "loss_b", "a.grad", "b.grad")
    return p


def programs():
    return [mean_of_square(), zero_then_sum(), accumulate(), square_sum(), grad_is_null_before(), detach_unchanged(),
            detach_shares_memory(), backward_through_detach(), sigmoid(), sigmoid_detach(), detach_then_zero(), data_then_zero(),
            detach_in_the_middle(), detach_before_use(), detach_middle_backward_raises(), two_models(True), two_models(False),
            second_model_then_first()]
