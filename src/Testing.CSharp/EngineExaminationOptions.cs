namespace Verified.Testing;

/// <summary>How thorough an examination in a test project is.</summary>
public sealed record EngineExaminationOptions
{
    /// <summary>How many random programs an operator's row runs.</summary>
    public int ProgramsPerOperator { get; init; } = 50;

    /// <summary>How many random programs a rule's row runs.</summary>
    public int ProgramsPerRule { get; init; } = 200;

    /// <summary>The seed: the same one gives the same programs. Change it now and then, or take the day's date, to see new ones.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>How many programs are tried at most to make a failing one short.</summary>
    public int ShrinkBudget { get; init; } = 2000;

    /// <summary>Corpora and goldens to run as well, a row each: JSON Lines, gzip-compressed or not.</summary>
    public IReadOnlyList<string> Corpora { get; init; } = [];
}
