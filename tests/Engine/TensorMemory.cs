using Xunit;

namespace Verified.Engine.Tests;

/// <summary>Tests that look at the process's memory as a whole run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public class WholeProcess
{
    public const string Name = "whole process";
}

/// <summary>Storage, its pool, and the checking mode.</summary>
[Collection(WholeProcess.Name)]
public class TensorMemory
{
    [Fact]
    public void Blocks_of_dropped_tensors_are_used_again()
    {
        var before = NativePool.LiveBytes + NativePool.CachedBytes;
        for (var i = 0; i < 20_000; i++) _ = Tensor.Zeros([5000]) + 1;
        // 40,000 blocks of 20 KB are 800 MB; the mark beyond which dropped ones are sought is a few times what lives.
        Assert.InRange(NativePool.LiveBytes + NativePool.CachedBytes - before, long.MinValue, 100L << 20);
    }

    [Fact]
    public void What_other_sizes_left_behind_is_given_back_before_more_is_taken()
    {
        // 64 MB of each of 40 sizes, one after the other: 2.5 GB, were every size to keep what it once needed.
        const long each = 64L << 20;
        var most = 0L;
        for (var size = 64L << 10; size < each; size += size / 4)
        {
            var blocks = Enumerable.Range(0, (int)(each / size)).Select(_ => NativePool.Rent(size)).ToList();
            foreach (var block in blocks) block.Release();
            most = Math.Max(most, NativePool.CachedBytes);
        }

        Assert.InRange(most, each / 2, 1L << 30);
        NativePool.Trim();
        Assert.Equal(0, NativePool.CachedBytes);
    }

    [Fact]
    public void An_allocation_that_fails_is_an_error_and_leaves_the_account_as_it_was()
    {
        var live = NativePool.LiveBytes;
        // More than an address space has. Meanwhile the collector may find blocks that other tests dropped.
        Assert.Throws<OutOfMemoryException>(() => NativePool.Rent(1L << 47));
        Assert.InRange(NativePool.LiveBytes, 0, live);
    }

    [Fact]
    public void Blocks_are_aligned_and_large_enough()
    {
        for (var bytes = 513L; bytes < 5_000_000; bytes = (bytes * 9 / 8) + 1)
        {
            var storage = Storage.Create(bytes);
            Assert.InRange(storage.ByteLength, bytes, bytes);
            unsafe
            {
                fixed (byte* p = &storage.Origin)
                {
                    Assert.Equal(0, (nint)p % 64);
                    new Span<byte>(p, (int)bytes).Fill(7);
                }
            }
        }
    }

    [Fact]
    public void Small_tensors_own_no_native_block()
    {
        var live = NativePool.LiveBytes;
        var kept = Enumerable.Range(0, 1000).Select(_ => Tensor.Ones([64], DType.Float64)).ToArray();
        Assert.InRange(NativePool.LiveBytes - live, long.MinValue, 0);
        GC.KeepAlive(kept);
    }

    [Fact]
    public void The_checking_mode_poisons_fresh_memory_and_notices_writes_past_the_end()
    {
        MemoryChecks.Enabled = true;
        try
        {
            Assert.True(double.IsNaN(Tensor.Empty([3], DType.Float64).Item0()));
            Overrun();
            for (var i = 0; i < 10 && MemoryChecks.Violations.Count == 0; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            var error = Assert.Throws<AutogradException>(MemoryChecks.Verify);
            Assert.Contains("past the end of a block of 12 bytes", error.Message, StringComparison.Ordinal);
            MemoryChecks.Verify();
        }
        finally
        {
            MemoryChecks.Enabled = false;
        }
    }

    [Fact]
    public void Training_in_the_checking_mode_reads_no_poison_and_damages_nothing()
    {
        MemoryChecks.Enabled = true;
        try
        {
            var x = Tensor.Create([.. Enumerable.Range(0, 200).Select(i => (float)i / 200)], [10, 20]);
            var w = Tensor.Create([.. Enumerable.Range(0, 100).Select(i => 0.01f * i)], [20, 5], requiresGrad: true);
            for (var i = 0; i < 5; i++)
            {
                var y = x.Matmul(w).Sigmoid() + 1;
                y.Slice(1, 0, 2).MulInPlace(2);
                y.Mean(0).Exp().Sum().Backward();
                using (Autograd.NoGrad()) w.SubInPlace(w.Grad! * 0.1);
                w.ZeroGrad(setToNone: i % 2 == 0);
            }
            Assert.All(w.ToFloats(), v => Assert.True(float.IsFinite(v)));
            MemoryChecks.Verify();
        }
        finally
        {
            MemoryChecks.Enabled = false;
        }
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Overrun()
    {
        var t = Tensor.Zeros([3]);
        System.Runtime.CompilerServices.Unsafe.Add(ref t.Origin<float>(), 3) = 1;
        GC.KeepAlive(t);
    }
}

/// <summary>Reads for the tests above.</summary>
internal static class RawReads
{
    public static double Item0(this Tensor t) => t.Origin<double>();
}
