using System.Numerics;

namespace Verified.Engine.Kernels;

/// <summary>The ends of a type's range: infinities for floats.</summary>
internal static class Limits
{
    public static T Least<T>()
        where T : INumber<T> => typeof(T) == typeof(long) ? T.CreateTruncating(long.MinValue) : T.CreateSaturating(double.NegativeInfinity);

    public static T Greatest<T>()
        where T : INumber<T> => typeof(T) == typeof(long) ? T.CreateTruncating(long.MaxValue) : T.CreateSaturating(double.PositiveInfinity);
}
