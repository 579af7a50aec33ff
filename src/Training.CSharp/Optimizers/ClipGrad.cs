using Verified.Engine;

namespace Verified.Training;

/// <summary>Keeps gradients within limits, as <c>torch.nn.utils.clip_grad</c>; in place, between <c>Backward</c> and the optimizer's step.</summary>
public static class ClipGrad
{
    /// <summary>Scales all gradients so that their norm, taken over all together, is at most a number.</summary>
    /// <param name="parameters">Those without a gradient are passed over.</param>
    /// <param name="maxNorm">The most.</param>
    /// <param name="normType">The norm's order: 2, any positive number, or infinity.</param>
    /// <param name="errorIfNonfinite">Whether an infinite or undefined norm is an error instead of a factor.</param>
    /// <returns>The norm before.</returns>
    /// <exception cref="ArithmeticException">The norm is not finite and <paramref name="errorIfNonfinite"/> is set.</exception>
    public static double ClipGradNorm(IEnumerable<Tensor> parameters, double maxNorm, double normType = 2, bool errorIfNonfinite = false)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        if (!(normType > 0)) throw new ArgumentException($"the order of the norm must be positive, not {PythonText.Of(normType)}");
        using var off = Autograd.NoGrad();
        var gradients = Gradients(parameters);
        if (gradients.Count == 0) return 0;
        var total = Norm(gradients, normType);
        if (errorIfNonfinite && !double.IsFinite(total))
        {
            throw new ArithmeticException(
                $"The total norm of order {PythonText.Of(normType)} for gradients from `parameters` is non-finite, so it cannot be clipped. To disable this error and "
                + "scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`");
        }
        // A factor of one is multiplied with too: NaN must come through.
        var factor = Math.Min(maxNorm / (total + 1e-6), 1);
        if (double.IsNaN(total)) factor = double.NaN;
        foreach (var gradient in gradients) gradient.MulInPlace(factor);
        return total;
    }

    /// <summary>Brings every element of every gradient into [-clipValue, clipValue].</summary>
    /// <param name="parameters">Those without a gradient are passed over.</param>
    /// <param name="clipValue">The greatest magnitude.</param>
    public static void ClipGradValue(IEnumerable<Tensor> parameters, double clipValue)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        using var off = Autograd.NoGrad();
        foreach (var gradient in Gradients(parameters)) gradient.ClampInPlace(-clipValue, clipValue);
    }

    private static List<Tensor> Gradients(IEnumerable<Tensor> parameters) => [.. parameters.Select(p => p.Grad).OfType<Tensor>()];

    /// <summary>The norm of the norms. Squares are summed in double precision: float32 gradients of 1e30 have a norm too, where PyTorch finds infinity.</summary>
    private static double Norm(List<Tensor> gradients, double order)
    {
        var total = 0.0;
        foreach (var gradient in gradients)
        {
            var values = gradient.Detach().To(DType.Float64).Abs();
            if (double.IsPositiveInfinity(order))
            {
                if (values.Count > 0) total = Larger(total, values.Amax().Item());
            }
            else total += order == 2 ? values.Square().Sum().Item() : values.Pow(order).Sum().Item();
        }
        return double.IsPositiveInfinity(order) ? total : order == 2 ? Math.Sqrt(total) : Math.Pow(total, 1 / order);
    }

    /// <summary>The larger; NaN where either is.</summary>
    private static double Larger(double a, double b) => Math.Max(a, b);
}
