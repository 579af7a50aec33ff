using System.Diagnostics;
using Xunit;

namespace Verified.Tests;

/// <summary>A test that runs Python with PyTorch: the command that the variable VERIFIED_PYTHON names. Skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PyTorchFactAttribute : FactAttribute
{
    private static readonly string? Python = Environment.GetEnvironmentVariable("VERIFIED_PYTHON");

    public PyTorchFactAttribute()
    {
        if (string.IsNullOrEmpty(Python)) Skip = "VERIFIED_PYTHON names no Python with PyTorch";
    }

    /// <summary>Runs a script and returns what it printed.</summary>
    internal static string Run(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo(Python!, [script, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return output;
    }
}
