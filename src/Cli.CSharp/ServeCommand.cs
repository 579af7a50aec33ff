using System.CommandLine;
using Verified.Oracle;

namespace Verified.Cli;

/// <summary><c>verify serve</c>: one of our engines behind the line protocol, for others to drive.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var engine = new Option<string>("--engine") { Description = $"Which engine: {EngineNames.Help}.", DefaultValueFactory = _ => "engine" };
        var command = new Command("serve", "Speaks the line protocol on standard input and output as an engine.") { engine };
        command.SetAction(parsed =>
        {
            using var served = EngineNames.Start(parsed.GetRequiredValue(engine));
            EngineServer.Serve(served, Console.In, Console.Out);
            return ExitCodes.Held;
        });
        return command;
    }
}
