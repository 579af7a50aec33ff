using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Verified.Engine.Blas;

/// <summary>The managed kernels for one element type and one register width.</summary>
internal sealed unsafe class KernelSet<T>
    where T : unmanaged
{
    /// <summary>The widest that the processor has; .NET reports 512 bits only where they pay.</summary>
    public static readonly KernelSet<T> Best =
        Vector512.IsHardwareAccelerated ? Bits512 : Vector256.IsHardwareAccelerated ? Bits256 : Bits128;

    private KernelSet<T>? _half;

    private KernelSet(
        int bits,
        int width,
        int maxRows,
        delegate*<nint, T*, nint, nint, T*, nint, T*, nint, bool, void>[] one,
        delegate*<nint, T*, nint, nint, T*, nint, T*, nint, bool, void>[] two,
        delegate*<nint, T*, T*, T> dot,
        delegate*<nint, T*, T, T*, void> axpy,
        delegate*<nint, T*, nint, int, T*, int, void> copyRows,
        delegate*<nint, T*, int, int, T*, nint, void> copyOut)
    {
        Bits = bits;
        Width = width;
        MaxRows = maxRows;
        OneRegister = one;
        TwoRegisters = two;
        Dot = dot;
        Axpy = axpy;
        CopyRows = copyRows;
        CopyOut = copyOut;
    }

    /// <summary>24 accumulators of 32 registers.</summary>
    public static KernelSet<T> Bits512 => Create<Simd512<T>, Vector512<T>>(512, 12);

    /// <summary>12 accumulators of 16 registers.</summary>
    public static KernelSet<T> Bits256 => Create<Simd256<T>, Vector256<T>>(256, 6);

    /// <summary>24 accumulators where there are 32 registers (Arm64), 12 where there are 16.</summary>
    public static KernelSet<T> Bits128 => Create<Simd128<T>, Vector128<T>>(128, AdvSimd.Arm64.IsSupported ? 12 : 6);

    /// <summary>Bits of a register.</summary>
    public int Bits { get; }

    /// <summary>Elements of a register.</summary>
    public int Width { get; }

    /// <summary>Rows of the largest tile.</summary>
    public int MaxRows { get; }

    /// <summary>Columns of the widest tile.</summary>
    public int MaxColumns => 2 * Width;

    /// <summary>Tiles one register wide; the index is the number of rows.</summary>
    public delegate*<nint, T*, nint, nint, T*, nint, T*, nint, bool, void>[] OneRegister { get; }

    /// <summary>Tiles two registers wide; the index is the number of rows.</summary>
    public delegate*<nint, T*, nint, nint, T*, nint, T*, nint, bool, void>[] TwoRegisters { get; }

    /// <summary>The inner product of two contiguous vectors, in 16 lanes; see <see cref="VectorKernels{TSimd, TVector, T}"/>.</summary>
    public delegate*<nint, T*, T*, T> Dot { get; }

    /// <summary>y += alpha x for contiguous vectors.</summary>
    public delegate*<nint, T*, T, T*, void> Axpy { get; }

    /// <summary>See <see cref="PanelKernels{TSimd, TVector, T}"/>.</summary>
    public delegate*<nint, T*, nint, int, T*, int, void> CopyRows { get; }

    /// <summary>See <see cref="PanelKernels{TSimd, TVector, T}"/>.</summary>
    public delegate*<nint, T*, int, int, T*, nint, void> CopyOut { get; }

    /// <summary>
    /// The widest of these and of narrower kernels whose register so many columns more than half fill. An empty half is not free: what
    /// was stored in narrow pieces comes late to one wide load.
    /// </summary>
    public KernelSet<T> FilledBy(int columns)
    {
        var kernels = this;
        while (2 * columns <= kernels.Width && kernels.Bits > 128)
            kernels = kernels._half ??= kernels.Bits == 512 ? Bits256 : Bits128;
        return kernels;
    }

    private static KernelSet<T> Create<TSimd, TVector>(int bits, int maxRows)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct =>
        new(
            bits,
            TSimd.Count,
            maxRows,
            Tiles<TSimd, TVector, N1>(),
            Tiles<TSimd, TVector, N2>(),
            &VectorKernels<TSimd, TVector, T>.Dot,
            &VectorKernels<TSimd, TVector, T>.Axpy,
            &PanelKernels<TSimd, TVector, T>.CopyRows,
            &PanelKernels<TSimd, TVector, T>.CopyOut);

    private static delegate*<nint, T*, nint, nint, T*, nint, T*, nint, bool, void>[] Tiles<TSimd, TVector, TColumns>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TColumns : struct, INumber =>
        [
            null,
            &MicroKernel<TSimd, TVector, T, N1, TColumns>.Run,
            &MicroKernel<TSimd, TVector, T, N2, TColumns>.Run,
            &MicroKernel<TSimd, TVector, T, N3, TColumns>.Run,
            &MicroKernel<TSimd, TVector, T, N4, TColumns>.Run,
            &MicroKernel<TSimd, TVector, T, N5, TColumns>.Run,
            &MicroKernel<TSimd, TVector, T, N6, TColumns>.Run,
            &MicroKernel<TSimd, TVector, T, N7, TColumns>.Run,
            &MicroKernel<TSimd, TVector, T, N8, TColumns>.Run,
            &MicroKernel<TSimd, TVector, T, N9, TColumns>.Run,
            &MicroKernel<TSimd, TVector, T, N10, TColumns>.Run,
            &MicroKernel<TSimd, TVector, T, N11, TColumns>.Run,
            &MicroKernel<TSimd, TVector, T, N12, TColumns>.Run,
        ];
}
