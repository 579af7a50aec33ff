using Verified.Engine;
using Xunit.Abstractions;

namespace Verified.Training.Tests;

/// <summary>
/// Whole trainings beside PyTorch's: the same seed gives the same initial weights and batches, and after twenty float64 steps the parameters are no further from
/// PyTorch's than a hundred times what PyTorch's own move when its weights start one unit of the last place away.
/// </summary>
[Collection(DefaultGenerator.Name)]
public sealed class TrainingTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("mlp")]
    [InlineData("cifar10")]
    [InlineData("unet")]
    public void Twenty_steps_end_where_PyTorchs_do(string name)
    {
        var golden = Golden.Cases("networks").First(c => c.GetProperty("case").GetString() == name);
        Rng.ManualSeed(0);
        Module net = name switch
        {
            "mlp" => new Sequential(new Flatten(), new Linear(196, 64), new ReLU(), new Linear(64, 32), new ReLU(), new Linear(32, 10)),
            "cifar10" => new Cifar(),
            _ => new UNet(),
        };
        net.To(DType.Float64);
        Assert.Equal(golden.GetProperty("repr").GetString(), net.ToString());
        Optimizer optimizer = name switch
        {
            "mlp" => new SGD(net.Parameters(), lr: 0.05, momentum: 0.9),
            "cifar10" => new SGD(net.Parameters(), lr: 0.001, momentum: 0.9),
            _ => new Adam(net.Parameters(), lr: 0.001),
        };
        Loss criterion = name == "unet" ? new BCEWithLogitsLoss() : new CrossEntropyLoss();
        var generator = new Generator(1);
        foreach (var expected in golden.GetProperty("losses").EnumerateArray())
        {
            var (x, y) = name switch
            {
                "mlp" => Classes([16, 1, 14, 14], generator),
                "cifar10" => Classes([4, 3, 32, 32], generator),
                _ => Masks([2, 3, 16, 16], generator),
            };
            optimizer.ZeroGrad();
            var loss = criterion.Forward(net.Forward(x), y);
            loss.Backward();
            optimizer.Step();
            Assert.Equal(expected.GetDouble(), loss.Item(), 1e-10);
        }

        var state = golden.GetProperty("state").State();
        var distance = net.NamedParameters().Max(p => Distance(state.Tensor(p.Name), p.Value));
        var ulp = golden.GetProperty("ulp").GetDouble();
        output.WriteLine($"{name}: largest relative difference of a parameter {distance:0.0e0}, of PyTorch from itself one unit of the last place away {ulp:0.0e0}");
        Assert.InRange(distance, 0, 100 * ulp);
        // Running statistics are sums of activations, whose differences are those of the parameters before them.
        foreach (var (buffer, value) in net.NamedBuffers()) Assert.InRange(Golden.Difference(state.Tensor(buffer), value), 0, 100 * ulp);
    }

    private static (Tensor X, Tensor Y) Classes(int[] shape, Generator generator) =>
        ((Rng.Rand(shape, DType.Float64, generator) * 2) - 1, Rng.Randint(0, 10, [shape[0]], generator));

    private static (Tensor X, Tensor Y) Masks(int[] shape, Generator generator)
    {
        var x = (Rng.Rand(shape, DType.Float64, generator) * 2) - 1;
        return (x, (x.Narrow(1, 0, 2) + x.Narrow(1, 1, 2)).Gt(0).To(DType.Float64));
    }

    private static double Distance(Tensor expected, Tensor actual) =>
        expected.ToDoubles().Zip(actual.ToDoubles(), (e, a) => a == e ? 0 : Math.Abs((a - e) / e)).Max();
}
