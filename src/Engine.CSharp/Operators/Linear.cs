using Verified.Engine.Blas;

namespace Verified.Engine;

/// <summary>The affine map of a layer, composed as PyTorch composes it (aten/src/ATen/native/Linear.cpp, linear).</summary>
internal static class Linear
{
    /// <summary>A matrix, broadcast, plus the product of two, in one go.</summary>
    public static readonly FunctionOperator Addmm = new(
        "addmm",
        (inputs, _) => Sum(inputs[0]!, inputs[1]!, inputs[2]!),
        [
            new Rule(g => g),
            new Rule(Saved.Input2, (g, c) => LinearAlgebra.ToLeft(g, c.Input(2), IsColumnMajor(c, 1))),
            new Rule(Saved.Input1, (g, c) => LinearAlgebra.ToRight(g, c.Input(1), IsColumnMajor(c, 2))),
        ])
    { Arity = 3, Remember = inputs => (inputs[1]!.Steps, inputs[2]!.Steps) };

    public static readonly CompositeOperator Definition = new("linear", call => Compose(call.Tensor(0), call.Tensor(1), call.TensorOrNull(2)));

    public static IEnumerable<Operator> All => [Definition, Addmm];

    private static Tensor Compose(Tensor x, Tensor weight, Tensor? bias)
    {
        if (x.Rank == 0 || weight.Rank == 0)
            throw new AutogradException(ErrorKind.Shape, $"both arguments to linear need to be at least 1D, but they are {x.Rank}D and {weight.Rank}D");
        var columns = weight.T();
        if (bias is null) return x.Matmul(columns);
        if (x.Rank == 2) return Apply(bias, x, columns);
        if (!x.IsContiguous || (x.Rank != 3 && bias.Rank != 1)) return x.Matmul(columns).AddInPlace(bias);
        int[] outer = x.Sizes[..^1];
        var y = Apply(bias, x.Reshape([Shapes.Count(outer), x.Sizes[^1]]), columns);
        return y.View([.. outer, y.Sizes[1]]);
    }

    private static Tensor Apply(Tensor bias, Tensor rows, Tensor columns) => Addmm.Apply([bias, rows, columns], Attributes.None)[0];

    private static bool IsColumnMajor(BackwardContext c, int input)
    {
        var (left, right) = ((int[], int[]))c.Node.State!;
        return LinearAlgebra.IsColumnMajor(input == 1 ? left : right, c.InputShape(input));
    }

    private static Tensor Sum(Tensor added, Tensor a, Tensor b)
    {
        LinearAlgebra.SameType(added, b, "self", "mat2");
        LinearAlgebra.SameType(a, b, "m1", "m2");
        if (a.Rank != 2) throw new AutogradException(ErrorKind.Shape, $"mat1 must be a matrix, got {a.Rank}-D tensor");
        if (b.Rank != 2) throw new AutogradException(ErrorKind.Shape, $"mat2 must be a matrix, got {b.Rank}-D tensor");
        int[] shape = [a.Sizes[0], b.Sizes[1]];
        if (!Shapes.CanExpand(added.Sizes, shape))
        {
            throw new AutogradException(
                ErrorKind.Shape,
                $"The expanded size of the tensor ({shape[1]}) must match the existing size ({added.Count}) at non-singleton dimension 1.  "
                + $"Target sizes: {Shapes.Text(shape)}.  Tensor sizes: {Shapes.Text(added.Sizes)}");
        }
        LinearAlgebra.CheckMatrices(a, b);
        var y = Tensor.Empty(shape, a.DType);
        Copying.Copy(added, y);
        LinearAlgebra.Multiply(a, b, y, accumulate: true);
        return y;
    }
}

public sealed partial class Tensor
{
    /// <summary>x times the transpose of the weight, plus the bias: a layer of [.., inputs] and a weight [outputs, inputs] (or [inputs], for one output without its dimension).</summary>
    /// <param name="weight">One row for each output.</param>
    /// <param name="bias">A number for each output.</param>
    /// <exception cref="AutogradException">Shapes or types do not fit.</exception>
    public Tensor Linear(Tensor weight, Tensor? bias = null) => Engine.Linear.Definition.Apply([this, weight, bias]);
}
