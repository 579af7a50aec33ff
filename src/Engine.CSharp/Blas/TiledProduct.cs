using System.Runtime.CompilerServices;

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
    private const int PanelsPerGroup = 8;
    private const int RowsAtOnce = 16;
    private const int BlockDepth = 512;
    private const int BlockColumns = 2048;
    private const int BlockRows = 4096;
    private const int BytesInFirstCache = 32 * 1024;
    private const long ParallelFrom = 1 << 19;

    // The current block: rows of _row.., columns of _column.., the summed index from _depth on.
    private int _row, _rows, _column, _columns;
    private nint _depth, _depths;
    private int _strips, _panels, _stripGroups, _groupPanels, _panelGroups;
    private bool _packA, _packB, _packBInGroups, _accumulate, _packing;
    private T* _aPanels, _bPanels;

    /// <summary>Does the whole product.</summary>
    public void Run(bool accumulate, bool parallel)
    {
        parallel = parallel && ((long)m * n * k >= ParallelFrom || Parallelism.SharesEverything);
        var blocks = (k + BlockDepth - 1) / BlockDepth;
        nint blockDepth = (k + blocks - 1) / blocks;
        for (var row = 0; row < m; row += BlockRows)
        {
            for (var column = 0; column < n; column += BlockColumns)
            {
                for (nint depth = 0; depth < k; depth += blockDepth)
                {
                    (_row, _column, _depth) = (row, column, depth);
                    (_rows, _columns, _depths) = (Math.Min(BlockRows, m - row), Math.Min(BlockColumns, n - column), Math.Min(blockDepth, k - depth));
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

    private void Block(bool parallel)
    {
        _strips = (_rows + kernels.MaxRows - 1) / kernels.MaxRows;
        _panels = (_columns + kernels.MaxColumns - 1) / kernels.MaxColumns;
        _stripGroups = (_strips + StripsPerGroup - 1) / StripsPerGroup;

        // Small blocks of B are read where they lie; so is A, by broadcasts, unless many panels read it again.
        _packB = b.ColumnStride != 1 || (_strips >= 4 && _depths * _columns * sizeof(T) > BytesInFirstCache);
        _packBInGroups = _packB && _stripGroups == 1;
        _packA = _panels >= 8 && (a.RowStride != 1 || _panels >= 16);
        // Enough items for the pool, each with enough to do.
        _groupPanels = Math.Clamp(_panels / (_strips >= 4 * StripsPerGroup ? 4 : 8), 1, _packBInGroups ? PanelsPerGroup : 2 * PanelsPerGroup);
        _panelGroups = (_panels + _groupPanels - 1) / _groupPanels;

        var packsB = _packB && !_packBInGroups ? _panels : 0;
        var packsA = _packA ? _stripGroups : 0;
        if (packsA + packsB > 0)
        {
            var aElements = _packA ? (_rows * _depths + 63) / 64 * 64 : 0;
            _aPanels = Scratch.Packing.Take<T>(aElements + packsB * _depths * kernels.MaxColumns);
            _bPanels = _aPanels + aElements;
            _packing = true;
            Do(packsA + packsB, parallel);
        }

        _packing = false;
        Do(_stripGroups * _panelGroups, parallel);
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

    private readonly void Pack(int item)
    {
        if (item >= (_packA ? _stripGroups : 0))
        {
            var panel = item - (_packA ? _stripGroups : 0);
            PackPanel(panel, 0, _depths, _bPanels + panel * _depths * kernels.MaxColumns);
            return;
        }

        for (var strip = item * StripsPerGroup; strip < Math.Min(_strips, (item + 1) * StripsPerGroup); strip++)
        {
            var (row, rows) = Strip(strip);
            var source = a.At(_row + row, _depth);
            Packing.Interleave(kernels, source.Data, a.RowStride, a.ColumnStride, rows, _depths, _aPanels + row * _depths, rows);
        }
    }

    private readonly void PackPanel(int panel, nint depth, nint depths, T* target)
    {
        var from = panel * kernels.MaxColumns;
        var columns = Math.Min(kernels.MaxColumns, _columns - from);
        var pitch = Pitch(columns);
        var source = b.At(_depth + depth, _column + from).Data;
        Packing.Interleave(kernels, source, b.ColumnStride, b.RowStride, columns, depths, target + depth * pitch, pitch);
    }

    /// <summary>Panels of B that only this thread reads. Contiguous rows are copied some at a time across panels, which memory likes.</summary>
    private readonly void PackPanels(int first, int last, T* target)
    {
        var depths = b.ColumnStride == 1 ? RowsAtOnce : _depths;
        for (nint depth = 0; depth < _depths; depth += depths)
        {
            for (var panel = first; panel < last; panel++)
                PackPanel(panel, depth, Math.Min(depths, _depths - depth), target + (panel - first) * _depths * kernels.MaxColumns);
        }
    }

    /// <summary>Elements from one row of a packed panel to the next.</summary>
    private readonly int Pitch(int columns) => columns <= kernels.Width ? kernels.Width : kernels.MaxColumns;

    /// <summary>Strips of nearly equal height, so that no tile is left with a single row.</summary>
    private readonly (int Row, int Rows) Strip(int strip)
    {
        var height = _rows / _strips;
        var higher = _rows - height * _strips;
        return (strip * height + Math.Min(strip, higher), height + (strip < higher ? 1 : 0));
    }

    private readonly void Multiply(int stripGroup, int panelGroup)
    {
        var first = panelGroup * _groupPanels;
        var last = Math.Min(_panels, first + _groupPanels);
        var bPanels = _bPanels;
        if (_packBInGroups)
        {
            // Few rows: the panels are wanted by nobody else, and fit this thread's cache.
            bPanels = Scratch.Panels.Take<T>(_groupPanels * _depths * kernels.MaxColumns);
            PackPanels(first, last, bPanels);
            bPanels -= first * _depths * kernels.MaxColumns;
        }

        for (var panel = first; panel < last; panel++)
        {
            var from = panel * kernels.MaxColumns;
            var columns = Math.Min(kernels.MaxColumns, _columns - from);
            if (_packB)
            {
                MultiplyPanel(stripGroup, panel, bPanels + panel * _depths * kernels.MaxColumns, Pitch(columns), 0, _depths, _accumulate);
                continue;
            }

            // The last panel's registers reach beyond the rows of B, into the next ones: all but the last rows of B can be read so.
            var beyond = (kernels.Width - columns % kernels.Width) % kernels.Width;
            var aside = beyond == 0 ? 0 : b.RowStride > 0 ? Math.Min(_depths, (beyond + b.RowStride - 1) / b.RowStride) : _depths;
            var inPlace = _depths - aside;
            if (inPlace > 0)
                MultiplyPanel(stripGroup, panel, b.At(_depth, _column + from).Data, b.RowStride, 0, inPlace, _accumulate);
            if (aside > 0)
            {
                var rest = Scratch.Panels.Take<T>(aside * kernels.MaxColumns);
                Packing.Interleave(kernels, b.At(_depth + inPlace, _column + from).Data, 1, b.RowStride, columns, aside, rest, Pitch(columns));
                MultiplyPanel(stripGroup, panel, rest, Pitch(columns), inPlace, aside, _accumulate || inPlace > 0);
            }
        }
    }

    /// <summary>A group of strips times a panel, over the part of the block's depth from <paramref name="depth"/> on.</summary>
    [SkipLocalsInit]
    private readonly void MultiplyPanel(int stripGroup, int panel, T* y, nint yRow, nint depth, nint depths, bool accumulate)
    {
        var from = panel * kernels.MaxColumns;
        var columns = Math.Min(kernels.MaxColumns, _columns - from);
        var tiles = columns <= kernels.Width ? kernels.OneRegister : kernels.TwoRegisters;
        var whole = cColumn == 1 && (columns == kernels.Width || columns == kernels.MaxColumns);
        var pitch = Pitch(columns);
        var tile = stackalloc T[whole ? 1 : kernels.MaxRows * pitch];
        var lastStrip = Math.Min(_strips, (stripGroup + 1) * StripsPerGroup);
        for (var strip = stripGroup * StripsPerGroup; strip < lastStrip; strip++)
        {
            var (row, rows) = Strip(strip);
            var (xRow, xColumn) = _packA ? (1, rows) : (a.RowStride, a.ColumnStride);
            var x = _packA ? _aPanels + row * _depths + depth * rows : a.At(_row + row, _depth + depth).Data;
            var z = c + (_row + row) * cRow + (_column + from) * cColumn;
            if (whole)
            {
                tiles[rows](depths, x, xRow, xColumn, y, yRow, z, cRow, accumulate);
                continue;
            }

            // A tile that sticks out, or whose columns are not contiguous, is computed aside.
            if (accumulate)
                CopyIn(z, tile, pitch, rows, columns);
            tiles[rows](depths, x, xRow, xColumn, y, yRow, tile, pitch, accumulate);
            CopyOut(tile, pitch, z, rows, columns);
        }
    }

    private readonly void CopyIn(T* z, T* tile, int pitch, int rows, int columns)
    {
        if (cColumn == 1)
        {
            kernels.CopyRows(rows, z, cRow, columns, tile, pitch);
            return;
        }

        for (nint i = 0; i < rows; i++)
        {
            for (nint j = 0; j < columns; j++)
                tile[i * pitch + j] = z[i * cRow + j * cColumn];
        }
    }

    private readonly void CopyOut(T* tile, int pitch, T* z, int rows, int columns)
    {
        if (cColumn == 1)
        {
            kernels.CopyOut(rows, tile, pitch, columns, z, cRow);
            return;
        }

        for (nint j = 0; j < columns; j++)
        {
            for (nint i = 0; i < rows; i++)
                z[i * cRow + j * cColumn] = tile[i * pitch + j];
        }
    }
}
