using Spectre.Console;
using Verified.Oracle;

namespace Verified.Cli;

/// <summary>One finding as text: what is wrong, the shortest program that shows it, where it begins, and how to see it again.</summary>
internal static class FailureText
{
    /// <summary>Writes it. What is there to be copied, the program and the command, is never broken over lines.</summary>
    /// <param name="console">Where to.</param>
    /// <param name="failure">The finding.</param>
    /// <param name="replay">The command that shows it again; null for none.</param>
    /// <param name="language">How its program is printed.</param>
    /// <param name="likely">It is likely the same fault as the one before.</param>
    public static void Write(IAnsiConsole console, Failure failure, string? replay, string language = "pytorch", bool likely = false)
    {
        console.Write(new Rule($"{(likely ? "likely the same: " : "")}[red]{Markup.Escape(failure.Signature)}[/]").LeftJustified());
        Console.WriteLine(FailureDescription.Printed(failure, language, EngineMethods.All));
        console.WriteLine();
        console.MarkupLineInterpolated($"[red]{failure.Message}[/]");
        foreach (var line in FailureDescription.Details(failure)) console.WriteLine(line);
        console.MarkupLineInterpolated($"[grey]found in {failure.Original.Id}{(replay is null ? "; --report DIR keeps its program" : "")}[/]");
        if (replay is not null) Console.WriteLine($"again: {replay}");
        console.WriteLine();
    }
}
