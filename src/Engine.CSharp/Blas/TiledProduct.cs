namespace Verified.Engine.Blas;

/// <summary>
/// Blocks, packing and tiles of one product: k is cut into blocks whose panels stay in cache, panels of B (one tile wide) and strips
/// of A (one tile high) are packed where that pays, and tiles go through <see cref="MicroKernel{TSimd, TVector, T, TRows, TColumns}"/>.
/// </summary>
internal unsafe struct TiledProduct<T>(KernelSet<T> kernels, int m, int n, int k, Operand<T> a, Operand<T> b, T* c, nint cRow, nint cColumn)
    : IParallelBody
    where T : unmanaged
{
    private const int StripsPerGroup = 10;
    private const int BlockColumns = 2048;
    private const int BlockRows = 4096;
    private const long ParallelFrom = 1 << 19;

    private readonly nint _blockDepth = 2048 / sizeof(T) * 3 / 4;

    // The current block: rows of _row.., columns of _column.., the summed index from _depth on.
    private int _row, _rows, _column, _columns;
    private nint _depth, _depths;
    private bool _packA, _packB, _accumulate, _packing;
    private int _groupPanels, _panelGroups;
    private T* _aPanels, _bPanels;

    /// <summary>Does the whole product.</summary>
    public void Run(bool accumulate, bool parallel)
    {
        parallel = parallel && (long)m * n * k >= ParallelFrom;
        for (var row = 0; row < m; row += BlockRows)
        {
            for (var column = 0; column < n; column += BlockColumns)
            {
                for (nint depth = 0; depth < k; depth += _blockDepth)
                {
                    (_row, _column, _depth) = (row, column, depth);
                    (_rows, _columns, _depths) = (Math.Min(BlockRows, m - row), Math.Min(BlockColumns, n - column), Math.Min(_blockDepth, k - depth));
                    _accumulate = accumulate || depth > 0;
                    Block(parallel);
                }
            }
        }
    }

    /// <summary>Packs or multiplies one item of the current block.</summary>
    public readonly void Invoke(int index)
    {
        if (_packing)
            Pack(index);
        else
            Multiply(index / _panelGroups, index % _panelGroups);
    }

    private readonly int Strips => (_rows + kernels.MaxRows - 1) / kernels.MaxRows;

    private readonly int Panels => (_columns + kernels.MaxColumns - 1) / kernels.MaxColumns;

    private readonly int StripGroups => (Strips + StripsPerGroup - 1) / StripsPerGroup;

    private void Block(bool parallel)
    {
        // Small blocks of B are read where they lie; so is A, by broadcasts, unless many panels read it again.
        _packB = b.ColumnStride != 1 || (Strips >= 4 && _depths * _columns * sizeof(T) > 32 * 1024);
        _packA = Panels >= 8 && (a.RowStride != 1 || Panels >= 16);
        var aElements = _packA ? _rows * _depths : 0;
        aElements = (aElements + 63) / 64 * 64;
        var panel = _depths * kernels.MaxColumns;
        _aPanels = Scratch.Packing.Take<T>(aElements + (_packB ? Panels * panel : panel));
        _bPanels = _aPanels + aElements;
        _groupPanels = Strips >= 4 * StripsPerGroup ? Panels : Math.Max(1, Math.Min(16, Panels / 8));
        _panelGroups = (Panels + _groupPanels - 1) / _groupPanels;

        var packs = PackItems;
        if (packs > 0)
        {
            _packing = true;
            Do(packs, parallel);
        }

        _packing = false;
        Do(StripGroups * _panelGroups, parallel);
    }

    private readonly void Do(int items, bool parallel)
    {
        if (parallel)
        {
            Parallelism.For(items, this);
            return;
        }

        for (var i = 0; i < items; i++)
            Invoke(i);
    }

    private readonly int PackItems => (_packA ? StripGroups : 0) + PanelsToPack;

    private readonly bool LastPanelPartial => _columns % kernels.Width != 0;

    private readonly int PanelsToPack => _packB ? Panels : LastPanelPartial ? 1 : 0;

    private readonly void Pack(int item)
    {
        if (item < PanelsToPack)
        {
            var panel = _packB ? item : Panels - 1;
            var from = panel * kernels.MaxColumns;
            var source = b.At(_depth, _column + from);
            Packing.Interleave(source.Data, b.ColumnStride, b.RowStride, Math.Min(kernels.MaxColumns, _columns - from), _depths, PanelAt(panel), kernels.MaxColumns);
            return;
        }

        var group = item - PanelsToPack;
        for (var strip = group * StripsPerGroup; strip < Math.Min(Strips, (group + 1) * StripsPerGroup); strip++)
        {
            var (row, rows) = Strip(strip);
            var source = a.At(_row + row, _depth);
            Packing.Interleave(source.Data, a.RowStride, a.ColumnStride, rows, _depths, _aPanels + row * _depths, rows);
        }
    }

    private readonly T* PanelAt(int panel) => _bPanels + (_packB ? panel : 0) * _depths * kernels.MaxColumns;

    /// <summary>Strips of nearly equal height, so that no tile is left with a single row.</summary>
    private readonly (int Row, int Rows) Strip(int strip)
    {
        var strips = Strips;
        var height = _rows / strips;
        var higher = _rows % strips;
        return (strip * height + Math.Min(strip, higher), height + (strip < higher ? 1 : 0));
    }

    private readonly void Multiply(int stripGroup, int panelGroup)
    {
        var lastPanel = Math.Min(Panels, (panelGroup + 1) * _groupPanels);
        var firstStrip = stripGroup * StripsPerGroup;
        var lastStrip = Math.Min(Strips, firstStrip + StripsPerGroup);
        var tile = stackalloc T[kernels.MaxRows * kernels.MaxColumns];
        for (var panel = panelGroup * _groupPanels; panel < lastPanel; panel++)
        {
            var from = panel * kernels.MaxColumns;
            var columns = Math.Min(kernels.MaxColumns, _columns - from);
            var packed = _packB || columns % kernels.Width != 0;
            var y = packed ? PanelAt(panel) : b.At(_depth, _column + from).Data;
            var yRow = packed ? kernels.MaxColumns : b.RowStride;
            var whole = columns % kernels.Width == 0 && cColumn == 1;
            var tiles = columns <= kernels.Width ? kernels.OneRegister : kernels.TwoRegisters;
            for (var strip = firstStrip; strip < lastStrip; strip++)
            {
                var (row, rows) = Strip(strip);
                var x = _packA ? _aPanels + row * _depths : a.At(_row + row, _depth).Data;
                var (xRow, xColumn) = _packA ? (1, rows) : (a.RowStride, a.ColumnStride);
                var z = c + (_row + row) * cRow + (_column + from) * cColumn;
                if (whole)
                {
                    tiles[rows](_depths, x, xRow, xColumn, y, yRow, z, cRow, _accumulate);
                    continue;
                }

                // A tile that sticks out, or whose columns are not contiguous, is computed aside.
                if (_accumulate)
                    Move(z, cRow, cColumn, tile, kernels.MaxColumns, 1, rows, columns);
                tiles[rows](_depths, x, xRow, xColumn, y, yRow, tile, kernels.MaxColumns, _accumulate);
                Move(tile, kernels.MaxColumns, 1, z, cRow, cColumn, rows, columns);
            }
        }
    }

    private static void Move(T* source, nint sourceRow, nint sourceColumn, T* target, nint targetRow, nint targetColumn, int rows, int columns)
    {
        for (nint i = 0; i < rows; i++)
        {
            var s = source + i * sourceRow;
            var t = target + i * targetRow;
            for (nint j = 0; j < columns; j++, s += sourceColumn, t += targetColumn)
                *t = *s;
        }
    }
}
