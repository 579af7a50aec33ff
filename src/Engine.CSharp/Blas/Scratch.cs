using System.Runtime.InteropServices;

namespace Verified.Engine.Blas;

/// <summary>A thread's aligned scratch memory for packed operands; it grows to the largest need and is freed with its thread.</summary>
internal sealed unsafe class Scratch
{
    private const nuint Alignment = 64;

    [ThreadStatic]
    private static Scratch? t_packing;

    [ThreadStatic]
    private static Scratch? t_panels;

    [ThreadStatic]
    private static Scratch? t_copies;

    [ThreadStatic]
    private static Scratch? t_columns;

    private byte* _data;
    private nuint _bytes;

    private Scratch()
    {
    }

    ~Scratch() => NativeMemory.AlignedFree(_data);

    /// <summary>For what all items of a product read packed.</summary>
    public static Scratch Packing => t_packing ??= new Scratch();

    /// <summary>For the panels that one item packs for itself.</summary>
    public static Scratch Panels => t_panels ??= new Scratch();

    /// <summary>For contiguous copies of operands that a library cannot read in place.</summary>
    public static Scratch Copies => t_copies ??= new Scratch();

    /// <summary>For a convolution's tile of windows, which products then read.</summary>
    public static Scratch Columns => t_columns ??= new Scratch();

    /// <summary>At least <paramref name="count"/> elements, 64-byte aligned, uninitialised; valid until the next call on this thread.</summary>
    public T* Take<T>(nint count)
        where T : unmanaged
    {
        var bytes = checked((nuint)count * (nuint)sizeof(T));
        if (bytes > _bytes)
        {
            NativeMemory.AlignedFree(_data);
            _data = null;
            _bytes = 0;
            _data = (byte*)NativeMemory.AlignedAlloc(bytes + bytes / 8, Alignment);
            _bytes = bytes + bytes / 8;
        }

        return (T*)_data;
    }
}
