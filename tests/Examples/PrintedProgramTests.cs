using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace Verified.Examples.Tests;

/// <summary>The programs that the README and the page about training print are programs, and print what is said there.</summary>
public sealed partial class PrintedProgramTests
{
    private const string Learnt = "weight tensor([[ 1.9996, -3.3999]]), bias tensor([4.2000])";

    [Theory]
    [InlineData("csharp", "train.cs")]
    [InlineData("fsharp", "train.fsx")]
    public void The_READMEs_first_programs_are_those_of_the_examples_and_under_twenty_lines(string language, string file)
    {
        var printed = Block("README.md", language);
        Assert.EndsWith(printed, File.ReadAllText(Path.Combine(Repository.Root, "examples", file)));
        Assert.InRange(printed.Split('\n').Count(line => line.Trim().Length > 0), 5, 19);
        Assert.Contains($"Both print `{Learnt}`", File.ReadAllText(Path.Combine(Repository.Root, "README.md")));
    }

    [Fact]
    public async Task The_first_CSharp_program_trains() => Assert.Equal(Learnt, (await Run("run", "-c", "Release", Path.Combine(Repository.Root, "examples", "train.cs"))).Trim());

    [Fact]
    public async Task The_first_FSharp_program_trains() => Assert.Equal(Learnt, (await Run("fsi", Path.Combine(Repository.Root, "examples", "train.fsx"))).Trim());

    [Fact]
    public async Task The_program_of_the_page_about_training_trains()
    {
        var folder = Directory.CreateTempSubdirectory("verified-page-");
        try
        {
            var program = Path.Combine(folder.FullName, "page.cs");
            await File.WriteAllTextAsync(
                program,
                $"""
                #:project {Path.Combine(Repository.Root, "src", "Training.CSharp", "Training.CSharp.csproj")}
                #:property RestorePackagesWithLockFile=false
                #:property PublishAot=false
                {Block(Path.Combine("docs", "training.md"), "csharp")}
                """);
            var printed = await Run("run", "-c", "Release", program);
            Assert.Contains("50,890 parameters, 50,890 of them trained", printed);
            Assert.Matches(@"epoch 3: accuracy [78]\d\.\d %", printed);
            Assert.True(File.Exists(Path.Combine(folder.FullName, "runs", "classifier.pt")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The first program of a page in a language that trains.</summary>
    private static string Block(string page, string language) =>
        Blocks().Matches(File.ReadAllText(Path.Combine(Repository.Root, page))).Where(b => b.Groups[1].Value == language)
            .Select(b => b.Groups[2].Value).First(b => b.Contains("optimizer.Step()", StringComparison.Ordinal));

    internal static async Task<string> Run(params string[] arguments)
    {
        var program = arguments[^1];
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = Path.GetDirectoryName(program), RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var printed = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{printed}\n{await errors}");
        return printed;
    }

    [GeneratedRegex("```(\\w+)\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
