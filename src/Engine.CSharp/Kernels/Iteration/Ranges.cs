using System.Runtime.CompilerServices;
using Verified.Engine.Blas;

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
    public static long Grain => Parallelism.SharesEverything ? 1 : 32 * 1024;

    /// <summary>Parts at most; enough for every thread to have several.</summary>
    private const long Parts = 64;

    /// <summary>Runs [0, count), in parts of at least <paramref name="grain"/> units.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void For<TWork>(long count, long grain, ref TWork work)
        where TWork : struct, IRangeWork
    {
        if (count > grain) Split(count, grain, work);
        else if (count > 0) work.Run(0, count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Split<TWork>(long count, long grain, TWork work)
        where TWork : struct, IRangeWork
    {
        var size = Math.Max(grain, (count + Parts - 1) / Parts);
        Parallelism.For((int)((count + size - 1) / size), new Body<TWork> { Work = work, Count = count, Size = size });
    }

    private struct Body<TWork> : IParallelBody
        where TWork : struct, IRangeWork
    {
        public TWork Work;
        public long Count, Size;

        public void Invoke(int index) => Work.Run(index * Size, Math.Min(Count, (index + 1) * Size));
    }
}
