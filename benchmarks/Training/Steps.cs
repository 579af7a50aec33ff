using Verified.Engine;

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
        var initial = new Initial(1);
        var (w1, b1) = initial.Layer(256, 784);
        var (w2, b2) = initial.Layer(256, 256);
        var (w3, b3) = initial.Layer(10, 256);
        var optimizer = new Momentum(0.01, 0.9, w1, b1, w2, b2, w3, b3);
        var x = initial.Uniform([64, 784], 1);
        var y = initial.Classes(64, 10);
        return () =>
        {
            x.Linear(w1, b1).Relu().Linear(w2, b2).Relu().Linear(w3, b3).CrossEntropy(y).Backward();
            optimizer.Step();
        };
    }

    /// <summary>Two convolutions of 5x5 with pooling, three layers: the network of PyTorch's CIFAR-10 tutorial.</summary>
    private static Action LeNet(int batch)
    {
        var initial = new Initial(2);
        var (c1, d1) = initial.Layer(6, 3, 5, 5);
        var (c2, d2) = initial.Layer(16, 6, 5, 5);
        var (w1, b1) = initial.Layer(120, 400);
        var (w2, b2) = initial.Layer(84, 120);
        var (w3, b3) = initial.Layer(10, 84);
        var optimizer = new Momentum(0.001, 0.9, c1, d1, c2, d2, w1, b1, w2, b2, w3, b3);
        var x = initial.Uniform([batch, 3, 32, 32], 1);
        var y = initial.Classes(batch, 10);
        return () =>
        {
            var h = x.Conv2d(c1, d1).Relu().MaxPool2d(2).Conv2d(c2, d2).Relu().MaxPool2d(2).Flatten(1);
            h.Linear(w1, b1).Relu().Linear(w2, b2).Relu().Linear(w3, b3).CrossEntropy(y).Backward();
            optimizer.Step();
        };
    }

    private static Action SoftmaxRegression()
    {
        var initial = new Initial(3);
        var (w, b) = initial.Layer(10, 784);
        var optimizer = new Momentum(0.1, 0, w, b);
        var x = initial.Uniform([256, 1, 28, 28], 1);
        var y = initial.Classes(256, 10);
        return () =>
        {
            x.Flatten(1).Linear(w, b).CrossEntropy(y).Backward();
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
