using Verified.Engine;
using Verified.Training;

namespace Verified.Examples;

/// <summary>The small convolutional network of PyTorch's CIFAR-10 tutorial: images (N, 3, 32, 32) to scores (N, 10).</summary>
public sealed class Net : Module
{
    private readonly Conv2d conv1 = new(3, 6, 5);
    private readonly MaxPool2d pool = new(2, 2);
    private readonly Conv2d conv2 = new(6, 16, 5);
    private readonly Linear fc1 = new(16 * 5 * 5, 120);
    private readonly Linear fc2 = new(120, 84);
    private readonly Linear fc3 = new(84, 10);

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input)
    {
        var x = pool.Forward(conv1.Forward(input).Relu());
        x = pool.Forward(conv2.Forward(x).Relu());
        x = x.Flatten(1);
        x = fc1.Forward(x).Relu();
        x = fc2.Forward(x).Relu();
        return fc3.Forward(x);
    }
}
