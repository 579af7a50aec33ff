using Verified.Oracle.Shrinking;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>A finding against an engine, made short.</summary>
/// <param name="Original">The case as it was found.</param>
/// <param name="Shrunk">The case after shrinking.</param>
/// <param name="First">Where it first goes wrong, where that can be seen.</param>
public sealed record Failure(CaseResult Original, CaseResult Shrunk, FirstDifference? First)
{
    /// <summary>The shrunk program's content hash, under which it is kept.</summary>
    public string Hash { get; } = Spec.Hash.ofProgram(Shrunk.Program);

    /// <summary>What is wrong, in one line: failures with the same one are most likely the same fault.</summary>
    public string Signature => Shrunk switch
    {
        { Law: { } law } => $"'{law.Name}' broken by {In}",
        { Judgement: { } judgement } => $"{judgement.Findings.Max(f => f.Verdict)} {Worst(judgement).Difference} in {In}",
        { Result: RunResult.Broken broken } when ReferenceEquals(Original, Shrunk) || !Shrunk.Operators.Any() => $"{broken.Kind}: {broken.Detail.Split(':')[0]}",
        { Result: RunResult.Broken broken } => $"{broken.Kind} in {In}",
        _ => $"failed in {In}",
    };

    private string In => Shrunk.Operators.Any() ? string.Join(" ", Shrunk.Operators) : "a program without steps";

    /// <summary>What tells it from others, which is a little more: the kinds of a wrong error.</summary>
    internal (string Signature, (ErrorKind?, ErrorKind?)? Errors) Key => (Signature, Errors(Shrunk));

    /// <summary>The finding that decides.</summary>
    public Finding? Finding => Shrunk.Judgement is { } judgement ? Worst(judgement) : null;

    /// <summary>One sentence: what was expected and what came.</summary>
    public string Message => Shrunk.Result switch
    {
        RunResult.Broken broken => $"{broken.Kind}: {broken.Detail}",
        RunResult.Failed failed => failed.Reason,
        _ => Finding?.Message ?? "",
    };

    /// <summary>Where the engine threw on the shrunk program, a frame a line; none where it did not throw, or runs in another process.</summary>
    public IReadOnlyList<string> Trace => Shrunk.Result is RunResult.Broken broken ? broken.Trace : [];

    /// <summary>
    /// Shrinks a finding and looks for its first difference. A breakdown of an engine in another process stays as it was found: each try would
    /// cost a start, or a wait.
    /// </summary>
    public static Failure Of(Examiner examiner, CaseResult found, int budget = 2000)
    {
        ArgumentNullException.ThrowIfNull(examiner);
        ArgumentNullException.ThrowIfNull(found);
        if (found.Result is RunResult.Broken && examiner.Engine is ProcessEngine) return new Failure(found, found, null);

        // A slow or crashing engine must not make shrinking endless.
        var deadline = DateTime.UtcNow.AddSeconds(30);
        var wasBroken = found.Judgement is null;
        var ending = Ending(found.Program);
        CaseResult? Again(Program candidate) => found.Law is { } law ? examiner.Hold(law, found.Id, candidate) : examiner.Examine(found.Id, candidate);
        bool Fails(Program candidate)
        {
            if (DateTime.UtcNow > deadline) return false;
            // Where the engine gave up, any nonsense would make it give up, and an engine without errors is not asked for them: the
            // candidate must still end as the program found does.
            if ((wasBroken || !examiner.Engine.Info.Features.Contains("errors")) && !Equals(Ending(candidate), ending)) return false;
            // A wrong value must not shrink into a crash, nor a crash into a wrong value, nor a wrong error into anything else: they are different findings.
            return Again(candidate) is { IsFinding: true } result && result.Law == found.Law && result.Judgement is null == wasBroken
                && (wasBroken ? result.Result.GetType() == found.Result.GetType() : Errors(found) is not { } kinds || (Errors(result) is { } others && IsStill(kinds, others)));
        }

        var program = new Shrinker(Fails, budget).Shrink(found.Program);
        var shrunk = Again(program) is { IsFinding: true } again ? again : found;
        return new Failure(found, shrunk, wasBroken || found.Law is not null ? null : FirstDifference.Find(examiner, shrunk.Program));
    }

    /// <summary>The kind of error in which the specification ends a program; null where it ends in none.</summary>
    private static ErrorKind? Ending(Program program) => Run.run<Real>(RegistryModule.all, program).Raised?.Value.Kind;

    /// <summary>The kinds of the errors that are not the same, expected and raised; null where what is wrong is no error.</summary>
    private static (ErrorKind? Expected, ErrorKind? Actual)? Errors(CaseResult result) =>
        result.Judgement?.Findings.FirstOrDefault(finding => finding is { Verdict: Verdict.Fail, Difference: Difference.Raised }) is { } finding ? (Kind(finding.Expected), Kind(finding.Actual)) : null;

    /// <summary>Whether a wrong error is still the same one: raised alike, or missing alike. What should have been raised later may be gone.</summary>
    private static bool IsStill((ErrorKind? Expected, ErrorKind? Actual) found, (ErrorKind? Expected, ErrorKind? Actual) now) =>
        Equals(now.Actual, found.Actual) && (Equals(now.Expected, found.Expected) || (now.Expected is null && now.Actual is not null));

    private static ErrorKind? Kind(Side? side) => (side as Side.Error)?.Raised.Kind;

    private static Finding Worst(Judgement judgement) => judgement.Findings.MaxBy(f => (f.Verdict, f.Ratio))!;
}
