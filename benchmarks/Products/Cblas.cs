using System.Runtime.InteropServices;
using Verified.Engine.Blas;

namespace Verified.Benchmarks.Products;

/// <summary>A CBLAS library called directly: nothing of the engine's lies between.</summary>
internal sealed unsafe partial class Cblas
{
    private const int Now = 2, Global = 0x100;
    private const int RowMajor = 101, NoTranspose = 111;
    private const int GnuLayer = 3;

    private readonly delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void> single;
    private readonly delegate* unmanaged<int, int, int, int, int, int, double, double*, int, double*, int, double, double*, int, void> real;

    public Cblas(nint handle)
    {
        single = (delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void>)NativeLibrary.GetExport(handle, "cblas_sgemm");
        real = (delegate* unmanaged<int, int, int, int, int, int, double, double*, int, double*, int, double, double*, int, void>)NativeLibrary.GetExport(handle, "cblas_dgemm");
    }

    /// <summary>The library that the engine loaded, with one thread; null where there is none.</summary>
    public static Cblas? Of(Backend backend) => Libraries.Get(backend) is { } library ? new Cblas(library.Handle) : null;

    /// <summary>MKL with threads of its own, which a process has to decide on before its first call.</summary>
    public static Cblas ThreadedMkl(string path, int threads)
    {
        // MKL's layer for several threads looks for OpenMP's functions in what is already loaded for all to see.
        if (Open("libgomp.so.1", Now | Global) == 0) throw new InvalidOperationException("MKL with several threads needs libgomp.so.1, which is not there");
        var handle = NativeLibrary.Load(path);
        ((delegate* unmanaged<int, int>)NativeLibrary.GetExport(handle, "MKL_Set_Threading_Layer"))(GnuLayer);
        ((delegate* unmanaged<int, void>)NativeLibrary.GetExport(handle, "MKL_Set_Num_Threads"))(threads);
        return new Cblas(handle);
    }

    [LibraryImport("libc", EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Open(string file, int flags);

    /// <summary>C = A B of row-major matrices without gaps.</summary>
    public void Multiply<T>(Matrices<T> x)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            single(RowMajor, NoTranspose, NoTranspose, x.M, x.N, x.K, 1, (float*)x.A, x.K, (float*)x.B, x.N, 0, (float*)x.C, x.N);
        else
            real(RowMajor, NoTranspose, NoTranspose, x.M, x.N, x.K, 1, (double*)x.A, x.K, (double*)x.B, x.N, 0, (double*)x.C, x.N);
    }
}

/// <summary>Operands and result of a product in memory aligned to 64 bytes, all of it touched.</summary>
internal sealed unsafe class Matrices<T> : IDisposable
    where T : unmanaged
{
    public Matrices(int m, int k, int n)
    {
        (M, K, N) = (m, k, n);
        A = Fill((nint)m * k);
        B = Fill((nint)k * n);
        C = Fill((nint)m * n);
    }

    public int M { get; }

    public int K { get; }

    public int N { get; }

    public T* A { get; }

    public T* B { get; }

    public T* C { get; }

    public void Dispose()
    {
        NativeMemory.AlignedFree(A);
        NativeMemory.AlignedFree(B);
        NativeMemory.AlignedFree(C);
    }

    private static T* Fill(nint count)
    {
        var random = new Random(1);
        var data = (T*)NativeMemory.AlignedAlloc((nuint)(count * sizeof(T)), 64);
        for (nint i = 0; i < count; i++)
        {
            var value = random.NextDouble() - 0.5;
            if (typeof(T) == typeof(float)) ((float*)data)[i] = (float)value;
            else ((double*)data)[i] = value;
        }
        return data;
    }
}
