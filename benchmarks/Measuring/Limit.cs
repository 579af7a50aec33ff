using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Verified.Engine.Blas;

namespace Verified.Benchmarks.Measuring;

/// <summary>The most fused multiply-adds that this processor does through .NET's widest vectors, from registers alone: no product can be faster.</summary>
internal static unsafe class Limit
{
    private const int Steps = 20_000;
    private const int Chains = 12;

    /// <summary>GFLOP/s of one thread in float or double, the best of the samples: a limit is not a median.</summary>
    public static double OneThread<T>(int rounds)
        where T : unmanaged
    {
        var result = stackalloc T[16];
        new Span<T>(result, 16).Clear();
        Contender burner;
        var lanes = Vector512.IsHardwareAccelerated ? Vector512<T>.Count : Vector256.IsHardwareAccelerated ? Vector256<T>.Count : Vector128<T>.Count;
        if (Vector512.IsHardwareAccelerated) burner = Contender.Here("fma", () => Burn<Simd512<T>, Vector512<T>, T>(result));
        else if (Vector256.IsHardwareAccelerated) burner = Contender.Here("fma", () => Burn<Simd256<T>, Vector256<T>, T>(result));
        else burner = Contender.Here("fma", () => Burn<Simd128<T>, Vector128<T>, T>(result));
        var best = Contest.Run([burner], 1, rounds, 0.01)["fma"].Min();
        return 2.0 * Steps * Chains * lanes / best / 1e9;
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Burn<TSimd, TVector, T>(T* result)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        var x = TSimd.Load(result);
        TVector s0 = x, s1 = x, s2 = x, s3 = x, s4 = x, s5 = x, s6 = x, s7 = x, s8 = x, s9 = x, s10 = x, s11 = x;
        for (var step = 0; step < Steps; step++)
        {
            s0 = TSimd.MultiplyAdd(x, x, s0);
            s1 = TSimd.MultiplyAdd(x, x, s1);
            s2 = TSimd.MultiplyAdd(x, x, s2);
            s3 = TSimd.MultiplyAdd(x, x, s3);
            s4 = TSimd.MultiplyAdd(x, x, s4);
            s5 = TSimd.MultiplyAdd(x, x, s5);
            s6 = TSimd.MultiplyAdd(x, x, s6);
            s7 = TSimd.MultiplyAdd(x, x, s7);
            s8 = TSimd.MultiplyAdd(x, x, s8);
            s9 = TSimd.MultiplyAdd(x, x, s9);
            s10 = TSimd.MultiplyAdd(x, x, s10);
            s11 = TSimd.MultiplyAdd(x, x, s11);
        }
        s0 = TSimd.Add(TSimd.Add(TSimd.Add(s0, s1), TSimd.Add(s2, s3)), TSimd.Add(TSimd.Add(s4, s5), TSimd.Add(s6, s7)));
        TSimd.Store(result, TSimd.Add(s0, TSimd.Add(TSimd.Add(s8, s9), TSimd.Add(s10, s11))));
    }
}
