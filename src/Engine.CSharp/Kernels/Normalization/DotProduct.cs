using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>Inner products of consecutive elements, in leaves like a <see cref="Sequence{TOp, T}"/>.</summary>
internal static unsafe class DotProduct
{
    [SkipLocalsInit]
    public static T Of<T>(T* x, T* y, long n)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        var products = stackalloc T[1024];
        var sequence = new Sequence<Reduce.Sum<T>, T>(default);
        for (long at = 0; at < n; at += 1024)
        {
            var take = (int)Math.Min(1024, n - at);
            Dense.Binary(default(Op.Mul<T>), x + at, false, y + at, false, products, take);
            sequence.Add(products, take, default);
        }
        return sequence.Result();
    }
}
