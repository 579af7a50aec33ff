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
    public static Process Open(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "verify.dll"));
        foreach (var arg in args) start.ArgumentList.Add(arg);
        return Process.Start(start)!;
    }

    private static void Assert(bool ended) => Xunit.Assert.True(ended, "the command did not end in 2 minutes");
}
