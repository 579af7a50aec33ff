using System.Numerics;
using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>Greatest or least elements with the place of the first: argmax, max and min along a dimension. The first NaN wins over all.</summary>
internal static unsafe class Extremes
{
    /// <summary>
    /// Values and places along the dimensions marked in <paramref name="reduced"/> (places count the reduced elements in row-major order);
    /// both dense in row-major order of the kept dimensions. Either result may be a null reference. Nothing to reduce is the caller's error.
    /// </summary>
    [SkipLocalsInit]
    public static void Run<T>(
        bool greatest,
        ReadOnlySpan<int> shape,
        ref T x,
        ReadOnlySpan<int> strides,
        ReadOnlySpan<bool> reduced,
        ref T values,
        ref long places)
        where T : unmanaged, INumber<T>
    {
        var memory = stackalloc int[2 * Loop.Memory(shape.Length, 1)];
        var plan = new ReductionPlan(memory, shape, strides, reduced);
        fixed (T* px = &x, pv = &values)
        fixed (long* pp = &places)
        {
            var grain = Math.Max(1, Ranges.Grain / Math.Max(1, plan.Reduced.Count));
            if (greatest)
            {
                var work = new Work<Reduce.Max<T>, T> { Greatest = true, Plan = &plan, X = px, Values = pv, Places = pp };
                Ranges.For(plan.Kept.Count, grain, ref work);
            }
            else
            {
                var work = new Work<Reduce.Min<T>, T> { Plan = &plan, X = px, Values = pv, Places = pp };
                Ranges.For(plan.Kept.Count, grain, ref work);
            }
        }
    }

    private struct Work<TOp, T> : IRangeWork
        where TOp : struct, IReduction<T>
        where T : unmanaged, INumber<T>
    {
        private const int Chunk = 512;

        public bool Greatest;
        public ReductionPlan* Plan;
        public T* X, Values;
        public long* Places;

        [SkipLocalsInit]
        public readonly void Run(long begin, long end)
        {
            var buffer = stackalloc T[Chunk];
            var walk = new Walk(Plan->Kept, 0, begin, stackalloc int[Plan->Kept.Rank + 1]);
            var dense = Plan->Reduced.IsDense(0);
            var n = Plan->Reduced.Count;
            for (var o = begin; o < end; o++, walk.Advance(1))
            {
                T best = default;
                long place = -1;
                for (long at = 0; at < n; at += Chunk)
                {
                    var take = (int)Math.Min(Chunk, n - at);
                    var x = X + walk.Offset + at;
                    if (!dense)
                    {
                        Plan->Reduced.Pack(0, X + walk.Offset, at, take, buffer);
                        x = buffer;
                    }
                    // The chunk's extreme in registers; its place only if it beats what there was.
                    var top = Sequence<TOp, T>.Of(default, x, take);
                    if (place >= 0 && !Beats(top, best)) continue;
                    var i = 0;
                    if (T.IsNaN(top))
                        while (!T.IsNaN(x[i])) i++;
                    else
                        while (x[i] != top) i++;
                    best = x[i];
                    place = at + i;
                    if (T.IsNaN(best)) break;
                }
                if (Values != null) Values[o] = best;
                if (Places != null) Places[o] = place;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly bool Beats(T a, T b) => T.IsNaN(a) || (Greatest ? a > b : a < b);
    }
}
