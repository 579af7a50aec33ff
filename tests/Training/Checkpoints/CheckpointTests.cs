using Verified.Engine;
using Verified.Tests;

namespace Verified.Training.Tests;

/// <summary>A run that was stopped, saved and taken up again ends with the same bits as one that was never stopped.</summary>
[Collection(DefaultGenerator.Name)]
public sealed class CheckpointTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(13)]
    public void Resuming_gives_the_same_bits_as_never_having_stopped(int stopAfter)
    {
        var path = folder["run.pt"];
        var whole = new Run(seed: 1);
        whole.Train(15, saveAfter: null, path);

        var first = new Run(seed: 1);
        first.Train(stopAfter, saveAfter: stopAfter, path);
        var second = new Run(seed: 77);
        second.Restore(path);
        second.Train(15 - stopAfter, saveAfter: null, path);
        Assert.Equal(whole.Bits(), second.Bits());
    }

    /// <summary>Each part that is saved is needed: a run to which one is not given back ends elsewhere.</summary>
    [Theory]
    [InlineData("model")]
    [InlineData("optimizer")]
    [InlineData("scheduler")]
    [InlineData("scaler")]
    [InlineData("random")]
    [InlineData("loader")]
    public void Without_any_one_of_the_parts_it_would_not(string left)
    {
        var path = folder["run.pt"];
        var whole = new Run(seed: 1);
        whole.Train(15, saveAfter: null, path);
        new Run(seed: 1).Train(7, saveAfter: 7, path);
        var second = new Run(seed: 77);
        second.Restore(path, left);
        second.Train(8, saveAfter: null, path);
        Assert.NotEqual(whole.Bits(), second.Bits());
    }

    [Fact]
    public void A_checkpoint_that_does_not_fit_changes_nothing()
    {
        var path = folder["run.pt"];
        var run = new Run(seed: 1);
        Checkpoint.Save(path, ("model", run.Model), ("optimizer", new SGD(new Linear(3, 1).Parameters(), lr: 0.1)), ("epoch", 3));
        var other = new Run(seed: 2);
        var before = other.Bits();
        var error = Assert.Throws<StateDictException>(() => Checkpoint.Restore(path, ("model", other.Model), ("optimizer", other.Optimizer)));
        Assert.StartsWith($"part 'optimizer' of {path}: ", error.Message);
        Assert.Equal(before, other.Bits());
        Assert.Equal("the state has no 'scaler'; it has model, optimizer, epoch", Assert.Throws<StateDictException>(() => Checkpoint.Restore(path, ("scaler", new GradScaler()))).Message);
        Assert.Equal(3, Checkpoint.Restore(path, ("model", other.Model)).Integer("epoch"));
        Assert.Equal(run.Bits(), other.Bits());
    }

    [Fact]
    public void A_checkpoint_of_PyTorchs_goes_on_as_PyTorch_does()
    {
        var model = PyTorchsModel();
        var optimizer = new Adam(model.Parameters(), lr: 0.5);
        var whole = Checkpoint.Restore(TorchFileTests.Golden("resume.pt"), ("model", model), ("optimizer", optimizer));
        foreach (var batch in whole.List("batches").Cast<Tensor>()) Step(model, optimizer, batch);
        foreach (var (name, expected) in TorchFile.LoadStateDict(TorchFileTests.Golden("resumed.pt")))
        {
            var actual = model.StateDict().Tensor(name).ToDoubles();
            Assert.All(((Tensor)expected!).ToDoubles().Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        }
    }

    [PyTorchFact]
    public void PyTorch_goes_on_from_a_checkpoint_of_ours_as_we_do()
    {
        Rng.ManualSeed(4);
        var model = PyTorchsModel();
        var optimizer = new Adam(model.Parameters(), lr: 0.01);
        var batch = Rng.Rand([4, 1, 4, 4]);
        Step(model, optimizer, batch);
        var path = folder["ours.pt"];
        Checkpoint.Save(path, ("model", model), ("optimizer", optimizer), ("batch", batch));
        var script = folder.Write("go_on.py", System.Text.Encoding.UTF8.GetBytes("""
            import sys, torch
            c = torch.load(sys.argv[1], weights_only=True)
            model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3, bias=False), torch.nn.BatchNorm2d(2), torch.nn.Flatten(), torch.nn.Linear(8, 3))
            print(model.load_state_dict(c["model"]))
            optimizer = torch.optim.Adam(model.parameters(), lr=0.5)
            optimizer.load_state_dict(c["optimizer"])
            for _ in range(3):
                optimizer.zero_grad()
                model(c["batch"]).square().sum().backward()
                optimizer.step()
            torch.save(model.state_dict(), sys.argv[2])
            """));
        Assert.Equal("<All keys matched successfully>\n", PyTorchFactAttribute.Run(script, path, folder["theirs.pt"]));
        for (var i = 0; i < 3; i++) Step(model, optimizer, batch);
        foreach (var (name, theirs) in TorchFile.LoadStateDict(folder["theirs.pt"]))
            Assert.All(((Tensor)theirs!).ToDoubles().Zip(model.StateDict().Tensor(name).ToDoubles()), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    /// <summary>Without a bias before batch norm: its gradient is 0 but for rounding, which Adam would make large.</summary>
    private static Sequential PyTorchsModel() => new(new Conv2d(1, 2, 3, bias: false), new BatchNorm2d(2), new Flatten(), new Linear(8, 3));

    private static void Step(Module model, Optimizer optimizer, Tensor batch)
    {
        optimizer.ZeroGrad();
        model.Forward(batch).Square().Sum().Backward();
        optimizer.Step();
    }

    [Fact]
    public void A_state_is_cloned_to_the_bottom()
    {
        var tensor = Tensor.Create([1f]);
        var state = new StateDict { ["a"] = new List<object?> { tensor, 1 }, ["b"] = new StateDict { [0] = tensor } };
        var clone = state.Clone();
        tensor.AddInPlace(1);
        Assert.Equal(1, ((Tensor)clone.List("a")[0]!).Item());
        Assert.Equal(1, clone.Dictionary("b").Tensor(0L).Item());
    }

    /// <summary>Everything that has a state: batch norm, dropout, momentum, a scheduler, a scaler, augmentation, shuffling.</summary>
    private sealed class Run
    {
        private readonly LRScheduler scheduler;
        private readonly GradScaler scaler = new(growthInterval: 3);
        private readonly DataLoader loader;

        public Run(long seed)
        {
            Rng.ManualSeed(seed);
            Model = new Sequential(new Conv2d(1, 3, 3), new BatchNorm2d(3), new ReLU(), new Flatten(), new Dropout(0.3), new Linear(27, 4));
            Optimizer = new Adam(Model.Parameters(), lr: 0.01);
            scheduler = new StepLR(Optimizer, stepSize: 4, gamma: 0.5);
            var generator = new Generator(3);
            var data = new TensorDataset(Rng.Rand([20, 1, 5, 5], generator: generator), Rng.Randint(0, 4, [20], generator))
                .MapInput(Transforms.RandomCrop(5, 1), Transforms.RandomHorizontalFlip());
            loader = new DataLoader(data, 4, shuffle: true, numWorkers: 2);
        }

        public Sequential Model { get; }

        public Optimizer Optimizer { get; }

        private (string Name, IStateful Part)[] Parts =>
            [("model", Model), ("optimizer", Optimizer), ("scheduler", scheduler), ("scaler", scaler), ("random", Generator.Default), ("loader", loader)];

        public void Train(int steps, int? saveAfter, string path)
        {
            var criterion = new CrossEntropyLoss();
            var done = 0;
            while (done < steps)
            {
                foreach (var (input, target) in loader)
                {
                    Optimizer.ZeroGrad();
                    scaler.Scale(criterion.Forward(Model.Forward(input), target)).Backward();
                    scaler.Step(Optimizer);
                    scaler.Update();
                    scheduler.Step();
                    done++;
                    if (done == saveAfter)
                    {
                        Checkpoint.Save(path, [.. Parts.Select(p => (p.Name, (object?)p.Part))]);
                    }

                    if (done == steps) return;
                }
            }
        }

        public void Restore(string path, string? left = null) => Checkpoint.Restore(path, [.. Parts.Where(p => p.Name != left)]);

        /// <summary>The values of the model, and where the scaler stands, whose powers of two leave no trace in them.</summary>
        public string Bits() => string.Join(
            ' ',
            Model.StateDict().Values.OfType<Tensor>().SelectMany(t => t.ToDoubles()).Append(scaler.GetScale()).Append(scaler.StateDict().Integer("_growth_tracker"))
                .Select(BitConverter.DoubleToInt64Bits));
    }
}
