using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Verified.Benchmarks.Isolated;

/// <summary>
/// BenchmarkDotNet on one case at a time, with its allocation counts: for looking into a case. It measures one contender after the other, so on a machine
/// that others use its ratios are worth less than those of the tables, which measure them in turn.
/// </summary>
internal sealed class InProcess : ManualConfig
{
    public InProcess()
    {
        AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
        AddLogger(ConsoleLogger.Default);
        AddColumnProvider(DefaultColumnProviders.Instance);
        AddDiagnoser(MemoryDiagnoser.Default);
        AddExporter(MarkdownExporter.GitHub);
    }
}
