using System.Text.Json;
using Verified.Engine;

namespace Verified.Training.Tests;

/// <summary>Fifty epochs of every schedule, held against PyTorch's.</summary>
public sealed class SchedulerTests
{
    public static TheoryData<string> Cases => [.. Golden.Cases("optimizers").Where(c => c.TryGetProperty("scheduler", out _)).Select(c => c.GetProperty("case").GetString()!)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Rates_are_PyTorchs(string name)
    {
        var golden = Find(name);
        var scheduler = Make(golden);
        foreach (var rates in golden.GetProperty("rates").EnumerateArray())
        {
            Close(rates, scheduler.Optimizer.ParamGroups.Select(g => g.Lr));
            Close(rates, scheduler.GetLastLr());
            scheduler.Step();
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void PyTorchs_state_loads_and_a_saved_state_goes_on(string name)
    {
        var golden = Find(name);
        var fresh = Make(golden);
        fresh.LoadStateDict(golden.GetProperty("state").State());
        Assert.Equal(50, fresh.LastEpoch);

        var all = golden.GetProperty("rates").EnumerateArray().ToArray();
        var first = Make(golden);
        for (var epoch = 0; epoch < 20; epoch++) first.Step();
        Assert.Equal(golden.GetProperty("state").EnumerateObject().Select(p => p.Name).Order(), first.StateDict().Keys.Order());
        var second = Make(golden);
        second.Optimizer.LoadStateDict(first.Optimizer.StateDict());
        second.LoadStateDict(first.StateDict());
        for (var epoch = 20; epoch <= 50; epoch++, second.Step()) Close(all[epoch], second.Optimizer.ParamGroups.Select(g => g.Lr));
    }

    private static JsonElement Find(string name) => Golden.Cases("optimizers").First(c => c.GetProperty("case").GetString() == name);

    private static LRScheduler Make(JsonElement golden)
    {
        Tensor a = Tensor.Zeros([2], requiresGrad: true), b = Tensor.Zeros([3], requiresGrad: true);
        var optimizer = new SGD([new ParamGroup([a]), new ParamGroup([b]) { ["lr"] = 0.5 }], lr: 0.1);
        var arguments = golden.GetProperty("arguments").State();
        return golden.GetProperty("scheduler").GetString() switch
        {
            "StepLR" => new StepLR(optimizer, (int)arguments.Integer("step_size"), arguments.Number("gamma")),
            "CosineAnnealingLR" => new CosineAnnealingLR(optimizer, (int)arguments.Integer("T_max"), arguments.Number("eta_min")),
            _ => new LambdaLR(optimizer, epoch => Math.Pow(0.95, epoch)),
        };
    }

    /// <summary>
    /// Cosines and powers are the C library's, a unit of the last place apart at most. The cosine schedule divides by 1 + cos, which near its turn is as small
    /// as (pi / T)^2 / 2, so that an error of 1e-16 in the cosine becomes 1e-12 in the rate.
    /// </summary>
    private static void Close(JsonElement expected, IEnumerable<double> actual)
    {
        foreach (var (e, a) in expected.EnumerateArray().Select(r => r.GetDouble()).Zip(actual)) Assert.InRange(Math.Abs(a - e), 0, 1e-12 * Math.Abs(e) + 1e-17);
    }
}
