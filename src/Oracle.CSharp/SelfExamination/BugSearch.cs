using Verified.Oracle.Generation;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>The search for a bug that an engine is known to have: standard random programs until one fails, made short.</summary>
public sealed class BugSearch
{
    private BugSearch()
    {
    }

    /// <summary>Programs that were run, the failing one included.</summary>
    public int Programs { get; private set; }

    /// <summary>Programs among them of which nothing useful could be said.</summary>
    public int Inconclusive { get; private set; }

    /// <summary>The failure, made short; null where none was found.</summary>
    public Failure? Failure { get; private set; }

    /// <summary>True where the bug was found by FAIL; less accurate, inconclusive and broken do not count.</summary>
    public bool Found => Failure is { Shrunk.Judgement.Verdict: Verdict.Fail };

    /// <summary>Steps of the program as it was found, nested ones included.</summary>
    public int OriginalSteps => Failure is null ? 0 : Count(Failure.Original.Program.Steps);

    /// <summary>Steps of the shrunk program.</summary>
    public int ShrunkSteps => Failure is null ? 0 : Count(Failure.Shrunk.Program.Steps);

    /// <summary>Searches.</summary>
    /// <param name="engine">The engine with the bug.</param>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="budget">How many programs at most.</param>
    /// <param name="cancel">Ends the search early.</param>
    public static BugSearch Run(IEngine engine, ulong seed, int budget, CancellationToken cancel = default)
    {
        var examiner = new Examiner(engine);
        var generator = new ProgramGenerator(RegistryModule.all, Examination.For(engine.Info));
        var search = new BugSearch();
        while (search.Programs < budget && !cancel.IsCancellationRequested)
        {
            var caseSeed = Rng.CaseSeed(seed, search.Programs++);
            var result = examiner.Examine(new ReplayToken(caseSeed, null).ToString(), generator.Generate(caseSeed));
            if (result.Judgement?.Verdict == Verdict.Inconclusive) search.Inconclusive++;
            if (result.Judgement?.Verdict != Verdict.Fail) continue;
            search.Failure = Failure.Of(examiner, result);
            break;
        }

        return search;
    }

    private static int Count(IEnumerable<Step> steps) => steps.Sum(step => 1 + Count(step.Steps));
}
