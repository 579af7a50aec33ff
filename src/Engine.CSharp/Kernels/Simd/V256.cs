using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Verified.Engine.Kernels;

/// <summary>256 bits of lanes.</summary>
internal readonly unsafe struct V256<T>(Vector256<T> value) : ISimd<V256<T>, T>
    where T : unmanaged
{
    private readonly Vector256<T> v = value;

    /// <summary>The register itself.</summary>
    public Vector256<T> Value
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => v;
    }

    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector256<T>.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> operator +(V256<T> a, V256<T> b) => new(a.v + b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> operator -(V256<T> a, V256<T> b) => new(a.v - b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> operator *(V256<T> a, V256<T> b) => new(a.v * b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> operator /(V256<T> a, V256<T> b) => new(a.v / b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> operator -(V256<T> a) => new(-a.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> operator &(V256<T> a, V256<T> b) => new(a.v & b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> operator |(V256<T> a, V256<T> b) => new(a.v | b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> operator ^(V256<T> a, V256<T> b) => new(a.v ^ b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> operator ~(V256<T> a) => new(~a.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Create(T value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Load(T* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(V256<T> a, T* destination) => a.v.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMask(V256<T> mask, byte* destination) => Masks.Store(Vector256.ExtractMostSignificantBits(mask.v), Count, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Any(V256<T> mask) => Vector256.ExtractMostSignificantBits(mask.v) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Lane(V256<T> a, int index) => a.v.GetElement(index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Fma(V256<T> a, V256<T> b, V256<T> c) =>
        typeof(T) == typeof(double)
            ? new(Vector256.FusedMultiplyAdd(a.v.AsDouble(), b.v.AsDouble(), c.v.AsDouble()).As<double, T>())
            : new(Vector256.FusedMultiplyAdd(a.v.AsSingle(), b.v.AsSingle(), c.v.AsSingle()).As<float, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Next(V256<T> p, V256<T> x, T c) =>
        typeof(T) == typeof(double)
            ? new(Vector256.FusedMultiplyAdd(p.v.AsDouble(), x.v.AsDouble(), Vector256.Create(c).AsDouble()).As<double, T>())
            : new(Vector256.FusedMultiplyAdd(p.v.AsSingle(), x.v.AsSingle(), Vector256.Create(c).AsSingle()).As<float, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Sqrt(V256<T> a) => new(Vector256.Sqrt(a.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Abs(V256<T> a) => new(Vector256.Abs(a.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Floor(V256<T> a) =>
        typeof(T) == typeof(double) ? new(Vector256.Floor(a.v.AsDouble()).As<double, T>())
        : typeof(T) == typeof(float) ? new(Vector256.Floor(a.v.AsSingle()).As<float, T>())
        : a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Round(V256<T> a) =>
        typeof(T) == typeof(double) ? new(Vector256.Round(a.v.AsDouble()).As<double, T>())
        : typeof(T) == typeof(float) ? new(Vector256.Round(a.v.AsSingle()).As<float, T>())
        : a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Min(V256<T> a, V256<T> b) => new(Vector256.Min(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Max(V256<T> a, V256<T> b) => new(Vector256.Max(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Equal(V256<T> a, V256<T> b) => new(Vector256.Equals(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Less(V256<T> a, V256<T> b) => new(Vector256.LessThan(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> LessOrEqual(V256<T> a, V256<T> b) => new(Vector256.LessThanOrEqual(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Select(V256<T> mask, V256<T> a, V256<T> b) => new(Vector256.ConditionalSelect(mask.v, a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> ShiftLeft(V256<T> a, int bits) =>
        sizeof(T) == 8 ? new((a.v.AsInt64() << bits).As<long, T>()) : new((a.v.AsInt32() << bits).As<int, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> ShiftRight(V256<T> a, int bits) =>
        sizeof(T) == 8 ? new((a.v.AsInt64() >>> bits).As<long, T>()) : new((a.v.AsInt32() >>> bits).As<int, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> AddBits(V256<T> a, V256<T> b) =>
        sizeof(T) == 8 ? new((a.v.AsInt64() + b.v.AsInt64()).As<long, T>()) : new((a.v.AsInt32() + b.v.AsInt32()).As<int, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> SubtractBits(V256<T> a, V256<T> b) =>
        sizeof(T) == 8 ? new((a.v.AsInt64() - b.v.AsInt64()).As<long, T>()) : new((a.v.AsInt32() - b.v.AsInt32()).As<int, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Wide<F>(F f, V256<T> x)
        where F : struct, IWide1
    {
        if (typeof(T) == typeof(double)) return new(f.Invoke<V256<double>, ForDouble>(new(x.v.AsDouble())).v.As<double, T>());
        if (Avx512F.IsSupported)
            return new(Avx512F.ConvertToVector256Single(f.Invoke<V512<double>, ForFloat>(new(Avx512F.ConvertToVector512Double(x.v.AsSingle()))).Value).As<float, T>());
        var (low, high) = Vector256.Widen(x.v.AsSingle());
        var first = f.Invoke<V256<double>, ForFloat>(new(low));
        var second = f.Invoke<V256<double>, ForFloat>(new(high));
        return new(Vector256.Narrow(first.v, second.v).As<float, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Wide<F>(F f, V256<T> x, V256<T> y)
        where F : struct, IWide2
    {
        if (typeof(T) == typeof(double))
            return new(f.Invoke<V256<double>, ForDouble>(new(x.v.AsDouble()), new(y.v.AsDouble())).v.As<double, T>());
        if (Avx512F.IsSupported)
            return new(Avx512F.ConvertToVector256Single(f.Invoke<V512<double>, ForFloat>(new(Avx512F.ConvertToVector512Double(x.v.AsSingle())), new(Avx512F.ConvertToVector512Double(y.v.AsSingle()))).Value).As<float, T>());
        var (lowX, highX) = Vector256.Widen(x.v.AsSingle());
        var (lowY, highY) = Vector256.Widen(y.v.AsSingle());
        var first = f.Invoke<V256<double>, ForFloat>(new(lowX), new(lowY));
        var second = f.Invoke<V256<double>, ForFloat>(new(highX), new(highY));
        return new(Vector256.Narrow(first.v, second.v).As<float, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Wide<F>(F f, V256<T> x, V256<T> y, V256<T> z)
        where F : struct, IWide3
    {
        if (typeof(T) == typeof(double))
            return new(f.Invoke<V256<double>, ForDouble>(new(x.v.AsDouble()), new(y.v.AsDouble()), new(z.v.AsDouble())).v.As<double, T>());
        if (Avx512F.IsSupported)
            return new(Avx512F.ConvertToVector256Single(f.Invoke<V512<double>, ForFloat>(new(Avx512F.ConvertToVector512Double(x.v.AsSingle())), new(Avx512F.ConvertToVector512Double(y.v.AsSingle())), new(Avx512F.ConvertToVector512Double(z.v.AsSingle()))).Value).As<float, T>());
        var (lowX, highX) = Vector256.Widen(x.v.AsSingle());
        var (lowY, highY) = Vector256.Widen(y.v.AsSingle());
        var (lowZ, highZ) = Vector256.Widen(z.v.AsSingle());
        var first = f.Invoke<V256<double>, ForFloat>(new(lowX), new(lowY), new(lowZ));
        var second = f.Invoke<V256<double>, ForFloat>(new(highX), new(highY), new(highZ));
        return new(Vector256.Narrow(first.v, second.v).As<float, T>());
    }
}
