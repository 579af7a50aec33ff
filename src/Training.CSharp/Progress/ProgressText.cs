using System.Globalization;

namespace Verified.Training;

/// <summary>What a progress bar says at a moment.</summary>
internal readonly record struct ProgressState(string Description, int Done, int? Total, TimeSpan Elapsed, double Rate, string Postfix);

/// <summary>How fast it goes: recent items count more, as in tqdm with its smoothing of 0.3.</summary>
internal sealed class ProgressRate
{
    private const double Smoothing = 0.3;
    private const double LeastInterval = 0.1;

    private double seconds;
    private double items;
    private double weight;
    private double lastTime;
    private int lastDone;

    /// <summary>Items in a second; 0 where nothing is known yet.</summary>
    public double PerSecond { get; private set; }

    public void Update(double elapsed, int done)
    {
        if (done < lastDone) (seconds, items, weight, lastTime, lastDone) = (0, 0, 0, 0, 0);
        var step = elapsed - lastTime;
        if (step >= LeastInterval || lastDone == 0)
        {
            seconds = (Smoothing * step) + ((1 - Smoothing) * seconds);
            items = (Smoothing * (done - lastDone)) + ((1 - Smoothing) * items);
            weight = Smoothing + ((1 - Smoothing) * weight);
            (lastTime, lastDone) = (elapsed, done);
        }

        PerSecond = seconds > 0 ? items / seconds : 0;
    }
}

/// <summary>The text of a progress bar, in tqdm's form.</summary>
/// <remarks>Source: tqdm's manual page, bar_format: <c>{desc}: {percentage}%|{bar}| {n}/{total} [{elapsed}&lt;{remaining}, {rate}{postfix}]</c>.</remarks>
internal static class ProgressText
{
    private const string Eighths = " ▏▎▍▌▋▊▉";

    /// <summary>The line, with a bar that fills the given width; no bar where it is 0.</summary>
    public static string Line(ProgressState s, int width)
    {
        var front = s.Description.Length > 0 ? s.Description + ": " : "";
        var extra = s.Postfix.Length > 0 ? ", " + s.Postfix : "";
        if (s.Total is not { } total)
            return Cut($"{front}{s.Done}it [{Clock(s.Elapsed)}, {Rate(s.Rate)}{extra}]", width);
        var fraction = total == 0 ? 1 : Math.Min(1, (double)s.Done / total);
        var remaining = s.Rate > 0 ? Clock(TimeSpan.FromSeconds(Math.Min(Math.Max(0, total - s.Done) / s.Rate, 1e8))) : s.Done >= total ? "00:00" : "?";
        front += string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(fraction * 100),3:0}%");
        var back = $" {s.Done}/{total} [{Clock(s.Elapsed)}<{remaining}, {Rate(s.Rate)}{extra}]";
        var room = width - front.Length - back.Length - 2;
        return room < 1 ? Cut(front + back, width) : $"{front}|{Bar(fraction, room)}|{back}";
    }

    private static string Bar(double fraction, int cells)
    {
        var eighths = (int)(fraction * cells * 8);
        var full = new string('█', eighths / 8);
        return (eighths % 8 == 0 ? full : full + Eighths[eighths % 8]).PadRight(cells);
    }

    private static string Rate(double rate) => rate switch
    {
        <= 0 => "?it/s",
        >= 1 => rate.ToString("0.00", CultureInfo.InvariantCulture).PadLeft(5) + "it/s",
        _ => (1 / rate).ToString("0.00", CultureInfo.InvariantCulture).PadLeft(5) + "s/it",
    };

    private static string Clock(TimeSpan time) => time.TotalHours >= 1 ? $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}" : $"{time.Minutes:00}:{time.Seconds:00}";

    private static string Cut(string line, int width) => width > 0 && line.Length > width ? line[..width] : line;
}
