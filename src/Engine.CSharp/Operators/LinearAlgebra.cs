using System.Runtime.CompilerServices;
using Verified.Engine.Blas;

namespace Verified.Engine;

/// <summary>Products of matrices and vectors.</summary>
internal static class LinearAlgebra
{
    public static readonly FunctionOperator Mm = new(
        "mm",
        (inputs, _) => MatrixProduct(inputs[0]!, inputs[1]!),
        [
            new Rule(Saved.Input1, (g, c) => ToLeft(g, c.Input(1), IsColumnMajor(c, 0))),
            new Rule(Saved.Input0, (g, c) => ToRight(g, c.Input(0), IsColumnMajor(c, 1))),
        ])
    { Arity = 2, KeptOrder = [1, 0], Remember = inputs => (inputs[0]!.Steps, inputs[1]!.Steps) };

    public static readonly FunctionOperator Bmm = new(
        "bmm",
        (inputs, _) => BatchProduct(inputs[0]!, inputs[1]!),
        [
            new Rule(Saved.Input1, (g, c) => g.Bmm(c.Input(1).Transpose(1, 2))),
            new Rule(Saved.Input0, (g, c) => c.Input(0).Transpose(1, 2).Bmm(g)),
        ])
    { Arity = 2, KeptOrder = [1, 0] };

    public static readonly FunctionOperator Mv = new(
        "mv",
        (inputs, _) => MatrixVector(inputs[0]!, inputs[1]!),
        [
            new Rule(Saved.Input1, (g, c) => g.Outer(c.Input(1))),
            new Rule(Saved.Input0, (g, c) => c.Input(0).T().Mv(g)),
        ])
    { Arity = 2 };

    public static readonly FunctionOperator Dot = new(
        "dot",
        (inputs, _) => VectorProduct(inputs[0]!, inputs[1]!),
        [
            new Rule(Saved.Input1, (g, c) => g * c.Input(1)),
            new Rule(Saved.Input0, (g, c) => g * c.Input(0)),
        ])
    { Arity = 2 };

    public static readonly CompositeOperator Matmul = new("matmul", call => call.Tensor(0).MatmulOf(call.Tensor(1)));

    public static readonly CompositeOperator Outer = new("outer", call => call.Tensor(0).Outer(call.Tensor(1)));

    public static IEnumerable<Operator> All => [Mm, Bmm, Mv, Dot, Matmul, Outer];

    /// <summary>Whether an operand was a transposed matrix: then its gradient is made in that order, as PyTorch does, so that it needs no copy when it is transposed back.</summary>
    public static bool IsColumnMajor(int[] steps, int[] shape) => steps[0] == 1 && steps[1] == shape[0];

    /// <summary>The gradient of the left one of two matrices.</summary>
    public static Tensor ToLeft(Tensor g, Tensor right, bool columnMajor) => columnMajor ? right.Mm(g.T()).T() : g.Mm(right.T());

    /// <summary>The gradient of the right one of two matrices.</summary>
    public static Tensor ToRight(Tensor g, Tensor left, bool columnMajor) => columnMajor ? g.T().Mm(left).T() : left.T().Mm(g);

    private static bool IsColumnMajor(BackwardContext c, int input)
    {
        var (first, second) = ((int[], int[]))c.Node.State!;
        return IsColumnMajor(input == 0 ? first : second, c.InputShape(input));
    }

    private static Tensor MatrixProduct(Tensor a, Tensor b)
    {
        if (a.Rank != 2) throw new AutogradException(ErrorKind.Shape, "self must be a matrix");
        if (b.Rank != 2) throw new AutogradException(ErrorKind.Shape, "mat2 must be a matrix");
        CheckMatrices(a, b);
        var result = Tensor.Empty([a.Sizes[0], b.Sizes[1]], a.DType);
        Multiply(a, b, result);
        return result;
    }

    /// <summary>Refuses two matrices whose sizes or types do not go together.</summary>
    public static void CheckMatrices(Tensor a, Tensor b)
    {
        if (a.Sizes[1] != b.Sizes[0])
        {
            throw new AutogradException(
                ErrorKind.Shape, $"mat1 and mat2 shapes cannot be multiplied ({a.Sizes[0]}x{a.Sizes[1]} and {b.Sizes[0]}x{b.Sizes[1]})");
        }
        SameType(a, b, "m1", "m2");
    }

    private static Tensor BatchProduct(Tensor a, Tensor b)
    {
        if (a.Rank != 3) throw new AutogradException(ErrorKind.Shape, "batch1 must be a 3D tensor");
        if (b.Rank != 3) throw new AutogradException(ErrorKind.Shape, "batch2 must be a 3D tensor");
        if (a.Sizes[0] != b.Sizes[0] || a.Sizes[2] != b.Sizes[1])
        {
            throw new AutogradException(
                ErrorKind.Shape,
                $"Expected size for first two dimensions of batch2 tensor to be: [{a.Sizes[0]}, {a.Sizes[2]}] but got: [{b.Sizes[0]}, {b.Sizes[1]}].");
        }
        SameScalarType(a, b);
        var result = Tensor.Empty([a.Sizes[0], a.Sizes[1], b.Sizes[2]], a.DType);
        Multiply(a, b, result);
        return result;
    }

    private static Tensor MatrixVector(Tensor a, Tensor v)
    {
        // The length of the result is asked for first.
        if (a.Rank == 0) throw new AutogradException(ErrorKind.Index, "Dimension specified as 0 but tensor has no dimensions");
        if (a.Rank != 2 || v.Rank != 1) throw new AutogradException(ErrorKind.Shape, $"vector + matrix @ vector expected, got 1, {a.Rank}, {v.Rank}");
        if (a.Sizes[1] != v.Sizes[0])
            throw new AutogradException(ErrorKind.Shape, $"size mismatch, got input ({a.Sizes[0]}), mat ({a.Sizes[0]}x{a.Sizes[1]}), vec ({v.Sizes[0]})");
        SameScalarType(a, v);
        var result = Tensor.Empty([a.Sizes[0], 1], a.DType);
        Multiply(a, v.Alias([v.Sizes[0], 1], [v.Steps[0], 1], v.Offset), result);
        return result.Alias([a.Sizes[0]], [1], 0);
    }

    private static Tensor VectorProduct(Tensor a, Tensor b)
    {
        if (a.Rank != 1 || b.Rank != 1) throw new AutogradException(ErrorKind.Shape, $"1D tensors expected, but got {a.Rank}D and {b.Rank}D tensors");
        if (a.DType != b.DType)
            throw new AutogradException(ErrorKind.Dtype, $"dot : expected both vectors to have same dtype, but found {a.DType.ScalarType()} and {b.DType.ScalarType()}");
        if (a.Sizes[0] != b.Sizes[0])
        {
            throw new AutogradException(
                ErrorKind.Shape, $"inconsistent tensor size, expected tensor [{a.Sizes[0]}] and src [{b.Sizes[0]}] to have the same number of elements, "
                + $"but got {a.Sizes[0]} and {b.Sizes[0]} elements respectively");
        }
        var result = Tensor.Empty([1, 1], a.DType);
        Multiply(a.Alias([1, a.Sizes[0]], [1, a.Steps[0]], a.Offset), b.Alias([b.Sizes[0], 1], [b.Steps[0], 1], b.Offset), result);
        return result.Alias([], [], 0);
    }

    private static void SameScalarType(Tensor a, Tensor b)
    {
        if (a.DType != b.DType)
            throw new AutogradException(ErrorKind.Dtype, $"expected scalar type {a.DType.ScalarType()} but found {b.DType.ScalarType()}");
    }

    /// <summary>Refuses two operands of different types.</summary>
    public static void SameType(Tensor a, Tensor b, string first, string second)
    {
        if (a.DType != b.DType)
        {
            throw new AutogradException(
                ErrorKind.Dtype, $"expected {first} and {second} to have the same dtype, but got: {a.DType.CName()} != {b.DType.CName()}");
        }
    }

    /// <summary>Fills a new, row-major result with one product, or adds it there, or fills it with a stack of products that lie <c>Steps[0]</c> apart.</summary>
    public static void Multiply(Tensor a, Tensor b, Tensor c, bool accumulate = false)
    {
        switch (a.DType)
        {
            case DType.Float32: Run<float>(a, b, c, accumulate); break;
            case DType.Float64: Run<double>(a, b, c, accumulate); break;
            case DType.Int64: RunIntegers(a, b, c, accumulate); break;
            default: throw new AutogradException(ErrorKind.Dtype, "products are not defined for bool operands");
        }
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(c);
    }

    private static unsafe void Run<T>(Tensor a, Tensor b, Tensor c, bool accumulate)
        where T : unmanaged
    {
        int m = a.Sizes[^2], k = a.Sizes[^1], n = b.Sizes[^1];
        fixed (T* pa = &a.Origin<T>(), pb = &b.Origin<T>(), pc = &c.Origin<T>())
        {
            var left = new Operand<T>(pa, a.Steps[^2], a.Steps[^1]);
            var right = new Operand<T>(pb, b.Steps[^2], b.Steps[^1]);
            if (a.Rank == 2) MatrixProducts.Multiply(m, n, k, left, right, pc, n, accumulate);
            else MatrixProducts.MultiplyBatch(a.Sizes[0], m, n, k, left, a.Steps[0], right, b.Steps[0], pc, n, (nint)m * n);
        }
    }

    private static void RunIntegers(Tensor a, Tensor b, Tensor c, bool accumulate)
    {
        int m = a.Sizes[^2], k = a.Sizes[^1], n = b.Sizes[^1];
        var batch = a.Rank == 2 ? 1 : a.Sizes[0];
        ref var pa = ref a.Origin<long>();
        ref var pb = ref b.Origin<long>();
        ref var pc = ref c.Origin<long>();
        for (var index = 0; index < batch * m * n; index++)
        {
            int stack = index / (m * n), i = index / n % m, j = index % n;
            nint rowA = (i * a.Steps[^2]) + (a.Rank == 2 ? 0 : stack * a.Steps[0]);
            nint columnB = (j * b.Steps[^1]) + (b.Rank == 2 ? 0 : stack * b.Steps[0]);
            var sum = accumulate ? Unsafe.Add(ref pc, index) : 0L;
            for (var p = 0; p < k; p++) sum += Unsafe.Add(ref pa, rowA + (p * a.Steps[^1])) * Unsafe.Add(ref pb, columnB + (p * b.Steps[^2]));
            Unsafe.Add(ref pc, index) = sum;
        }
    }
}

public sealed partial class Tensor
{
    /// <summary>The product of two matrices: [n, m] times [m, p] is [n, p].</summary>
    /// <param name="mat2">[m, p], of this tensor's type.</param>
    /// <exception cref="AutogradException">The two are not matrices, their inner sizes differ, or their types do.</exception>
    public Tensor Mm(Tensor mat2) => LinearAlgebra.Mm.Apply([this, mat2], Attributes.None)[0];

    /// <summary>The products of two stacks of matrices: [b, n, m] times [b, m, p] is [b, n, p].</summary>
    /// <param name="mat2">[b, m, p], of this tensor's type.</param>
    /// <exception cref="AutogradException">The two are not stacks of one number of matrices, their inner sizes differ, or their types do.</exception>
    public Tensor Bmm(Tensor mat2) => LinearAlgebra.Bmm.Apply([this, mat2], Attributes.None)[0];

    /// <summary>The product of a matrix [n, m] and a vector [m]: a vector [n].</summary>
    /// <param name="vec">[m], of this tensor's type.</param>
    /// <exception cref="AutogradException">The shapes or the types do not fit.</exception>
    public Tensor Mv(Tensor vec) => LinearAlgebra.Mv.Apply([this, vec], Attributes.None)[0];

    /// <summary>The sum of the products of two vectors' elements, of no dimension.</summary>
    /// <param name="tensor">A vector of this one's length and type.</param>
    /// <exception cref="AutogradException">The two are not vectors of one length and type.</exception>
    public Tensor Dot(Tensor tensor) => LinearAlgebra.Dot.Apply([this, tensor], Attributes.None)[0];

    /// <summary>The matrix [n, m] of all products of the elements of two vectors, [n] and [m].</summary>
    /// <exception cref="AutogradException">One of the two is no vector.</exception>
    public Tensor Outer(Tensor vec2)
    {
        ArgumentNullException.ThrowIfNull(vec2);
        if (Rank != 1 || vec2.Rank != 1)
            throw new AutogradException(ErrorKind.Shape, $"outer: Expected 1-D argument {(Rank != 1 ? "self" : "vec2")}, but got {(Rank != 1 ? Rank : vec2.Rank)}-D");
        return View([Sizes[0], 1]) * vec2;
    }

    /// <summary>PyTorch's <c>matmul</c>: vectors, matrices and stacks of matrices, whose leading dimensions broadcast.</summary>
    /// <param name="other">A vector, a matrix [m, p] or a stack [.., m, p]; beside a vector its dimension is added, and dropped from the result.</param>
    /// <exception cref="AutogradException">One of the two has no dimension, the inner sizes differ, the leading ones do not broadcast, or the types differ.</exception>
    public Tensor Matmul(Tensor other) => LinearAlgebra.Matmul.Apply([this, other]);

    internal Tensor MatmulOf(Tensor other)
    {
        if (Rank == 0 || other.Rank == 0)
            throw new AutogradException(ErrorKind.Shape, $"both arguments to matmul need to be at least 1D, but they are {Rank}D and {other.Rank}D");
        switch (Rank, other.Rank)
        {
            case (1, 1): return Dot(other);
            case (2, 1): return Mv(other);
            case (1, 2): return Unsqueeze(0).Mm(other).SqueezeInPlace(0);
            case (2, 2): return Mm(other);
        }
        if (Folds(other)) return Folded(other);
        // One matrix that needs a gradient is folded too, since its gradient is one sum of products then.
        if (Rank == 3 && other.Rank == 3 && Sizes[0] != other.Sizes[0])
        {
            if (Sizes[0] == 1 && RequiresGrad) return Squeeze(0).Matmul(other);
            if (other.Sizes[0] == 1 && other.RequiresGrad) return Matmul(other.Squeeze(0));
        }
        return Stacked(other);
    }

    /// <summary>
    /// Whether a stack of matrices times one matrix or vector is folded to a single product, by PyTorch's choice (aten/src/ATen/native/LinearAlgebra.cpp, should_fold), which decides
    /// whether the product keeps a view of the user's tensor or a copy.
    /// </summary>
    private bool Folds(Tensor other)
    {
        var larger = Rank >= other.Rank;
        var (stack, single) = larger ? (this, other) : (other, this);
        if (stack.Rank < 3 || single.Rank > 2) return false;
        if (single.RequiresGrad) return true;
        if (Rank == 2) return false;
        if (stack.Count == 0) return true;
        var rows = larger ? stack : stack.Detach().Transpose(-1, -2);
        for (var d = 0; d < rows.Rank - 2; d++)
        {
            if (rows.Strides[d] != rows.Strides[d + 1] * rows.Sizes[d + 1]) return false;
        }
        return true;
    }

    /// <summary>A stack times one matrix or vector as one large product; one matrix or vector times a stack as the transposed stack times it.</summary>
    private Tensor Folded(Tensor other)
    {
        var larger = Rank >= other.Rank;
        var stack = larger ? this : other.Transpose(-1, -2);
        var single = larger ? other : Rank == 2 ? T() : this;
        int[] outer = stack.Sizes[..^1];
        var folded = stack.Reshape([Shapes.Count(outer), stack.Sizes[^1]]);
        if (single.Rank == 1) return folded.Mv(single).UnsafeView(outer);
        var product = folded.Mm(single).UnsafeView([.. outer, single.Sizes[1]]);
        return larger ? product : product.Transpose(-1, -2).Contiguous();
    }

    private Tensor Stacked(Tensor other)
    {
        var batch = Shapes.Broadcast(Rank > 1 ? Sizes[..^2] : [], other.Rank > 1 ? other.Sizes[..^2] : []);
        int n = Rank > 1 ? Sizes[^2] : 1, k = Sizes[^1], m = other.Rank > 1 ? other.Sizes[^1] : 1, rows = other.Rank > 1 ? other.Sizes[^2] : other.Sizes[0];
        var count = Shapes.Count(batch);
        var a = Expand([.. batch, n, k]).Reshape([count, n, k]);
        var b = other.Rank > 1 ? other.Expand([.. batch, rows, m]).Reshape([count, rows, m]) : other.Expand([.. batch, rows]).Reshape([count, rows]).Unsqueeze(2);
        var product = a.Bmm(b);
        if (other.Rank == 1) product = product.Squeeze(-1);
        return product.UnsafeView([.. batch, .. Rank > 1 ? (int[])[n] : [], .. other.Rank > 1 ? (int[])[m] : []]);
    }
}
