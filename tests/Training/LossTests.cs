using System.Globalization;
using System.Text.Json;
using Verified.Engine;

namespace Verified.Training.Tests;

/// <summary>Losses with every option, clipped gradients and the scaler's way, held against PyTorch's.</summary>
public sealed class LossTests
{
    public static TheoryData<string> Losses => Names(c => c.TryGetProperty("loss", out _));

    public static TheoryData<string> Clips => Names(c => c.GetProperty("case").GetString()!.StartsWith("clip/", StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Losses))]
    public void A_loss_and_its_gradient_are_PyTorchs(string name)
    {
        var golden = Find(name);
        var options = golden.GetProperty("options").State();
        Tensor? Tensor(string key) => options.ContainsKey(key) ? options.Tensor(key) : null;
        var reduction = options.ContainsKey("reduction") ? options.Text("reduction") : "mean";
        var ignore = options.ContainsKey("ignore_index") ? (int)options.Integer("ignore_index") : -100;
        var smoothing = options.ContainsKey("label_smoothing") ? options.Number("label_smoothing") : 0;
        Loss loss = golden.GetProperty("loss").GetString() switch
        {
            "CrossEntropyLoss" => new CrossEntropyLoss(Tensor("weight"), ignore, reduction, smoothing),
            "BCEWithLogitsLoss" => new BCEWithLogitsLoss(Tensor("weight"), reduction, Tensor("pos_weight")),
            "MSELoss" => new MSELoss(reduction),
            _ => new L1Loss(reduction),
        };
        var x = golden.GetProperty("input").Tensor().RequiresGradInPlace();
        var value = loss.Forward(x, golden.GetProperty("target").Tensor());
        value.Backward(Engine.Tensor.Ones(value.Shape.ToArray(), value.DType));
        // Float64 sums of at most some dozens of terms below ten.
        Assert.InRange(Golden.Difference(golden.GetProperty("value").Tensor(), value.Detach()), 0, 1e-13);
        Assert.InRange(Golden.Difference(golden.GetProperty("grad").Tensor(), x.Grad!), 0, 1e-14);
    }

    [Fact]
    public void A_loss_without_a_valid_reduction_is_refused() =>
        Assert.Equal("average is not a valid value for reduction; mean, sum and none are", Assert.Throws<ArgumentException>(() => new MSELoss("average")).Message);

    [Theory]
    [MemberData(nameof(Clips))]
    public void Norms_and_clipped_gradients_are_PyTorchs(string name)
    {
        var golden = Find(name);
        var dtype = DTypes.Parse(golden.GetProperty("dtype").GetString()!);
        var generator = new Generator(3);
        var parameters = ((int[][])[[4, 5], [7], []]).Select(s => Tensor.Zeros(s, dtype)).ToArray();
        foreach (var p in parameters) p.Grad = (Rng.Rand(p.Shape.ToArray(), dtype, generator) * 2) - 1;
        var order = golden.GetProperty("order").GetString() is "inf" ? double.PositiveInfinity : double.Parse(golden.GetProperty("order").GetString()!, CultureInfo.InvariantCulture);
        var total = ClipGrad.ClipGradNorm(parameters, golden.GetProperty("most").GetDouble(), order);
        // PyTorch rounds to the gradients' type: some units of the last place of 28 terms.
        var unit = dtype == DType.Float32 ? 1e-6 : 1e-15;
        Assert.InRange(Math.Abs(total / golden.GetProperty("total").GetDouble() - 1), 0, 4 * unit);
        foreach (var (expected, p) in golden.GetProperty("grads").EnumerateArray().Zip(parameters))
            Assert.InRange(Golden.Difference(expected.Tensor(), p.Grad!), 0, 4 * unit);
    }

    [Fact]
    public void The_scaler_takes_PyTorchs_way_through_good_and_bad_gradients()
    {
        var w = Tensor.Ones([3], requiresGrad: true);
        var optimizer = new SGD([w], 0.5);
        var scaler = new GradScaler(initScale: 8, growthInterval: 3, growthFactor: 3, backoffFactor: 0.25);
        foreach (var row in Find("scaler").GetProperty("rows").EnumerateArray())
        {
            var factor = row.GetProperty("factor").GetString() switch
            {
                "inf" => double.PositiveInfinity,
                "-inf" => double.NegativeInfinity,
                "nan" => double.NaN,
                var number => double.Parse(number!, CultureInfo.InvariantCulture),
            };
            optimizer.ZeroGrad();
            scaler.Scale((w * factor).Sum()).Backward();
            scaler.Step(optimizer);
            scaler.Update();
            var state = row.GetProperty("state").State();
            Assert.Equal(state.Keys, scaler.StateDict().Keys);
            foreach (var key in state.Keys) Assert.Equal(state.Number(key), scaler.StateDict().Number(key));
            Assert.Equal(0, Golden.Ulps(row.GetProperty("weights").Tensor(), w.Detach()));
        }
    }

    private static TheoryData<string> Names(Func<JsonElement, bool> choice) => [.. Golden.Cases("losses").Where(choice).Select(c => c.GetProperty("case").GetString()!)];

    private static JsonElement Find(string name) => Golden.Cases("losses").First(c => c.GetProperty("case").GetString() == name);
}
