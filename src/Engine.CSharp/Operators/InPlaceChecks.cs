namespace Verified.Engine;

/// <summary>Whether a result fits into the tensor that is to be written.</summary>
internal static class InPlaceChecks
{
    /// <summary>Raises PyTorch's message unless the result has the tensor's shape.</summary>
    public static void Shape(Tensor self, int[] result)
    {
        if (!Shapes.Same(self.Sizes, result))
        {
            throw new AutogradException(
                ErrorKind.Shape, $"output with shape {Shapes.Text(self.Sizes)} doesn't match the broadcast shape {Shapes.Text(result)}");
        }
    }

    /// <summary>Raises PyTorch's message where the result's type is of a higher kind than the tensor's.</summary>
    public static void DType(Tensor self, DType result)
    {
        if (!DTypes.CanCast(result, self.DType))
        {
            throw new AutogradException(
                ErrorKind.Dtype, $"result type {result.ScalarType()} can't be cast to the desired output type {self.DType.ScalarType()}");
        }
    }
}
