using System.Runtime.InteropServices;
using Verified.Engine.Blas;

namespace Verified.Engine.Tests;

/// <summary>How a test matrix lies in memory.</summary>
public enum BlasLayout
{
    Rows,
    PaddedRows,
    Columns,
    PaddedColumns,
    RowsBackwards,
    ColumnsBackwards,
    SameRow,
    SameColumn,
    EveryThird,
}

/// <summary>A random matrix in native memory in one of the layouts; freed when disposed.</summary>
internal sealed unsafe class BlasMatrix<T> : IDisposable
    where T : unmanaged
{
    private readonly T* _memory;

    public BlasMatrix(int rows, int columns, BlasLayout layout, Random random)
    {
        (Rows, Columns) = (rows, columns);
        var (row, column) = layout switch
        {
            BlasLayout.Rows => ((nint)columns, (nint)1),
            BlasLayout.PaddedRows => (columns + 5, 1),
            BlasLayout.Columns => (1, rows),
            BlasLayout.PaddedColumns => (1, rows + 3),
            BlasLayout.RowsBackwards => (-columns, 1),
            BlasLayout.ColumnsBackwards => (columns, -1),
            BlasLayout.SameRow => (0, 1),
            BlasLayout.SameColumn => (1, 0),
            _ => (3 * columns + 1, 3),
        };
        var size = (nint)Math.Max(1, (rows + 4) * (3 * columns + 8) + (columns + 4) * (rows + 8));
        _memory = (T*)NativeMemory.Alloc((nuint)size, (nuint)sizeof(T));
        // What does not belong to the matrix is NaN: reading it shows.
        for (nint i = 0; i < size; i++)
            _memory[i] = Number(double.NaN);
        var first = _memory + (row < 0 ? -row * Math.Max(rows - 1, 0) : 0) + (column < 0 ? -column * Math.Max(columns - 1, 0) : 0);
        Operand = new Operand<T>(first, row, column);
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
                first[i * row + j * column] = Number((random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-6, 7)));
        }
    }

    public int Rows { get; }

    public int Columns { get; }

    public Operand<T> Operand { get; }

    public double this[int i, int j] => Value(Operand.Data[i * Operand.RowStride + j * Operand.ColumnStride]);

    public static T Number(double value) => typeof(T) == typeof(float) ? (T)(object)(float)value : (T)(object)value;

    public static double Value(T number) => typeof(T) == typeof(float) ? (float)(object)number : (double)(object)number;

    public void Dispose() => NativeMemory.Free(_memory);
}
