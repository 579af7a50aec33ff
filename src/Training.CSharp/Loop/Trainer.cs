using System.Diagnostics;
using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// The usual loop, for those who want it: epochs over batches with validation, metrics, accumulation, clipping, a scaler, a scheduler, events, and stopping and
/// going on. A plain loop needs nothing of this: zero the gradients, forward, loss, <c>Backward</c>, step.
/// </summary>
/// <example>
/// <code>
/// var trainer = new Trainer(model, optimizer, new CrossEntropyLoss()) { Metrics = { ["accuracy"] = Metrics.Accuracy } };
/// trainer.EpochEnded += epoch => Console.WriteLine(epoch);
/// trainer.Fit(trainLoader, epochs: 10, testLoader);
/// </code>
/// </example>
public sealed partial class Trainer
{
    private readonly Module model;
    private readonly Optimizer optimizer;
    private readonly Func<Tensor, Tensor, Tensor> loss;
    private readonly List<EpochReport> history = [];
    private Sums running = new();
    private int batch;
    private bool stopping;

    /// <summary>A trainer.</summary>
    /// <param name="model">What is trained.</param>
    /// <param name="optimizer">What changes its parameters.</param>
    /// <param name="loss">From the model's output and the target to one number, a mean over the batch.</param>
    public Trainer(Module model, Optimizer optimizer, Func<Tensor, Tensor, Tensor> loss)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(optimizer);
        ArgumentNullException.ThrowIfNull(loss);
        (this.model, this.optimizer, this.loss) = (model, optimizer, loss);
    }

    /// <summary>A trainer.</summary>
    /// <param name="model">What is trained.</param>
    /// <param name="optimizer">What changes its parameters.</param>
    /// <param name="loss">What is made small, with the reduction <c>mean</c>.</param>
    public Trainer(Module model, Optimizer optimizer, Loss loss)
        : this(model, optimizer, (loss ?? throw new ArgumentNullException(nameof(loss))).Forward)
    {
    }

    /// <summary>Raised after every batch.</summary>
    public event Action<BatchReport>? BatchEnded;

    /// <summary>Raised after every epoch, its validation included.</summary>
    public event Action<EpochReport>? EpochEnded;

    /// <summary>Raised when it is time to save <see cref="StateDict"/>: after every epoch, and when training was stopped before its end.</summary>
    public event Action<Trainer>? CheckpointDue;

    /// <summary>
    /// How many batches' gradients are added up for one step, each loss divided by this number, so that the step is that of one large batch. What is left
    /// at an epoch's end is weighted by its own number of batches.
    /// </summary>
    public int AccumulationSteps { get; init; } = 1;

    /// <summary>The most that the gradients' norm may be; null for no limit.</summary>
    public double? MaxGradNorm { get; init; }

    /// <summary>Scales the loss and leaves out steps that would spoil the parameters; null for none.</summary>
    public GradScaler? Scaler { get; init; }

    /// <summary>Changes the learning rate after every epoch; null for none.</summary>
    public LRScheduler? Scheduler { get; init; }

    /// <summary>What else is measured of the model's output and the target, a mean over the batch, by name.</summary>
    public IDictionary<string, Func<Tensor, Tensor, double>> Metrics { get; } = new OrderedDictionary<string, Func<Tensor, Tensor, double>>();

    /// <summary>How many epochs were finished.</summary>
    public int Epoch { get; private set; }

    /// <summary>How many steps the optimizer was asked for.</summary>
    public long Steps { get; private set; }

    /// <summary>A line for each epoch that was finished.</summary>
    public IReadOnlyList<EpochReport> History => history;

    /// <summary>Ends <see cref="Fit"/> after the step in progress; may be called from an event or another thread.</summary>
    public void Stop() => Volatile.Write(ref stopping, true);

    /// <summary>Trains until so many epochs are finished, those before a restart counted.</summary>
    /// <param name="training">The batches of an epoch, gone through once for each.</param>
    /// <param name="epochs">The number of epochs altogether.</param>
    /// <param name="validation">Batches that the model is evaluated on after each epoch; null for none.</param>
    /// <param name="cancellation">Ends training after the step in progress, as <see cref="Stop"/> does.</param>
    /// <returns>Whether all epochs were finished; if not, training was stopped and a later call goes on where it was.</returns>
    public bool Fit(IEnumerable<Batch> training, int epochs, IEnumerable<Batch>? validation = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentOutOfRangeException.ThrowIfLessThan(AccumulationSteps, 1);
        Volatile.Write(ref stopping, false);
        source = training;
        Resume(training);
        while (Epoch < epochs)
        {
            var time = Stopwatch.StartNew();
            if (!TrainEpoch(training, cancellation))
            {
                CheckpointDue?.Invoke(this);
                return false;
            }
            var rate = optimizer.ParamGroups[0].Lr;
            var trained = running.Means();
            (running, batch) = (new Sums(), 0);
            Scheduler?.Step();
            Epoch++;
            // Not cancelled: the epoch belongs to the state that is saved, and so must its report.
            var report = new EpochReport(Epoch, trained, validation is null ? null : Evaluate(validation, CancellationToken.None), rate, time.Elapsed);
            history.Add(report);
            EpochEnded?.Invoke(report);
            CheckpointDue?.Invoke(this);
            if (Epoch < epochs && ShouldStop(cancellation)) return false;
        }
        return true;
    }

    /// <summary>Loss and metrics over batches, in evaluation mode and without recording; the model's mode is put back.</summary>
    public Evaluation Evaluate(IEnumerable<Batch> data, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        var wasTraining = model.Training;
        model.Eval();
        try
        {
            using var off = Autograd.NoGrad();
            var sums = new Sums();
            foreach (var (input, target) in data)
            {
                cancellation.ThrowIfCancellationRequested();
                var output = model.Forward(input);
                sums.Add(input.Size(0), loss(output, target).Item(), Measure(output, target));
            }
            return sums.Means();
        }
        finally
        {
            model.Train(wasTraining);
        }
    }

    /// <summary>An epoch, or the rest of one; whether it came to its end.</summary>
    private bool TrainEpoch(IEnumerable<Batch> training, CancellationToken cancellation)
    {
        model.Train();
        var gathered = 0;
        // A source that knows where it stands goes on there by itself.
        foreach (var (input, target) in training is IStateful ? training : training.Skip(batch))
        {
            if (gathered == 0) optimizer.ZeroGrad();
            var output = model.Forward(input);
            var value = loss(output, target);
            var scaled = AccumulationSteps == 1 ? value : value / AccumulationSteps;
            (Scaler?.Scale(scaled) ?? scaled).Backward();
            gathered++;
            batch++;
            var number = value.Item();
            running.Add(input.Size(0), number, MeasureQuietly(output, target));
            if (gathered == AccumulationSteps)
            {
                Step(gathered);
                gathered = 0;
            }
            BatchEnded?.Invoke(new BatchReport(Epoch + 1, batch, number, running.Means()));
            // Only between steps, so that nothing is lost of gradients that were added up.
            if (gathered == 0 && ShouldStop(cancellation)) return false;
        }
        if (gathered > 0) Step(gathered);
        return true;
    }

    private void Step(int gathered)
    {
        if (gathered < AccumulationSteps)
        {
            using var off = Autograd.NoGrad();
            foreach (var parameter in optimizer.Parameters) parameter.Grad?.MulInPlace((double)AccumulationSteps / gathered);
        }
        if (MaxGradNorm is { } most)
        {
            Scaler?.Unscale(optimizer);
            ClipGrad.ClipGradNorm(optimizer.Parameters, most);
        }
        if (Scaler is null) optimizer.Step();
        else
        {
            Scaler.Step(optimizer);
            Scaler.Update();
        }
        Steps++;
    }

    private bool ShouldStop(CancellationToken cancellation) => cancellation.IsCancellationRequested || Volatile.Read(ref stopping);

    private KeyValuePair<string, double>[] MeasureQuietly(Tensor output, Tensor target)
    {
        if (Metrics.Count == 0) return [];
        using var off = Autograd.NoGrad();
        return Measure(output.Detach(), target);
    }

    private KeyValuePair<string, double>[] Measure(Tensor output, Tensor target) => [.. Metrics.Select(m => KeyValuePair.Create(m.Key, m.Value(output, target)))];
}
