using Verified.Training;

namespace Verified.Examples;

/// <summary>
/// Epochs that are saved as they end, and when Ctrl-C stops them in between; <c>--resume</c> goes on there, with the same bits as if it had never stopped.
/// </summary>
public sealed class SavedRun
{
    private readonly ExampleOptions options;
    private readonly (string Name, IStateful Part)[] parts;
    private readonly StateDict finished = [];

    /// <summary>A new run or, where the options say so, the saved one.</summary>
    /// <param name="options">How the example is run.</param>
    /// <param name="name">The example's name.</param>
    /// <param name="parts">All that training changes: model, optimizer, loader, generator, sums.</param>
    public SavedRun(ExampleOptions options, string name, params (string Name, IStateful Part)[] parts)
    {
        (this.options, this.parts) = (options, parts);
        File = Path.Combine(options.Folder, name, "checkpoint.pt");
        if (!options.Resume) return;
        if (!System.IO.File.Exists(File)) throw new StateDictException($"there is no checkpoint to go on from in {Path.GetDirectoryName(File)}");
        finished = Checkpoint.Restore(File, parts).Dictionary("finished");
        options.Output.WriteLine($"Going on from {File}.");
    }

    /// <summary>Where it is saved.</summary>
    public string File { get; }

    /// <summary>Runs the epochs that are left.</summary>
    /// <param name="count">The number of epochs altogether.</param>
    /// <param name="epoch">An epoch, or the rest of one; given its number from 1.</param>
    /// <param name="stage">Which of the run's parts, where it has several, one after the other.</param>
    /// <exception cref="OperationCanceledException">The epoch was stopped; all is saved.</exception>
    public void Epochs(int count, Action<int> epoch, string stage = "training")
    {
        try
        {
            for (var done = Finished(stage); done < count; done++)
            {
                epoch(done + 1);
                finished[stage] = done + 1;
                Save();
            }
        }
        catch (OperationCanceledException)
        {
            Save();
            options.Output.WriteLine($"Stopped in epoch {Finished(stage) + 1}; --resume goes on from {File}.");
            throw;
        }
    }

    private int Finished(string stage) => finished.ContainsKey(stage) ? (int)finished.Integer(stage) : 0;

    private void Save() => Checkpoint.Save(File, [.. parts.Select(p => (p.Name, (object?)p.Part)), ("finished", finished)]);
}
