using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Verified.Engine.Kernels;

/// <summary>One lane, in the low part of a 128-bit register: for what is shorter than any register, with the same bits.</summary>
internal readonly unsafe struct V1<T>(Vector128<T> value) : ISimd<V1<T>, T>
    where T : unmanaged
{
    private readonly Vector128<T> v = value;

    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> operator +(V1<T> a, V1<T> b) => new(a.v + b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> operator -(V1<T> a, V1<T> b) => new(a.v - b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> operator *(V1<T> a, V1<T> b) => new(a.v * b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> operator /(V1<T> a, V1<T> b) => new(a.v / b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> operator -(V1<T> a) => new(-a.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> operator &(V1<T> a, V1<T> b) => new(a.v & b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> operator |(V1<T> a, V1<T> b) => new(a.v | b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> operator ^(V1<T> a, V1<T> b) => new(a.v ^ b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> operator ~(V1<T> a) => new(~a.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> Create(T value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> Load(T* source) => new(Vector128.CreateScalar(*source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(V1<T> a, T* destination) => *destination = a.v.ToScalar();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMask(V1<T> mask, byte* destination) => *destination = (byte)(Vector128.ExtractMostSignificantBits(mask.v) & 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Any(V1<T> mask) => (Vector128.ExtractMostSignificantBits(mask.v) & 1) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Lane(V1<T> a, int index) => a.v.GetElement(index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> Fma(V1<T> a, V1<T> b, V1<T> c) =>
        typeof(T) == typeof(double)
            ? new(Vector128.FusedMultiplyAdd(a.v.AsDouble(), b.v.AsDouble(), c.v.AsDouble()).As<double, T>())
            : new(Vector128.FusedMultiplyAdd(a.v.AsSingle(), b.v.AsSingle(), c.v.AsSingle()).As<float, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> Next(V1<T> p, V1<T> x, T c) =>
        typeof(T) == typeof(double)
            ? new(Vector128.FusedMultiplyAdd(p.v.AsDouble(), x.v.AsDouble(), Vector128.Create(c).AsDouble()).As<double, T>())
            : new(Vector128.FusedMultiplyAdd(p.v.AsSingle(), x.v.AsSingle(), Vector128.Create(c).AsSingle()).As<float, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> Sqrt(V1<T> a) => new(Vector128.Sqrt(a.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> Abs(V1<T> a) => new(Vector128.Abs(a.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> Floor(V1<T> a) =>
        typeof(T) == typeof(double) ? new(Vector128.Floor(a.v.AsDouble()).As<double, T>())
        : typeof(T) == typeof(float) ? new(Vector128.Floor(a.v.AsSingle()).As<float, T>())
        : a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> Round(V1<T> a) =>
        typeof(T) == typeof(double) ? new(Vector128.Round(a.v.AsDouble()).As<double, T>())
        : typeof(T) == typeof(float) ? new(Vector128.Round(a.v.AsSingle()).As<float, T>())
        : a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> Min(V1<T> a, V1<T> b) => new(Vector128.Min(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> Max(V1<T> a, V1<T> b) => new(Vector128.Max(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> Equal(V1<T> a, V1<T> b) => new(Vector128.Equals(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> Less(V1<T> a, V1<T> b) => new(Vector128.LessThan(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> LessOrEqual(V1<T> a, V1<T> b) => new(Vector128.LessThanOrEqual(a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> Select(V1<T> mask, V1<T> a, V1<T> b) => new(Vector128.ConditionalSelect(mask.v, a.v, b.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> ShiftLeft(V1<T> a, int bits) =>
        sizeof(T) == 8 ? new((a.v.AsInt64() << bits).As<long, T>()) : new((a.v.AsInt32() << bits).As<int, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> ShiftRight(V1<T> a, int bits) =>
        sizeof(T) == 8 ? new((a.v.AsInt64() >>> bits).As<long, T>()) : new((a.v.AsInt32() >>> bits).As<int, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> AddBits(V1<T> a, V1<T> b) =>
        sizeof(T) == 8 ? new((a.v.AsInt64() + b.v.AsInt64()).As<long, T>()) : new((a.v.AsInt32() + b.v.AsInt32()).As<int, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> SubtractBits(V1<T> a, V1<T> b) =>
        sizeof(T) == 8 ? new((a.v.AsInt64() - b.v.AsInt64()).As<long, T>()) : new((a.v.AsInt32() - b.v.AsInt32()).As<int, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> Wide<F>(F f, V1<T> x)
        where F : struct, IWide1 =>
        typeof(T) == typeof(double)
            ? new(f.Invoke<V1<double>, ForDouble>(new(x.v.AsDouble())).v.As<double, T>())
            : Rounded(f.Invoke<V1<double>, ForFloat>(Widened(x)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> Wide<F>(F f, V1<T> x, V1<T> y)
        where F : struct, IWide2 =>
        typeof(T) == typeof(double)
            ? new(f.Invoke<V1<double>, ForDouble>(new(x.v.AsDouble()), new(y.v.AsDouble())).v.As<double, T>())
            : Rounded(f.Invoke<V1<double>, ForFloat>(Widened(x), Widened(y)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<T> Wide<F>(F f, V1<T> x, V1<T> y, V1<T> z)
        where F : struct, IWide3 =>
        typeof(T) == typeof(double)
            ? new(f.Invoke<V1<double>, ForDouble>(new(x.v.AsDouble()), new(y.v.AsDouble()), new(z.v.AsDouble())).v.As<double, T>())
            : Rounded(f.Invoke<V1<double>, ForFloat>(Widened(x), Widened(y), Widened(z)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V1<double> Widened(V1<T> a) => new(Vector128.CreateScalar((double)a.v.AsSingle().ToScalar()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V1<T> Rounded(V1<double> a) => new(Vector128.CreateScalar((float)a.v.ToScalar()).As<float, T>());
}
