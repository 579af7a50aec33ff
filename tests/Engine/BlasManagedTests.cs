using Verified.Engine.Blas;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>The managed kernel's own promise: bits that depend on the operands' values and the shape, and on nothing else.</summary>
public sealed unsafe class BlasManagedTests
{
    [Theory]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(512)]
    public void Every_register_width_gives_the_bits_of_one_chain_of_fused_multiply_adds(int bits)
    {
        OneChain(Kernels<float>(bits));
        OneChain(Kernels<double>(bits));
    }

    /// <summary>Threads pack strips side by side: what one writes beyond its own is another's, already packed or not.</summary>
    [Theory]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(512)]
    public void Packing_writes_nothing_beyond_its_panel(int bits)
    {
        WithinItsPanel(Kernels<float>(bits));
        WithinItsPanel(Kernels<double>(bits));
    }

    private static void WithinItsPanel<T>(KernelSet<T> kernels)
        where T : unmanaged
    {
        foreach (var layout in new[] { BlasLayout.Rows, BlasLayout.Columns, BlasLayout.PaddedColumns, BlasLayout.RowsBackwards, BlasLayout.EveryThird })
        {
            foreach (var depth in new[] { 1, 2, 3, 7, 20 })
            {
                for (var lines = 1; lines <= kernels.MaxColumns; lines++)
                {
                    using var a = new BlasMatrix<T>(lines, depth, layout, new Random(lines));
                    foreach (var pitch in new[] { lines, (lines + kernels.Width - 1) / kernels.Width * kernels.Width })
                    {
                        var target = new T[depth * pitch + 64];
                        target.AsSpan().Fill(BlasMatrix<T>.Number(-7777));
                        fixed (T* t = target)
                            Packing.Interleave(kernels, a.Operand.Data, a.Operand.RowStride, a.Operand.ColumnStride, lines, depth, t, pitch);
                        for (var i = 0; i < lines; i++)
                        {
                            for (var p = 0; p < depth; p++)
                                Assert.Equal(a[i, p], BlasMatrix<T>.Value(target[p * pitch + i]));
                        }

                        for (var i = depth * pitch; i < target.Length; i++)
                            Assert.True(BlasMatrix<T>.Value(target[i]) == -7777, $"{layout}, {lines} lines of {depth}, pitch {pitch}: {i - depth * pitch} beyond the panel was written");
                    }
                }
            }
        }
    }

    private static void OneChain<T>(KernelSet<T> kernels)
        where T : unmanaged
    {
        var random = new Random(77);
        var layouts = Enum.GetValues<BlasLayout>();
        int[] sizes = [2, 3, 5, 8, 11, 13, 16, 23, 33, 48, 65, 100];
        for (var round = 0; round < 120; round++)
        {
            var (m, n) = (sizes[random.Next(sizes.Length)], sizes[random.Next(sizes.Length)]);
            var k = round % 10 == 0 ? 900 : sizes[random.Next(sizes.Length)];
            var (la, lb) = (layouts[random.Next(layouts.Length)], layouts[random.Next(layouts.Length)]);
            using var a = new BlasMatrix<T>(m, k, la, random);
            using var b = new BlasMatrix<T>(k, n, lb, random);
            using var c = new BlasMatrix<T>(m, n, BlasLayout.Rows, random);
            var accumulate = round % 2 == 0;
            var expected = new T[m * n];
            for (var i = 0; i < m; i++)
            {
                for (var j = 0; j < n; j++)
                {
                    var sum = accumulate ? c.Operand.Data[i * n + j] : default;
                    for (var p = 0; p < k; p++)
                        sum = Fused.MultiplyAdd(BlasMatrix<T>.Number(a[i, p]), BlasMatrix<T>.Number(b[p, j]), sum);
                    expected[i * n + j] = sum;
                }
            }

            ManagedProduct.Multiply(kernels, m, n, k, a.Operand, b.Operand, c.Operand.Data, n, 1, accumulate, parallel: true);
            Assert.True(
                new ReadOnlySpan<T>(c.Operand.Data, m * n).SequenceEqual(expected),
                $"{kernels.Bits} bits, {typeof(T).Name}: {m}x{k} ({la}) by {k}x{n} ({lb}) is not the chain's result");
        }
    }

    [Theory]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(512)]
    public void Matrix_times_vector_has_the_same_bits_for_every_layout_and_register_width(int bits)
    {
        foreach (var (m, k) in new[] { (1, 1), (64, 2), (6, 3), (5, 4), (3, 5), (40, 16), (129, 37), (200, 300), (7, 1500) })
        {
            foreach (var layout in new[] { BlasLayout.Columns, BlasLayout.RowsBackwards, BlasLayout.EveryThird, BlasLayout.PaddedColumns })
            {
                using var rows = new BlasMatrix<float>(m, k, BlasLayout.Rows, new Random(m + k));
                using var other = new BlasMatrix<float>(m, k, layout, new Random(m + k));
                using var x = new BlasMatrix<float>(k, 1, BlasLayout.EveryThird, new Random(3));
                var expected = new float[m];
                var actual = new float[m];
                fixed (float* e = expected, y = actual)
                {
                    ManagedProduct.Multiply(KernelSet<float>.Bits128, m, 1, k, rows.Operand, x.Operand, e, 1, 1, false, false);
                    ManagedProduct.Multiply(Kernels<float>(bits), m, 1, k, other.Operand, x.Operand, y, 1, 1, false, true);
                }

                Assert.Equal(expected, actual);
            }
        }
    }

    [Fact]
    public void Matrix_times_vector_is_sixteen_chains_added_in_halves()
    {
        foreach (var k in new[] { 1, 2, 3, 4, 5, 15, 16, 17, 100 })
        {
            using var a = new BlasMatrix<float>(3, k, BlasLayout.Rows, new Random(k));
            using var x = new BlasMatrix<float>(k, 1, BlasLayout.Rows, new Random(k + 1));
            var y = new float[3];
            fixed (float* p = y)
                ManagedProduct.Multiply(KernelSet<float>.Best, 3, 1, k, a.Operand, x.Operand, p, 1, 1, false, false);
            for (var i = 0; i < 3; i++)
            {
                var lanes = new float[16];
                for (var p = 0; p < k; p++)
                    lanes[p % 16] = MathF.FusedMultiplyAdd((float)a[i, p], (float)x[p, 0], lanes[p % 16]);
                for (var half = 8; half > 0; half /= 2)
                {
                    for (var l = 0; l < half; l++)
                        lanes[l] += lanes[l + half];
                }

                Assert.Equal(lanes[0], y[i]);
            }
        }
    }

    private static KernelSet<T> Kernels<T>(int bits)
        where T : unmanaged => bits switch { 128 => KernelSet<T>.Bits128, 256 => KernelSet<T>.Bits256, _ => KernelSet<T>.Bits512 };
}
