using System.Diagnostics;
using Xunit;

namespace Verified.Examples.Tests;

/// <summary>The F# scripts in their small form: each ends with exit code 0, having reached its target.</summary>
public sealed class ScriptTests
{
    [Theory]
    [InlineData("linear-regression")]
    [InlineData("conv-edge")]
    [InlineData("softmax-fashion")]
    [InlineData("gradient-accumulation")]
    [InlineData("cifar10")]
    [InlineData("unet")]
    public async Task Reaches_its_target(string name)
    {
        var folder = Directory.CreateTempSubdirectory("verified-script-");
        try
        {
            var start = new ProcessStartInfo("dotnet") { WorkingDirectory = folder.FullName, RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (var argument in new[] { "fsi", Script(name), "--small" }) start.ArgumentList.Add(argument);
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            var printed = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, $"{printed}\n{await errors}");
            Assert.Contains("REACHED", printed);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Script(string name) => Path.Combine(Repository.Root, "examples", name + ".fsx");
}
