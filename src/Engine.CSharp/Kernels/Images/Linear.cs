using System.Numerics;
using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>For each place along a dimension, the two elements between which it lies, and their weights.</summary>
internal readonly struct Taps<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private Taps(int count) => (First, Second, Low, High) = (new int[count], new int[count], new T[count], new T[count]);

    public readonly int[] First, Second;
    public readonly T[] Low, High;

    public int Count => First.Length;

    /// <summary>PyTorch's places (UpSample.h), computed in the elements' type: with corners aligned the ends meet, otherwise the middles of elements are spread evenly.</summary>
    /// <param name="size">How many elements there are.</param>
    /// <param name="target">How many places.</param>
    /// <param name="scale">The factor that was asked for; 0 where it was the size.</param>
    /// <param name="aligned">Whether corners are aligned.</param>
    public static Taps<T> Between(int size, int target, double scale, bool aligned)
    {
        var taps = new Taps<T>(target);
        var half = T.CreateTruncating(0.5);
        var step = aligned
            ? target > 1 ? T.CreateTruncating(size - 1) / T.CreateTruncating(target - 1) : T.Zero
            : scale > 0 ? T.CreateTruncating(1 / scale) : T.CreateTruncating(size) / T.CreateTruncating(target);
        for (var i = 0; i < target; i++)
        {
            var at = size == target ? T.CreateTruncating(i) : aligned ? step * T.CreateTruncating(i) : T.Max((step * (T.CreateTruncating(i) + half)) - half, T.Zero);
            var first = Math.Min(int.CreateTruncating(at), size - 1);
            taps.First[i] = first;
            // Of a dimension that keeps its size the element itself is the second, too, and counts for nothing.
            taps.Second[i] = size == target ? first : Math.Min(first + 1, size - 1);
            taps.High[i] = T.Clamp(at - T.CreateTruncating(first), T.Zero, T.One);
            taps.Low[i] = T.One - taps.High[i];
        }
        return taps;
    }
}

/// <summary>Resizing dense planes [planes, height, width] to [planes, rows, columns] between the nearest elements.</summary>
internal static unsafe class Linear
{
    /// <summary>Blends two rows, then along the blended row; of planes of one row that row alone, where no taps of rows are given.</summary>
    public static void Forward<T>(ref T x, ref T y, int planes, int height, int width, Taps<T>? rows, Taps<T> columns)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        fixed (T* px = &x, py = &y)
        {
            var work = new ForwardWork<T> { X = px, Y = py, Height = height, Width = width, Rows = rows, Columns = columns };
            Ranges.For(planes, Grain(rows, columns), ref work);
        }
    }

    /// <summary>The transpose: adds to dx, which the caller has set to zero.</summary>
    public static void Backward<T>(ref T g, ref T dx, int planes, int height, int width, Taps<T>? rows, Taps<T> columns)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        fixed (T* pg = &g, pd = &dx)
        {
            var work = new BackwardWork<T> { G = pg, Dx = pd, Height = height, Width = width, Rows = rows, Columns = columns };
            Ranges.For(planes, Grain(rows, columns), ref work);
        }
    }

    private static long Grain<T>(Taps<T>? rows, Taps<T> columns)
        where T : unmanaged, IFloatingPointIeee754<T> => Math.Max(1, Ranges.Grain / Math.Max(1, (long)(rows?.Count ?? 1) * columns.Count));

    private struct ForwardWork<T> : IRangeWork
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public T* X, Y;
        public int Height, Width;
        public Taps<T>? Rows;
        public Taps<T> Columns;

        public readonly void Run(long begin, long end)
        {
            var rented = System.Buffers.ArrayPool<T>.Shared.Rent(Width);
            fixed (T* row = rented)
                for (var p = begin; p < end; p++)
                {
                    var plane = X + (p * Height * Width);
                    if (Rows is not { } rows)
                    {
                        Along(plane, Y + (p * Columns.Count));
                        continue;
                    }

                    for (var i = 0; i < rows.Count; i++)
                    {
                        Dense.Binary(
                            new Blend<T>(rows.Low[i], rows.High[i]), plane + ((long)rows.First[i] * Width), false, plane + ((long)rows.Second[i] * Width), false, row, Width);
                        Along(row, Y + (((p * rows.Count) + i) * Columns.Count));
                    }
                }

            System.Buffers.ArrayPool<T>.Shared.Return(rented);
        }

        private readonly void Along(T* row, T* to)
        {
            for (var j = 0; j < Columns.Count; j++)
                to[j] = (Columns.Low[j] * row[Columns.First[j]]) + (Columns.High[j] * row[Columns.Second[j]]);
        }
    }

    private struct BackwardWork<T> : IRangeWork
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public T* G, Dx;
        public int Height, Width;
        public Taps<T>? Rows;
        public Taps<T> Columns;

        public readonly void Run(long begin, long end)
        {
            var rented = System.Buffers.ArrayPool<T>.Shared.Rent(Width);
            fixed (T* row = rented)
                for (var p = begin; p < end; p++)
                {
                    var plane = Dx + (p * Height * Width);
                    if (Rows is not { } rows)
                    {
                        Along(G + (p * Columns.Count), plane);
                        continue;
                    }

                    for (var i = 0; i < rows.Count; i++)
                    {
                        Kernels.Rows.Fill(T.Zero, row, Width);
                        Along(G + (((p * rows.Count) + i) * Columns.Count), row);
                        T* first = plane + ((long)rows.First[i] * Width), second = plane + ((long)rows.Second[i] * Width);
                        Dense.Binary(new AddTimes<T>(rows.Low[i]), first, false, row, false, first, Width);
                        Dense.Binary(new AddTimes<T>(rows.High[i]), second, false, row, false, second, Width);
                    }
                }

            System.Buffers.ArrayPool<T>.Shared.Return(rented);
        }

        private readonly void Along(T* from, T* row)
        {
            for (var j = 0; j < Columns.Count; j++)
            {
                row[Columns.First[j]] += Columns.Low[j] * from[j];
                row[Columns.Second[j]] += Columns.High[j] * from[j];
            }
        }
    }

    private readonly struct Blend<T>(T low, T high) : IBinary<T>
        where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> => (x * V.Create(low)) + (y * V.Create(high));
    }

    private readonly struct AddTimes<T>(T factor) : IBinary<T>
        where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> => x + (y * V.Create(factor));
    }
}
