using System.Numerics;

namespace Verified.Engine.Kernels;

/// <summary>Resizing dense planes by taking the nearest element, PyTorch's <c>interpolate(mode="nearest")</c>.</summary>
internal static unsafe class Nearest
{
    /// <summary>
    /// The source of each of <paramref name="outSize"/> places along one dimension: floor(i * scale), scale being size / outSize, or
    /// 1 / <paramref name="scaleFactor"/> where one was given (0 if not). Computed in float32 or float64 as the data is.
    /// </summary>
    public static int[] Sources(int size, int outSize, double scaleFactor, bool single)
    {
        var sources = new int[outSize];
        var scale = scaleFactor > 0 ? 1 / scaleFactor : (double)size / outSize;
        if (single) scale = scaleFactor > 0 ? (float)(1 / scaleFactor) : (float)size / outSize;
        for (var i = 0; i < outSize; i++)
        {
            var place = single ? (float)scale * i : scale * i;
            sources[i] = Math.Min((int)Math.Floor(place), size - 1);
        }
        return sources;
    }

    /// <summary>y[p, i, j] = x[p, rows[i], columns[j]].</summary>
    public static void Forward<T>(ref T x, ref T y, int planes, int height, int width, ReadOnlySpan<int> rows, ReadOnlySpan<int> columns)
        where T : unmanaged
    {
        fixed (T* px = &x, py = &y)
        {
            var to = py;
            for (long p = 0; p < planes; p++)
                foreach (var row in rows)
                {
                    var from = px + (((p * height) + row) * width);
                    foreach (var column in columns) *to++ = from[column];
                }
        }
    }

    /// <summary>dx[p, rows[i], columns[j]] += g[p, i, j], in row-major order of g. The caller has set dx to zero.</summary>
    public static void Backward<T>(ref T g, ref T dx, int planes, int height, int width, ReadOnlySpan<int> rows, ReadOnlySpan<int> columns)
        where T : unmanaged, INumber<T>
    {
        fixed (T* pg = &g, pd = &dx)
        {
            var from = pg;
            for (long p = 0; p < planes; p++)
                foreach (var row in rows)
                {
                    var to = pd + (((p * height) + row) * width);
                    foreach (var column in columns) to[column] += *from++;
                }
        }
    }
}
