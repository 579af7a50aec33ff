using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>
/// Reductions over any set of dimensions. The order of summation depends on the shape and on which dimensions are reduced; not on
/// strides or threads: same values, same bits.
/// </summary>
internal static unsafe class Reduction
{
    /// <summary>Results accumulated together where the innermost dimension is kept.</summary>
    private const int Columns = 256;

    /// <summary>Rows that go into one accumulator before it is added to the total.</summary>
    private const int Block = 64;

    /// <summary>
    /// y = reduction of x over the dimensions marked in <paramref name="reduced"/>; y is dense, in row-major order of the kept dimensions.
    /// Of nothing it is the identity.
    /// </summary>
    public static void Run<TOp, T>(TOp op, ReadOnlySpan<int> shape, ref T x, ReadOnlySpan<int> strides, ReadOnlySpan<bool> reduced, ref T y)
        where TOp : struct, IReduction<T>
        where T : unmanaged => Run(op, shape, ref x, strides, reduced, ref Unsafe.NullRef<T>(), ref y);

    /// <summary>The same with a parameter for each result, dense like y: the mean for squared distances, the maximum for exponentials.</summary>
    [SkipLocalsInit]
    public static void Run<TOp, T>(
        TOp op,
        ReadOnlySpan<int> shape,
        ref T x,
        ReadOnlySpan<int> strides,
        ReadOnlySpan<bool> reduced,
        ref T parameters,
        ref T y)
        where TOp : struct, IReduction<T>
        where T : unmanaged
    {
        var memory = stackalloc int[2 * Loop.Memory(shape.Length, 1)];
        var plan = new ReductionPlan(memory, shape, strides, reduced);
        fixed (T* px = &x, pp = &parameters, py = &y)
        {
            var work = new Work<TOp, T> { Op = op, Plan = &plan, X = px, Parameters = pp, Y = py };
            Ranges.For(plan.Kept.Count, Math.Max(1, Ranges.Grain / Math.Max(1, plan.Reduced.Count)), ref work);
        }
    }

    /// <summary>The reduction of <paramref name="count"/> consecutive elements.</summary>
    public static T Dense<TOp, T>(TOp op, ref T x, long count)
        where TOp : struct, IReduction<T>
        where T : unmanaged
    {
        fixed (T* px = &x) return Sequence<TOp, T>.Of(op, px, count);
    }

    private struct Work<TOp, T> : IRangeWork
        where TOp : struct, IReduction<T>
        where T : unmanaged
    {
        public TOp Op;
        public ReductionPlan* Plan;
        public T* X, Parameters, Y;

        public readonly void Run(long begin, long end)
        {
            if (Plan->InnermostReduced) RowByRow(begin, end);
            else AcrossRows(begin, end);
        }

        [SkipLocalsInit]
        private readonly void RowByRow(long begin, long end)
        {
            var buffer = stackalloc T[Sequence<TOp, T>.Leaf];
            var walk = new Walk(Plan->Kept, 0, begin, stackalloc int[Plan->Kept.Rank + 1]);
            var dense = Plan->Reduced.IsDense(0);
            var n = Plan->Reduced.Count;
            for (var o = begin; o < end; o++, walk.Advance(1))
            {
                var x = X + walk.Offset;
                var parameter = Parameters == null ? default : Parameters[o];
                if (dense)
                {
                    Y[o] = Sequence<TOp, T>.Of(Op, x, n, parameter);
                    continue;
                }
                var sequence = new Sequence<TOp, T>(Op);
                for (long at = 0; at < n; at += Sequence<TOp, T>.Leaf)
                {
                    var take = (int)Math.Min(Sequence<TOp, T>.Leaf, n - at);
                    Plan->Reduced.Pack(0, x, at, take, buffer);
                    sequence.Add(buffer, take, parameter);
                }
                Y[o] = n == 0 ? Op.Identity : sequence.Result();
            }
        }

        [SkipLocalsInit]
        private readonly void AcrossRows(long begin, long end)
        {
            var partial = stackalloc T[Columns];
            var zeros = stackalloc T[Columns];
            var buffer = stackalloc T[Columns];
            Rows.Fill(default, zeros, Columns);
            var walk = new Walk(Plan->Kept, 0, begin, stackalloc int[Plan->Kept.Rank + 1]);
            Span<int> index = stackalloc int[Plan->Reduced.Rank + 1];
            for (var o = begin; o < end;)
            {
                var wanted = (int)Math.Min(Columns, end - o);
                var n = walk.Take(ref wanted);
                var y = Y + o;
                var parameters = Parameters == null ? zeros : Parameters + o;
                Rows.Fill(Op.Identity, y, n);
                var rows = new Walk(Plan->Reduced, 0, 0, index);
                for (long r = 0; r < Plan->Reduced.Count;)
                {
                    var stop = Math.Min(r + Block, Plan->Reduced.Count);
                    Rows.Fill(Op.Identity, partial, n);
                    for (; r < stop; r++, rows.Advance(1))
                    {
                        var x = X + walk.Offset + rows.Offset;
                        if (walk.Stride != 1)
                        {
                            Rows.Gather(x, walk.Stride, buffer, n);
                            x = buffer;
                        }
                        Kernels.Dense.Ternary(new Accumulate<TOp, T>(Op), x, parameters, partial, partial, n);
                    }
                    Kernels.Dense.Binary(new Join<TOp, T>(Op), y, false, partial, false, y, n);
                }
                o += n;
                walk.Advance(n);
            }
        }
    }

    private readonly struct Accumulate<TOp, T>(TOp op) : ITernary<T>
        where TOp : struct, IReduction<T>
        where T : unmanaged
    {
        public static bool IsWide => TOp.IsWide;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y, V z)
            where V : struct, ISimd<V, T> => op.Combine(z, op.Map(x, y));
    }

    private readonly struct Join<TOp, T>(TOp op) : IBinary<T>
        where TOp : struct, IReduction<T>
        where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> => op.Combine(x, y);
    }
}
