using Spectre.Console;

namespace Verified.Cli;

/// <summary>Standard output: with colours on a terminal, as plain text of a fixed width where it goes elsewhere.</summary>
internal static class Terminal
{
    public static IAnsiConsole Out { get; } = Make();

    private static IAnsiConsole Make()
    {
        var console = AnsiConsole.Console;
        if (!Console.IsOutputRedirected) return console;
        console.Profile.Width = 120;
        console.Profile.Capabilities.Ansi = false;
        console.Profile.Capabilities.ColorSystem = ColorSystem.NoColors;
        return console;
    }
}
