using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>One-dimensional copies between strided and consecutive elements.</summary>
internal static unsafe class Rows
{
    public static void Gather<T>(T* source, int stride, T* buffer, int count)
        where T : unmanaged
    {
        if (stride == 1) Copy(source, buffer, count);
        else if (stride == 0) Fill(*source, buffer, count);
        else
            for (long i = 0, at = 0; i < count; i++, at += stride) buffer[i] = source[at];
    }

    public static void Scatter<T>(T* buffer, T* destination, int stride, int count)
        where T : unmanaged
    {
        if (stride == 1) Copy(buffer, destination, count);
        else
            for (long i = 0, at = 0; i < count; i++, at += stride) destination[at] = buffer[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy<T>(T* source, T* destination, int count)
        where T : unmanaged
    {
        if (count >= 16) new ReadOnlySpan<T>(source, count).CopyTo(new Span<T>(destination, count));
        else
            for (var i = 0; i < count; i++) destination[i] = source[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fill<T>(T value, T* destination, long count)
        where T : unmanaged
    {
        for (; count >= 16; count -= Math.Min(count, int.MaxValue), destination += int.MaxValue)
            new Span<T>(destination, (int)Math.Min(count, int.MaxValue)).Fill(value);
        for (var i = 0; i < count; i++) destination[i] = value;
    }

    public static void FillStrided<T>(T value, T* destination, int stride, int count)
        where T : unmanaged
    {
        if (stride == 1) Fill(value, destination, count);
        else
            for (long i = 0, at = 0; i < count; i++, at += stride) destination[at] = value;
    }
}
