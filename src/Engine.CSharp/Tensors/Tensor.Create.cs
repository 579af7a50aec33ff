using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Verified.Engine;

public sealed partial class Tensor
{
    /// <summary>F#'s generic zero: a float32 scalar that is added without changing the other's shape.</summary>
    public static Tensor Zero => Scalar(0.0);

    /// <summary>A float32 tensor of the given elements, in row-major order.</summary>
    /// <param name="data">As many elements as the shape says; they are copied.</param>
    /// <param name="shape">The sizes; left out, the tensor has one dimension.</param>
    /// <param name="requiresGrad">Whether gradients are collected for it.</param>
    public static Tensor Create(ReadOnlySpan<float> data, ReadOnlySpan<int> shape, bool requiresGrad = false) => From(data, shape, DType.Float32, requiresGrad);

    /// <inheritdoc cref="Create(ReadOnlySpan{float}, ReadOnlySpan{int}, bool)"/>
    [OverloadResolutionPriority(1)]
    public static Tensor Create(float[] data, int[]? shape = null, bool requiresGrad = false) => From(data, shape, DType.Float32, requiresGrad);

    /// <summary>A float64 tensor of the given elements, in row-major order.</summary>
    /// <inheritdoc cref="Create(ReadOnlySpan{float}, ReadOnlySpan{int}, bool)"/>
    public static Tensor Create(ReadOnlySpan<double> data, ReadOnlySpan<int> shape, bool requiresGrad = false) => From(data, shape, DType.Float64, requiresGrad);

    /// <inheritdoc cref="Create(ReadOnlySpan{double}, ReadOnlySpan{int}, bool)"/>
    [OverloadResolutionPriority(1)]
    public static Tensor Create(double[] data, int[]? shape = null, bool requiresGrad = false) => From(data, shape, DType.Float64, requiresGrad);

    /// <summary>An int64 tensor of the given elements, in row-major order.</summary>
    /// <inheritdoc cref="Create(ReadOnlySpan{float}, ReadOnlySpan{int}, bool)"/>
    public static Tensor Create(ReadOnlySpan<long> data, ReadOnlySpan<int> shape) => From(data, shape, DType.Int64, false);

    /// <inheritdoc cref="Create(ReadOnlySpan{long}, ReadOnlySpan{int})"/>
    [OverloadResolutionPriority(1)]
    public static Tensor Create(long[] data, int[]? shape = null) => From(data, shape, DType.Int64, false);

    /// <summary>A bool tensor of the given elements, in row-major order.</summary>
    /// <inheritdoc cref="Create(ReadOnlySpan{float}, ReadOnlySpan{int}, bool)"/>
    public static Tensor Create(ReadOnlySpan<bool> data, ReadOnlySpan<int> shape) => From(data, shape, DType.Bool, false);

    /// <inheritdoc cref="Create(ReadOnlySpan{bool}, ReadOnlySpan{int})"/>
    [OverloadResolutionPriority(1)]
    public static Tensor Create(bool[] data, int[]? shape = null) => From(data, shape, DType.Bool, false);

    /// <summary>A 0-dim tensor of one number.</summary>
    public static Tensor Scalar(double value, DType dtype = DType.Float32, bool requiresGrad = false) => Full([], value, dtype, requiresGrad);

    /// <summary>A tensor of zeros.</summary>
    /// <param name="shape">The sizes; none for a scalar.</param>
    /// <param name="dtype">The type of the elements.</param>
    /// <param name="requiresGrad">Whether gradients are collected for it.</param>
    /// <exception cref="AutogradException">A size is negative, or gradients are asked for of a type that has none.</exception>
    public static Tensor Zeros(int[] shape, DType dtype = DType.Float32, bool requiresGrad = false)
    {
        ArgumentNullException.ThrowIfNull(shape);
        CheckShape(shape);
        var sizes = (int[])shape.Clone();
        return new Tensor(Storage.CreateZeroed((long)Shapes.Count(sizes) * dtype.Size()), dtype, sizes, Shapes.ContiguousStrides(sizes), 0)
            .AsLeaf(requiresGrad);
    }

    /// <summary>A tensor of ones.</summary>
    /// <inheritdoc cref="Zeros"/>
    public static Tensor Ones(int[] shape, DType dtype = DType.Float32, bool requiresGrad = false) => Full(shape, 1, dtype, requiresGrad);

    /// <summary>A tensor whose elements are all <paramref name="value"/>, rounded to the dtype.</summary>
    /// <inheritdoc cref="Zeros"/>
    public static Tensor Full(int[] shape, double value, DType dtype = DType.Float32, bool requiresGrad = false)
    {
        ArgumentNullException.ThrowIfNull(shape);
        CheckShape(shape);
        var result = Empty((int[])shape.Clone(), dtype);
        Fill.With(result, value);
        return result.AsLeaf(requiresGrad);
    }

    /// <summary>The numbers 0, 1, ..., <paramref name="count"/> - 1 as an int64 tensor.</summary>
    /// <exception cref="AutogradException">The number is negative.</exception>
    public static Tensor Arange(int count)
    {
        if (count < 0) throw new AutogradException(ErrorKind.Value, $"a number of elements cannot be negative, but is {count}");
        var data = new long[count];
        for (var i = 0; i < count; i++) data[i] = i;
        return Create(data);
    }

    /// <summary>A number as an operand: float64, int64 or bool, yielding to every tensor of its kind.</summary>
    internal static Tensor Number(double value)
    {
        var t = new Tensor(Storage.Create(sizeof(double)), DType.Float64, Shapes.Scalar, Shapes.Scalar, 0) { IsWrappedNumber = true, IsDerivedNumber = GradMode.IsDeriving, IsInference = false };
        t.Origin<double>() = value;
        return t;
    }

    /// <inheritdoc cref="Number(double)"/>
    internal static Tensor Number(long value)
    {
        var t = new Tensor(Storage.Create(sizeof(long)), DType.Int64, Shapes.Scalar, Shapes.Scalar, 0) { IsWrappedNumber = true, IsDerivedNumber = GradMode.IsDeriving, IsInference = false };
        t.Origin<long>() = value;
        return t;
    }

    /// <inheritdoc cref="Number(double)"/>
    internal static Tensor Number(bool value)
    {
        var t = new Tensor(Storage.Create(sizeof(bool)), DType.Bool, Shapes.Scalar, Shapes.Scalar, 0) { IsWrappedNumber = true, IsDerivedNumber = GradMode.IsDeriving, IsInference = false };
        t.Origin<bool>() = value;
        return t;
    }

    /// <summary>A number as the attribute that it stands for.</summary>
    internal object AsAttribute() => DType switch { DType.Int64 => Origin<long>(), DType.Bool => Origin<bool>(), _ => Origin<double>() };

    /// <summary>A number as a tensor of the type that it takes on beside these operands.</summary>
    internal static Tensor StandIn(Tensor number, Tensor?[] operands)
    {
        var type = DTypes.Promote(number, Array.Find(operands, t => t is { IsWrappedNumber: false }) ?? number);
        return number.DType == DType.Int64 && type == DType.Int64 ? Create([number.Origin<long>()], []) : Scalar(number.Item(), type);
    }

    private static Tensor From<T>(T[] data, int[]? shape, DType dtype, bool requiresGrad)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(data);
        return From<T>(data.AsSpan(), shape ?? [data.Length], dtype, requiresGrad);
    }

    private static Tensor From<T>(ReadOnlySpan<T> data, ReadOnlySpan<int> shape, DType dtype, bool requiresGrad)
        where T : unmanaged
    {
        CheckShape(shape);
        if (Shapes.Count(shape) != data.Length)
            throw new AutogradException(ErrorKind.Shape, $"shape '{Shapes.Text(shape)}' is invalid for input of size {data.Length}");
        var result = Empty(shape.ToArray(), dtype);
        if (data.Length > 0) data.CopyTo(MemoryMarshal.CreateSpan(ref result.Origin<T>(), data.Length));
        GC.KeepAlive(result);
        return result.AsLeaf(requiresGrad);
    }

    private static void CheckShape(ReadOnlySpan<int> shape)
    {
        foreach (var size in shape)
            if (size < 0) throw new AutogradException(ErrorKind.Shape, $"Trying to create tensor with negative dimension {size}: {Shapes.Text(shape)}");
    }

    private Tensor AsLeaf(bool requiresGrad)
    {
        if (!requiresGrad) return this;
        if (!dtype.IsFloat())
            throw new AutogradException(ErrorKind.RequiresGradDtype, "Only Tensors of floating point and complex dtype can require gradients");
        leafRequiresGrad = true;
        return this;
    }
}
