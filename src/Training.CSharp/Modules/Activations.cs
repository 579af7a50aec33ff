using Verified.Engine;

namespace Verified.Training;

/// <summary>max(x, 0); the derivative at 0 is 0.</summary>
/// <param name="inplace">Whether the input is written over.</param>
public sealed class ReLU(bool inplace = false) : Module
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => inplace ? input.ReluInPlace() : input.Relu();

    /// <inheritdoc/>
    protected override string ExtraRepr() => inplace ? "inplace=True" : "";
}

/// <summary>x where it is positive, else a slope times x.</summary>
/// <param name="negativeSlope">The slope.</param>
public sealed class LeakyReLU(double negativeSlope = 0.01) : Module
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => input.LeakyRelu(negativeSlope);

    /// <inheritdoc/>
    protected override string ExtraRepr() => $"negative_slope={PythonText.Of(negativeSlope)}";
}

/// <summary>x times the normal distribution's cumulative function.</summary>
/// <param name="approximate"><c>none</c>, or <c>tanh</c> for an approximation by the hyperbolic tangent.</param>
public sealed class GELU(string approximate = "none") : Module
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => input.Gelu(approximate);

    /// <inheritdoc/>
    protected override string ExtraRepr() => $"approximate='{approximate}'";
}

/// <summary>x sigmoid(x).</summary>
public sealed class SiLU : Module
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => input.Silu();
}

/// <summary>x where it is positive, else alpha (exp(x) - 1).</summary>
/// <param name="alpha">The factor.</param>
public sealed class ELU(double alpha = 1) : Module
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => input.Elu(alpha);

    /// <inheritdoc/>
    protected override string ExtraRepr() => $"alpha={PythonText.Of(alpha)}";
}

/// <summary>log(1 + exp(beta x)) / beta, and x where beta x is above the threshold.</summary>
/// <param name="beta">How sharp the bend is.</param>
/// <param name="threshold">From where on the function is x itself.</param>
public sealed class Softplus(double beta = 1, double threshold = 20) : Module
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => input.Softplus(beta, threshold);

    /// <inheritdoc/>
    protected override string ExtraRepr() => $"beta={PythonText.Of(beta)}, threshold={PythonText.Of(threshold)}";
}

/// <summary>1 / (1 + exp(-x)).</summary>
public sealed class Sigmoid : Module
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => input.Sigmoid();
}

/// <summary>The hyperbolic tangent.</summary>
public sealed class Tanh : Module
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => input.Tanh();
}

/// <summary>exp(x) / (the sum of exp(x) along a dimension).</summary>
/// <param name="dim">The dimension that sums to one, counted from either end. PyTorch lets it be left out and warns; here it is asked for.</param>
public sealed class Softmax(int dim) : Module
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => input.Softmax(dim);

    /// <inheritdoc/>
    protected override string ExtraRepr() => $"dim={dim}";
}

/// <summary>The logarithm of <see cref="Softmax"/>.</summary>
/// <param name="dim">The dimension, counted from either end.</param>
public sealed class LogSoftmax(int dim) : Module
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => input.LogSoftmax(dim);

    /// <inheritdoc/>
    protected override string ExtraRepr() => $"dim={dim}";
}
