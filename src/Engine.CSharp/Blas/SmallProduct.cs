using System.Runtime.CompilerServices;

namespace Verified.Engine.Blas;

/// <summary>Products of up to about 64^3: tiles straight on the operands; B is packed, on the stack, only where its rows are not whole registers.</summary>
internal static unsafe class SmallProduct
{
    private const long UpTo = 64 * 64 * 64;
    private const int MostPacked = 4096;

    /// <summary>Whether this way is open for a product.</summary>
    public static bool Fits<T>(KernelSet<T> kernels, int m, int n, int k, Operand<T> b, nint cColumn)
        where T : unmanaged =>
        cColumn == 1 && (long)m * n * k <= UpTo && k <= 256 && (InPlace(kernels, n, b) ? n <= 256 : k * Padded(kernels, n) <= MostPacked && (2 * n >= kernels.Width || m <= n));

    /// <summary>C (+)= A B.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public static void Multiply<T>(KernelSet<T> kernels, int m, int n, int k, Operand<T> a, Operand<T> b, T* c, nint cRow, bool accumulate)
        where T : unmanaged
    {
        var width = kernels.Width;
        var wide = kernels.MaxColumns;
        var inPlace = InPlace(kernels, n, b);
        var packed = stackalloc T[inPlace ? 1 : k * wide];
        var tile = stackalloc T[inPlace ? 1 : kernels.MaxRows * wide];
        var strips = (m + kernels.MaxRows - 1) / kernels.MaxRows;
        var height = m / strips;
        var higher = m - height * strips;
        for (var j = 0; j < n; j += wide)
        {
            var columns = Math.Min(n - j, wide);
            var pitch = columns <= width ? width : wide;
            var tiles = columns <= width ? kernels.OneRegister : kernels.TwoRegisters;
            var y = b.Data + j * b.ColumnStride;
            var yRow = b.RowStride;
            if (!inPlace)
            {
                Packing.Interleave(kernels, y, b.ColumnStride, b.RowStride, columns, k, packed, pitch);
                y = packed;
                yRow = pitch;
            }

            var x = a.Data;
            var z = c + j;
            for (var strip = 0; strip < strips; strip++)
            {
                var rows = strip < higher ? height + 1 : height;
                if (columns == pitch)
                {
                    tiles[rows](k, x, a.RowStride, a.ColumnStride, y, yRow, z, cRow, accumulate);
                }
                else
                {
                    if (accumulate)
                        kernels.CopyRows(rows, z, cRow, columns, tile, pitch);
                    tiles[rows](k, x, a.RowStride, a.ColumnStride, y, yRow, tile, pitch, accumulate);
                    kernels.CopyOut(rows, tile, pitch, columns, z, cRow);
                }

                x += rows * a.RowStride;
                z += rows * cRow;
            }
        }
    }

    private static bool InPlace<T>(KernelSet<T> kernels, int n, Operand<T> b)
        where T : unmanaged => b.ColumnStride == 1 && n % kernels.Width == 0;

    private static int Padded<T>(KernelSet<T> kernels, int n)
        where T : unmanaged => (n + kernels.Width - 1) / kernels.Width * kernels.Width;
}
