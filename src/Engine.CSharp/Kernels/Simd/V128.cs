using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Verified.Engine.Kernels;

/// <summary>128 bits of lanes.</summary>
internal readonly unsafe struct V128<T>(Vector128<T> value) : ISimd<V128<T>, T>
    where T : unmanaged
{
    private readonly Vector128<T> v = value;

    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128<T>.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> operator +(V128<T> a, V128<T> b) => new(a.v + b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> operator -(V128<T> a, V128<T> b) => new(a.v - b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> operator *(V128<T> a, V128<T> b) => new(a.v * b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> operator /(V128<T> a, V128<T> b) => new(a.v / b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> operator -(V128<T> a) => new(-a.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> operator &(V128<T> a, V128<T> b) => new(a.v & b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> operator |(V128<T> a, V128<T> b) => new(a.v | b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> operator ^(V128<T> a, V128<T> b) => new(a.v ^ b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> operator ~(V128<T> a) => new(~a.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Create(T value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Load(T* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(V128<T> a, T* destination) => a.v.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMask(V128<T> mask, byte* destination) => Masks.Store(Vector128.ExtractMostSignificantBits(mask.v), Count, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Any(V128<T> mask) => Vector128.ExtractMostSignificantBits(mask.v) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Lane(V128<T> a, int index) => a.v.GetElement(index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Fma(V128<T> a, V128<T> b, V128<T> c) =>
        typeof(T) == typeof(double)
            ? new(Vector128.FusedMultiplyAdd(a.v.AsDouble(), b.v.AsDouble(), c.v.AsDouble()).As<double, T>())
            : new(Vector128.FusedMultiplyAdd(a.v.AsSingle(), b.v.AsSingle(), c.v.AsSingle()).As<float, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Next(V128<T> p, V128<T> x, T c) =>
        typeof(T) == typeof(double)
            ? new(Vector128.FusedMultiplyAdd(p.v.AsDouble(), x.v.AsDouble(), Vector128.Create(c).AsDouble()).As<double, T>())
            : new(Vector128.FusedMultiplyAdd(p.v.AsSingle(), x.v.AsSingle(), Vector128.Create(c).AsSingle()).As<float, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Sqrt(V128<T> a) => new(Vector128.Sqrt(a.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Abs(V128<T> a) => new(Vector128.Abs(a.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Floor(V128<T> a) =>
        typeof(T) == typeof(double) ? new(Vector128.Floor(a.v.AsDouble()).As<double, T>())
        : typeof(T) == typeof(float) ? new(Vector128.Floor(a.v.AsSingle()).As<float, T>())
        : a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Round(V128<T> a) =>
        typeof(T) == typeof(double) ? new(Vector128.Round(a.v.AsDouble()).As<double, T>())
        : typeof(T) == typeof(float) ? new(Vector128.Round(a.v.AsSingle()).As<float, T>())
        : a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Min(V128<T> a, V128<T> b) => new(Vector128.Min(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Max(V128<T> a, V128<T> b) => new(Vector128.Max(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Equal(V128<T> a, V128<T> b) => new(Vector128.Equals(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Less(V128<T> a, V128<T> b) => new(Vector128.LessThan(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> LessOrEqual(V128<T> a, V128<T> b) => new(Vector128.LessThanOrEqual(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Select(V128<T> mask, V128<T> a, V128<T> b) => new(Vector128.ConditionalSelect(mask.v, a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> ShiftLeft(V128<T> a, int bits) =>
        sizeof(T) == 8 ? new((a.v.AsInt64() << bits).As<long, T>()) : new((a.v.AsInt32() << bits).As<int, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> ShiftRight(V128<T> a, int bits) =>
        sizeof(T) == 8 ? new((a.v.AsInt64() >>> bits).As<long, T>()) : new((a.v.AsInt32() >>> bits).As<int, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> AddBits(V128<T> a, V128<T> b) =>
        sizeof(T) == 8 ? new((a.v.AsInt64() + b.v.AsInt64()).As<long, T>()) : new((a.v.AsInt32() + b.v.AsInt32()).As<int, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> SubtractBits(V128<T> a, V128<T> b) =>
        sizeof(T) == 8 ? new((a.v.AsInt64() - b.v.AsInt64()).As<long, T>()) : new((a.v.AsInt32() - b.v.AsInt32()).As<int, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Wide<F>(F f, V128<T> x)
        where F : struct, IWide1
    {
        if (typeof(T) == typeof(double)) return new(f.Invoke<V128<double>, ForDouble>(new(x.v.AsDouble())).v.As<double, T>());
        if (Avx.IsSupported)
            return new(Avx.ConvertToVector128Single(f.Invoke<V256<double>, ForFloat>(new(Avx.ConvertToVector256Double(x.v.AsSingle()))).Value).As<float, T>());
        var (low, high) = Vector128.Widen(x.v.AsSingle());
        var first = f.Invoke<V128<double>, ForFloat>(new(low));
        var second = f.Invoke<V128<double>, ForFloat>(new(high));
        return new(Vector128.Narrow(first.v, second.v).As<float, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Wide<F>(F f, V128<T> x, V128<T> y)
        where F : struct, IWide2
    {
        if (typeof(T) == typeof(double))
            return new(f.Invoke<V128<double>, ForDouble>(new(x.v.AsDouble()), new(y.v.AsDouble())).v.As<double, T>());
        if (Avx.IsSupported)
            return new(Avx.ConvertToVector128Single(f.Invoke<V256<double>, ForFloat>(new(Avx.ConvertToVector256Double(x.v.AsSingle())), new(Avx.ConvertToVector256Double(y.v.AsSingle()))).Value).As<float, T>());
        var (lowX, highX) = Vector128.Widen(x.v.AsSingle());
        var (lowY, highY) = Vector128.Widen(y.v.AsSingle());
        var first = f.Invoke<V128<double>, ForFloat>(new(lowX), new(lowY));
        var second = f.Invoke<V128<double>, ForFloat>(new(highX), new(highY));
        return new(Vector128.Narrow(first.v, second.v).As<float, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Wide<F>(F f, V128<T> x, V128<T> y, V128<T> z)
        where F : struct, IWide3
    {
        if (typeof(T) == typeof(double))
            return new(f.Invoke<V128<double>, ForDouble>(new(x.v.AsDouble()), new(y.v.AsDouble()), new(z.v.AsDouble())).v.As<double, T>());
        if (Avx.IsSupported)
            return new(Avx.ConvertToVector128Single(f.Invoke<V256<double>, ForFloat>(new(Avx.ConvertToVector256Double(x.v.AsSingle())), new(Avx.ConvertToVector256Double(y.v.AsSingle())), new(Avx.ConvertToVector256Double(z.v.AsSingle()))).Value).As<float, T>());
        var (lowX, highX) = Vector128.Widen(x.v.AsSingle());
        var (lowY, highY) = Vector128.Widen(y.v.AsSingle());
        var (lowZ, highZ) = Vector128.Widen(z.v.AsSingle());
        var first = f.Invoke<V128<double>, ForFloat>(new(lowX), new(lowY), new(lowZ));
        var second = f.Invoke<V128<double>, ForFloat>(new(highX), new(highY), new(highZ));
        return new(Vector128.Narrow(first.v, second.v).As<float, T>());
    }
}
