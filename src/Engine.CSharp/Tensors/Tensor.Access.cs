using System.Runtime.InteropServices;

namespace Verified.Engine;

public sealed partial class Tensor
{
    /// <summary>The single element of a tensor of one element, as a double.</summary>
    /// <exception cref="AutogradException">There are more elements, or none.</exception>
    public double Item()
    {
        if (Count != 1) throw new AutogradException(ErrorKind.Shape, $"a Tensor with {Count} elements cannot be converted to Scalar");
        Calls.TellOfReading(this);
        var value = dtype switch
        {
            DType.Float32 => Origin<float>(),
            DType.Float64 => Origin<double>(),
            DType.Int64 => Origin<long>(),
            _ => Origin<bool>() ? 1 : 0,
        };
        GC.KeepAlive(this);
        return value;
    }

    /// <summary>The elements in row-major order, converted to doubles.</summary>
    public double[] ToDoubles() => Elements<double>(DType.Float64);

    /// <summary>The elements in row-major order, converted to float32.</summary>
    public float[] ToFloats() => Elements<float>(DType.Float32);

    /// <summary>The elements in row-major order, converted to integers.</summary>
    public long[] ToLongs() => Elements<long>(DType.Int64);

    /// <summary>The elements in row-major order, true where they are not zero.</summary>
    public bool[] ToBools() => Elements<bool>(DType.Bool);

    private T[] Elements<T>(DType type)
        where T : unmanaged
    {
        Calls.TellOfReading(this);
        var packed = Empty(Sizes, type);
        Copying.Copy(this, packed);
        var result = new T[packed.Count];
        if (result.Length > 0) MemoryMarshal.CreateReadOnlySpan(ref packed.Origin<T>(), result.Length).CopyTo(result);
        GC.KeepAlive(packed);
        return result;
    }
}
