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
            using var pytorch = options.HasPyTorch ? new PyTorchTwice(options, threads) : null;
            report.Section(
                $"Training steps, {threads} thread{(threads > 1 ? "s" : "")}",
                $"Microseconds, medians of {(threads == 1 ? "processor time, the collector's and the finalizers' included" : "time passed")}. "
                + (pytorch is null ? "No PyTorch was named (`--pytorch DIR` or `--python COMMAND`)." : $"{pytorch.Introduction}, {PyTorchTwice.Procedure} {(threads > 1 ? Busy : "")}"));
            report.Head("step", "engine", "PyTorch", "to PyTorch", "spread", "PyTorch's spread");
            foreach (var step in Steps.All)
            {
                if (options.Step is { } wanted && !step.Case.StartsWith(wanted, StringComparison.Ordinal)) continue;
                var engine = Contender.Here("engine", step.Make());
                IReadOnlyDictionary<string, double[]> Contest(IReadOnlyList<Contender> contenders) =>
                    Measuring.Contest.Run(contenders, threads, options.Quick ? 7 : 11, options.Quick ? 0.05 : 0.12, options.Quick ? 0.5 : 1);
                string Time(double[] t) => Report.Number(t.Median() * 1e6 / step.Per);
                string Spread(double[] t) => $"{t.Spread() * 100:0} %";

                if (pytorch is null)
                {
                    var alone = Contest([engine])[engine.Name];
                    report.Row(step.Name, Time(alone), "-", "-", Spread(alone), "-");
                    continue;
                }
                var (ours, theirs) = pytorch.Measure(engine, step.Case, Contest);
                if (theirs is [var times])
                {
                    report.Compare($"{step.Name}, {threads} thread{(threads > 1 ? "s" : "")}", "PyTorch", ours.RatioTo(times), ours.Spread());
                    report.Row(step.Name, Time(ours), Time(times), Report.Number(ours.RatioTo(times)), Spread(ours), Spread(times));
                }
                else
                {
                    report.Row(step.Name, Time(ours), string.Join(" or ", theirs.Select(Time)), "its processes disagree", Spread(ours), string.Join(", ", theirs.Select(Spread)));
                }
            }
        }
        Parallelism.Threads = Environment.ProcessorCount;
    }
}
