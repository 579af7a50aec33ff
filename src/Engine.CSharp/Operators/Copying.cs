using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Copies between tensors of any strides and types. Nothing here is recorded.</summary>
internal static class Copying
{
    /// <summary>Copies a tensor, repeated where it broadcasts and converted, over another of the broadcast shape.</summary>
    public static void Copy(Tensor from, Tensor to)
    {
        if (to.Count == 0) return;
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

    /// <summary>The tensor itself if its elements lie in row-major order without gaps, else such a copy off the tape.</summary>
    public static Tensor Packed(Tensor x)
    {
        if (x.IsContiguous) return x;
        var copy = Tensor.Empty(x.Sizes, x.DType);
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

    /// <summary>What a write reads as it was before: a copy where it shares memory with what is written and lies there otherwise, since a write reads as it goes.</summary>
    public static Tensor Before(Tensor read, Tensor written) =>
        !read.SharesMemoryWith(written) || Overlap.IsInTheSamePlace(read, written) ? read : Duplicate(read);

    private static void From<T>(Tensor from, Tensor to)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        var steps = Shapes.ExpandStrides(from.Sizes, from.Steps, to.Sizes);
        ref var source = ref from.Origin<T>();
        if (from.DType == to.DType)
        {
            Conversion.Copy(to.Sizes, ref source, steps, ref to.Origin<T>(), to.Steps);
            return;
        }
        switch (to.DType)
        {
            case DType.Float32: Conversion.Convert(to.Sizes, ref source, steps, ref to.Origin<float>(), to.Steps); break;
            case DType.Float64: Conversion.Convert(to.Sizes, ref source, steps, ref to.Origin<double>(), to.Steps); break;
            case DType.Int64: Conversion.Convert(to.Sizes, ref source, steps, ref to.Origin<long>(), to.Steps); break;
            default: Conversion.Convert(to.Sizes, ref source, steps, ref to.Origin<byte>(), to.Steps); break;
        }
    }
}
