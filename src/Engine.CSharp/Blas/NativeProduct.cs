namespace Verified.Engine.Blas;

/// <summary>A product by a CBLAS library: operands passed in place where a stride is 1, else copied; C cut into tiles for the pool.</summary>
internal static unsafe class NativeProduct
{
    private const int TileSide = 512;
    private const long SplitFrom = 1 << 20;

    // Up to so many elements live in managed arrays, which lie at any address, and a library's bits may depend on that.
    private const int Unaligned = 64;

    /// <summary>C (+)= A B with m, n, k above 0; C row-major with rows <paramref name="cRow"/> apart.</summary>
    public static void Multiply<T>(CblasLibrary library, int m, int n, int k, Operand<T> a, Operand<T> b, T* c, nint cRow, bool accumulate, bool parallel)
        where T : unmanaged
    {
        var copyA = !Fits(a, m, k) || (long)m * k <= Unaligned;
        var copyB = !Fits(b, k, n) || (long)k * n <= Unaligned;
        var copyC = (long)m * n <= Unaligned;
        var (ofA, ofB, ofC) = (copyA ? Aligned<T>((nint)m * k) : 0, copyB ? Aligned<T>((nint)k * n) : 0, copyC ? Aligned<T>((nint)m * n) : 0);
        var scratch = ofA + ofB + ofC > 0 ? Scratch.Copies.Take<T>(ofA + ofB + ofC) : null;
        if (copyC)
        {
            var copy = scratch + ofA + ofB;
            if (accumulate) Packing.Copy(new Operand<T>(c, cRow, 1), m, n, copy);
            Into(library, m, n, k, a, b, copy, n, accumulate, parallel, copyA, copyB, scratch, ofA);
            for (var i = 0; i < m; i++)
                new ReadOnlySpan<T>(copy + (nint)i * n, n).CopyTo(new Span<T>(c + i * cRow, n));
            return;
        }

        Into(library, m, n, k, a, b, c, cRow, accumulate, parallel, copyA, copyB, scratch, ofA);
    }

    /// <summary>So many elements, up to the next address that is aligned again.</summary>
    private static nint Aligned<T>(nint count)
        where T : unmanaged => (count * sizeof(T) + 63) / 64 * 64 / sizeof(T);

    private static void Into<T>(
        CblasLibrary library, int m, int n, int k, Operand<T> a, Operand<T> b, T* c, nint cRow, bool accumulate, bool parallel, bool copyA, bool copyB, T* scratch, nint ofA)
        where T : unmanaged
    {
        if (copyA)
        {
            Packing.Copy(a, m, k, scratch);
            a = new Operand<T>(scratch, k, 1);
            scratch += ofA;
        }

        if (copyB)
        {
            Packing.Copy(b, k, n, scratch);
            b = new Operand<T>(scratch, n, 1);
        }

        // Borders depend on the shape alone: a library's bits depend on the shape it is called with.
        var split = (long)m * n * k >= SplitFrom;
        var tileRows = split ? Tile(m, n) : m;
        var tileColumns = split ? Tile(n, m) : n;
        var body = new Tiles<T>(library, m, n, k, a, b, c, (int)Math.Max(cRow, n), accumulate, tileRows, tileColumns);
        if (parallel && split)
        {
            Parallelism.For(body.Count, body);
            return;
        }

        for (var i = 0; i < body.Count; i++)
            body.Invoke(i);
    }

    /// <summary>Long sides in tiles of about 512; of shorter ones the longer side in two.</summary>
    private static int Tile(int side, int other)
    {
        var parts = side > TileSide + TileSide / 2 ? (side + TileSide - 1) / TileSide : side >= other && other <= TileSide + TileSide / 2 ? 2 : 1;
        var tile = (side + parts - 1) / parts;
        return Math.Min(side, (tile + 15) / 16 * 16);
    }

    private static bool Fits<T>(Operand<T> x, int rows, int columns)
        where T : unmanaged =>
        ((x.ColumnStride == 1 || columns == 1) && (rows == 1 || (x.RowStride >= columns && x.RowStride <= int.MaxValue))) ||
        ((x.RowStride == 1 || rows == 1) && (columns == 1 || (x.ColumnStride >= rows && x.ColumnStride <= int.MaxValue)));

    private static (bool Transposed, int Leading) Layout<T>(Operand<T> x, int rows, int columns)
        where T : unmanaged
    {
        if ((x.ColumnStride == 1 || columns == 1) && (rows == 1 || x.RowStride >= columns))
            return (false, rows == 1 ? columns : (int)x.RowStride);
        return (true, columns == 1 ? rows : (int)x.ColumnStride);
    }

    private readonly struct Tiles<T>(
        CblasLibrary library, int m, int n, int k, Operand<T> a, Operand<T> b, T* c, int cRow, bool accumulate, int tileRows, int tileColumns) : IParallelBody
        where T : unmanaged
    {
        private int Across => (n + tileColumns - 1) / tileColumns;

        public int Count => (m + tileRows - 1) / tileRows * Across;

        public void Invoke(int index)
        {
            var row = index / Across * tileRows;
            var column = index % Across * tileColumns;
            var (transposeA, lda) = Layout(a, m, k);
            var (transposeB, ldb) = Layout(b, k, n);
            library.Gemm(
                transposeA,
                transposeB,
                Math.Min(tileRows, m - row),
                Math.Min(tileColumns, n - column),
                k,
                transposeA ? a.Data + row : a.Data + (nint)row * lda,
                lda,
                transposeB ? b.Data + (nint)column * ldb : b.Data + column,
                ldb,
                c + (nint)row * cRow + column,
                cRow,
                accumulate);
        }
    }
}
