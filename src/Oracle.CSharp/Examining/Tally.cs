namespace Verified.Oracle;

/// <summary>Counts of what came of cases.</summary>
public sealed class Tally
{
    private const int Examples = 3;

    private List<CaseResult> _undecided = [];

    /// <summary>Cases inside the bound in everything observed.</summary>
    public int Passed { get; private set; }

    /// <summary>Cases with something wrong.</summary>
    public int Failed { get; private set; }

    /// <summary>Cases outside the bound but explained by a less accurate elementary function.</summary>
    public int LessAccurate { get; private set; }

    /// <summary>Cases in which the engine is wrong in a way that the registry of divergences holds.</summary>
    public int Known { get; private set; }

    /// <summary>Cases of which nothing useful could be said.</summary>
    public int Inconclusive { get; private set; }

    /// <summary>Cases that the engine does not support.</summary>
    public int Unsupported { get; private set; }

    /// <summary>Cases in which the engine or its adapter crashed, hung, babbled or gave up.</summary>
    public int Broken { get; private set; }

    /// <summary>The largest distance over its bound among what passed: the headroom.</summary>
    public double Ratio { get; private set; }

    /// <summary>The case with the largest one; null where none has any distance.</summary>
    public string? Nearest { get; private set; }

    /// <summary>Some of the inconclusive cases, to be looked at: random programs, which a token brings back, before others, and short ones first.</summary>
    public IReadOnlyList<string> Undecided => [.. _undecided.Select(result => result.Id)];

    /// <summary>All cases.</summary>
    public int Total => Passed + Failed + LessAccurate + Known + Inconclusive + Unsupported + Broken;

    /// <summary>Cases with a verdict.</summary>
    public int Judged => Passed + Failed + LessAccurate + Known + Inconclusive;

    /// <summary>Cases that the engine was given and did not decline: what every share refers to.</summary>
    public int Examined => Judged + Broken;

    /// <summary>Cases that count against the engine.</summary>
    public int Against => Failed + LessAccurate + Broken;

    /// <summary>The share of the examined cases that are inconclusive.</summary>
    public double InconclusiveShare => Examined == 0 ? 0 : (double)Inconclusive / Examined;

    /// <summary>True where nothing failed, broke or was less accurate than declared.</summary>
    public bool Holds => Against == 0;

    /// <summary>Counts what came of a case.</summary>
    public void Count(CaseResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        switch (result)
        {
            case { Judgement: null, Result: RunResult.Unsupported }:
                Unsupported++;
                break;
            case { Known: not null }:
                Known++;
                break;
            case { Judgement: null }:
                Broken++;
                break;
            case { Judgement.Verdict: Verdict.Pass }:
                Passed++;
                if (result.Judgement.Ratio > Ratio) (Ratio, Nearest) = (result.Judgement.Ratio, result.Id);
                break;
            case { Judgement.Verdict: Verdict.Inconclusive }:
                Inconclusive++;
                _undecided = [.. _undecided.Append(result).OrderBy(each => !ReplayToken.IsOne(each.Id)).ThenBy(each => each.Program.Steps.Length).Take(Examples)];
                break;
            case { Judgement.Verdict: Verdict.LessAccurate }:
                LessAccurate++;
                break;
            default:
                Failed++;
                break;
        }
    }
}
