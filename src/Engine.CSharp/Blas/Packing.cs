using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Verified.Engine.Blas;

/// <summary>Copies of operand blocks in the order in which the micro-kernel reads them.</summary>
internal static unsafe class Packing
{
    /// <summary>
    /// <paramref name="count"/> lines of k elements, interleaved: target[p * pitch + l] = line l's element p; what lies between
    /// <paramref name="count"/> and <paramref name="pitch"/> is of no meaning. A line is a row of A or a column of B.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Interleave<T>(KernelSet<T> kernels, T* source, nint lineStride, nint elementStride, int count, nint k, T* target, int pitch)
        where T : unmanaged
    {
        if (lineStride == 1)
        {
            kernels.CopyRows(k, source, elementStride, count, target, pitch);
            return;
        }

        if (count < pitch)
            new Span<T>(target, checked((int)(k * pitch))).Clear();
        var line = 0;
        for (; line + 4 <= count; line += 4)
        {
            if (typeof(T) == typeof(float) && elementStride == 1 && Sse.IsSupported)
            {
                InterleaveFour((float*)(source + line * lineStride), lineStride, k, (float*)(target + line), pitch);
                continue;
            }


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

        if (line < count && count > 4 && typeof(T) == typeof(float) && elementStride == 1 && Sse.IsSupported)
        {
            // The last four lines once more, with those before them.
            InterleaveFour((float*)(source + (count - 4) * lineStride), lineStride, k, (float*)(target + count - 4), pitch);
            return;
        }

        for (; line < count; line++)
        {
            var s = source + line * lineStride;
            for (nint p = 0; p < k; p++)
                target[p * pitch + line] = s[p * elementStride];
        }
    }

    /// <summary>Four contiguous lines, by transposing blocks of four by four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void InterleaveFour(float* source, nint lineStride, nint k, float* target, nint pitch)
    {
        nint p = 0;
        for (; p + 4 <= k; p += 4, target += 4 * pitch)
        {
            var r0 = Vector128.Load(source + p);
            var r1 = Vector128.Load(source + p + lineStride);
            var r2 = Vector128.Load(source + p + 2 * lineStride);
            var r3 = Vector128.Load(source + p + 3 * lineStride);
            var low01 = Sse.UnpackLow(r0, r1);
            var high01 = Sse.UnpackHigh(r0, r1);
            var low23 = Sse.UnpackLow(r2, r3);
            var high23 = Sse.UnpackHigh(r2, r3);
            Sse.MoveLowToHigh(low01, low23).Store(target);
            Sse.MoveHighToLow(low23, low01).Store(target + pitch);
            Sse.MoveLowToHigh(high01, high23).Store(target + 2 * pitch);
            Sse.MoveHighToLow(high23, high01).Store(target + 3 * pitch);
        }

        for (; p < k; p++, target += pitch)
        {
            for (nint line = 0; line < 4; line++)
                target[line] = source[p + line * lineStride];
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
