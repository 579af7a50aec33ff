using System.Diagnostics;
using Xunit;

namespace Verified.Examples.Tests;

/// <summary>The F# scripts in their small form: each ends with exit code 0, having reached its target.</summary>
public sealed class ScriptTests
{
    [Theory]
    [InlineData("autograd-basics")]
    [InlineData("linear-regression")]
    [InlineData("conv-edge")]
    [InlineData("softmax-fashion", "--small")]
    [InlineData("gradient-accumulation")]
    [InlineData("cifar10", "--small")]
    [InlineData("unet", "--small")]
    public async Task Reaches_its_target(string name, params string[] options)
    {
        var (code, printed, errors) = await Run(name, options);
        Assert.True(code == 0, $"{printed}\n{errors}");
        Assert.Contains("REACHED", printed);
    }

    [Theory]
    [InlineData("conv-edge", "--small: this script takes no options\n", "--small")]
    [InlineData("cifar10", "--resume: there is no checkpoint runs/cifar10-fsharp/checkpoint.pt\n", "--small", "--resume")]
    public async Task What_it_does_not_use_is_refused_in_a_sentence(string name, string sentence, params string[] options)
    {
        var (code, printed, errors) = await Run(name, options);
        Assert.Equal(2, code);
        Assert.Equal(sentence, errors);
        Assert.DoesNotContain("REACHED", printed);
    }

    private static async Task<(int Code, string Printed, string Errors)> Run(string name, string[] options)
    {
        var folder = Directory.CreateTempSubdirectory("verified-script-");
        try
        {
            using var process = Start("env", folder.FullName, name, options);
            var errors = process.StandardError.ReadToEndAsync();
            var printed = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            return (process.ExitCode, printed, await errors);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task The_U_Net_saves_and_stops_at_Ctrl_C_and_goes_on_from_there()
    {
        var folder = Directory.CreateTempSubdirectory("verified-script-");
        try
        {
            // In a group of its own, which gets the signal as a terminal's would, also where these tests run in the background, without Ctrl-C.
            using var process = Start("setsid env --default-signal=INT", folder.FullName, "unet", "--small");
            var errors = process.StandardError.ReadToEndAsync();
            var printed = "";
            // The first epoch is whole; the signal comes somewhere in those after it.
            while (await process.StandardOutput.ReadLineAsync() is { } line)
            {
                printed += line + "\n";
                if (line.StartsWith("epoch 1:", StringComparison.Ordinal)) Process.Start("kill", ["-INT", "--", $"-{process.Id}"]).WaitForExit();
            }

            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 130, $"{printed}\n{await errors}");
            Assert.Contains("--resume goes on from", printed);
            using var again = Start("env", folder.FullName, "unet", "--small", "--resume");
            errors = again.StandardError.ReadToEndAsync();
            printed = await again.StandardOutput.ReadToEndAsync();
            await again.WaitForExitAsync();
            Assert.True(again.ExitCode == 0, $"{printed}\n{await errors}");
            Assert.Contains("Going on from", printed);
            Assert.DoesNotContain("epoch 1:", printed);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Process Start(string through, string folder, string name, params string[] arguments)
    {
        var words = through.Split(' ');
        var start = new ProcessStartInfo(words[0]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in words[1..].Concat(["dotnet", "fsi", Script(name), .. arguments])) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static string Script(string name) => Path.Combine(Repository.Root, "examples", name + ".fsx");
}
