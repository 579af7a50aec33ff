using System.CommandLine;
using Verified.Examples;
using Verified.Oracle;
using Verified.Training;

namespace Verified.Cli;

/// <summary><c>verify train EXAMPLE</c>: runs a tutorial's program; exit code 0 where it reached its target.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var name = new Argument<string?>("EXAMPLE") { Description = "Which; without it, all are listed.", Arity = ArgumentArity.ZeroOrOne };
        var small = new Option<bool>("--small") { Description = "Fewer records and epochs, with a lower target: a quick look." };
        var data = new Option<string?>("--data") { Description = "The folder of the real data set. Without it data/EXAMPLE is taken where there is one, and generated data of the same shapes otherwise.", HelpName = "DIR" };
        var epochs = new Option<int?>("--epochs") { Description = "How many epochs, in place of the example's own number.", HelpName = "N" };
        var folder = new Option<string>("--out") { Description = "Where pictures, event files and checkpoints go: each example makes a folder of its name there, so --out runs gives runs/unet.", HelpName = "DIR", DefaultValueFactory = _ => "runs" };
        var resume = new Option<bool>("--resume") { Description = "Go on where a run that was stopped by Ctrl-C or ended has left its checkpoint in the folder of --out; give the other options as then." };
        epochs.Validators.Add(result =>
        {
            // What is no number at all the parser complains of.
            if (result.Tokens is [{ Value: var text }, ..] && int.TryParse(text, out var count) && count < 1) result.AddError("--epochs must be at least 1.");
        });

        var command = new Command("train", "Runs one of the tutorials' programs and says whether it reached its target.") { name, small, data, epochs, folder, resume };
        command.SetAction((parsed, cancellation) =>
        {
            var options = new ExampleOptions
            {
                Small = parsed.GetValue(small),
                Data = parsed.GetValue(data),
                Epochs = parsed.GetValue(epochs),
                Folder = parsed.GetValue(folder)!,
                Resume = parsed.GetValue(resume),
                Output = Console.Out,
                Cancellation = cancellation,
            };
            return Task.FromResult(parsed.GetValue(name) is { } each ? Run(Find(each), options, folderGiven: parsed.GetResult(folder) is { Implicit: false }) : List());
        });
        return command;
    }

    /// <summary>An example by its name.</summary>
    public static Example Find(string name) =>
        Example.All.FirstOrDefault(e => e.Name == name)
        ?? throw new CorpusException($"there is no example '{name}'; there are {string.Join(", ", Example.All.Select(e => e.Name))}");

    private static int List()
    {
        foreach (var each in Example.All) Console.WriteLine($"{each.Name,-22} {each.Summary}");
        return ExitCodes.Held;
    }

    private static int Run(Example example, ExampleOptions options, bool folderGiven)
    {
        // What an example does not heed is refused rather than passed over.
        foreach (var (use, given, option, why) in new[]
        {
            (ExampleUses.Resume, options.Resume, "--resume", "saves no checkpoints"),
            (ExampleUses.Data, options.Data is not null, "--data", "has no real data set"),
            (ExampleUses.Small, options.Small, "--small", "has no smaller form"),
            (ExampleUses.Epochs, options.Epochs is not null, "--epochs", "has no epochs"),
            (ExampleUses.Folder, folderGiven, "--out", "writes no files"),
        })
        {
            if (given && !example.Uses.HasFlag(use))
                throw new CorpusException($"{option}: {example.Name} {why}; it is for {string.Join(", ", Example.All.Where(each => each.Uses.HasFlag(use)).Select(each => each.Name))}");
        }

        if (options.Data is { } folder && !Directory.Exists(folder)) throw new CorpusException($"the folder '{folder}' of --data does not exist");
        if (example.Uses.HasFlag(ExampleUses.Folder)) ReportFolder.Check("--out", options.Folder);
        Outcome outcome;
        try
        {
            outcome = example.Run(options);
        }
        catch (Exception e) when (e is StateDictException or DatasetException)
        {
            throw new CorpusException(e.Message, e);
        }

        Console.WriteLine($"{(outcome.Reached ? "REACHED" : "MISSED")}  {outcome.Target}");
        return outcome.Reached ? ExitCodes.Held : ExitCodes.Failed;
    }
}
