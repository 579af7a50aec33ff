using Verified.Engine;

namespace Verified.Benchmarks.Training;

/// <summary>Stochastic gradient descent with momentum, as <c>torch.optim.SGD</c> does it: written out with tensors, as a user would.</summary>
internal sealed class Momentum(double rate, double momentum, params Tensor[] parameters)
{
    private readonly Tensor?[] velocities = new Tensor?[parameters.Length];

    public void Step()
    {
        using var off = Autograd.NoGrad();
        for (var i = 0; i < parameters.Length; i++)
        {
            var gradient = parameters[i].Grad!;
            if (momentum == 0)
            {
                parameters[i].SubInPlace(gradient, rate);
            }
            else
            {
                if (velocities[i] is { } velocity) velocity.MulInPlace(momentum).AddInPlace(gradient);
                else velocities[i] = gradient.Clone();
                parameters[i].SubInPlace(velocities[i]!, rate);
            }
            parameters[i].ZeroGrad();
        }
    }
}

/// <summary>Values to start with; always the same.</summary>
internal sealed class Initial(int seed)
{
    private readonly Random random = new(seed);

    /// <summary>Uniform in -bound to bound.</summary>
    public Tensor Uniform(int[] shape, double bound, bool requiresGrad = false)
    {
        var data = new float[shape.Aggregate(1, (a, b) => a * b)];
        for (var i = 0; i < data.Length; i++) data[i] = (float)(((random.NextDouble() * 2) - 1) * bound);
        return Tensor.Create(data, shape, requiresGrad);
    }

    /// <summary>Weight and bias of a layer, uniform in -1/sqrt(inputs) to 1/sqrt(inputs).</summary>
    public (Tensor Weight, Tensor Bias) Layer(params int[] shape)
    {
        var bound = 1 / Math.Sqrt(shape.Skip(1).Aggregate(1, (a, b) => a * b));
        return (Uniform(shape, bound, requiresGrad: true), Uniform([shape[0]], bound, requiresGrad: true));
    }

    /// <summary>Class numbers below <paramref name="classes"/>.</summary>
    public Tensor Classes(int count, int classes) => Tensor.Create([.. Enumerable.Range(0, count).Select(_ => (long)random.Next(classes))]);
}
