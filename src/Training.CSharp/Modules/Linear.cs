using Verified.Engine;

namespace Verified.Training;

/// <summary>x times the transpose of a weight, plus a bias: [.., inputs] to [.., outputs].</summary>
/// <remarks>Initial values are PyTorch's: uniform within 1 / sqrt(inputs).</remarks>
public sealed class Linear : Module
{
    private readonly Parameter weight;
    private readonly Parameter? bias;

    /// <summary>A layer with initial values from the default generator.</summary>
    /// <param name="inFeatures">The size of the last dimension of inputs.</param>
    /// <param name="outFeatures">The size of the last dimension of outputs.</param>
    /// <param name="bias">Whether a bias is added.</param>
    /// <param name="dtype">The type of weight and bias.</param>
    public Linear(int inFeatures, int outFeatures, bool bias = true, DType dtype = DType.Float32)
    {
        weight = new Parameter(LayerDefaults.Weight([outFeatures, inFeatures], dtype));
        this.bias = bias ? new Parameter(LayerDefaults.Bias(weight, outFeatures)) : null;
    }

    /// <summary>[outputs, inputs].</summary>
    public Tensor Weight => weight.Value;

    /// <summary>[outputs], or null.</summary>
    public Tensor? Bias => bias?.Value;

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => input.Linear(Weight, Bias);

    /// <inheritdoc/>
    protected override string ExtraRepr() => $"in_features={Weight.Size(1)}, out_features={Weight.Size(0)}, bias={PythonText.Of(bias is not null)}";
}

/// <summary>The initial values of linear and convolutional layers.</summary>
internal static class LayerDefaults
{
    /// <summary>Kaiming's with the slope sqrt(5), that is within 1 / sqrt(fan in), computed in PyTorch's steps, which decide the last bit.</summary>
    public static Tensor Weight(int[] shape, DType dtype) => Init.KaimingUniformInPlace(Tensor.Zeros(shape, dtype), Math.Sqrt(5));

    /// <summary>Uniform within 1 / sqrt(fan in) of the weight.</summary>
    public static Tensor Bias(Tensor weight, int count)
    {
        var (inputs, _) = Init.Fans(weight);
        var bound = inputs > 0 ? 1 / Math.Sqrt(inputs) : 0;
        return Rng.Uniform([count], -bound, bound, weight.DType);
    }
}
