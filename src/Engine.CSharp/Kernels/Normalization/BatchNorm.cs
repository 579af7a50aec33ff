using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>
/// Batch normalisation of dense operands [batch, channels, rest]. A channel is one unit of work: its sums are taken in one order, whatever the number of threads.
/// </summary>
internal static unsafe class BatchNorm
{
    /// <summary>Rows shorter than this are gathered, so that the loops run over consecutive elements.</summary>
    private const int ShortRow = 32;

    /// <summary>The mean of each channel, and the sum of the squared distances from it.</summary>
    public static void Statistics<T>(ref T x, ref T mean, ref T squares, int batch, int channels, int rest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        fixed (T* px = &x, pm = &mean, pq = &squares)
        {
            var work = new StatisticsWork<T> { Layout = new(batch, channels, rest), X = px, Mean = pm, Squares = pq };
            Ranges.For(channels, GrainOf(batch, rest), ref work);
        }
    }

    /// <summary>y = (x - mean) scale + shift, of the channel's numbers.</summary>
    public static void Apply<T>(ref T x, ref T mean, ref T scale, ref T shift, ref T y, int batch, int channels, int rest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        fixed (T* px = &x, pm = &mean, ps = &scale, pb = &shift, py = &y)
        {
            var work = new ApplyWork<T> { X = px, Mean = pm, Scale = ps, Shift = pb, Y = py, Channels = channels, Rest = rest };
            Ranges.For((long)batch * channels, Math.Max(1, Ranges.Grain / Math.Max(1, rest)), ref work);
        }
    }

    /// <summary>The sums over each channel of g and of g (x - mean).</summary>
    public static void Sums<T>(ref T g, ref T x, ref T mean, ref T sum, ref T product, int batch, int channels, int rest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        fixed (T* pg = &g, px = &x, pm = &mean, ps = &sum, pp = &product)
        {
            var work = new SumsWork<T> { Layout = new(batch, channels, rest), G = pg, X = px, Mean = pm, Sum = ps, Product = pp };
            Ranges.For(channels, GrainOf(batch, rest), ref work);
        }
    }

    /// <summary>dx = (g - a - (x - mean) b) scale, of the channel's numbers: in training a is the mean of g, b the mean of g (x - mean) over the variance.</summary>
    public static void BackwardInput<T>(ref T g, ref T x, ref T mean, ref T a, ref T b, ref T scale, ref T dx, int batch, int channels, int rest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        fixed (T* pg = &g, px = &x, pm = &mean, pa = &a, pb = &b, ps = &scale, pd = &dx)
        {
            var work = new BackwardWork<T> { G = pg, X = px, Mean = pm, A = pa, B = pb, Scale = ps, Dx = pd, Channels = channels, Rest = rest };
            Ranges.For((long)batch * channels, Math.Max(1, Ranges.Grain / Math.Max(1, rest)), ref work);
        }
    }

    private static long GrainOf(int batch, int rest) => Math.Max(1, Ranges.Grain / Math.Max(1, (long)batch * rest));

    /// <summary>Where the elements of a channel lie: in rows of the batch, each consecutive.</summary>
    private readonly struct Rows3D(int batch, int channels, int rest)
    {
        public readonly int Batch = batch, Rest = rest;

        private readonly long between = (long)channels * rest;

        public long Count => (long)Batch * Rest;

        public bool IsShort => Rest < ShortRow && Batch > 1;

        public T* Row<T>(T* x, long channel, int row)
            where T : unmanaged => x + (row * between) + (channel * Rest);

        /// <summary>Copies a channel of short rows together.</summary>
        public void Gather<T>(T* x, long channel, T* into)
            where T : unmanaged
        {
            for (var row = 0; row < Batch; row++)
            {
                var from = Row(x, channel, row);
                for (var i = 0; i < Rest; i++) into[((long)row * Rest) + i] = from[i];
            }
        }

        /// <summary>The reduction over a channel.</summary>
        public T Reduce<TOp, T>(TOp op, T* x, long channel, T parameter)
            where TOp : struct, IReduction<T>
            where T : unmanaged
        {
            if (Batch == 1) return Sequence<TOp, T>.Of(op, Row(x, channel, 0), Rest, parameter);
            var sequence = new Sequence<TOp, T>(op);
            for (var row = 0; row < Batch; row++)
            {
                var from = Row(x, channel, row);
                for (var at = 0; at < Rest; at += Sequence<TOp, T>.Leaf)
                    sequence.Add(from + at, Math.Min(Sequence<TOp, T>.Leaf, Rest - at), parameter);
            }
            return sequence.Result();
        }
    }

    private struct StatisticsWork<T> : IRangeWork
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public Rows3D Layout;
        public T* X, Mean, Squares;

        public readonly void Run(long begin, long end)
        {
            var count = T.CreateTruncating(Layout.Count);
            var rented = Layout.IsShort ? ArrayPool<T>.Shared.Rent((int)Layout.Count) : [];
            fixed (T* buffer = rented)
            {
                for (var c = begin; c < end; c++)
                {
                    if (Layout.IsShort)
                    {
                        Layout.Gather(X, c, buffer);
                        Mean[c] = Sequence<Reduce.Sum<T>, T>.Of(default, buffer, Layout.Count) / count;
                        Squares[c] = Sequence<Reduce.SumOfSquares<T>, T>.Of(default, buffer, Layout.Count, Mean[c]);
                        continue;
                    }
                    Mean[c] = Layout.Reduce(default(Reduce.Sum<T>), X, c, default) / count;
                    Squares[c] = Layout.Reduce(default(Reduce.SumOfSquares<T>), X, c, Mean[c]);
                }
            }
            if (rented.Length > 0) ArrayPool<T>.Shared.Return(rented);
        }
    }

    private struct ApplyWork<T> : IRangeWork
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public T* X, Mean, Scale, Shift, Y;
        public int Channels, Rest;

        public readonly void Run(long begin, long end)
        {
            for (var r = begin; r < end; r++)
            {
                var c = r % Channels;
                var line = new Line<T>(Mean[c], Scale[c], Shift[c]);
                if (Rest == 1) Y[r] = line.Of(X[r]);
                else Dense.Unary(line, X + (r * Rest), Y + (r * Rest), Rest);
            }
        }
    }

    private struct SumsWork<T> : IRangeWork
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public Rows3D Layout;
        public T* G, X, Mean, Sum, Product;

        public readonly void Run(long begin, long end)
        {
            var rented = Layout.IsShort ? ArrayPool<T>.Shared.Rent(2 * (int)Layout.Count) : [];
            fixed (T* buffer = rented)
            {
                for (var c = begin; c < end; c++)
                {
                    if (Layout.IsShort)
                    {
                        Layout.Gather(G, c, buffer);
                        Layout.Gather(X, c, buffer + Layout.Count);
                        var whole = new Rows3D(1, 1, (int)Layout.Count);
                        Sum[c] = whole.Reduce(default(Reduce.Sum<T>), buffer, 0, default);
                        Product[c] = Products(whole, buffer, buffer + Layout.Count, 0, Mean[c]);
                        continue;
                    }
                    Sum[c] = Layout.Reduce(default(Reduce.Sum<T>), G, c, default);
                    Product[c] = Products(Layout, G, X, c, Mean[c]);
                }
            }
            if (rented.Length > 0) ArrayPool<T>.Shared.Return(rented);
        }

        [SkipLocalsInit]
        private static T Products(Rows3D layout, T* g, T* x, long channel, T mean)
        {
            var products = stackalloc T[Sequence<Reduce.Sum<T>, T>.Leaf];
            var sequence = new Sequence<Reduce.Sum<T>, T>(default);
            for (var row = 0; row < layout.Batch; row++)
            {
                T* from = layout.Row(g, channel, row), other = layout.Row(x, channel, row);
                for (var at = 0; at < layout.Rest; at += Sequence<Reduce.Sum<T>, T>.Leaf)
                {
                    var take = Math.Min(Sequence<Reduce.Sum<T>, T>.Leaf, layout.Rest - at);
                    Dense.Binary(new TimesDistance<T>(mean), from + at, false, other + at, false, products, take);
                    sequence.Add(products, take, default);
                }
            }
            return sequence.Result();
        }
    }

    private struct BackwardWork<T> : IRangeWork
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public T* G, X, Mean, A, B, Scale, Dx;
        public int Channels, Rest;

        public readonly void Run(long begin, long end)
        {
            for (var r = begin; r < end; r++)
            {
                var c = r % Channels;
                var project = new Project<T>(Mean[c], A[c], B[c], Scale[c]);
                if (Rest == 1) Dx[r] = project.Of(G[r], X[r]);
                else Dense.Binary(project, G + (r * Rest), false, X + (r * Rest), false, Dx + (r * Rest), Rest);
            }
        }
    }

    private readonly struct Line<T>(T mean, T scale, T shift) : IUnary<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> => ((x - V.Create(mean)) * V.Create(scale)) + V.Create(shift);

        public T Of(T x) => ((x - mean) * scale) + shift;
    }

    private readonly struct TimesDistance<T>(T mean) : IBinary<T>
        where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> => x * (y - V.Create(mean));
    }

    private readonly struct Project<T>(T mean, T a, T b, T scale) : IBinary<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> => (x - V.Create(a) - ((y - V.Create(mean)) * V.Create(b))) * V.Create(scale);

        public T Of(T g, T x) => (g - a - ((x - mean) * b)) * scale;
    }
}
