namespace Verified.Engine.Kernels;

/// <summary>Triangles of matrices.</summary>
internal static unsafe class Triangle
{
    /// <summary>y = x where column - row &lt;= diagonal, else 0, of dense matrices [batch, rows, columns]. The destination may be the source.</summary>
    public static void Lower<T>(ref T x, ref T y, int batch, int rows, int columns, long diagonal)
        where T : unmanaged
    {
        fixed (T* px = &x, py = &y)
            for (long r = 0; r < (long)batch * rows; r++)
            {
                var kept = (int)Math.Clamp((r % rows) + diagonal + 1, 0, columns);
                Rows.Copy(px + (r * columns), py + (r * columns), kept);
                Rows.Fill(default, py + (r * columns) + kept, columns - kept);
            }
    }

    /// <summary>y = x where column - row &gt;= diagonal, else 0, of dense matrices [batch, rows, columns]. The destination may be the source.</summary>
    public static void Upper<T>(ref T x, ref T y, int batch, int rows, int columns, long diagonal)
        where T : unmanaged
    {
        fixed (T* px = &x, py = &y)
            for (long r = 0; r < (long)batch * rows; r++)
            {
                var cleared = (int)Math.Clamp((r % rows) + diagonal, 0, columns);
                Rows.Fill(default, py + (r * columns), cleared);
                Rows.Copy(px + (r * columns) + cleared, py + (r * columns) + cleared, columns - cleared);
            }
    }
}
