using System.Numerics;
using System.Runtime.CompilerServices;

namespace Verified.Engine;

/// <summary>Elementary functions by the runtime's scalar ones.</summary>
internal static class Functions
{
    public static Tensor Exp(Tensor x, Tensor? into) => Map(x, into, new ExpFunction());

    public static Tensor Sigmoid(Tensor x, Tensor? into) => Map(x, into, new SigmoidFunction());

    private static Tensor Map<TFunction>(Tensor x, Tensor? into, TFunction function)
        where TFunction : struct, IFunction
    {
        var dtype = x.DType.IsFloat() ? x.DType : DType.Float32;
        if (into is not null) InPlaceChecks.DType(into, dtype);
        var packed = Tensor.Empty(x.Sizes, dtype);
        Copying.Copy(x, packed);
        for (var i = 0; i < packed.Count; i++)
        {
            if (dtype == DType.Float32) Apply(ref Unsafe.Add(ref packed.Origin<float>(), i), function);
            else Apply(ref Unsafe.Add(ref packed.Origin<double>(), i), function);
        }
        if (into is null) return packed;
        Copying.Copy(packed, into);
        return into;
    }

    private static void Apply<T, TFunction>(ref T x, TFunction function)
        where T : IFloatingPointIeee754<T>
        where TFunction : struct, IFunction => x = function.Invoke(x);

    private interface IFunction
    {
        T Invoke<T>(T x)
            where T : IFloatingPointIeee754<T>;
    }

    private struct ExpFunction : IFunction
    {
        public readonly T Invoke<T>(T x)
            where T : IFloatingPointIeee754<T> => T.Exp(x);
    }

    private struct SigmoidFunction : IFunction
    {
        public readonly T Invoke<T>(T x)
            where T : IFloatingPointIeee754<T> => T.One / (T.One + T.Exp(-x));
    }
}
