namespace Verified.Engine;

/// <summary>The scalar functions behind the pointwise operators.</summary>
internal static class Functions
{
    internal struct Add : IBinaryFunction
    {
        public static T Invoke<T>(T a, T b)
            where T : unmanaged, System.Numerics.INumber<T> => a + b;
    }

    internal struct Subtract : IBinaryFunction
    {
        public static T Invoke<T>(T a, T b)
            where T : unmanaged, System.Numerics.INumber<T> => a - b;
    }

    internal struct Multiply : IBinaryFunction
    {
        public static T Invoke<T>(T a, T b)
            where T : unmanaged, System.Numerics.INumber<T> => a * b;
    }

    internal struct Divide : IBinaryFunction
    {
        public static T Invoke<T>(T a, T b)
            where T : unmanaged, System.Numerics.INumber<T> => a / b;
    }

    internal struct Negate : IUnaryFunction
    {
        public static T Invoke<T>(T x)
            where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => -x;
    }

    internal struct Exp : IUnaryFunction
    {
        public static T Invoke<T>(T x)
            where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => T.Exp(x);
    }

    internal struct Sigmoid : IUnaryFunction
    {
        public static T Invoke<T>(T x)
            where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => T.One / (T.One + T.Exp(-x));
    }

    internal struct Relu : IUnaryFunction
    {
        public static T Invoke<T>(T x)
            where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => x < T.Zero ? T.Zero : x;
    }

    /// <summary>The first where the second is positive or NaN, else zero.</summary>
    internal struct WherePositive : IBinaryFunction
    {
        public static T Invoke<T>(T a, T b)
            where T : unmanaged, System.Numerics.INumber<T> => b <= T.Zero ? T.Zero : a;
    }
}
