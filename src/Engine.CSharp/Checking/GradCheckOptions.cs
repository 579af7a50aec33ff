namespace Verified.Engine;

/// <summary>How <see cref="GradCheck"/> checks.</summary>
public sealed record GradCheckOptions
{
    /// <summary>The highest derivative that is checked: 1, or 2 for the derivative of the derivative rule too (PyTorch's gradgradcheck), and so on.</summary>
    public int Order { get; init; } = 1;

    /// <summary>What upstream gradients and directions are drawn from; null for another draw each time. A report tells it.</summary>
    public int? Seed { get; init; }

    /// <summary>
    /// Up to how many entries the Jacobian is checked entry by entry, which calls the function 16 times for each element of the inputs, where a derivative does not agree up to 112 times; it ends at the
    /// third that is wrong. A larger one is checked along random directions.
    /// </summary>
    public int MaxEntries { get; init; } = 4096;

    /// <summary>
    /// The number of random directions for a larger Jacobian; each calls the function 16 times, up to 96 where it does not agree, however large the inputs are. The first that is wrong is the last: to the
    /// element that it comes from lead some 16 calls more for each halving of the inputs and of the results.
    /// </summary>
    public int Directions { get; init; } = 8;

    /// <summary>What two runs on the same input may differ by.</summary>
    public double NondeterminismTolerance { get; init; }
}
