using System.Runtime.InteropServices;
using Verified.Engine.Blas;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>Every backend computes C (+)= A B within the derived bound, for any strides, and touches nothing else.</summary>
public sealed unsafe class BlasProductsTests
{
    private static readonly int[] Sizes = [0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 64, 65, 129, 200];

    /// <summary>The diagonal of all sizes, then random triples; each with random layouts.</summary>
    private static IEnumerable<(int M, int N, int K)> Shapes(Random random)
    {
        foreach (var size in Sizes)
            yield return (size, size, size);
        foreach (var size in Sizes)
        {
            yield return (1, size, 65);
            yield return (size, 1, 33);
            yield return (17, 33, size);
        }

        for (var i = 0; i < 150; i++)
            yield return (Sizes[random.Next(Sizes.Length)], Sizes[random.Next(Sizes.Length)], Sizes[random.Next(Sizes.Length)]);
        yield return (16, 1100, 75);
        yield return (300, 10, 784);
        yield return (30, 40, 1700);
        // Large enough in both directions for B to be packed once; the last tiles are ragged.
        foreach (var k in new[] { 1, 20, 65 })
        {
            yield return (800, 900, k);
            yield return (1025, 769, k);
            yield return (777, 2100, k);
        }

        yield return (769, 770, 1031);
    }

    [Theory]
    [BlasBackendData(Backend.Managed)]
    [BlasBackendData(Backend.Mkl)]
    [BlasBackendData(Backend.OpenBlas)]
    [BlasBackendData(Backend.MathNet)]
    public void Float32_products_lie_within_the_derived_bound_for_all_strides(Backend backend) => WithinBound<float>(backend);

    [Theory]
    [BlasBackendData(Backend.Managed)]
    [BlasBackendData(Backend.Mkl)]
    [BlasBackendData(Backend.OpenBlas)]
    [BlasBackendData(Backend.MathNet)]
    public void Float64_products_lie_within_the_derived_bound_for_all_strides(Backend backend) => WithinBound<double>(backend);

    private static void WithinBound<T>(Backend backend)
        where T : unmanaged
    {
        using var pin = MatrixProducts.Pin(backend);
        var random = new Random(20260);
        var layouts = Enum.GetValues<BlasLayout>();
        foreach (var (m, n, k) in Shapes(random))
        {
            var (la, lb) = (layouts[random.Next(layouts.Length)], layouts[random.Next(layouts.Length)]);
            var accumulate = random.Next(2) == 0;
            using var a = new BlasMatrix<T>(m, k, la, random);
            using var b = new BlasMatrix<T>(k, n, lb, random);
            using var c = new BlasMatrix<T>(m, n, BlasLayout.PaddedRows, random);
            var where = $"{backend} {typeof(T).Name} {m}x{k} ({la}) by {k}x{n} ({lb}), accumulate {accumulate}";
            var before = new double[m, n];
            for (var i = 0; i < m; i++)
            {
                for (var j = 0; j < n; j++)
                {
                    before[i, j] = c[i, j];
                    // Without accumulation C must not be read.
                    if (!accumulate)
                        c.Operand.Data[i * c.Operand.RowStride + j] = BlasMatrix<T>.Number(double.NaN);
                }
            }

            MatrixProducts.Multiply(m, n, k, a.Operand, b.Operand, c.Operand.Data, c.Operand.RowStride, accumulate);

            for (var i = 0; i < m; i++)
            {
                for (var j = 0; j < n; j++)
                {
                    // Large results are compared at a sample of rows; every shape has its first and last.
                    if (m > 40 && i % 7 != 0 && i != m - 1)
                        continue;
                    var (value, bound) = BlasBound.Element(a, b, i, j, accumulate ? before[i, j] : null);
                    Assert.True(Math.Abs(c[i, j] - value) <= bound, $"{where}: C[{i},{j}] is {c[i, j]:R}, {value:R} +- {bound:R} was expected");
                }

                for (var j = n; j < c.Operand.RowStride; j++)
                    Assert.True(double.IsNaN(BlasMatrix<T>.Value(c.Operand.Data[i * c.Operand.RowStride + j])), $"{where}: wrote beyond row {i} of C");
            }
        }
    }

    [Fact]
    public void The_bound_refuses_a_product_with_one_term_left_out()
    {
        using var a = new BlasMatrix<float>(4, 64, BlasLayout.Rows, new Random(1));
        using var b = new BlasMatrix<float>(64, 4, BlasLayout.Rows, new Random(2));
        using var c = new BlasMatrix<float>(4, 4, BlasLayout.Rows, new Random(3));
        MatrixProducts.Multiply(4, 4, 63, a.Operand, b.Operand, c.Operand.Data, 4);
        var refused = 0;
        for (var i = 0; i < 16; i++)
        {
            var (value, bound) = BlasBound.Element(a, b, i / 4, i % 4, null);
            refused += Math.Abs(c[i / 4, i % 4] - value) > bound ? 1 : 0;
        }

        // The last term happens to be below the bound of some elements, not of most.
        Assert.InRange(refused, 8, 16);
    }

    [Theory]
    [BlasBackendData(Backend.Managed)]
    [BlasBackendData(Backend.Mkl)]
    [BlasBackendData(Backend.OpenBlas)]
    public void One_two_and_three_threads_give_the_same_bits(Backend backend)
    {
        using var pin = MatrixProducts.Pin(backend);
        foreach (var (m, n, k) in new[] { (300, 210, 190), (129, 1100, 75), (1, 900, 800), (900, 1, 800), (1030, 64, 40), (64, 256, 784), (512, 512, 70), (1100, 800, 390), (800, 1100, 1030) })
        {
            using var a = new BlasMatrix<float>(m, k, BlasLayout.Rows, new Random(5));
            using var b = new BlasMatrix<float>(k, n, BlasLayout.Columns, new Random(6));
            var results = new List<float[]>();
            foreach (var threads in new[] { 1, 2, 3 })
            {
                using var pool = new PoolOf(threads);
                var c = new float[m * n];
                fixed (float* p = c)
                    MatrixProducts.Multiply(m, n, k, a.Operand, b.Operand, p, n);
                results.Add(c);
            }

            Assert.True(SameBits(results[0], results[1]), $"{backend} {m}x{k}x{n}: two threads differ from one");
            Assert.True(SameBits(results[0], results[2]), $"{backend} {m}x{k}x{n}: three threads differ from one");
        }
    }

    [Theory]
    [BlasBackendData(Backend.Managed)]
    [BlasBackendData(Backend.Mkl)]
    [BlasBackendData(Backend.OpenBlas)]
    [BlasBackendData(Backend.MathNet)]
    public void A_batch_gives_what_its_products_give_one_by_one(Backend backend)
    {
        using var pin = MatrixProducts.Pin(backend);
        foreach (var (batch, m, n, k) in new[] { (5, 3, 4, 6), (7, 33, 17, 20), (3, 100, 90, 110), (64, 16, 24, 32), (0, 3, 3, 3), (4, 5, 6, 0) })
        {
            using var a = new BlasMatrix<double>(batch * m, k, BlasLayout.Rows, new Random(7));
            using var b = new BlasMatrix<double>(k, n, BlasLayout.Columns, new Random(8));
            var together = new double[batch * m * n];
            var single = new double[batch * m * n];
            fixed (double* t = together, s = single)
            {
                MatrixProducts.MultiplyBatch(batch, m, n, k, a.Operand, m * k, b.Operand, 0, t, n, m * n);
                for (var i = 0; i < batch; i++)
                    MatrixProducts.Multiply(m, n, k, a.Operand.At(i * m, 0), b.Operand, s + i * m * n, n);
            }

            Assert.Equal(single, together);
        }
    }

    [Theory]
    [BlasBackendData(Backend.Managed)]
    [BlasBackendData(Backend.Mkl)]
    [BlasBackendData(Backend.OpenBlas)]
    [BlasBackendData(Backend.MathNet)]
    public void A_NaN_reaches_its_row_and_no_other(Backend backend)
    {
        using var pin = MatrixProducts.Pin(backend);
        foreach (var size in new[] { 2, 5, 30, 150 })
        {
            using var a = new BlasMatrix<float>(size, size, BlasLayout.Rows, new Random(9));
            using var b = new BlasMatrix<float>(size, size, BlasLayout.Rows, new Random(10));
            using var c = new BlasMatrix<float>(size, size, BlasLayout.Rows, new Random(11));
            a.Operand.Data[1 * size + 1] = float.NaN;
            MatrixProducts.Multiply(size, size, size, a.Operand, b.Operand, c.Operand.Data, size);
            for (var i = 0; i < size; i++)
            {
                for (var j = 0; j < size; j++)
                    Assert.Equal(i == 1, double.IsNaN(c[i, j]));
            }
        }
    }

    [Fact]
    public void Wrong_sizes_are_refused_in_one_sentence()
    {
        var overlap = Assert.Throws<ArgumentException>(() => Overlapping());
        Assert.Contains("rows of 3 elements lie 2 apart in the result of 2x1 by 1x3", overlap.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Negative());
        Assert.Throws<NotSupportedException>(() => Integers());

        static void Overlapping() => MatrixProducts.Multiply(2, 3, 1, new Operand<float>(null, 1, 1), new Operand<float>(null, 1, 1), null, 2);
        static void Negative() => MatrixProducts.Multiply(2, -3, 1, new Operand<float>(null, 1, 1), new Operand<float>(null, 1, 1), null, 2);
        static void Integers() => MatrixProducts.Multiply(2, 2, 1, new Operand<int>(null, 1, 1), new Operand<int>(null, 1, 1), null, 2);
    }

    private static bool SameBits(float[] x, float[] y) => MemoryMarshal.AsBytes<float>(x).SequenceEqual(MemoryMarshal.AsBytes<float>(y));
}
