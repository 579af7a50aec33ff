namespace Verified.Engine.Blas;

/// <summary>
/// A product by a CBLAS library: operands passed in place where a stride is 1, else copied; C cut into tiles for the pool. A library
/// puts its operands into an order of its own in every call; of large products B is put so once, where the library can keep it.
/// </summary>
internal static unsafe class NativeProduct
{
    private const int TileSide = 512;
    private const int PackedRows = 256;
    private const int PackedColumns = 1024;
    private const int PackedInTwoFrom = 1024;
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
        var leading = (int)Math.Max(cRow, n);
        if ((long)m * n * k < SplitFrom)
        {
            var (transposeA, lda) = Layout(a, m, k);
            var (transposeB, ldb) = Layout(b, k, n);
            library.Gemm(transposeA, transposeB, m, n, k, a.Data, lda, b.Data, ldb, c, leading, accumulate);
            return;
        }

        var (manyRows, manyColumns) = (m > TileSide + TileSide / 2, n > TileSide + TileSide / 2);
        if (library.Packs && manyRows && manyColumns)
        {
            var tileRows = Tile(m, (m + PackedRows - 1) / PackedRows);
            var tileColumns = Tile(n, (n + PackedColumns - 1) / PackedColumns);
            var packed = new Tiles<T>(library, m, n, k, a, b, c, leading, accumulate, tileRows, tileColumns);
            packed.Pack(k < PackedInTwoFrom ? 1 : 2, parallel);
            Do(packed.Count, packed, parallel);
            return;
        }

        // Long sides in tiles of about 512; of two shorter ones the longer in two.
        var inTwo = !manyRows && !manyColumns;
        var rows = manyRows ? (m + TileSide - 1) / TileSide : inTwo && m >= n ? 2 : 1;
        var columns = manyColumns ? (n + TileSide - 1) / TileSide : inTwo && n > m ? 2 : 1;
        var tiles = new Tiles<T>(library, m, n, k, a, b, c, leading, accumulate, Tile(m, rows), Tile(n, columns));
        Do(tiles.Count, tiles, parallel);
    }

    private static void Do<TBody>(int items, TBody body, bool parallel)
        where TBody : struct, IParallelBody
    {
        if (parallel)
        {
            Parallelism.For(items, body);
            return;
        }

        for (var i = 0; i < items; i++)
            body.Invoke(i);
    }

    /// <summary>The side of a tile, one of so many parts of about the same size.</summary>
    private static int Tile(int side, int parts) => Math.Min(side, ((side + parts - 1) / parts + 15) / 16 * 16);

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

    private struct Tiles<T>(
        CblasLibrary library, int m, int n, int k, Operand<T> a, Operand<T> b, T* c, int cRow, bool accumulate, int tileRows, int tileColumns) : IParallelBody
        where T : unmanaged
    {
        private byte* _packed;
        private nint _packedBytes;
        private int _parts;
        private bool _packing;

        public readonly int Count => (m + tileRows - 1) / tileRows * Across;

        private readonly int Across => (n + tileColumns - 1) / tileColumns;

        private readonly int Depth => (k + _parts - 1) / _parts;

        /// <summary>Packs the columns of B that each column of tiles reads, in so many parts of k: these are what threads can share without reading A again.</summary>
        public void Pack(int parts, bool parallel)
        {
            _parts = parts;
            _packedBytes = ((nint)library.PackedSize<T>(tileRows, tileColumns, Depth) + 63) / 64 * 64;
            _packed = Scratch.Packing.Take<byte>(parts * Across * _packedBytes);
            _packing = true;
            Do(parts * Across, this, parallel);
            _packing = false;
        }

        public readonly void Invoke(int index)
        {
            if (_packing)
            {
                PackPart(index / Across, index % Across);
                return;
            }

            var row = index / Across * tileRows;
            var column = index % Across * tileColumns;
            var (transposeA, lda) = Layout(a, m, k);
            var (transposeB, ldb) = Layout(b, k, n);
            var (rows, columns) = (Math.Min(tileRows, m - row), Math.Min(tileColumns, n - column));
            var x = transposeA ? a.Data + row : a.Data + (nint)row * lda;
            var y = transposeB ? b.Data + (nint)column * ldb : b.Data + column;
            var z = c + (nint)row * cRow + column;
            if (_packed is null)
            {
                library.Gemm(transposeA, transposeB, rows, columns, k, x, lda, y, ldb, z, cRow, accumulate);
                return;
            }

            for (var part = 0; part < _parts; part++)
            {
                var depth = part * Depth;
                var from = transposeA ? x + (nint)depth * lda : x + depth;
                library.GemmPacked(transposeA, rows, columns, Math.Min(Depth, k - depth), from, lda, PackedPart(part, index % Across), ldb, z, cRow, accumulate || part > 0);
            }
        }

        private readonly T* PackedPart(int part, int across) => (T*)(_packed + (part * Across + across) * _packedBytes);

        private readonly void PackPart(int part, int across)
        {
            var (depth, column) = (part * Depth, across * tileColumns);
            var (transpose, ldb) = Layout(b, k, n);
            var from = transpose ? b.Data + (nint)column * ldb + depth : b.Data + (nint)depth * ldb + column;
            library.Pack(transpose, tileRows, Math.Min(tileColumns, n - column), Math.Min(Depth, k - depth), from, ldb, PackedPart(part, across));
        }
    }
}
