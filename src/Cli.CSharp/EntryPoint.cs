using System.CommandLine;
using System.Text.RegularExpressions;
using Verified.Oracle;

namespace Verified.Cli;

/// <summary>The <c>verify</c> command.</summary>
internal static class EntryPoint
{
    private static async Task<int> Main(string[] args)
    {
        var root = new RootCommand(
            "Examines autodiff engines against an executable specification, PyTorch's goldens, random programs and laws. "
            + "Without a command, examines the built-in engine in about 90 s.\n"
            + "Exit codes: 0 all held; 1 something failed; 2 the command line or a file was wrong, or there was nothing to examine; 3 the engine could not be run, or was given up and nothing but its breakdowns counts against it; 130 ended by Ctrl-C.");
        root.Subcommands.Add(CheckCommand.Create());
        root.Subcommands.Add(RunCommand.Create());
        root.Subcommands.Add(ReplayCommand.Create());
        root.Subcommands.Add(ExplainCommand.Create());
        CheckCommand.AddTo(root);
        root.Subcommands.Add(ServeCommand.Create());
        root.Subcommands.Add(SelfTestCommand.Create());
        root.Subcommands.Add(CheckpointCommand.Create());
        root.Subcommands.Add(TrainCommand.Create());
        root.Subcommands.Add(BesidePyTorchCommand.Create());
        root.Subcommands.Add(DoctorCommand.Create());
        root.Subcommands.Add(TuneCommand.Create());

        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) Console.Error.WriteLine($"verify: {Plain(error.Message)}");
            Console.Error.WriteLine("verify: --help says what there is.");
            return ExitCodes.Wrong;
        }

        using var interrupted = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) =>
        {
            // The first Ctrl-C ends the run in good order, with a report of what was done; the second ends it at once.
            e.Cancel = !interrupted.IsCancellationRequested;
            interrupted.Cancel();
        };

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }, interrupted.Token);
        }
        catch (CorpusException e)
        {
            Console.Error.WriteLine($"verify: {e.Message}");
            return ExitCodes.Wrong;
        }
        catch (Exception e) when (e is EngineException or SpecificationException)
        {
            Console.Error.WriteLine($"verify: {e.Message}");
            return ExitCodes.NotRun;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("verify: interrupted.");
            return ExitCodes.Interrupted;
        }
        catch (IOException e)
        {
            // Such as the reader of a pipe that has gone.
            Console.Error.WriteLine($"verify: {e.Message}");
            return ExitCodes.Wrong;
        }
        catch (Exception e)
        {
            Console.Error.WriteLine($"verify: it broke down, which is a mistake of its own; please report it with the command and what follows.\n{e}");
            return ExitCodes.NotRun;
        }
    }

    /// <summary>A complaint of the parser's without the names of .NET's types.</summary>
    private static string Plain(string message)
    {
        var match = Regex.Match(message, "^Cannot parse argument '(.*)' for option '(.*)' as expected type '.*?(UInt|Int|Double).*'");
        return match.Success
            ? $"{match.Groups[2]} wants {match.Groups[3].Value switch { "UInt" => "a whole number, not negative", "Int" => "a whole number", _ => "a number" }}, found '{match.Groups[1]}'"
            : message;
    }
}
