using Verified.Engine;
using Verified.Training;

namespace Verified.Examples;

/// <summary>The classic small convolutional network on CIFAR-10, with the tutorial's print-out.</summary>
/// <param name="network">Makes what is trained, images (N, 3, 32, 32) to scores (N, 10); the tutorial's network where left out.</param>
public sealed class Cifar10Example(Func<Module>? network = null) : Example
{
    private const int BatchSize = 4;

    /// <inheritdoc/>
    public override string Name => "cifar10";

    /// <inheritdoc/>
    public override string Summary => "a small convolutional network on CIFAR-10: [epoch, batch] loss, Finished Training";

    /// <inheritdoc/>
    public override ExampleUses Uses => ExampleUses.All;

    /// <inheritdoc/>
    public override Outcome Run(ExampleOptions options)
    {
        Rng.ManualSeed(0);
        var (trainSet, testSet) = Data(options);
        var trainLoader = new DataLoader(trainSet, BatchSize, shuffle: true, numWorkers: 2);
        var net = network?.Invoke() ?? new Net();
        var criterion = new CrossEntropyLoss();
        var optimizer = new SGD(net.Parameters(), lr: 0.001, momentum: 0.9);
        var every = options.Small ? 250 : 2000;

        var runningLoss = new Accumulator(1);
        var run = new SavedRun(
            options, Name, ("model", net), ("optimizer", optimizer), ("loader", trainLoader), ("random", Generator.Default), ("running loss", runningLoss));

        run.Epochs(options.Epochs ?? 2, epoch =>
        {
            foreach (var (inputs, labels) in trainLoader.Batches(options.Cancellation))
            {
                optimizer.ZeroGrad();
                var loss = criterion.Forward(net.Forward(inputs), labels);
                loss.Backward();
                optimizer.Step();

                runningLoss.Add(loss.Item());
                if (trainLoader.Position % every != 0) continue;
                options.Output.WriteLine($"[{epoch}, {trainLoader.Position,5}] loss: {runningLoss[0] / every:f3}");
                runningLoss.Reset();
            }

            runningLoss.Reset();
        });

        options.Output.WriteLine("Finished Training");
        var accuracy = Accuracy(net, testSet, options.Cancellation);
        options.Output.WriteLine($"Accuracy of the network on the {testSet.Count} test images: {accuracy:p0}");
        var target = options.Small ? 0.35 : 0.5;
        return new Outcome(accuracy > target, $"test accuracy over {target:p0}: it is {accuracy:p1}");
    }

    /// <inheritdoc/>
    public override Func<Tensor> Step()
    {
        Rng.ManualSeed(0);
        var (net, criterion) = (new Net(), new CrossEntropyLoss());
        var (images, labels) = (Rng.Randn([2, 3, 32, 32]), Tensor.Create([3L, 8]));
        return () => criterion.Forward(net.Forward(images), labels);
    }

    private (Dataset Train, Dataset Test) Data(ExampleOptions options)
    {
        ImageDataset train, test;
        if (DataFolder(options) is { } folder)
        {
            options.Output.WriteLine($"CIFAR-10 from {folder}.");
            (train, test) = (Cifar10.Load(folder, train: true), Cifar10.Load(folder, train: false));
        }
        else
        {
            options.Output.WriteLine(
                "Generated images of CIFAR-10's shape. The real ones: https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz, unpacked; then --data FOLDER, "
                + $"or its files in {DefaultDataFolder}.");
            (train, test) = (Generated.CifarLike(options.Small ? 4000 : 50_000, seed: 1), Generated.CifarLike(options.Small ? 500 : 10_000, seed: 2));
        }

        var normalize = Transforms.Normalize(mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]);
        return options.Small
            ? (train.Take(4000).MapInput(normalize), test.Take(500).MapInput(normalize))
            : (train.MapInput(normalize), test.MapInput(normalize));
    }

    private static double Accuracy(Module net, Dataset data, CancellationToken cancellation)
    {
        using var _ = Autograd.NoGrad();
        net.Eval();
        var correct = new DataLoader(data, batchSize: 100).Batches(cancellation)
            .Sum(batch => net.Forward(batch.Input).Argmax(dim: 1).Eq(batch.Target).Sum().Item());
        net.Train();
        return correct / data.Count;
    }
}
