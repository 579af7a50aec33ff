using System.Diagnostics;
using System.Globalization;
using Verified.Benchmarks.Measuring;

namespace Verified.Benchmarks.Training;

/// <summary>How PyTorch is started: a Python of the machine that has it, or a tree of unpacked packages with its own Python and loader.</summary>
internal static class PyTorch
{
    /// <summary>A process that runs PyTorch's steps with so many threads.</summary>
    public static Worker Start(Options options, int threads)
    {
        var start = options.Python is { } command ? Command(command) : Tree(options.PyTorch!);
        start.ArgumentList.Add(Path.Combine(options.Root, "benchmarks", "pytorch_steps.py"));
        start.ArgumentList.Add(threads.ToString(CultureInfo.InvariantCulture));
        return Worker.Start(start);
    }

    private static ProcessStartInfo Command(string command)
    {
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return new(words[0], words[1..]);
    }

    private static ProcessStartInfo Tree(string directory)
    {
        var root = Path.GetFullPath(directory);
        var libraries = Path.Combine(root, "usr", "lib", "x86_64-linux-gnu");
        var loader = Path.Combine(libraries, "ld-linux-x86-64.so.2");
        var python = Directory.Exists(Path.Combine(root, "usr", "bin"))
            ? Directory.GetFiles(Path.Combine(root, "usr", "bin"), "python3.??").Order().FirstOrDefault()
            : null;
        if (python is null || !File.Exists(loader))
            throw new ArgumentException($"--pytorch {directory}: no usr/bin/python3.?? and usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 there; for another Python give --python COMMAND");
        string[] search =
        [
            libraries, Path.Combine(root, "usr", "lib"), Path.Combine(libraries, "openblas-openmp"), Path.Combine(libraries, "blas"), Path.Combine(libraries, "lapack"),
        ];
        var start = new ProcessStartInfo(loader, ["--library-path", string.Join(':', search), python]);
        start.Environment["PYTHONHOME"] = Path.Combine(root, "usr");
        start.Environment["PYTHONPATH"] = Path.Combine(root, "usr", "lib", "python3", "dist-packages");
        return start;
    }
}
