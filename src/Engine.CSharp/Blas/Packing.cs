using System.Runtime.CompilerServices;

namespace Verified.Engine.Blas;

/// <summary>Copies of operand blocks in the order in which the micro-kernel reads them.</summary>
internal static unsafe class Packing
{
    /// <summary>
    /// <paramref name="count"/> lines of k elements, interleaved: target[p * pitch + l] = line l's element p; what lies between
    /// <paramref name="count"/> and <paramref name="pitch"/> is zero. A line is a row of A or a column of B.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Interleave<T>(T* source, nint lineStride, nint elementStride, int count, nint k, T* target, int pitch)
        where T : unmanaged
    {
        if (lineStride == 1)
        {
            for (nint p = 0; p < k; p++)
            {
                Unsafe.CopyBlockUnaligned(target + p * pitch, source + p * elementStride, (uint)(count * sizeof(T)));
                for (var l = count; l < pitch; l++)
                    target[p * pitch + l] = default;
            }

            return;
        }

        var line = 0;
        for (; line + 4 <= count; line += 4)
        {
            var s0 = source + line * lineStride;
            var s1 = s0 + lineStride;
            var s2 = s1 + lineStride;
            var s3 = s2 + lineStride;
            var t = target + line;
            for (nint p = 0; p < k; p++, t += pitch)
            {
                t[0] = *s0;
                t[1] = *s1;
                t[2] = *s2;
                t[3] = *s3;
                s0 += elementStride;
                s1 += elementStride;
                s2 += elementStride;
                s3 += elementStride;
            }
        }

        for (; line < pitch; line++)
        {
            var s = source + line * lineStride;
            for (nint p = 0; p < k; p++)
                target[p * pitch + line] = line < count ? s[p * elementStride] : default;
        }
    }

    /// <summary>A contiguous row-major copy.</summary>
    public static void Copy<T>(Operand<T> source, int rows, int columns, T* target)
        where T : unmanaged
    {
        for (nint i = 0; i < rows; i++)
        {
            var row = source.Data + i * source.RowStride;
            if (source.ColumnStride == 1)
            {
                Buffer.MemoryCopy(row, target, (long)columns * sizeof(T), (long)columns * sizeof(T));
            }
            else
            {
                for (nint j = 0; j < columns; j++)
                    target[j] = row[j * source.ColumnStride];
            }

            target += columns;
        }
    }
}
