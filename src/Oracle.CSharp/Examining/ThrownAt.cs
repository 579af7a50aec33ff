using System.Diagnostics;

namespace Verified.Oracle;

/// <summary>Where an engine in process threw: its own frames, so that its author finds the line.</summary>
internal static class ThrownAt
{
    private const int Shown = 8;

    /// <summary>The first frames of the exception, of the innermost one where others wrap it, up to where the oracle called the engine.</summary>
    internal static IReadOnlyList<string> Of(Exception e)
    {
        var cause = Cause(e);
        var frames = new StackTrace(cause, fNeedFileInfo: true).GetFrames()
            .TakeWhile(frame => frame.GetMethod()?.DeclaringType?.FullName?.StartsWith(typeof(Examiner).FullName!, StringComparison.Ordinal) is not true)
            .Select(frame => new StackTrace(frame).ToString().Trim())
            .ToList();
        return frames.Count > Shown ? [.. frames.Take(Shown), Plural.Of(frames.Count - Shown, "frame more", "frames more")] : frames;
    }

    /// <summary>What was thrown, in one sentence, and what it wraps.</summary>
    internal static string Sentence(Exception e)
    {
        var cause = Cause(e);
        return Named(e) + (ReferenceEquals(cause, e) ? "" : $" ({Named(cause)})");
    }

    private static string Named(Exception e) => $"{e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}";

    private static Exception Cause(Exception e)
    {
        while (e.InnerException is { } inner) e = inner;
        return e;
    }
}
