using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Verified.Engine.Blas;
using Verified.Oracle;

namespace Verified.Cli;

/// <summary><c>verify tune</c>: measures which BLAS library computes which products best on this processor, and writes that as a rule.</summary>
internal static class TuneCommand
{
    private static readonly Option<string> Write = new("--write")
    {
        Description = "The file that the rule is written to; in a folder of your own where it is not given.",
        DefaultValueFactory = _ => Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "verified", "dispatch.txt"),
    };

    private static readonly Option<bool> Quick = new("--quick") { Description = "A few seconds in the place of half a minute: tells what is far behind, not which of two close ones is ahead." };

    public static Command Create()
    {
        var command = new Command("tune", "Measures which BLAS library computes which matrix products best on this processor, and writes that as a dispatch rule. Wants a quiet machine.") { Write, Quick };
        command.SetAction((parsed, cancel) => Task.FromResult(Run(parsed.GetRequiredValue(Write), parsed.GetValue(Quick), cancel)));
        return command;
    }

    private static int Run(string file, bool quick, CancellationToken cancel)
    {
        // Said before measuring rather than after.
        WholeFile.Check("--write", file);
        var tuned = Progress.Steps("products", progress => DispatchTuning.Measure(quick ? TuningEffort.Quick : TuningEffort.Full, progress, cancel));
        Show(tuned);
        try
        {
            WholeFile.Write(file, DispatchTuning.Rule(tuned, DateTime.Now));
        }
        catch (Exception e) when (WholeFile.IsNoPlace(e))
        {
            throw new CorpusException($"the rule could not be written to {file}: {WholeFile.Reason(e)}", e);
        }

        Console.WriteLine();
        Console.WriteLine($"The rule is in {file}. It is not in force by itself:");
        Console.WriteLine($"  use it    export {DispatchRule.Variable}={file}");
        Console.WriteLine($"  undo it   unset {DispatchRule.Variable}");
        Console.WriteLine("  see it    ./verify doctor");
        return ExitCodes.Held;
    }

    private static void Show(IReadOnlyList<TunedProducts> tuned)
    {
        Console.WriteLine($"{Processor.Current}; GFLOP/s of one thread, best first");
        foreach (var (shape, dtype, speeds) in tuned)
        {
            var all = speeds.Select(speed => string.Create(CultureInfo.InvariantCulture, $"{speed.Backend.ToString().ToLowerInvariant()} {speed.Speed:0.0}"));
            Console.WriteLine($"  {shape.ToString().ToLowerInvariant(),-7} {dtype}  {string.Join(", ", all)}");
        }
    }
}
