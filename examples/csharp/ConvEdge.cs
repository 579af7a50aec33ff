using Verified.Engine;
using Verified.Training;

namespace Verified.Examples;

/// <summary>A convolution learns the kernel that finds edges, from an image and its edges alone.</summary>
public sealed class ConvEdge : Example
{
    /// <inheritdoc/>
    public override string Name => "conv-edge";

    /// <inheritdoc/>
    public override string Summary => "a convolution kernel learnt from an image and its edges; ends near [1, -1]";

    /// <inheritdoc/>
    public override ExampleUses Uses => ExampleUses.Epochs;

    /// <inheritdoc/>
    public override Outcome Run(ExampleOptions options)
    {
        Rng.ManualSeed(0);
        var (image, edges) = ImageAndEdges();
        var conv = new Conv2d(1, 1, kernelSize: (1, 2), bias: false);
        const double learningRate = 3e-2;

        for (var i = 1; i <= (options.Epochs ?? 10); i++)
        {
            options.Cancellation.ThrowIfCancellationRequested();
            var loss = (conv.Forward(image) - edges).Square().Sum();
            conv.ZeroGrad();
            loss.Backward();
            using (Autograd.NoGrad()) conv.Weight.SubInPlace(conv.Weight.Grad!, alpha: learningRate);
            if (i % 2 == 0) options.Output.WriteLine($"epoch {i}, loss {loss.Item():f3}");
        }

        var kernel = conv.Weight.Detach().Reshape([1, 2]);
        options.Output.WriteLine($"kernel: {kernel}");
        var k = kernel.ToDoubles();
        var error = Math.Max(Math.Abs(k[0] - 1), Math.Abs(k[1] + 1));
        return new Outcome(error < 0.1, $"the kernel within 0.1 of [1, -1]: the largest error is {error:f4}");
    }

    /// <inheritdoc/>
    public override Func<Tensor> Step()
    {
        Rng.ManualSeed(0);
        var (image, edges) = ImageAndEdges();
        var conv = new Conv2d(1, 1, kernelSize: (1, 2), bias: false);
        return () => (conv.Forward(image) - edges).Square().Sum();
    }

    /// <summary>A white image with a black band, (1, 1, 6, 8), and where its columns change: 1 from white to black, -1 back, (1, 1, 6, 7).</summary>
    private static (Tensor Image, Tensor Edges) ImageAndEdges()
    {
        var image = Tensor.Ones([1, 1, 6, 8]);
        image.Narrow(3, 2, 4).ZeroInPlace();
        return (image, image.Conv2d(Tensor.Create([1f, -1f], [1, 1, 1, 2])));
    }
}
