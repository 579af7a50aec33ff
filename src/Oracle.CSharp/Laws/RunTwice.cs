namespace Verified.Oracle.Laws;

/// <summary>Nothing is left behind by a run, and nothing depends on chance.</summary>
public static class RunTwice
{
    /// <summary>The law.</summary>
    public static Law Law { get; } = new("run twice", "A program run twice gives the same bits.", given =>
        new Twins(given.Program, given.Program, [.. given.Program.Observe.Select(o => new Pair(o.Text, o.Text))]));
}
