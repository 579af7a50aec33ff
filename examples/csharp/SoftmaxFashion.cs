using Verified.Engine;
using Verified.Training;

namespace Verified.Examples;

/// <summary>Softmax regression on Fashion-MNIST, first from scratch, then with the library's parts; one epoch function serves both.</summary>
public sealed class SoftmaxFashion : Example
{
    private const int BatchSize = 256;
    private const double LearningRate = 0.1;

    /// <inheritdoc/>
    public override string Name => "softmax-fashion";

    /// <inheritdoc/>
    public override string Summary => "softmax regression on Fashion-MNIST, by hand and by library; draws its curves";

    /// <inheritdoc/>
    public override Outcome Run(ExampleOptions options)
    {
        Rng.ManualSeed(0);
        var (train, test) = Data(options);

        options.Output.WriteLine("From scratch:");
        var w = Rng.Normal(0, 0.01, [784, 10]).RequiresGradInPlace();
        var b = Tensor.Zeros([10], requiresGrad: true);
        var byHand = Train(x => Softmax(x.Reshape([-1, 784]).Matmul(w) + b), train, test, CrossEntropy, size => Sgd([w, b], size), "by-hand", options);

        options.Output.WriteLine("With the library's parts:");
        var net = new Sequential(new Flatten(), new Linear(784, 10));
        net.Apply(m => { if (m is Linear linear) Init.NormalInPlace(linear.Weight, std: 0.01); });
        var loss = new CrossEntropyLoss(reduction: "none");
        var byLibrary = Train(net.Forward, train, test, loss.Forward, new SGD(net.Parameters(), lr: LearningRate), "by-library", options);

        ShowPredictions(net, test, options.Output);
        var mostLoss = options.Small ? 0.9 : 0.5;
        return new Outcome(
            byHand.Holds(mostLoss) && byLibrary.Holds(mostLoss),
            $"train loss under {mostLoss}, both accuracies over 70 %: by hand {byHand}; by library {byLibrary}");
    }

    /// <inheritdoc/>
    public override Func<Tensor> Step()
    {
        Rng.ManualSeed(0);
        var (images, labels) = (Rng.Rand([2, 1, 28, 28]), Tensor.Create([9L, 0]));
        var w = Rng.Normal(0, 0.01, [784, 10]).RequiresGradInPlace();
        var b = Tensor.Zeros([10], requiresGrad: true);
        return () => CrossEntropy(Softmax(images.Reshape([-1, 784]).Matmul(w) + b), labels).Sum();
    }

    private static Tensor Softmax(Tensor x)
    {
        var exponentials = x.Exp();
        return exponentials / exponentials.Sum(1, keepdim: true);
    }

    private static Tensor CrossEntropy(Tensor probabilities, Tensor labels) => -probabilities.Gather(1, labels.Unsqueeze(1)).Squeeze(1).Log();

    private static void Sgd(Tensor[] parameters, int batchSize)
    {
        using var _ = Autograd.NoGrad();
        foreach (var parameter in parameters)
        {
            parameter.SubInPlace(parameter.Grad!, alpha: LearningRate / batchSize);
            parameter.Grad!.ZeroInPlace();
        }
    }

    /// <summary>One epoch: what the tutorials call <c>train_epoch_ch3</c>.</summary>
    /// <param name="net">From images (N, 1, 28, 28) to scores (N, 10).</param>
    /// <param name="data">The batches.</param>
    /// <param name="loss">From scores and labels to a loss for each record.</param>
    /// <param name="updater">An <see cref="Optimizer"/>, or a function that takes the size of the batch.</param>
    /// <returns>The mean loss and the share of right answers.</returns>
    private static (double Loss, double Accuracy) TrainEpoch(Func<Tensor, Tensor> net, IEnumerable<Batch> data, Func<Tensor, Tensor, Tensor> loss, object updater)
    {
        var sums = new Accumulator(3);
        foreach (var (x, y) in data)
        {
            var scores = net(x);
            var l = loss(scores, y);
            if (updater is Optimizer optimizer)
            {
                optimizer.ZeroGrad();
                l.Mean().Backward();
                optimizer.Step();
            }
            else
            {
                l.Sum().Backward();
                ((Action<int>)updater)(x.Size(0));
            }

            sums.Add(l.Detach().Sum().Item(), Correct(scores, y), y.Count);
        }

        return (sums[0] / sums[2], sums[1] / sums[2]);
    }

    private static Final Train(
        Func<Tensor, Tensor> net, DataLoader train, DataLoader test, Func<Tensor, Tensor, Tensor> loss, Action<int> updater, string name, ExampleOptions options) =>
        Train(net, train, test, loss, (object)updater, name, options);

    private static Final Train(
        Func<Tensor, Tensor> net, DataLoader train, DataLoader test, Func<Tensor, Tensor, Tensor> loss, object updater, string name, ExampleOptions options)
    {
        var picture = Path.Combine(options.Folder, "softmax-fashion", name + ".svg");
        var epochs = options.Epochs ?? 10;
        var animator = new Animator(picture, "epoch", ["train loss", "train acc", "test acc"], xRange: (1, epochs), yRange: (0, 1));
        var final = default(Final);
        for (var epoch = 1; epoch <= epochs; epoch++)
        {
            var (trainLoss, trainAccuracy) = TrainEpoch(net, train.Batches(options.Cancellation), loss, updater);
            var testAccuracy = EvaluateAccuracy(net, test.Batches(options.Cancellation));
            final = new Final(trainLoss, trainAccuracy, testAccuracy);
            animator.Add(epoch, trainLoss, trainAccuracy, testAccuracy);
            options.Output.WriteLine($"  epoch {epoch}: {final}");
        }

        options.Output.WriteLine($"  curves: {picture}");
        return final;
    }

    private static double Correct(Tensor scores, Tensor labels) => scores.Argmax(1).Eq(labels).Sum().Item();

    private static double EvaluateAccuracy(Func<Tensor, Tensor> net, IEnumerable<Batch> data)
    {
        using var _ = Autograd.NoGrad();
        var sums = new Accumulator(2);
        foreach (var (x, y) in data) sums.Add(Correct(net(x), y), y.Count);
        return sums[0] / sums[1];
    }

    private static void ShowPredictions(Sequential net, DataLoader test, TextWriter output)
    {
        using var _ = Autograd.NoGrad();
        var (x, y) = test.First();
        var (truth, found) = (FashionMnist.Labels(y.ToLongs().Take(6)), FashionMnist.Labels(net.Forward(x).Argmax(1).ToLongs().Take(6)));
        output.WriteLine("The first test images: " + string.Join("; ", truth.Zip(found, (t, f) => t == f ? t : $"{t}, taken for {f}")));
    }

    private static (DataLoader Train, DataLoader Test) Data(ExampleOptions options)
    {
        ImageDataset train, test;
        if (options.Data is { } folder)
        {
            options.Output.WriteLine($"Fashion-MNIST from {folder}.");
            (train, test) = (FashionMnist.Load(folder, train: true), FashionMnist.Load(folder, train: false));
        }
        else
        {
            options.Output.WriteLine(
                "Generated images of Fashion-MNIST's shape. The real ones: the four .gz files of https://github.com/zalandoresearch/fashion-mnist, folder data/fashion; then --data FOLDER.");
            (train, test) = (Generated.FashionLike(options.Small ? 6000 : 60_000, seed: 1), Generated.FashionLike(options.Small ? 1000 : 10_000, seed: 2));
        }

        return (new DataLoader(train, BatchSize, shuffle: true), new DataLoader(test, BatchSize));
    }

    /// <summary>What the last epoch gave.</summary>
    private readonly record struct Final(double TrainLoss, double TrainAccuracy, double TestAccuracy)
    {
        /// <summary>Whether the tutorial's checks hold.</summary>
        public bool Holds(double mostLoss) => TrainLoss < mostLoss && TrainAccuracy is > 0.7 and <= 1 && TestAccuracy is > 0.7 and <= 1;

        public override string ToString() => $"train loss {TrainLoss:f3}, train acc {TrainAccuracy:f3}, test acc {TestAccuracy:f3}";
    }
}
