namespace Verified.Training;

/// <summary>
/// Changes the learning rates of an optimizer's groups over time, as <c>torch.optim.lr_scheduler</c>. Call <see cref="Step"/> after the optimizer's steps:
/// once an epoch, or however the schedule's numbers are meant.
/// </summary>
public abstract class LRScheduler : IStateful
{
    private double[] baseRates;
    private double[] lastRates;
    private long count;

    private protected LRScheduler(Optimizer optimizer)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        Optimizer = optimizer;
        foreach (var group in optimizer.ParamGroups)
            if (!group.Has("initial_lr")) group["initial_lr"] = group.Lr;
        baseRates = [.. optimizer.ParamGroups.Select(g => g.Number("initial_lr"))];
        lastRates = [.. optimizer.ParamGroups.Select(g => g.Lr)];
    }

    /// <summary>The optimizer whose rates are changed.</summary>
    public Optimizer Optimizer { get; }

    /// <summary>How many steps were taken; -1 while the scheduler is being made.</summary>
    public long LastEpoch { get; private set; } = -1;

    /// <summary>The rates that the last step set, by group.</summary>
    public IReadOnlyList<double> GetLastLr() => lastRates;

    /// <summary>Sets the rates of the next epoch.</summary>
    public void Step()
    {
        count++;
        LastEpoch++;
        for (var i = 0; i < baseRates.Length; i++) Optimizer.ParamGroups[i].Lr = Rate(Optimizer.ParamGroups[i].Lr, baseRates[i], i);
        lastRates = [.. Optimizer.ParamGroups.Select(g => g.Lr)];
    }

    /// <summary>The state under PyTorch's names. The rates themselves are in the optimizer's state: save both.</summary>
    public StateDict StateDict()
    {
        var state = new StateDict();
        WriteOptions(state);
        state.Add("base_lrs", baseRates.Select(r => (object?)r).ToArray());
        state.Add("last_epoch", LastEpoch);
        state.Add("verbose", false);
        state.Add("_step_count", count);
        state.Add("_get_lr_called_within_step", false);
        state.Add("_last_lr", lastRates.Select(r => (object?)r).ToArray());
        return state;
    }

    /// <summary>Goes back to a state, of this library or of PyTorch.</summary>
    /// <exception cref="StateDictException">Something is missing or does not fit; nothing was changed.</exception>
    public void LoadStateDict(StateDict state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var bases = Numbers(state, "base_lrs");
        var last = Numbers(state, "_last_lr");
        if (bases.Length != baseRates.Length || last.Length != lastRates.Length)
            throw new StateDictException($"the scheduler's state is of {bases.Length} parameter groups, the optimizer has {baseRates.Length}");
        var epoch = state.Integer("last_epoch");
        var steps = state.Integer("_step_count");
        ReadOptions(state);
        (baseRates, lastRates, LastEpoch, count) = (bases, last, epoch, steps);
    }

    /// <summary>A group's rate for <see cref="LastEpoch"/>, from the one before and the one at the start.</summary>
    private protected abstract double Rate(double current, double initial, int group);

    /// <summary>Adds what the schedule was made with.</summary>
    private protected abstract void WriteOptions(StateDict state);

    /// <summary>Takes what the schedule was made with; throws before anything is changed.</summary>
    private protected abstract void ReadOptions(StateDict state);

    private static double[] Numbers(StateDict state, string name) =>
        [.. state.List(name).Select(n => n is double or long or int ? Convert.ToDouble(n) : throw new StateDictException($"'{name}' of the state is no list of numbers"))];
}
