namespace Verified.Oracle;

/// <summary>What a report says beside its counts, a sentence each: what the engine says of itself, what it was not asked for and what it lacks, which cases are inconclusive, where PyTorch itself is wrong, and of which PyTorch that is known.</summary>
public static class ReportNotes
{
    /// <summary>The sentences; none where there is nothing to say.</summary>
    public static IEnumerable<string> Of(ExaminationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        foreach (var note in report.Engine.Notes) yield return $"{report.Engine.Name} says: {note.TrimEnd('.')}.";
        foreach (var note in DeclarationNotes.Of(report.Engine)) yield return note;
        string[] undeclared = [.. EngineFeatures.All.Except(report.Engine.Features).Order(StringComparer.Ordinal), .. new EngineInfo { Name = "" }.DTypes.Except(report.Engine.DTypes).Order(StringComparer.Ordinal)];
        if (undeclared.Length > 0) yield return $"Not asked for, since the engine does not declare it: {string.Join(", ", undeclared)}.";
        foreach (var (which, reasons) in new[]
        {
            ("Unsupported, as the engine says (random programs)", report.UnsupportedRandom),
            ("Unsupported, as the engine says (goldens and corpora)", report.UnsupportedGiven),
            ("Not asked, for what the engine does not declare (goldens and corpora)", report.Undeclared),
        })
            if (reasons.All.Count > 0) yield return $"{which}: {reasons}.";
        if (report.Total.Undecided is { Count: > 0 } undecided)
            yield return $"Inconclusive, for example: {string.Join(", ", undecided)}. ./verify replay with a token (V...) or the corpus, and the same --engine, says what cannot be decided, and why.";
        if (KnownDivergences.Note(report.Engine) is { } registry) yield return registry;
        var explained = report.GoldenDisagreements.Where(golden => golden.GoldenKnown is not null).ToList();
        if (explained.Count > 0)
            yield return $"{Plural.Of(explained.Count, "golden holds", "goldens hold")} the outcome of a PyTorch that is wrong there, which counts for nothing against the engine: {string.Join(", ", explained.GroupBy(golden => golden.GoldenKnown!.Id).Select(group => $"{group.Key} ({group.Count()})"))}.";
        var open = report.GoldenDisagreements.Where(golden => golden.GoldenKnown is null).ToList();
        if (open.Count > 0)
            yield return $"{Plural.Of(open.Count, "golden holds", "goldens hold")} an outcome of PyTorch's that the specification calls wrong and no known divergence explains: {string.Join(", ", open.Take(10).Select(golden => golden.Id))}{(open.Count > 10 ? ", ..." : "")}.";
    }
}
