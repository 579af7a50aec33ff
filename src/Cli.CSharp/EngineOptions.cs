using System.CommandLine;
using System.Globalization;
using Verified.Oracle;

namespace Verified.Cli;

/// <summary>The options by which a command is told which engine it runs, and how long that is waited for.</summary>
internal sealed class EngineOptions
{
    private readonly Option<string> _engine = new("--engine") { Description = $"Which engine: {EngineNames.Help}.", DefaultValueFactory = _ => "engine" };

    private readonly Option<double?> _timeout = new("--timeout")
    {
        Description = $"How long an engine in another process may take for one program, in seconds, and four times as long to start; without it {new ProcessEngineOptions().Timeout.TotalSeconds:0}.",
        HelpName = "S",
    };

    public EngineOptions() => _timeout.Validators.Add(result =>
    {
        // What is no number at all the parser complains of.
        if (result.Tokens is [{ Value: var text }, ..] && double.TryParse(text, CultureInfo.InvariantCulture, out var seconds) && seconds is not (> 0 and <= 86400)) result.AddError("--timeout wants a number of seconds above 0.");
    });

    /// <summary>Gives them to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_engine);
        command.Options.Add(_timeout);
    }

    /// <summary>The engine as it was named.</summary>
    public string Name(ParseResult parsed) => parsed.GetRequiredValue(_engine);

    /// <summary>Starts it; Ctrl-C ends every wait for it.</summary>
    public IEngine Start(ParseResult parsed, CancellationToken cancel)
    {
        var options = new ProcessEngineOptions { Cancel = cancel };
        return EngineNames.Start(
            Name(parsed),
            parsed.GetValue(_timeout) is { } seconds ? options with { Timeout = TimeSpan.FromSeconds(seconds), StartTimeout = TimeSpan.FromSeconds(4 * seconds) } : options);
    }
}
