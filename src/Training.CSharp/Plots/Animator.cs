namespace Verified.Training;

/// <summary>
/// Curves that grow while a model trains: the tutorials' <c>Animator</c>. Each point is added with all values of its epoch, and the SVG file is written anew, so
/// that a browser which shows it has the newest after a reload.
/// </summary>
/// <remarks>Source: Dive into Deep Learning, class Animator.</remarks>
public sealed class Animator : IStateful
{
    private readonly string path;
    private readonly string[] legend;
    private readonly List<double>[] xs;
    private readonly List<double>[] ys;
    private readonly string xLabel;
    private readonly string title;
    private readonly (double, double)? xRange;
    private readonly (double, double)? yRange;

    /// <summary>An animator that writes to a file.</summary>
    /// <param name="path">The SVG file.</param>
    /// <param name="xLabel">What the horizontal axis shows.</param>
    /// <param name="legend">The curves' names, such as train loss, train acc, test acc.</param>
    /// <param name="xRange">The range of the horizontal axis; that of the points where left out.</param>
    /// <param name="yRange">The range of the vertical axis; that of the points where left out.</param>
    /// <param name="title">What stands above.</param>
    public Animator(string path, string xLabel, string[] legend, (double Low, double High)? xRange = null, (double Low, double High)? yRange = null, string title = "")
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(xLabel);
        ArgumentNullException.ThrowIfNull(legend);
        ArgumentNullException.ThrowIfNull(title);
        (this.path, this.xLabel, this.legend, this.xRange, this.yRange, this.title) = (path, xLabel, [.. legend], xRange, yRange, title);
        xs = [.. legend.Select(_ => new List<double>())];
        ys = [.. legend.Select(_ => new List<double>())];
    }

    /// <summary>Adds a point to each curve; null adds none to that one.</summary>
    /// <param name="x">The epoch.</param>
    /// <param name="values">One value for each name of the legend.</param>
    /// <exception cref="ArgumentException">There are more or fewer values than curves.</exception>
    public void Add(double x, params double?[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Length != legend.Length) throw new ArgumentException($"{values.Length} values were given for {legend.Length} curves", nameof(values));
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] is not { } value) continue;
            xs[i].Add(x);
            ys[i].Add(value);
        }

        Draw();
    }

    /// <summary>The newest value of each curve; NaN where there is none.</summary>
    public IReadOnlyList<double> Last => [.. ys.Select(y => y.Count > 0 ? y[^1] : double.NaN)];

    /// <summary>The points of each curve, by its name.</summary>
    public StateDict StateDict()
    {
        var state = new StateDict();
        for (var i = 0; i < legend.Length; i++)
            state.Add(legend[i], new StateDict { ["x"] = xs[i].Cast<object?>().ToList(), ["y"] = ys[i].Cast<object?>().ToList() });
        return state;
    }

    /// <inheritdoc/>
    public void LoadStateDict(StateDict state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var saved = legend.Select(name => (X: state.Dictionary(name).Numbers("x"), Y: state.Dictionary(name).Numbers("y"))).ToArray();
        if (saved.Any(curve => curve.X.Length != curve.Y.Length)) throw new StateDictException("a curve of the state has not as many places as values");
        for (var i = 0; i < legend.Length; i++) (xs[i], ys[i]) = ([.. saved[i].X], [.. saved[i].Y]);
    }

    private void Draw()
    {
        var plot = new LinePlot { Title = title, XLabel = xLabel, XRange = xRange, YRange = yRange };
        for (var i = 0; i < legend.Length; i++) plot.Add(legend[i], xs[i], ys[i]);
        plot.Save(path);
    }
}
