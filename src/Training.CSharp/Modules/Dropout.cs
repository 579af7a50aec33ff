using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// In training sets each element to zero with a probability, and multiplies the others with 1 / (1 - p), so that the mean stays; in evaluation gives back
/// what it is given.
/// </summary>
/// <remarks>Source: Srivastava et al. (2014). From the same seed the elements are those of PyTorch built without MKL; see <see cref="Rng"/>.</remarks>
public sealed class Dropout : Module
{
    private readonly double p;
    private readonly bool inplace;
    private readonly Generator? generator;

    /// <summary>A layer.</summary>
    /// <param name="p">The probability of an element to be dropped, from 0 to 1.</param>
    /// <param name="inplace">Whether the input is written over.</param>
    /// <param name="generator">What is drawn from; the default one where null.</param>
    /// <exception cref="ArgumentException">p is no probability.</exception>
    public Dropout(double p = 0.5, bool inplace = false, Generator? generator = null)
    {
        if (!(p is >= 0 and <= 1)) throw new ArgumentException($"dropout probability has to be between 0 and 1, but got {PythonText.Of(p)}");
        this.p = p;
        this.inplace = inplace;
        this.generator = generator;
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input)
    {
        if (!Training || p == 0) return input;
        var mask = p == 1 ? Tensor.Zeros(input.Shape.ToArray(), input.DType) : Rng.Bernoulli(input.Shape.ToArray(), 1 - p, input.DType, generator);
        if (p < 1) mask.DivInPlace(1 - p);
        return inplace ? input.MulInPlace(mask) : input * mask;
    }

    /// <inheritdoc/>
    protected override string ExtraRepr() => $"p={PythonText.Of(p)}, inplace={PythonText.Of(inplace)}";
}
