using System.Diagnostics;
using Verified.Engine;

namespace Verified.Training.Tests;

/// <summary>There is always a whole file.</summary>
public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void An_error_while_writing_leaves_the_old_file_and_nothing_else()
    {
        var path = folder.Write("a", 1, 2, 3);
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(path, stream =>
        {
            stream.WriteByte(9);
            throw new InvalidOperationException("no more");
        }));
        Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
        Assert.Single(Directory.GetFiles(folder.Path));
        AtomicFile.Write(folder["deep/er/b"], stream => stream.WriteByte(4));
        Assert.Equal([4], File.ReadAllBytes(folder["deep/er/b"]));
    }

    [Fact]
    public void A_process_killed_while_saving_leaves_the_old_checkpoint_whole()
    {
        var path = folder["run.pt"];
        TorchFile.Save(path, Big(0));
        for (var round = 0; round < 3; round++)
        {
            var start = new ProcessStartInfo("dotnet", ["exec", typeof(SavingChild).Assembly.Location, SavingChild.Argument, path]) { RedirectStandardOutput = true, RedirectStandardInput = true };
            using var child = Process.Start(start)!;
            Assert.Equal("saving", child.StandardOutput.ReadLine());
            // Until it is in the middle of one: its temporary file is there.
            var clock = Stopwatch.StartNew();
            while (Directory.GetFiles(folder.Path, ".run.pt.*.tmp").Length == 0 && clock.Elapsed < TimeSpan.FromSeconds(30)) Thread.Sleep(1);
            Thread.Sleep(round);
            child.Kill();
            child.WaitForExit();
            var state = TorchFile.LoadStateDict(path);
            Assert.Equal(state.Integer("number"), state.Tensor("weights").ToLongs()[^1]);
        }

        TorchFile.Save(path, Big(1));
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    internal static StateDict Big(long number) => new() { ["weights"] = Tensor.Create(Enumerable.Repeat(number, 500_000).ToArray()), ["number"] = number };
}

/// <summary>A process that saves checkpoints until it is killed.</summary>
internal static class SavingChild
{
    public const string Argument = "--save-until-killed";

    private static void Main(string[] arguments)
    {
        if (arguments is not [Argument, var path]) return;
        Console.WriteLine("saving");
        for (var i = 2L; ; i++) TorchFile.Save(path, AtomicFileTests.Big(i));
    }
}
