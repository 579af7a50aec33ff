using Xunit;
using Xunit.Sdk;

namespace FsCheck.Xunit;

/// <summary>
/// A property that FsCheck checks on random arguments: the same use as FsCheck.Xunit's attribute of this name, over FsCheck's core, so that
/// the package can take its place by changing a reference.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("FsCheck.Xunit.PropertyDiscoverer", "FsCheck.Xunit.StandIn")]
public class PropertyAttribute : FactAttribute
{
    /// <summary>How many cases are tried.</summary>
    public int MaxTest { get; set; } = 100;

    /// <summary>How many cases may be rejected by preconditions before the property counts as exhausted, which fails.</summary>
    public int MaxRejected { get; set; } = 1000;

    /// <summary>The size of the first case.</summary>
    public int StartSize { get; set; } = 1;

    /// <summary>The size of the last case.</summary>
    public int EndSize { get; set; } = 100;

    /// <summary>
    /// A seed to begin with, as a failure prints it: <c>seed,gamma</c>, or <c>seed,gamma,size</c> for exactly the failing case. Without one the
    /// environment variable FSCHECK_REPLAY is taken, and otherwise a seed from the clock.
    /// </summary>
    public string? Replay { get; set; }

    /// <summary>Classes with static members that make instances for types.</summary>
    public Type[] Arbitrary { get; set; } = [];

    /// <summary>Prints nothing where the property holds.</summary>
    public bool QuietOnSuccess { get; set; }

    /// <summary>Prints every case.</summary>
    public bool Verbose { get; set; }
}
