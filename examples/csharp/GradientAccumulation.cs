using Verified.Engine;
using Verified.Training;

namespace Verified.Examples;

/// <summary>
/// The training loop, read slowly: zero the gradients, forward, loss, backward, step. Since gradients accumulate, zeroing them only after every second
/// half of a batch trains as whole batches do, in half the memory.
/// </summary>
public sealed class GradientAccumulation : Example
{
    private const int BatchSize = 16;

    /// <inheritdoc/>
    public override string Name => "gradient-accumulation";

    /// <inheritdoc/>
    public override string Summary => "the training loop; two accumulated half batches train as one whole batch";

    /// <inheritdoc/>
    public override ExampleUses Uses => ExampleUses.Epochs | ExampleUses.Small;

    /// <inheritdoc/>
    public override Outcome Run(ExampleOptions options)
    {
        var epochs = options.Epochs ?? (options.Small ? 3 : 30);
        options.Output.WriteLine("Whole batches:");
        var whole = Train(epochs, halves: 1, options);
        options.Output.WriteLine("Two halves of each batch, gradients accumulated:");
        var halved = Train(epochs, halves: 2, options);

        var difference = whole.Parameters().Zip(halved.Parameters(), (a, b) => (a - b).Abs().Max().Item()).Max();
        return new Outcome(difference < 1e-5, $"the same parameters either way, but for rounding (1e-5): the largest difference is {difference:0.0e+0}");
    }

    /// <inheritdoc/>
    public override Func<Tensor> Step()
    {
        Rng.ManualSeed(0);
        var model = Model();
        var criterion = new CrossEntropyLoss();
        var (inputs, labels) = (Rng.Randn([2, 8]), Tensor.Create([0L, 2]));
        return () => criterion.Forward(model.Forward(inputs), labels);
    }

    private static Sequential Model() => new(new Linear(8, 16), new Tanh(), new Linear(16, 3));

    private static Sequential Train(int epochs, int halves, ExampleOptions options)
    {
        Rng.ManualSeed(0);
        var trainLoader = new DataLoader(Blobs(320), BatchSize, shuffle: true);
        var model = Model();
        var criterion = new CrossEntropyLoss();
        var optimizer = new SGD(model.Parameters(), lr: 0.01, momentum: 0.9);

        for (var epoch = 1; epoch <= epochs; epoch++)
        {
            var runningLoss = 0.0;
            foreach (var (inputs, labels) in trainLoader.Batches(options.Cancellation))
            {
                optimizer.ZeroGrad();
                foreach (var (x, y) in inputs.Split(BatchSize / halves).Zip(labels.Split(BatchSize / halves)))
                {
                    // The mean over a half is twice as much per record as the mean over the whole, so it is scaled.
                    var loss = criterion.Forward(model.Forward(x), y) / halves;
                    loss.Backward();
                    runningLoss += loss.Item();
                }

                optimizer.Step();
            }

            if (epoch == 1 || epoch == epochs) options.Output.WriteLine($"  epoch {epoch}, loss {runningLoss / trainLoader.Count:f4}");
        }

        return model;
    }

    /// <summary>Three clouds of points in eight dimensions.</summary>
    private static TensorDataset Blobs(int count)
    {
        var labels = Rng.Randint(0, 3, [count]);
        var centres = Rng.Randn([3, 8]);
        return new TensorDataset(centres.IndexSelect(0, labels) + Rng.Randn([count, 8]) * 0.7, labels);
    }
}
