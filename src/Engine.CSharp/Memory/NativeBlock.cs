using System.Runtime.InteropServices;

namespace Verified.Engine;

/// <summary>
/// One native block of the <see cref="NativePool"/>. The object itself is cached with its memory: its finalizer puts it back and registers it anew,
/// so that a steady state makes no finalizable objects.
/// </summary>
internal sealed unsafe class NativeBlock(byte* memory, long size, int sizeClass)
{
    private readonly byte* memory = memory;
    private long used;
    private bool guarded;
    private volatile bool open;

    ~NativeBlock()
    {
        if (!open) return;
        GC.ReRegisterForFinalize(this);
        NativePool.Return(this);
    }

    /// <summary>Bytes of the size class.</summary>
    public long Size { get; } = size;

    /// <summary>The size class's index.</summary>
    public int Class { get; } = sizeClass;

    /// <summary>The first byte that the tensor may use.</summary>
    public byte* Start => guarded ? memory + MemoryChecks.GuardBytes : memory;

    /// <summary>Makes the block ready for a new owner.</summary>
    public void Open(long bytes, bool check)
    {
        used = bytes;
        guarded = check;
        open = true;
        if (!check) return;
        NativeMemory.Fill(memory, (nuint)Size, MemoryChecks.Guard);
        NativeMemory.Fill(Start, (nuint)bytes, MemoryChecks.Fresh);
    }

    /// <summary>Inspects and poisons the block when its owner is gone.</summary>
    public void Close()
    {
        open = false;
        if (!guarded) return;
        var before = new ReadOnlySpan<byte>(memory, MemoryChecks.GuardBytes);
        var after = new ReadOnlySpan<byte>(Start + used, MemoryChecks.GuardBytes);
        if (before.ContainsAnyExcept(MemoryChecks.Guard)) MemoryChecks.Report($"A kernel wrote before the start of a block of {used} bytes.");
        if (after.ContainsAnyExcept(MemoryChecks.Guard)) MemoryChecks.Report($"A kernel wrote past the end of a block of {used} bytes.");
        NativeMemory.Fill(Start, (nuint)used, MemoryChecks.Freed);
    }

    /// <summary>Gives the memory back to the operating system; the block must be closed.</summary>
    public void Destroy()
    {
#pragma warning disable CA1816 // The pool is this class's dispose.
        GC.SuppressFinalize(this);
#pragma warning restore CA1816
        NativeMemory.AlignedFree(memory);
    }
}
