namespace Verified.Oracle;

/// <summary>The words that a report uses, explained; every form of the report shows these.</summary>
public static class ReportWords
{
    /// <summary>Each word with its meaning, in the order in which a reader meets them.</summary>
    public static IReadOnlyList<(string Word, string Meaning)> All { get; } =
    [
        ("bound", "How far a value may lie from the specification's: derived from the program's own operations, over all orders of summation, fused or not."),
        ("pass", "Every observed value lies inside its bound, and the program ends as it should."),
        ("fail", "A value lies outside its bound, a gradient is there that should not be or is missing, or an error is wrong or missing."),
        ("less accurate", "Outside the bound, but inside the one for elementary functions with an error of up to 16 units in the last place."),
        ("known", "A known divergence: wrong in a way that the registry of PyTorch's own faults holds, with a witness. Not counted against an engine."),
        ("inconclusive", "The bound became useless, or a comparison in the program could not be decided. Never counted as a pass."),
        ("unsupported", "The engine says that it does not have what the program asks for."),
        ("broken", "The engine or its adapter crashed, hung, gave up, or answered out of form."),
        ("finding", "What counts against the engine: fail, less accurate, broken, or a broken law."),
        ("law", "Two programs whose outcomes must agree to the last bit, made from a random one. Counted apart: it says that the engine agrees with itself."),
        ("shrunk", "Made short: the shortest program found that still shows the same fault. 'likely the same' is one that may have the same cause as the one before."),
        ("golden", "A program with the outcome that PyTorch gave for it."),
        ("phases", "Groups of goldens, and the random programs. seeds: the tutorials' programs; found: what random search once found; orders: backwards over results and gradients in every order; shared: writes to a gradient, which show the memory it shares; layouts: how gradients lie in memory; writes: writes to what a second derivative has kept."),
        ("operators", "A name counts by itself where it is written in place (add and add_), and so do steps that are no operators (backward, detach)."),
    ];
}
