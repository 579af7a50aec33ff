using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Verified.Engine;
using Verified.Training;

namespace Verified.Examples.BesidePyTorch;

/// <summary>
/// A training of which seeds decide everything: initial weights and batches have PyTorch's bits. <c>tests/Training/goldens/trainings.py</c> is the same in
/// PyTorch.
/// </summary>
public sealed class SeededTraining
{
    private readonly Func<Module> build;
    private readonly Func<IEnumerable<Tensor>, Optimizer> optimize;
    private readonly Loss criterion;
    private readonly Func<Generator, IEnumerable<Batch>> draw;

    private SeededTraining(
        string name, Func<Module> build, Func<IEnumerable<Tensor>, Optimizer> optimize, Loss criterion, Func<Generator, IEnumerable<Batch>> draw) =>
        (Name, this.build, this.optimize, this.criterion, this.draw) = (name, build, optimize, criterion, draw);

    /// <summary>A perceptron, the network of the CIFAR-10 tutorial, and a small U-Net.</summary>
    public static IReadOnlyList<SeededTraining> All { get; } =
    [
        new("mlp", Mlp, p => new SGD(p, lr: 0.01, momentum: 0.9), new CrossEntropyLoss(), g => Classes(g, 0.25, 16, 1, 14, 14)),
        new("cifar10", () => new Net(), p => new SGD(p, lr: 0.001, momentum: 0.9), new CrossEntropyLoss(), g => Classes(g, 3, 4, 3, 32, 32)),
        new("unet", () => new UNet(width: 4, depth: 2), p => new Adam(p, lr: 0.001), new BCEWithLogitsLoss(), g => Masks(g, 2, 3, 16, 16)),
    ];

    /// <summary>The network's name.</summary>
    public string Name { get; }

    /// <summary>The network with its initial weights, float32. Seeds the default generator.</summary>
    public Module Network()
    {
        Rng.ManualSeed(0);
        return build();
    }

    /// <summary>The batches, float32, without end.</summary>
    public IEnumerable<Batch> Batches() => draw(new Generator(1));

    /// <summary>Trains a network, a step for each loss that is asked for.</summary>
    public IEnumerable<double> Train(Module net)
    {
        var optimizer = optimize(net.Parameters());
        var dtype = net.Parameters().First().DType;
        foreach (var (x, y) in Batches())
        {
            optimizer.ZeroGrad();
            var loss = criterion.Forward(net.Forward(x.To(dtype)), y.DType.IsFloat() ? y.To(dtype) : y);
            loss.Backward();
            optimizer.Step();
            yield return loss.Item();
        }
    }

    /// <summary>Tells whether tensors, float32 or int64, have the same bits: SHA-256 of their bytes, in hexadecimal.</summary>
    public static string Digest(IEnumerable<Tensor> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var each in tensors)
            hash.AppendData(each.DType == DType.Float32 ? MemoryMarshal.AsBytes<float>(each.ToFloats()) : MemoryMarshal.AsBytes<long>(each.ToLongs()));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static Sequential Mlp() => new(new Flatten(), new Linear(196, 64), new ReLU(), new Linear(64, 32), new ReLU(), new Linear(32, 10));

    private static Tensor Uniform(Generator generator, params int[] shape) => Rng.Rand(shape, generator: generator) * 2 - 1;

    /// <summary>Batches of ten kinds of images: a pattern of each kind, so strong under noise.</summary>
    private static IEnumerable<Batch> Classes(Generator generator, double strength, int count, params int[] shape)
    {
        var patterns = Uniform(generator, [10, .. shape]);
        while (true)
        {
            var labels = Rng.Randint(0, 10, [count], generator);
            yield return new Batch(patterns.IndexSelect(0, labels) * strength + Uniform(generator, [count, .. shape]), labels);
        }
    }

    /// <summary>Batches of images with two masks, which each pixel's own channels decide.</summary>
    private static IEnumerable<Batch> Masks(Generator generator, int count, params int[] shape)
    {
        while (true)
        {
            var x = Uniform(generator, [count, .. shape]);
            yield return new Batch(x, (x.Narrow(1, 0, 2) + x.Narrow(1, 1, 2)).Gt(0).To(x.DType));
        }
    }
}
