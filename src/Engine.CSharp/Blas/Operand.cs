namespace Verified.Engine.Blas;

/// <summary>A matrix operand: element (i, j) lies at <c>Data[i * RowStride + j * ColumnStride]</c>.</summary>
/// <param name="data">The element (0, 0).</param>
/// <param name="rowStride">Elements from one row to the next; any value, negative and zero included.</param>
/// <param name="columnStride">Elements from one column to the next; any value, negative and zero included.</param>
/// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
public readonly unsafe struct Operand<T>(T* data, nint rowStride, nint columnStride)
    where T : unmanaged
{
    /// <summary>The element (0, 0).</summary>
    public T* Data { get; } = data;

    /// <summary>Elements from one row to the next.</summary>
    public nint RowStride { get; } = rowStride;

    /// <summary>Elements from one column to the next.</summary>
    public nint ColumnStride { get; } = columnStride;

    /// <summary>The same elements with rows and columns exchanged; nothing is copied.</summary>
    public Operand<T> Transposed => new(Data, ColumnStride, RowStride);

    /// <summary>The operand whose element (0, 0) is this one's element (<paramref name="row"/>, <paramref name="column"/>).</summary>
    public Operand<T> At(nint row, nint column) => new(Data + row * RowStride + column * ColumnStride, RowStride, ColumnStride);
}
