using Verified.Oracle.Generation;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>The search for a bug that an engine is known to have: standard random programs until one fails, made short.</summary>
public sealed class BugSearch
{
    /// <summary>How many programs a search takes at most: a rule that one operator of a hundred breaks shows in one of some ten thousand.</summary>
    public const int DefaultBudget = 30_000;

    private BugSearch()
    {
    }

    /// <summary>Programs that were run, the failing one included.</summary>
    public int Programs { get; private set; }

    /// <summary>Programs among them whose outcome the bug changes.</summary>
    public int Showing { get; private set; }

    /// <summary>Programs whose outcome the bug changes, but of which nothing useful could be said.</summary>
    public int Inconclusive { get; private set; }

    /// <summary>The failure, made short; null where none was found.</summary>
    public Failure? Failure { get; private set; }

    /// <summary>True where the bug was found by FAIL; less accurate, inconclusive and broken do not count.</summary>
    public bool Found => Failure is { Shrunk.Judgement.Verdict: Verdict.Fail };

    /// <summary>Steps of the program as it was found, nested ones included.</summary>
    public int OriginalSteps => Failure is null ? 0 : Count(Failure.Original.Program.Steps);

    /// <summary>Steps of the shrunk program.</summary>
    public int ShrunkSteps => Failure is null ? 0 : Count(Failure.Shrunk.Program.Steps);

    /// <summary>Runs random programs until one fails on the engine with the bug and holds on the one without it, and shrinks that.</summary>
    /// <param name="engine">The engine with the bug.</param>
    /// <param name="sound">The engine without it: a program on which this one fails as well shows something else, and is passed over.</param>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="budget">How many programs at most.</param>
    /// <param name="cancel">Ends the search early.</param>
    public static BugSearch Run(IEngine engine, IEngine sound, ulong seed, int budget, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(sound);
        var examiner = new Examiner(new Suspect(engine, sound));
        var generator = new ProgramGenerator(RegistryModule.all, Examination.For(engine.Info));
        var search = new BugSearch();
        while (search.Programs < budget && !cancel.IsCancellationRequested)
        {
            var caseSeed = Rng.CaseSeed(seed, search.Programs++);
            var result = examiner.Examine(new ReplayToken(caseSeed, null).ToString(), generator.Generate(caseSeed));
            if (result.Judgement is null) continue;
            search.Showing++;
            if (result.Judgement.Verdict == Verdict.Inconclusive) search.Inconclusive++;
            if (result.Judgement.Verdict != Verdict.Fail) continue;
            search.Failure = Failure.Of(examiner, result);
            break;
        }

        return search;
    }

    private static int Count(IEnumerable<Step> steps) => steps.Sum(step => 1 + Count(step.Steps));

    /// <summary>The engine with the bug, asked only where the bug changes something and the engine without it holds.</summary>
    private sealed class Suspect(IEngine engine, IEngine sound) : IEngine
    {
        private readonly Examiner _sound = new(sound);

        public EngineInfo Info => engine.Info;

        public RunResult Run(Program program)
        {
            var result = engine.Run(program);
            if (result is RunResult.Ran ran && sound.Run(program) is RunResult.Ran right && ran.Outcome.Equals(right.Outcome))
                return new RunResult.Unsupported("the bug changes nothing here");
            return _sound.Fails(program) ? new RunResult.Unsupported("the engine without the bug fails as well") : result;
        }

        public void Dispose()
        {
        }
    }
}
