using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// Initial values, as <c>torch.nn.init</c>: each writes over a tensor in place, records nothing, and gives the tensor back. From the same seed the values
/// are PyTorch's, bit for bit where they are uniform.
/// </summary>
/// <remarks>Sources: Glorot and Bengio (2010) for Xavier's, He et al. (2015) for Kaiming's.</remarks>
public static class Init
{
    /// <summary>Values spread evenly over [a, b).</summary>
    public static Tensor UniformInPlace(Tensor tensor, double a = 0, double b = 1, Generator? generator = null)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return Write(tensor, Rng.Uniform(tensor.Shape.ToArray(), a, b, tensor.DType, generator));
    }

    /// <summary>Normal values of a mean and a standard deviation.</summary>
    public static Tensor NormalInPlace(Tensor tensor, double mean = 0, double std = 1, Generator? generator = null)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return Write(tensor, Rng.Normal(mean, std, tensor.Shape.ToArray(), tensor.DType, generator));
    }

    /// <summary>One value everywhere.</summary>
    public static Tensor ConstantInPlace(Tensor tensor, double val)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using var off = Autograd.NoGrad();
        return tensor.FillInPlace(val);
    }

    /// <summary>Zeros.</summary>
    public static Tensor ZerosInPlace(Tensor tensor) => ConstantInPlace(tensor, 0);

    /// <summary>Ones.</summary>
    public static Tensor OnesInPlace(Tensor tensor) => ConstantInPlace(tensor, 1);

    /// <summary>Xavier's uniform values: within gain sqrt(6 / (inputs + outputs)).</summary>
    /// <param name="tensor">A weight of at least two dimensions, outputs first.</param>
    /// <param name="gain">A factor; see <see cref="Gain"/>.</param>
    /// <param name="generator">What to draw from.</param>
    public static Tensor XavierUniformInPlace(Tensor tensor, double gain = 1, Generator? generator = null)
    {
        var (inputs, outputs) = Fans(tensor);
        var bound = Math.Sqrt(3) * (gain * Math.Sqrt(2.0 / (inputs + outputs)));
        return UniformInPlace(tensor, -bound, bound, generator);
    }

    /// <summary>Xavier's normal values: of standard deviation gain sqrt(2 / (inputs + outputs)).</summary>
    /// <inheritdoc cref="XavierUniformInPlace"/>
    public static Tensor XavierNormalInPlace(Tensor tensor, double gain = 1, Generator? generator = null)
    {
        var (inputs, outputs) = Fans(tensor);
        return NormalInPlace(tensor, 0, gain * Math.Sqrt(2.0 / (inputs + outputs)), generator);
    }

    /// <summary>Kaiming's uniform values: within gain sqrt(3 / fan).</summary>
    /// <param name="tensor">A weight of at least two dimensions, outputs first.</param>
    /// <param name="a">The negative slope, where the nonlinearity is <c>leaky_relu</c>.</param>
    /// <param name="mode"><c>fan_in</c> keeps the size of values on the way forward, <c>fan_out</c> that of gradients on the way back.</param>
    /// <param name="nonlinearity">What follows; see <see cref="Gain"/>.</param>
    /// <param name="generator">What to draw from.</param>
    public static Tensor KaimingUniformInPlace(Tensor tensor, double a = 0, string mode = "fan_in", string nonlinearity = "leaky_relu", Generator? generator = null)
    {
        var bound = Math.Sqrt(3) * KaimingStd(tensor, a, mode, nonlinearity);
        return UniformInPlace(tensor, -bound, bound, generator);
    }

    /// <summary>Kaiming's normal values: of standard deviation gain / sqrt(fan).</summary>
    /// <inheritdoc cref="KaimingUniformInPlace"/>
    public static Tensor KaimingNormalInPlace(Tensor tensor, double a = 0, string mode = "fan_in", string nonlinearity = "leaky_relu", Generator? generator = null) =>
        NormalInPlace(tensor, 0, KaimingStd(tensor, a, mode, nonlinearity), generator);

    /// <summary>The recommended factor for what follows a layer: <c>linear</c>, <c>sigmoid</c>, <c>tanh</c>, <c>relu</c>, <c>leaky_relu</c> (with its slope) or <c>selu</c>.</summary>
    /// <exception cref="ArgumentException">It is none of these.</exception>
    public static double Gain(string nonlinearity, double slope = 0.01) => nonlinearity switch
    {
        "linear" or "conv2d" or "conv_transpose2d" or "sigmoid" => 1,
        "tanh" => 5.0 / 3,
        "relu" => Math.Sqrt(2),
        "leaky_relu" => Math.Sqrt(2 / (1 + (slope * slope))),
        "selu" => 3.0 / 4,
        _ => throw new ArgumentException($"Unsupported nonlinearity {nonlinearity}"),
    };

    /// <summary>The inputs that each output has, and the outputs that each input has, of a weight.</summary>
    internal static (int Inputs, int Outputs) Fans(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Rank < 2) throw new ArgumentException("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions");
        var field = 1;
        foreach (var size in tensor.Shape[2..]) field *= size;
        return (tensor.Size(1) * field, tensor.Size(0) * field);
    }

    private static double KaimingStd(Tensor tensor, double a, string mode, string nonlinearity)
    {
        var (inputs, outputs) = Fans(tensor);
        var fan = mode switch
        {
            "fan_in" => inputs,
            "fan_out" => outputs,
            _ => throw new ArgumentException($"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']"),
        };
        return Gain(nonlinearity, a) / Math.Sqrt(fan);
    }

    private static Tensor Write(Tensor tensor, Tensor values)
    {
        using var off = Autograd.NoGrad();
        return tensor.CopyInPlace(values);
    }
}
