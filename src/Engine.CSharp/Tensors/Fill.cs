using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Writes one value everywhere. Nothing here is recorded.</summary>
internal static class Fill
{
    public static void With(Tensor tensor, double value)
    {
        switch (tensor.DType)
        {
            case DType.Float32: Run(tensor, (float)value); break;
            case DType.Float64: Run(tensor, value); break;
            case DType.Int64: Run(tensor, (long)value); break;
            default: Run(tensor, value != 0 ? (byte)1 : (byte)0); break;
        }
        GC.KeepAlive(tensor);
    }

    private static void Run<T>(Tensor tensor, T value)
        where T : unmanaged
    {
        if (tensor.Sizes.Length == 0) tensor.Origin<T>() = value;
        else Conversion.Fill(tensor.Sizes, value, ref tensor.Origin<T>(), tensor.Steps);
    }
}
