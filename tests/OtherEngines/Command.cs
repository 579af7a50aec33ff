using System.Diagnostics;

namespace Verified.OtherEngines.Tests;

/// <summary>Runs the <c>verify</c> command as a user does.</summary>
internal static class Command
{
    /// <summary>What a run gave.</summary>
    public sealed record Result(int Code, string Output, string Error);

    /// <summary>Runs it to its end.</summary>
    public static Result Run(params string[] args)
    {
        using var process = Start(args);
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        Assert(process.WaitForExit(TimeSpan.FromMinutes(2)));
        return new Result(process.ExitCode, output, error.Result);
    }

    /// <summary>Starts it.</summary>
    public static Process Start(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "verify.dll"));
        foreach (var arg in args) start.ArgumentList.Add(arg);
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    private static void Assert(bool ended) => Xunit.Assert.True(ended, "the command did not end in 2 minutes");
}
