using Spectre.Console;

namespace Verified.Cli;

/// <summary>A bar on a terminal's standard error for work of which the number of steps is known; a plain line now and then where there is none.</summary>
internal static class Progress
{
    /// <summary>Does the work; it reports how many steps are done, and of how many.</summary>
    public static T Steps<T>(string what, Func<Action<int, int>, T> work)
    {
        if (Console.IsErrorRedirected) return work(new PlainSteps(what).Report);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(), new SpinnerColumn())
            .Start(context =>
            {
                var task = context.AddTask(what);
                return work((done, all) =>
                {
                    task.Value = 100.0 * done / Math.Max(all, 1);
                    task.Description = $"{what} [grey]{done} of {all}[/]";
                });
            });
    }

    private sealed class PlainSteps(string what)
    {
        private DateTime _next = DateTime.UtcNow.AddSeconds(10);

        public void Report(int done, int all)
        {
            if (DateTime.UtcNow < _next) return;
            _next = DateTime.UtcNow.AddSeconds(10);
            Console.Error.WriteLine($"{what}: {done} of {all}");
        }
    }
}
