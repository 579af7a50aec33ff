using System.Numerics;
using System.Runtime.CompilerServices;

namespace Verified.Engine;

/// <summary>A function of one floating-point number.</summary>
internal interface IUnaryFunction
{
    static abstract T Invoke<T>(T x)
        where T : unmanaged, IFloatingPointIeee754<T>;
}

/// <summary>A function of two numbers of one type.</summary>
internal interface IBinaryFunction
{
    static abstract T Invoke<T>(T a, T b)
        where T : unmanaged, INumber<T>;
}

/// <summary>Runs pointwise functions over tensors: promotion, broadcasting, the destination's type, and the choice of the loop. Nothing here is recorded.</summary>
internal static class Elementwise
{
    /// <summary>A function of one tensor; integers become float32.</summary>
    public static Tensor Unary<TFunction>(Tensor x, Tensor? into)
        where TFunction : struct, IUnaryFunction
    {
        var dtype = x.DType.IsFloat() ? x.DType : DType.Float32;
        var result = Destination(x, dtype, into, x.Sizes);
        x = Copying.Cast(x, dtype);
        if (dtype == DType.Float32) Map<float, TFunction>(x, result);
        else Map<double, TFunction>(x, result);
        return Deliver(result, into);
    }

    /// <summary>A function of two tensors that broadcast, in their promoted type; <paramref name="toFloat"/> lifts integers to float32 first, as division does.</summary>
    public static Tensor Binary<TFunction>(Tensor a, Tensor b, Tensor? into, bool toFloat = false)
        where TFunction : struct, IBinaryFunction
    {
        if (into is null && a.DType == DType.Float32 && b.DType == DType.Float32 && Shapes.Same(a.Sizes, b.Sizes) && a.IsContiguous && b.IsContiguous)
        {
            var fast = Tensor.Empty(a.Sizes, DType.Float32);
            Flat<float, TFunction>(a, b, fast);
            return fast;
        }
        var dtype = DTypes.Promote(a, b);
        if (toFloat && !dtype.IsFloat()) dtype = DType.Float32;
        var sizes = Shapes.Broadcast(a.Sizes, b.Sizes);
        var like = Shapes.Same(a.Sizes, sizes) && !a.IsWrappedNumber ? a : Shapes.Same(b.Sizes, sizes) ? b : null;
        var result = Destination(like, dtype, into, sizes);
        a = Copying.Cast(a, dtype);
        b = Copying.Cast(b, dtype);
        switch (dtype)
        {
            case DType.Float32: Map<float, TFunction>(a, b, result); break;
            case DType.Float64: Map<double, TFunction>(a, b, result); break;
            case DType.Int64: Map<long, TFunction>(a, b, result); break;
            default: throw new AutogradException(ErrorKind.Dtype, $"this pointwise function is not defined for {dtype.Name()} operands");
        }
        return Deliver(result, into);
    }

    /// <summary>Adds a tensor of the same shape and type into another.</summary>
    public static void AddInto(Tensor sum, Tensor term)
    {
        if (sum.DType == DType.Float32) Map<float, AddFunction>(sum, term, sum);
        else Map<double, AddFunction>(sum, term, sum);
    }

    private static Tensor Destination(Tensor? like, DType dtype, Tensor? into, int[] sizes)
    {
        if (into is null) return like is null ? Tensor.Empty(sizes, dtype) : Tensor.EmptyLike(like, dtype);
        InPlaceChecks.DType(into, dtype);
        return into.DType == dtype ? into : Tensor.Empty(sizes, dtype);
    }

    private static Tensor Deliver(Tensor result, Tensor? into)
    {
        if (into is null || ReferenceEquals(result, into)) return result;
        Copying.Copy(result, into);
        return into;
    }

    private static void Map<T, TFunction>(Tensor x, Tensor y)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IUnaryFunction
    {
        ref var px = ref x.Origin<T>();
        ref var py = ref y.Origin<T>();
        var rows = new Rows(y.Sizes, x.Steps, y.Steps);
        while (rows.Next())
        {
            for (var i = 0; i < rows.Length; i++)
                Unsafe.Add(ref py, rows.Offset1 + (i * rows.Step1)) = TFunction.Invoke(Unsafe.Add(ref px, rows.Offset0 + (i * rows.Step0)));
        }
        GC.KeepAlive(x);
        GC.KeepAlive(y);
    }

    private static void Flat<T, TFunction>(Tensor a, Tensor b, Tensor y)
        where T : unmanaged, INumber<T>
        where TFunction : struct, IBinaryFunction
    {
        ref var pa = ref a.Origin<T>();
        ref var pb = ref b.Origin<T>();
        ref var py = ref y.Origin<T>();
        var n = y.Count;
        for (var i = 0; i < n; i++) Unsafe.Add(ref py, i) = TFunction.Invoke(Unsafe.Add(ref pa, i), Unsafe.Add(ref pb, i));
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(y);
    }

    private static void Map<T, TFunction>(Tensor a, Tensor b, Tensor y)
        where T : unmanaged, INumber<T>
        where TFunction : struct, IBinaryFunction
    {
        ref var pa = ref a.Origin<T>();
        ref var pb = ref b.Origin<T>();
        ref var py = ref y.Origin<T>();
        var rows = new Rows(
            y.Sizes, Shapes.ExpandStrides(a.Sizes, a.Steps, y.Sizes), y.Steps, Shapes.ExpandStrides(b.Sizes, b.Steps, y.Sizes));
        while (rows.Next())
        {
            for (var i = 0; i < rows.Length; i++)
            {
                Unsafe.Add(ref py, rows.Offset1 + (i * rows.Step1)) =
                    TFunction.Invoke(Unsafe.Add(ref pa, rows.Offset0 + (i * rows.Step0)), Unsafe.Add(ref pb, rows.Offset2 + (i * rows.Step2)));
            }
        }
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(y);
    }

    private struct AddFunction : IBinaryFunction
    {
        public static T Invoke<T>(T a, T b)
            where T : unmanaged, INumber<T> => a + b;
    }
}
