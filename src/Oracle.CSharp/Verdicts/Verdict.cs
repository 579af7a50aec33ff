namespace Verified.Oracle;

/// <summary>What the oracle says of an engine's outcome, or of one observed value; the worse ones are the larger.</summary>
public enum Verdict
{
    /// <summary>Inside the bound.</summary>
    Pass,

    /// <summary>The bound says nothing useful here, or a comparison could not be decided. Never counted as a pass.</summary>
    Inconclusive,

    /// <summary>
    /// Outside the bound, but inside that of elementary functions with <see cref="Spec.Numbers.Allowance.Most"/> ulp: less accurate
    /// than the engine declares, not another formula.
    /// </summary>
    LessAccurate,

    /// <summary>Wrong.</summary>
    Fail,
}

/// <summary>In what a value or an outcome differs from the specification's.</summary>
public enum Difference
{
    /// <summary>In nothing.</summary>
    None,

    /// <summary>Elements differ by more than the bound.</summary>
    Value,

    /// <summary>One is NaN, an infinity or a zero of the other sign, and the other is not.</summary>
    Class,

    /// <summary>One is null (a gradient that no path leads to), the other is not.</summary>
    Null,

    /// <summary>The dtypes differ.</summary>
    DType,

    /// <summary>The shapes differ.</summary>
    Shape,

    /// <summary>A value is reported that should not exist, or is not reported.</summary>
    Presence,

    /// <summary>requires_grad differs.</summary>
    RequiresGrad,

    /// <summary>is_leaf differs.</summary>
    IsLeaf,

    /// <summary>The versions differ.</summary>
    Version,

    /// <summary>One has a grad_fn, the other has none.</summary>
    GradFn,

    /// <summary>An error was raised that should not be, or none where one should be, or at another step or of another kind.</summary>
    Raised,

    /// <summary>The error is right, its text is not.</summary>
    Message,

    /// <summary>Nothing is compared with the specification: the engine breaks a law that needs no tolerance.</summary>
    Law,
}

/// <summary>The verdict on an outcome: one finding for each observed value, and one for how the program ended.</summary>
/// <param name="Findings">In the order of observation, <c>raised</c> last; first where the wrong error was raised, or none.</param>
public sealed record Judgement(IReadOnlyList<Finding> Findings)
{
    /// <summary>The worst of all findings.</summary>
    public Verdict Verdict { get; } = Findings.Count == 0 ? Verdict.Pass : Findings.Max(f => f.Verdict);

    /// <summary>The largest distance over its bound: how much of the room was used.</summary>
    public double Ratio => Findings.Count == 0 ? 0 : Findings.Max(f => f.Ratio);

    /// <summary>The first of the worst findings; null where there is nothing to report.</summary>
    public Finding? Worst => Verdict == Verdict.Pass ? null : Findings.First(f => f.Verdict == Verdict);
}
