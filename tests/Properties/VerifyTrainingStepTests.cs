using Verified.Engine;
using Verified.Training;
using Xunit;

namespace Verified.Properties;

/// <summary>A training step with an optimizer's update is examined as one by hand is: what the optimizer's kernels write is taken as given.</summary>
public sealed class VerifyTrainingStepTests
{
    public static TheoryData<string> Optimizers => ["sgd", "momentum", "adam", "adamw"];

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void A_step_with_an_optimizer_holds(string name)
    {
        var net = new Training.Linear(4, 3);
        var input = Tensor.Create([0.5f, -1, 2, 0.25f, 1, 0, -0.5f, 3], [2, 4]);
        Optimizer optimizer = name switch
        {
            "sgd" => new SGD(net.Parameters(), lr: 0.1),
            "momentum" => new SGD(net.Parameters(), lr: 0.1, momentum: 0.9),
            "adam" => new Adam(net.Parameters()),
            _ => new AdamW(net.Parameters()),
        };
        var before = net.Parameters().First().ToFloats();
        var report = Verify.Step(() =>
        {
            for (var step = 0; step < 2; step++)
            {
                optimizer.ZeroGrad();
                net.Forward(input).Square().Mean().Backward();
                optimizer.Step();
            }
        });
        Assert.True(report.Holds, report.ToString());
        Assert.NotEqual(before, net.Parameters().First().ToFloats());
        Assert.Contains(report.Program.Steps, step => step.Op == "no_grad");
    }
}
