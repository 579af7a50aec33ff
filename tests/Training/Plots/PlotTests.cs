using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace Verified.Training.Tests;

/// <summary>Plots: what is drawn where, and that a real browser shows it.</summary>
public sealed class PlotTests : IDisposable
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Curves_go_through_their_points_on_labelled_axes()
    {
        var plot = new LinePlot { Title = "a <b> & \"c\"", XLabel = "epoch", YLabel = "loss", XRange = (0, 10), YRange = (0, 1) }.Add("train", [0, 5, 10], [1, double.NaN, 0]);
        var root = XDocument.Parse(plot.ToSvg()).Root!;
        var curve = root.Elements(Svg + "path").First(p => (string?)p.Attribute("class") == "curve c0");
        // The corners of the frame; the undefined point is a gap.
        Assert.Equal("M62 34M544 314", (string?)curve.Attribute("d"));
        var labels = root.Elements(Svg + "text").Select(t => t.Value).ToArray();
        Assert.Superset(new HashSet<string> { "0", "2", "4", "6", "8", "10", "0.2", "0.8", "epoch", "loss", "train", "a <b> & \"c\"" }, labels.ToHashSet());
    }

    [Theory]
    [InlineData(0, 10, 5, "0 2 4 6 8 10")]
    [InlineData(0.03, 0.31, 6, "0.05 0.1 0.15 0.2 0.25 0.3")]
    [InlineData(-1, 1, 4, "-1 -0.5 0 0.5 1")]
    [InlineData(1e6, 5e6, 4, "1E+06 2E+06 3E+06 4E+06 5E+06")]
    public void Ticks_are_round_numbers(double low, double high, int count, string expected) =>
        Assert.Equal(expected, string.Join(' ', Ticks.Between(low, high, count).Select(Ticks.Text)));

    [Fact]
    public void Whatever_the_points_are_there_is_a_plot()
    {
        foreach (var ys in new double[][] { [], [3], [2, 2, 2], [double.NaN], [double.PositiveInfinity, 1], [-1e308, 1e308], [0, 1e-300] })
        {
            var svg = new LinePlot().Add("a", [.. Enumerable.Range(0, ys.Length).Select(i => (double)i)], ys).ToSvg();
            Assert.DoesNotContain("NaN", XDocument.Parse(svg).ToString());
            Assert.DoesNotContain("∞", svg);
        }
    }

    [Fact]
    public void The_animator_draws_the_tutorials_three_curves_by_epoch()
    {
        var path = folder["curves.svg"];
        var animator = new Animator(path, "epoch", ["train loss", "train acc", "test acc"], (1, 10), (0.3, 0.9));
        for (var epoch = 1; epoch <= 3; epoch++) animator.Add(epoch, 0.8 / epoch, 0.7 + (0.02 * epoch), epoch == 2 ? null : 0.7);
        var curves = XDocument.Load(path).Root!.Elements(Svg + "path").Where(p => p.Attribute("clip-path") is not null).ToArray();
        Assert.Equal([3, 3, 2], curves.Select(c => ((string)c.Attribute("d")!).Count(ch => ch is 'M' or 'L')));
        Assert.Throws<ArgumentException>(() => animator.Add(4, 1));
    }

    [BrowserFact]
    public void A_browser_shows_the_curves()
    {
        var path = folder["plot.svg"];
        // One curve fills the upper edge of the frame, one the lower.
        new LinePlot { XRange = (0, 1), YRange = (0, 1), Width = 400, Height = 300 }.Add("high", [0, 1], [0.9, 0.9]).Add("low", [0, 1], [0.1, 0.1]).Save(path);
        var shot = folder["shot.png"];
        BrowserFactAttribute.Screenshot(path, shot, 400, 300);
        var image = ImageFile.Read(shot);
        Assert.Equal((400, 300), (image.Width, image.Height));
        Assert.Equal((255, 255, 255), Pixel(image, 5, 150));
        var (inner, top, height) = (62, 34, 300 - 34 - 46);
        // Left of the legend; the second curve has gaps, so that some of its pixels suffice.
        Assert.Equal((0x16, 0x67, 0xb7), Pixel(image, inner + 60, top + (int)(0.1 * height)));
        Assert.Contains((0xb3, 0x24, 0x6b), Enumerable.Range(inner + 40, 30).Select(x => Pixel(image, x, top + (int)(0.9 * height))));

        static (int, int, int) Pixel(Image image, int x, int y)
        {
            var p = image.Pixels.AsSpan(((y * image.Width) + x) * image.Channels);
            return (p[0], p[1], p[2]);
        }
    }
}

/// <summary>A test that opens a browser: Chromium, without a window. Skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BrowserFactAttribute : FactAttribute
{
    private static readonly string? Browser = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .SelectMany(folder => new[] { "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome" }.Select(name => Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);

    public BrowserFactAttribute()
    {
        if (Browser is null) Skip = "no Chromium in PATH (Debian: apt-get install chromium-headless-shell)";
    }

    internal static void Screenshot(string page, string into, int width, int height)
    {
        var profile = Directory.CreateTempSubdirectory("verified-browser-");
        try
        {
            var start = new ProcessStartInfo(
                Browser!,
                ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1", $"--user-data-dir={profile.FullName}",
                 string.Create(CultureInfo.InvariantCulture, $"--window-size={width},{height}"), $"--screenshot={into}", new Uri(page).AbsoluteUri])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            };
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            _ = process.StandardOutput.ReadToEndAsync();
            if (!process.WaitForExit(TimeSpan.FromSeconds(120)))
            {
                process.Kill(entireProcessTree: true);
                Assert.Fail("the browser did not end within 120 s");
            }

            Assert.True(File.Exists(into), errors.Result);
        }
        finally
        {
            profile.Delete(recursive: true);
        }
    }
}
