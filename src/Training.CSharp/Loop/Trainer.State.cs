namespace Verified.Training;

public sealed partial class Trainer : IStateful
{
    private IEnumerable<Batch>? source;
    private StateDict? pendingSource;

    /// <summary>
    /// Everything that training goes on from, with the same bits as if it had never stopped: model, optimizer, scheduler, scaler, the default generator, the
    /// place in the epoch and, where the batches' source is <see cref="IStateful"/>, its place too. The tensors are the live ones.
    /// </summary>
    public StateDict StateDict()
    {
        var state = new StateDict
        {
            ["model"] = model.StateDict(),
            ["optimizer"] = optimizer.StateDict(),
            ["generator"] = Generator.Default.GetState(),
            ["epoch"] = (long)Epoch,
            ["batch"] = (long)batch,
            ["steps"] = Steps,
            ["running"] = running.Pack(),
        };
        if (Scheduler is not null) state.Add("scheduler", Scheduler.StateDict());
        if (Scaler is not null) state.Add("scaler", Scaler.StateDict());
        if (source is IStateful loader) state.Add("loader", loader.StateDict());
        return state;
    }

    /// <summary>
    /// Goes back to a state that <see cref="StateDict"/> gave, into a trainer made alike; the next <see cref="Fit"/> goes on there. The history starts anew.
    /// </summary>
    /// <exception cref="StateDictException">Something is missing or does not fit; nothing was changed.</exception>
    public void LoadStateDict(StateDict state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var before = StateDict().Clone();
        try
        {
            Load(state);
        }
        catch (StateDictException)
        {
            Load(before);
            throw;
        }
        pendingSource = state.ContainsKey("loader") ? state.Dictionary("loader") : null;
        history.Clear();
    }

    private void Load(StateDict state)
    {
        var (epoch, at, steps) = (state.Integer("epoch"), state.Integer("batch"), state.Integer("steps"));
        var sums = Sums.Unpack(state.Dictionary("running"));
        model.LoadStateDict(state.Dictionary("model"));
        optimizer.LoadStateDict(state.Dictionary("optimizer"));
        Scheduler?.LoadStateDict(state.Dictionary("scheduler"));
        Scaler?.LoadStateDict(state.Dictionary("scaler"));
        try
        {
            Generator.Default.SetState(state.Bytes("generator"));
        }
        catch (ArgumentException e)
        {
            throw new StateDictException($"'generator' of the state: {e.Message}");
        }
        (Epoch, batch, Steps, running) = ((int)epoch, (int)at, steps, sums);
    }

    /// <summary>Puts the batches' source where it was when the state was kept.</summary>
    private void Resume(IEnumerable<Batch> training)
    {
        if (pendingSource is { } place && training is IStateful loader) loader.LoadStateDict(place);
        pendingSource = null;
    }
}
