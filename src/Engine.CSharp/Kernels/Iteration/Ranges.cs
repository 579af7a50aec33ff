using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>Work that can be done in parts: units [begin, end) write nothing that another part reads or writes.</summary>
internal interface IRangeWork
{
    void Run(long begin, long end);
}

/// <summary>
/// Where kernels hand out independent parts. A part's result does not depend on where the borders lie, and borders depend on the count
/// and the grain alone, so results have the same bits for every number of threads.
/// </summary>
internal static class Ranges
{
    /// <summary>Elements below which a kernel stays on its thread.</summary>
    public const long Grain = 32 * 1024;

    /// <summary>Runs [0, count), in parts of at least <paramref name="grain"/> units where there are several threads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void For<TWork>(long count, long grain, ref TWork work)
        where TWork : struct, IRangeWork
    {
        _ = grain;
        if (count > 0) work.Run(0, count);
    }
}
