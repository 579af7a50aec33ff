using System.Runtime.CompilerServices;

namespace Verified.Engine;

/// <summary>
/// The memory that a tensor and its views share, with the count of in-place writes to it. One element lives in the object itself, up to
/// <see cref="SmallBytes"/> bytes in a small managed array, more in a block of the <see cref="NativePool"/>.
/// </summary>
internal sealed unsafe class Storage
{
    /// <summary>The most bytes that live in managed memory: 64 elements of 8 bytes.</summary>
    public const int SmallBytes = 512;

    private const int ThreadShift = 40;

    private static long threads;

    [ThreadStatic]
    private static long serials;

    private static readonly object Released = new();

    private byte* native;
    private object? owner;
    private long inline;
    private int version;

    private Storage(Storage shared)
    {
        native = shared.native;
        owner = shared.owner ?? shared;
        ByteLength = shared.ByteLength;
    }

    private Storage(long bytes, bool zeroed)
    {
        ByteLength = bytes;
        Serial = NextSerial();
        if (bytes <= sizeof(long) && !MemoryChecks.Enabled) return;
        if (bytes <= SmallBytes && !MemoryChecks.Enabled)
        {
            owner = zeroed ? new byte[bytes] : GC.AllocateUninitializedArray<byte>((int)bytes);
            return;
        }
        var block = NativePool.Rent(bytes);
        owner = block;
        native = block.Start;
        if (zeroed) System.Runtime.InteropServices.NativeMemory.Clear(native, (nuint)bytes);
    }

    /// <summary>Bytes that may be used.</summary>
    public long ByteLength { get; }

    /// <summary>The number of this storage among those that its thread made; shared memory under another version count has none.</summary>
    public long Serial { get; }

    /// <summary>The last number given on this thread: storages made from now on have larger ones, those of other threads lie far away.</summary>
    public static long Mark
    {
        get
        {
            // A thread that has made none yet must have a mark of its own too, or all that others made would look new.
            if (serials == 0) serials = Interlocked.Increment(ref threads) << ThreadShift;
            return serials;
        }
    }

    /// <summary>How many in-place writes this storage has seen.</summary>
    public int Version => version;

    /// <summary>What tells one piece of memory from another.</summary>
    public object Identity => owner ?? this;

    /// <summary>The first byte. Whoever uses it keeps the storage alive until it is done.</summary>
    public ref byte Origin
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (native != null) return ref *native;
            if (owner is null) return ref Unsafe.As<long, byte>(ref inline);
            return ref Managed();
        }
    }

    /// <summary>New memory whose content is not defined.</summary>
    public static Storage Create(long bytes) => new(bytes, zeroed: false);

    /// <summary>New memory of zeros.</summary>
    public static Storage CreateZeroed(long bytes) => new(bytes, zeroed: true);

    /// <summary>The same memory under a count of its own, as <c>.data</c> gives it.</summary>
    public Storage WithOwnVersion() => new(this);

    /// <summary>Gives a native block back before the collector finds it. For whoever knows that nobody else will read it; reading raises afterwards.</summary>
    public void Release()
    {
        if (owner is not NativeBlock block) return;
        native = null;
        owner = Released;
        block.Release();
    }

    /// <summary>Counts an in-place write.</summary>
    public void Bump() => version++;

    private static long NextSerial() => serials = Mark + 1;

    private ref byte Managed()
    {
        if (owner is byte[] array) return ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(array);
        if (ReferenceEquals(owner, Released)) throw new ObjectDisposedException(nameof(Tensor), "a derivative rule kept a gradient that it was only lent");
        return ref ((Storage)owner!).Origin;
    }
}
