using Verified.Oracle.Laws;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>Runs programs on an engine and judges what it answers.</summary>
public sealed class Examiner(IEngine engine)
{
    private readonly IEngine engine = engine ?? throw new ArgumentNullException(nameof(engine));

    /// <summary>The engine.</summary>
    public IEngine Engine => engine;

    /// <summary>Runs and judges one program.</summary>
    public CaseResult Examine(string id, Program program, Outcome? golden = null)
    {
        ArgumentNullException.ThrowIfNull(id);
        ArgumentNullException.ThrowIfNull(program);
        return Judged(id, program, golden, Guarded(program));
    }

    /// <summary>Runs and judges cases in order; an engine in another process works ahead.</summary>
    public IEnumerable<CaseResult> Examine(IEnumerable<Json.Case> cases)
    {
        ArgumentNullException.ThrowIfNull(cases);
        var waiting = new Queue<Json.Case>();
        IEnumerable<Program> Programs()
        {
            foreach (var item in cases)
            {
                waiting.Enqueue(item);
                yield return item.Program;
            }
        }

        foreach (var result in engine is ProcessEngine ? engine.RunAll(Programs()) : Programs().Select(Guarded))
        {
            var item = waiting.Dequeue();
            yield return Judged(item.Id, item.Program, item.Golden?.Value, result);
        }
    }

    /// <summary>Holds the engine to a law on one program; null where the law says nothing of it.</summary>
    public CaseResult? Hold(Law law, string id, Program program)
    {
        ArgumentNullException.ThrowIfNull(law);
        ArgumentNullException.ThrowIfNull(id);
        ArgumentNullException.ThrowIfNull(program);
        CaseResult? brokenDown = null;
        RunResult? last = null;
        Outcome? Ran(Program twin)
        {
            last = Guarded(twin);
            if (last is RunResult.Broken or RunResult.Failed) brokenDown ??= new CaseResult(id, twin, last, null);
            return last is RunResult.Ran ran ? ran.Outcome : null;
        }

        var held = SpecificationException.Guard(id, () => law.Check(Ran, program));
        if (brokenDown is not null || !held.Applies) return brokenDown;
        var judgement = new Judgement(held.Violation is { } violation ? [new Finding(law.Name, Verdict.Fail, Difference.Law) { Note = violation }] : []);
        var known = held is { Violation: not null, Twins: { } twins } ? KnownOf(id, twins.First) ?? KnownOf(id, twins.Second) : null;
        return new CaseResult(id, program, last!, judgement) { Law = law, Twins = held.Twins, Known = known };
    }

    /// <summary>What a law says of a twin in which a known divergence shows, and nothing else, is that divergence's.</summary>
    private Divergence? KnownOf(string id, Program twin) => KnownDivergences.Concerns(engine.Info) ? Examine(id, twin).Known : null;

    /// <summary>True where the program counts against the engine: what a shrinker keeps.</summary>
    public bool Fails(Program program)
    {
        ArgumentNullException.ThrowIfNull(program);
        return Examine("", program).IsFinding;
    }

    /// <summary>An engine in process that throws has broken down on this program; the run goes on.</summary>
    private RunResult Guarded(Program program)
    {
        try
        {
            return engine.Run(program);
        }
        catch (Exception e) when (e is not (EngineException or OperationCanceledException))
        {
            return new RunResult.Broken(BreakKind.Crash, $"the engine threw {ThrownAt.Sentence(e)}") { Trace = ThrownAt.Of(e) };
        }
    }

    private CaseResult Judged(string id, Program program, Outcome? golden, RunResult result) => SpecificationException.Guard(id, () =>
    {
        if (result is not RunResult.Ran ran) return new CaseResult(id, program, result, null);
        var expectation = Expectation.Of(program, engine.Info.Ulp);
        var judgement = Judge.Outcome(expectation, ran.Outcome, engine.Info);
        var recorded = golden is null ? null : Judge.Outcome(expectation, golden, PyTorch);
        return new CaseResult(id, program, result, judgement)
        {
            Known = Explaining(engine.Info, program, ran.Outcome, judgement),
            Golden = recorded,
            GoldenKnown = recorded is null ? null : Explaining(PyTorch, program, golden!, recorded),
        };
    });

    /// <summary>The known divergence where each wrong value has one.</summary>
    private static Divergence? Explaining(EngineInfo of, Program program, Outcome outcome, Judgement judgement)
    {
        if (judgement.Verdict < Verdict.LessAccurate) return null;
        var known = judgement.Findings.Where(f => f.Verdict >= Verdict.LessAccurate).Select(f => KnownDivergences.Explaining(new Sighting(program, outcome, of, f))).ToList();
        return known.Contains(null) ? null : known[0];
    }

    /// <summary>PyTorch as goldens record it.</summary>
    private static EngineInfo PyTorch { get; } = new() { Name = "PyTorch", Version = "2.6.0", Language = "Python" };
}
