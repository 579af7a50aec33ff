using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Verified.Engine.Blas;

/// <summary>Matrix times vector by the managed kernel; the order of summation is told at <see cref="VectorKernels{TSimd, TVector, T}"/>.</summary>
internal static unsafe class VectorProduct
{
    /// <summary>Lanes of an inner product, for every element type and register width.</summary>
    public const int Lanes = 16;

    private const int RowsAtOnce = 128;
    private const int RowsPerItem = 512;
    private const long ParallelFrom = 1 << 18;

    /// <summary>y (+)= A x, A being m by k.</summary>
    [SkipLocalsInit]
    public static void Multiply<T>(KernelSet<T> kernels, int m, int k, Operand<T> a, T* x, nint xStride, T* y, nint yStride, bool accumulate, bool parallel)
        where T : unmanaged
    {
        var contiguous = stackalloc T[xStride == 1 || k > 1024 ? 1 : k];
        if (xStride != 1)
        {
            if (k > 1024)
                contiguous = Scratch.Packing.Take<T>(k);
            for (nint p = 0; p < k; p++)
                contiguous[p] = x[p * xStride];
            x = contiguous;
        }

        var body = new Rows<T>(kernels, m, k, a, x, y, yStride, accumulate);
        if (parallel && ((long)m * k >= ParallelFrom || Parallelism.SharesEverything))
            Parallelism.For((m + RowsPerItem - 1) / RowsPerItem, body);
        else
            body.Run(0, m);
    }

    /// <summary>The lanes' sum, in halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T AddLanes<T>(T* lanes)
        where T : unmanaged
    {
        var eight = Vector256.Load(lanes) + Vector256.Load(lanes + Lanes / 2);
        if (Vector256<T>.Count < Lanes / 2)
            eight += Vector256.Load(lanes + Lanes / 4) + Vector256.Load(lanes + 3 * Lanes / 4);
        var quarter = eight.GetLower() + eight.GetUpper();
        return Vector128<T>.Count == 4 ? Fused.Add(Fused.Add(quarter[0], quarter[2]), Fused.Add(quarter[1], quarter[3])) : Fused.Add(quarter[0], quarter[1]);
    }

    private readonly struct Rows<T>(KernelSet<T> kernels, int m, int k, Operand<T> a, T* x, T* y, nint yStride, bool accumulate) : IParallelBody
        where T : unmanaged
    {
        public void Invoke(int index) => Run(index * RowsPerItem, Math.Min(m, (index + 1) * RowsPerItem));

        public void Run(int from, int to)
        {
            if (k <= 4)
            {
                for (var i = from; i < to; i++)
                    Put(i, ShortDot(a.Data + i * a.RowStride));
            }
            else if (a.ColumnStride == 1)
            {
                for (var i = from; i < to; i++)
                    Put(i, kernels.Dot(k, a.Data + i * a.RowStride, x));
            }
            else if (a.RowStride == 1 && to - from >= kernels.Width)
            {
                for (var i = from; i < to; i += RowsAtOnce)
                    ContiguousColumns(i, Math.Min(RowsAtOnce, to - i));
            }
            else
            {
                for (var i = from; i < to; i++)
                    Put(i, StridedDot(i));
            }
        }

        private void Put(int i, T value) => y[i * yStride] = accumulate ? Fused.Add(y[i * yStride], value) : value;

        /// <summary>What sixteen lanes give where all but the first four are zero.</summary>
        private T ShortDot(T* row)
        {
            var s0 = Fused.MultiplyAdd(*row, *x, default);
            var s1 = k > 1 ? Fused.MultiplyAdd(row[a.ColumnStride], x[1], default) : default;
            var s2 = k > 2 ? Fused.MultiplyAdd(row[2 * a.ColumnStride], x[2], default) : default;
            var s3 = k > 3 ? Fused.MultiplyAdd(row[3 * a.ColumnStride], x[3], default) : default;
            return Fused.Add(Fused.Add(s0, s2), Fused.Add(s1, s3));
        }

        private T StridedDot(int i)
        {
            var lanes = stackalloc T[Lanes];
            new Span<T>(lanes, Lanes).Clear();
            var row = a.Data + i * a.RowStride;
            for (nint p = 0; p < k; p++)
                lanes[p % Lanes] = Fused.MultiplyAdd(row[p * a.ColumnStride], x[p], lanes[p % Lanes]);
            return AddLanes(lanes);
        }

        private void ContiguousColumns(int row, int rows)
        {
            var lanes = stackalloc T[Lanes * RowsAtOnce];
            new Span<T>(lanes, Lanes * RowsAtOnce).Clear();
            for (nint p = 0; p < k; p++)
                kernels.Axpy(rows, a.Data + row + p * a.ColumnStride, x[p], lanes + p % Lanes * RowsAtOnce);
            for (var half = Lanes / 2; half > 0; half /= 2)
            {
                // One times a lane and another lane, rounded once, is their sum.
                for (var l = 0; l < half; l++)
                    kernels.Axpy(rows, lanes + (l + half) * RowsAtOnce, Fused.One<T>(), lanes + l * RowsAtOnce);
            }

            for (var i = 0; i < rows; i++)
                Put(row + i, lanes[i]);
        }
    }
}
