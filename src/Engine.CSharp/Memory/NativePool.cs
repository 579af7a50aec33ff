using System.Numerics;
using System.Runtime.InteropServices;

namespace Verified.Engine;

/// <summary>
/// A cache of 64-byte aligned native blocks in size classes, four to each power of two. Blocks come back when a lease is known to be the last, otherwise
/// by their finalizer; an allocation that would pass the high-water mark first collects garbage and waits for the finalizers, so memory stays bounded although nobody disposes.
/// </summary>
internal static unsafe class NativePool
{
    private const int Alignment = 64;
    private const int SmallestShift = 9;
    private const long InitialMark = 16L << 20;
    private const long KeepAtLeast = 64L << 20;

    private static readonly Stack<nint>[] Free = CreateStacks();
    private static long live;
    private static long cached;
    private static long mark = InitialMark;
    private static long liveAfterFull = InitialMark / 2;

    /// <summary>Bytes handed out and not yet returned.</summary>
    public static long LiveBytes => Interlocked.Read(ref live);

    /// <summary>Bytes kept for reuse.</summary>
    public static long CachedBytes => Interlocked.Read(ref cached);

    /// <summary>A block of at least <paramref name="bytes"/> bytes; its content is whatever was there (the fresh pattern in checking mode).</summary>
    public static NativeBlock Rent(long bytes)
    {
        var check = MemoryChecks.Enabled;
        var index = ClassOf(bytes + (check ? 2 * MemoryChecks.GuardBytes : 0));
        var size = SizeOf(index);
        if (LiveBytes + size > Interlocked.Read(ref mark)) Reclaim(size);
        nint memory;
        var stack = Free[index];
        lock (stack) stack.TryPop(out memory);
        if (memory != 0)
        {
            Interlocked.Add(ref cached, -size);
        }
        else
        {
            // Each size class keeps what it once needed: what other sizes left behind is given back before more is taken.
            if (CachedBytes > 2 * Math.Max(KeepAtLeast, Interlocked.Read(ref mark))) Trim();
            memory = Allocate(size);
        }
        Interlocked.Add(ref live, size);
        return new NativeBlock((byte*)memory, index, bytes, check);
    }

    /// <summary>New memory; where there is none, what the cache and dropped tensors hold is given back first.</summary>
    private static nint Allocate(long size)
    {
        try
        {
            return (nint)NativeMemory.AlignedAlloc((nuint)size, Alignment);
        }
        catch (OutOfMemoryException)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Trim();
            // What could not be had must not raise the mark.
            Interlocked.Exchange(ref mark, Math.Max(InitialMark, 2 * LiveBytes));
            return (nint)NativeMemory.AlignedAlloc((nuint)size, Alignment);
        }
    }

    /// <summary>Takes a block's memory back.</summary>
    public static void Return(byte* memory, int sizeClass)
    {
        var size = SizeOf(sizeClass);
        Interlocked.Add(ref live, -size);
        Interlocked.Add(ref cached, size);
        var stack = Free[sizeClass];
        lock (stack) stack.Push((nint)memory);
    }

    /// <summary>Gives the cached blocks back to the operating system.</summary>
    public static void Trim()
    {
        for (var index = 0; index < Free.Length; index++)
        {
            var stack = Free[index];
            lock (stack)
            {
                while (stack.TryPop(out var memory))
                {
                    Interlocked.Add(ref cached, -SizeOf(index));
                    NativeMemory.AlignedFree((void*)memory);
                }
            }
        }
    }

    /// <summary>Collects what was dropped and forgets how much was once needed, as in a new process: what is measured next does not depend on what ran before.</summary>
    public static void Settle()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Trim();
        Interlocked.Exchange(ref liveAfterFull, Math.Max(LiveBytes, InitialMark / 2));
        Interlocked.Exchange(ref mark, Math.Max(InitialMark, 2 * LiveBytes));
    }

    private static void Reclaim(long wanted)
    {
        GC.Collect(1, GCCollectionMode.Forced, blocking: true);
        GC.WaitForPendingFinalizers();
        if (LiveBytes + wanted > Interlocked.Read(ref mark) * 3 / 4 && LiveBytes > 2 * Interlocked.Read(ref liveAfterFull))
        {
            // What survives generation 1 may be garbage of generation 2.
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Interlocked.Exchange(ref liveAfterFull, Math.Max(LiveBytes, InitialMark / 2));
            if (CachedBytes > Math.Max(KeepAtLeast, LiveBytes)) Trim();
        }
        Interlocked.Exchange(ref mark, Math.Max(InitialMark, 2 * (LiveBytes + wanted)));
    }

    private static int ClassOf(long bytes)
    {
        if (bytes <= 1L << SmallestShift) return 0;
        var shift = 63 - BitOperations.LeadingZeroCount((ulong)(bytes - 1));
        var quarter = (int)((bytes - 1) >> (shift - 2)) & 3;
        return (4 * (shift - SmallestShift)) + quarter + 1;
    }

    /// <summary>Bytes of a size class.</summary>
    public static long SizeOf(int index)
    {
        if (index == 0) return 1L << SmallestShift;
        var shift = ((index - 1) / 4) + SmallestShift;
        return (5L + ((index - 1) % 4)) << (shift - 2);
    }

    private static Stack<nint>[] CreateStacks()
    {
        var stacks = new Stack<nint>[4 * (48 - SmallestShift)];
        for (var i = 0; i < stacks.Length; i++) stacks[i] = new Stack<nint>();
        return stacks;
    }
}
