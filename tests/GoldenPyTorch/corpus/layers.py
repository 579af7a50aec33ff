"""Layers and losses: convolutions, pooling, resizing, normalisation, softmax, losses, dropout with its mask."""
from corpus.program import INF, NAN
from corpus.spread import ALL, Arg, FIRST, LAYOUTS, SECOND, of, spread

CONV = [  # label, input, weight, bias?, attributes
        ("plain", [1, 2, 4, 5], [3, 2, 2, 3], False, {}), ("bias", [2, 1, 4, 4], [2, 1, 3, 3], True, {}),
        ("stride-2", [1, 1, 5, 5], [2, 1, 2, 2], True, {"stride": 2}),
        ("stride-pair", [1, 1, 5, 6], [1, 1, 2, 2], False, {"stride": [2, 3]}), ("padding-1", [1, 1, 3, 3], [1, 1, 3, 3], True, {"padding": 1}),
        ("padding-pair", [1, 1, 3, 3], [1, 1, 3, 2], False, {"padding": [2, 0]}),
        ("dilation-2", [1, 1, 5, 5], [1, 1, 2, 2], True, {"dilation": 2}),
        ("groups-2", [1, 4, 3, 3], [2, 2, 2, 2], True, {"groups": 2}), ("depthwise", [1, 3, 3, 3], [3, 1, 2, 2], False, {"groups": 3}),
        ("1x1", [2, 3, 2, 2], [2, 3, 1, 1], True, {}),
        ("all-attributes", [2, 2, 6, 5], [2, 1, 2, 3], True, {"stride": [2, 1], "padding": [1, 2], "dilation": [2, 1], "groups": 2}),
        ("no-batch", [2, 4, 4], [1, 2, 3, 3], True, {}),
        ("empty-batch", [0, 1, 3, 3], [1, 1, 2, 2], True, {}), ("same", [1, 1, 4, 4], [1, 1, 3, 3], False, {"padding": "same"}),
        ("leftover", [1, 1, 6, 6], [1, 1, 3, 3], False, {"stride": 2}),
        ("edge-detector", [1, 1, 6, 8], [1, 1, 1, 2], False, {}),
        ]
TRANSPOSED = [
    ("plain", [1, 2, 3, 3], [2, 3, 2, 2], False, {}),
    ("bias", [2, 1, 2, 2], [1, 2, 3, 3], True, {}),
    ("stride-2", [1, 2, 2, 3], [2, 1, 2, 2], True, {"stride": 2}),
    ("padding-1", [1, 1, 3, 3], [1, 1, 3, 3], False, {"padding": 1}),
    ("output-padding", [1, 1, 2, 2], [1, 1, 3, 3], True, {"stride": 2, "padding": 1, "output_padding": 1}),
    ("dilation-2", [1, 1, 2, 2], [1, 1, 2, 2], False, {"dilation": 2}),
    ("groups-2", [1, 4, 2, 2], [4, 1, 2, 2], True, {"groups": 2}),
    ("no-batch", [2, 2, 2], [2, 1, 2, 2], True, {}),
    ("1x1", [1, 2, 2, 2], [2, 2, 1, 1], True, {}),
    ("pairs", [1, 1, 2, 3], [1, 1, 3, 2], False, {"stride": [2, 1], "padding": [1, 0], "output_padding": [1, 0]}),
]


def convolutions():
    found = []
    for op, cases in [("conv2d", CONV), ("conv_transpose2d", TRANSPOSED)]:
        for i, (label, x, w, bias, attrs) in enumerate(cases):
            channels = w[0] if op == "conv2d" else w[1] * attrs.get("groups", 1)
            args = [Arg(x), Arg(w)] + ([Arg([channels])] if bias else [])
            found += spread(op, label, args, attrs,
                            variants=ALL if i == 0 else FIRST + SECOND if i in (1, 2, 4, 10) else FIRST + SECOND[1:])
        x, w = cases[1][1], cases[1][2]
        found += spread(op, "data-is-constant", [Arg(x, grad=False), Arg(w)], variants=FIRST)
        found += spread(op, "weight-is-constant", [Arg(x), Arg(w, grad=False)], variants=FIRST)
        found += spread(op, "bias-alone", [Arg(x, grad=False), Arg(w, grad=False), of(2)], variants=["f32"])
        found += spread(op, "channels-raise", [of(1, 2, 3, 3), of(3, 5, 2, 2)], variants=["f32"])
        found += spread(op, "dims-raise", [of(3, 3), of(1, 1, 2, 2)], variants=["f32"])
        found += spread(op, "dtypes-raise", [Arg([1, 1, 3, 3], dtype="float32"), Arg([1, 1, 2, 2], dtype="float64")], variants=["f32"])
    found += spread("conv2d", "kernel-too-large-raises", [of(1, 1, 2, 2), of(1, 1, 3, 3)], variants=["f32"])
    found += spread("conv2d", "stride-0-raises", [of(1, 1, 3, 3), of(1, 1, 2, 2)], {"stride": 0}, variants=["f32"])
    found += spread("conv2d", "groups-raise", [of(1, 3, 3, 3), of(2, 1, 2, 2)], {"groups": 2}, variants=["f32"])
    found += spread("conv2d", "not-finite", [Arg(values=[[[[1.0, INF], [0.0, NAN]]]]), Arg(values=[[[[0.0]]]])], variants=FIRST)
    return found


def pooling():
    found = []
    for label, shape, attrs in [
        ("2", [1, 2, 4, 4], {"kernel_size": 2}),
        ("overlapping", [1, 1, 4, 5], {"kernel_size": 3, "stride": 1}),
        ("stride-pair", [1, 1, 5, 5], {"kernel_size": [2, 3], "stride": [2, 1]}),
        ("padding", [1, 1, 4, 4], {"kernel_size": 3, "stride": 2, "padding": 1}),
        ("ceil", [1, 1, 5, 5], {"kernel_size": 2, "ceil_mode": True}),
        ("no-batch", [2, 4, 4], {"kernel_size": 2}),
        ("leftover", [1, 1, 5, 5], {"kernel_size": 2}),
        ("one", [2, 1, 3, 3], {"kernel_size": 1}),
        ("ceil-padding", [1, 1, 6, 6], {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    ]:
        for op in ["max_pool2d", "avg_pool2d"]:
            found += spread(op, label, [Arg(shape, "distinct")], attrs, variants=ALL if label == "2" else FIRST + SECOND[:1])
    found += spread("max_pool2d", "dilation", [Arg([1, 1, 5, 5], "distinct")], {"kernel_size": 2, "dilation": 2}, variants=FIRST + SECOND)
    ties = Arg(values=[[[[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 0.0], [0.0, 3.0, 3.0, 3.0], [3.0, 0.0, 3.0, 3.0]]]])
    for op in ["max_pool2d", "avg_pool2d"]:
        found += spread(op, "ties", [ties], {"kernel_size": 2}, variants=FIRST + SECOND)
        found += spread(op, "ties-overlapping", [ties], {"kernel_size": 2, "stride": 1}, variants=FIRST)
        found += spread(op, "not-finite",
                        [Arg(values=[[[[NAN, 1.0, INF, 0.0], [2.0, 3.0, INF, 1.0], [-INF, -INF, NAN, NAN], [-INF, -INF, 1.0, NAN]]]])],
                        {"kernel_size": 2})
        found += spread(op, "too-large-raises", [of(1, 1, 2, 2)], {"kernel_size": 3}, variants=["f32"])
        found += spread(op, "padding-raises", [of(1, 1, 4, 4)], {"kernel_size": 2, "padding": 2}, variants=["f32"])
        found += spread(op, "stride-0-raises", [of(1, 1, 4, 4)], {"kernel_size": 2, "stride": 0}, variants=["f32"])
    found += spread("max_pool2d", "dims-raise", [of(4, 4)], {"kernel_size": 2}, variants=["f32"])
    for label, attrs in [
        ("without-padding", {"padding": 1, "count_include_pad": False}),
        ("divisor", {"divisor_override": 3}),
        ("divisor-padding", {"padding": 1, "divisor_override": 2}),
    ]:
        found += spread("avg_pool2d", label, [of(1, 1, 4, 4)], {"kernel_size": 2, **attrs}, variants=FIRST + SECOND)
    for label, shape, attrs in [
        ("scale-2", [1, 2, 2, 3], {"scale_factor": 2}),
        ("size", [1, 1, 3, 3], {"size": [5, 4]}),
        ("smaller", [1, 1, 4, 5], {"size": [2, 2]}),
        ("scale-pair", [2, 1, 2, 2], {"scale_factor": [3, 1]}),
        ("scale-1-and-half", [1, 1, 3, 3], {"scale_factor": 1.5}),
        ("same", [1, 1, 2, 2], {"size": [2, 2]}),
        ("scale-half", [1, 1, 4, 4], {"scale_factor": 0.5}),
    ]:
        found += spread("interpolate", label, [Arg(shape)], {**attrs, "mode": "nearest"},
                        variants=ALL if label == "scale-2" else FIRST + SECOND[:1])
    for aligned in [False, True]:
        for label, shape, attrs in [
            ("scale-2", [1, 2, 2, 3], {"scale_factor": 2}),
            ("size", [1, 1, 3, 3], {"size": [5, 4]}),
            ("smaller", [1, 1, 4, 5], {"size": [2, 3]}),
            ("scale-pair", [2, 1, 2, 3], {"scale_factor": [3, 1]}),
            ("scale-1.7", [1, 1, 3, 4], {"scale_factor": 1.7}),
            ("to-one", [1, 1, 3, 2], {"size": [1, 1]}),
            ("from-one", [1, 1, 1, 1], {"size": [2, 3]}),
            ("same", [1, 1, 2, 3], {"size": [2, 3]}),
            ("empty-batch", [0, 1, 2, 2], {"scale_factor": 2}),
        ]:
            found += spread("interpolate", f"bilinear-{label}{'-aligned' if aligned else ''}", [Arg(shape)],
                            {**attrs, "mode": "bilinear", "align_corners": aligned}, variants=ALL if label == "scale-2" else FIRST + SECOND)
        found += spread("interpolate", f"linear{'-aligned' if aligned else ''}", [of(2, 2, 4)],
                        {"size": 7, "mode": "linear", "align_corners": aligned}, variants=FIRST + SECOND)
    found += spread("interpolate", "bilinear-default", [of(1, 1, 2, 2)], {"scale_factor": 3, "mode": "bilinear"}, variants=FIRST)
    found += spread("interpolate", "nearest-aligned-raises", [of(1, 1, 2, 2)], {"scale_factor": 2, "align_corners": False}, variants=["f32"])
    found += spread("interpolate", "bilinear-no-channels-raises", [of(1, 0, 2, 2)], {"scale_factor": 2, "mode": "bilinear"}, variants=["f32"])
    found += spread("interpolate", "bilinear-size-0-raises", [of(1, 1, 2, 2)], {"size": [0, 2], "mode": "bilinear"}, variants=["f32"])
    for label, shape, size in [
        ("2", [1, 2, 4, 4], 2),
        ("one", [2, 2, 3, 4], 1),
        ("pair", [1, 1, 5, 7], [2, 3]),
        ("uneven", [1, 1, 5, 5], [3, 4]),
        ("larger", [1, 1, 2, 3], [4, 4]),
        ("null", [1, 1, 3, 4], [None, 2]),
        ("same", [1, 1, 2, 2], [2, 2]),
        ("no-batch", [2, 4, 4], 2),
        ("one-of-a-plane", [3, 4], 1),
        ("row", [1, 1, 4, 6], [1, 3]),
        ("nothing", [1, 1, 3, 3], 0),
        ("empty-batch", [0, 1, 4, 4], 2),
        ("no-channels", [1, 0, 4, 4], 2),
    ]:
        found += spread("adaptive_avg_pool2d", label, [Arg(shape)], {"output_size": size}, variants=ALL if label in ("2", "one") else FIRST + SECOND)
    for label, shape, size in [("plane", [3, 4], 2), ("plane-and-a-list", [3, 4], [1, 1]), ("size-of-one", [1, 1, 4, 4], [1]), ("size-of-three", [1, 1, 4, 4], [1, 2, 3]),
                               ("negative", [1, 1, 4, 4], -1), ("empty-plane", [1, 1, 0, 3], 2)]:
        found += spread("adaptive_avg_pool2d", label + "-raises", [Arg(shape)], {"output_size": size}, variants=["f32"])
    found += spread("adaptive_avg_pool2d", "int64-raises", [Arg([1, 1, 4, 4], dtype="int64")], {"output_size": 2}, variants=["f32"])
    found += spread("adaptive_avg_pool2d", "int64-one-raises", [Arg([1, 1, 4, 4], dtype="int64")], {"output_size": 1}, variants=["f32"])
    found += spread("adaptive_avg_pool2d", "not-finite", [Arg(values=[[[[NAN, 1.0, INF], [2.0, 3.0, -INF]]]])], {"output_size": [2, 2]})
    found += spread("interpolate", "both-raise", [of(1, 1, 2, 2)], {"size": [4, 4], "scale_factor": 2, "mode": "nearest"}, variants=["f32"])
    found += spread("interpolate", "neither-raises", [of(1, 1, 2, 2)], {"mode": "nearest"}, variants=["f32"])
    return found


def normalising():
    found = []
    for label, shape, normalized in [
        ("rows", [3, 4], [4]),
        ("two-dims", [2, 3, 2], [3, 2]),
        ("one", [3, 1], [1]),
        ("vector", [5], [5]),
        ("17", [2, 17], [17]),
        ("empty", [0, 3], [3]),
    ]:
        attrs = {"normalized_shape": normalized}
        found += spread("layer_norm", label, [Arg(shape)], attrs, variants=ALL if label == "rows" else FIRST + SECOND)
        found += spread("layer_norm", label + "-affine", [Arg(shape), Arg(normalized), Arg(normalized)], attrs, variants=FIRST + SECOND)
    attrs = {"normalized_shape": [4]}
    found += spread("layer_norm", "weight-alone", [of(3, 4), of(4)], attrs)
    found += spread("layer_norm", "bias-alone", [of(3, 4), None, of(4)], attrs,
                    call=lambda p, n: p.step("layer_norm", n[0], None, n[2], normalized_shape=[4]))
    found += spread("layer_norm", "eps", [of(3, 4)], {**attrs, "eps": 0.1}, variants=FIRST + SECOND)
    found += spread("layer_norm", "constant-rows", [Arg(values=[[2.0, 2.0, 2.0, 2.0], [1.0, 2.0, 3.0, 4.0]])], attrs,
                    variants=FIRST + SECOND)
    found += spread("layer_norm", "far-from-zero", [Arg(values=[[1000.0, 1001.0, 1002.5, 999.0]])], attrs)
    found += spread("layer_norm", "transposed-affine", [of(3, 4), of(4), of(4)], attrs, variants=LAYOUTS)
    found += spread("layer_norm", "shape-raises", [of(3, 4)], {"normalized_shape": [3]}, variants=["f32"])
    found += spread("layer_norm", "weight-shape-raises", [of(3, 4), of(3)], attrs, variants=["f32"])
    for op in ["softmax", "log_softmax"]:
        for label, shape, dim in [
            ("rows", [3, 4], 1),
            ("columns", [3, 4], 0),
            ("last", [2, 2, 3], -1),
            ("middle", [2, 3, 2], 1),
            ("vector", [5], 0),
            ("17", [17], 0),
            ("16", [2, 16], 1),
            ("one", [3, 1], 1),
            ("zero-dim", [], 0),
            ("empty", [0, 3], 1),
            ("empty-dim", [2, 0], 1),
        ]:
            found += spread(op, label, [Arg(shape)], {"dim": dim},
                            variants=ALL if label in ("rows", "columns") else FIRST + (SECOND[:1] if "empty" not in label else []))
        for label, values in [
            ("large", [1000.0, 1000.5, 0.0]),
            ("minus-inf", [-INF, 0.0, 1.0]),
            ("all-minus-inf", [-INF, -INF]),
            ("inf", [INF, 0.0]),
            ("nan", [NAN, 1.0]),
            ("equal", [2.0, 2.0, 2.0]),
            ("far", [-200.0, 0.0]),
        ]:
            found += spread(op, label, [Arg(values=values)], {"dim": 0}, variants=FIRST + SECOND[:1])
        found += spread(op, "as-float64", [Arg([4], dtype="float32")], {"dim": 0, "dtype": "float64"}, variants=["f32"])
        found += spread(op, "dim-out-of-range-raises", [of(3)], {"dim": 1}, variants=["f32"])
        found += spread(op, "int64-raises", [Arg([3], dtype="int64")], {"dim": 0}, variants=["f32"])
    return found


def batch_normalising():
    found = []

    def vector(c):
        return Arg([c])

    def statistics(c):
        return [Arg([c], grad=False), Arg([c], "positive", grad=False)]

    def observing(**attrs):
        """The call, and what becomes of the running statistics."""
        def call(p, names):
            y = p.step("batch_norm", *names, **attrs)
            p.observe(*(name for name in names[1:3] if name is not None))
            return y
        return call

    def add(label, x, more=(), variants=FIRST + SECOND, **attrs):
        found.extend(spread("batch_norm", label, [x if isinstance(x, Arg) else Arg(x)] + list(more), variants=variants, call=observing(**attrs)))

    for label, shape in [("rows", [4, 3]), ("images", [2, 3, 2, 2]), ("lines", [3, 2, 4]), ("two-values", [2, 1]), ("one-of-a-batch", [1, 2, 3]),
                         ("volumes", [2, 2, 1, 2, 2]), ("many", [70, 2]), ("long", [2, 2, 40])]:
        c = shape[1]
        wide = label in ("many", "long")
        add(f"training-{label}", shape, training=True, variants=FIRST if wide else FIRST + SECOND)
        add(f"training-{label}-affine", shape, [None, None, vector(c), vector(c)], training=True,
            variants=FIRST if wide else ALL if label in ("rows", "images") else FIRST + SECOND)
        add(f"training-{label}-running", shape, statistics(c) + [vector(c), vector(c)], training=True, variants=FIRST + SECOND[1:])
        add(f"evaluating-{label}", shape, statistics(c) + [vector(c), vector(c)],
            variants=FIRST if wide else ALL if label in ("rows", "images") else FIRST + SECOND)
    add("evaluating-plain", [4, 3], statistics(3))
    for training in [True, False]:
        name = "training" if training else "evaluating"
        add(f"{name}-weight-alone", [3, 2, 2], statistics(2) + [vector(2)], training=training)
        add(f"{name}-bias-alone", [3, 2, 2], statistics(2) + [None, vector(2)], training=training)
        add(f"{name}-eps", [3, 2], statistics(2) + [vector(2), vector(2)], training=training, eps=0.5)
        add(f"{name}-data-is-constant", Arg([3, 2, 2], grad=False), statistics(2) + [vector(2), vector(2)], training=training)
        add(f"{name}-empty-batch", [0, 2, 3], statistics(2) + [vector(2), vector(2)], training=training, variants=FIRST)
        add(f"{name}-far-from-zero", Arg(values=[[1000.0, 3.0], [1001.5, 2.0], [999.0, 1.0]]), statistics(2), training=training)
        add(f"{name}-not-finite", Arg(values=[[INF, 3.0, 1.0], [1.0, NAN, 2.0]]), statistics(3) + [vector(3), vector(3)], training=training, variants=FIRST)
    add("training-constant", Arg(values=[[2.0, 1.0], [2.0, 3.0], [2.0, 5.0]]), [None, None, vector(2), vector(2)], training=True)
    for label, momentum in [("none", 0.0), ("half", 0.5), ("all", 1.0), ("beyond", 1.5)]:
        add(f"training-momentum-{label}", [4, 2], statistics(2), training=True, momentum=momentum, variants=FIRST)
    add("training-mean-alone", [4, 2], statistics(2)[:1], training=True, variants=FIRST)
    add("training-variance-alone", [4, 2], [None] + statistics(2)[1:], training=True, variants=FIRST)
    add("evaluating-no-variance", [3, 2], [Arg([2], grad=False), Arg(values=[0.0, -1.0], grad=False)], eps=0.0, variants=FIRST)
    add("one-value-raises", [1, 3], training=True, variants=["f32"])
    add("one-value-of-lines-raises", [1, 3, 1], training=True, variants=["f32"])
    add("one-value-evaluating", [1, 3], statistics(3), variants=FIRST)
    add("no-statistics-raises", [2, 3], variants=["f32"])
    add("no-variance-raises", [2, 3], statistics(3)[:1], variants=["f32"])
    add("mean-size-raises", [2, 3], statistics(2), variants=["f32"])
    add("variance-size-raises", [2, 3], [statistics(3)[0], statistics(2)[1]], variants=["f32"])
    add("weight-size-raises", [2, 3], statistics(3) + [vector(2)], variants=["f32"])
    add("bias-size-raises", [2, 3], statistics(3) + [vector(3), vector(1)], variants=["f32"])
    add("statistics-matrix-raises", [2, 3], [Arg([1, 3], grad=False), Arg([3], "positive", grad=False)], variants=["f32"])
    add("vector-raises", [3], statistics(3), variants=["f32"])
    add("vector-training-raises", [3], training=True, variants=["f32"])
    add("zero-dim-training-raises", [], training=True, variants=["f32"])
    add("int64-raises", Arg([4, 3], dtype="int64"), training=True, variants=["f32"])
    add("dtypes-raise", Arg([4, 3], dtype="float64"), [Arg([3], dtype="float32", grad=False), Arg([3], "positive", dtype="float32", grad=False)],
        variants=["f32"])
    return found


def losses():
    found = []
    for reduction in ["mean", "sum", "none"]:
        found += spread("l1_loss", reduction, [of(3, 4), of(3, 4)], {"reduction": reduction}, variants=ALL if reduction == "mean" else FIRST + SECOND)
        for label, input, target, more in [
            ("", [3, 4], Arg(values=[1, 3, 0], dtype="int64"), []),
            ("-weighted", [3, 4], Arg(values=[1, 3, 0], dtype="int64"), [Arg([4], "positive", grad=False)]),
            ("-ignored", [3, 4], Arg(values=[1, -100, 0], dtype="int64"), []),
            ("-images", [2, 3, 2, 2], Arg([2, 2, 2], (0, 3), dtype="int64"), [Arg([3], "positive", grad=False)]),
            ("-lines", [2, 3, 4], Arg([2, 4], (0, 3), dtype="int64"), []),
            ("-volumes", [2, 3, 1, 2, 2], Arg([2, 1, 2, 2], (0, 3), dtype="int64"), []),
            ("-one-sample", [4], Arg(values=2, dtype="int64"), []),
        ]:
            found += spread("nll_loss", reduction + label, [Arg(input), target] + more, {"reduction": reduction},
                            variants=ALL if reduction == "mean" and label == "" else FIRST + SECOND)
    found += spread("l1_loss", "constant-target", [of(3), Arg([3], grad=False)], variants=FIRST + SECOND)
    found += spread("l1_loss", "broadcast", [of(2, 3), of(3)], variants=FIRST + SECOND)
    found += spread("l1_loss", "zero-dim", [of(), of()], variants=FIRST)
    found += spread("l1_loss", "empty", [of(0), of(0)], variants=FIRST)
    found += spread("l1_loss", "ties", [Arg(values=[1.0, 0.0, -0.0, 2.0]), Arg(values=[1.0, -0.0, 0.0, 3.0])], variants=FIRST + SECOND)
    found += spread("l1_loss", "not-finite", [Arg(values=[INF, NAN, INF, 1.0]), Arg(values=[0.0, 1.0, INF, -INF])], {"reduction": "none"}, variants=FIRST)
    found += spread("l1_loss", "promotion", [Arg([3], dtype="float32"), Arg([3], dtype="float64")], variants=["f32"])
    found += spread("l1_loss", "int64-target", [of(3), Arg([3], dtype="int64")], variants=["f32"])
    found += spread("l1_loss", "int64-raises", [Arg([3], dtype="int64"), Arg([3], dtype="int64")], variants=["f32"])
    found += spread("l1_loss", "shapes-raise", [of(2), of(3)], variants=["f32"])
    found += spread("l1_loss", "reduction-raises", [of(2), of(2)], {"reduction": "average"}, variants=["f32"])
    for op, knee in [("smooth_l1_loss", "beta"), ("huber_loss", "delta")]:
        for reduction in ["mean", "sum", "none"]:
            found += spread(op, reduction, [of(3, 4), of(3, 4)], {"reduction": reduction}, variants=ALL if reduction == "mean" else FIRST + SECOND)
        for label, value in [("half", 0.5), ("2", 2.0), ("3", 3)]:
            found += spread(op, label, [of(3, 4), of(3, 4)], {knee: value}, variants=FIRST + SECOND)
        found += spread(op, "knee", [Arg(values=[1.0, -1.0, 0.0, 0.5, 2.0]), Arg(values=[0.0] * 5)], variants=FIRST + SECOND)
        found += spread(op, "not-finite", [Arg(values=[INF, NAN, -INF, 1.0]), Arg(values=[0.0, 1.0, 1.0, INF])], {"reduction": "none"}, variants=FIRST)
        found += spread(op, "constant-target", [of(3), Arg([3], grad=False)], variants=FIRST + SECOND)
        found += spread(op, "broadcast", [of(2, 3), of(3)], variants=FIRST + SECOND)
        found += spread(op, "zero-dim", [of(), of()], variants=FIRST)
        found += spread(op, "empty", [of(0), of(0)], variants=FIRST)
        found += spread(op, "int64-target", [of(3), Arg([3], dtype="int64")], variants=["f32"])
        found += spread(op, "shapes-raise", [of(2), of(3)], variants=["f32"])
        found += spread(op, "reduction-raises", [of(2), of(2)], {"reduction": "average"}, variants=["f32"])
        found += spread(op, "negative-raises", [of(2), of(2)], {knee: -1.0}, variants=["f32"])
        found += spread(op, "int64-raises", [Arg([3], dtype="int64"), Arg([3], dtype="int64")], variants=["f32"])
    found += spread("smooth_l1_loss", "beta-0", [of(3, 4), of(3, 4)], {"beta": 0.0}, variants=FIRST + SECOND)
    found += spread("huber_loss", "delta-0-raises", [of(2), of(2)], {"delta": 0.0}, variants=["f32"])
    classes = Arg(values=[2, 0], dtype="int64")
    found += spread("nll_loss", "ignore-2", [of(2, 3), classes], {"ignore_index": 2}, variants=FIRST)
    found += spread("nll_loss", "all-ignored", [of(2, 3), Arg(values=[-100, -100], dtype="int64")], variants=FIRST)
    found += spread("nll_loss", "not-finite", [Arg(values=[[INF, NAN, -INF], [1.0, 0.0, 2.0]]), classes], variants=FIRST)
    found += spread("nll_loss", "empty-batch", [of(0, 3), Arg([0], (0, 1), dtype="int64")], variants=FIRST)
    for label, input, target, more in [
        ("class-out-of-range", [2, 3], Arg(values=[0, 5], dtype="int64"), []),
        ("class-negative", [2, 3], Arg(values=[0, -1], dtype="int64"), []),
        ("batch", [2, 3], Arg(values=[0, 1, 2], dtype="int64"), []),
        ("size-of-lines", [2, 3, 2], Arg([2, 3], (0, 3), dtype="int64"), []),
        ("size-of-images", [2, 3, 2, 2], Arg([2, 2, 3], (0, 3), dtype="int64"), []),
        ("no-images", [2, 3, 2, 2], Arg([2, 2], (0, 3), dtype="int64"), []),
        ("one-sample", [3], classes, []),
        ("zero-dim", [], classes, []),
        ("weight", [2, 3], classes, [Arg([2], grad=False)]),
        ("weight-dtype", [2, 3], classes, [Arg([3], dtype="float64", grad=False)]),
        ("float-target", [2, 3], Arg([2], grad=False), []),
    ]:
        found += spread("nll_loss", label + "-raises", [Arg(input), target] + more, variants=["f32"])
    found += spread("nll_loss", "int64-raises", [Arg([2, 3], dtype="int64"), classes], variants=["f32"])
    found += spread("nll_loss", "reduction-raises", [of(2, 3), classes], {"reduction": "average"}, variants=["f32"])
    for reduction in ["mean", "sum", "none"]:
        found += spread("mse_loss", reduction, [of(3, 4), of(3, 4)], {"reduction": reduction}, variants=ALL)
        found += spread("binary_cross_entropy_with_logits", reduction, [of(3, 4), Arg([3, 4], "probability")], {"reduction": reduction},
                        variants=ALL if reduction == "mean" else FIRST + SECOND)
        found += spread("cross_entropy", reduction, [of(3, 4), Arg(values=[1, 3, 0], dtype="int64")], {"reduction": reduction},
                        variants=ALL)
        found += spread("cross_entropy", reduction + "-weighted",
                        [of(3, 4), Arg(values=[1, 3, 0], dtype="int64"), Arg([4], "positive", grad=False)], {"reduction": reduction},
                        variants=FIRST + SECOND)
        found += spread("cross_entropy", reduction + "-smoothed", [of(3, 4), Arg(values=[1, 3, 0], dtype="int64")],
                        {"reduction": reduction, "label_smoothing": 0.1}, variants=FIRST + SECOND)
        found += spread("cross_entropy", reduction + "-ignored", [of(3, 4), Arg(values=[1, -100, 0], dtype="int64")],
                        {"reduction": reduction}, variants=FIRST + SECOND[:1])
        found += spread("cross_entropy", reduction + "-probabilities", [of(3, 4), Arg([3, 4], "probability")], {"reduction": reduction},
                        variants=FIRST + SECOND)
        found += spread("cross_entropy", reduction + "-probabilities-weighted", [of(3, 4), Arg([3, 4], "probability"), Arg([4], "positive")],
                        {"reduction": reduction}, variants=FIRST + SECOND)
        found += spread("cross_entropy", reduction + "-images", [of(2, 3, 2, 2), Arg([2, 2, 2], (0, 3), dtype="int64")],
                        {"reduction": reduction}, variants=FIRST)
    found += spread("mse_loss", "constant-target", [of(3), Arg([3], grad=False)], variants=FIRST + SECOND)
    found += spread("mse_loss", "broadcast", [of(2, 3), of(3)], variants=FIRST)
    found += spread("mse_loss", "zero-dim", [of(), of()], variants=FIRST)
    found += spread("mse_loss", "empty", [of(0), of(0)], variants=FIRST)
    found += spread("mse_loss", "shapes-raise", [of(2), of(3)], variants=["f32"])
    found += spread("mse_loss", "reduction-raises", [of(2), of(2)], {"reduction": "average"}, variants=["f32"])
    target = Arg(values=[2, 0], dtype="int64")
    found += spread("cross_entropy", "one-sample", [of(4), Arg(values=2, dtype="int64")], variants=FIRST + SECOND)
    found += spread("cross_entropy", "ignore-2", [of(2, 3), target], {"ignore_index": 2}, variants=FIRST)
    found += spread("cross_entropy", "all-ignored", [of(2, 3), Arg(values=[-100, -100], dtype="int64")], variants=FIRST)
    found += spread("cross_entropy", "weightless-smoothed", [of(2, 3), target, Arg(values=[0.0, 0.5, 0.0], grad=False)], {"label_smoothing": 0.5},
                    variants=FIRST)
    found += spread("cross_entropy", "large-logits", [Arg(values=[[1000.0, 0.0, -1000.0], [0.0, 500.0, 500.0]]), target], variants=FIRST)
    found += spread("cross_entropy", "minus-inf-target", [Arg(values=[[0.0, 1.0, -INF], [1.0, 0.0, 2.0]]), target], variants=FIRST)
    found += spread("cross_entropy", "empty-batch", [of(0, 3), Arg([0], (0, 1), dtype="int64")], variants=FIRST)
    found += spread("cross_entropy", "class-out-of-range-raises", [of(2, 3), Arg(values=[0, 5], dtype="int64")], variants=["f32"])
    found += spread("cross_entropy", "class-negative-raises", [of(2, 3), Arg(values=[0, -1], dtype="int64")], variants=["f32"])
    found += spread("cross_entropy", "batch-raises", [of(2, 3), Arg(values=[0, 1, 2], dtype="int64")], variants=["f32"])
    found += spread("cross_entropy", "weight-raises", [of(2, 3), target, Arg([2], grad=False)], variants=["f32"])
    found += spread("cross_entropy", "float-target-raises", [of(2, 3), Arg([2], grad=False)], variants=["f32"])
    bce = "binary_cross_entropy_with_logits"
    found += spread(bce, "extremes", [Arg(values=[1000.0, -1000.0, 0.0, -0.0, 40.0]), Arg(values=[0.0, 1.0, 1.0, 0.0, 1.0], grad=False)],
                    {"reduction": "none"}, variants=FIRST + SECOND)
    found += spread(bce, "hard-targets", [of(2, 3), Arg(values=[[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]], grad=False)], variants=FIRST + SECOND)
    found += spread(bce, "weight", [of(2, 3), Arg([2, 3], "probability", grad=False), Arg([3], "positive", grad=False)],
                    variants=FIRST + SECOND)
    found += spread(bce, "pos-weight", [of(2, 3), Arg([2, 3], "probability", grad=False), None, Arg([3], "positive", grad=False)],
                    variants=FIRST + SECOND)
    found += spread(bce, "empty", [of(0), Arg([0], "probability", grad=False)], variants=["f32"])
    found += spread(bce, "shapes-raise", [of(2, 3), Arg([3], "probability", grad=False)], variants=["f32"])
    return found


def dropout():
    found = []
    m = Arg(values=[[True, False, True, True], [False, True, False, True], [True, True, True, False]], dtype="bool")
    for label, p in [("half", 0.5), ("quarter", 0.25), ("none", 0.0), ("all", 1.0), ("tenth", 0.1)]:
        found += spread("dropout", label, [of(3, 4), m], {"p": p}, variants=FIRST + SECOND + (LAYOUTS[:1] if label == "half" else []))
    found += spread("dropout", "zero-dim", [of(), Arg(values=True, dtype="bool")], {"p": 0.5}, variants=["f32"])
    found += spread("dropout", "probability-raises", [of(3, 4), m], {"p": 1.5}, variants=["f32"])
    return found


def programs():
    return convolutions() + pooling() + normalising() + batch_normalising() + losses() + dropout()
