using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Runs reduction kernels over tensors. Nothing here is recorded.</summary>
internal static class Reducing
{
    /// <summary>Reduces a floating-point tensor over the marked dimensions.</summary>
    public static Tensor Run<TSingle, TDouble>(Tensor x, bool[] reduced, bool keepdim, TSingle single, TDouble @double)
        where TSingle : struct, IReduction<float>
        where TDouble : struct, IReduction<double>
    {
        var result = Tensor.Empty(Shapes.Reduced(x.Sizes, reduced, keepdim), x.DType);
        if (x.DType == DType.Float32) Reduction.Run(single, x.Sizes, ref x.Origin<float>(), x.Steps, reduced, ref result.Origin<float>());
        else Reduction.Run(@double, x.Sizes, ref x.Origin<double>(), x.Steps, reduced, ref result.Origin<double>());
        GC.KeepAlive(x);
        GC.KeepAlive(result);
        return result;
    }

    /// <summary>Reduces a tensor of any numbers over the marked dimensions; truth values as integers.</summary>
    public static Tensor Run<TSingle, TDouble, TLong>(Tensor x, bool[] reduced, bool keepdim, TSingle single, TDouble @double, TLong @long)
        where TSingle : struct, IReduction<float>
        where TDouble : struct, IReduction<double>
        where TLong : struct, IReduction<long>
    {
        if (x.DType.IsFloat()) return Run(x, reduced, keepdim, single, @double);
        x = Copying.Cast(x, DType.Int64);
        var result = Tensor.Empty(Shapes.Reduced(x.Sizes, reduced, keepdim), DType.Int64);
        Reduction.Run(@long, x.Sizes, ref x.Origin<long>(), x.Steps, reduced, ref result.Origin<long>());
        GC.KeepAlive(x);
        GC.KeepAlive(result);
        return result;
    }

    /// <summary>How many elements each result is made of.</summary>
    public static int Count(int[] shape, bool[] reduced)
    {
        var count = 1;
        for (var i = 0; i < shape.Length; i++)
            if (reduced[i]) count *= shape[i];
        return count;
    }
}
