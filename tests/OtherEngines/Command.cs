using System.Diagnostics;

namespace Verified.OtherEngines.Tests;

/// <summary>Runs the <c>verify</c> command as a user does.</summary>
internal static class Command
{
    /// <summary>What a run gave.</summary>
    public sealed record Result(int Code, string Output, string Error);

    /// <summary>Runs it to its end, with nothing on standard input.</summary>
    public static Result Run(params string[] args) => Feed("", args);

    /// <summary>Runs it to its end with a text on standard input.</summary>
    public static Result Feed(string input, params string[] args)
    {
        using var process = Open(args);
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        Assert(process.WaitForExit(TimeSpan.FromMinutes(2)));
        return new Result(process.ExitCode, output, error.Result);
    }

    /// <summary>Starts it, with nothing on standard input.</summary>
    public static Process Start(params string[] args)
    {
        var process = Open(args);
        process.StandardInput.Close();
        return process;
    }

    /// <summary>Starts it, and leaves its standard input open.</summary>
    public static Process Open(params string[] args) => Open("dotnet", [], args);

    /// <summary>Starts it with nothing on standard input and Ctrl-C as on a terminal, whether or not the tests themselves hear it.</summary>
    public static Process Interruptible(params string[] args)
    {
        var process = Open("env", ["--default-signal=INT", "dotnet"], args);
        process.StandardInput.Close();
        return process;
    }

    /// <summary>Ctrl-C.</summary>
    public static void Interrupt(Process process)
    {
        using var kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
        kill.WaitForExit();
    }

    private static Process Open(string program, string[] first, string[] args)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var arg in first) start.ArgumentList.Add(arg);
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "verify.dll"));
        foreach (var arg in args) start.ArgumentList.Add(arg);
        return Process.Start(start)!;
    }

    private static void Assert(bool ended) => Xunit.Assert.True(ended, "the command did not end in 2 minutes");
}

/// <summary>A fact about signals as Linux's tools send them.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LinuxFactAttribute : Xunit.FactAttribute
{
    public LinuxFactAttribute()
    {
        if (!OperatingSystem.IsLinux()) Skip = "Ctrl-C is sent by Linux's tools";
    }
}
