using System.Diagnostics;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>./setup where nothing can or may be fetched: it says so, leaves nothing half-done, and does not fail.</summary>
public sealed class BlasSetupTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("verified-setup-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [UnixFact]
    public void A_refusal_fetches_nothing_and_succeeds()
    {
        var (code, output) = Setup("--no-openblas", ("VERIFIED_NO_MKL", "1"));
        Assert.Equal(0, code);
        Assert.Contains("MKL refused", output, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
    }

    [UnixFact]
    public void Help_names_sizes_licence_and_refusals()
    {
        var (code, output) = Setup("--help");
        Assert.Equal(0, code);
        Assert.Contains("Intel Simplified Software License", output, StringComparison.Ordinal);
        Assert.Contains("VERIFIED_NO_MKL=1", output, StringComparison.Ordinal);
        Assert.Contains("356 MB", output, StringComparison.Ordinal);
    }

    [UnixFact]
    public void An_unknown_option_is_named_and_ends_with_2()
    {
        var (code, output) = Setup("--no-blas");
        Assert.Equal(2, code);
        Assert.Contains("unknown option '--no-blas'", output, StringComparison.Ordinal);
    }

    [UnixFact]
    public void Without_a_package_manager_one_line_says_why_and_all_is_well()
    {
        // A PATH on which everything lies but apt.
        var tools = Tools("bash", "env", "dirname", "realpath", "uname", "grep", "cat", "mkdir", "rm", "find", "head", "tr");
        File.CreateSymbolicLink(Path.Combine(tools, "dotnet"), Environment.ProcessPath!);
        var (code, output) = Setup("--quiet --no-openblas --retry", ("PATH", tools));
        Assert.True(code == 0, output);
        var (again, said) = Setup("--no-openblas", ("PATH", tools));
        Assert.Equal(0, again);
        var line = Assert.Single(said.Split('\n'), l => l.Contains("not fetched", StringComparison.Ordinal));
        Assert.Contains("at least the managed kernel", line, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "verified", "mkl")));
    }

    [UnixFact]
    public void Without_a_dotnet_setup_ends_with_1_and_the_command_that_calls_it_with_3()
    {
        var tools = Tools("bash", "env", "dirname", "realpath");
        foreach (var (script, expected) in new[] { ("setup", 1), ("verify", 3) })
        {
            var (code, output) = Script(script, "--quiet", ("PATH", tools));
            Assert.True(code == expected, $"{script}: {code}\n{output}");
            Assert.Contains("the .NET 10 SDK is not installed", output, StringComparison.Ordinal);
        }
    }

    /// <summary>A folder of some of the system's tools, to be all of a PATH.</summary>
    private string Tools(params string[] names)
    {
        var tools = Directory.CreateDirectory(Path.Combine(_folder, "tools")).FullName;
        foreach (var tool in names)
        {
            var at = new[] { "/usr/bin/", "/bin/" }.Select(folder => folder + tool).First(File.Exists);
            File.CreateSymbolicLink(Path.Combine(tools, tool), at);
        }

        return tools;
    }

    private (int Code, string Output) Setup(string arguments, params (string Name, string Value)[] variables) => Script("setup", arguments, variables);

    private (int Code, string Output) Script(string script, string arguments, params (string Name, string Value)[] variables)
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Verified.sln")))
            root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("the repository's root was not found");
        var start = new ProcessStartInfo("/bin/bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(root, script));
        foreach (var argument in arguments.Split(' '))
            start.ArgumentList.Add(argument);
        start.Environment["XDG_DATA_HOME"] = _folder;
        start.Environment.Remove("VERIFIED_NO_MKL");
        start.Environment.Remove("VERIFIED_NO_OPENBLAS");
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd() + errors.GetAwaiter().GetResult();
        process.WaitForExit();
        return (process.ExitCode, output);
    }
}

/// <summary>A fact that needs bash.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class UnixFactAttribute : FactAttribute
{
    public UnixFactAttribute()
    {
        if (!File.Exists("/bin/bash"))
            Skip = "./setup needs bash";
    }
}
