using BenchmarkDotNet.Attributes;
using Verified.Benchmarks.Training;
using Verified.Engine.Blas;

namespace Verified.Benchmarks.Isolated;

/// <summary>A training step on one thread, with what it allocates.</summary>
public class StepBenchmarks
{
    private Action step = () => { };

    [ParamsSource(nameof(Cases))]
    public string Case { get; set; } = "";

    public static IEnumerable<string> Cases => Steps.All.Select(s => s.Case);

    [GlobalSetup]
    public void Setup()
    {
        Parallelism.Threads = 1;
        step = Steps.All.First(s => s.Case == Case).Make();
    }

    [Benchmark]
    public void Step() => step();
}
