namespace Verified.Training;

/// <summary>Multiplies the rates by a factor every so many epochs.</summary>
public sealed class StepLR : LRScheduler
{
    private long stepSize;
    private double gamma;

    /// <summary>A schedule.</summary>
    /// <param name="optimizer">Whose rates are changed.</param>
    /// <param name="stepSize">The epochs between two changes, at least 1.</param>
    /// <param name="gamma">The factor.</param>
    public StepLR(Optimizer optimizer, int stepSize, double gamma = 0.1)
        : base(optimizer)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stepSize, 1);
        this.stepSize = stepSize;
        this.gamma = gamma;
        Step();
    }

    private protected override double Rate(double current, double initial, int group) =>
        LastEpoch == 0 || LastEpoch % stepSize != 0 ? current : current * gamma;

    private protected override void WriteOptions(StateDict state)
    {
        state.Add("step_size", stepSize);
        state.Add("gamma", gamma);
    }

    private protected override void ReadOptions(StateDict state) => (stepSize, gamma) = (state.Integer("step_size"), state.Number("gamma"));
}

/// <summary>
/// Lets the rates fall along half a cosine from the initial ones to the least, and rise again: eta_min + (initial - eta_min) (1 + cos(pi epoch / T_max)) / 2,
/// computed from the rate before, as PyTorch does, so that changes from elsewhere carry on.
/// </summary>
/// <remarks>Source: Loshchilov and Hutter, SGDR (2017), without its restarts.</remarks>
public sealed class CosineAnnealingLR : LRScheduler
{
    private long tMax;
    private double etaMin;

    /// <summary>A schedule.</summary>
    /// <param name="optimizer">Whose rates are changed.</param>
    /// <param name="tMax">The epochs from the greatest rate to the least, at least 1.</param>
    /// <param name="etaMin">The least rate.</param>
    public CosineAnnealingLR(Optimizer optimizer, int tMax, double etaMin = 0)
        : base(optimizer)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tMax, 1);
        this.tMax = tMax;
        this.etaMin = etaMin;
        Step();
    }

    private protected override double Rate(double current, double initial, int group)
    {
        if (LastEpoch == 0) return current;
        // Python's % has the sign of its right side: before the first turn the left side is negative.
        var turn = 2 * tMax;
        if (((LastEpoch - 1 - tMax) % turn + turn) % turn == 0) return current + ((initial - etaMin) * (1 - Math.Cos(Math.PI / tMax)) / 2);
        return ((1 + Math.Cos(Math.PI * LastEpoch / tMax)) / (1 + Math.Cos(Math.PI * (LastEpoch - 1) / tMax)) * (current - etaMin)) + etaMin;
    }

    private protected override void WriteOptions(StateDict state)
    {
        state.Add("T_max", tMax);
        state.Add("eta_min", etaMin);
    }

    private protected override void ReadOptions(StateDict state) => (tMax, etaMin) = (state.Integer("T_max"), state.Number("eta_min"));
}

/// <summary>The initial rates times a function of the epoch.</summary>
public sealed class LambdaLR : LRScheduler
{
    private readonly Func<long, double>[] factors;

    /// <summary>A schedule with one function for all groups.</summary>
    /// <param name="optimizer">Whose rates are changed.</param>
    /// <param name="lrLambda">The factor of each epoch, the first being 0.</param>
    public LambdaLR(Optimizer optimizer, Func<long, double> lrLambda)
        : this(optimizer, [.. Enumerable.Repeat(lrLambda ?? throw new ArgumentNullException(nameof(lrLambda)), optimizer?.ParamGroups.Count ?? 0)])
    {
    }

    /// <summary>A schedule with a function for each group.</summary>
    /// <param name="optimizer">Whose rates are changed.</param>
    /// <param name="lrLambda">The factor of each epoch, the first being 0, by group.</param>
    /// <exception cref="ArgumentException">There are not as many functions as groups.</exception>
    public LambdaLR(Optimizer optimizer, IReadOnlyList<Func<long, double>> lrLambda)
        : base(optimizer)
    {
        ArgumentNullException.ThrowIfNull(lrLambda);
        if (lrLambda.Count != optimizer.ParamGroups.Count)
            throw new ArgumentException($"Expected {optimizer.ParamGroups.Count} lr_lambdas, but got {lrLambda.Count}");
        this.factors = [.. lrLambda];
        Step();
    }

    private protected override double Rate(double current, double initial, int group) => initial * factors[group](LastEpoch);

    /// <summary>Functions are not saved, as in PyTorch.</summary>
    private protected override void WriteOptions(StateDict state) => state.Add("lr_lambdas", new object?[factors.Length]);

    private protected override void ReadOptions(StateDict state)
    {
    }
}
