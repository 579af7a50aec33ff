using Verified.Engine.Blas;

namespace Verified.Engine;

/// <summary>The affine map of a layer, one product with the bias in place.</summary>
internal static class Linear
{
    public static readonly FunctionOperator Definition = new(
        "linear",
        (inputs, _) => Compute(inputs[0]!, inputs[1]!, inputs.Length > 2 ? inputs[2] : null),
        [
            new Rule(Saved.Input1, (g, c) =>
            {
                var weight = c.Input(1);
                var shape = c.InputShape(0);
                if (weight.Rank == 1) return g.Reshape([-1, 1]).Mm(weight.Unsqueeze(0)).Reshape(shape);
                return shape.Length == 2 ? g.Mm(weight) : g.Reshape([Rows(shape), weight.Sizes[0]]).Mm(weight).Reshape(shape);
            }),
            new Rule(Saved.Input0, (g, c) =>
            {
                var x = c.Input(0);
                var shape = c.InputShape(1);
                int rows = Rows(x.Sizes), outputs = shape.Length == 2 ? shape[0] : 1;
                if (x.Rank != 2) x = x.Reshape([rows, shape[^1]]);
                var product = (g.Rank == 2 && shape.Length == 2 ? g : g.Reshape([rows, outputs])).T().Mm(x);
                return shape.Length == 2 ? product : product.Reshape(shape);
            }),
            new Rule(g => g),
        ],
        "AddmmBackward0")
    { Arity = 2 };

    public static IEnumerable<Operator> All => [Definition];

    private static int Rows(int[] shape) => Shapes.Count(shape.AsSpan(0, shape.Length - 1));

    private static Tensor Compute(Tensor x, Tensor weight, Tensor? bias)
    {
        if (x.Rank == 0 || weight.Rank is not (1 or 2))
        {
            throw new AutogradException(
                ErrorKind.Shape,
                $"linear(): input of shape {Shapes.Text(x.Sizes)} and weight of shape {Shapes.Text(weight.Sizes)}: the input needs a dimension, the weight one or two");
        }
        int rows = Rows(x.Sizes), inputs = weight.Sizes[^1], outputs = weight.Rank == 2 ? weight.Sizes[0] : 1;
        if (x.Sizes[^1] != inputs) throw new AutogradException(ErrorKind.Shape, $"mat1 and mat2 shapes cannot be multiplied ({rows}x{x.Sizes[^1]} and {inputs}x{outputs})");
        SameType(x, weight);
        int[] shape = weight.Rank == 2 ? [.. x.Sizes[..^1], outputs] : x.Sizes[..^1];
        if (bias is not null)
        {
            SameType(x, bias);
            if (!Shapes.CanExpand(bias.Sizes, shape))
            {
                throw new AutogradException(
                    ErrorKind.Shape,
                    $"The expanded size of the tensor ({outputs}) must match the existing size ({bias.Count}) at non-singleton dimension {Math.Max(0, shape.Length - 1)}.  "
                    + $"Target sizes: {Shapes.Text(shape)}.  Tensor sizes: {Shapes.Text(bias.Sizes)}");
            }
        }
        if (!x.DType.IsFloat()) throw new AutogradException(ErrorKind.Dtype, $"linear(): no definition for {x.DType.Name()}");
        var y = Tensor.Empty(shape, x.DType);
        if (bias is not null) Copying.Copy(bias, y);
        var isAddmm = bias is not null && (x.Rank == 2 || (x.Rank == 3 && x.IsContiguous) || bias.Rank == 1);
        if (x.Rank != 2) x = Copying.Packed(x);
        if (x.DType == DType.Float32) Run<float>(); else Run<double>();
        GC.KeepAlive(x);
        GC.KeepAlive(weight);
        // PyTorch's product of a vector and a matrix is squeezed in place, and the bias added in place where it does not go through addmm; both count as writes.
        if (x.Rank == 1 && weight.Rank == 2 && !isAddmm) y.Storage.Bump();
        if (bias is not null && !isAddmm) y.Storage.Bump();
        return y;

        unsafe void Run<T>()
            where T : unmanaged
        {
            fixed (T* px = &x.Origin<T>(), pw = &weight.Origin<T>(), py = &y.Origin<T>())
            {
                var left = x.Rank == 2 ? new Operand<T>(px, x.Steps[0], x.Steps[1]) : new Operand<T>(px, inputs, 1);
                var right = new Operand<T>(pw, weight.Steps[^1], weight.Rank == 2 ? weight.Steps[0] : 1);
                MatrixProducts.Multiply(rows, outputs, inputs, left, right, py, outputs, accumulate: bias is not null);
            }
        }
    }

    private static void SameType(Tensor x, Tensor other)
    {
        if (x.DType != other.DType)
            throw new AutogradException(ErrorKind.Dtype, $"expected m1 and m2 to have the same dtype, but got: {x.DType.CName()} != {other.DType.CName()}");
        if (x.DType == DType.Bool) throw new AutogradException(ErrorKind.Dtype, "\"addmm_impl_cpu_\" not implemented for 'Bool'");
    }
}

public sealed partial class Tensor
{
    /// <summary>x times the transpose of the weight, plus the bias: a layer of [.., inputs] and a weight [outputs, inputs] (or [inputs], for one output without its dimension).</summary>
    /// <param name="weight">One row for each output.</param>
    /// <param name="bias">A number for each output.</param>
    /// <exception cref="AutogradException">Shapes or types do not fit.</exception>
    public Tensor Linear(Tensor weight, Tensor? bias = null) => Engine.Linear.Definition.Apply([this, weight, bias], Attributes.None)[0];
}
