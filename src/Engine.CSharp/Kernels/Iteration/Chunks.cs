using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>Operands a chunk at a time.</summary>
internal static unsafe class Chunks
{
    /// <summary>Visits [at, at + n) of an operand at consecutive places: where it lies, or packed into the buffer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T* In<T>(Loop* loop, int operand, bool dense, T* source, long at, int n, T* buffer)
        where T : unmanaged
    {
        if (dense) return source + at;
        loop->Pack(operand, source, at, n, buffer);
        return buffer;
    }
}
