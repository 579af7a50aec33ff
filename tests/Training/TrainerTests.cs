using System.Diagnostics;
using System.Runtime.InteropServices;
using Verified.Engine;

namespace Verified.Training.Tests;

/// <summary>The ready-made loop does what a plain loop would, and can be stopped and gone on with.</summary>
[Collection(DefaultGenerator.Name)]
public sealed class TrainerTests
{
    [Fact]
    public void A_fit_does_what_the_plain_loop_does_bit_for_bit()
    {
        var plain = new Scene();
        for (var epoch = 0; epoch < 3; epoch++)
        {
            foreach (var (x, y) in plain.Loader)
            {
                plain.Optimizer.ZeroGrad();
                plain.Loss.Forward(plain.Model.Forward(x), y).Backward();
                plain.Optimizer.Step();
            }
        }
        var expected = plain.Weights();

        var scene = new Scene();
        var trainer = new Trainer(scene.Model, scene.Optimizer, scene.Loss);
        Assert.True(trainer.Fit(scene.Loader, 3));
        Assert.Equal(expected, scene.Weights());
        Assert.Equal(3, trainer.Epoch);
        Assert.Equal(3 * 7, trainer.Steps);
    }

    [Fact]
    public void Reports_are_means_over_records_and_validation_leaves_the_model_alone()
    {
        var scene = new Scene();
        var trainer = new Trainer(scene.Model, scene.Optimizer, scene.Loss) { Metrics = { ["accuracy"] = Metrics.Accuracy } };
        var batches = new List<BatchReport>();
        var checkpoints = 0;
        trainer.BatchEnded += batches.Add;
        trainer.CheckpointDue += _ => checkpoints++;
        trainer.Fit(scene.Loader, 2, [new Batch(scene.X, scene.Y)]);

        Assert.Equal(14, batches.Count);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7], batches.Select(b => b.Batch));
        Assert.Equal(2, checkpoints);
        var first = trainer.History[0];
        Assert.Equal(50, first.Training.Count);
        // Six batches of 8 and one of 2.
        Assert.Equal(batches.Take(7).Sum(b => b.Loss * (b.Batch == 7 ? 2 : 8)) / 50, first.Training.Loss, 1e-12);
        Assert.InRange(first.Training.Metrics["accuracy"], 0, 1);

        scene.Model.Eval();
        using var off = Autograd.NoGrad();
        var output = scene.Model.Forward(scene.X);
        Assert.Equal(scene.Loss.Forward(output, scene.Y).Item(), trainer.History[1].Validation!.Loss, 1e-12);
        Assert.Equal(Metrics.Accuracy(output, scene.Y), trainer.History[1].Validation!.Metrics["accuracy"], 1e-12);
        Assert.Matches("^epoch 2: loss [0-9.]+, accuracy [0-9.]+; validation loss", trainer.History[1].ToString());
    }

    [Fact]
    public void Gradients_of_several_batches_make_the_step_of_one_large_batch()
    {
        // 48 records: three batches of 16, or six of 8 taken two at a time; then 40, where the last step has one batch of 8.
        foreach (var records in (int[])[48, 40])
        {
            double[] Trained(int batchSize, int accumulation)
            {
                var scene = new Scene(dropout: 0, DType.Float64);
                Batch[] batches =
                [
                    .. Enumerable.Range(0, records).Chunk(batchSize).Select(rows => new Batch(
                        scene.X.Narrow(0, rows[0], rows.Length), scene.Y.Narrow(0, rows[0], rows.Length))),
                ];
                new Trainer(scene.Model, scene.Optimizer, scene.Loss) { AccumulationSteps = accumulation }.Fit(batches, 2);
                return scene.Weights();
            }
            var whole = Trained(16, 1);
            var halves = Trained(8, 2);
            Assert.All(whole.Zip(halves), p => Assert.Equal(p.First, p.Second, 1e-12));
        }
    }

    [Fact]
    public void Training_that_was_stopped_goes_on_with_the_same_bits_as_if_it_had_not_been()
    {
        Trainer Make(Scene scene) => new(scene.Model, scene.Optimizer, scene.Loss)
        {
            Scheduler = new StepLR(scene.Optimizer, 1, 0.5),
            Scaler = new GradScaler(growthInterval: 5),
            MaxGradNorm = 0.5,
            AccumulationSteps = 2,
        };
        var straight = new Scene();
        var reports = Make(straight);
        Assert.True(reports.Fit(straight.Loader, 3));
        var expected = straight.Weights();

        StateDict? saved = null;
        var first = new Scene();
        var stopped = Make(first);
        stopped.BatchEnded += report =>
        {
            // In the middle of an accumulation: it is finished first.
            if (report is { Epoch: 2, Batch: 3 }) stopped.Stop();
        };
        stopped.CheckpointDue += t => saved = t.StateDict().Clone();
        Assert.False(stopped.Fit(first.Loader, 3));
        Assert.Equal(4, saved!.Integer("batch"));

        var second = new Scene(seed: 77);
        var resumed = Make(second);
        resumed.LoadStateDict(saved);
        Rng.Rand([13]);
        Generator.Default.SetState(saved.Bytes("generator"));
        Assert.True(resumed.Fit(second.Loader, 3));
        Assert.Equal(expected, second.Weights());
        Assert.Equal(reports.History[^1].Training.Loss, resumed.History[^1].Training.Loss);
        Assert.Equal(reports.History[1].Training.Loss, resumed.History[0].Training.Loss);
        Assert.Equal(reports.Steps, resumed.Steps);
    }

    [Fact]
    public void A_state_that_fits_in_part_is_refused_and_changes_nothing()
    {
        var scene = new Scene();
        var trainer = new Trainer(scene.Model, scene.Optimizer, scene.Loss);
        trainer.Fit(scene.Loader, 1);
        var broken = trainer.StateDict().Clone();
        broken.Dictionary("model").Tensor("0.bias").FillInPlace(7);
        broken["generator"] = new byte[3];
        var before = scene.Weights();
        Assert.Contains("'generator'", Assert.Throws<StateDictException>(() => trainer.LoadStateDict(broken)).Message, StringComparison.Ordinal);
        Assert.Equal(before, scene.Weights());
        Assert.Equal(1, trainer.Epoch);
        Assert.Single(trainer.History);
    }

    [Fact]
    public void A_cancelled_token_ends_training_after_a_step_and_asks_for_a_checkpoint()
    {
        var scene = new Scene();
        using var cancel = new CancellationTokenSource();
        var trainer = new Trainer(scene.Model, scene.Optimizer, scene.Loss);
        var checkpoints = 0;
        trainer.CheckpointDue += _ => checkpoints++;
        trainer.BatchEnded += report =>
        {
            if (report.Batch == 3) cancel.Cancel();
        };
        Assert.False(trainer.Fit(scene.Loader, 5, cancellation: cancel.Token));
        Assert.Equal(3, trainer.Steps);
        Assert.Equal(1, checkpoints);
    }

    [Fact]
    public void An_interrupt_of_the_process_cancels_the_token_once()
    {
        if (OperatingSystem.IsWindows()) return;
        var told = 0;
        using var stop = new StopSignal(() => Interlocked.Increment(ref told));
        Assert.False(stop.Token.IsCancellationRequested);
        using var kill = Process.Start("/bin/kill", ["-TERM", $"{Environment.ProcessId}"]);
        kill.WaitForExit();
        Assert.True(stop.Token.WaitHandle.WaitOne(TimeSpan.FromSeconds(30)));
        Assert.Equal(1, told);
    }

    /// <summary>Fifty records, a model with dropout, and an optimizer with state; the same for the same seed.</summary>
    private sealed class Scene
    {
        public Scene(double dropout = 0.2, DType dtype = DType.Float32, long seed = 5)
        {
            Rng.ManualSeed(seed);
            var data = new Generator(1);
            X = (Rng.Rand([50, 6], dtype, data) * 2) - 1;
            Y = X.Sum(1).Gt(0).To(DType.Int64);
            Model = new Sequential(new Linear(6, 16, dtype: dtype), new Tanh(), new Dropout(dropout), new Linear(16, 2, dtype: dtype));
            Optimizer = new Adam(Model.Parameters(), lr: 0.02);
            Loader = new DataLoader(new TensorDataset(X, Y), batchSize: 8, shuffle: true);
        }

        public Tensor X { get; }

        public Tensor Y { get; }

        public Module Model { get; }

        public Optimizer Optimizer { get; }

        public DataLoader Loader { get; }

        public Loss Loss { get; } = new CrossEntropyLoss();

        public double[] Weights() => [.. Model.Parameters().SelectMany(p => p.ToDoubles())];
    }
}
