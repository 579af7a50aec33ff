using Verified.Oracle.Generation;
using Verified.Oracle.Laws;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>What came of one case.</summary>
/// <param name="Id">The case's id: a readable path, or a replay token.</param>
/// <param name="Program">The program.</param>
/// <param name="Result">What the engine answered.</param>
/// <param name="Judgement">The verdict; null where there is no outcome to judge.</param>
public sealed record CaseResult(string Id, Program Program, RunResult Result, Judgement? Judgement)
{
    /// <summary>The verdict on PyTorch's recorded outcome, where the case is a golden: the second vote.</summary>
    public Judgement? Golden { get; init; }

    /// <summary>The entry of the divergence registry that explains why PyTorch's recorded outcome is wrong; null where it is not, or nothing explains it.</summary>
    public Divergence? GoldenKnown { get; init; }

    /// <summary>The entry of the divergence registry that explains what is wrong; null where nothing is, or nothing explains it.</summary>
    public Divergence? Known { get; init; }

    /// <summary>True where the engine was not asked, since it does not declare what the program needs.</summary>
    public bool Unasked { get; init; }

    /// <summary>The law that the engine was held to, where the case is not a comparison with the specification.</summary>
    public Law? Law { get; init; }

    /// <summary>The two programs of the law; null where there is none.</summary>
    public Twins? Twins { get; init; }

    /// <summary>True where the case counts against the engine.</summary>
    public bool IsFinding => Known is null && (Judgement is null ? Result is not RunResult.Unsupported : Judgement.Verdict is Verdict.Fail or Verdict.LessAccurate);

    /// <summary>The operators of the program's steps, nested ones included.</summary>
    public IEnumerable<string> Operators => Steps.All(Program.Steps).Select(step => step.Op).Distinct();
}
