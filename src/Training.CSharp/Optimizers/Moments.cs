using Verified.Engine;

namespace Verified.Training;

/// <summary>Memory for updates: the state of a parameter, and dense stand-ins for tensors whose elements do not lie in a row.</summary>
internal static class Moments
{
    /// <summary>Zeros of a parameter's shape and type.</summary>
    public static Tensor Like(Tensor parameter) => Tensor.Zeros(parameter.Shape.ToArray(), parameter.DType);

    /// <summary>The tensor, or a copy whose elements lie in a row.</summary>
    public static Tensor Dense(Tensor tensor) => tensor.IsContiguous ? tensor : tensor.Detach().Contiguous();

    private static Tensor Apart(Tensor tensor)
    {
        var copy = Tensor.Empty(tensor.Shape.ToArray(), tensor.DType);
        Copying.Copy(tensor, copy);
        return copy;
    }

    /// <summary>A parameter that is being written to: itself where it is dense, else a copy that is put back at the end.</summary>
    public readonly ref struct Written
    {
        private readonly Tensor parameter;

        public Written(Tensor parameter)
        {
            this.parameter = parameter;
            // A listener hears the copy that puts it back, and not what the kernel writes.
            Dense = Calls.Heard ? Apart(parameter) : Moments.Dense(parameter);
        }

        public Tensor Dense { get; }

        public void Dispose()
        {
            // The write is counted, so that a backward pass that needs the old values finds out.
            if (ReferenceEquals(Dense, parameter))
            {
                parameter.Storage.Bump();
                return;
            }
            using var off = Autograd.NoGrad();
            parameter.CopyInPlace(Dense);
        }
    }
}
