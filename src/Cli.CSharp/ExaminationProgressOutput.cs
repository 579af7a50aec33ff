using Spectre.Console;
using Verified.Oracle;

namespace Verified.Cli;

/// <summary>The progress of an examination as bars.</summary>
internal sealed class BarProgress(ProgressContext context) : IProgress<ExaminationProgress>
{
    private readonly Dictionary<string, ProgressTask> _tasks = [];

    public void Report(ExaminationProgress value)
    {
        if (!_tasks.TryGetValue(value.Phase, out var task)) _tasks[value.Phase] = task = context.AddTask(value.Phase);
        task.Value = 100 * value.Share;
        task.Description = $"{value.Phase} [grey]{value.Done}[/]{(value.Findings > 0 ? $" [red]{Plural.Of(value.Findings, "finding")}[/]" : "")}";
    }
}

/// <summary>The same as lines: one at the end of a phase, and one every ten seconds, while nothing comes of an engine too.</summary>
internal sealed class PlainProgress : IProgress<ExaminationProgress>, IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly Timer _timer;
    private readonly Lock _lock = new();
    private ExaminationProgress? _last;

    public PlainProgress() => _timer = new Timer(_ => Write(), null, Pause, Pause);

    public void Report(ExaminationProgress value)
    {
        lock (_lock) _last = value;
        if (value.Share >= 1) Write();
    }

    public void Dispose() => _timer.Dispose();

    private void Write()
    {
        lock (_lock)
        {
            if (_last is not { } value) return;
            Console.Error.WriteLine($"{value.Phase}: {Plural.Of(value.Done, "case")}, {value.Share:P0}, {Plural.Of(value.Findings, "finding")}");
            // What is done is said once; what is waited for, again and again.
            if (value.Share >= 1) _last = null;
        }
    }
}
