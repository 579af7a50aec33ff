using Verified.Engine;
using Verified.Training;

namespace Verified.Examples;

/// <summary>
/// U-Net: down by pooling, up by transposed convolutions, with what was seen on the way down put beside what comes up. (N, in, H, W) to (N, out, H, W);
/// H and W are multiples of 2 to the depth.
/// </summary>
/// <remarks>Source: Ronneberger, Fischer, Brox: U-Net: Convolutional Networks for Biomedical Image Segmentation, 2015; with padding and batch normalisation.</remarks>
public sealed class UNet : Module
{
    private readonly ModuleList downs = new(), ups = new(), ascents = new();
    private readonly DoubleConv bottom;
    private readonly MaxPool2d pool = new(2);
    private readonly Conv2d head;

    /// <summary>A net of the given width and depth.</summary>
    /// <param name="inChannels">Channels of the images.</param>
    /// <param name="outChannels">Channels of the logits: one for each kind of thing that is looked for.</param>
    /// <param name="width">Channels after the first convolutions; doubled at each level.</param>
    /// <param name="depth">How often the image is halved.</param>
    /// <param name="dropout">The probability with which features at the bottom are dropped in training.</param>
    public UNet(int inChannels = 3, int outChannels = 2, int width = 16, int depth = 3, double dropout = 0)
    {
        var (before, after) = (inChannels, width);
        for (var level = 0; level < depth; level++, before = after, after *= 2) downs.Add(new DoubleConv(before, after));
        bottom = new DoubleConv(before, after, dropout);
        for (var level = 0; level < depth; level++, after /= 2)
        {
            ascents.Add(new ConvTranspose2d(after, after / 2, kernelSize: 2, stride: 2));
            ups.Add(new DoubleConv(after, after / 2));
        }

        head = new Conv2d(after, outChannels, kernelSize: 1);
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input)
    {
        var seen = new Stack<Tensor>();
        var x = input;
        foreach (var down in downs)
        {
            x = down.Forward(x);
            seen.Push(x);
            x = pool.Forward(x);
        }

        x = bottom.Forward(x);
        foreach (var (ascent, up) in ascents.Zip(ups)) x = up.Forward(Tensor.Cat([seen.Pop(), ascent.Forward(x)], dim: 1));
        return head.Forward(x);
    }

    /// <summary>Twice: a 3 x 3 convolution, batch normalisation, ReLU.</summary>
    private sealed class DoubleConv(int inChannels, int outChannels, double dropout = 0) : Module
    {
        private readonly Sequential layers = new(
            [
                new Conv2d(inChannels, outChannels, kernelSize: 3, padding: 1, bias: false),
                new BatchNorm2d(outChannels),
                new ReLU(),
                .. dropout > 0 ? [new Dropout(dropout)] : Array.Empty<Module>(),
                new Conv2d(outChannels, outChannels, kernelSize: 3, padding: 1, bias: false),
                new BatchNorm2d(outChannels),
                new ReLU(),
            ]);

        public override Tensor Forward(Tensor input) => layers.Forward(input);
    }
}
