using System.Runtime.InteropServices;
using System.Text;

namespace Verified.Engine.Blas;

/// <summary>
/// One CBLAS library, loaded: the one binding for MKL and OpenBLAS. Both are called with one thread: MKL through its sequential
/// layer, chosen before its first call; OpenBLAS told so before it is loaded, so that it starts no threads of its own.
/// </summary>
internal sealed unsafe partial class CblasLibrary
{
    private const int RowMajor = 101;
    private const int NoTranspose = 111;
    private const int Transpose = 112;
    private const int Packed = 151;
    private const int OperandB = 162;
    private const int SequentialLayer = 1;

    private readonly delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void> _sgemm;
    private readonly delegate* unmanaged<int, int, int, int, int, int, double, double*, int, double*, int, double, double*, int, void> _dgemm;
    private readonly PackedCalls _single;
    private readonly PackedCalls _double;

    /// <summary>Loads the library into this process, which a wrong one can end: only after <see cref="LibraryCheck"/>.</summary>
    /// <exception cref="DllNotFoundException">It cannot be loaded.</exception>
    /// <exception cref="EntryPointNotFoundException">It is no LP64 CBLAS library.</exception>
    public CblasLibrary(Backend backend, string path)
    {
        Backend = backend;
        Path = path;
        if (backend == Backend.OpenBlas && !OperatingSystem.IsWindows())
            SetEnvironment("OPENBLAS_NUM_THREADS", "1", 0);
        Handle = Load(path);
        _sgemm = (delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void>)NativeLibrary.GetExport(Handle, "cblas_sgemm");
        _dgemm = (delegate* unmanaged<int, int, int, int, int, int, double, double*, int, double*, int, double, double*, int, void>)NativeLibrary.GetExport(Handle, "cblas_dgemm");
        if (backend == Backend.Mkl)
        {
            ((delegate* unmanaged<int, int>)NativeLibrary.GetExport(Handle, "MKL_Set_Threading_Layer"))(SequentialLayer);
            var text = stackalloc byte[256];
            new Span<byte>(text, 256).Clear();
            ((delegate* unmanaged<byte*, int, void>)NativeLibrary.GetExport(Handle, "MKL_Get_Version_String"))(text, 255);
            Description = Marshal.PtrToStringUTF8((nint)text)!.Trim();
            Packs = PackedCalls.TryBind(Handle, 's', out _single) && PackedCalls.TryBind(Handle, 'd', out _double);
        }
        else
        {
            ((delegate* unmanaged<int, void>)NativeLibrary.GetExport(Handle, "openblas_set_num_threads"))(1);
            Description = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<byte*>)NativeLibrary.GetExport(Handle, "openblas_get_config"))())!.Trim();
            if (Description.Contains("USE64BITINT", StringComparison.Ordinal))
                throw new EntryPointNotFoundException($"{path}: OpenBLAS with 64-bit integers (ILP64) is not supported");
            if (NativeLibrary.TryGetExport(Handle, "openblas_get_corename", out var core))
                Core = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<byte*>)core)());
        }

        Version = FirstVersion(Description);
    }

    private static string[] WideCores => ["SkylakeX", "Cooperlake", "SapphireRapids", "Zen4", "Zen5"];

    /// <summary>Which library it is.</summary>
    public Backend Backend { get; }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What the library says of itself.</summary>
    public string Description { get; }

    /// <summary>Whose kernels an OpenBLAS runs here, by its own name of the processor; null where it does not say, and for others.</summary>
    public string? Core { get; }

    /// <summary>The version in <see cref="Description"/>.</summary>
    public Version Version { get; }

    /// <summary>
    /// Whether it has kernels for this processor's vectors. An OpenBLAS that does not know a processor takes an older one's: on AVX-512 those of Haswell,
    /// at half the speed.
    /// </summary>
    public bool KnowsProcessor =>
        Backend != Backend.OpenBlas || Processor.Current.Isa != "avx512" || Core is null || WideCores.Contains(Core, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether it can keep an operand in its own order for many products: MKL's <c>cblas_?gemm_pack</c> and <c>cblas_?gemm_compute</c>.</summary>
    public bool Packs { get; }

    /// <summary>For further functions of the library.</summary>
    public nint Handle { get; }

    /// <summary>C = beta C + A B, row-major; beta 0 does not read C.</summary>
    public void Gemm<T>(bool transposeA, bool transposeB, int m, int n, int k, T* a, int lda, T* b, int ldb, T* c, int ldc, bool accumulate)
        where T : unmanaged
    {
        var ta = transposeA ? Transpose : NoTranspose;
        var tb = transposeB ? Transpose : NoTranspose;
        if (typeof(T) == typeof(float))
            _sgemm(RowMajor, ta, tb, m, n, k, 1, (float*)a, lda, (float*)b, ldb, accumulate ? 1 : 0, (float*)c, ldc);
        else
            _dgemm(RowMajor, ta, tb, m, n, k, 1, (double*)a, lda, (double*)b, ldb, accumulate ? 1 : 0, (double*)c, ldc);
    }

    /// <summary>Bytes that B[k,n] takes packed, for products of m rows.</summary>
    public nuint PackedSize<T>(int m, int n, int k)
        where T : unmanaged => Calls<T>().Size(OperandB, m, n, k);

    /// <summary>Packs B[k,n] for <see cref="GemmPacked"/>, m being the most rows of a product.</summary>
    public void Pack<T>(bool transposeB, int m, int n, int k, T* b, int ldb, T* packed)
        where T : unmanaged
    {
        var tb = transposeB ? Transpose : NoTranspose;
        if (typeof(T) == typeof(float))
            ((delegate* unmanaged<int, int, int, int, int, int, float, T*, int, T*, void>)_single.Pack)(RowMajor, OperandB, tb, m, n, k, 1, b, ldb, packed);
        else
            ((delegate* unmanaged<int, int, int, int, int, int, double, T*, int, T*, void>)_double.Pack)(RowMajor, OperandB, tb, m, n, k, 1, b, ldb, packed);
    }

    /// <summary>As <see cref="Gemm"/>, with B as <see cref="Pack"/> left it.</summary>
    public void GemmPacked<T>(bool transposeA, int m, int n, int k, T* a, int lda, T* packed, int ldb, T* c, int ldc, bool accumulate)
        where T : unmanaged
    {
        var ta = transposeA ? Transpose : NoTranspose;
        if (typeof(T) == typeof(float))
            ((delegate* unmanaged<int, int, int, int, int, int, T*, int, T*, int, float, T*, int, void>)_single.Compute)(RowMajor, ta, Packed, m, n, k, a, lda, packed, ldb, accumulate ? 1 : 0, c, ldc);
        else
            ((delegate* unmanaged<int, int, int, int, int, int, T*, int, T*, int, double, T*, int, void>)_double.Compute)(RowMajor, ta, Packed, m, n, k, a, lda, packed, ldb, accumulate ? 1 : 0, c, ldc);
    }

    private PackedCalls Calls<T>() => typeof(T) == typeof(float) ? _single : _double;

    private static nint Load(string path)
    {
        if (NativeLibrary.TryLoad(path, out var handle))
            return handle;
        // In a private folder what the library needs lies beside it, where the loader does not look.
        foreach (var name in new[] { "libquadmath.so.0", "libgfortran.so.5" })
        {
            var beside = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path) ?? ".", name);
            if (File.Exists(beside))
                NativeLibrary.TryLoad(beside, out _);
        }

        return NativeLibrary.Load(path);
    }

    private static Version FirstVersion(string description)
    {
        foreach (var word in description.Split([' ', '-', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            var digits = new StringBuilder();
            foreach (var letter in word.TakeWhile(l => char.IsAsciiDigit(l) || l == '.'))
                digits.Append(letter);
            if (System.Version.TryParse(digits.ToString().TrimEnd('.'), out var version))
                return version;
        }

        return new Version(0, 0);
    }

    private readonly struct PackedCalls
    {
        public delegate* unmanaged<int, int, int, int, nuint> Size { get; private init; }

        public nint Pack { get; private init; }

        public nint Compute { get; private init; }

        public static bool TryBind(nint library, char type, out PackedCalls calls)
        {
            var bound = NativeLibrary.TryGetExport(library, $"cblas_{type}gemm_pack_get_size", out var size);
            bound &= NativeLibrary.TryGetExport(library, $"cblas_{type}gemm_pack", out var pack);
            bound &= NativeLibrary.TryGetExport(library, $"cblas_{type}gemm_compute", out var compute);
            calls = new PackedCalls { Size = (delegate* unmanaged<int, int, int, int, nuint>)size, Pack = pack, Compute = compute };
            return bound;
        }
    }

    // .NET's own Environment does not reach getenv.
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
