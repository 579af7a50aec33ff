namespace Verified.Oracle;

/// <summary>What a report says beside its counts, a sentence each: what the engine says of itself, what it was not asked for, where PyTorch itself is wrong, and of which PyTorch that is known.</summary>
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
        if (KnownDivergences.Note(report.Engine) is { } registry) yield return registry;
        var explained = report.GoldenDisagreements.Where(golden => golden.GoldenKnown is not null).ToList();
        if (explained.Count > 0)
            yield return $"{Goldens(explained.Count)} the outcome of a PyTorch that is wrong there, which counts for nothing against the engine: {string.Join(", ", explained.GroupBy(golden => golden.GoldenKnown!.Id).Select(group => $"{group.Key} ({group.Count()})"))}.";
        var open = report.GoldenDisagreements.Where(golden => golden.GoldenKnown is null).ToList();
        if (open.Count > 0)
            yield return $"{Goldens(open.Count)} an outcome of PyTorch's that the specification calls wrong and no known divergence explains: {string.Join(", ", open.Take(10).Select(golden => golden.Id))}{(open.Count > 10 ? ", ..." : "")}.";
    }

    private static string Goldens(int count) => count == 1 ? "1 golden holds" : $"{count} goldens hold";
}
