using System.Numerics;
using System.Runtime.CompilerServices;

namespace Verified.Engine;

/// <summary>Copies between tensors of any strides and types. Nothing here is recorded.</summary>
internal static class Copying
{
    /// <summary>Copies a tensor, repeated where it broadcasts and converted, over another of the broadcast shape.</summary>
    public static void Copy(Tensor from, Tensor to)
    {
        switch (from.DType)
        {
            case DType.Float32: From<float>(from, to); break;
            case DType.Float64: From<double>(from, to); break;
            case DType.Int64: From<long>(from, to); break;
            default: From<byte>(from, to); break;
        }
        GC.KeepAlive(from);
        GC.KeepAlive(to);
    }

    /// <summary>The tensor itself if it has the type, else a converted copy off the tape.</summary>
    public static Tensor Cast(Tensor x, DType dtype)
    {
        if (x.DType == dtype) return x;
        var copy = Tensor.EmptyLike(x, dtype);
        Copy(x, copy);
        return copy;
    }

    /// <summary>A copy off the tape.</summary>
    public static Tensor Duplicate(Tensor x)
    {
        var copy = Tensor.EmptyLike(x, x.DType);
        Copy(x, copy);
        return copy;
    }

    private static void From<T>(Tensor from, Tensor to)
        where T : unmanaged, INumber<T>
    {
        switch (to.DType)
        {
            case DType.Float32: Run<T, float>(from, to); break;
            case DType.Float64: Run<T, double>(from, to); break;
            case DType.Int64: Run<T, long>(from, to); break;
            default: Run<T, byte>(from, to); break;
        }
    }

    private static void Run<TFrom, TTo>(Tensor from, Tensor to)
        where TFrom : unmanaged, INumber<TFrom>
        where TTo : unmanaged, INumber<TTo>
    {
        ref var source = ref from.Origin<TFrom>();
        ref var target = ref to.Origin<TTo>();
        var rows = new Rows(to.Sizes, Shapes.ExpandStrides(from.Sizes, from.Steps, to.Sizes), to.Steps);
        while (rows.Next())
        {
            for (var i = 0; i < rows.Length; i++)
                Unsafe.Add(ref target, rows.Offset1 + (i * rows.Step1)) = Convert<TFrom, TTo>(Unsafe.Add(ref source, rows.Offset0 + (i * rows.Step0)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TTo Convert<TFrom, TTo>(TFrom value)
        where TFrom : unmanaged, INumber<TFrom>
        where TTo : unmanaged, INumber<TTo>
    {
        if (typeof(TFrom) == typeof(TTo)) return Unsafe.As<TFrom, TTo>(ref value);
        if (typeof(TTo) == typeof(byte)) return value != TFrom.Zero ? TTo.One : TTo.Zero;
        return TTo.CreateTruncating(value);
    }
}
