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
        var data = new Option<string?>("--data") { Description = "The folder of the real data set; generated data of the same shapes are used without it.", HelpName = "DIR" };
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
            return Task.FromResult(parsed.GetValue(name) is { } each ? Run(Find(each), options) : List());
        });
        return command;
    }

    /// <summary>An example by its name.</summary>
    public static Example Find(string name) =>
        Example.All.FirstOrDefault(e => e.Name == name)
        ?? throw new CorpusException($"there is no example '{name}'; there are {string.Join(", ", Example.All.Select(e => e.Name))}");

    private static string Those(Func<Example, bool> which) => string.Join(", ", Example.All.Where(which).Select(each => each.Name));

    private static int List()
    {
        foreach (var each in Example.All) Console.WriteLine($"{each.Name,-22} {each.Summary}");
        return ExitCodes.Held;
    }

    private static int Run(Example example, ExampleOptions options)
    {
        // What an example does not heed is refused rather than passed over.
        if (options.Resume && !example.Resumes) throw new CorpusException($"--resume: {example.Name} saves no checkpoints; {Those(each => each.Resumes)} do");
        if (options.Data is not null && !example.TakesData) throw new CorpusException($"--data: {example.Name} has no data set; {Those(each => each.TakesData)} have one");
        if (options.Data is { } folder && !Directory.Exists(folder)) throw new CorpusException($"the folder '{folder}' of --data does not exist");
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
