using System.Text;

namespace Verified.Engine;

/// <summary>What a <see cref="GradCheck"/> came to.</summary>
public enum GradCheckVerdict
{
    /// <summary>All was decided, and all is right.</summary>
    Passed,

    /// <summary>Something is wrong.</summary>
    Failed,

    /// <summary>Nothing is known to be wrong, but not all could be decided: a numerical derivative was not exact enough.</summary>
    Inconclusive,
}

/// <summary>The rules that a derivative must keep.</summary>
public enum GradCheckRule
{
    /// <summary>The derivative is that of the function.</summary>
    Jacobian,

    /// <summary>At a kink the derivative lies between the slopes to the two sides.</summary>
    Kink,

    /// <summary>A rule is linear in the gradient that arrives.</summary>
    Linearity,

    /// <summary>A gradient of zero gives zero.</summary>
    ZeroUpstream,

    /// <summary>A rule does not write to the gradient that arrives.</summary>
    UpstreamChanged,

    /// <summary>How the gradient that arrives lies in memory does not matter.</summary>
    StridedUpstream,

    /// <summary>A gradient that does not arrive counts as zero.</summary>
    UndefinedUpstream,

    /// <summary>The same input gives the same result.</summary>
    Deterministic,

    /// <summary>A function does not write to its inputs.</summary>
    InputChanged,

    /// <summary>Shape and type of the results do not depend on the values of the inputs.</summary>
    FormChanged,

    /// <summary>A derivative in float32 is that in float64, rounded.</summary>
    Precision,

    /// <summary>Neither function nor derivative raises.</summary>
    Raised,
}

/// <summary>One thing that is wrong.</summary>
/// <param name="Rule">The rule that is broken.</param>
/// <param name="Message">How, in a sentence.</param>
public sealed record GradCheckFinding(GradCheckRule Rule, string Message)
{
    /// <summary>Which of the inputs; null where none is singled out.</summary>
    public int? Input { get; init; }

    /// <summary>Which element of it.</summary>
    public IReadOnlyList<int>? InputElement { get; init; }

    /// <summary>Which of the results; null where none is singled out.</summary>
    public int? Output { get; init; }

    /// <summary>Which element of it.</summary>
    public IReadOnlyList<int>? OutputElement { get; init; }

    /// <summary>What the derivative rules give.</summary>
    public double? Analytic { get; init; }

    /// <summary>What it was held against.</summary>
    public double? Numeric { get; init; }

    /// <summary>By how much the two may differ.</summary>
    public double? Allowance { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Rule}: {Message}";
}

/// <summary>What a <see cref="GradCheck"/> found.</summary>
public sealed class GradCheckReport
{
    private readonly List<GradCheckFinding> findings = [];

    internal GradCheckReport(int seed) => Seed = seed;

    /// <summary>What is wrong; of one rule at most a few.</summary>
    public IReadOnlyList<GradCheckFinding> Findings => findings;

    /// <summary>How many derivatives were compared and agreed.</summary>
    public int Agreed { get; internal set; }

    /// <summary>How many agreed as far as could be seen: the numerical derivative was known to a few per cent of the largest slope only.</summary>
    public int AgreedLoosely { get; internal set; }

    /// <summary>How many lie at a kink, between the slopes to its sides.</summary>
    public int AtKinks { get; internal set; }

    /// <summary>How many could not be compared: no numerical derivative was exact enough.</summary>
    public int Undecided { get; internal set; }

    /// <summary>What the upstream gradients and directions were drawn from.</summary>
    public int Seed { get; }

    /// <summary>Failed where anything was found; inconclusive where something could not be compared, or nothing agreed but loosely.</summary>
    public GradCheckVerdict Verdict =>
        findings.Count > 0 ? GradCheckVerdict.Failed : Undecided > 0 || (Agreed + AtKinks == 0 && AgreedLoosely > 0) ? GradCheckVerdict.Inconclusive : GradCheckVerdict.Passed;

    /// <summary>Whether the verdict is that all is right.</summary>
    public bool Passed => Verdict == GradCheckVerdict.Passed;

    /// <summary>Raises an error with the report unless it passed.</summary>
    /// <exception cref="AutogradException">What was found.</exception>
    public void ThrowUnlessPassed()
    {
        if (!Passed) throw new AutogradException(ErrorKind.Other, ToString());
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append($"gradcheck {Verdict.ToString().ToLowerInvariant()}: {Agreed} derivatives agree, {AgreedLoosely} loosely, {AtKinks} at kinks, {Undecided} undecided, seed {Seed}");
        foreach (var finding in findings) text.Append($"\n  {finding}");
        return text.ToString();
    }

    internal void Add(GradCheckFinding finding)
    {
        if (!IsFull(finding.Rule)) findings.Add(finding);
    }

    /// <summary>Whether further findings of a rule are left out.</summary>
    internal bool IsFull(GradCheckRule rule) => findings.Count(f => f.Rule == rule) >= 3;

    internal void Take(GradCheckReport other, string prefix)
    {
        foreach (var finding in other.findings) Add(finding with { Message = prefix + finding.Message });
        Agreed += other.Agreed;
        AgreedLoosely += other.AgreedLoosely;
        AtKinks += other.AtKinks;
        Undecided += other.Undecided;
    }
}
