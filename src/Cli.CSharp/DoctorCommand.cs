using System.CommandLine;
using Spectre.Console;
using Verified.Engine.Blas;

namespace Verified.Cli;

/// <summary><c>verify doctor</c>: the processor, each BLAS library found, what it is used for, and how to change that.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var command = new Command("doctor", "Shows the processor and the BLAS libraries: which are there, checked, used for what, and how to pin or get them.");
        command.SetAction(_ => Run());
        return command;
    }

    private static int Run()
    {
        var report = BlasReport.Make();
        Line("processor", $"{report.Processor}, {report.Threads} threads");
        Line(".NET", System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription);
        Line("rule", report.Rule + (report.Pinned is { } pinned ? $"; not in force, {pinned} is pinned" : ""));
        foreach (var backend in report.Backends) Write(backend);
        Console.WriteLine();
        Console.WriteLine(Missing(report));
        return ExitCodes.Held;
    }

    private static void Write(BackendReport backend)
    {
        Console.WriteLine();
        var there = backend.Available ? "available" : "not available";
        if (Console.IsOutputRedirected) Console.WriteLine($"{backend.Backend}: {there}");
        else AnsiConsole.MarkupLine($"[bold]{backend.Backend}[/]: [{(backend.Available ? "green" : "yellow")}]{there}[/]");
        Line("version", backend.Version);
        if (backend.Path is { } path) Line("path", path);
        Line("checked", backend.Checked);
        foreach (var other in backend.Rejected) Line("rejected", $"{other.Path}: {other.WhyNot}");
        Line("used for", backend.UsedFor.Count > 0 ? string.Join(", ", backend.UsedFor) : "nothing");
        foreach (var not in backend.NotUsedFor) Line("not for", not);
        Line("pin", backend.HowToPin);
        if (backend.HowToGet.Length > 0) Line("get", backend.HowToGet);
    }

    /// <summary>One line that says whether anything is to be done.</summary>
    private static string Missing(BlasReport report)
    {
        var missing = report.Backends.Where(b => !b.Available && b.HowToGet.Length > 0).Select(b => b.Backend.ToString()).ToList();
        return missing.Count == 0
            ? "Every library that the engine can use is there."
            : $"Not there: {string.Join(" and ", missing)}. Everything works without, on what is there; ./setup --retry tries to fetch again.";
    }

    /// <summary>A name and its text, wrapped to the terminal with the text's left edge kept.</summary>
    private static void Line(string name, string text)
    {
        const int edge = 12;
        var room = Console.IsOutputRedirected ? int.MaxValue : Math.Max(40, AnsiConsole.Console.Profile.Width - edge - 1);
        var start = name.PadRight(edge);
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > room)
            {
                Console.WriteLine(start + line);
                (start, line) = (new string(' ', edge), "");
            }

            line = line.Length == 0 ? word : line + " " + word;
        }

        Console.WriteLine(start + line);
    }
}
