using System.Text;
using Verified.Engine;
using Verified.Examples;
using Verified.Examples.BesidePyTorch;
using Verified.Tests;

namespace Verified.Training.Tests;

/// <summary>
/// A U-Net's training goes on from PyTorch's checkpoint as PyTorch does, and from ours in PyTorch as here: model, optimizer, scheduler, scaler and generator.
/// <c>goldens/unet.py</c> is PyTorch's side.
/// </summary>
[Collection(DefaultGenerator.Name)]
public sealed class UNetCheckpointTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>In float64, whose rounding a few steps cannot blow up far, the file's float32 values being taken up into it on both sides.</summary>
    [Fact]
    public void A_UNet_that_PyTorch_saved_goes_on_as_in_PyTorch()
    {
        var golden = Golden.Cases("unet").First(c => c.GetProperty("case").GetString() == "float64");
        var (run, losses) = GoneOn(TorchFileTests.Golden("unet.pt"), DType.Float64, golden.GetProperty("steps").GetInt32());
        Assert.All(golden.GetProperty("losses").EnumerateArray().Zip(losses), pair => Assert.Equal(pair.First.GetDouble(), pair.Second, 1e-12));
        AssertAsTheirs(golden.GetProperty("model").State(), run, 1e-10);
        Assert.Equal(golden.GetProperty("scale").GetDouble(), run.Scaler.GetScale());
        Assert.Equal(golden.GetProperty("rate").GetDouble(), run.Scheduler.GetLastLr()[0]);
    }

    /// <summary>In the file's own float32: no further from PyTorch than a hundred times PyTorch's float32 is from its float64.</summary>
    [Fact]
    public void A_UNet_that_PyTorch_saved_goes_on_in_float32_as_near_to_PyTorch_as_rounding_lets_it()
    {
        var (single, exact) = (Model("float32"), Model("float64"));
        var rounding = single.Keys.Max(name => Golden.Difference(single.Tensor(name).To(DType.Float64), exact.Tensor(name).To(DType.Float64)));
        Assert.InRange(rounding, 1e-9, 1e-5);
        var (run, _) = GoneOn(TorchFileTests.Golden("unet.pt"), DType.Float32, steps: 6);
        AssertAsTheirs(single, run, Comparison.Most * rounding);

        static StateDict Model(string dtype) => Golden.Cases("unet").First(c => c.GetProperty("case").GetString() == dtype).GetProperty("model").State();
    }

    [Fact]
    public void Without_its_optimizer_it_would_go_elsewhere()
    {
        var run = new Run(DType.Float64);
        var saved = Checkpoint.Restore(TorchFileTests.Golden("unet.pt"), ("model", run.Model));
        run.Generator.SetState(saved.Bytes("generator"));
        run.Train(6);
        var theirs = Golden.Cases("unet").First().GetProperty("model").State();
        Assert.True(theirs.Keys.Max(name => Golden.Difference(theirs.Tensor(name), run.Model.StateDict().Tensor(name))) > 1e-3);
    }

    [PyTorchFact]
    public void A_UNet_that_was_saved_here_loads_in_PyTorch_and_goes_on_as_here()
    {
        const int steps = 6;
        Rng.ManualSeed(7);
        var first = new Run(DType.Float32);
        first.Generator.ManualSeed(8);
        first.Train(5);
        Checkpoint.Save(folder["ours.pt"], [.. first.Parts.Select(p => (p.Name, (object?)p.Part)), ("generator", first.Generator.GetState())]);

        var script = folder.Write("go_on.py", Encoding.UTF8.GetBytes("""
            import sys
            sys.path.insert(0, sys.argv[1])
            import torch, unet
            end = unet.going_on(sys.argv[2], torch.float64, int(sys.argv[4]))
            torch.save(end, sys.argv[3])
            """));
        PyTorchFactAttribute.Run(script, Path.Combine(ShownTests.Root(), "tests", "Training", "goldens"), folder["ours.pt"], folder["theirs.pt"], $"{steps}");
        var theirs = TorchFile.LoadStateDict(folder["theirs.pt"]);
        var (run, losses) = GoneOn(folder["ours.pt"], DType.Float64, steps);
        Assert.All(theirs.Numbers("losses").Zip(losses), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
        AssertAsTheirs(theirs.Dictionary("model"), run, 1e-10);
        Assert.Equal(theirs.Number("scale"), run.Scaler.GetScale());
        Assert.Equal(theirs.Number("rate"), run.Scheduler.GetLastLr()[0]);
    }

    private static (Run Run, double[] Losses) GoneOn(string file, DType dtype, int steps)
    {
        var run = new Run(dtype);
        run.Generator.SetState(Checkpoint.Restore(file, run.Parts).Bytes("generator"));
        return (run, run.Train(steps));
    }

    private static void AssertAsTheirs(StateDict theirs, Run run, double bound)
    {
        var ours = run.Model.StateDict();
        Assert.Equal(theirs.Keys, ours.Keys);
        Assert.All(theirs.Keys, name => Assert.InRange(Golden.Difference(theirs.Tensor(name), ours.Tensor(name)), 0, bound));
    }

    /// <summary>The class of the same name in <c>unet.py</c>.</summary>
    private sealed class Run
    {
        private readonly DType dtype;

        public Run(DType dtype)
        {
            this.dtype = dtype;
            Model = new UNet(width: 2, depth: 2).To(dtype);
            Optimizer = new Adam(Model.Parameters(), lr: 3e-3);
            Scheduler = new StepLR(Optimizer, stepSize: 3, gamma: 0.5);
            Scaler = new GradScaler(initScale: 1024, growthInterval: 4);
        }

        public Module Model { get; }

        public Adam Optimizer { get; }

        public StepLR Scheduler { get; }

        public GradScaler Scaler { get; }

        public Generator Generator { get; } = new();

        public (string Name, IStateful Part)[] Parts => [("model", Model), ("optimizer", Optimizer), ("scheduler", Scheduler), ("scaler", Scaler)];

        public double[] Train(int steps)
        {
            var criterion = new BCEWithLogitsLoss();
            var losses = new double[steps];
            for (var step = 0; step < steps; step++)
            {
                var x = Rng.Rand([2, 3, 16, 16], generator: Generator) * 2 - 1;
                var y = (x.Narrow(1, 0, 2) + x.Narrow(1, 1, 2)).Gt(0);
                Optimizer.ZeroGrad();
                var loss = criterion.Forward(Model.Forward(x.To(dtype)), y.To(dtype));
                Scaler.Scale(loss).Backward();
                Scaler.Step(Optimizer);
                Scaler.Update();
                Scheduler.Step();
                losses[step] = loss.Item();
            }
            return losses;
        }
    }
}
