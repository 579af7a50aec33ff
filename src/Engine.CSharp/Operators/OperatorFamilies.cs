namespace Verified.Engine;

/// <summary>The list of families: the only place that names them all.</summary>
internal static class OperatorFamilies
{
    public static IEnumerable<Operator> All() =>
    [
        .. Arithmetic.All, .. Exponentials.All, .. Powers.All, .. Trigonometry.All, .. Piecewise.All, .. Comparisons.All, .. Activations.All, .. Reductions.All, .. Extrema.All, .. Gathering.All, .. Scattering.All, .. Statistics.All, .. Arrangement.All, .. LinearAlgebra.All, .. Linear.All, .. Convolution.All, .. Pooling.All, .. Resizing.All, .. Normalizations.All, .. BatchNormalization.All, .. Losses.All, .. Reshaping.All, .. Slicing.All, .. Joining.All, .. Copies.All,
        .. Writes.All, AsStrided.Definition,
    ];
}
