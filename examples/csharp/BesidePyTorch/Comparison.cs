using Verified.Engine;
using Verified.Training;

namespace Verified.Examples.BesidePyTorch;

/// <summary>
/// A training here beside the same in PyTorch. The yardstick is PyTorch itself, when every weight starts one unit of the last place away: no two ways of
/// rounding can be expected to stay closer.
/// </summary>
/// <param name="Name">The network.</param>
/// <param name="Parameters">How many parameters it has.</param>
/// <param name="PyTorch">What PyTorch gave.</param>
/// <param name="Difference">The largest relative difference of a parameter from PyTorch's after the float64 steps.</param>
/// <param name="Losses">The losses of the float32 steps here.</param>
public sealed record Comparison(string Name, long Parameters, PyTorchRun PyTorch, double Difference, IReadOnlyList<double> Losses)
{
    /// <summary>How many times the yardstick a difference may be.</summary>
    public const double Most = 100;

    /// <summary>The difference of the parameters as a multiple of the yardstick.</summary>
    public double Times => Difference / PyTorch.Distance;

    /// <summary>Whether the parameters after the float64 steps are as near as they must be.</summary>
    public bool Holds => Times <= Most;

    /// <summary>How far each float32 loss is from PyTorch's.</summary>
    public double[] LossDifferences => FromPyTorch(Losses);

    /// <summary>How far each is in PyTorch where the weights start one unit of the last place away.</summary>
    public double[] MovedDifferences => FromPyTorch(PyTorch.MovedLosses);

    /// <summary>How far each is in PyTorch in float64.</summary>
    public double[] Float64Differences => FromPyTorch(PyTorch.Float64Losses);

    /// <summary>Trains, in float64 and in float32, for as many steps as PyTorch did.</summary>
    /// <param name="training">The training.</param>
    /// <param name="pytorch">PyTorch's run of it.</param>
    /// <param name="watch">Given the float32 losses one by one; returns them, having shown how far it is.</param>
    public static Comparison Run(SeededTraining training, PyTorchRun pytorch, Func<IEnumerable<double>, IEnumerable<double>>? watch = null)
    {
        var net = training.Network().To(DType.Float64);
        foreach (var _ in training.Train(net).Take(pytorch.Steps))
        {
        }

        var difference = net.NamedParameters().Max(p => LargestRelativeDifference(pytorch.State[p.Name], p.Value));
        var losses = training.Train(training.Network()).Take(pytorch.Float32Losses.Length);
        return new Comparison(training.Name, net.Parameters().Sum(p => (long)p.Count), pytorch, difference, [.. watch?.Invoke(losses) ?? losses]);
    }

    private double[] FromPyTorch(IEnumerable<double> losses) => [.. losses.Zip(PyTorch.Float32Losses, (a, b) => Math.Abs(a - b))];

    private static double LargestRelativeDifference(double[] expected, Tensor actual) =>
        expected.Zip(actual.ToDoubles(), (e, a) => a == e ? 0 : Math.Abs((a - e) / e)).Max();
}
