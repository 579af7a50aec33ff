using System.Runtime.InteropServices;

namespace Verified.Engine;

/// <summary>
/// The hold of one storage on a native block of the <see cref="NativePool"/>, which its finalizer gives back. A new object for each hold: an old one that had reached the
/// oldest generation would be found dead only by a full collection.
/// </summary>
internal sealed unsafe class NativeBlock
{
    private readonly byte* memory;
    private readonly long used;
    private readonly bool guarded;
    private int returned;

    public NativeBlock(byte* memory, int sizeClass, long bytes, bool check)
    {
        this.memory = memory;
        Class = sizeClass;
        used = bytes;
        guarded = check;
        if (!check) return;
        NativeMemory.Fill(memory, (nuint)NativePool.SizeOf(sizeClass), MemoryChecks.Guard);
        NativeMemory.Fill(Start, (nuint)bytes, MemoryChecks.Fresh);
    }

    ~NativeBlock() => Return();

    /// <summary>The size class's index.</summary>
    public int Class { get; }

    /// <summary>The first byte that the tensor may use.</summary>
    public byte* Start => guarded ? memory + MemoryChecks.GuardBytes : memory;

    /// <summary>Gives the block back now. Nobody may use it afterwards.</summary>
    public void Release()
    {
        Return();
#pragma warning disable CA1816 // Releasing is this class's dispose.
        GC.SuppressFinalize(this);
#pragma warning restore CA1816
    }

    private void Return()
    {
        if (Interlocked.Exchange(ref returned, 1) != 0) return;
        if (guarded) Inspect();
        NativePool.Return(memory, Class);
    }

    private void Inspect()
    {
        var before = new ReadOnlySpan<byte>(memory, MemoryChecks.GuardBytes);
        var after = new ReadOnlySpan<byte>(Start + used, MemoryChecks.GuardBytes);
        if (before.ContainsAnyExcept(MemoryChecks.Guard)) MemoryChecks.Report($"A kernel wrote before the start of a block of {used} bytes.");
        if (after.ContainsAnyExcept(MemoryChecks.Guard)) MemoryChecks.Report($"A kernel wrote past the end of a block of {used} bytes.");
        NativeMemory.Fill(Start, (nuint)used, MemoryChecks.Freed);
    }
}
