using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Verified.Engine.Kernels;

/// <summary>512 bits of lanes.</summary>
internal readonly unsafe struct V512<T>(Vector512<T> value) : ISimd<V512<T>, T>
    where T : unmanaged
{
    private readonly Vector512<T> v = value;

    /// <summary>The register itself.</summary>
    public Vector512<T> Value
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => v;
    }

    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512<T>.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> operator +(V512<T> a, V512<T> b) => new(a.v + b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> operator -(V512<T> a, V512<T> b) => new(a.v - b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> operator *(V512<T> a, V512<T> b) => new(a.v * b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> operator /(V512<T> a, V512<T> b) => new(a.v / b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> operator -(V512<T> a) => new(-a.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> operator &(V512<T> a, V512<T> b) => new(a.v & b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> operator |(V512<T> a, V512<T> b) => new(a.v | b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> operator ^(V512<T> a, V512<T> b) => new(a.v ^ b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> operator ~(V512<T> a) => new(~a.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Create(T value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Load(T* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(V512<T> a, T* destination) => a.v.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMask(V512<T> mask, byte* destination) => Masks.Store(Vector512.ExtractMostSignificantBits(mask.v), Count, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Any(V512<T> mask) => Vector512.ExtractMostSignificantBits(mask.v) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Lane(V512<T> a, int index) => a.v.GetElement(index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Fma(V512<T> a, V512<T> b, V512<T> c) =>
        typeof(T) == typeof(double)
            ? new(Vector512.FusedMultiplyAdd(a.v.AsDouble(), b.v.AsDouble(), c.v.AsDouble()).As<double, T>())
            : new(Vector512.FusedMultiplyAdd(a.v.AsSingle(), b.v.AsSingle(), c.v.AsSingle()).As<float, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Next(V512<T> p, V512<T> x, T c) =>
        typeof(T) == typeof(double)
            ? new(Vector512.FusedMultiplyAdd(p.v.AsDouble(), x.v.AsDouble(), Vector512.Create(c).AsDouble()).As<double, T>())
            : new(Vector512.FusedMultiplyAdd(p.v.AsSingle(), x.v.AsSingle(), Vector512.Create(c).AsSingle()).As<float, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Sqrt(V512<T> a) => new(Vector512.Sqrt(a.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Abs(V512<T> a) => new(Vector512.Abs(a.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Floor(V512<T> a) =>
        typeof(T) == typeof(double) ? new(Vector512.Floor(a.v.AsDouble()).As<double, T>())
        : typeof(T) == typeof(float) ? new(Vector512.Floor(a.v.AsSingle()).As<float, T>())
        : a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Round(V512<T> a) =>
        typeof(T) == typeof(double) ? new(Vector512.Round(a.v.AsDouble()).As<double, T>())
        : typeof(T) == typeof(float) ? new(Vector512.Round(a.v.AsSingle()).As<float, T>())
        : a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Min(V512<T> a, V512<T> b) => new(Vector512.Min(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Max(V512<T> a, V512<T> b) => new(Vector512.Max(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Equal(V512<T> a, V512<T> b) => new(Vector512.Equals(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Less(V512<T> a, V512<T> b) => new(Vector512.LessThan(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> LessOrEqual(V512<T> a, V512<T> b) => new(Vector512.LessThanOrEqual(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Select(V512<T> mask, V512<T> a, V512<T> b) => new(Vector512.ConditionalSelect(mask.v, a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> ShiftLeft(V512<T> a, int bits) =>
        sizeof(T) == 8 ? new((a.v.AsInt64() << bits).As<long, T>()) : new((a.v.AsInt32() << bits).As<int, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> ShiftRight(V512<T> a, int bits) =>
        sizeof(T) == 8 ? new((a.v.AsInt64() >>> bits).As<long, T>()) : new((a.v.AsInt32() >>> bits).As<int, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> AddBits(V512<T> a, V512<T> b) =>
        sizeof(T) == 8 ? new((a.v.AsInt64() + b.v.AsInt64()).As<long, T>()) : new((a.v.AsInt32() + b.v.AsInt32()).As<int, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> SubtractBits(V512<T> a, V512<T> b) =>
        sizeof(T) == 8 ? new((a.v.AsInt64() - b.v.AsInt64()).As<long, T>()) : new((a.v.AsInt32() - b.v.AsInt32()).As<int, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Wide<F>(F f, V512<T> x)
        where F : struct, IWide1
    {
        if (typeof(T) == typeof(double)) return new(f.Invoke<V512<double>, ForDouble>(new(x.v.AsDouble())).v.As<double, T>());
        var (low, high) = Vector512.Widen(x.v.AsSingle());
        var first = f.Invoke<V512<double>, ForFloat>(new(low));
        var second = f.Invoke<V512<double>, ForFloat>(new(high));
        return new(Vector512.Narrow(first.v, second.v).As<float, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Wide<F>(F f, V512<T> x, V512<T> y)
        where F : struct, IWide2
    {
        if (typeof(T) == typeof(double))
            return new(f.Invoke<V512<double>, ForDouble>(new(x.v.AsDouble()), new(y.v.AsDouble())).v.As<double, T>());
        var (lowX, highX) = Vector512.Widen(x.v.AsSingle());
        var (lowY, highY) = Vector512.Widen(y.v.AsSingle());
        var first = f.Invoke<V512<double>, ForFloat>(new(lowX), new(lowY));
        var second = f.Invoke<V512<double>, ForFloat>(new(highX), new(highY));
        return new(Vector512.Narrow(first.v, second.v).As<float, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Wide<F>(F f, V512<T> x, V512<T> y, V512<T> z)
        where F : struct, IWide3
    {
        if (typeof(T) == typeof(double))
            return new(f.Invoke<V512<double>, ForDouble>(new(x.v.AsDouble()), new(y.v.AsDouble()), new(z.v.AsDouble())).v.As<double, T>());
        var (lowX, highX) = Vector512.Widen(x.v.AsSingle());
        var (lowY, highY) = Vector512.Widen(y.v.AsSingle());
        var (lowZ, highZ) = Vector512.Widen(z.v.AsSingle());
        var first = f.Invoke<V512<double>, ForFloat>(new(lowX), new(lowY), new(lowZ));
        var second = f.Invoke<V512<double>, ForFloat>(new(highX), new(highY), new(highZ));
        return new(Vector512.Narrow(first.v, second.v).As<float, T>());
    }
}
