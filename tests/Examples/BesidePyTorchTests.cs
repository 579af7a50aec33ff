using Verified.Examples.BesidePyTorch;
using Verified.Training;
using Xunit;
using Xunit.Abstractions;

namespace Verified.Examples.Tests;

/// <summary>Whole trainings beside PyTorch's recorded ones. <c>./verify beside-pytorch</c> prints the same figures.</summary>
[Collection(DefaultGenerator.Name)]
public sealed class BesidePyTorchTests(ITestOutputHelper output)
{
    private static readonly IReadOnlyDictionary<string, PyTorchRun> PyTorch = PyTorchRun.Read(Repository.Root);

    public static TheoryData<string> Names => [.. SeededTraining.All.Select(t => t.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Network_initial_weights_and_batches_are_PyTorchs_bit_for_bit(string name)
    {
        var (training, pytorch) = (Find(name), PyTorch[name]);
        var net = training.Network();
        Assert.Equal(pytorch.Network, net.ToString());
        Assert.Equal(pytorch.Weights, SeededTraining.Digest(net.Parameters()));
        Assert.Equal(pytorch.Batches, SeededTraining.Digest(training.Batches().Take(pytorch.Float32Losses.Length).SelectMany(b => new[] { b.Input, b.Target })));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Twenty_float64_steps_end_where_PyTorchs_do_and_500_float32_steps_follow_its_curve(string name)
    {
        var comparison = Comparison.Run(Find(name), PyTorch[name]);
        output.WriteLine(ComparisonDocument.Tables([comparison]));
        Assert.True(comparison.Holds, $"{comparison.Difference} is {comparison.Times} times {comparison.PyTorch.Distance}");

        // Until a ReLU or a maximum has fallen on the other side of its kink in one of them, rounding alone tells the losses apart.
        const int smooth = 50;
        double Largest(double[] differences) => differences.Take(smooth).Max();
        Assert.InRange(Largest(comparison.LossDifferences), 0, Comparison.Most * Math.Max(Largest(comparison.MovedDifferences), Largest(comparison.Float64Differences)));

        // After that both go the same way.
        var (ours, theirs) = (comparison.Losses.TakeLast(100).Average(), PyTorch[name].Float32Losses.TakeLast(100).Average());
        Assert.InRange(ours, 0.9 * theirs, 1.1 * theirs);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Running_statistics_are_PyTorchs_too(string name)
    {
        var pytorch = PyTorch[name];
        var net = Find(name).Network().To(Engine.DType.Float64);
        var losses = Find(name).Train(net).Take(pytorch.Steps).ToArray();
        Assert.All(losses.Zip(pytorch.Float64Losses), pair => Assert.Equal(pair.Second, pair.First, 1e-10));
        foreach (var (buffer, value) in net.NamedBuffers())
            Assert.All(value.ToDoubles().Zip(pytorch.State[buffer]), pair => Assert.Equal(pair.Second, pair.First, Comparison.Most * pytorch.Distance));
    }

    private static SeededTraining Find(string name) => SeededTraining.All.Single(t => t.Name == name);
}
