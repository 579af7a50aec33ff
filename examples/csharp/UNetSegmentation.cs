using Verified.Engine;
using Verified.Training;

namespace Verified.Examples;

/// <summary>
/// A U-Net finds two kinds of things in images: Adam, a loss of logits, a gradient scaler, a progress bar, TensorBoard, a checkpoint every epoch, and going on
/// from one.
/// </summary>
/// <param name="network">Makes what is trained, images (N, 3, H, W) to as many logits of each pixel as it is told; a U-Net where left out.</param>
public sealed class UNetSegmentation(Func<int, Module>? network = null) : Example
{
    private const double Target = 0.8;
    private const int Depth = 3;

    /// <inheritdoc/>
    public override string Name => "unet";

    /// <inheritdoc/>
    public override string Summary => "U-Net segmentation with scaler, progress bar, TensorBoard, checkpoint and resume";

    /// <inheritdoc/>
    public override ExampleUses Uses => ExampleUses.All;

    /// <inheritdoc/>
    public override Outcome Run(ExampleOptions options)
    {
        Rng.ManualSeed(0);
        var (trainSet, validSet) = Data(options);
        var trainLoader = new DataLoader(trainSet, batchSize: 8, shuffle: true, numWorkers: 2);
        var validLoader = new DataLoader(validSet, batchSize: 8);
        var kinds = trainSet[0].Target.Size(0);
        var model = network?.Invoke(kinds) ?? (options.Small ? new UNet(outChannels: kinds, width: 8, depth: 2) : new UNet(outChannels: kinds, depth: Depth));
        var optimizer = new Adam(model.Parameters(), lr: options.Small ? 3e-3 : 1e-3);
        var scaler = new GradScaler();
        var sums = new Accumulator(2);
        var run = new SavedRun(
            options, Name, ("model", model), ("optimizer", optimizer), ("scaler", scaler), ("loader", trainLoader), ("random", Generator.Default), ("sums", sums));

        using var writer = new SummaryWriter(Path.Combine(options.Folder, Name, "tensorboard"));
        run.Epochs(options.Epochs ?? (options.Small ? 6 : 10), epoch =>
        {
            var trainLoss = TrainEpoch(model, trainLoader, optimizer, scaler, sums, epoch, options.Cancellation);
            var (validLoss, validDice) = Evaluate(model, validLoader);
            writer.AddScalar("loss/train", trainLoss, epoch);
            writer.AddScalar("loss/valid", validLoss, epoch);
            writer.AddScalar("dice/valid", validDice, epoch);
            options.Output.WriteLine($"epoch {epoch}: train loss {trainLoss:f4}, valid loss {validLoss:f4}, dice {validDice:f3}");
        });

        var (_, dice) = Evaluate(model, validLoader);
        return new Outcome(dice > Target, $"a Dice coefficient over {Target} on images not trained on: it is {dice:f3}");
    }

    /// <inheritdoc/>
    public override Func<Tensor> Step()
    {
        Rng.ManualSeed(0);
        var (model, loss) = (new UNet(width: 2, depth: 2, dropout: 0.2), new BCEWithLogitsLoss());
        var (images, masks) = (Rng.Rand([2, 3, 8, 8]), Rng.Bernoulli([2, 2, 8, 8], 0.5));
        return () => loss.Forward(model.Forward(images), masks);
    }

    private (Dataset Train, Dataset Valid) Data(ExampleOptions options)
    {
        if (DataFolder(options) is { } folder)
        {
            options.Output.WriteLine($"Images and masks from {folder}.");
            var all = new SegmentationFolder(Path.Combine(folder, "images"), Path.Combine(folder, "masks"));
            var shape = all[0].Input.Shape;
            const int multiple = 1 << Depth;
            if (shape[1] % multiple != 0 || shape[2] % multiple != 0)
                throw new FileFormatException(all.ImagePath(0), $"the image is {shape[2]} x {shape[1]}; the net halves it {Depth} times, so its sizes must be multiples of {multiple}");
            var parts = all.RandomSplit([all.Count - all.Count / 5, all.Count / 5]);
            return (parts[0], parts[1]);
        }

        options.Output.WriteLine(
            "Generated images with masks. Real ones, such as CVC-ClinicDB (https://polyp.grand-challenge.org/CVCClinicDB): PNG or PNM files of one size in FOLDER/images, "
            + $"masks of the same names in FOLDER/masks; then --data FOLDER, or {DefaultDataFolder} as the folder.");
        var size = options.Small ? 32 : 64;
        return (Generated.Segmentation(options.Small ? 200 : 400, size, seed: 1), Generated.Segmentation(options.Small ? 40 : 80, size, seed: 2));
    }

    /// <summary>An epoch, or the rest of one that was stopped: the sums over its batches are among what is saved.</summary>
    private static double TrainEpoch(
        Module model, DataLoader loader, Adam optimizer, GradScaler scaler, Accumulator sums, int epoch, CancellationToken cancellation)
    {
        var criterion = new BCEWithLogitsLoss();
        model.Train();
        var bar = Progress.Bar(loader.Batches(cancellation), $"epoch {epoch}", loader.Count - loader.Position);
        foreach (var (images, masks) in bar)
        {
            optimizer.ZeroGrad();
            var loss = criterion.Forward(model.Forward(images), masks);
            scaler.Scale(loss).Backward();
            scaler.Step(optimizer);
            scaler.Update();
            sums.Add(loss.Item() * images.Size(0), images.Size(0));
            bar.SetPostfix(("loss", sums[0] / sums[1]));
        }

        var mean = sums[0] / sums[1];
        sums.Reset();
        return mean;
    }

    /// <summary>Loss, and the Dice coefficient: twice the overlap over the sum of both areas. Not stopped in between: it belongs to the epoch that it follows.</summary>
    private static (double Loss, double Dice) Evaluate(Module model, DataLoader loader)
    {
        using var _ = Autograd.NoGrad();
        var criterion = new BCEWithLogitsLoss(reduction: "sum");
        var sums = new Accumulator(4);
        model.Eval();
        foreach (var (images, masks) in loader)
        {
            var logits = model.Forward(images);
            var found = logits.Gt(0).To(masks.DType);
            sums.Add(criterion.Forward(logits, masks).Item(), masks.Count, (found * masks).Sum().Item(), (found + masks).Sum().Item());
        }

        return (sums[0] / sums[1], 2 * sums[2] / sums[3]);
    }
}
