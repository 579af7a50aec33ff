using Verified.Engine;
using Verified.Training;
using Linear = Verified.Training.Linear;

namespace Verified.Benchmarks.Training;

/// <summary>A training step: forward, backward, and the parameters' update.</summary>
/// <param name="Name">How tables call it.</param>
/// <param name="Case">The same step's name in <c>pytorch_steps.py</c>.</param>
/// <param name="Make">Makes the model and gives its step.</param>
/// <param name="Per">How many operations or steps one call stands for.</param>
internal sealed record Step(string Name, string Case, Func<Action> Make, int Per = 1);

/// <summary>The steps that are measured; <c>pytorch_steps.py</c> has the same ones under the same names.</summary>
internal static class Steps
{
    public static readonly Step[] All =
    [
        new("MLP 784-256-256-10, batch 64, momentum", "mlp", Mlp),
        new("LeNet, batch 4, momentum", "lenet4", () => LeNet(4)),
        new("LeNet, batch 64, momentum", "lenet64", () => LeNet(64)),
        new("softmax regression 784-10, batch 256", "softmax", SoftmaxRegression),
        new("linear regression, 2 features, batch 10", "linear", LinearRegression),
        new("100 multiplications of one element, forward and backward (an operation)", "chain", Chain, 100),
        new("100 multiplications of one element, forward alone (an operation)", "chain_forward", ChainForward, 100),
        new("100 multiplications of 1000 elements, forward and backward (an operation)", "chain1000", () => Chain(1000), 100),
    ];

    public static Action Mlp()
    {
        Rng.ManualSeed(1);
        var model = new Sequential(new Linear(784, 256), new ReLU(), new Linear(256, 256), new ReLU(), new Linear(256, 10));
        return Train(model, new SGD(model.Parameters(), lr: 0.01, momentum: 0.9), [64, 784]);
    }

    /// <summary>Two convolutions of 5x5 with pooling, three layers: the network of PyTorch's CIFAR-10 tutorial.</summary>
    private static Action LeNet(int batch)
    {
        Rng.ManualSeed(2);
        var model = new Sequential(
            new Conv2d(3, 6, 5), new ReLU(), new MaxPool2d(2), new Conv2d(6, 16, 5), new ReLU(), new MaxPool2d(2),
            new Flatten(), new Linear(400, 120), new ReLU(), new Linear(120, 84), new ReLU(), new Linear(84, 10));
        return Train(model, new SGD(model.Parameters(), lr: 0.001, momentum: 0.9), [batch, 3, 32, 32]);
    }

    private static Action SoftmaxRegression()
    {
        Rng.ManualSeed(3);
        var model = new Sequential(new Flatten(), new Linear(784, 10));
        return Train(model, new SGD(model.Parameters(), lr: 0.1), [256, 1, 28, 28]);
    }

    /// <summary>The plain loop's step on one batch of random inputs and classes.</summary>
    private static Action Train(Module model, Optimizer optimizer, int[] shape)
    {
        var (x, y) = (Rng.Randn(shape), Rng.Randint(0, 10, [shape[0]]));
        var criterion = new CrossEntropyLoss();
        return () =>
        {
            optimizer.ZeroGrad();
            criterion.Forward(model.Forward(x), y).Backward();
            optimizer.Step();
        };
    }

    /// <summary>Written from scratch: no layer, no loss, no optimizer.</summary>
    private static Action LinearRegression()
    {
        var initial = new Initial(4);
        var w = initial.Uniform([2, 1], 0.01, requiresGrad: true);
        var b = Tensor.Zeros([1], requiresGrad: true);
        var x = initial.Uniform([10, 2], 1);
        var y = initial.Uniform([10, 1], 1);
        Tensor[] parameters = [w, b];
        return () =>
        {
            var distance = x.Matmul(w) + b - y;
            (distance.Square() / 2).Sum().Backward();
            using var off = Autograd.NoGrad();
            foreach (var p in parameters)
            {
                p.SubInPlace(p.Grad! * 0.03 / 10);
                p.Grad!.ZeroInPlace();
            }
        };
    }

    private static Action Chain() => Chain(1);

    private static Action Chain(int count)
    {
        var initial = new Initial(5);
        var x = initial.Uniform([count], 1, requiresGrad: true);
        var y = Tensor.Full([count], 0.99, requiresGrad: true);
        return () =>
        {
            var z = x;
            for (var i = 0; i < 100; i++) z = z * y;
            z.Sum().Backward();
            x.Grad = null;
            y.Grad = null;
        };
    }

    private static Action ChainForward()
    {
        var initial = new Initial(5);
        var x = initial.Uniform([1], 1, requiresGrad: true);
        var y = Tensor.Full([1], 0.99, requiresGrad: true);
        return () =>
        {
            var z = x;
            for (var i = 0; i < 100; i++) z = z * y;
        };
    }
}
