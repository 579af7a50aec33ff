using System.Collections;
using System.Globalization;

namespace Verified.Training;

/// <summary>A source whose progress is shown while it is gone through, in the form of tqdm. Made by <see cref="Progress.Bar"/>.</summary>
/// <typeparam name="T">The type of the items.</typeparam>
public sealed class ProgressBar<T> : IEnumerable<T>
{
    private readonly IEnumerable<T> source;
    private readonly ProgressOptions options;
    private readonly TextWriter output;
    private readonly ProgressRate rate = new();
    private string description;
    private string postfix = "";
    private int done;
    private long started;
    private long drawn;
    private int shown;
    private bool running;

    internal ProgressBar(IEnumerable<T> source, string description, int? total, ProgressOptions options)
    {
        (this.source, this.description, Total, this.options) = (source, description, total, options);
        output = options.Output ?? Console.Error;
    }

    /// <summary>The number of items, where known.</summary>
    public int? Total { get; }

    /// <summary>Items that were given out and are done with.</summary>
    public int Done => done;

    /// <summary>Goes through the source. A bar that is left early stays as it stood.</summary>
    public IEnumerator<T> GetEnumerator()
    {
        (done, running) = (0, true);
        started = drawn = options.Clock.GetTimestamp();
        Draw(force: options.IsInteractive);
        try
        {
            foreach (var item in source)
            {
                yield return item;
                done++;
                rate.Update(options.Clock.GetElapsedTime(started).TotalSeconds, done);
                Draw(force: false);
            }
        }
        finally
        {
            Draw(force: true);
            if (options is { Enabled: true, IsInteractive: true }) output.WriteLine();
            output.Flush();
            running = false;
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>What stands in front of the bar from now on.</summary>
    public void SetDescription(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        description = text;
        if (running) Draw(force: false);
    }

    /// <summary>What stands behind the bar from now on: <c>bar.SetPostfix(("loss", loss), ("lr", lr))</c>. Numbers have three significant digits.</summary>
    public void SetPostfix(params (string Name, object Value)[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        postfix = string.Join(", ", values.Select(v => $"{v.Name}={(v.Value is double or float ? ((IFormattable)v.Value).ToString("G3", CultureInfo.InvariantCulture) : v.Value)}"));
        if (running) Draw(force: false);
    }

    /// <summary>Writes a line of text above the bar.</summary>
    public void WriteLine(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (options.IsInteractive && shown > 0) output.Write("\r" + new string(' ', shown) + "\r");
        output.WriteLine(text);
        shown = 0;
        if (running && options.IsInteractive) Draw(force: true);
    }

    private void Draw(bool force)
    {
        if (!options.Enabled) return;
        var now = options.Clock.GetTimestamp();
        if (!force && options.Clock.GetElapsedTime(drawn, now) < (options.IsInteractive ? options.Interval : options.PlainInterval)) return;
        drawn = now;
        var state = new ProgressState(description, done, Total, options.Clock.GetElapsedTime(started, now), rate.PerSecond, postfix);
        if (!options.IsInteractive)
        {
            output.WriteLine(ProgressText.Line(state, 0));
            return;
        }

        var line = ProgressText.Line(state, options.Columns - 1);
        // What an earlier, longer line left is wiped out.
        output.Write("\r" + line + new string(' ', Math.Max(0, shown - line.Length)));
        output.Flush();
        shown = line.Length;
    }
}
