namespace Verified.Engine.Blas;

/// <summary>
/// The engine's own matrix product. Where both m and n are above 1, each element of C is one chain of fused multiply-adds over
/// ascending k, starting from C or zero: its bits are the same for every stride, register width, blocking and number of threads.
/// </summary>
internal static unsafe class ManagedProduct
{
    private const long ScalarUpTo = 64;

    /// <summary>C (+)= A B with C's element (i, j) at <c>c[i * cRow + j * cColumn]</c>.</summary>
    public static void Multiply<T>(
        KernelSet<T> kernels, int m, int n, int k, Operand<T> a, Operand<T> b, T* c, nint cRow, nint cColumn, bool accumulate, bool parallel)
        where T : unmanaged
    {
        if (m == 0 || n == 0)
            return;
        if (k == 0)
        {
            if (!accumulate)
                Clear(m, n, c, cRow, cColumn);
        }
        else if (n == 1)
        {
            VectorProduct.Multiply(kernels, m, k, a, b.Data, b.RowStride, c, cRow, accumulate, parallel);
        }
        else if (m == 1)
        {
            VectorProduct.Multiply(kernels, n, k, b.Transposed, a.Data, a.ColumnStride, c, cColumn, accumulate, parallel);
        }
        else if ((long)m * n * k <= ScalarUpTo)
        {
            Scalar(m, n, k, a, b, c, cRow, cColumn, accumulate);
        }
        else if (kernels.FilledBy(n) is var filled && SmallProduct.Fits(filled, m, n, k, b, cColumn))
        {
            SmallProduct.Multiply(filled, m, n, k, a, b, c, cRow, accumulate);
        }
        else if (Cost(kernels, n, m, k, a.Transposed, cRow) < Cost(kernels, m, n, k, b, cColumn))
        {
            // C' = B' A': vectors then run along the rows of A.
            new TiledProduct<T>(kernels, n, m, k, b.Transposed, a.Transposed, c, cColumn, cRow).Run(accumulate, parallel);
        }
        else
        {
            new TiledProduct<T>(kernels, m, n, k, a, b, c, cRow, cColumn).Run(accumulate, parallel);
        }
    }

    /// <summary>Rough time with vectors along B's columns: registers are filled up, what is not contiguous is copied, C once a block of k.</summary>
    private static double Cost<T>(KernelSet<T> kernels, int m, int n, int k, Operand<T> b, nint cColumn)
        where T : unmanaged
    {
        var filled = (double)((n + kernels.Width - 1) / kernels.Width);
        var copies = (b.ColumnStride == 1 ? 0 : 0.75 * n * k) + (cColumn == 1 ? 0 : 8.0 * m * n * (1 + k / 512));
        return filled * m * k + copies;
    }

    private static void Clear<T>(int m, int n, T* c, nint cRow, nint cColumn)
        where T : unmanaged
    {
        for (nint i = 0; i < m; i++)
        {
            for (nint j = 0; j < n; j++)
                c[i * cRow + j * cColumn] = default;
        }
    }

    private static void Scalar<T>(int m, int n, int k, Operand<T> a, Operand<T> b, T* c, nint cRow, nint cColumn, bool accumulate)
        where T : unmanaged
    {
        for (nint i = 0; i < m; i++)
        {
            for (nint j = 0; j < n; j++)
            {
                var sum = accumulate ? c[i * cRow + j * cColumn] : default;
                var x = a.Data + i * a.RowStride;
                var y = b.Data + j * b.ColumnStride;
                for (var p = 0; p < k; p++, x += a.ColumnStride, y += b.RowStride)
                    sum = Fused.MultiplyAdd(*x, *y, sum);
                c[i * cRow + j * cColumn] = sum;
            }
        }
    }
}
