using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>Bits of a mask to bytes of 0 and 1.</summary>
internal static unsafe class Masks
{
    /// <summary>Writes <paramref name="count"/> (2, 4, 8, 16 or more) bytes, the lowest bit first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ulong bits, int count, byte* destination)
    {
        if (count == 2) *(ushort*)destination = (ushort)Spread(bits);
        else if (count == 4) *(uint*)destination = (uint)Spread(bits);
        else
            for (var i = 0; i < count; i += 8) *(ulong*)(destination + i) = Spread((bits >> i) & 0xFF);
    }

    /// <summary>Bit i of eight bits becomes byte i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Spread(ulong eight) =>
        ((((eight * 0x0101010101010101UL) & 0x8040201008040201UL) + 0x7F7F7F7F7F7F7F7FUL) >> 7) & 0x0101010101010101UL;
}
