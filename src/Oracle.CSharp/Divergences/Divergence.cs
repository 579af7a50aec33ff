using Verified.Spec;

namespace Verified.Oracle;

/// <summary>
/// A place where PyTorch itself is wrong: the specification says what is right, and a third witness shows it. An entry without a
/// witness, or that no longer shows, fails the tests.
/// </summary>
/// <param name="Id">A readable name.</param>
/// <param name="Issue">PyTorch's issue, or "unreported".</param>
/// <param name="What">What is wrong, and what is right, in a sentence.</param>
/// <param name="Goldens">The ids of goldens that show it: a prefix each.</param>
/// <param name="Covers">Whether what was seen is this divergence.</param>
/// <param name="Witness">Holds a golden that shows it against the third witness: null where the witness sides with the
/// specification and against PyTorch, else what it says instead.</param>
public sealed record Divergence(
    string Id,
    string Issue,
    string What,
    IReadOnlyList<string> Goldens,
    Func<Sighting, bool> Covers,
    Func<Json.Case, string?> Witness)
{
    /// <summary>Cases with PyTorch's outcome that show it, each a case of a corpus as JSON, where no golden does.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>Whether a golden is one of those that show it.</summary>
    public bool Shows(string golden)
    {
        ArgumentNullException.ThrowIfNull(golden);
        return Goldens.Any(prefix => golden.StartsWith(prefix, StringComparison.Ordinal));
    }
}
