using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Verified.Engine.Kernels;

namespace Verified.Training;

/// <summary>What an optimizer does to the elements at one place of a parameter, its gradient and its state; written once for every vector width.</summary>
internal interface IUpdate<T>
    where T : unmanaged
{
    /// <summary>Reads and writes the <c>V.Count</c> elements from <paramref name="i"/> on.</summary>
    void At<V>(long i)
        where V : struct, ISimd<V, T>;
}

/// <summary>Runs an update over all elements: in registers, a lane at a time at the end, in parallel where there are many. The bits do not depend on which.</summary>
internal static class FusedUpdate
{
    public static void Run<TUpdate, T>(TUpdate update, long count)
        where TUpdate : struct, IUpdate<T>
        where T : unmanaged
    {
        var work = new Work<TUpdate, T> { Update = update };
        Ranges.For(count, Ranges.Grain, ref work);
    }

    /// <summary>A number rounded to the type of the elements; unlike the library's conversion it makes no object in code that is not optimised yet.</summary>
    public static T Number<T>(double value)
        where T : unmanaged => typeof(T) == typeof(float) ? Unsafe.BitCast<float, T>((float)value) : Unsafe.BitCast<double, T>(value);

    private struct Work<TUpdate, T> : IRangeWork
        where TUpdate : struct, IUpdate<T>
        where T : unmanaged
    {
        public TUpdate Update;

        public void Run(long begin, long end)
        {
            if (Vector512.IsHardwareAccelerated) begin = Loop<V512<T>>(begin, end);
            else if (Vector256.IsHardwareAccelerated) begin = Loop<V256<T>>(begin, end);
            else begin = Loop<V128<T>>(begin, end);
            Loop<V1<T>>(begin, end);
        }

        [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
        private readonly long Loop<V>(long i, long end)
            where V : struct, ISimd<V, T>
        {
            var update = Update;
            for (; i + V.Count <= end; i += V.Count) update.At<V>(i);
            return i;
        }
    }
}
