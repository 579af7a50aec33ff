using System.Collections.Concurrent;

namespace Verified.Engine;

/// <summary>
/// The checking mode of the engine's memory: fresh and freed blocks are filled with patterns that read as NaN, and every block stands between guard zones
/// that are inspected when it is freed. Slow; for tests and for hunting kernels that write where they should not or never write at all.
/// </summary>
public static class MemoryChecks
{
    /// <summary>Bytes of each guard zone.</summary>
    internal const int GuardBytes = 64;

    /// <summary>Fills fresh memory: a NaN in both floating-point types.</summary>
    internal const byte Fresh = 0xFF;

    /// <summary>Fills freed memory: also a NaN of float32 whose bits tell that it was freed.</summary>
    internal const byte Freed = 0xFD;

    /// <summary>Fills guard zones.</summary>
    internal const byte Guard = 0xA5;

    private static readonly ConcurrentQueue<string> Found = new();

    /// <summary>
    /// Switches the mode for allocations made from now on. On at start where the environment variable <c>VERIFIED_CHECK_MEMORY</c> is 1
    /// or the runtime switch <c>Verified.Engine.CheckMemory</c> is true.
    /// </summary>
    public static bool Enabled { get; set; } =
        Environment.GetEnvironmentVariable("VERIFIED_CHECK_MEMORY") == "1"
        || (AppContext.TryGetSwitch("Verified.Engine.CheckMemory", out var on) && on);

    /// <summary>What freed blocks' guard zones have shown so far: one sentence a block. Reading does not clear it.</summary>
    public static IReadOnlyCollection<string> Violations => [.. Found];

    /// <summary>Collects garbage so that dropped blocks are inspected, then throws if any guard zone was written to, and forgets what it reported.</summary>
    /// <exception cref="AutogradException">One was written to; it says which.</exception>
    public static void Verify()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        if (Found.IsEmpty) return;
        var all = string.Join(" ", Found);
        Found.Clear();
        throw new AutogradException(ErrorKind.Other, all);
    }

    internal static void Report(string violation) => Found.Enqueue(violation);
}
