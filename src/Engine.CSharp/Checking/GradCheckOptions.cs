namespace Verified.Engine;

/// <summary>How <see cref="GradCheck"/> checks.</summary>
public sealed record GradCheckOptions
{
    /// <summary>The highest derivative that is checked: 1, or 2 for the derivative of the derivative rule too (PyTorch's gradgradcheck), and so on.</summary>
    public int Order { get; init; } = 1;

    /// <summary>What upstream gradients and directions are drawn from; null for another draw each time. A report tells it.</summary>
    public int? Seed { get; init; }

    /// <summary>Up to how many entries the Jacobian is checked entry by entry; a larger one along random directions.</summary>
    public int MaxEntries { get; init; } = 4096;

    /// <summary>The number of random directions for a larger Jacobian.</summary>
    public int Directions { get; init; } = 8;

    /// <summary>What two runs on the same input may differ by.</summary>
    public double NondeterminismTolerance { get; init; }
}
