using Verified.Engine;
using Verified.Training;

namespace Verified.Examples;

/// <summary>Linear regression from scratch: a model, a loss and an optimizer written by hand, on data whose truth is known.</summary>
public sealed class LinearRegression : Example
{
    private const double LearningRate = 0.03;
    private const int BatchSize = 10;
    private static readonly double[] TrueWeight = [2, -3.4];
    private const double TrueBias = 4.2;

    /// <inheritdoc/>
    public override string Name => "linear-regression";

    /// <inheritdoc/>
    public override string Summary => "linear regression written out by hand; finds w = [2, -3.4], b = 4.2";

    /// <inheritdoc/>
    public override ExampleUses Uses => ExampleUses.Epochs;

    /// <inheritdoc/>
    public override Outcome Run(ExampleOptions options)
    {
        Rng.ManualSeed(0);
        var (features, labels) = Generated.LinearData(TrueWeight, TrueBias, 1000);
        var w = Rng.Normal(0, 0.01, [2, 1]).RequiresGradInPlace();
        var b = Tensor.Zeros([1], requiresGrad: true);

        for (var epoch = 1; epoch <= (options.Epochs ?? 3); epoch++)
        {
            foreach (var (x, y) in Minibatches.DataIter(BatchSize, features, labels))
            {
                options.Cancellation.ThrowIfCancellationRequested();
                var loss = SquaredLoss(Model(x, w, b), y);
                loss.Sum().Backward();
                Sgd([w, b], LearningRate, x.Size(0));
            }

            using (Autograd.NoGrad())
                options.Output.WriteLine($"epoch {epoch}, loss {SquaredLoss(Model(features, w, b), labels).Mean().Item():f6}");
        }

        var error = w.ToDoubles().Zip(TrueWeight, (found, truth) => Math.Abs(found - truth)).Append(Math.Abs(b.Item() - TrueBias)).Max();
        options.Output.WriteLine($"w: {w.Reshape([2]).Detach()}, b: {b.Detach()}");
        return new Outcome(error < 0.01, $"w and b within 0.01 of the truth: the largest error is {error:f4}");
    }

    /// <inheritdoc/>
    public override Func<Tensor> Step()
    {
        Rng.ManualSeed(0);
        var (x, y) = Generated.LinearData(TrueWeight, TrueBias, 2);
        var w = Rng.Normal(0, 0.01, [2, 1]).RequiresGradInPlace();
        var b = Tensor.Zeros([1], requiresGrad: true);
        return () => SquaredLoss(Model(x, w, b), y).Sum();
    }

    private static Tensor Model(Tensor x, Tensor w, Tensor b) => x.Matmul(w) + b;

    private static Tensor SquaredLoss(Tensor prediction, Tensor y) => (prediction - y.Reshape([.. prediction.Shape])).Square() / 2;

    /// <summary>One step of minibatch stochastic gradient descent.</summary>
    private static void Sgd(Tensor[] parameters, double learningRate, int batchSize)
    {
        using var _ = Autograd.NoGrad();
        foreach (var parameter in parameters)
        {
            parameter.SubInPlace(parameter.Grad!, alpha: learningRate / batchSize);
            parameter.Grad!.ZeroInPlace();
        }
    }
}
