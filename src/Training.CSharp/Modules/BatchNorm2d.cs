using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// (x - mean) / sqrt(variance + eps) for each channel of images [N, C, H, W], times a weight, plus a bias. In training mean and variance are the batch's, and
/// running ones are moved towards them; in evaluation the running ones are taken.
/// </summary>
/// <remarks>Source: Ioffe and Szegedy (2015). The running variance is that of a sample, divided by n - 1, as in PyTorch.</remarks>
public sealed class BatchNorm2d : Module
{
    private static readonly Tensor One = Tensor.Create([1L], []);

    private readonly Parameter? weight;
    private readonly Parameter? bias;
    private readonly ModuleBuffer? runningMean;
    private readonly ModuleBuffer? runningVar;
    private readonly ModuleBuffer? numBatchesTracked;
    private readonly int numFeatures;
    private readonly double eps;
    private readonly double? momentum;

    /// <summary>A layer with ones as weight, zeros as bias, and running statistics of 0 and 1.</summary>
    /// <param name="numFeatures">The number of channels.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="momentum">How much of a batch's statistics goes into the running ones; null for the mean over all batches so far.</param>
    /// <param name="affine">Whether there are weight and bias.</param>
    /// <param name="trackRunningStats">Whether there are running statistics; if not, the batch's are taken in evaluation too.</param>
    /// <param name="dtype">The type of all of them.</param>
    public BatchNorm2d(
        int numFeatures, double eps = 1e-5, double? momentum = 0.1, bool affine = true, bool trackRunningStats = true, DType dtype = DType.Float32)
    {
        this.numFeatures = numFeatures;
        this.eps = eps;
        this.momentum = momentum;
        if (affine)
        {
            weight = new Parameter(Tensor.Ones([numFeatures], dtype));
            bias = new Parameter(Tensor.Zeros([numFeatures], dtype));
        }
        if (!trackRunningStats) return;
        runningMean = new ModuleBuffer(Tensor.Zeros([numFeatures], dtype));
        runningVar = new ModuleBuffer(Tensor.Ones([numFeatures], dtype));
        // State dictionaries from before PyTorch 0.4.1, and of libraries that do not count, are without it.
        numBatchesTracked = new ModuleBuffer(Tensor.Scalar(0, DType.Int64)) { MayBeMissing = true };
    }

    /// <summary>[C], or null.</summary>
    public Tensor? Weight => weight?.Value;

    /// <summary>[C], or null.</summary>
    public Tensor? Bias => bias?.Value;

    /// <summary>The running mean, [C], or null.</summary>
    public Tensor? RunningMean => runningMean?.Value;

    /// <summary>The running variance, [C], or null.</summary>
    public Tensor? RunningVar => runningVar?.Value;

    /// <summary>How many batches the running statistics have seen, an int64 of no dimension; or null.</summary>
    public Tensor? NumBatchesTracked => numBatchesTracked?.Value;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The input has not four dimensions.</exception>
    public override Tensor Forward(Tensor input)
    {
        if (input.Rank != 4) throw new ArgumentException($"expected 4D input (got {input.Rank}D input)");
        var moves = Training && numBatchesTracked is not null;
        if (moves) Count();
        var share = momentum ?? (moves ? 1 / NumBatchesTracked!.Item() : 0);
        return input.BatchNorm(RunningMean, RunningVar, Weight, Bias, Training || runningMean is null, share, eps);
    }

    /// <inheritdoc/>
    protected override string ExtraRepr() =>
        $"{numFeatures}, eps={PythonText.Of(eps)}, momentum={(momentum is { } m ? PythonText.Of(m) : "None")}, affine={PythonText.Of(weight is not null)}, "
        + $"track_running_stats={PythonText.Of(runningMean is not null)}";

    private void Count()
    {
        using var off = Autograd.NoGrad();
        NumBatchesTracked!.AddInPlace(One);
    }
}
