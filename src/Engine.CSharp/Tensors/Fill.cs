using System.Numerics;
using System.Runtime.CompilerServices;

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
        where T : unmanaged, INumber<T>
    {
        ref var target = ref tensor.Origin<T>();
        var rows = new Rows(tensor.Sizes, tensor.Steps, tensor.Steps);
        while (rows.Next())
            for (var i = 0; i < rows.Length; i++) Unsafe.Add(ref target, rows.Offset1 + (i * rows.Step1)) = value;
    }
}
