using Verified.Engine;

namespace Verified.Training;

/// <summary>(x - mean) / sqrt(variance + eps) over the last dimensions together, times a weight, plus a bias.</summary>
public sealed class LayerNorm : Module
{
    private readonly Parameter? weight;
    private readonly Parameter? bias;
    private readonly int[] normalizedShape;
    private readonly double eps;

    /// <summary>A layer over the last dimension, with ones as weight and zeros as bias.</summary>
    /// <inheritdoc cref="LayerNorm(int[], double, bool, bool, DType)"/>
    public LayerNorm(int normalizedShape, double eps = 1e-5, bool elementwiseAffine = true, bool bias = true, DType dtype = DType.Float32)
        : this([normalizedShape], eps, elementwiseAffine, bias, dtype)
    {
    }

    /// <summary>A layer with ones as weight and zeros as bias.</summary>
    /// <param name="normalizedShape">The sizes of the last dimensions.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="elementwiseAffine">Whether there are weight and bias.</param>
    /// <param name="bias">Whether there is a bias where there is a weight.</param>
    /// <param name="dtype">The type of weight and bias.</param>
    public LayerNorm(int[] normalizedShape, double eps = 1e-5, bool elementwiseAffine = true, bool bias = true, DType dtype = DType.Float32)
    {
        ArgumentNullException.ThrowIfNull(normalizedShape);
        this.normalizedShape = [.. normalizedShape];
        this.eps = eps;
        if (!elementwiseAffine) return;
        weight = new Parameter(Tensor.Ones(this.normalizedShape, dtype));
        if (bias) this.bias = new Parameter(Tensor.Zeros(this.normalizedShape, dtype));
    }

    /// <summary>Of the normalised shape, or null.</summary>
    public Tensor? Weight => weight?.Value;

    /// <summary>Of the normalised shape, or null.</summary>
    public Tensor? Bias => bias?.Value;

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => input.LayerNorm(normalizedShape, Weight, Bias, eps);

    /// <inheritdoc/>
    protected override string ExtraRepr() =>
        $"{PythonText.Tuple(normalizedShape)}, eps={PythonText.Of(eps)}, elementwise_affine={PythonText.Of(weight is not null)}";
}
