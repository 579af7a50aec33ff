using Verified.Benchmarks.Measuring;
using Verified.Engine.Blas;

namespace Verified.Benchmarks.Training;

/// <summary>Whole training steps beside PyTorch's, in turn with it.</summary>
internal static class StepTable
{
    private const string Busy =
        "PyTorch's OpenMP threads wait for each other spinning: where the load average is near the number of processors or above, these times tell how the threads were scheduled and not how fast PyTorch is.";

    public static void Write(Report report, Options options)
    {
        foreach (var threads in options.StepThreads)
        {
            Parallelism.Threads = threads;
            using var pytorch = options.HasPyTorch ? PyTorch.Start(options, threads) : null;
            report.Section(
                $"Training steps, {threads} thread{(threads > 1 ? "s" : "")}",
                $"Microseconds, medians of {(threads == 1 ? "processor time, the collector's and the finalizers' included" : "time passed")}. "
                + (pytorch is null ? "No PyTorch was named (`--pytorch DIR` or `--python COMMAND`)." : $"{pytorch.Introduction}, in its own process, in turn with the engine. {(threads > 1 ? Busy : "")}"));
            report.Head("step", "engine", "PyTorch", "to PyTorch", "spread", "PyTorch's spread");
            foreach (var step in Steps.All)
            {
                if (options.Step is { } wanted && !step.Case.StartsWith(wanted, StringComparison.Ordinal)) continue;
                List<Contender> contenders = [Contender.Here("engine", step.Make())];
                if (pytorch is not null) contenders.Add(pytorch.Contender("PyTorch", step.Case));
                var times = Contest.Run(contenders, threads, options.Quick ? 7 : 11, options.Quick ? 0.05 : 0.12, options.Quick ? 0.5 : 1);
                var ours = times["engine"];
                var theirs = times.GetValueOrDefault("PyTorch");
                if (theirs is not null)
                    report.Compare($"{step.Name}, {threads} thread{(threads > 1 ? "s" : "")}", "PyTorch", ours.RatioTo(theirs), ours.Spread());
                string Time(double[]? t) => t is null ? "-" : Report.Number(t.Median() * 1e6 / step.Per);
                report.Row(
                    step.Name, Time(ours), Time(theirs), theirs is null ? "-" : Report.Number(ours.RatioTo(theirs)),
                    $"{ours.Spread() * 100:0} %", theirs is null ? "-" : $"{theirs.Spread() * 100:0} %");
            }
        }
        Parallelism.Threads = Environment.ProcessorCount;
    }
}
