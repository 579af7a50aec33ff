namespace Verified.Training;

/// <summary>Progress bars: <c>foreach (var batch in Progress.Bar(loader))</c>.</summary>
public static class Progress
{
    /// <summary>The items of a source, with a bar on standard error that shows how far it is, how fast, and how long it will take.</summary>
    /// <param name="source">What is gone through; its number of items is asked where it is known without counting.</param>
    /// <param name="description">Stands in front of the bar.</param>
    /// <param name="total">The number of items, where the source cannot say it.</param>
    /// <param name="options">Where it is written, and how often.</param>
    public static ProgressBar<T> Bar<T>(IEnumerable<T> source, string description = "", int? total = null, ProgressOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(description);
        return new(source, description, total ?? Known(source), options ?? new ProgressOptions());
    }

    private static int? Known<T>(IEnumerable<T> source) => source.TryGetNonEnumeratedCount(out var count) ? count
        : source is IReadOnlyCollection<T> collection ? collection.Count
        : null;
}

/// <summary>Where a progress bar is written, and how often.</summary>
public sealed record ProgressOptions
{
    /// <summary>Where it is written; standard error where left out, so that results on standard output stay clean.</summary>
    public TextWriter? Output { get; init; }

    /// <summary>Whether lines can be written over: a moving bar. Otherwise a plain line is written now and then. Found out where left out.</summary>
    public bool? Interactive { get; init; }

    /// <summary>Columns of the terminal. Found out where left out.</summary>
    public int? Width { get; init; }

    /// <summary>The least time between two drawings of a moving bar: 0.1 s.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(0.1);

    /// <summary>The least time between two plain lines: 10 s.</summary>
    public TimeSpan PlainInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether anything is written at all.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>The clock.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    internal bool IsInteractive => Interactive ?? (Output is null && !Console.IsErrorRedirected);

    internal int Columns
    {
        get
        {
            if (Width is { } width) return width;
            try
            {
                return Console.WindowWidth > 0 ? Console.WindowWidth : 80;
            }
            catch (IOException)
            {
                return 80;
            }
        }
    }
}
