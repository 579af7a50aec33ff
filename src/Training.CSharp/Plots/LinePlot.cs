using System.Globalization;
using System.Net;
using System.Text;

namespace Verified.Training;

/// <summary>Curves over a common axis, written as an SVG file that any browser shows, in light and dark.</summary>
public sealed class LinePlot
{
    private const int Left = 62, Right = 16, Top = 34, Bottom = 46;

    private readonly List<(string Name, double[] X, double[] Y)> curves = [];

    /// <summary>What stands above; nothing where empty.</summary>
    public string Title { get; init; } = "";

    /// <summary>What the horizontal axis shows.</summary>
    public string XLabel { get; init; } = "";

    /// <summary>What the vertical axis shows.</summary>
    public string YLabel { get; init; } = "";

    /// <summary>The range of the horizontal axis; that of the points where left out.</summary>
    public (double Low, double High)? XRange { get; init; }

    /// <summary>The range of the vertical axis; that of the points where left out. Points outside are cut off.</summary>
    public (double Low, double High)? YRange { get; init; }

    /// <summary>Width in pixels.</summary>
    public int Width { get; init; } = 560;

    /// <summary>Height in pixels.</summary>
    public int Height { get; init; } = 360;

    /// <summary>Adds a curve. A point that is infinite or undefined is a gap.</summary>
    /// <param name="name">What the legend calls it.</param>
    /// <param name="x">Places along the horizontal axis.</param>
    /// <param name="y">As many values.</param>
    /// <returns>This plot.</returns>
    /// <exception cref="ArgumentException">There are not as many places as values.</exception>
    public LinePlot Add(string name, IReadOnlyCollection<double> x, IReadOnlyCollection<double> y)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        if (x.Count != y.Count) throw new ArgumentException($"curve '{name}' has {x.Count} places and {y.Count} values");
        curves.Add((name, [.. x], [.. y]));
        return this;
    }

    /// <summary>Writes the file; one that was there is replaced whole.</summary>
    public void Save(string path) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(ToSvg())));

    /// <summary>The SVG document.</summary>
    public string ToSvg()
    {
        var xs = Range(XRange, curves.SelectMany(c => c.X), margin: 0);
        var ys = Range(YRange, curves.SelectMany(c => c.Y), margin: 0.05);
        double X(double v) => Left + ((v - xs.Low) / (xs.High - xs.Low) * (Width - Left - Right));
        double Y(double v) => Height - Bottom - ((v - ys.Low) / (ys.High - ys.Low) * (Height - Top - Bottom));

        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""<svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{Height}" viewBox="0 0 {Width} {Height}" role="img">""").Append('\n');
        svg.Append(CultureInfo.InvariantCulture, $"<title>{Escaped(Title.Length > 0 ? Title : string.Join(", ", curves.Select(c => c.Name)))}</title>\n{PlotStyle.Css}");
        svg.Append(CultureInfo.InvariantCulture, $"""<rect class="paper" width="{Width}" height="{Height}"/>""").Append('\n');
        foreach (var tick in Ticks.Between(xs.Low, xs.High, (Width - Left - Right) / 70))
        {
            Line("grid", X(tick), Top, X(tick), Height - Bottom);
            Label("middle", X(tick), Height - Bottom + 17, Ticks.Text(tick));
        }

        foreach (var tick in Ticks.Between(ys.Low, ys.High, (Height - Top - Bottom) / 45))
        {
            Line("grid", Left, Y(tick), Width - Right, Y(tick));
            Label("end", Left - 7, Y(tick) + 4, Ticks.Text(tick));
        }

        svg.Append(CultureInfo.InvariantCulture, $"""<rect class="frame" x="{Left}" y="{Top}" width="{Width - Left - Right}" height="{Height - Top - Bottom}"/>""").Append('\n');
        Label("middle", (Left + Width - Right) / 2.0, Height - 10, XLabel);
        Label("middle", (Left + Width - Right) / 2.0, 20, Title, "title");
        if (YLabel.Length > 0)
        {
            var middle = (Top + Height - Bottom) / 2;
            svg.Append(CultureInfo.InvariantCulture, $"""<text text-anchor="middle" transform="translate(15 {middle}) rotate(-90)">{Escaped(YLabel)}</text>""").Append('\n');
        }

        svg.Append(CultureInfo.InvariantCulture, $"""<clipPath id="inside"><rect x="{Left}" y="{Top}" width="{Width - Left - Right}" height="{Height - Top - Bottom}"/></clipPath>""").Append('\n');
        for (var i = 0; i < curves.Count; i++) Curve(i);
        Legend();
        return svg.Append("</svg>\n").ToString();

        void Line(string style, double x1, double y1, double x2, double y2) =>
            svg.Append(CultureInfo.InvariantCulture, $"""<line class="{style}" x1="{x1:0.##}" y1="{y1:0.##}" x2="{x2:0.##}" y2="{y2:0.##}"/>""").Append('\n');

        void Label(string anchor, double x, double y, string text, string style = "label")
        {
            if (text.Length > 0) svg.Append(CultureInfo.InvariantCulture, $"""<text class="{style}" text-anchor="{anchor}" x="{x:0.##}" y="{y:0.##}">{Escaped(text)}</text>""").Append('\n');
        }

        void Curve(int i)
        {
            var (_, x, y) = curves[i];
            var path = new StringBuilder();
            var drawing = false;
            for (var k = 0; k < x.Length; k++)
            {
                var there = double.IsFinite(x[k]) && double.IsFinite(y[k]);
                if (there) path.Append(CultureInfo.InvariantCulture, $"{(drawing ? 'L' : 'M')}{X(x[k]):0.##} {Y(y[k]):0.##}");
                drawing = there;
            }

            svg.Append(CultureInfo.InvariantCulture, $"""<path class="curve c{i % PlotStyle.Curves}" clip-path="url(#inside)" d="{path}"/>""").Append('\n');
            if (x.Length > 40) return;
            for (var k = 0; k < x.Length; k++)
            {
                if (double.IsFinite(x[k]) && double.IsFinite(y[k]))
                    svg.Append(CultureInfo.InvariantCulture, $"""<circle class="point c{i % PlotStyle.Curves}" clip-path="url(#inside)" cx="{X(x[k]):0.##}" cy="{Y(y[k]):0.##}" r="2.5"/>""").Append('\n');
            }
        }

        // The corner in which the fewest points lie, or lines between them pass.
        (int X, int Y) EmptiestCorner(int width, int height)
        {
            (int X, int Y)[] corners = [(Width - Right - 8 - width, Top + 8), (Left + 8, Top + 8), (Width - Right - 8 - width, Height - Bottom - 8 - height), (Left + 8, Height - Bottom - 8 - height)];
            return corners.MinBy(corner => curves.Sum(c => Enumerable.Range(0, c.X.Length).Count(k => Inside(c, k, corner))));

            bool Inside((string Name, double[] X, double[] Y) c, int k, (int X, int Y) corner)
            {
                var before = Math.Max(0, k - 1);
                foreach (var part in new[] { 0, 0.25, 0.5, 0.75 })
                {
                    var (x, y) = (X((c.X[k] * (1 - part)) + (c.X[before] * part)) - corner.X, Y((c.Y[k] * (1 - part)) + (c.Y[before] * part)) - corner.Y);
                    if (x >= -6 && x <= width + 6 && y >= -6 && y <= height + 6) return true;
                }

                return false;
            }
        }

        void Legend()
        {
            if (curves.All(c => c.Name.Length == 0)) return;
            var width = 48 + (7 * curves.Max(c => c.Name.Length));
            var height = 8 + (18 * curves.Count);
            var (x, top) = EmptiestCorner(width, height);
            svg.Append(CultureInfo.InvariantCulture, $"""<rect class="legend" x="{x}" y="{top}" width="{width}" height="{height}" rx="3"/>""").Append('\n');
            for (var i = 0; i < curves.Count; i++)
            {
                var y = top + 14 + (18 * i);
                svg.Append(CultureInfo.InvariantCulture, $"""<path class="curve c{i % PlotStyle.Curves}" d="M{x + 8} {y}h24"/>""").Append('\n');
                Label("start", x + 39, y + 4, curves[i].Name);
            }
        }
    }

    private static (double Low, double High) Range((double Low, double High)? given, IEnumerable<double> values, double margin)
    {
        if (given is { } range && double.IsFinite(range.Low) && double.IsFinite(range.High) && range.Low < range.High) return range;
        var finite = values.Where(double.IsFinite).ToArray();
        // The difference of the largest numbers would be infinite, that of equal ones is nothing to draw on.
        const double most = 1e300, least = 1e-290;
        var (low, high) = finite.Length == 0 ? (0, 1) : (Math.Clamp(finite.Min(), -most, most), Math.Clamp(finite.Max(), -most, most));
        var size = Math.Max(Math.Abs(low), Math.Abs(high));
        if (high - low <= Math.Max(size * 1e-9, least))
        {
            var half = Math.Max(0.5, size * 1e-3);
            (low, high) = (low - half, high + half);
        }

        return (low - (margin * (high - low)), high + (margin * (high - low)));
    }

    private static string Escaped(string text) => WebUtility.HtmlEncode(text);
}
