namespace Verified.Oracle;

/// <summary>The verdict on one observed value, with what was expected and what came.</summary>
/// <param name="Name">What was observed: <c>y</c> or <c>y.grad</c>; <c>raised</c> for the program's end; a law's name.</param>
/// <param name="Verdict">The verdict.</param>
/// <param name="Difference">In what it differs.</param>
public sealed record Finding(string Name, Verdict Verdict, Difference Difference)
{
    /// <summary>What the specification has in this respect; null where it has nothing.</summary>
    public Side? Expected { get; init; }

    /// <summary>What the engine has in this respect; null where it reports nothing.</summary>
    public Side? Actual { get; init; }

    /// <summary>What is said where two sides do not say it: of a law that is broken, of what cannot be compared.</summary>
    public string? Note { get; init; }

    /// <summary>The flat index of the deciding element; null where no element decided.</summary>
    public int? Index { get; init; }

    /// <summary>The same as it is written behind the name, such as <c>[1, 3]</c>, and empty for a tensor without dimensions; null where no shape is known.</summary>
    public string? Place { get; init; }

    /// <summary>The bound on the distance of the two sides.</summary>
    public double Bound { get; init; }

    /// <summary>The largest distance over its bound, of all elements with a finite one; above 1 fails.</summary>
    public double Ratio { get; init; }

    /// <summary>What the engine raised that should not have been; null where nothing was.</summary>
    public Spec.Raised? Raised => (Actual as Side.Error)?.Raised;

    /// <summary>One sentence with what was expected and what came; empty where there is nothing to say.</summary>
    public string Message => Note ?? Sentence.Of(this);

    /// <summary>The deciding element's two values; null where no element decided.</summary>
    public (double Expected, double Actual)? Numbers => (Expected, Actual) switch
    {
        (Side.Element expected, Side.Element actual) => (expected.Value, actual.Value),
        (Side.Whole expected, Side.Whole actual) => (expected.Value, actual.Value),
        _ => null,
    };
}
