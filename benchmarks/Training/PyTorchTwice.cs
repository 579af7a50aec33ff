using Verified.Benchmarks.Measuring;

namespace Verified.Benchmarks.Training;

/// <summary>
/// PyTorch in two processes. A process may be slow from its first step to its last, for no fault of PyTorch's (where its memory came to lie, for one):
/// its samples agree with each other, and only another process shows it.
/// </summary>
internal sealed class PyTorchTwice(Options options, int threads) : IDisposable
{
    public const string Procedure =
        "in two processes of its own, both in turn with the engine; the faster one counts. Where they are further apart than a quarter, two new ones are measured, and where these are too, no ratio is given.";

    private const double Apart = 1.25;
    private const int Attempts = 2;

    private Worker[] processes = Both(options, threads);

    /// <summary>What it says of itself.</summary>
    public string Introduction => processes[0].Introduction;

    /// <summary>Measures one of its steps beside the engine's.</summary>
    /// <param name="engine">The engine's step.</param>
    /// <param name="step">The name of PyTorch's.</param>
    /// <param name="contest">Measures contenders in turn.</param>
    /// <returns>The engine's samples, and those of the faster process; or of both, where they disagreed to the end.</returns>
    public (double[] Ours, double[][] Theirs) Measure(Contender engine, string step, Func<IReadOnlyList<Contender>, IReadOnlyDictionary<string, double[]>> contest)
    {
        for (var attempt = 1; ; attempt++)
        {
            var contenders = processes.Select((process, i) => process.Contender($"PyTorch {i + 1}", step)).ToArray();
            var times = contest([engine, .. contenders]);
            var theirs = contenders.Select(c => times[c.Name]).OrderBy(t => t.Median()).ToArray();
            if (theirs[1].Median() <= Apart * theirs[0].Median()) return (times[engine.Name], theirs[..1]);
            if (attempt == Attempts) return (times[engine.Name], theirs);
            Dispose();
            processes = Both(options, threads);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var process in processes) process.Dispose();
    }

    private static Worker[] Both(Options options, int threads)
    {
        var first = PyTorch.Start(options, threads);
        try
        {
            return [first, PyTorch.Start(options, threads)];
        }
        catch
        {
            first.Dispose();
            throw;
        }
    }
}
