using System.Globalization;
using System.Text;
using Verified.Training;

namespace Verified.Examples.BesidePyTorch;

/// <summary>Comparisons as a page: two tables, and for each network its curve on top of PyTorch's.</summary>
public static class ComparisonDocument
{
    /// <summary>The tables in Markdown: parameters after the float64 steps, losses over the float32 steps.</summary>
    public static string Tables(IReadOnlyCollection<Comparison> comparisons) =>
        $"""
        Float64: the largest relative difference of a parameter from PyTorch's, after 20 steps

        | network | parameters | this engine | PyTorch, weights 1 ulp away | times (at most {Comparison.Most:0}) |
        |---|---|---|---|---|
        {Rows(comparisons, c => $"{c.Parameters:N0} | {c.Difference:0.0e+0} | {c.PyTorch.Distance:0.0e+0} | {c.Times:0.00}")}

        Float32: the largest difference of a loss from PyTorch's, over 500 steps

        | network | this engine | PyTorch, weights 1 ulp away | PyTorch, float64 |
        |---|---|---|---|
        {Rows(comparisons, c => $"{c.LossDifferences.Max():0.0e+0} | {c.MovedDifferences.Max():0.0e+0} | {c.Float64Differences.Max():0.0e+0}")}

        """;

    /// <summary>Writes <c>training-beside-pytorch.md</c>, and its pictures into a folder beside it.</summary>
    /// <param name="comparisons">What was compared.</param>
    /// <param name="folder">Where to.</param>
    /// <param name="machine">What it ran on, in a line.</param>
    public static void Write(IReadOnlyCollection<Comparison> comparisons, string folder, string machine)
    {
        var pictures = Path.Combine(folder, "training-beside-pytorch");
        foreach (var each in comparisons)
        {
            Losses(each).Save(Path.Combine(pictures, each.Name + ".svg"));
            Differences(each).Save(Path.Combine(pictures, each.Name + "-differences.svg"));
        }

        var page = $"""
            # Training beside PyTorch

            Three networks trained here and in PyTorch 2.6.0, from the same initial weights on the same batches: both are drawn from seeds and have PyTorch's bits, which digests of them prove. The yardstick is
            PyTorch itself, trained once more with every weight one unit of the last place (ulp) away: two ways of rounding cannot be expected to stay closer than that.

            {Tables(comparisons)}
            Where a float32 loss departs by more than rounding, most likely a ReLU or a maximum has fallen on the other side of its kink; PyTorch's own float64 losses depart there too.

            Ran on {machine}.

            ```
            ./verify beside-pytorch               # trains, and prints the tables
            ./verify beside-pytorch --out docs    # writes this page
            ```
            `tests/Examples/BesidePyTorchTests.cs` holds the engine to it. PyTorch's side is in `tests/Training/goldens/trainings.jsonl.gz`, which `trainings.py` beside it writes.
            {string.Concat(comparisons.Select(Section))}
            """;
        AtomicFile.Write(Path.Combine(folder, "training-beside-pytorch.md"), stream => stream.Write(Encoding.UTF8.GetBytes(page)));
    }

    private static string Rows(IEnumerable<Comparison> comparisons, Func<Comparison, FormattableString> columns) =>
        string.Join('\n', comparisons.Select(c => $"| {c.Name} | {columns(c).ToString(CultureInfo.InvariantCulture)} |"));

    private static string Section(Comparison c) =>
        $"""

        ## {c.Name}
        ![{c.Name}: the loss over 500 float32 steps](training-beside-pytorch/{c.Name}.svg)

        ![{c.Name}: how far from PyTorch's](training-beside-pytorch/{c.Name}-differences.svg)

        """;

    private static LinePlot Losses(Comparison c) =>
        Plot($"{c.Name}: the loss over 500 float32 steps", "loss", ("PyTorch", c.PyTorch.Float32Losses), ("PyTorch, weights 1 ulp away", c.PyTorch.MovedLosses), ("this engine", c.Losses));

    /// <summary>On a logarithmic axis; where losses are equal there is a gap.</summary>
    private static LinePlot Differences(Comparison c) =>
        Plot(
            $"{c.Name}: how far from PyTorch's float32 loss",
            "log10 of the difference",
            ("this engine", Log(c.LossDifferences)),
            ("PyTorch, weights 1 ulp away", Log(c.MovedDifferences)),
            ("PyTorch, float64", Log(c.Float64Differences)));

    private static double[] Log(double[] values) => [.. values.Select(Math.Log10)];

    private static LinePlot Plot(string title, string yLabel, params (string Name, IReadOnlyCollection<double> Values)[] curves)
    {
        var plot = new LinePlot { Title = title, XLabel = "step", YLabel = yLabel, Width = 760 };
        foreach (var (name, values) in curves) plot.Add(name, [.. Enumerable.Range(1, values.Count).Select(step => (double)step)], values);
        return plot;
    }
}
