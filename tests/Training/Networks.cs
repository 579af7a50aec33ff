using Verified.Engine;

namespace Verified.Training.Tests;

/// <summary>The network of PyTorch's CIFAR-10 tutorial.</summary>
internal sealed class Cifar : Module
{
    private readonly Conv2d conv1 = new(3, 6, 5);
    private readonly MaxPool2d pool = new(2, 2);
    private readonly Conv2d conv2 = new(6, 16, 5);
    private readonly Linear fc1 = new(16 * 5 * 5, 120);
    private readonly Linear fc2 = new(120, 84);
    private readonly Linear fc3 = new(84, 10);

    public override Tensor Forward(Tensor x)
    {
        x = pool.Forward(conv1.Forward(x).Relu());
        x = pool.Forward(conv2.Forward(x).Relu());
        x = fc1.Forward(x.Flatten(1)).Relu();
        return fc3.Forward(fc2.Forward(x).Relu());
    }
}

/// <summary>A small U-Net: two steps down, two up.</summary>
internal sealed class UNet(int width = 4) : Module
{
    private readonly Sequential inc = DoubleConv(3, width);
    private readonly Sequential down1 = DoubleConv(width, 2 * width);
    private readonly Sequential down2 = DoubleConv(2 * width, 4 * width);
    private readonly MaxPool2d pool = new(2);
    private readonly ConvTranspose2d up1 = new(4 * width, 2 * width, 2, 2);
    private readonly Sequential conv1 = DoubleConv(4 * width, 2 * width);
    private readonly ConvTranspose2d up2 = new(2 * width, width, 2, 2);
    private readonly Sequential conv2 = DoubleConv(2 * width, width);
    private readonly Conv2d outc = new(width, 2, 1);

    public override Tensor Forward(Tensor x)
    {
        var a = inc.Forward(x);
        var b = down1.Forward(pool.Forward(a));
        var c = down2.Forward(pool.Forward(b));
        var d = conv1.Forward(Tensor.Cat([b, up1.Forward(c)], 1));
        var e = conv2.Forward(Tensor.Cat([a, up2.Forward(d)], 1));
        return outc.Forward(e);
    }

    private static Sequential DoubleConv(int inputs, int outputs) => new(
        new Conv2d(inputs, outputs, 3, padding: 1, bias: false),
        new BatchNorm2d(outputs),
        new ReLU(inplace: true),
        new Conv2d(outputs, outputs, 3, padding: 1, bias: false),
        new BatchNorm2d(outputs),
        new ReLU(inplace: true));
}
