"""Training steps of the tutorials' models, narrow, with the optimizer written out as steps of the program."""
from corpus.optimizers import Adam, Sgd
from corpus.program import Program


def parameters(p, shapes, scale=0.5):
    """Leaves by name, with signed values of at most `scale`."""
    for name, shape in shapes.items():
        p.leaf(name, shape=shape, domain=(-scale, scale))
    return list(shapes)


def finish(p, names, optimizer=None):
    p.observe(*names, *(f"{n}.grad" for n in names), *(optimizer.state() if optimizer else []))
    return p


def whole(values):
    return {"values": values, "dtype": "int64"}


def mlp(p, x, out):
    hidden = p.relu(p.linear(x, "w1", "b1"))
    return p.linear(hidden, "w2", "b2", out=out)


MLP = {"w1": [5, 4], "b1": [5], "w2": [3, 5], "b2": [3]}


def training_loop(dtype, momentum, set_to_none=True):
    """A: zero the gradients, forward, loss, backward, step; three batches of three."""
    label = f"momentum-{momentum}" + ("" if set_to_none else "-zeroed-in-place")
    p = Program(f"models/a-training-loop/{label}-{dtype}", dtype)
    names = parameters(p, MLP)
    optimizer = Sgd(p, names, 0.001 if momentum else 0.05, momentum, set_to_none)
    for batch in range(3):
        x = p.input(f"x{batch}", shape=[3, 4])
        y = p.input(f"y{batch}", **whole([p.numbers.below(3) for _ in range(3)]))
        optimizer.zero_grad()
        loss = p.cross_entropy(mlp(p, x, f"logits{batch}"), y, out=f"loss{batch}")
        p.backward(loss)
        optimizer.step()
        p.observe(loss)
    return finish(p, names, optimizer)


def every_second_batch(dtype):
    """A: two half-batches with the loss halved, zeroed only before the first, give the whole batch's gradient."""
    p = Program(f"models/a-zero-every-second-batch/{dtype}", dtype)
    names = parameters(p, MLP)
    optimizer = Sgd(p, names, 0.05)
    halves = []
    for step in range(2):
        optimizer.zero_grad()
        for half in range(2):
            x = p.input(f"x{step}{half}", shape=[2, 4])
            y = p.input(f"y{step}{half}", **whole([p.numbers.below(3) for _ in range(2)]))
            loss = p.cross_entropy(mlp(p, x, f"logits{step}{half}"), y)
            halves.append(p.div(loss, other=2, out=f"loss{step}{half}"))
            p.backward(halves[-1])
        optimizer.step()
    p.observe(*halves)
    return finish(p, names, optimizer)


def whole_and_halves(dtype):
    """A: the gradient of the whole batch next to the accumulated one of its halves."""
    p = Program(f"models/a-whole-batch-and-its-halves/{dtype}", dtype)
    names = parameters(p, MLP)
    x, y = p.input("x", shape=[4, 4]), p.input("y", **whole([0, 2, 1, 1]))
    whole_batch = p.cross_entropy(mlp(p, x, "logits"), y, out="loss")
    p.grad(whole_batch, names, out=[f"{n}_whole" for n in names])
    for half in range(2):
        part = p.narrow(x, dim=0, start=2 * half, length=2)
        labels = p.narrow(y, dim=0, start=2 * half, length=2)
        p.backward(p.div(p.cross_entropy(mlp(p, part, f"logits{half}"), labels), other=2, out=f"loss{half}"))
    p.observe("loss", "loss0", "loss1", *(f"{n}_whole" for n in names))
    return finish(p, names)


def cifar(dtype):
    """B: the classic small network on images of 16 by 16, two batches of two, SGD with momentum."""
    p = Program(f"models/b-cifar/{dtype}", dtype)
    names = parameters(p, {"conv1": [2, 3, 5, 5], "conv1_b": [2], "conv2": [3, 2, 5, 5], "conv2_b": [3], "fc1": [5, 3], "fc1_b": [5],
                           "fc2": [4, 5], "fc2_b": [4], "fc3": [3, 4], "fc3_b": [3]}, 0.375)
    optimizer = Sgd(p, names, 0.001, 0.9)
    running = p.input("running_loss", 0.0)
    for batch in range(2):
        x = p.input(f"x{batch}", shape=[2, 3, 16, 16], domain="small")
        y = p.input(f"y{batch}", **whole([batch, 2 - batch]))
        optimizer.zero_grad()
        h = p.max_pool2d(p.relu(p.conv2d(x, "conv1", "conv1_b")), kernel_size=2, stride=2)
        h = p.max_pool2d(p.relu(p.conv2d(h, "conv2", "conv2_b")), kernel_size=2, stride=2)
        h = p.flatten(h, start_dim=1)
        h = p.relu(p.linear(h, "fc1", "fc1_b"))
        h = p.relu(p.linear(h, "fc2", "fc2_b"))
        loss = p.cross_entropy(p.linear(h, "fc3", "fc3_b", out=f"logits{batch}"), y, out=f"loss{batch}")
        p.backward(loss)
        optimizer.step()
        running = p.add(running, p.detach(loss))
        p.observe(loss, f"logits{batch}")
    p.observe(running)
    return finish(p, names, optimizer)


def unet(dtype):
    """C: a U-Net of one level, 3 channels in, 2 out, BCE with logits, Adam, two steps; then a validation loss under no_grad."""
    p = Program(f"models/c-unet/{dtype}", dtype)
    names = parameters(p, {"down": [2, 3, 3, 3], "down_b": [2], "bottom": [4, 2, 3, 3], "bottom_b": [4], "up": [4, 2, 2, 2], "up_b": [2],
                           "join": [2, 4, 3, 3], "join_b": [2], "out": [2, 2, 1, 1], "out_b": [2]})
    optimizer = Adam(p, names, lr=0.001)

    def forward(x, out):
        a = p.relu(p.conv2d(x, "down", "down_b", padding=1))
        b = p.relu(p.conv2d(p.max_pool2d(a, kernel_size=2), "bottom", "bottom_b", padding=1))
        c = p.conv_transpose2d(b, "up", "up_b", stride=2)
        d = p.relu(p.conv2d(p.cat([c, a], dim=1), "join", "join_b", padding=1))
        return p.conv2d(d, "out", "out_b", out=out)

    def target(name):
        return p.input(name, [[[[float(p.numbers.below(2)) for _ in range(6)] for _ in range(6)] for _ in range(2)]])
    for step in range(2):
        x, y = p.input(f"x{step}", shape=[1, 3, 6, 6], domain="small"), target(f"y{step}")
        optimizer.zero_grad()
        loss = p.binary_cross_entropy_with_logits(forward(x, f"logits{step}"), y, out=f"loss{step}")
        p.backward(loss)
        optimizer.step()
        p.observe(loss)
    x, y = p.input("x_validation", shape=[1, 3, 6, 6], domain="small"), target("y_validation")
    with p.block("no_grad"):
        p.binary_cross_entropy_with_logits(forward(x, "logits_validation"), y, out="loss_validation")
    p.observe("loss_validation", "logits_validation")
    return finish(p, names, optimizer)


def adam(dtype):
    """Adam alone: four steps on a small regression."""
    p = Program(f"models/c-adam/{dtype}", dtype)
    names = parameters(p, {"w": [3, 2], "b": [2]})
    optimizer = Adam(p, names, lr=0.1)
    for step in range(4):
        x, y = p.input(f"x{step}", shape=[2, 3]), p.input(f"y{step}", shape=[2, 2])
        optimizer.zero_grad()
        loss = p.mse_loss(p.add(p.matmul(x, "w"), "b"), y, out=f"loss{step}")
        p.backward(loss)
        optimizer.step()
        p.observe(loss)
    return finish(p, names, optimizer)


def linear_regression(dtype):
    """D7: shuffled minibatches by index, squared loss, l.sum().backward(), w -= lr * w.grad / batch; two epochs of 20 samples."""
    p = Program(f"models/d7-linear-regression/{dtype}", dtype)
    n, batch, lr = 20, 5, 0.03
    features = [[p.numbers.between(-2, 2, dtype) for _ in range(2)] for _ in range(n)]
    labels = [[2 * a - 3.4 * b + 4.2 + p.numbers.between(-0.01, 0.01, dtype)] for a, b in features]
    p.input("features", features)
    p.input("labels", labels)
    p.leaf("w", shape=[2, 1], domain=(-0.01, 0.01))
    p.leaf("b", [0.0])
    for epoch in range(2):
        order = p.numbers.shuffled(n)
        for k in range(0, n, batch):
            tag = f"{epoch}_{k // batch}"
            i = p.input(f"i{tag}", **whole(order[k:k + batch]))
            x, y = p.index("features", [i]), p.index("labels", [i])
            prediction = p.add(p.matmul(x, "w"), "b")
            loss = p.div(p.pow(p.sub(prediction, p.reshape(y, shape=[batch, 1])), exponent=2), other=2)
            p.backward(p.sum(loss, out=f"loss{tag}"))
            with p.block("no_grad"):
                for name in ("w", "b"):
                    p.sub_(name, p.div(p.mul(p.get_grad(name), other=lr), other=batch))
                    p.zero_(p.get_grad(name))
        with p.block("no_grad"):
            everything = p.sub(p.add(p.matmul("features", "w"), "b"), "labels")
            p.mean(p.div(p.square(everything), other=2), out=f"epoch{epoch}")
        p.observe(f"epoch{epoch}", f"loss{epoch}_0")
    return finish(p, ["w", "b"])


def conv_kernel(dtype):
    """D8: an edge kernel is learnt from an image with a black band: ten steps of 3e-2 on the summed squared error."""
    p = Program(f"models/d8-conv-kernel/{dtype}", dtype)
    image = [[[[0.0 if 2 <= column < 6 else 1.0 for column in range(8)] for _ in range(6)]]]
    p.input("image", image)
    edge = p.input("edge", [[[[1.0, -1.0]]]])
    target = p.conv2d("image", edge, out="target")
    p.leaf("w", [[[[0.25, -0.375]]]])
    for epoch in range(10):
        loss = p.sum(p.pow(p.sub(p.conv2d("image", "w"), target), exponent=2), out=f"loss{epoch}")
        p.zero_grad("w")
        p.backward(loss)
        data = p.step("data", "w")
        p.sub_(data, p.mul(p.get_grad("w"), other=0.03))
        if epoch % 2:
            p.observe(loss)
    p.observe("target")
    return finish(p, ["w"])


def accuracy(p, logits, labels, out):
    return p.sum(p.to(p.eq(p.argmax(logits, dim=1), labels), dtype=p.dtype), out=out)


def softmax_by_hand(dtype):
    """D9: softmax, cross-entropy by picked probabilities, hand-written updater, sums of loss and correct answers."""
    p = Program(f"models/d9-softmax-by-hand/{dtype}", dtype)
    names = parameters(p, {"w": [6, 4], "b": [4]}, 0.25)
    loss_sum, correct_sum = p.input("loss_sum", 0.0), p.input("correct_sum", 0.0)
    for batch in range(3):
        x = p.input(f"x{batch}", shape=[3, 1, 2, 3], domain=(0, 1))
        y = p.input(f"y{batch}", **whole([p.numbers.below(4) for _ in range(3)]))
        rows = p.input(f"rows{batch}", **whole([0, 1, 2]))
        e = p.exp(p.add(p.matmul(p.reshape(x, shape=[-1, 6]), "w"), "b"))
        probabilities = p.div(e, p.sum(e, dim=[1], keepdim=True), out=f"probabilities{batch}")
        loss = p.neg(p.log(p.index(probabilities, [rows, y])), out=f"loss{batch}")
        p.backward(p.sum(loss))
        with p.block("no_grad"):
            for name in names:
                p.sub_(name, p.div(p.mul(p.get_grad(name), other=0.1), other=3))
                p.zero_(p.get_grad(name))
            p.add_(loss_sum, p.sum(loss))
            p.add_(correct_sum, accuracy(p, probabilities, y, f"correct{batch}"))
        p.observe(loss, probabilities)
    p.observe(loss_sum, correct_sum)
    return finish(p, names)


def softmax_concise(dtype):
    """D9 with a library's optimizer: flatten, linear, cross_entropy, mean, SGD."""
    p = Program(f"models/d9-softmax-concise/{dtype}", dtype)
    names = parameters(p, {"w": [4, 6], "b": [4]}, 0.25)
    optimizer = Sgd(p, names, 0.1)
    for batch in range(3):
        x = p.input(f"x{batch}", shape=[3, 1, 2, 3], domain=(0, 1))
        y = p.input(f"y{batch}", **whole([p.numbers.below(4) for _ in range(3)]))
        logits = p.linear(p.flatten(x, start_dim=1), "w", "b", out=f"logits{batch}")
        loss = p.cross_entropy(logits, y, reduction="none", out=f"loss{batch}")
        optimizer.zero_grad()
        p.backward(p.mean(loss))
        optimizer.step()
        with p.block("no_grad"):
            accuracy(p, logits, y, f"correct{batch}")
        p.observe(loss, f"correct{batch}")
    return finish(p, names)


def two_models(dtype):
    """D6: A trained on its own loss, B on A's detached output, both stepped."""
    p = Program(f"models/d6-two-models-in-a-row/{dtype}", dtype)
    names = parameters(p, {"a": [3, 2], "b": [2, 1]})
    optimizer = Sgd(p, names, 0.1, 0.5)
    for batch in range(2):
        x, y = p.input(f"x{batch}", shape=[4, 3]), p.input(f"y{batch}", shape=[4, 1])
        middle = p.tanh(p.matmul(x, "a"), out=f"middle{batch}")
        optimizer.zero_grad()
        p.backward(p.mse_loss(p.matmul(p.detach(middle), "b"), y, out=f"loss_b{batch}"))
        p.backward(p.mean(p.square(middle), out=f"loss_a{batch}"))
        optimizer.step()
        p.observe(f"loss_a{batch}", f"loss_b{batch}")
    return finish(p, names, optimizer)


def with_dropout(dtype):
    """An MLP with dropout whose mask is an input."""
    p = Program(f"models/mlp-with-dropout/{dtype}", dtype)
    names = parameters(p, MLP)
    optimizer = Sgd(p, names, 0.1)
    for batch in range(2):
        x, y = p.input(f"x{batch}", shape=[3, 4]), p.input(f"y{batch}", **whole([2, 0, 1]))
        mask = p.input(f"mask{batch}", shape=[3, 5], dtype="bool")
        hidden = p.dropout(p.relu(p.linear(x, "w1", "b1")), mask, p=0.5)
        loss = p.cross_entropy(p.linear(hidden, "w2", "b2"), y, out=f"loss{batch}")
        optimizer.zero_grad()
        p.backward(loss)
        optimizer.step()
        p.observe(loss)
    return finish(p, names)


def attention(dtype):
    """One step of a block with embedding, layer_norm, softmax attention and gelu."""
    p = Program(f"models/attention-block/{dtype}", dtype)
    names = parameters(p, {"table": [5, 4], "gain": [4], "shift": [4], "q": [4, 4], "k": [4, 4], "v": [4, 4], "head": [5, 4]})
    optimizer = Sgd(p, names, 0.1)
    tokens, targets = p.input("tokens", **whole([[0, 3, 1], [4, 1, 1]])), p.input("targets", **whole([3, 1, 2, 1, 1, 0]))
    x = p.layer_norm(p.embedding(tokens, "table"), "gain", "shift", normalized_shape=[4])
    scores = p.div(p.bmm(p.linear(x, "q"), p.transpose(p.linear(x, "k"), dim0=1, dim1=2)), other=2.0)
    future = p.eq(p.tril(p.input("ones", [[1.0] * 3] * 3)), other=0)
    weights = p.softmax(p.masked_fill(scores, future, value=float("-inf")), dim=-1, out="weights")
    y = p.add(x, p.gelu(p.bmm(weights, p.linear(x, "v"))))
    loss = p.cross_entropy(p.reshape(p.linear(y, "head"), shape=[6, 5]), targets, out="loss")
    p.backward(loss)
    p.observe("weights", "loss", *(f"{n}.grad" for n in names))
    optimizer.step()
    return finish(p, names)


def programs():
    found = []
    for dtype in ("float32", "float64"):
        found += [training_loop(dtype, 0.9), training_loop(dtype, 0), training_loop(dtype, 0.9, set_to_none=False), every_second_batch(dtype),
                  whole_and_halves(dtype), cifar(dtype), unet(dtype), adam(dtype), two_models(dtype), linear_regression(dtype),
                  conv_kernel(dtype), softmax_by_hand(dtype), softmax_concise(dtype), with_dropout(dtype), attention(dtype)]
    return found
