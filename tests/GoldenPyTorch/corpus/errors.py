"""Ordinary errors of operators, each with its kind."""
from corpus.case import Cases

case = Cases("operators")

# ordinary errors, each with its kind

ERRORS = {
    "error/broadcast": lambda p: p.add(p.input("a", [1.0, 2.0]), p.input("b", [1.0, 2.0, 3.0])),
    "error/matmul-inner": lambda p: p.matmul(p.input("a", [[1.0, 2.0]]), p.input("b", [[1.0, 2.0]])),
    "error/matmul-zero-dim": lambda p: p.matmul(p.input("a", 1.0), p.input("b", [1.0])),
    "error/bmm-2d": lambda p: p.bmm(p.input("a", [[1.0]]), p.input("b", [[1.0]])),
    "error/mm-3d": lambda p: p.mm(p.input("a", [[[1.0]]]), p.input("b", [[1.0]])),
    "error/dot-2d": lambda p: p.dot(p.input("a", [[1.0]]), p.input("b", [[1.0]])),
    "error/matmul-dtypes": lambda p: p.matmul(p.input("a", [1.0]), p.input("b", [1.0], dtype="float64")),
    "error/matmul-int64-with-float": lambda p: p.matmul(p.input("a", [1.0]), p.input("b", [1], dtype="int64")),
    "error/sum-dim": lambda p: p.sum(p.input("a", [1.0]), dim=[1]),
    "error/unsqueeze-dim": lambda p: p.unsqueeze(p.input("a", [1.0]), dim=5),
    "error/select-index": lambda p: p.select(p.input("a", [1.0]), dim=0, index=1),
    "error/narrow-length": lambda p: p.narrow(p.input("a", [1.0, 2.0]), dim=0, start=1, length=2),
    "error/narrow-negative-length": lambda p: p.narrow(p.input("a", [1.0, 2.0]), dim=0, start=0, length=-1),
    "error/narrow-start": lambda p: p.narrow(p.input("a", [1.0, 2.0]), dim=0, start=3, length=0),
    "error/view-strides": lambda p: p.view(p.transpose(p.input("a", [[1.0, 2.0], [3.0, 4.0]]), dim0=0, dim1=1), size=[4]),
    "error/view-size": lambda p: p.view(p.input("a", [1.0, 2.0]), size=[3]),
    "error/view-negative": lambda p: p.view(p.input("a", [1.0, 2.0]), size=[-2]),
    "error/expand-size": lambda p: p.expand(p.input("a", [1.0, 2.0]), size=[2, 3]),
    "error/expand-negative-new-dim": lambda p: p.expand(p.input("a", [1.0]), size=[-1, 1]),
    "error/repeat-negative": lambda p: p.repeat(p.input("a", [1.0]), repeats=[-1]),
    "error/cat-sizes": lambda p: p.cat([p.input("a", [[1.0]]), p.input("b", [[1.0, 2.0]])], dim=0),
    "error/cat-dims": lambda p: p.cat([p.input("a", [1.0]), p.input("b", [[1.0]])], dim=0),
    "error/stack-sizes": lambda p: p.stack([p.input("a", [1.0]), p.input("b", [1.0, 2.0])]),
    "error/split-zero": lambda p: p.split(p.input("a", [1.0]), split_size_or_sections=0, out=1),
    "error/split-negative": lambda p: p.split(p.input("a", [1.0]), split_size_or_sections=-1, out=1),
    "error/amax-of-nothing": lambda p: p.amax(p.input("a", [])),
    "error/max-of-nothing": lambda p: p.max(p.input("a", [])),
    "error/argmax-of-nothing": lambda p: p.argmax(p.input("a", [])),
    "error/mean-int64": lambda p: p.mean(p.input("a", [1, 2], dtype="int64")),
    "error/softmax-int64": lambda p: p.softmax(p.input("a", [1, 2], dtype="int64"), dim=0),
    "error/norm-int64": lambda p: p.norm(p.input("a", [1, 2], dtype="int64")),
    "error/logsumexp-dim": lambda p: p.logsumexp(p.input("a", [1.0]), dim=[1]),
    "error/layer-norm-shape": lambda p: p.layer_norm(p.input("a", [1.0, 2.0]), normalized_shape=[3]),
    "error/layer-norm-empty-shape": lambda p: p.layer_norm(p.input("a", [1.0, 2.0]), normalized_shape=[]),
    "error/conv2d-channels": lambda p: p.conv2d(p.input("a", [[[[1.0]]]]), p.input("w", [[[[1.0]], [[1.0]]]])),
    "error/conv2d-bias": lambda p: p.conv2d(p.input("a", [[[[1.0]]]]), p.input("w", [[[[1.0]]]]), p.input("b", [1.0, 2.0])),
    "error/conv2d-negative-padding": lambda p: p.conv2d(p.input("a", [[[[1.0]]]]), p.input("w", [[[[1.0]]]]), padding=-1),
    "error/conv2d-same-with-stride": lambda p: p.conv2d(p.input("a", [[[[1.0]]]]), p.input("w", [[[[1.0]]]]), padding="same", stride=2),
    "error/conv-transpose-output-padding": lambda p: p.conv_transpose2d(p.input("a", [[[[1.0]]]]), p.input("w", [[[[1.0]]]]),
        output_padding=1),
    "error/max-pool-kernel-0": lambda p: p.max_pool2d(p.input("a", [[[1.0]]]), kernel_size=0),
    "error/cross-entropy-class": lambda p: p.cross_entropy(p.input("a", [[1.0, 2.0]]), p.input("t", [2], dtype="int64")),
    "error/cross-entropy-smoothing": lambda p: p.cross_entropy(p.input("a", [[1.0, 2.0]]), p.input("t", [1], dtype="int64"),
        label_smoothing=1.5),
    "error/cross-entropy-reduction": lambda p: p.cross_entropy(p.input("a", [[1.0, 2.0]]), p.input("t", [1], dtype="int64"),
        reduction="average"),
    "error/bce-shapes": lambda p: p.binary_cross_entropy_with_logits(p.input("a", [1.0, 2.0]), p.input("t", [1.0])),
    "error/gelu-approximate": lambda p: p.gelu(p.input("a", [1.0]), approximate="sometimes"),
    "error/interpolate-mode": lambda p: p.interpolate(p.input("a", [[[[1.0]]]]), size=[2, 2], mode="nowhere"),
    "error/interpolate-size-0": lambda p: p.interpolate(p.input("a", [[[[1.0]]]]), size=[0, 1], mode="nearest"),
    "error/pad-mode": lambda p: p.pad(p.input("a", [1.0]), pad=[1, 1], mode="nowhere"),
    "error/div-rounding": lambda p: p.div(p.input("a", [1.0]), p.input("b", [2.0]), rounding_mode="up"),
    "error/permute-dims": lambda p: p.permute(p.input("a", [[1.0]]), dims=[0, 2]),
    "error/flip-dim": lambda p: p.flip(p.input("a", [1.0]), dims=[1]),
    "error/tril-vector": lambda p: p.tril(p.input("a", [1.0])),
    "error/gather-index": lambda p: p.gather(p.input("a", [1.0]), p.input("i", [1], dtype="int64"), dim=0),
    "error/embedding-index": lambda p: p.embedding(p.input("i", [2], dtype="int64"), p.input("a", [[1.0], [2.0]])),
    "error/embedding-1d": lambda p: p.embedding(p.input("i", [0], dtype="int64"), p.input("a", [1.0])),
    "error/index-select-index": lambda p: p.index_select(p.input("a", [1.0]), p.input("i", [1], dtype="int64"), dim=0),
    "error/masked-fill-dtype": lambda p: p.masked_fill(p.input("a", [1.0]), p.input("m", [1.0]), value=0.0),
    "error/getitem-index": lambda p: p.getitem(p.input("a", [1.0]), index=[1]),
    "error/getitem-zero-dim": lambda p: p.getitem(p.input("a", 1.0), index=[0]),
    "error/bool-subtracted": lambda p: p.sub(p.input("a", [True], dtype="bool"), p.input("b", [True], dtype="bool")),
    "error/int64-integer-power": lambda p: p.pow(p.input("a", [2], dtype="int64"), exponent=-1),
}


@case.each(ERRORS)
def _(p, make):
    p.observe("a")
    make(p)


def programs():
    return case.found
