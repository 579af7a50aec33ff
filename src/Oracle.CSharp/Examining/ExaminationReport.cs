using System.Diagnostics;
using Verified.Oracle.Laws;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>What an examination found.</summary>
public sealed class ExaminationReport
{
    private readonly Dictionary<string, Tally> _phases = [];
    private readonly Dictionary<Law, Tally> _laws = [];
    private readonly SortedDictionary<string, Tally> _operators = new(StringComparer.Ordinal);
    private readonly List<CaseResult> _findings = [];
    private readonly List<string> _complaints = [];
    private readonly List<string> _passedOver = [];
    private readonly List<CaseResult> _goldenDisagreements = [];

    internal ExaminationReport(EngineInfo engine, ExaminationOptions options)
    {
        Engine = engine;
        Options = options;
    }

    /// <summary>The engine.</summary>
    public EngineInfo Engine { get; }

    /// <summary>What it consisted of.</summary>
    public ExaminationOptions Options { get; }

    /// <summary>Counts over all cases.</summary>
    public Tally Total { get; } = new();

    /// <summary>Counts by phase: one a corpus, and the random programs.</summary>
    public IReadOnlyDictionary<string, Tally> Phases => _phases;

    /// <summary>Counts by law: the random programs on which the engine was held to it and of which it says something.</summary>
    public IReadOnlyDictionary<Law, Tally> Laws => _laws;

    /// <summary>Counts by operator: the cases in which it occurs.</summary>
    public IReadOnlyDictionary<string, Tally> Operators => _operators;

    /// <summary>Why the engine did not run random programs, as it says itself.</summary>
    public Reasons UnsupportedRandom { get; } = new();

    /// <summary>Why the engine did not run goldens and programs of corpora that it was asked for, as it says itself.</summary>
    public Reasons UnsupportedGiven { get; } = new();

    /// <summary>What goldens and programs of corpora need, and the engine does not declare: it was not asked for them.</summary>
    public Reasons Undeclared { get; } = new();

    /// <summary>Every case that counts against the engine, as it was found.</summary>
    public IReadOnlyList<CaseResult> Findings => _findings;

    /// <summary>Goldens on which the specification and PyTorch disagree, which are for the registry of divergences.</summary>
    public IReadOnlyList<CaseResult> GoldenDisagreements => _goldenDisagreements;

    /// <summary>Programs that name an operator, or read a name, that there is not, which were not examined: place and reason, a line each.</summary>
    public IReadOnlyList<string> Complaints => _complaints;

    /// <summary>Corpora of which no program has any of the operators asked for.</summary>
    public IReadOnlyList<string> PassedOver => _passedOver;

    /// <summary>The findings made short, one for each kind of fault.</summary>
    public IReadOnlyList<Failure> Failures { get; private set; } = [];

    /// <summary>How long it took.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <summary>True where it was ended before it was done.</summary>
    public bool Interrupted { get; private set; }

    /// <summary>
    /// What came of it in a word or two: FAIL, NOT DONE (the examination was given up, and nothing but its breakdowns counts against it), NOTHING
    /// EXAMINED, INTERRUPTED or PASS.
    /// </summary>
    public string Outcome =>
        !Holds && (GivenUp is null || _findings.Exists(finding => finding.Result is not RunResult.Broken)) ? "FAIL"
        : GivenUp is not null ? "NOT DONE"
        : Interrupted ? "INTERRUPTED"
        : Total.Examined == 0 ? "NOTHING EXAMINED"
        : "PASS";

    /// <summary>True where nothing counts against the engine.</summary>
    public bool Holds => Total.Holds && _laws.Values.All(tally => tally.Holds);

    /// <summary>Why the examination was given up before the end, in a sentence; null where it was not.</summary>
    public string? GivenUp { get; internal set; }

    /// <summary>How many random programs were run, where so many findings ended them early; null where they did not.</summary>
    public int? EndedEarly { get; internal set; }

    /// <summary>How many findings were not made short, for want of time, and so may be among the shown ones or not.</summary>
    public int NotShrunk { get; private set; }

    internal void Complain(string complaint) => _complaints.Add(complaint);

    internal void PassOver(string corpus) => _passedOver.Add(corpus);

    internal void Add(string phase, CaseResult result)
    {
        if (!_phases.TryGetValue(phase, out var tally)) _phases[phase] = tally = new Tally();
        tally.Count(result);
        Total.Count(result);
        foreach (var op in result.Operators)
        {
            if (!_operators.TryGetValue(op, out var each)) _operators[op] = each = new Tally();
            each.Count(result);
        }

        if (result is { Judgement: null, Result: RunResult.Unsupported { What: var what } })
            (result.Unasked ? Undeclared : phase == Examination.RandomPhase ? UnsupportedRandom : UnsupportedGiven).Add(what);
        if (result.IsFinding) _findings.Add(result);
        if (result.Golden is { Verdict: Verdict.Fail }) _goldenDisagreements.Add(result);
    }

    /// <summary>Counts a law apart: that an engine agrees with itself is no verdict on its values.</summary>
    internal void Add(Law law, CaseResult result)
    {
        if (!_laws.TryGetValue(law, out var tally)) _laws[law] = tally = new Tally();
        tally.Count(result);
        if (result.IsFinding) _findings.Add(result);
    }

    /// <summary>Makes the findings short: the simplest first, until there are enough different ones.</summary>
    internal void Shrink(Examiner examiner, IProgress<ExaminationProgress>? progress, CancellationToken cancel)
    {
        var failures = new Dictionary<(string, (ErrorKind?, ErrorKind?)?), Failure>();
        var (tried, most) = (0, Options.MaxFailures);
        var watch = Stopwatch.StartNew();
        foreach (var finding in _findings.OrderBy(f => f.Program.Steps.Length).Take(3 * most))
        {
            if (failures.Count >= most) break;
            if (watch.Elapsed > Options.ShrinkTime)
            {
                NotShrunk = Math.Min(_findings.Count, 3 * most) - tried;
                break;
            }

            // Interrupted, it shows them as they were found.
            var failure = cancel.IsCancellationRequested ? new Failure(finding, finding, null) : Shrunk(examiner, finding);
            if (!failures.TryGetValue(failure.Key, out var known) || failure.Shrunk.Program.Steps.Length < known.Shrunk.Program.Steps.Length)
                failures[failure.Key] = failure;
            progress?.Report(new ExaminationProgress("shrinking", ++tried, (double)tried / Math.Min(_findings.Count, 3 * most), _findings.Count));
        }

        Failures = [.. failures.Values];
    }

    /// <summary>A finding made short; as it was found where the engine is given up.</summary>
    private Failure Shrunk(Examiner examiner, CaseResult finding)
    {
        if (GivenUp is not null) return new Failure(finding, finding, null);
        try
        {
            return Failure.Of(examiner, finding);
        }
        catch (Exception e) when (e is EngineException or SpecificationException)
        {
            GivenUp = e.Message;
            return new Failure(finding, finding, null);
        }
        catch (OperationCanceledException)
        {
            return new Failure(finding, finding, null);
        }
    }

    internal void Finish(TimeSpan elapsed, bool interrupted) => (Elapsed, Interrupted) = (elapsed, interrupted);
}
