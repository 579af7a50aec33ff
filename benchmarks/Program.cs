using System.Globalization;
using System.Runtime.InteropServices;
using BenchmarkDotNet.Running;
using Verified.Benchmarks;
using Verified.Benchmarks.Isolated;
using Verified.Benchmarks.Measuring;
using Verified.Benchmarks.Pointwise;
using Verified.Benchmarks.Products;
using Verified.Benchmarks.Training;
using Verified.Engine.Blas;

switch (args)
{
    case ["--mkl-worker", var path, var threads]:
        ProductTable.ServeMkl(path, int.Parse(threads, CultureInfo.InvariantCulture));
        return 0;
    case ["--dotnet", .. var rest]:
        BenchmarkSwitcher.FromAssembly(typeof(ProductBenchmarks).Assembly).Run(rest, new InProcess());
        return 0;
}

try
{
    var options = Options.Parse(args);
    var report = new Report();
    var started = DateTime.UtcNow;
    var before = Load();
    if (options.Only.Contains("products")) ProductTable.Write(report, options);
    if (options.Only.Contains("pointwise")) PointwiseTable.Write(report, options);
    if (options.Only.Contains("steps")) StepTable.Write(report, options);
    if (options.Only.Contains("memory")) MemoryTable.Write(report);
    if (options.Only.Contains("depth")) DepthTable.Write(report);
    var introduction = string.Join(
        '\n',
        [
            "# Results",
            "",
            $"Written by `./bench{string.Concat(args.Where(a => a is "--quick").Select(a => " " + a))}`{(options.HasPyTorch ? " with PyTorch" : "")} on {started:yyyy-MM-dd}, "
            + $"in {(DateTime.UtcNow - started).TotalMinutes:0} minutes. Contenders are measured in turn, round by round; ratios are medians of the rounds' ratios of times, so below 1 is faster.",
            "With one thread, times are the process's processor time; with more, the time that passed, which other work on the machine stretches.",
            "",
            .. BlasReport.Make().Lines().Where(l => !l.Contains("not for", StringComparison.Ordinal) && !l.Contains(" pin ", StringComparison.Ordinal)
                && !l.Contains(" get ", StringComparison.Ordinal) && !l.Contains(" path ", StringComparison.Ordinal)).Select(l => "    " + l.TrimEnd()),
            $"    .NET {Environment.Version} on {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors",
            $"    load average {before} before, {Load()} after",
            "",
        ]);
    if (options.Write is { } file)
    {
        File.WriteAllText(file + ".part", report.Text(introduction));
        File.Move(file + ".part", file, overwrite: true);
        Console.WriteLine($"\nwritten: {file}");
    }
    return 0;
}
catch (Exception e) when (e is ArgumentException or FormatException or InvalidOperationException or IOException)
{
    Console.Error.WriteLine($"bench: {e.Message}");
    return e is ArgumentException or FormatException ? 2 : 3;
}

static string Load() => File.Exists("/proc/loadavg") ? string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..3]) : "unknown";
