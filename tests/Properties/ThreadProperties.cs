using FsCheck.Xunit;
using Verified.Engine;
using Verified.Engine.Tests;
using Verified.Oracle;
using Verified.Spec;
using Xunit;
using Tensor = Verified.Engine.Tensor;

namespace Verified.Properties;

/// <summary>The same bits for every number of threads, forwards and backwards, at sizes where work is shared.</summary>
public sealed class ThreadProperties
{
    [Property(MaxTest = 15, Replay = "8001,1")]
    public void Products_sums_and_pointwise_functions_give_the_same_bits_on_one_thread_and_on_two(byte rows, byte inner, byte columns, int seed)
    {
        var (m, k, n) = (90 + rows, 40 + inner, 90 + columns);
        Assert.Equal(Gradients(1, m, k, n, seed), Gradients(2, m, k, n, seed));
    }

    /// <summary>What is large is shared among threads and read in pieces; random programs are small, so they are made to take the same ways.</summary>
    [Property(MaxTest = 3000, Replay = "8002,1", Arbitrary = [typeof(RandomPrograms)])]
    public void A_program_whose_work_is_shared_element_by_element_gives_the_bits_of_one_thread(StandardProgram p) => SameBitsShared(p.Program);

    [Property(MaxTest = 1000, Replay = "8003,1", Arbitrary = [typeof(RandomPrograms)])]
    public void Products_whose_work_is_shared_element_by_element_give_the_bits_of_one_thread(ProductProgram p) => SameBitsShared(p.Program);

    /// <summary>Found by hand: only what is larger than a kernel's buffer showed it, on one thread too.</summary>
    [Theory]
    [InlineData("add_")]
    [InlineData("div_")]
    [InlineData("addcmul_")]
    [InlineData("lerp_")]
    public void A_large_write_reads_an_operand_that_is_a_part_of_what_is_written_before_it_writes(string name)
    {
        const int side = 60;
        var x = Tensor.Create(Numbers(side * side, 1), [side, side]);
        var (same, part) = (x.Clone(), x.Select(1, 20).Clone());
        Write(x, x.Select(1, 20));
        Write(same, part);
        Assert.Equal(same.ToFloats(), x.ToFloats());

        void Write(Tensor to, Tensor operand)
        {
            _ = name switch
            {
                "add_" => to.AddInPlace(operand),
                "div_" => to.DivInPlace(operand),
                "addcmul_" => to.AddcmulInPlace(operand, operand),
                _ => to.LerpInPlace(operand, 0.25),
            };
        }
    }

    private static void SameBitsShared(Program program)
    {
        var alone = Sound.Bits(program, threads: 1, shared: false);
        var together = Sound.Bits(program, threads: 4, shared: true);
        Assert.Equal(alone, together);
    }

    private static IReadOnlyList<int> Gradients(int threads, int m, int k, int n, int seed)
    {
        using var _ = new PoolOf(threads);
        var a = Tensor.Create(Numbers(m * k, seed), [m, k], requiresGrad: true);
        var b = Tensor.Create(Numbers(k * n, seed + 1), [k, n], requiresGrad: true);
        var c = Tensor.Create(Numbers(n, seed + 2), [n], requiresGrad: true);
        var y = (a.Matmul(b) * 0.1 + c).Tanh();
        var loss = (y.Sum(0) * c.Exp()).Sum() + y.Mean(1).Sigmoid().Sum();
        loss.Backward();
        return [.. new[] { y, a.Grad!, b.Grad!, c.Grad!, loss }.SelectMany(t => t.ToFloats()).Select(BitConverter.SingleToInt32Bits)];
    }

    private static float[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }
}
