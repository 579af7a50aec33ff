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
    public override ExampleUses Uses => ExampleUses.All;

    /// <inheritdoc/>
    public override Outcome Run(ExampleOptions options)
    {
        Rng.ManualSeed(0);
        var (train, test) = Data(options);

        var w = Rng.Normal(0, 0.01, [784, 10]).RequiresGradInPlace();
        var b = Tensor.Zeros([10], requiresGrad: true);

        var net = new Sequential(new Flatten(), new Linear(784, 10));
        net.Apply(m => { if (m is Linear linear) Init.NormalInPlace(linear.Weight, std: 0.01); });
        var criterion = new CrossEntropyLoss(reduction: "none");
        var optimizer = new SGD(net.Parameters(), lr: LearningRate);

        var epochs = options.Epochs ?? 10;
        var sums = new Accumulator(3);
        var (byHand, byLibrary) = (Curves("by-hand.svg"), Curves("by-library.svg"));
        var run = new SavedRun(
            options,
            Name,
            ("by hand", new ByHand(w, b)),
            ("net", net),
            ("optimizer", optimizer),
            ("loader", train),
            ("random", Generator.Default),
            ("sums", sums),
            ("curves by hand", byHand),
            ("curves by library", byLibrary));

        options.Output.WriteLine("From scratch:");
        run.Epochs(
            epochs,
            epoch => Epoch(
                epoch,
                x => Softmax(x.Reshape([-1, 784]).Matmul(w) + b),
                CrossEntropy,
                losses =>
                {
                    losses.Sum().Backward();
                    Sgd([w, b], losses.Count);
                },
                byHand),
            "by hand");

        options.Output.WriteLine("With the library's parts:");
        run.Epochs(
            epochs,
            epoch => Epoch(
                epoch,
                net.Forward,
                criterion.Forward,
                losses =>
                {
                    optimizer.ZeroGrad();
                    losses.Mean().Backward();
                    optimizer.Step();
                },
                byLibrary),
            "by library");

        options.Output.WriteLine($"Curves: {Picture("by-hand.svg")}, {Picture("by-library.svg")}");
        ShowPredictions(net, test, options.Output);
        var mostLoss = options.Small ? 0.9 : 0.5;
        return new Outcome(
            Holds(byHand.Last, mostLoss) && Holds(byLibrary.Last, mostLoss),
            $"train loss under {mostLoss}, both accuracies over 70 %: by hand {Text(byHand.Last)}; by library {Text(byLibrary.Last)}");

        string Picture(string name) => Path.Combine(options.Folder, Name, name);

        Animator Curves(string picture) => new(Picture(picture), "epoch", ["train loss", "train acc", "test acc"], xRange: (1, epochs), yRange: (0, 1));

        void Epoch(int epoch, Func<Tensor, Tensor> model, Func<Tensor, Tensor, Tensor> loss, Action<Tensor> update, Animator curves)
        {
            var (trainLoss, trainAccuracy) = TrainEpoch(model, train.Batches(options.Cancellation), loss, update, sums);
            curves.Add(epoch, trainLoss, trainAccuracy, EvaluateAccuracy(model, test));
            options.Output.WriteLine($"  epoch {epoch}: {Text(curves.Last)}");
        }
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
    /// <param name="update">Changes the parameters by these losses: by hand, or with an <see cref="Optimizer"/>.</param>
    /// <param name="sums">Losses, right answers and records so far, should the epoch have been stopped; all 0 afterwards.</param>
    /// <returns>The mean loss and the share of right answers.</returns>
    private static (double Loss, double Accuracy) TrainEpoch(
        Func<Tensor, Tensor> net, IEnumerable<Batch> data, Func<Tensor, Tensor, Tensor> loss, Action<Tensor> update, Accumulator sums)
    {
        foreach (var (x, y) in data)
        {
            var scores = net(x);
            var losses = loss(scores, y);
            update(losses);
            sums.Add(losses.Detach().Sum().Item(), Correct(scores, y), y.Count);
        }

        var means = (sums[0] / sums[2], sums[1] / sums[2]);
        sums.Reset();
        return means;
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

    private (DataLoader Train, DataLoader Test) Data(ExampleOptions options)
    {
        ImageDataset train, test;
        if (DataFolder(options) is { } folder)
        {
            options.Output.WriteLine($"Fashion-MNIST from {folder}.");
            (train, test) = (FashionMnist.Load(folder, train: true), FashionMnist.Load(folder, train: false));
        }
        else
        {
            options.Output.WriteLine(
                "Generated images of Fashion-MNIST's shape. The real ones: the four .gz files of https://github.com/zalandoresearch/fashion-mnist, folder data/fashion; "
                + $"then --data FOLDER, or the files in {DefaultDataFolder}.");
            (train, test) = (Generated.FashionLike(options.Small ? 6000 : 60_000, seed: 1), Generated.FashionLike(options.Small ? 1000 : 10_000, seed: 2));
        }

        return (new DataLoader(train, BatchSize, shuffle: true), new DataLoader(test, BatchSize));
    }

    /// <summary>Whether the tutorial's checks hold of train loss, train accuracy and test accuracy.</summary>
    private static bool Holds(IReadOnlyList<double> last, double mostLoss) => last[0] < mostLoss && last[1] is > 0.7 and <= 1 && last[2] is > 0.7 and <= 1;

    private static string Text(IReadOnlyList<double> last) => $"train loss {last[0]:f3}, train acc {last[1]:f3}, test acc {last[2]:f3}";

    /// <summary>What is learnt from scratch, as a module, so that a checkpoint holds it.</summary>
    private sealed class ByHand(Tensor w, Tensor b) : Module
    {
        private readonly Parameter w = new(w), b = new(b);
    }
}
