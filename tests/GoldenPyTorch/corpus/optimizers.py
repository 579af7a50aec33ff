"""Optimizers written out as program steps, in the order of operations of torch.optim's one-tensor loops."""


class Sgd:
    def __init__(self, p, parameters, lr, momentum=0.0, set_to_none=True):
        self.p, self.parameters, self.lr, self.momentum, self.set_to_none = p, parameters, lr, momentum, set_to_none
        self.buffers, self.steps = {}, 0

    def zero_grad(self):
        for name in self.parameters:
            if self.set_to_none:
                self.p.zero_grad(name)
            else:
                self.p.zero_grad(name, set_to_none=False)

    def step(self):
        self.steps += 1
        p = self.p
        with p.block("no_grad"):
            for name in self.parameters:
                gradient = p.get_grad(name, out=f"{name}_g{self.steps}")
                if self.momentum and name not in self.buffers:
                    self.buffers[name] = p.clone(gradient, out=f"{name}_momentum")
                elif self.momentum:
                    p.mul_(self.buffers[name], other=self.momentum)
                    p.add_(self.buffers[name], gradient, alpha=1)
                p.add_(name, self.buffers.get(name, gradient), alpha=-self.lr)

    def state(self):
        return list(self.buffers.values())


class Adam:
    def __init__(self, p, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.p, self.parameters, self.lr, self.betas, self.eps = p, parameters, lr, betas, eps
        self.steps = 0
        for name in parameters:
            entry = p.inputs[name]
            for moment in ("m", "v"):
                p.inputs[f"{name}_{moment}"] = {"dtype": entry["dtype"], "shape": entry["shape"], "data": [0] * len(entry["data"])}

    def zero_grad(self):
        for name in self.parameters:
            self.p.zero_grad(name)

    def step(self):
        self.steps += 1
        p, t, (beta1, beta2) = self.p, self.steps, self.betas
        size, root = self.lr / (1 - beta1 ** t), (1 - beta2 ** t) ** 0.5
        with p.block("no_grad"):
            for name in self.parameters:
                gradient = p.get_grad(name, out=f"{name}_g{t}")
                p.lerp_(f"{name}_m", gradient, weight=1 - beta1)
                p.mul_(f"{name}_v", other=beta2)
                p.addcmul_(f"{name}_v", gradient, gradient, value=1 - beta2)
                denominator = p.div(p.sqrt(f"{name}_v"), other=root)
                p.add_(denominator, other=self.eps)
                p.addcdiv_(name, f"{name}_m", denominator, value=-size)

    def state(self):
        return [f"{name}_{moment}" for name in self.parameters for moment in ("m", "v")]
